"""What stops a release, lets it go on, or takes it back: disarm, hold, lift, withdraw, kill."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from stories.access import story_for
from stories.views import person

from . import releasing, tasks
from .forms import LiftForm, ReasonForm, WithdrawForm
from .release_views import at_once, page, status_of
from .state import state_of


def story_disarm(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Call off the release that was on the screen."""
    user = person(request)
    story = story_for(user, uid)
    if request.method != "POST":
        return redirect("story_release", uid)
    form = ReasonForm(request.POST, prefix="disarm")
    if not form.is_valid():
        return page(request, story, disarm_form=form, status=422)
    data = form.cleaned_data
    try:
        releasing.disarm(story=story, by=user, reason=data["reason"], release=data["seen"] or releasing.ANY)
    except releasing.Refused as refusal:
        more = {"refusal": refusal, "typed": data["reason"]}
        return page(request, story, disarm_form=form, status=status_of(refusal), **more)
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
        return page(request, story, hold_form=form, status=422)
    try:
        releasing.hold(story=story, by=user, reason=form.cleaned_data["reason"])
    except releasing.Refused as refusal:
        more = {"refusal": refusal, "typed": form.cleaned_data["reason"]}
        return page(request, story, hold_form=form, status=status_of(refusal), **more)
    messages.success(request, "On hold: nothing of it goes out until somebody lifts the hold.")
    return redirect("story_release", uid)


def story_unhold(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Lift the hold that was on the screen."""
    user = person(request)
    story = story_for(user, uid)
    if request.method != "POST":
        return redirect("story_release", uid)
    form = LiftForm(request.POST, at_once=at_once(state_of(story)))
    if not form.is_valid():
        return page(request, story, lift_form=form, status=422)
    try:
        releasing.unhold(story=story, by=user, hold=form.cleaned_data["seen"] or releasing.ANY)
    except releasing.Refused as refusal:
        return page(request, story, refusal=refusal, status=status_of(refusal))
    tasks.expect(story)
    public = state_of(story).public
    messages.success(request, "Hold lifted: it is public now." if public else "Hold lifted.")
    return redirect("story_release", uid)


def story_withdraw(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take back what the public reads, with a page that says why; or kill it."""
    user = person(request)
    story = story_for(user, uid)
    if request.method != "POST":
        return redirect("story_release", uid)
    form = WithdrawForm(request.POST, prefix="withdraw")
    if not form.is_valid():
        return page(request, story, withdraw_form=form, status=422)
    data = form.cleaned_data
    try:
        releasing.withdraw(
            story=story,
            by=user,
            reason=data["reason"],
            release=data["seen"] or releasing.ANY,
            kill=data["kill"],
        )
    except releasing.Refused as refusal:
        more = {"refusal": refusal, "typed": data["reason"]}
        return page(request, story, withdraw_form=form, status=status_of(refusal), **more)
    tasks.send_soon()
    words = "Withdrawn: its page says so and why."
    if data["kill"]:
        words = "Killed: its address answers that it is gone."
    messages.success(request, f"{words} It is in no list, feed or file any more.")
    return redirect("story_release", uid)
