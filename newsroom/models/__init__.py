"""What becomes public and when: releases, what stops them, receipts and what is sent."""

from .deliveries import (
    RECALLS,
    Delivery,
    DeliveryQuerySet,
    Event,
    Receiver,
    ReceiverKind,
    Subscriber,
    SubscriptionRequest,
)
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
    "RECALLS",
    "SIGNIFICANT",
    "Announcement",
    "Delivery",
    "DeliveryQuerySet",
    "Disarm",
    "Event",
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
    "Receiver",
    "ReceiverKind",
    "Release",
    "ReleaseSignoff",
    "Subscriber",
    "SubscriptionRequest",
    "Visibility",
    "Withdrawal",
    "release_clock",
    "visible",
]
