"""The desk: what must I do now, what goes out when; and the list of all stories."""

from datetime import timedelta

from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from approvals import inbox
from approvals.models import Submission
from stories.models import Revision, Story, User
from stories.views import may_draft

from .releasing import database_now
from .state import State, going_out, states_of

STORIES_A_PAGE = 25


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
    stories = Story.objects.visible_to(user).filter(
        pk__in=list(lately.values_list("story", flat=True)), visibility=None
    )
    return [state for state in states_of(stories) if state.progress.cleared][:10]


@require_GET
def story_list(request: HttpRequest) -> HttpResponse:
    """All stories that exist for the person, the newest first; `?q=` looks in the headlines they have had."""
    user = request.user
    assert isinstance(user, User)
    stories = Story.objects.visible_to(user).select_related("by", "team")
    wanted = request.GET.get("q", "").replace("\0", "").strip()[:200]
    if wanted:
        named = Revision.objects.filter(story=OuterRef("pk"), content__headline__icontains=wanted)
        stories = stories.filter(Exists(named))
    page = Paginator(stories, STORIES_A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "states": states_of(page), "q": wanted, "may_draft": may_draft(user)}
    return render(request, "newsroom/story_list.html", context)
