"""Start from text: paste or send a release as it stands, look at what was recognised, correct, begin."""

import json

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from . import importing, intake
from .forms import TeamForm
from .importing import Change
from .kinds import TYPES
from .moments import UnknownZone
from .views import person


def from_text(request: HttpRequest) -> HttpResponse:
    """Each button sends the text and the corrections so far; nothing is kept between them but in the page."""
    user = person(request)
    if request.method != "POST":
        return render(request, "stories/from_text.html", {"team_form": TeamForm(user=user)})
    text = request.POST.get("text", "")
    try:
        sent = request.FILES.get("file")
        if isinstance(sent, UploadedFile):
            text = intake.decode(sent.read(intake.LIMIT + 1))
        changes = _changes(request)
        recognised = importing.corrected(text, changes)
    except ValueError as refusal:
        context = {"error": str(refusal), "text": text, "team_form": TeamForm(user=user)}
        return render(request, "stories/from_text.html", context, status=422)
    recognised = importing.with_words(recognised, **_words(request))
    team_form = TeamForm(request.POST, user=user)
    if "make" in request.POST and team_form.is_valid():
        return _make(request, recognised, team_form)
    return _show(request, recognised, changes, team_form)


def _changes(request: HttpRequest) -> list[Change]:
    """The corrections that the page carries, and the one that was just pressed."""
    try:
        carried = [
            Change(str(verb), int(block)) for verb, block in json.loads(request.POST.get("changes", "[]"))
        ]
        if pressed := request.POST.get("change"):
            verb, _, block = pressed.partition(":")
            carried.append(Change(verb, int(block)))
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise ValueError("The corrections could not be read. Read the text again.") from None
    return carried[:1000]


def _words(request: HttpRequest) -> dict[str, str]:
    typed = {key: request.POST.get(key, "").replace("\0", "") for key in ("headline", "summary")}
    words = {key: " ".join(value.split()) for key, value in typed.items()}
    kind = request.POST.get("type", "")
    return {**words, "kind": kind if kind in TYPES else ""}


def _make(request: HttpRequest, recognised: intake.Recognised, team_form: TeamForm) -> HttpResponse:
    revision = importing.begin(
        by=person(request),
        recognised=recognised,
        content=importing.content_of(recognised),
        embargo="embargo" in request.POST,
        team=team_form.cleaned_data["team"],
    )
    messages.success(request, "The draft is made from your text. The text itself is kept with it.")
    return redirect("story_draft", revision.story.uid)


def _show(
    request: HttpRequest, recognised: intake.Recognised, changes: list[Change], team_form: TeamForm
) -> HttpResponse:
    try:
        moment = importing.embargo_of(recognised)
    except UnknownZone:
        moment = None
    numbered = [{"number": number, "block": block} for number, block in enumerate(recognised.blocks)]
    return render(
        request,
        "stories/recognised.html",
        {
            "recognised": recognised,
            "blocks": numbered,
            "summary_block": importing.summary_block(recognised),
            "types": TYPES.items(),
            "changes": json.dumps([[change.verb, change.block] for change in changes]),
            "moment": moment,
            "team_form": team_form,
        },
    )
