"""The pages on which desks are set up: their people, their terms, and whose private office they are."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from stories.models import User
from stories.views import person

from . import staffing
from .models import Desk, PrivateOffice, Step
from .route_forms import DeskForm, NameForm, OfficeForm, desk_initial, minutes_words
from .route_views import CONFLICT, INVALID, ROWS_A_PAGE, page_of

#: People to choose from, and more by their names.
CHOICES = 10


@require_GET
def desks(request: HttpRequest) -> HttpResponse:
    """All desks, with how many people are on each, and what waits for them."""
    return _desks(request, NameForm(prefix="new"))


def _desks(request: HttpRequest, form: NameForm, status: int = 200) -> HttpResponse:
    context = {"page": page_of(request, staffing.counted()), "form": form}
    return render(request, "approvals/desks.html", context, status=status)


def desk_new(request: HttpRequest) -> HttpResponse:
    """Make a desk, and go on to its people."""
    if request.method != "POST":
        return redirect("desks")
    form = NameForm(request.POST, prefix="new")
    if form.is_valid():
        try:
            made = staffing.create_desk(name=form.cleaned_data["name"], by=person(request))
        except staffing.Invalid as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, f"The desk {made} was made. Add its people.")
            return redirect("desk_page", made.pk)
    return _desks(request, form, INVALID)


@require_GET
def desk_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One desk: its people, what it is called, whose private office it is, and where it is asked."""
    return _desk(request, get_object_or_404(Desk, pk=pk))


def _desk(
    request: HttpRequest,
    found: Desk,
    *,
    form: DeskForm | None = None,
    office_form: OfficeForm | None = None,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    words = request.GET.get("q", "").replace("\0", "").strip()[:100]
    others = staffing.others(found, words)
    people = User.objects.filter(desks=found).order_by("-is_active", "first_name", "last_name", "pk")
    deputies = staffing.deputies(found)
    asked = Step.objects.filter(desk=found).select_related("route", "desk").order_by("route__name", "stage")
    context = {
        "found": found,
        "people": page_of(request, people),
        "deputies": deputies[:ROWS_A_PAGE],
        "others": others[:CHOICES],
        "others_count": others.count(),
        "q": words,
        "offices": page_of(request, found.private_offices.all(), "offices"),
        "asked": asked[:ROWS_A_PAGE],
        "form": form or DeskForm(prefix="desk", initial=desk_initial(found), desk=found),
        "office_form": office_form or OfficeForm(prefix="office"),
        "reminders": [minutes_words(minutes) for minutes in found.reminders],
        "refusal": refusal,
    }
    return render(request, "approvals/desk.html", context, status=status)


def _desk_refused(request: HttpRequest, found: Desk, refusal: staffing.Refused) -> HttpResponse:
    if isinstance(refusal, staffing.Gone):
        messages.error(request, str(refusal))
        return redirect("desks")
    return _desk(request, found, refusal=str(refusal), status=CONFLICT)


def desk_save(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what a desk is called, whom it clears for, and who is told when."""
    found = get_object_or_404(Desk, pk=pk)
    if request.method != "POST":
        return redirect("desk_page", pk)
    form = DeskForm(request.POST, prefix="desk", desk=found)
    if form.is_valid():
        try:
            saved = staffing.change_desk(desk=found, terms=form.terms, by=person(request))
        except staffing.Invalid as refusal:
            for field, words in refusal.problems.items():
                form.add_error(field, words)
        except staffing.Refused as refusal:
            return _desk_refused(request, found, refusal)
        else:
            messages.success(request, f"{saved}: saved.")
            return redirect("desk_page", pk)
    return _desk(request, found, form=form, status=INVALID)


def desk_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take away a desk that was never asked."""
    found = get_object_or_404(Desk, pk=pk)
    if request.method != "POST":
        return redirect("desk_page", pk)
    try:
        staffing.remove_desk(desk=found, by=person(request))
    except staffing.Refused as refusal:
        return _desk_refused(request, found, refusal)
    messages.success(request, f"The desk {found} was removed.")
    return redirect("desks")


def desk_person_add(request: HttpRequest, pk: int, user: int) -> HttpResponse:
    """Let somebody clear for a desk."""
    found = get_object_or_404(Desk, pk=pk)
    if request.method != "POST":
        return redirect("desk_page", pk)
    who = get_object_or_404(User, pk=user)
    try:
        staffing.add_person(desk=found, person=who, by=person(request))
    except staffing.Refused as refusal:
        return _desk_refused(request, found, refusal)
    messages.success(request, f"{who} can clear for {found} now. Nobody clears words that they wrote.")
    return redirect("desk_page", pk)


def desk_person_remove(request: HttpRequest, pk: int, user: int) -> HttpResponse:
    """Let somebody clear for a desk no more."""
    found = get_object_or_404(Desk, pk=pk)
    if request.method != "POST":
        return redirect("desk_page", pk)
    who = get_object_or_404(User, pk=user)
    try:
        waiting = staffing.remove_person(desk=found, person=who, by=person(request))
    except staffing.Refused as refusal:
        return _desk_refused(request, found, refusal)
    messages.success(request, f"{who} is not on the desk {found} any more. What they signed stays signed.")
    if waiting:
        messages.warning(
            request,
            f"{waiting} sign-off{'s' * (waiting != 1)} still wait for {who}, as all of the desk had to sign "
            "when clearance was requested. The drafter can ask anew once the route has changed.",
        )
    return redirect("desk_page", pk)


def office_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a desk be the private office of a speaker."""
    found = get_object_or_404(Desk, pk=pk)
    if request.method != "POST":
        return redirect("desk_page", pk)
    form = OfficeForm(request.POST, prefix="office")
    if form.is_valid():
        try:
            office = staffing.add_office(desk=found, **form.cleaned_data, by=person(request))
        except staffing.Invalid as refusal:
            for field, words in refusal.problems.items():
                form.add_error(field, words)
        except staffing.Refused as refusal:
            return _desk_refused(request, found, refusal)
        else:
            messages.success(request, f"{found} is the private office of {office.name} now.")
            return redirect("desk_page", pk)
    return _desk(request, found, office_form=form, status=INVALID)


def office_remove(request: HttpRequest, pk: int, office: int) -> HttpResponse:
    """Let a desk be the private office of somebody no more."""
    if request.method != "POST":
        return redirect("desk_page", pk)
    found = get_object_or_404(PrivateOffice, pk=office, desk=pk)
    staffing.remove_office(office=found, by=person(request))
    messages.success(request, f"{found.name} has no private office any more. What was asked stays asked.")
    return redirect("desk_page", pk)
