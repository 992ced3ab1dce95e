"""Bundles: which stories go out together, how far each has come, and what joins or leaves one."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from stories.access import roles_of, story_for
from stories.models import Story
from stories.views import person

from . import bundling, releasing, tasks
from .access import DUTY
from .forms import BundleForm, JoinForm, LeaveForm
from .release_views import leaves_at_once, status_of
from .release_views import page as release_page
from .state import state_of, states_of

BUNDLES_A_PAGE = 25


def bundles(request: HttpRequest) -> HttpResponse:
    """All bundles, the newest first; and the form that makes one."""
    form = BundleForm(request.POST or None)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            made = bundling.make(by=person(request), name=form.cleaned_data["name"])
            messages.success(request, f"Made: {made}. Stories join it on their release pages.")
            return redirect("bundle", made.pk)
        status = 422
    theirs = bundling.visible_to(person(request))
    counted = theirs.annotate(stories=Count("bundlings", filter=Q(bundlings__end=None)))
    rows = counted.select_related("by", "goes_out").order_by("-pk")
    page = Paginator(rows, BUNDLES_A_PAGE).get_page(request.GET.get("page"))
    still = set(bundling.open_bundles().filter(pk__in=[row.pk for row in page]).values_list("pk", flat=True))
    shown = [{"bundle": row, "gone": row.pk not in still} for row in page]
    context = {"page": page, "bundles": shown, "form": form, "may_release": _may(request)}
    return render(request, "newsroom/bundles.html", context, status=status)


@require_GET
def bundle(request: HttpRequest, bundle: int) -> HttpResponse:
    """The stories of a bundle, and what each of them still lacks."""
    user = person(request)
    shown = get_object_or_404(bundling.visible_to(user).select_related("by", "goes_out"), pk=bundle)
    rows = bundling.members().filter(bundle=shown).select_related("story", "by").order_by("pk")
    page = Paginator(rows, BUNDLES_A_PAGE).get_page(request.GET.get("page"))
    there = list(page)
    lacking = set(bundling.missing().filter(pk__in=[row.pk for row in there]).values_list("pk", flat=True))
    seen = Story.objects.visible_to(user).in_bulk([row.story_id for row in there])
    states = {state.story.pk: state for state in states_of(seen.values())}
    company = bundling.company(shown)
    context = {
        "bundle": shown,
        "page": page,
        "company": company,
        "members": [
            {
                "bundling": row,
                # Who may not see a story learns that there is one more, and no word of it.
                "state": states.get(row.story_id),
                "missing": row.pk in lacking and not company.gone,
            }
            for row in there
        ],
    }
    return render(request, "newsroom/bundle.html", context)


def story_bundle(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Put a story into a bundle that is there, or into a new one."""
    user = person(request)
    story = story_for(user, uid)
    if request.method != "POST":
        return redirect("story_release", uid)
    form = JoinForm(request.POST, prefix="join", user=user)
    if not form.is_valid():
        return release_page(request, story, join_form=form, status=422)
    data = form.cleaned_data
    try:
        with transaction.atomic():
            joined = data["bundle"] or bundling.make(by=user, name=data["name"])
            bundling.join(story=story, bundle=joined, by=user)
    except releasing.Refused as refusal:
        return release_page(request, story, join_form=form, refusal=refusal, status=status_of(refusal))
    messages.success(request, f"It goes out with the bundle {joined}, or not at all.")
    return redirect("story_release", uid)


def story_unbundle(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take a story out of the bundle that was on the screen."""
    user = person(request)
    story = story_for(user, uid)
    if request.method != "POST":
        return redirect("story_release", uid)
    form = LeaveForm(request.POST, prefix="leave", at_once=leaves_at_once(state_of(story)))
    if not form.is_valid():
        return release_page(request, story, leave_form=form, status=422)
    data = form.cleaned_data
    try:
        bundling.leave(story=story, by=user, reason=data["reason"], bundling=data["seen"] or 0)
    except releasing.Refused as refusal:
        more: dict[str, Any] = {"refusal": refusal, "typed": data["reason"]}
        return release_page(request, story, leave_form=form, status=status_of(refusal), **more)
    # What is left in the bundle may go out now, and so may the story itself.
    left = bundling.members().filter(bundle__bundlings=data["seen"]).select_related("story").first()
    for concerned in (story, *([left.story] if left else [])):
        tasks.expect(concerned)
    public = state_of(story).public
    messages.success(request, "Taken out: it is public now." if public else "Taken out of its bundle.")
    return redirect("story_release", uid)


def _may(request: HttpRequest) -> bool:
    return bool(roles_of(request.user) & DUTY)
