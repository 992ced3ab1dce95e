"""The release page, and arming from it: for a moment, or now."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from approvals import board, rules
from stories.access import roles_of, story_for
from stories.clocks import database_now, office
from stories.models import Revision, Story, User
from stories.views import person

from . import bundling, release_page, releasing, tasks, watch_page
from .access import DUTY
from .forms import (
    ArmForm,
    ExemptForm,
    JoinForm,
    LeaveForm,
    NowForm,
    OnScreenForm,
    ReasonForm,
    ReleaseMomentForm,
    WithdrawForm,
    moment_data,
)
from .models import Freeze, Kind
from .state import State, state_of

STATUS: dict[type[releasing.Refused], int] = {
    releasing.PastEmbargo: 422,
    releasing.FarEmbargo: 422,
    releasing.ReasonMissing: 422,
    releasing.NoteMissing: 422,
}
CONFLICT = 409
NOT_WHOLE = "Nothing was armed: what this page sent was not whole. Here it is anew."


@require_GET
def story_release(request: HttpRequest, uid: UUID) -> HttpResponse:
    """When it goes out, what has to stand, who gets it. With a day in the query, that moment is read back."""
    story = story_for(person(request), uid)
    if "now" in request.GET:
        return now_page(request, story)
    if "day" in request.GET:
        asked = asks(state_of(story))
        form = ReleaseMomentForm(request.GET, now=database_now(), **asked)
        return page(request, story, moment_form=form, error_title="Not read back")
    return page(request, story)


def asks(state: State, seen: OnScreenForm | None = None) -> dict[str, Any]:
    """What has to be said beside the moment: see `ChangeForm`.

    Of what was not on the screen nothing is asked: the verb refuses it.
    """
    live, pending, shown = state.live, state.pending, seen.cleaned_data if seen else {}
    if live and seen and shown.get("live") != live.pk:
        live = None
    # The newest words are armed already: only their moment can be another.
    moves = pending and pending.release.revision_id == state.revision.pk
    if pending and seen and shown.get("release") != pending.pk:
        moves = False
    return {"public": live is not None, "armed": pending.moment if pending and moves else None}


def story_arm(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Arm what was on the screen, for the moment that was read back, or (with `now`) release it now."""
    user = person(request)
    story = story_for(user, uid)
    if request.method != "POST":
        return redirect("story_release", uid)
    now = "now" in request.POST
    again = now_page if now else page
    state = state_of(story)
    form: Form
    seen = OnScreenForm(request.POST)
    seen.full_clean()
    if now:
        form = NowForm(request.POST, public=asks(state, seen)["public"])
    else:
        form = ArmForm(request.POST, now=database_now(), **asks(state, seen))
    if not (form.is_valid() & seen.is_valid()):
        refusal = "" if seen.is_valid() else NOT_WHOLE
        return again(request, story, moment_form=form, refusal=refusal, status=422)
    try:
        revision = get_object_or_404(Revision, story=story, pk=seen.cleaned_data["revision"])
        _arm_or_move(state, revision, user, {**form.cleaned_data, "replacing": seen.cleaned_data["release"]})
    except releasing.Refused as refused:
        return again(request, story, moment_form=form, refusal=refused, status=status_of(refused))
    tasks.expect(story)
    _say_armed(request, state_of(story))
    return redirect("story_release", uid)


def _arm_or_move(state: State, revision: Revision, by: User, said: dict[str, Any]) -> None:
    """Arm what was on the screen; or, where the very same is armed, move its moment."""
    moment, pending = said.get("moment"), state.pending
    kind, note = said.get("kind") or Kind.NEW, said.get("note", "").strip()
    if moment and pending and pending.release.revision_id == revision.pk and said["replacing"] == pending.pk:
        same = (pending.release.kind, pending.release.note) == (kind, note)
        if same and pending.moment != moment:
            shown = (pending.pk, pending.moment)
            releasing.move(story=state.story, by=by, moment=moment, reason=said["reason"], seen=shown)
            return
    releasing.arm(
        revision=revision,
        by=by,
        moment=moment,
        zone=settings.PRESS_OFFICE_ZONE,
        replacing=said["replacing"],
        kind=kind,
        note=note,
    )


def _say_armed(request: HttpRequest, state: State) -> None:
    what = "Armed" if state.live is None else f"{state.pending_words.capitalize()} armed"
    if state.pending and (state.hold or releasing.everything_held()):
        words = f"{what} for {state.pending.moment.in_full}, and on hold:"
        messages.warning(request, f"{words} nothing goes out until it is lifted.")
    elif state.pending and state.bundle:
        words = f"{what} for {state.pending.moment.in_full}. It waits for the others of its bundle"
        messages.success(request, f"{words}, “{state.bundle}”.")
    elif state.pending:
        messages.success(request, f"{what} for {state.pending.goes_out.in_full}.")
    elif state.live:
        messages.success(request, f"Released: public since {office(state.live.release.at).in_full}.")


def status_of(refusal: releasing.Refused) -> int:
    """The status with which a refusal is answered."""
    return STATUS.get(type(refusal), CONFLICT)


def _overdue(state: State) -> bool:
    return bool(state.pending and state.pending.embargo <= database_now())


def at_once(state: State) -> bool:
    """Whether lifting the hold makes the story public at that instant, unless it waits for others."""
    return bool(state.hold) and _overdue(state)


def leaves_at_once(state: State) -> bool:
    """Whether the story is public at the instant in which it leaves its bundle."""
    return not state.hold and _overdue(state)


def may_release(user: User) -> bool:
    """Whether somebody may press the buttons of the page; anybody for whom the story exists may read it."""
    return bool(roles_of(user) & DUTY)


def page(
    request: HttpRequest, story: Story, *, moment_form: Any = None, status: int = 200, **more: Any
) -> HttpResponse:
    """The release page, with what was refused and why, and all that was typed."""
    state = state_of(story)
    now = database_now()
    form = moment_form or _prefilled(state, now)
    reading = form.reading
    context = {
        **_context(request, state),
        "form": form,
        "error_title": "Nothing was armed",
        "reading": release_page.Reading(reading, now) if reading else None,
        "receipt": release_page.receipt(state, now),
        "preflights": watch_page.preflights(state, now),
        "disarmed": release_page.last_disarm(story),
        "moves": state.pending.release.moves.select_related("by").order_by("pk") if state.pending else [],
        "at_once": at_once(state),
        "hold_form": ReasonForm(prefix="hold"),
        "disarm_form": ReasonForm(prefix="disarm", initial={"seen": state.pending and state.pending.pk}),
        "frozen": frozen(state, now),
        "exempt_form": ExemptForm(prefix="exempt"),
        "withdraw_form": WithdrawForm(prefix="withdraw", initial={"seen": state.live and state.live.pk}),
        **_bundled(state, person(request)),
        **more,
    }
    return render(request, "newsroom/release.html", context, status=status)


def _bundled(state: State, user: User) -> dict[str, Any]:
    """The bundle that the story is in, and the form that takes it out; or the form that puts it into one."""
    there = bundling.open_bundling(state.story)
    if there is None:
        return {"join_form": JoinForm(prefix="join", user=user)}
    at_once = leaves_at_once(state)
    return {
        "bundling": there,
        "company": bundling.company(there.bundle),
        "leave_form": LeaveForm(prefix="leave", initial={"seen": there.pk}, at_once=at_once),
    }


def frozen(state: State, now: datetime) -> list[Freeze]:
    """The freezes that stop a story, or would if it were released now, and from which it is not exempted."""
    if state.settled or (state.pending and (state.pending.visible_from or state.hold)):
        return []
    organisation = (state.revision.content["organisation"] or {}).get("slug", "")
    found = releasing.freezes(organisation, state.pending.embargo if state.pending else now)
    exempt = set(state.story.freezeexemptions.values_list("freeze", flat=True)) if found else set()
    return [freeze for freeze in found if freeze.pk not in exempt]


def now_page(
    request: HttpRequest, story: Story, *, moment_form: Any = None, status: int = 200, **more: Any
) -> HttpResponse:
    """The confirmation before releasing now, on a page of its own."""
    state = state_of(story)
    form = moment_form or NowForm(public=state.public)
    context = {**_context(request, state), "form": form, "error_title": "Nothing was released", **more}
    return render(request, "newsroom/release_now.html", context, status=status)


def _context(request: HttpRequest, state: State) -> dict[str, Any]:
    # What is public is the revision that was armed; what can be armed is the newest.
    shown = state.live.release.revision if state.live and state.settled else state.revision
    signed = {} if state.settled else rules.standing_decisions(state.progress)
    return {
        "story": state.story,
        "head": state,
        "state": state,
        "killed": bool(state.withdrawal and state.withdrawal.kill),
        "revision": shown,
        "signings": [] if state.settled else release_page.signings(state, signed),
        "board": None if state.settled else board.wide(board.of_progress(state.progress, signed)),
        "stood": release_page.stood(state.live.release) if state.live and state.settled else [],
        "audience": release_page.audience(shown),
        "may_release": may_release(person(request)),
    }


def _prefilled(state: State, now: datetime) -> ReleaseMomentForm:
    """The form with the moment that is armed or planned, if it has not gone by."""
    moment = state.pending.moment if state.pending else state.planned
    change: dict[str, Any] = {}
    asked: dict[str, Any] = {**asks(state), "now": now}
    if state.pending and state.live:
        change = {"kind": state.pending.release.kind, "note": state.pending.release.note}
    if moment is None or moment.instant <= now:
        zone = moment.zone if moment else settings.PRESS_OFFICE_ZONE
        return ReleaseMomentForm(initial={"zone": zone, **change}, **asked)
    return ReleaseMomentForm({**moment_data(moment), **change}, **asked)
