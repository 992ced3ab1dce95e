"""What concerns all stories at once: the hold of everything, and the record of the newsroom."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from stories import record
from stories.access import roles_of
from stories.clocks import database_now, office
from stories.views import ENTRIES_A_PAGE, person

from . import releasing
from .access import DUTY
from .forms import HoldEverythingForm, LiftEverythingForm
from .models import Visibility, release_clock

CONFLICT = 409


def hold_everything(request: HttpRequest) -> HttpResponse:
    """The one button that lets nothing more go out, behind two confirmations."""
    if request.method != "POST":
        return _page(request)
    user = person(request)
    form = HoldEverythingForm(request.POST)
    if not form.is_valid():
        return _page(request, form=form, status=422)
    try:
        releasing.hold_everything(by=user, reason=form.cleaned_data["reason"])
    except releasing.Refused as refusal:
        return _page(request, form=form, refusal=str(refusal), status=CONFLICT)
    messages.success(request, "Everything is held: nothing more goes out until somebody lifts it.")
    return redirect("hold_everything")


def lift_everything(request: HttpRequest) -> HttpResponse:
    """Let stories go out again."""
    if request.method != "POST":
        return redirect("hold_everything")
    form = LiftEverythingForm(request.POST)
    if not form.is_valid():
        return _page(request, lift_form=form, status=422)
    try:
        releasing.lift_everything(by=person(request), hold=form.cleaned_data["seen"] or releasing.ANY)
    except releasing.Refused as refusal:
        return _page(request, refusal=str(refusal), status=CONFLICT)
    messages.success(request, "Lifted: stories go out again, and those whose moment has gone by are public.")
    return redirect("hold_everything")


def _page(
    request: HttpRequest,
    *,
    form: HoldEverythingForm | None = None,
    lift_form: LiftEverythingForm | None = None,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    held = releasing.everything_held()
    now = database_now()
    armed = Visibility.objects.armed()
    context = {
        "held": held,
        "held_at": office(held.at) if held else None,
        "armed": armed.count(),
        # Those that would be public now; when it is lifted they are.
        "overdue": armed.filter(visible_from__gt=release_clock(), visible_from__lte=now).count(),
        "form": form or HoldEverythingForm(),
        "lift_form": lift_form or LiftEverythingForm(initial={"seen": held and held.pk}),
        "refusal": refusal,
        "may_hold": bool(roles_of(request.user) & DUTY),
    }
    return render(request, "newsroom/hold_everything.html", context, status=status)


@require_GET
def newsroom_record(request: HttpRequest) -> HttpResponse:
    """What happened to the newsroom as a whole, newest first, with the links of its chain."""
    page = Paginator(record.lines(None), ENTRIES_A_PAGE).get_page(request.GET.get("page"))
    lines = [record.line(entry) for entry in page]
    return render(request, "newsroom/record.html", {"page": page, "lines": lines})
