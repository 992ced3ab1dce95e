"""The page of deliveries: how the receivers do, and what was given up and can be tried again."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from stories.access import Role, roles_of
from stories.clocks import database_now
from stories.models import Story
from stories.views import person

from . import delivering
from .models import Delivery, Receiver

ROWS_A_PAGE = 25


def with_numbers(receivers: QuerySet[Receiver]) -> QuerySet[Receiver]:
    """Receivers with how much waits for each, how much was given up, and when it was sent something last."""
    theirs = Delivery.objects.filter(receiver=OuterRef("pk")).order_by()
    last = theirs.filter(sent_at__isnull=False).order_by("-sent_at").values("sent_at")[:1]
    return receivers.annotate(
        waiting=_count(theirs.open()), given_up=_count(theirs.given_up()), last_sent=Subquery(last)
    )


def _count(rows: QuerySet[Delivery]) -> Coalesce:
    return Coalesce(Subquery(rows.values("receiver").annotate(number=Count("pk")).values("number")), 0)


def _mailing_list() -> dict[str, Any]:
    """The same of the mailing list."""
    mails = Delivery.objects.filter(receiver=None)
    last = mails.filter(sent_at__isnull=False).order_by("-sent_at").values_list("sent_at", flat=True).first()
    return {"waiting": mails.open().count(), "given_up": mails.given_up().count(), "last_sent": last}


def _dead_letters(request: HttpRequest) -> QuerySet[Delivery]:
    """What was given up, the newest first; of a story limited to another team, nothing that tells which."""
    known = Story.objects.visible_to(request.user).filter(pk=OuterRef("story"))
    rows = Delivery.objects.given_up().annotate(is_known=Exists(known), is_overtaken=delivering.overtaken())
    rows = rows.select_related("receiver", "release__revision", "story")
    return rows.defer("release__revision__content").order_by("-given_up_at", "-pk")


@require_GET
def deliveries(request: HttpRequest) -> HttpResponse:
    """Everybody who is told of stories, and the dead letters."""
    receivers = with_numbers(Receiver.objects.order_by("-active", "name"))
    context = {
        "mailing_list": _mailing_list(),
        "receivers": Paginator(receivers, ROWS_A_PAGE).get_page(request.GET.get("receivers")),
        "page": Paginator(_dead_letters(request), ROWS_A_PAGE).get_page(request.GET.get("page")),
        "may_set_up": Role.ADMINISTRATOR in roles_of(request.user),
        "now": database_now(),
    }
    return render(request, "newsroom/deliveries.html", context)


def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Try a dead letter again."""
    if request.method != "POST":
        return redirect("deliveries")
    delivery = get_object_or_404(Delivery, pk=pk)
    try:
        delivering.try_again(delivery=delivery)
    except delivering.Refused as refusal:
        messages.error(request, str(refusal))
    else:
        delivering.log.info("delivery %s is tried again for %s", pk, person(request))
        messages.success(request, f"It is tried again: {delivery.get_event_display()} to {delivery.to}.")
    return redirect("deliveries")


def all_again(request: HttpRequest) -> HttpResponse:
    """Try all dead letters of a receiver again; where none is named, those of the mailing list."""
    if request.method != "POST":
        return redirect("deliveries")
    number = request.POST.get("receiver", "")
    known = number.isascii() and number.isdecimal() and len(number) < 19
    receiver = get_object_or_404(Receiver, pk=number if known else 0) if number else None
    try:
        count = delivering.try_all_again(receiver=receiver)
    except delivering.Refused as refusal:
        messages.error(request, str(refusal))
    else:
        whose = receiver or "the mailing list"
        delivering.log.info("%s deliveries to %s are tried again for %s", count, whose, person(request))
        said = f"{count} to {whose} {'is' if count == 1 else 'are'} tried again."
        messages.success(request, said if count else f"Nothing of {whose} can be tried again.")
    return redirect("deliveries")
