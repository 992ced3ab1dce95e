"""The checks of a release, for who does not want to wait for the next mark."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from stories.access import story_for
from stories.views import person

from . import preflight, releasing
from .models import Finding
from .release_views import page, status_of


def story_preflight(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Check the armed release now, within some seconds, and show what was found."""
    user = person(request)
    story = story_for(user, uid)
    if request.method != "POST":
        return redirect("story_release", uid)
    try:
        checked = preflight.check_now(story=story, by=user)
    except releasing.Refused as refusal:
        return page(request, story, refusal=refusal, status=status_of(refusal))
    states = {result["state"] for result in checked.results}
    if Finding.WRONG in states:
        messages.warning(
            request, "Checked: something is not right. The pre-flight says what, and what to do."
        )
    elif Finding.UNKNOWN in states:
        messages.warning(request, "Checked: not everything could be asked. The pre-flight says what.")
    else:
        messages.success(request, "Checked: all in order.")
    return redirect("story_release", uid)
