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
from stories.clocks import database_now
from stories.models import Revision, Story, User
from stories.moments import Moment
from stories.views import person

from . import release_page, releasing, tasks, watch_page
from .access import DUTY
from .forms import ArmForm, NowForm, OnScreenForm, ReasonForm, ReleaseMomentForm, moment_data
from .models import Release
from .state import State, state_of

STATUS: dict[type[releasing.Refused], int] = {
    releasing.PastEmbargo: 422,
    releasing.FarEmbargo: 422,
    releasing.ReasonMissing: 422,
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
        form = ReleaseMomentForm(request.GET, now=database_now())
        return page(request, story, moment_form=form, error_title="Not read back")
    return page(request, story)


def story_arm(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Arm what was on the screen, for the moment that was read back, or (with `now`) release it now."""
    user = person(request)
    story = story_for(user, uid)
    if request.method != "POST":
        return redirect("story_release", uid)
    now = "now" in request.POST
    again = now_page if now else page
    form: Form = NowForm(request.POST) if now else ArmForm(request.POST, now=database_now())
    seen = OnScreenForm(request.POST)
    if not (form.is_valid() & seen.is_valid()):
        refusal = "" if seen.is_valid() else NOT_WHOLE
        return again(request, story, moment_form=form, refusal=refusal, status=422)
    try:
        release = releasing.arm(
            revision=get_object_or_404(Revision, story=story, pk=seen.cleaned_data["revision"]),
            by=user,
            moment=form.cleaned_data.get("moment"),
            zone=settings.PRESS_OFFICE_ZONE,
            replacing=seen.cleaned_data["release"],
        )
    except releasing.Refused as refused:
        return again(request, story, moment_form=form, refusal=refused, status=status_of(refused))
    tasks.expect(story)
    _say_armed(request, state_of(story), release)
    return redirect("story_release", uid)


def _say_armed(request: HttpRequest, state: State, release: Release) -> None:
    if state.hold:
        messages.warning(
            request, f"Armed for {release.moment.in_full}, and on hold: nothing goes out until it is lifted."
        )
    elif state.public:
        messages.success(request, f"Released: public since {release.moment.in_full}.")
    else:
        messages.success(request, f"Armed for {release.moment.in_full}.")


def status_of(refusal: releasing.Refused) -> int:
    """The status with which a refusal is answered."""
    return STATUS.get(type(refusal), CONFLICT)


def at_once(state: State) -> bool:
    """Whether lifting the hold makes the story public at that instant."""
    return bool(state.hold and state.release and state.release.embargo <= database_now())


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
        "at_once": at_once(state),
        "hold_form": ReasonForm(prefix="hold"),
        "disarm_form": ReasonForm(prefix="disarm", initial={"seen": state.release and state.release.pk}),
        **more,
    }
    return render(request, "newsroom/release.html", context, status=status)


def now_page(
    request: HttpRequest, story: Story, *, moment_form: Any = None, status: int = 200, **more: Any
) -> HttpResponse:
    """The confirmation before releasing now, on a page of its own."""
    state = state_of(story)
    context = {**_context(request, state), "form": moment_form, "error_title": "Nothing was released", **more}
    return render(request, "newsroom/release_now.html", context, status=status)


def _context(request: HttpRequest, state: State) -> dict[str, Any]:
    # What is public is the revision that was armed; what can be armed is the newest.
    shown = state.release.revision if state.public and state.release else state.revision
    signed = {} if state.public else rules.standing_decisions(state.progress)
    return {
        "story": state.story,
        "head": state,
        "state": state,
        "revision": shown,
        "signings": [] if state.public else release_page.signings(state, signed),
        "board": None if state.public else board.wide(board.of_progress(state.progress, signed)),
        "stood": release_page.stood(state.release) if state.public and state.release else [],
        "audience": release_page.audience(shown.slug),
        "may_release": may_release(person(request)),
    }


def _prefilled(state: State, now: datetime) -> ReleaseMomentForm:
    """The form with the moment that is armed or planned, if it has not gone by."""
    moment: Moment | None = None
    if state.release:
        moment = state.release.moment
    elif state.embargo:
        moment = Moment(state.embargo.instant, state.embargo.zone)
    if moment is None or moment.instant <= now:
        zone = moment.zone if moment else settings.PRESS_OFFICE_ZONE
        return ReleaseMomentForm(now=now, initial={"zone": zone})
    return ReleaseMomentForm(moment_data(moment), now=now)
