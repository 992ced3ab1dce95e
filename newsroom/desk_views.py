"""The desk: what must I do now, what goes out when; and the list of all stories."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from approvals import inbox, rules
from approvals.models import Standing, Submission
from stories.models import Revision, Story, StoryQuerySet, User
from stories.views import may_draft

from .releasing import database_now
from .state import State, going_out, states_of

STORIES_A_PAGE = 25
#: How many stories are counted; of more it is only said that there are more.
COUNTED = 1000


@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """What waits for the person, what goes out today and tonight, their drafts."""
    user = request.user
    assert isinstance(user, User)
    now = database_now()
    mine = Story.objects.visible_to(user).filter(by=user)
    requested = Submission.objects.filter(story=OuterRef("pk"))
    drafts = mine.filter(~Exists(requested), visibility=None)[:10]
    under_way = mine.filter(Exists(requested)).exclude(visibility__visible_from__lte=now)[:10]
    context = {
        "waiting": inbox.waiting_count(user),
        "going_out": states_of(going_out(user, now, now + timedelta(hours=36))),
        "under_way": states_of(under_way),
        "drafts": states_of(drafts),
        "ready": _ready(user),
        "may_draft": may_draft(user),
        "now": now,
    }
    return render(request, "newsroom/desk.html", context)


def _ready(user: User) -> list[State]:
    """The stories that are cleared and wait for somebody to arm them, of those sent for clearance lately."""
    lately = Submission.objects.order_by("-id").values("story")[:100]
    missing = Standing.objects.filter(story=OuterRef("pk"), state__in=rules.MISSING)
    stories = Story.objects.visible_to(user).filter(
        ~Exists(missing), pk__in=list(lately.values_list("story", flat=True)), visibility=None
    )
    return [state for state in states_of(stories) if state.progress.cleared][:10]


@dataclass(frozen=True)
class Page:
    """Some stories of a long list, and those from which its neighbours are counted, if there are any.

    It is found by its neighbour and not by its number: a page far back costs as much as the first.
    """

    stories: list[Story]
    newer: UUID | None
    older: UUID | None


def _page(user: User, stories: StoryQuerySet, before: str, after: str) -> Page:
    """The stories before or after the one named, else the newest."""
    start, upwards = _known(user, before), _known(user, after)
    if upwards and not start:
        found = list(stories.filter(pk__gt=upwards).order_by("pk")[: STORIES_A_PAGE + 1])
        shown = found[:STORIES_A_PAGE][::-1]
        newer, older = len(found) > STORIES_A_PAGE, bool(shown)
    else:
        found = list((stories.filter(pk__lt=start) if start else stories)[: STORIES_A_PAGE + 1])
        shown = found[:STORIES_A_PAGE]
        newer, older = bool(start and shown), len(found) > STORIES_A_PAGE
    return Page(shown, shown[0].uid if newer else None, shown[-1].uid if older else None)


def _known(user: User, uid: str) -> int | None:
    """The id of a story that exists for the person; None for any other words."""
    try:
        return Story.objects.visible_to(user).filter(uid=UUID(uid)).values_list("pk", flat=True).first()
    except ValueError:
        return None


@require_GET
def story_list(request: HttpRequest) -> HttpResponse:
    """All stories that exist for the person, the newest first; `?q=` looks in the headlines they have had."""
    user = request.user
    assert isinstance(user, User)
    stories = Story.objects.visible_to(user).select_related("by", "team")
    wanted = request.GET.get("q", "").replace("\0", "").strip()[:200]
    # To count what has the words would be to look for them everywhere.
    count = None if wanted else stories[: COUNTED + 1].count()
    if wanted:
        named = Revision.objects.filter(story=OuterRef("pk"), content__headline__icontains=wanted)
        stories = stories.filter(Exists(named))
    page = _page(user, stories, request.GET.get("before", ""), request.GET.get("after", ""))
    context = {
        "page": page,
        "states": states_of(page.stories),
        "count": count,
        "counted": COUNTED,
        "q": wanted,
        "may_draft": may_draft(user),
    }
    return render(request, "newsroom/story_list.html", context)
