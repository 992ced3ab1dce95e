"""What being on a desk gives a person: the role of a clearer, and sight of what is laid before it."""

from functools import reduce
from operator import or_
from typing import Any

from django.db.models import OuterRef, Q, Subquery

from stories.access import Role

from . import rules
from .models import Decision, Desk, Standing


def roles(user: Any) -> set[Role]:
    """The roles that `user` has by being on a desk, or standing in for somebody who is."""
    return {Role.CLEARER} if Desk.objects.filter(rules.acts_for(user)).exists() else set()


def stories(user: Any) -> Q:
    """The stories laid before a desk of `user`, of those that are limited to a team."""
    desks = Desk.objects.filter(rules.acts_for(user)).values("pk")
    # A step whose condition never held lays nothing before anybody: no partner knows of each limited story.
    asked = Standing.objects.filter(desk__in=desks, story=OuterRef("pk")).exclude(state=rules.NONE)
    decided = Decision.objects.filter(desk__in=desks, story=OuterRef("pk"))
    # Asked story by story, of the few that are limited: for an `Exists` the database would look through
    # all that was ever laid before the desk instead.
    laid = (Q(pk=Subquery(found.values("story")[:1])) for found in (asked, decided))
    return reduce(or_, laid) & Q(team__isnull=False)
