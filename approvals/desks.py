"""What being on a desk gives a person: the role of a clearer, and sight of what is laid before it."""

from typing import Any

from django.db.models import Q

from stories.access import Role

from .models import Desk, PinnedStep


def roles(user: Any) -> set[Role]:
    """The roles that `user` has by being on a desk."""
    return {Role.CLEARER} if Desk.objects.filter(members=user.pk).exists() else set()


def stories(user: Any) -> Q:
    """The stories laid before a desk of `user`, of those that are limited to a team."""
    asked = PinnedStep.objects.filter(desk__members=user.pk, submission__story__team__isnull=False)
    return Q(pk__in=asked.values("submission__story"))
