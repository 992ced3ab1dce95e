"""The desk: what must I do now, what goes out when; and the list of all stories."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from approvals import inbox, rules
from approvals.models import Standing, Submission
from stories.access import Role, roles_of
from stories.clocks import database_now
from stories.models import Revision, Story, StoryQuerySet, User
from stories.views import may_draft

from .models import Disarm, Visibility, release_clock
from .state import going_out, states_of

STORIES_A_PAGE = 25
#: How many stories of a sort the desk shows, and of how many it looks which are of that sort; how many of
#: somebody's own it looks at. Those before are in the list of stories.
A_GROUP, LATELY, OWN = 10, 100, 250
#: How many stories are counted; of more it is only said that there are more.
COUNTED = 1000


@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """What waits for the person, what goes out today and tonight, their drafts."""
    user = request.user
    assert isinstance(user, User)
    now = database_now()
    drafts, under_way = _own(user)
    lists = {
        "going_out": going_out(user, now, now + timedelta(hours=36)),
        "under_way": under_way,
        "drafts": drafts,
        "ready": _ready(user),
        "disarmed": _disarmed(user, now),
    }
    # A story can be in two of them, and costs as much as in one.
    states = {
        state.story.pk: state for state in states_of({story for group in lists.values() for story in group})
    }
    context: dict[str, Any] = {
        name: [states[story.pk] for story in group if story.pk in states] for name, group in lists.items()
    }
    context["ready"] = [state for state in context["ready"] if state.ready][:A_GROUP]
    ready = {state.story.pk for state in context["ready"]}
    context["disarmed"] = [state for state in context["disarmed"] if state.story.pk not in ready][:A_GROUP]
    context |= {"waiting": inbox.waiting_count(user), "may_draft": may_draft(user), "now": now}
    return render(request, "newsroom/desk.html", context)


def _own(user: User) -> tuple[list[Story], list[Story]]:
    """Of the person's newest stories, the drafts, and those sent for clearance.

    Those of which the public has read the newest words need nothing more.
    """
    mine = list(Story.objects.filter(by=user).order_by("-pk").values_list("pk", flat=True)[:OWN])
    newer = Revision.objects.filter(story=OuterRef("story"), pk__gt=OuterRef("release__revision"))
    out = Visibility.objects.filter(~Exists(newer), story__in=mine, visible_from__lte=release_clock())
    left = sorted(set(mine) - set(out.values_list("story", flat=True)))[-LATELY:]
    requested = set(Submission.objects.filter(story__in=left).values_list("story", flat=True))
    newest = list(Story.objects.visible_to(user).filter(pk__in=left))
    drafts = [story for story in newest if story.pk not in requested]
    return drafts[:A_GROUP], [story for story in newest if story.pk in requested][:A_GROUP]


def _ready(user: User) -> list[Story]:
    """Of the stories sent for clearance lately, those without a missing sign-off that nobody has armed."""
    lately = Submission.objects.order_by("-id").values_list("story", flat=True)[:LATELY]
    missing = Standing.objects.filter(story=OuterRef("pk"), state__in=rules.MISSING)
    stories = Story.objects.visible_to(user).filter(~Exists(missing), ~_armed(), pk__in=list(lately))
    return list(stories)


def _armed() -> Exists:
    """Whether a story is armed."""
    return Exists(Visibility.objects.armed().filter(story=OuterRef("pk")))


def _disarmed(user: User, now: datetime) -> list[Story]:
    """For a duty officer: stories that were to go out, were called off lately, and nobody has armed since.

    Whoever armed one goes by it until told otherwise. A day after its moment it is no longer news.
    """
    if Role.DUTY_OFFICER not in roles_of(user):
        return []
    off = Disarm.objects.filter(release__embargo__gt=now - timedelta(days=1)).order_by("-id")
    stories = list(off.values_list("story", flat=True)[:LATELY])
    return list(Story.objects.visible_to(user).filter(~_armed(), pk__in=stories))


@dataclass(frozen=True)
class Page:
    """Some stories of a long list, and those from which its neighbours are counted, if there are any.

    It is found by its neighbour and not by its number: a page far back costs as much as the first.
    """

    stories: list[Story]
    newer: UUID | None
    older: UUID | None


def _page(known: StoryQuerySet, stories: StoryQuerySet, before: str, after: str) -> Page:
    """The stories before or after the one named, which has to be one of `known`; else the newest."""
    start, upwards = _place(known, before), _place(known, after)
    if upwards and not start:
        found = list(stories.filter(pk__gt=upwards).order_by("pk")[: STORIES_A_PAGE + 1])
        shown = found[:STORIES_A_PAGE][::-1]
        newer, older = len(found) > STORIES_A_PAGE, bool(shown)
    else:
        found = list((stories.filter(pk__lt=start) if start else stories)[: STORIES_A_PAGE + 1])
        shown = found[:STORIES_A_PAGE]
        newer, older = bool(start and shown), len(found) > STORIES_A_PAGE
    return Page(shown, shown[0].uid if newer else None, shown[-1].uid if older else None)


def _place(known: StoryQuerySet, uid: str) -> int | None:
    """The id of one of the known stories; None for any other words."""
    try:
        return known.filter(uid=UUID(uid)).values_list("pk", flat=True).first() if uid else None
    except ValueError:
        return None


@require_GET
def story_list(request: HttpRequest) -> HttpResponse:
    """All stories that exist for the person, the newest first; `?q=` looks in the headlines they have had."""
    user = request.user
    assert isinstance(user, User)
    known = Story.objects.visible_to(user)
    stories = known.select_related("by", "team")
    wanted = request.GET.get("q", "").replace("\0", "").strip()[:200]
    # To count what has the words would be to look for them everywhere.
    count = None if wanted else known[: COUNTED + 1].count()
    if wanted:
        named = Revision.objects.filter(story=OuterRef("pk"), heading__icontains=wanted)
        stories = stories.filter(Exists(named))
    page = _page(known, stories, request.GET.get("before", ""), request.GET.get("after", ""))
    context = {
        "page": page,
        "states": states_of(page.stories),
        "count": count,
        "counted": COUNTED,
        "q": wanted,
        "may_draft": may_draft(user),
    }
    return render(request, "newsroom/story_list.html", context)
