"""The page of a story's copies under embargo: who has one, who keeps the embargo, giving and revoking."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from stories.access import story_for
from stories.models import Story
from stories.views import person

from . import embargo, tasks
from .forms import GiveForm, ReasonForm
from .models import Acknowledgement, CopyNotice, EmbargoGrant, Opening
from .release_views import may_release
from .state import Chip, state_of

COPIES_A_PAGE = 25
CONFLICT, NOT_WHOLE = 409, 422
WHOLE = (embargo.Incomplete, embargo.ReasonMissing)


@dataclass(frozen=True)
class Row:
    """A copy as the page shows it."""

    grant: EmbargoGrant
    #: The mail with the link, the last acknowledgement, and the last opening.
    link: CopyNotice | None
    last: Acknowledgement | None
    opening: Opening | None
    form: ReasonForm

    @property
    def revoked(self) -> bool:
        return hasattr(self.grant, "revocation")

    @property
    def chip(self) -> Chip:
        """Where it stands, in a word."""
        if self.revoked:
            return Chip("is-withdrawn", "withdrawn", "revoked")
        if self.grant.is_over:
            return Chip("is-live", "live", "the story is public")
        if self.grant.covered_id is None:
            return Chip("is-none", "none", "called off")
        if self.grant.copied_id is None:
            return Chip("is-hold", "hold", "on hold")
        if self.grant.acknowledged_id:
            return Chip("is-cleared", "cleared", "keeps the embargo")
        if self.last:
            return Chip("is-again", "again", "must acknowledge again")
        return Chip("is-waiting", "waiting", "not acknowledged yet")

    @property
    def mail(self) -> str:
        """What became of the mail with the link; `sent_at` is shown beside it."""
        if self.link is None or self.link.sent_at:
            return ""
        if self.link.next_attempt:
            return "the mail with the link is on its way"
        return f"the mail with the link did not go out. {self.link.error}"


def _rows(grants: list[EmbargoGrant], broken: int, form: ReasonForm | None) -> list[Row]:
    """What the page shows of each, in as many queries for many as for one."""
    # The first that was sent brought the link.
    mails = CopyNotice.objects.filter(grant__in=grants)
    mails = mails.order_by("grant", F("sent_at").asc(nulls_last=True), "pk").distinct("grant")
    links = {row.grant_id: row for row in mails}
    said = Acknowledgement.objects.filter(grant__in=grants)
    last = {row.grant_id: row for row in said.order_by("grant", "-pk").distinct("grant")}
    opened = Opening.objects.filter(acknowledgement__grant__in=grants).select_related("acknowledgement")
    newest = opened.order_by("acknowledgement__grant", "-pk").distinct("acknowledgement__grant")
    openings = {row.acknowledgement.grant_id: row for row in newest}
    return [
        Row(
            grant=grant,
            link=links.get(grant.pk),
            last=last.get(grant.pk),
            opening=openings.get(grant.pk),
            form=form if form and grant.pk == broken else ReasonForm(prefix=f"revoke{grant.pk}"),
        )
        for grant in grants
    ]


def _page(
    request: HttpRequest,
    story: Story,
    *,
    form: GiveForm | None = None,
    revoke_form: ReasonForm | None = None,
    revoking: int = 0,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    grants = EmbargoGrant.objects.filter(story=story).with_standing()
    grants = grants.select_related("by", "revocation__by").order_by("-pk")
    page = Paginator(grants, COPIES_A_PAGE).get_page(request.GET.get("page"))
    state = state_of(story)
    context: dict[str, Any] = {
        "story": story,
        "head": state,
        "state": state,
        "page": page,
        "rows": _rows(list(page), revoking, revoke_form),
        "form": form or GiveForm(),
        "revoke_form": revoke_form,
        "refusal": refusal,
        "may_release": may_release(person(request)),
    }
    return render(request, "newsroom/copies.html", context, status=status)


@require_GET
def story_copies(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Who has a copy of the story, and the form that gives one."""
    return _page(request, story_for(person(request), uid))


def copy_give(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Give a copy of the armed story to somebody."""
    user = person(request)
    story = story_for(user, uid)
    if request.method != "POST":
        return redirect("story_copies", uid)
    form = GiveForm(request.POST)
    if not form.is_valid():
        return _page(request, story, form=form, status=NOT_WHOLE)
    try:
        grant = embargo.give(story=story, by=user, **form.cleaned_data)
    except embargo.Refused as refusal:
        return _page(request, story, form=form, refusal=str(refusal), status=_status_of(refusal))
    tasks.send_soon()
    messages.success(request, f"Given to {grant.whose}: the link goes to {grant.email} by mail.")
    return redirect("story_copies", uid)


def copy_revoke(request: HttpRequest, uid: UUID, copy: int) -> HttpResponse:
    """Take a copy back."""
    user = person(request)
    story = story_for(user, uid)
    grant = get_object_or_404(EmbargoGrant, pk=copy, story=story)
    if request.method != "POST":
        return redirect("story_copies", uid)
    form = ReasonForm(request.POST, prefix=f"revoke{copy}")
    if not form.is_valid():
        return _page(request, story, revoke_form=form, revoking=copy, status=NOT_WHOLE)
    try:
        embargo.revoke(grant=grant, by=user, reason=form.cleaned_data["reason"])
    except embargo.Refused as refusal:
        return _page(request, story, refusal=str(refusal), status=_status_of(refusal))
    messages.success(request, f"Revoked: the link of {grant.whose} shows nothing any more.")
    return redirect("story_copies", uid)


def _status_of(refusal: embargo.Refused) -> int:
    return NOT_WHOLE if isinstance(refusal, WHOLE) else CONFLICT
