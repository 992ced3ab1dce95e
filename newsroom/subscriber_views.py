"""The page of the mailing list: how many get what, and how often. Nobody's address."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from stories.outbox import BACK_OFF

from . import digesting
from .models import Chosen, Digest, DigestDay, Subscriber

ROWS_A_PAGE = 25
AT_ONCE, DAILY = Q(daily=False), Q(daily=True)


def _numbers() -> dict[str, int]:
    """How many are on the list, by what they get and how often. One query."""
    everything = Q(everything=True)
    found: dict[str, int] = Subscriber.objects.filter(active=True).aggregate(
        all=Count("pk"),
        everything_at_once=Count("pk", filter=everything & AT_ONCE),
        everything_daily=Count("pk", filter=everything & DAILY),
        chosen_at_once=Count("pk", filter=~everything & AT_ONCE),
        chosen_daily=Count("pk", filter=~everything & DAILY),
    )
    return found


def _chosen() -> Any:
    """Each topic and organisation that somebody chose, with how many; what most have chosen first."""
    things = Chosen.objects.filter(subscriber__active=True).values("kind", "slug")
    rows = things.annotate(
        called=Max("name"),
        at_once=Count("pk", filter=Q(subscriber__daily=False)),
        daily=Count("pk", filter=Q(subscriber__daily=True)),
        number=Count("pk"),
    )
    return rows.order_by("-number", "kind", "slug")


def _last_digests() -> dict[str, Any] | None:
    """The day of the last digests and what became of them. Two queries."""
    day = DigestDay.objects.order_by("-day").first()
    if day is None:
        return None
    waiting = Q(sent_at=None, next_attempt__isnull=False)
    given_up = Q(sent_at=None, next_attempt=None, attempts__gt=len(BACK_OFF))
    numbers = Digest.objects.filter(day=day).aggregate(
        sent=Count("pk", filter=Q(sent_at__isnull=False)),
        waiting=Count("pk", filter=waiting),
        given_up=Count("pk", filter=given_up),
    )
    return {"until": day.until, **numbers}


@require_GET
def mailing_list(request: HttpRequest) -> HttpResponse:
    """How many get what, and what became of the last digests."""
    context = {
        "numbers": _numbers(),
        "page": Paginator(_chosen(), ROWS_A_PAGE).get_page(request.GET.get("page")),
        "last": _last_digests(),
        "at": digesting.time_in_words(),
    }
    return render(request, "newsroom/mailing_list.html", context)
