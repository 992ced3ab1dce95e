"""What becomes public and when: releases, what stops them, receipts and what is sent."""

from .deliveries import (
    RECALLS,
    Delivery,
    DeliveryQuerySet,
    Event,
    Kind,
    Receiver,
    Subscriber,
    SubscriptionRequest,
)
from .receipts import Announcement, Heartbeat
from .releases import FURTHEST, Disarm, Release, ReleaseSignoff, Visibility
from .stops import Hold, HoldLift

__all__ = [
    "FURTHEST",
    "RECALLS",
    "Announcement",
    "Delivery",
    "DeliveryQuerySet",
    "Disarm",
    "Event",
    "Heartbeat",
    "Hold",
    "HoldLift",
    "Kind",
    "Receiver",
    "Release",
    "ReleaseSignoff",
    "Subscriber",
    "SubscriptionRequest",
    "Visibility",
]
