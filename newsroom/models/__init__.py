"""What becomes public and when: releases, what stops them, receipts and what is sent."""

from .deliveries import Delivery, Subscriber
from .receipts import Announcement, Heartbeat
from .releases import FURTHEST, Disarm, Release, ReleaseSignoff, Visibility
from .stops import Hold, HoldLift

__all__ = [
    "FURTHEST",
    "Announcement",
    "Delivery",
    "Disarm",
    "Heartbeat",
    "Hold",
    "HoldLift",
    "Release",
    "ReleaseSignoff",
    "Subscriber",
    "Visibility",
]
