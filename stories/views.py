"""Pages of drafting: writing, looking at revisions, the record."""

import json
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from . import content as shape
from . import drafting, files, record, remark_forms, rendering, renditions, translating
from .access import Role, roles_of, story_for
from .clocks import office
from .forms import (
    MomentForm,
    StoryForm,
    TeamForm,
    TranslationForm,
    initial_of,
    moment_initial,
)
from .models import Revision, Story, User, WorkingCopy
from .moments import Moment

ENTRIES_A_PAGE = 100


def person(request: HttpRequest) -> User:
    """Who is signed in; the permission matrix has seen to it that somebody is."""
    assert isinstance(request.user, User)
    return request.user


def may_draft(user: User) -> bool:
    """Whether somebody writes here at all."""
    return bool(roles_of(user) & {Role.DRAFTER, Role.DUTY_OFFICER})


def new(request: HttpRequest) -> HttpResponse:
    """A blank form; sent, it begins a story."""
    user = person(request)
    team_form = TeamForm(request.POST or None, user=user)
    if request.method != "POST":
        form = StoryForm(initial=initial_of(shape.blank(), None), user=user)
        return _editor(request, form, team_form=team_form)
    form = StoryForm(request.POST, request.FILES, user=user, session=request.session)
    if "attach" in request.POST:
        return _attached(request, form, team_form=team_form)
    if not (form.is_valid() & team_form.is_valid()):
        return _editor(request, form, team_form=team_form, status=422)
    revision = drafting.begin(by=user, content=form.content(), team=team_form.cleaned_data["team"])
    messages.success(request, f"Saved as revision {revision.number}.")
    return redirect("story_draft", revision.story.uid)


@require_GET
def draft(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The newest words of a story, to be written on."""
    user = person(request)
    story = story_for(user, uid)
    latest = story.latest
    if not may_draft(user):
        return redirect("story_revision", uid, latest.number)
    form = StoryForm(initial=initial_of(latest.content, latest.pk), user=user)
    return _editor(request, form, story=story, latest=latest)


def save(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Save what was typed as the next revision; refused, with both versions shown, where it is stale."""
    user = person(request)
    story = story_for(user, uid)
    if request.method != "POST":
        return redirect("story_draft", uid)
    form = StoryForm(request.POST, request.FILES, user=user, session=request.session)
    if "attach" in request.POST:
        return _attached(request, form, story=story, latest=story.latest)
    if not form.is_valid():
        return _editor(request, form, story=story, latest=story.latest, status=422)
    try:
        revision = drafting.save(
            story=story, by=user, content=form.content(), based_on=form.cleaned_data["base"]
        )
    except drafting.Stale as refusal:
        return _stale(request, form, story, refusal)
    except drafting.NothingChanged as refusal:
        messages.info(request, str(refusal))
    else:
        messages.success(request, f"Saved as revision {revision.number}.")
    return redirect("story_clearing" if "ask" in request.POST else "story_draft", uid)


def _attached(request: HttpRequest, form: StoryForm, **page: Any) -> HttpResponse:
    """The form as it was sent, its new files as rows to be given a title. Nothing is saved."""
    form.only_files()
    return _editor(request, form, **page, status=422 if form.errors else 200)


def _stale(request: HttpRequest, form: StoryForm, story: Story, refusal: drafting.Stale) -> HttpResponse:
    base = Revision.objects.filter(story=story, pk=form.cleaned_data["base"]).first()
    theirs = refusal.latest
    mine = form.content()
    # Pressing save again is then a decision: it puts these words over theirs, which stay on the record.
    form.rebase(theirs.pk)
    return _editor(
        request,
        form,
        story=story,
        latest=theirs,
        status=409,
        stale={
            "words": str(refusal),
            "theirs": theirs,
            "changed_by_them": shape.changed_parts(base.content, theirs.content) if base else [],
            "differs": shape.changed_parts(theirs.content, mine),
            "article": rendering.article(theirs.content),
        },
    )


def _editor(
    request: HttpRequest,
    form: StoryForm,
    *,
    story: Story | None = None,
    latest: Revision | None = None,
    team_form: TeamForm | None = None,
    status: int = 200,
    stale: dict[str, Any] | None = None,
) -> HttpResponse:
    user = person(request)
    copy = WorkingCopy.objects.filter(story=story, by=user).first() if request.method == "GET" else None
    planned = story.embargos.order_by("-id").first() if story else None
    zone = planned.zone if planned else settings.PRESS_OFFICE_ZONE
    initial = moment_initial(Moment(planned.instant, zone)) if planned else {"zone": zone}
    return render(
        request,
        "stories/draft.html",
        {
            "form": form,
            "story": story,
            "latest": latest,
            "next_number": latest.number + 1 if latest else 1,
            "team_form": team_form or _team_form(story, user),
            "embargo_form": MomentForm(initial=initial, prefix="embargo"),
            "planned": planned and Moment(planned.instant, planned.zone),
            "working_copy": copy,
            "stale": stale,
            "translation": translating.standing(story) if story else None,
            "translation_form": TranslationForm(),
            "alike": translating.others(story, user) if story else [],
            "remarks": remark_forms.shown(story, latest, user) if story and latest else None,
        },
        status=status,
    )


def _team_form(story: Story | None, user: User) -> TeamForm | None:
    if story is None or not may_limit(user, story):
        return None
    return TeamForm(initial={"team": story.team_id}, user=user)


@require_GET
def revision(request: HttpRequest, uid: UUID, number: int) -> HttpResponse:
    """A revision as the public would see it."""
    user = person(request)
    story = story_for(user, uid)
    shown = get_object_or_404(Revision.objects.select_related("by"), story=story, number=number)
    shown.story = story
    picture = shown.content["picture"]
    return render(
        request,
        "stories/revision.html",
        {
            "story": story,
            "revision": shown,
            "latest": story.latest,
            "may_draft": may_draft(user),
            "moment": office(shown.at),
            "article": rendering.article(
                shown.content,
                picture_url=picture_url(picture),
                forms=renditions.of(shown.pk) if picture else (),
            ),
        },
    )


def picture_url(picture: dict[str, Any] | None) -> str:
    """Where staff see a picture that is not public."""
    from django.urls import reverse

    return reverse("staff_media", args=[picture["name"]]) if picture else ""


@require_GET
def story_record(request: HttpRequest, uid: UUID) -> HttpResponse:
    """All that happened to a story, newest first, with the links of its chain."""
    story = story_for(person(request), uid)
    page = Paginator(record.lines(story), ENTRIES_A_PAGE).get_page(request.GET.get("page"))
    lines = [record.line(entry) for entry in page]
    faults = list(record.story_faults(story))
    writers = User.objects.filter(pk__in=story.revisions.values("by")).order_by("pk")
    context = {"story": story, "page": page, "lines": lines, "faults": faults, "writers": writers}
    return render(request, "stories/record.html", context)


def may_limit(user: User, story: Story) -> bool:
    """Whether somebody may say for whom a story exists: one of its team, while it has one."""
    return story.team_id is None or user.teams.filter(pk=story.team_id).exists()


@require_POST
def team(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Limit a story to a team, or open it to everybody who works here."""
    user = person(request)
    story = story_for(user, uid)
    form = TeamForm(request.POST, user=user)
    if not may_limit(user, story):
        messages.error(request, "Nothing was changed: only somebody of its team can say who may know of it.")
    elif not form.is_valid():
        messages.error(request, "Nothing was changed: choose one of your own teams.")
    elif form.cleaned_data["team"] != story.team:
        drafting.limit(story=story, by=user, team=form.cleaned_data["team"])
        messages.success(
            request, f"The story now exists for: {form.cleaned_data['team'] or 'everybody here'}."
        )
    return redirect("story_draft", uid)


@require_POST
def embargo(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Say for which moment the story is meant."""
    user = person(request)
    story = story_for(user, uid)
    form = MomentForm(request.POST, prefix="embargo")
    if form.is_valid() and form.moment:
        drafting.plan_embargo(story=story, by=user, moment=form.moment)
        messages.success(request, f"The story is meant for {form.moment.in_full}.")
        return redirect("story_draft", uid)
    context = {"story": story, "embargo_form": form}
    return render(request, "stories/embargo.html", context, status=422)


@require_POST
def translation(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Say that a story is the translation of another."""
    user = person(request)
    story = story_for(user, uid)
    form = TranslationForm(request.POST)
    refusal = ""
    if not form.is_valid():
        refusal = f"Nothing was linked: {form.errors['original'][0]}"
    else:
        try:
            translating.link(story=story, original=form.cleaned_data["original"], by=user)
        except translating.Refused as refused:
            refusal = str(refused)
    if refusal:
        # Back on the page of the draft, with whatever is typed there.
        pasted = request.POST.get("original", "").strip()
        messages.error(request, f"{refusal} You had pasted “{pasted}”." if pasted else refusal)
    else:
        messages.success(
            request, "The two stories are linked: where both are public, each leads to the other."
        )
    return redirect("story_draft", uid)


@require_POST
def translation_end(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Undo that a story is the translation of another."""
    user = person(request)
    story = story_for(user, uid)
    shown = request.POST.get("translation", "")
    try:
        number = int(shown) if shown.isascii() and shown.isdecimal() and len(shown) < 19 else 0
        translating.unlink(story=story, translation=number, by=user)
    except translating.Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The link is undone.")
    return redirect("story_draft", uid)


def _no_constant(name: str) -> None:
    raise ValueError(name)


@require_POST
def working_copy(request: HttpRequest, uid: UUID | None = None) -> HttpResponse:
    """Keep what has been typed so far: a JSON object of the form's fields, with the base's id."""
    user = person(request)
    story = story_for(user, uid) if uid else None
    try:
        sent = json.loads(request.body, parse_constant=_no_constant)
        fields = {str(key): value for key, value in sent["fields"].items()}
        base = int(sent["base"]) if sent.get("base") else None
        # A lone surrogate has no UTF-8, and PostgreSQL keeps no null character.
        kept = json.dumps(fields, ensure_ascii=False, allow_nan=False).encode()
        if b"\\u0000" in kept or (base or 0) >= 2**63:
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return JsonResponse({"error": "Send a JSON object with `fields` and `base`."}, status=400)
    if base and not Revision.objects.filter(pk=base, story=story).exists():
        return JsonResponse({"error": "`base` is no revision of this story."}, status=400)
    if fields:
        drafting.keep(story=story, by=user, base=base, fields=fields)
    else:
        drafting.discard(story=story, by=user)
    return HttpResponse(status=204)


@require_GET
def staff_media(request: HttpRequest, name: str) -> HttpResponseBase:
    """The bytes of a file, for those for whom a story that shows it exists, or who uploaded it."""
    file = renditions.found(files.known_to(person(request), request.session), name)
    if file is None:
        raise Http404
    try:
        return files.answer(file)
    except FileNotFoundError:
        raise Http404 from None
