"""Who clears what, and what they decided."""

from .desks import Deputyship, Desk, PrivateOffice
from .facts import Claim, ClaimRelease, Decision, PinnedStep, Submission, Verdict
from .following import Reminder, Seen, Standing
from .routes import ALL, Asked, Condition, Covers, Route, Step

__all__ = [
    "ALL",
    "Asked",
    "Claim",
    "ClaimRelease",
    "Condition",
    "Covers",
    "Decision",
    "Deputyship",
    "Desk",
    "PinnedStep",
    "PrivateOffice",
    "Reminder",
    "Route",
    "Seen",
    "Standing",
    "Step",
    "Submission",
    "Verdict",
]
