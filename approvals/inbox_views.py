"""The inbox: what waits for a person, and taking it up."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET

from stories.access import story_for
from stories.views import person

from . import claiming, inbox
from .models import PinnedStep


def _number(text: str, fallback: int = 0) -> int:
    """A number from an address; what is none, or longer than any id, is the fallback."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 19 else fallback


@require_GET
def inbox_page(request: HttpRequest) -> HttpResponse:
    """The sign-offs that are missing, of all desks for which the person decides, or one part of them."""
    asked = request.GET
    wanted = inbox.Wanted(
        desk=_number(asked.get("desk", "")),
        person=_number(asked.get("for", "")),
        mine=bool(asked.get("mine")),
        group=asked.get("group", ""),
        number=_number(asked.get("page", ""), 1),
    )
    return render(request, "approvals/inbox.html", {"inbox": inbox.page(person(request), wanted)})


def story_take(request: HttpRequest, uid: UUID, step: int) -> HttpResponse:
    """Take a step up; with the id of a claim in `over`, from who has it."""
    pinned = _step(request, uid, step)
    if request.method == "POST":
        user, over = person(request), _number(request.POST.get("over", ""))
        try:
            if over:
                claiming.take_over(step=pinned, by=user, claim=over)
            else:
                claiming.take(step=pinned, by=user)
        except claiming.Refused as refusal:
            messages.error(request, str(refusal))
    return _back(request, pinned)


def story_let_go(request: HttpRequest, uid: UUID, step: int) -> HttpResponse:
    """Leave a step to the others of the desk."""
    pinned = _step(request, uid, step)
    if request.method == "POST":
        claim = claiming.open_claims([pinned.pk]).get(pinned.pk)
        try:
            if claim is None or claim.pk != _number(request.POST.get("claim", "")):
                raise claiming.NotHeld("Nothing was let go: it had been let go of already, or taken over.")
            claiming.let_go(claim=claim, by=person(request))
        except claiming.Refused as refusal:
            messages.error(request, str(refusal))
    return _back(request, pinned)


def _step(request: HttpRequest, uid: UUID, step: int) -> PinnedStep:
    story = story_for(person(request), uid)
    return get_object_or_404(
        PinnedStep.objects.select_related("submission__story"), pk=step, submission__story=story
    )


def _back(request: HttpRequest, step: PinnedStep) -> HttpResponse:
    """The page that the button stood on: the inbox as it was filtered, or the story's clearing page."""
    back = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(back, None) and back.startswith(reverse("inbox")):
        return redirect(f"{back}#step-{step.pk}")
    return redirect(f"{reverse('story_clearing', args=[step.submission.story.uid])}?step={step.pk}")
