"""What becomes public and when: releases, what stops them, receipts and what is sent."""

from .deliveries import Delivery, Subscriber
from .receipts import Announcement, Heartbeat
from .releases import (
    FURTHEST,
    SIGNIFICANT,
    Disarm,
    Kind,
    Move,
    Release,
    ReleaseSignoff,
    Visibility,
    Withdrawal,
    release_clock,
    visible,
)
from .stops import Freeze, FreezeEnd, FreezeExemption, Hold, HoldAll, HoldAllLift, HoldLift

__all__ = [
    "FURTHEST",
    "SIGNIFICANT",
    "Announcement",
    "Delivery",
    "Disarm",
    "Freeze",
    "FreezeEnd",
    "FreezeExemption",
    "Heartbeat",
    "Hold",
    "HoldAll",
    "HoldAllLift",
    "HoldLift",
    "Kind",
    "Move",
    "Release",
    "ReleaseSignoff",
    "Subscriber",
    "Visibility",
    "Withdrawal",
    "release_clock",
    "visible",
]
