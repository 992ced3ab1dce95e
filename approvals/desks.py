"""What being on a desk gives a person: the role of a clearer, and sight of what is laid before it."""

from typing import Any

from django.db.models import Q

from stories.access import Role

from .models import Desk


def roles(user: Any) -> set[Role]:
    """The roles that `user` has by being on a desk."""
    return {Role.CLEARER} if Desk.objects.filter(members=user.pk).exists() else set()


def stories(user: Any) -> Q:
    """The stories laid before a desk of `user`, limited to a team or not."""
    return Q(submissions__steps__desk__members=user.pk)
