"""Pages of clearance: what waits for a person, and one story's words with the decision on them."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from stories import checks, record, rendering
from stories.access import story_for
from stories.models import Revision, Story
from stories.views import may_draft, person, picture_url

from . import clearing, inbox, rules
from .forms import DecisionForm, RequestForm
from .looking import Change, Look, look
from .models import Decision, PinnedStep, Verdict

STATUS: dict[type[clearing.Refused], int] = {
    clearing.FourEyes: 403,
    clearing.NotOnDesk: 403,
    clearing.ReasonMissing: 422,
}
CONFLICT = 409
ROUTE_GONE = "Clearance was not requested: that route is not offered any more. Choose another one."


@require_GET
def inbox_page(request: HttpRequest) -> HttpResponse:
    """The sign-offs that are missing, of the desks that the person is on."""
    number = request.GET.get("page", "")
    found = inbox.page(person(request), int(number) if number.isdecimal() and len(number) < 9 else 1)
    return render(request, "approvals/inbox.html", {"inbox": found})


@require_GET
def story_clearing(request: HttpRequest, uid: UUID) -> HttpResponse:
    """What the public will see, and the decision on it; `?step=` chooses among the person's desks."""
    user = person(request)
    story = story_for(user, uid)
    wanted = request.GET.get("step", "")
    number = int(wanted) if wanted.isdecimal() and len(wanted) < 19 else None
    return _page(request, look(user, story, number))


def story_submit(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Request clearance of the revision that was on the screen."""
    user = person(request)
    story = story_for(user, uid)
    if request.method != "POST":
        return redirect("story_clearing", uid)
    form = RequestForm(request.POST)
    form.full_clean()
    revision = _revision(story, form.cleaned_data.get("revision"))
    if form.has_error("route"):
        return _page(request, look(user, story), status=CONFLICT, refusal=ROUTE_GONE)
    try:
        clearing.request(revision=revision, by=user, route=form.cleaned_data["route"])
    except clearing.Incomplete:
        return _page(request, look(user, story), status=422, incomplete=True)
    except clearing.Refused as refusal:
        return _refused(request, look(user, story), refusal, seen=revision)
    # Where each private office is asked, only those of who is quoted are named.
    asked = rules.newest_progress([story.pk])[story.pk].needed
    desks = ", ".join(dict.fromkeys(step.desk for step in asked))
    messages.success(request, f"Clearance of revision {revision.number} was requested from {desks}.")
    return redirect("story_clearing", uid)


def story_decide(request: HttpRequest, uid: UUID, step: int) -> HttpResponse:
    """Clear the words that were on the screen, or say what has to change in them."""
    user = person(request)
    story = story_for(user, uid)
    pinned = get_object_or_404(PinnedStep.objects.select_related("desk"), pk=step, submission__story=story)
    if request.method != "POST":
        return redirect("story_clearing", uid)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _invalid(request, look(user, story, step), form)
    data = form.cleaned_data
    revision = _revision(story, data["revision"])
    try:
        if data["verdict"] == Verdict.CLEARED:
            decision = clearing.clear(step=pinned, revision=revision, covered=data["covered"], by=user)
        else:
            decision = clearing.ask_for_changes(
                step=pinned, revision=revision, covered=data["covered"], by=user, reason=data["reason"]
            )
    except clearing.Refused as refusal:
        return _refused(request, look(user, story, step), refusal, seen=revision, reason=data["reason"])
    messages.success(request, _receipt(decision))
    return redirect("story_clearing", uid)


def _revision(story: Story, pk: int | None) -> Revision:
    """The revision of this story that was on the screen."""
    revision = get_object_or_404(Revision.objects.select_related("by"), story=story, pk=pk)
    revision.story = story
    return revision


def _receipt(decision: Decision) -> str:
    """What was signed, in words: desk, part, revision and short digest."""
    what = f"{decision.get_covers_display()} of revision {decision.revision.number}"
    digest = record.short(decision.covered)
    if decision.verdict == Verdict.CLEARED:
        return f"Signed: {decision.desk} cleared {what} ({digest})."
    return f"Sent: {decision.desk} asked for changes to {what} ({digest}). The drafter reads your reason."


def _refused(
    request: HttpRequest, seen_now: Look, refusal: clearing.Refused, *, seen: Revision, reason: str = ""
) -> HttpResponse:
    """The page once more, with what was refused and why, and all that was typed."""
    moved = None
    if isinstance(refusal, clearing.Moved) and seen.pk != seen_now.revision.pk:
        covers = seen_now.step.covers if seen_now.step else "everything"
        moved = Change(seen, seen_now.revision, covers)
    missing = isinstance(refusal, clearing.ReasonMissing)
    return _page(
        request,
        seen_now,
        status=STATUS.get(type(refusal), CONFLICT),
        reason=reason,
        refusal="" if missing else str(refusal),
        reason_error=str(refusal) if missing else "",
        moved=moved,
    )


def _invalid(request: HttpRequest, seen_now: Look, form: DecisionForm) -> HttpResponse:
    broken = form.errors.keys() - {"reason"}
    return _page(
        request,
        seen_now,
        status=422,
        reason=str(form["reason"].value() or ""),
        refusal="Nothing was signed: what this page sent was not whole. Here it is anew." if broken else "",
        reason_error=" ".join(map(str, form.errors.get("reason", []))),
    )


def _page(
    request: HttpRequest,
    seen: Look,
    *,
    status: int = 200,
    reason: str = "",
    refusal: str = "",
    reason_error: str = "",
    moved: Change | None = None,
    incomplete: bool = False,
) -> HttpResponse:
    step = seen.step
    form = DecisionForm(
        initial={"revision": seen.revision.pk, "covered": step.covered if step else "", "reason": reason}
    )
    if reason_error:
        form.mark_reason()
    drafts = may_draft(seen.user)
    picture = picture_url(seen.revision.content["picture"])
    return render(
        request,
        "approvals/clearing.html",
        {
            "story": seen.story,
            "look": seen,
            "article": rendering.article(
                seen.revision.content, picture_url=picture, covers=step.covers if step and seen.own else None
            ),
            "form": form,
            "refusal": refusal,
            "reason_error": reason_error,
            "moved": moved,
            "may_draft": drafts,
            "may_request": drafts and not seen.progress.requested,
            "problems": checks.problems(seen.revision.content) if drafts else [],
            "incomplete": incomplete,
        },
        status=status,
    )
