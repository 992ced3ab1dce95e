"""The release page and its verbs: arm, release now, disarm, hold, lift."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from stories.access import roles_of, story_for
from stories.models import Revision, Story, User
from stories.moments import Moment
from stories.views import person

from . import release_page, releasing, tasks
from .access import DUTY
from .forms import ArmForm, LiftForm, NowForm, OnScreenForm, ReasonForm, ReleaseMomentForm, moment_data
from .models import Release
from .state import State, state_of

STATUS: dict[type[releasing.Refused], int] = {
    releasing.PastEmbargo: 422,
    releasing.FarEmbargo: 422,
    releasing.ReasonMissing: 422,
}
CONFLICT = 409


@require_GET
def story_release(request: HttpRequest, uid: UUID) -> HttpResponse:
    """When it goes out, what has to stand, who gets it. With a day in the query, that moment is read back."""
    story = story_for(person(request), uid)
    if "now" in request.GET:
        return _now_page(request, story)
    if "day" in request.GET:
        form = ReleaseMomentForm(request.GET, now=releasing.database_now())
        return _page(request, story, moment_form=form, error_title="Not read back")
    return _page(request, story)


def story_arm(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Arm what was on the screen, for the moment that was read back, or (with `now`) release it now."""
    user = person(request)
    story = story_for(user, uid)
    if request.method != "POST":
        return redirect("story_release", uid)
    now = "now" in request.POST
    again = _now_page if now else _page
    form: Form = NowForm(request.POST) if now else ArmForm(request.POST, now=releasing.database_now())
    seen = OnScreenForm(request.POST)
    if not (form.is_valid() & seen.is_valid()):
        broken = (
            ""
            if seen.is_valid()
            else "Nothing was armed: what this page sent was not whole. Here it is anew."
        )
        return again(request, story, moment_form=form, refusal=broken, status=422)
    try:
        release = releasing.arm(
            revision=get_object_or_404(Revision, story=story, pk=seen.cleaned_data["revision"]),
            by=user,
            moment=form.cleaned_data.get("moment"),
            zone=settings.PRESS_OFFICE_ZONE,
            replacing=seen.cleaned_data["release"],
        )
    except releasing.Refused as refusal:
        return again(request, story, moment_form=form, refusal=refusal, status=_status(refusal))
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


def story_disarm(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Call off the release that was on the screen."""
    user = person(request)
    story = story_for(user, uid)
    if request.method != "POST":
        return redirect("story_release", uid)
    form = ReasonForm(request.POST, prefix="disarm")
    if not form.is_valid():
        return _page(request, story, disarm_form=form, status=422)
    data = form.cleaned_data
    try:
        releasing.disarm(story=story, by=user, reason=data["reason"], release=data["seen"] or releasing.ANY)
    except releasing.Refused as refusal:
        more = {"refusal": refusal, "typed": data["reason"]}
        return _page(request, story, disarm_form=form, status=_status(refusal), **more)
    messages.success(request, "Disarmed: it does not go out.")
    return redirect("story_release", uid)


def story_hold(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Hold the story."""
    user = person(request)
    story = story_for(user, uid)
    if request.method != "POST":
        return redirect("story_release", uid)
    form = ReasonForm(request.POST, prefix="hold")
    if not form.is_valid():
        return _page(request, story, hold_form=form, status=422)
    try:
        releasing.hold(story=story, by=user, reason=form.cleaned_data["reason"])
    except releasing.Refused as refusal:
        more = {"refusal": refusal, "typed": form.cleaned_data["reason"]}
        return _page(request, story, hold_form=form, status=_status(refusal), **more)
    messages.success(request, "On hold: nothing of it goes out until somebody lifts the hold.")
    return redirect("story_release", uid)


def story_unhold(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Lift the hold that was on the screen."""
    user = person(request)
    story = story_for(user, uid)
    if request.method != "POST":
        return redirect("story_release", uid)
    form = LiftForm(request.POST, at_once=_at_once(state_of(story)))
    if not form.is_valid():
        return _page(request, story, lift_form=form, status=422)
    try:
        releasing.unhold(story=story, by=user, hold=form.cleaned_data["seen"] or releasing.ANY)
    except releasing.Refused as refusal:
        return _page(request, story, refusal=refusal, status=_status(refusal))
    tasks.expect(story)
    public = state_of(story).public
    messages.success(request, "Hold lifted: it is public now." if public else "Hold lifted.")
    return redirect("story_release", uid)


def _status(refusal: releasing.Refused) -> int:
    return STATUS.get(type(refusal), CONFLICT)


def _at_once(state: State) -> bool:
    """Whether lifting the hold makes the story public at that instant."""
    return bool(state.hold and state.release and state.release.embargo <= releasing.database_now())


def may_release(user: User) -> bool:
    """Whether somebody may press the buttons of the page; anybody for whom the story exists may read it."""
    return bool(roles_of(user) & DUTY)


def _page(
    request: HttpRequest, story: Story, *, moment_form: Any = None, status: int = 200, **more: Any
) -> HttpResponse:
    """The release page, with what was refused and why, and all that was typed."""
    state = state_of(story)
    now = releasing.database_now()
    form = moment_form or _prefilled(state, now)
    reading = form.reading
    context = {
        **_context(request, state),
        "form": form,
        "error_title": "Nothing was armed",
        "reading": release_page.Reading(reading, now) if reading else None,
        "receipt": release_page.receipt(state, now),
        "disarmed": release_page.last_disarm(story),
        "at_once": _at_once(state),
        "hold_form": ReasonForm(prefix="hold"),
        "disarm_form": ReasonForm(prefix="disarm", initial={"seen": state.release and state.release.pk}),
        **more,
    }
    return render(request, "newsroom/release.html", context, status=status)


def _now_page(
    request: HttpRequest, story: Story, *, moment_form: Any = None, status: int = 200, **more: Any
) -> HttpResponse:
    """The confirmation before releasing now, on a page of its own."""
    state = state_of(story)
    context = {**_context(request, state), "form": moment_form, "error_title": "Nothing was released", **more}
    return render(request, "newsroom/release_now.html", context, status=status)


def _context(request: HttpRequest, state: State) -> dict[str, Any]:
    # What is public is the revision that was armed; what can be armed is the newest.
    shown = state.release.revision if state.public and state.release else state.revision
    return {
        "story": state.story,
        "head": state,
        "state": state,
        "revision": shown,
        "signings": [] if state.public else release_page.signings(state),
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
