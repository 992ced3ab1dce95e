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
from .watching import CHECKS, Alarm, Finding, Lookout, Mark, Preflight, Probe

__all__ = [
    "CHECKS",
    "FURTHEST",
    "RECALLS",
    "Alarm",
    "Announcement",
    "Delivery",
    "DeliveryQuerySet",
    "Disarm",
    "Event",
    "Finding",
    "Freeze",
    "FreezeEnd",
    "FreezeExemption",
    "Heartbeat",
    "Hold",
    "HoldAll",
    "HoldAllLift",
    "HoldLift",
    "Kind",
    "Lookout",
    "Mark",
    "Move",
    "Preflight",
    "Probe",
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
