"""Who stands in for whom, and the form that appoints a deputy."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from stories.clocks import database_now, office
from stories.forms import moment_initial
from stories.models import User
from stories.views import person

from . import deputies
from .forms import DeputyForm, OfficeMomentForm
from .models import Deputyship

PAGE_SIZE = 25
#: Of those that run or are to come, how many are listed in each part of the page.
SHOWN = 50


@dataclass
class Appointing:
    """The form as a person sees it: who, and the two moments."""

    who: DeputyForm
    since: OfficeMomentForm
    until: OfficeMomentForm

    @classmethod
    def blank(cls, user: User) -> "Appointing":
        now = office(database_now().replace(second=0, microsecond=0))
        evening = office(now.instant + timedelta(days=1))
        until = {**moment_initial(evening), "time": "18:00"}
        return cls(
            DeputyForm(user=user),
            OfficeMomentForm(initial=moment_initial(now), prefix="since"),
            OfficeMomentForm(initial=until, prefix="until"),
        )

    @classmethod
    def sent(cls, request: HttpRequest, user: User) -> "Appointing":
        return cls(
            DeputyForm(request.POST, user=user),
            OfficeMomentForm(request.POST, prefix="since"),
            OfficeMomentForm(request.POST, prefix="until"),
        )

    def is_valid(self) -> bool:
        return all([self.who.is_valid(), self.since.is_valid(), self.until.is_valid()])

    def appoint(self, by: User) -> Deputyship:
        assert self.since.moment
        assert self.until.moment
        return deputies.appoint(
            person=self.who.whom,
            deputy=self.who.cleaned_data["deputy"],
            desk=self.who.cleaned_data["desk"],
            since=self.since.moment.instant,
            until=self.until.moment.instant,
            by=by,
        )


def deputies_page(request: HttpRequest) -> HttpResponse:
    """Who stands in for the person, and for whom they do; sent, the form appoints a deputy."""
    user = person(request)
    if request.method != "POST":
        return _page(request, Appointing.blank(user))
    form = Appointing.sent(request, user)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        made = form.appoint(user)
    except deputies.Refused as refusal:
        status = 403 if isinstance(refusal, deputies.NotYours) else 422
        return _page(request, form, refusal=str(refusal), status=status)
    messages.success(request, f"{made.deputy} stands in for {made.person} until {office(made.until).public}.")
    return redirect("deputies")


def deputy_end(request: HttpRequest, number: int) -> HttpResponse:
    """End a deputyship now. One that the person has no part in does not exist for them."""
    user = person(request)
    deputyship = get_object_or_404(_theirs(user), pk=number)
    if request.method == "POST":
        try:
            ended = deputies.end(deputyship=deputyship, by=user)
        except deputies.Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"{ended.deputy} does not stand in for {ended.person} any more.")
    return redirect("deputies")


def _theirs(user: User) -> QuerySet[Deputyship]:
    """The deputyships that a person may know of: their own; for administrators all."""
    rows = Deputyship.objects.select_related("person", "deputy", "desk", "by")
    return rows if user.is_superuser else rows.filter(Q(person=user) | Q(deputy=user))


def _page(request: HttpRequest, form: Appointing, *, refusal: str = "", status: int = 200) -> HttpResponse:
    user = person(request)
    now = database_now()
    theirs = _theirs(user)
    current = theirs.filter(until__gt=now).order_by("since", "pk")
    over = Paginator(theirs.filter(until__lte=now).order_by("-until", "-pk"), PAGE_SIZE)
    context = {
        "form": form,
        "refusal": refusal,
        "zone": settings.PRESS_OFFICE_ZONE,
        "now": now,
        "on_a_desk": user.desks.exists(),
        "may_appoint": user.is_superuser or user.desks.exists(),
        "mine": current.filter(person=user)[:SHOWN],
        "others": current.filter(deputy=user)[:SHOWN],
        "elsewhere": current.exclude(Q(person=user) | Q(deputy=user))[:SHOWN] if user.is_superuser else [],
        "over": over.get_page(request.GET.get("page")),
    }
    return render(request, "approvals/deputies.html", context, status=status)
