"""Who may see and do what, as far as a story goes: the one place that is asked.

Rooms above add what they know (a clearer's desks) by registering here, so that nothing below has to
import them.
"""

from collections.abc import Callable
from enum import StrEnum
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Q
from django.http import Http404

if TYPE_CHECKING:
    from .models import Story


class Role(StrEnum):
    """What a person may be here.

    A group of the same name makes a drafter, a duty officer or a route manager, being on a desk a clearer,
    and being a superuser an administrator. Whoever sets the newsroom up passes no rule of it.
    """

    DRAFTER = "Drafter"
    CLEARER = "Clearer"
    DUTY_OFFICER = "Duty officer"
    MANAGER = "Route manager"
    ADMINISTRATOR = "Administrator"


GROUP_ROLES = (Role.DRAFTER, Role.DUTY_OFFICER, Role.MANAGER)

_roles: list[Callable[[Any], set[Role]]] = []
_visible: list[Callable[[Any], Q]] = []


def grants_roles(provider: Callable[[Any], set[Role]]) -> None:
    """Register a function that gives further roles of a user."""
    if provider not in _roles:
        _roles.append(provider)


def shows_stories(provider: Callable[[Any], Q]) -> None:
    """Register a function that gives further stories that exist for a user, as a `Q` on `Story`."""
    if provider not in _visible:
        _visible.append(provider)


def roles_of(user: Any) -> frozenset[Role]:
    """The roles of `user`; none for the anonymous and the deactivated. Looked up once a request."""
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    cached = getattr(user, "_roles", None)
    if cached is None:
        names = set(user.groups.values_list("name", flat=True))
        found = {role for role in GROUP_ROLES if role.value in names}
        if user.is_superuser:
            found.add(Role.ADMINISTRATOR)
        for provider in _roles:
            found |= provider(user)
        cached = user._roles = frozenset(found)
    return frozenset(cached)


def visible_q(user: Any) -> Q:
    """The stories that exist for `user`, as a `Q` on `Story`. Being a superuser shows no more."""
    from .models import Team

    mine = Q(team=None) | Q(team__in=Team.objects.filter(members=user.pk))
    return reduce(or_, (provider(user) for provider in _visible), mine)


def story_for(user: Any, uid: UUID) -> "Story":
    """The story `uid`, if it exists for `user`; else the answer of one that was never written.

    Raises:
        Http404: there is no such story, or not for `user`.
    """
    from .models import Story

    try:
        return Story.objects.visible_to(user).select_related("team").get(uid=uid)
    except Story.DoesNotExist:
        raise Http404 from None
