"""The pages on which routes are set up. Nothing on them clears, or changes what was asked already."""

import re
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from stories.models import Revision, Story
from stories.views import person

from . import board, routing
from .cautions import Caution
from .cautions import cautions as cautions_of
from .models import Route, Step, Submission
from .route_forms import NameForm, StepForm, step_initial

ROWS_A_PAGE = 25
#: Stories to choose from for a preview.
RECENT = 10
INVALID, CONFLICT = 422, 409
#: The inside of a panel as wide as the page.
WHOLE_PAGE = 1196

_UID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


def page_of(request: HttpRequest, rows: QuerySet[Any], key: str = "page") -> Page[Any]:
    return Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get(key))


# Routes


@require_GET
def routes(request: HttpRequest) -> HttpResponse:
    """All routes, the default first."""
    return _routes(request, NameForm(prefix="new"))


def _routes(request: HttpRequest, form: NameForm, status: int = 200) -> HttpResponse:
    steps = Step.objects.filter(route=OuterRef("pk")).order_by().values("route")
    sent = Submission.objects.filter(route=OuterRef("pk")).order_by().values("route")
    rows = Route.objects.order_by("-default", "name").annotate(
        steps_count=Coalesce(Subquery(steps.annotate(number=Count("pk")).values("number")), 0),
        stages_count=Coalesce(
            Subquery(steps.annotate(number=Count("stage", distinct=True)).values("number")), 0
        ),
        sent_count=Coalesce(Subquery(sent.annotate(number=Count("pk")).values("number")), 0),
    )
    page = page_of(request, rows)
    asked = Step.objects.filter(route__in=[route.pk for route in page]).select_related("desk")
    by_route: dict[int, list[Step]] = {}
    for step in asked:
        by_route.setdefault(step.route_id, []).append(step)
    shown = [(route, _sketch(by_route.get(route.pk, []))) for route in page]
    context = {"page": page, "shown": shown, "form": form}
    return render(request, "approvals/routes.html", context, status=status)


def _sketch(steps: list[Step]) -> str:
    """A route on one line: "Policy, Statistics → Legal"."""
    stages: dict[int, list[str]] = {}
    for step in steps:
        stages.setdefault(step.stage, []).append(board.desk_of(step))
    return " → ".join(", ".join(dict.fromkeys(stages[number])) for number in sorted(stages))


def route_new(request: HttpRequest) -> HttpResponse:
    """Make a route, and go on to its steps."""
    if request.method != "POST":
        return redirect("routes")
    form = NameForm(request.POST, prefix="new")
    if form.is_valid():
        try:
            made = routing.create_route(name=form.cleaned_data["name"], by=person(request))
        except routing.Invalid as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, f"“{made}” was made. Add its first step.")
            return redirect("route", made.pk)
    return _routes(request, form, INVALID)


@require_GET
def route(request: HttpRequest, pk: int) -> HttpResponse:
    """One route: its drawing, its stages, a step to add, and what it would ask of a story (`?story=`)."""
    return _route(request, get_object_or_404(Route, pk=pk))


def _route(
    request: HttpRequest,
    found: Route,
    *,
    name_form: NameForm | None = None,
    step_form: StepForm | None = None,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    steps = list(found.steps.select_related("desk"))
    stages = board.of_route(steps)
    cautions = cautions_of(steps)
    context = {
        "route": found,
        "stages": _editable(steps, stages, cautions),
        "board": board.wide(stages, WHOLE_PAGE),
        "cautions": list(dict.fromkeys(caution.words for caution in cautions)),
        "name_form": name_form or NameForm(prefix="route", initial={"name": found.name}),
        "step_form": step_form or StepForm(prefix="step", stages=len(stages)),
        "whole": routing.is_whole(steps),
        "sent": found.submissions.count(),
        "refusal": refusal,
        **_preview(request, found),
    }
    return render(request, "approvals/route.html", context, status=status)


def _editable(steps: list[Step], stages: board.Stages, cautions: list[Caution]) -> list[dict[str, Any]]:
    """The stages with their steps, and which ways each of them can be moved."""
    by_pk = {step.pk: step for step in steps}
    wrong = {caution.step.pk for caution in cautions if caution.step}
    last = len(stages)
    return [
        {
            "stage": stage,
            "rows": [
                {
                    "step": by_pk[entry.key],
                    "entry": entry,
                    "wrong": entry.key in wrong,
                    "up": place > 0,
                    "down": place < len(stage.entries) - 1,
                    "earlier": stage.number > 1 or len(stage.entries) > 1,
                    "later": stage.number < last or len(stage.entries) > 1,
                }
                for place, entry in enumerate(stage.entries)
            ],
        }
        for stage in stages
    ]


def _preview(request: HttpRequest, found: Route) -> dict[str, Any]:
    """What the route would ask of the story that was chosen, of those that exist for the person."""
    user = person(request)
    visible = Story.objects.visible_to(user)
    newest = Revision.objects.filter(story=OuterRef("pk")).order_by("-id")
    recent = list(
        visible.order_by("-id").annotate(headline=Subquery(newest.values("content__headline")[:1]))[:RECENT]
    )
    typed = (request.GET.get("address") or request.GET.get("story") or "").replace("\0", "").strip()[:300]
    uid = _UID.search(typed)
    story = visible.filter(uid=UUID(uid.group())).first() if uid else None
    context = {
        "recent": recent,
        "typed": typed,
        "previewed": None,
        "not_found": bool(typed) and story is None,
    }
    if story is None:
        return context
    revision = story.latest
    would = routing.would_ask(found, revision.content)
    stages = board.of_would(would)
    drawn = board.small(stages)
    return {**context, "previewed": revision, "story_uid": story.uid, "would": stages, "would_board": drawn}


def _refused(request: HttpRequest, found: Route, refusal: routing.Refused) -> HttpResponse:
    if isinstance(refusal, routing.Gone):
        messages.error(request, str(refusal))
        still = Route.objects.filter(pk=found.pk).exists()
        return redirect("route", found.pk) if still else redirect("routes")
    return _route(request, found, refusal=str(refusal), status=CONFLICT)


def route_rename(request: HttpRequest, pk: int) -> HttpResponse:
    """Call a route something else."""
    found = get_object_or_404(Route, pk=pk)
    if request.method != "POST":
        return redirect("route", pk)
    form = NameForm(request.POST, prefix="route")
    if form.is_valid():
        try:
            renamed = routing.rename_route(route=found, name=form.cleaned_data["name"], by=person(request))
        except routing.Invalid as refusal:
            form.add_error("name", str(refusal))
        except routing.Refused as refusal:
            return _refused(request, found, refusal)
        else:
            messages.success(request, f"It is called “{renamed}” now.")
            return redirect("route", pk)
    return _route(request, found, name_form=form, status=INVALID)


def route_default(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a route be the one that is taken where nobody chooses another."""
    found = get_object_or_404(Route, pk=pk)
    if request.method != "POST":
        return redirect("route", pk)
    try:
        routing.make_default(route=found, by=person(request))
    except routing.Refused as refusal:
        return _refused(request, found, refusal)
    messages.success(request, f"“{found}” is the default now. What is under way stays as it was asked.")
    return redirect("route", pk)


def route_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take away a route by which no story was sent."""
    found = get_object_or_404(Route, pk=pk)
    if request.method != "POST":
        return redirect("route", pk)
    try:
        routing.remove_route(route=found, by=person(request))
    except routing.Refused as refusal:
        return _refused(request, found, refusal)
    messages.success(request, f"“{found}” was removed.")
    return redirect("routes")


def step_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Add a step to a route."""
    found = get_object_or_404(Route, pk=pk)
    if request.method != "POST":
        return redirect("route", pk)
    stages = found.steps.values("stage").distinct().count()
    form = StepForm(request.POST, prefix="step", stages=stages)
    if form.is_valid():
        try:
            step = routing.add_step(route=found, ask=form.ask, **form.place, by=person(request))
        except routing.Invalid as refusal:
            form.blame(refusal.problems)
        except routing.Gone as refusal:
            return _refused(request, found, refusal)
        except routing.Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{board.are_asked(step)} in stage {step.stage} now.")
            return _to(found, step)
    return _route(request, found, step_form=form, status=INVALID)


def _to(found: Route, step: Step) -> HttpResponse:
    """Back to the route, at the step: the drawing stays in sight."""
    return redirect(f"{reverse('route', args=[found.pk])}#step-{step.pk}")


def _step(pk: int, step: int) -> Step | None:
    return Step.objects.select_related("route", "desk").filter(pk=step, route=pk).first()


def _step_gone(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody removed the step that a button was pressed for: the page is shown as it is now, saying so."""
    found = get_object_or_404(Route, pk=pk)
    return _refused(request, found, routing.Gone(routing.STEP_GONE))


def step_change(request: HttpRequest, pk: int, step: int) -> HttpResponse:
    """Let a step ask something else."""
    found = _step(pk, step)
    if found is None:
        return _step_gone(request, pk)
    if request.method != "POST":
        return _step_page(request, found, StepForm(prefix="step", initial=step_initial(found)))
    form = StepForm(request.POST, prefix="step")
    if form.is_valid():
        try:
            changed = routing.change_step(step=found, ask=form.ask, by=person(request))
        except routing.Invalid as refusal:
            form.blame(refusal.problems)
        except routing.Gone as refusal:
            return _refused(request, found.route, refusal)
        except routing.Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{board.desk_of(changed)}: saved.")
            return _to(found.route, changed)
    return _step_page(request, found, form, INVALID)


def _step_page(request: HttpRequest, found: Step, form: StepForm, status: int = 200) -> HttpResponse:
    context = {"route": found.route, "step": found, "form": form, "who": board.desk_of(found)}
    return render(request, "approvals/step.html", context, status=status)


def step_move(request: HttpRequest, pk: int, step: int) -> HttpResponse:
    """Move a step within its stage or to another."""
    if request.method != "POST":
        return redirect("route", pk)
    found = _step(pk, step)
    if found is None:
        return _step_gone(request, pk)
    where = request.POST.get("where", "")
    if where not in list(routing.Where):
        return redirect("route", pk)
    try:
        moved = routing.move_step(step=found, where=routing.Where(where), by=person(request))
    except routing.Refused as refusal:
        return _refused(request, found.route, refusal)
    messages.success(request, f"{board.are_asked(moved)} in stage {moved.stage} now.")
    return _to(found.route, moved)


def step_remove(request: HttpRequest, pk: int, step: int) -> HttpResponse:
    """Take a step out of a route."""
    if request.method != "POST":
        return redirect("route", pk)
    found = _step(pk, step)
    if found is None:
        return _step_gone(request, pk)
    try:
        routing.remove_step(step=found, by=person(request))
    except routing.Refused as refusal:
        return _refused(request, found.route, refusal)
    messages.success(request, f"{board.are_asked(found, 'not asked')} by this route any more.")
    return redirect(f"{reverse('route', args=[pk])}#stages")
