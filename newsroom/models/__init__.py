"""What becomes public and when: releases, what stops them, receipts and what is sent."""

from .deliveries import Delivery, Subscriber
from .receipts import Announcement, Heartbeat
from .releases import FURTHEST, Disarm, Release, ReleaseSignoff, Visibility
from .stops import Hold, HoldLift
from .watching import CHECKS, Alarm, Finding, Lookout, Mark, Preflight, Probe

__all__ = [
    "CHECKS",
    "FURTHEST",
    "Alarm",
    "Announcement",
    "Delivery",
    "Disarm",
    "Finding",
    "Heartbeat",
    "Hold",
    "HoldLift",
    "Lookout",
    "Mark",
    "Preflight",
    "Probe",
    "Release",
    "ReleaseSignoff",
    "Subscriber",
    "Visibility",
]
