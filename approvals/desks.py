"""What being on a desk gives a person: the role of a clearer, and sight of what is laid before it."""

from typing import Any

from django.db.models import OuterRef, Q, Subquery

from stories.access import Role

from . import rules
from .models import Desk, PinnedStep


def roles(user: Any) -> set[Role]:
    """The roles that `user` has by being on a desk, or standing in for somebody who is."""
    return {Role.CLEARER} if Desk.objects.filter(rules.acts_for(user)).exists() else set()


def stories(user: Any) -> Q:
    """The stories laid before a desk of `user`, of those that are limited to a team."""
    desks = Desk.objects.filter(rules.acts_for(user)).values("pk")
    asked = PinnedStep.objects.filter(desk__in=desks, submission__story=OuterRef("pk")).order_by()
    # Asked story by story, of the few that are limited: for an `Exists` the database would look through
    # all that was ever laid before the desk instead.
    return Q(pk=Subquery(asked.values("submission__story")[:1]), team__isnull=False)
