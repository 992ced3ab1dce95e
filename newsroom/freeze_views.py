"""Freezes: when nothing new of an organisation goes out, and which story does all the same."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from stories.access import roles_of, story_for
from stories.clocks import database_now, office
from stories.views import person

from . import releasing
from .access import DUTY
from .forms import ExemptForm, FreezeForm, ReasonForm
from .models import Freeze
from .release_views import page as release_page
from .release_views import status_of

FREEZES_A_PAGE = 25


def freezes(request: HttpRequest) -> HttpResponse:
    """All freezes, those to come and under way first; and the form that declares one."""
    if request.method != "POST":
        return _page(request)
    form = FreezeForm(request.POST)
    if not form.is_valid():
        return _page(request, form=form, status=422)
    try:
        freeze = releasing.freeze(by=person(request), **form.cleaned_data)
    except releasing.Refused as refusal:
        return _page(request, form=form, refusal=str(refusal), status=422)
    messages.success(request, f"Frozen: {freeze.whose}. Nothing new of it goes out in that time.")
    return redirect("freezes")


def freeze_end(request: HttpRequest, freeze: int) -> HttpResponse:
    """End a freeze before its time."""
    ended = get_object_or_404(Freeze, pk=freeze)
    if request.method != "POST":
        return redirect("freezes")
    form = ReasonForm(request.POST, prefix=f"end{freeze}")
    if not form.is_valid():
        return _page(request, end_form=form, ending=freeze, status=422)
    try:
        releasing.end_freeze(freeze=ended, by=person(request), reason=form.cleaned_data["reason"])
    except releasing.Refused as refusal:
        return _page(request, refusal=str(refusal), status=status_of(refusal))
    messages.success(request, "Ended. What it stopped goes out when it is moved, armed anew or exempted.")
    return redirect("freezes")


def story_exempt(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Exempt a story from the freeze that was on the screen."""
    user = person(request)
    story = story_for(user, uid)
    if request.method != "POST":
        return redirect("story_release", uid)
    form = ExemptForm(request.POST, prefix="exempt")
    if not form.is_valid():
        return release_page(request, story, exempt_form=form, status=422)
    data = form.cleaned_data
    try:
        releasing.exempt(story=story, freeze=data["freeze"], by=user, reason=data["reason"])
    except releasing.Refused as refusal:
        more: dict[str, Any] = {"refusal": refusal, "typed": data["reason"]}
        return release_page(request, story, exempt_form=form, status=status_of(refusal), **more)
    messages.success(request, "Exempted: the freeze does not stop it any more.")
    return redirect("story_release", uid)


def _page(
    request: HttpRequest,
    *,
    form: FreezeForm | None = None,
    end_form: ReasonForm | None = None,
    ending: int = 0,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    now = database_now()
    rows = Freeze.objects.select_related("organisation", "by", "end__by").order_by(F("until").desc(), "-pk")
    page = Paginator(rows, FREEZES_A_PAGE).get_page(request.GET.get("page"))
    shown = [
        {
            "freeze": row,
            "since": office(row.since),
            "until": office(row.until),
            "over": row.until <= now or hasattr(row, "end"),
            "form": end_form if row.pk == ending else ReasonForm(prefix=f"end{row.pk}"),
        }
        for row in page
    ]
    context = {
        "page": page,
        "freezes": shown,
        "form": form or FreezeForm(),
        "refusal": refusal,
        "may_freeze": bool(roles_of(request.user) & DUTY),
    }
    return render(request, "newsroom/freezes.html", context, status=status)
