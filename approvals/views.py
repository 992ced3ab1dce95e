"""The page of clearance: one story's words, with the decision on them."""

from collections.abc import Mapping
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from stories import checks, record, remark_forms, rendering, renditions
from stories.access import story_for
from stories.models import Revision, Story, User
from stories.views import may_draft, person, picture_url

from . import clearing, coverage, deputies, rules
from .forms import REMARKED, DecisionForm, RequestForm, TakeBackForm
from .looking import WHAT, Change, Look, look
from .models import Decision, PinnedStep, Verdict

STATUS: dict[type[clearing.Refused], int] = {
    clearing.FourEyes: 403,
    clearing.NotOnDesk: 403,
    clearing.NotDeputy: 403,
    clearing.NotYours: 403,
    clearing.ReasonMissing: 422,
}
CONFLICT = 409
ROUTE_GONE = "Clearance was not requested: that route is not offered any more. Choose another one."


@require_GET
def story_clearing(request: HttpRequest, uid: UUID) -> HttpResponse:
    """What the public will see, and the decision on it.

    `?step=` chooses among the person's desks, `since` and `show` what the difference is counted from and how
    it is shown. `?newest=` asks whether anything has happened since the page was made.
    """
    user = person(request)
    story = story_for(user, uid)
    if "newest" in request.GET:
        return _news(user, story, request.GET["newest"])
    wanted = request.GET.get("step", "")
    number = int(wanted) if wanted.isdecimal() and len(wanted) < 19 else None
    seen = look(user, story, number, request.GET)
    if seen.own and not _is_prefetch(request):
        clearing.seen(revision=seen.revision, by=user)
    return _page(request, seen)


def _is_prefetch(request: HttpRequest) -> bool:
    """Whether a browser loads the page before anybody has asked to see it."""
    return any("prefetch" in request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose"))


def _news(user: User, story: Story, known: str) -> HttpResponse:
    """What has happened since a page was made: nothing (204), or a sentence."""
    newest = story.revisions.select_related("by").defer("content").latest("number")
    last = (
        Decision.objects.filter(story=story).select_related("by", "on_behalf", "desk").order_by("-id").first()
    )
    state = f"{newest.pk}-{last.pk if last else 0}"
    revision, _, decision = known.partition("-")
    if known == state or not (revision.isdecimal() and decision.isdecimal()):
        return HttpResponse(status=204)
    if revision != str(newest.pk):
        words = f"{newest.by} saved revision {newest.number} while you were reading."
        return JsonResponse({"state": state, "words": words, "moved": True})
    if last is None or last.by_id == user.pk:
        return HttpResponse(status=204)
    did = {
        Verdict.CLEARED: "cleared",
        Verdict.CHANGES: "asked for changes to",
        Verdict.REFUSED: "refused",
        Verdict.TAKEN_BACK: "took back a decision on",
    }[Verdict(last.verdict)]
    words = f"{last.who} {did} {last.covers_words} for {last.desk}."
    return JsonResponse({"state": state, "words": words, "moved": False})


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
    revision = _revision(story, form.cleaned_data["revision"])
    try:
        decision = _decided(form, pinned, revision, user)
    except clearing.Refused as refusal:
        return _refused(request, look(user, story, step), refusal, seen=revision, typed=form.typed)
    messages.success(request, _receipt(decision))
    return redirect("story_clearing", uid)


def _decided(form: DecisionForm, step: PinnedStep, revision: Revision, user: User) -> Decision:
    """Carry out what the form says, in one verb."""
    covered, verdict, behalf = (form.cleaned_data[name] for name in ("covered", "verdict", "on_behalf"))
    if verdict in (Verdict.CLEARED, REMARKED):
        return clearing.clear(
            step=step, revision=revision, covered=covered, by=user, remark=form.words, on_behalf=behalf
        )
    verb = clearing.refuse if verdict == Verdict.REFUSED else clearing.ask_for_changes
    return verb(step=step, revision=revision, covered=covered, by=user, reason=form.words, on_behalf=behalf)


def story_take_back(request: HttpRequest, uid: UUID, decision: int) -> HttpResponse:
    """Take a decision back. Whose it is, and whether it is too late, the verb says."""
    user = person(request)
    story = story_for(user, uid)
    decisions = Decision.objects.select_related("desk", "by", "on_behalf", "revision", "step")
    given = get_object_or_404(decisions, pk=decision, story=story)
    if request.method != "POST":
        return redirect("story_clearing", uid)
    form = TakeBackForm(request.POST)
    typed = {"back": str(form["back"].value() or "")}
    if not form.is_valid():
        errors = {name: " ".join(map(str, words)) for name, words in form.errors.items()}
        return _page(request, look(user, story, given.step_id), status=422, typed=typed, errors=errors)
    try:
        clearing.take_back(decision=given, by=user, reason=form.cleaned_data["back"])
    except clearing.NotStanding as refusal:
        # A form that was sent twice has done what it should.
        if not given.taken_back.filter(by=user).exists():
            return _refused(
                request, look(user, story, given.step_id), refusal, seen=given.revision, typed=typed
            )
    except clearing.Refused as refusal:
        return _refused(request, look(user, story, given.step_id), refusal, seen=given.revision, typed=typed)
    what = coverage.in_words(given.covers, given.whom)
    said = WHAT[Verdict(given.verdict)].removeprefix("your ")
    messages.success(
        request,
        f"Taken back: the {said} of {given.desk} on {what} of revision {given.revision.number}. "
        "If the story was armed, it is disarmed.",
    )
    return redirect("story_clearing", uid)


def _revision(story: Story, pk: int | None) -> Revision:
    """The revision of this story that was on the screen."""
    revision = get_object_or_404(Revision.objects.select_related("by"), story=story, pk=pk)
    revision.story = story
    return revision


def _receipt(decision: Decision) -> str:
    """What was signed, in words: desk, part, revision and short digest."""
    what = f"{decision.covers_words} of revision {decision.revision.number}"
    digest = record.short(decision.covered)
    behalf = f", on behalf of {decision.on_behalf}" if decision.on_behalf else ""
    if decision.verdict == Verdict.CLEARED:
        remark = " Your remark goes with it." if decision.reason else ""
        return f"Signed{behalf}: {decision.desk} cleared {what} ({digest}).{remark}"
    if decision.verdict == Verdict.REFUSED:
        return (
            f"Sent{behalf}: {decision.desk} refused {what} ({digest}). Until you take it back nobody else "
            "of the desk can clear these words."
        )
    sent = f"Sent{behalf}: {decision.desk} asked for changes to {what} ({digest})."
    return f"{sent} The drafter reads your reason."


def _refused(
    request: HttpRequest,
    seen_now: Look,
    refusal: clearing.Refused,
    *,
    seen: Revision,
    typed: Mapping[str, str] | None = None,
) -> HttpResponse:
    """The page once more, with what was refused and why, and all that was typed."""
    moved = None
    if isinstance(refusal, clearing.Moved) and seen.pk != seen_now.revision.pk:
        step = seen_now.step
        moved = Change(
            seen, seen_now.revision, step.covers if step else "everything", step.whom if step else ""
        )
    missing = isinstance(refusal, clearing.ReasonMissing)
    return _page(
        request,
        seen_now,
        status=STATUS.get(type(refusal), CONFLICT),
        typed=typed,
        refusal="" if missing else str(refusal),
        errors={"reason": str(refusal)} if missing else {},
        moved=moved,
    )


def _invalid(request: HttpRequest, seen_now: Look, form: DecisionForm) -> HttpResponse:
    errors = {name: " ".join(map(str, form.errors[name])) for name in form.typed if name in form.errors}
    broken = form.errors.keys() - errors.keys()
    return _page(
        request,
        seen_now,
        status=422,
        typed=form.typed,
        refusal="Nothing was signed: what this page sent was not whole. Here it is anew." if broken else "",
        errors=errors,
    )


def _page(
    request: HttpRequest,
    seen: Look,
    *,
    status: int = 200,
    typed: Mapping[str, str] | None = None,
    refusal: str = "",
    errors: Mapping[str, str] | None = None,
    moved: Change | None = None,
    incomplete: bool = False,
) -> HttpResponse:
    step, errors, content = seen.step, errors or {}, seen.revision.content
    words = typed or {}
    form = DecisionForm(
        initial={"revision": seen.revision.pk, "covered": step.covered if step else "", **words}
    )
    form.mark(errors)
    drafts = may_draft(seen.user)
    marks = coverage.marks(content, step.covers, step.whom) if step and seen.own and step.covered else None
    return render(
        request,
        "approvals/clearing.html",
        {
            "story": seen.story,
            "look": seen,
            "article": rendering.article(
                content,
                picture_url=picture_url(content["picture"]),
                forms=renditions.of(seen.revision.pk) if content["picture"] else (),
                marks=marks,
            ),
            "form": form,
            "speaks": deputies.speaks_for(seen.user, step, seen.people) if step and seen.may_decide else None,
            "chosen": request.POST.get("on_behalf", ""),
            "fields": _fields(form, errors, is_open=moved is None),
            "back": TakeBackForm(initial={**words}),
            "back_error": errors.get("back", ""),
            # A page with words that were just sent has no others to offer.
            "fresh": typed is None,
            "typed": any(value.strip() for value in words.values()),
            "refusal": refusal,
            "errors": errors,
            "moved": moved,
            "may_draft": drafts,
            "may_request": drafts and not seen.progress.requested,
            "problems": checks.problems(content) if drafts else [],
            "incomplete": incomplete,
            "remarks": remark_forms.shown(seen.story, seen.revision, seen.user),
        },
        status=status,
    )


def _fields(form: DecisionForm, errors: Mapping[str, str], *, is_open: bool) -> dict[str, dict[str, object]]:
    """The fields for words, each with what is wrong in it, and whether what was typed has to be seen at once.

    Where the words have moved, the difference has to be seen first: what was typed waits behind its button.
    """
    return {
        name: {
            "field": form[name],
            "error": errors.get(name, ""),
            "kept": bool(words.strip()),
            "open": name in errors or bool(words.strip() and is_open),
        }
        for name, words in form.typed.items()
    }
