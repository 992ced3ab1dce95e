"""Whether the newsroom is well, for machines that ask."""

import logging
from datetime import timedelta
from typing import Any

import psycopg
from django.conf import settings
from django.db import DatabaseError
from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from . import alarms
from .celery import app
from .embedded.broker import connection_string
from .models import Heartbeat

log = logging.getLogger(__name__)

#: The sweep beats every five seconds; a worker that is busy may miss a few.
LAST_BEAT = timedelta(seconds=60)
BROKER_TIMEOUT = 2


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nothing of anybody else."""
    return HttpResponse("ok", content_type="text/plain", headers={"Cache-Control": "no-store"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether everything that a release needs is there: for the alarm, not for a load balancer.

    Public pages need the database alone. A balancer that took a machine out for the broker's sake would
    make stories late: let it ask `healthz`.
    """
    state = {"database": True, "broker": broker_answers(), **releases()}
    age = state["heartbeat_age"]
    beating = age is not None and age <= LAST_BEAT.total_seconds()
    wrong = state["overdue"] or state["unseen"]
    ready = bool(state["database"] and state["broker"] and beating and not wrong)
    return JsonResponse(
        {"ready": ready, **state}, status=200 if ready else 503, headers={"Cache-Control": "no-store"}
    )


def releases() -> dict[str, Any]:
    """What the database says of releases and of the last heartbeat, if it answers."""
    try:
        return {"overdue": overdue(), "unseen": unseen(), "heartbeat_age": heartbeat_age()}
    except DatabaseError:
        return {"database": False, "overdue": None, "unseen": None, "heartbeat_age": None}


def overdue() -> int:
    """How many releases are public and should have been announced by now. None that is still to come."""
    return alarms.overdue().count()


def unseen() -> int:
    """How many public releases a stranger is not answered as they were cleared, or nobody looked for."""
    return alarms.unseen().count()


def heartbeat_age() -> int | None:
    """Whole seconds since beat, broker and worker last did something together; None if they never have."""
    return _age("sweep")


def watch_age() -> int | None:
    """The same for the worker that watches."""
    return _age("watch")


def _age(name: str) -> int | None:
    age = ExpressionWrapper(Now() - F("at"), output_field=DurationField())
    beats = Heartbeat.objects.filter(name=name).annotate(age=age)
    newest = beats.values_list("age", flat=True).first()
    return None if newest is None else max(0, int(newest.total_seconds()))


def broker_answers() -> bool:
    """Whether a connection to the broker can be made, within a few seconds."""
    try:
        connect(settings.CELERY_BROKER_URL)
    except Exception as error:  # each transport has errors of its own, and all of them mean no
        log.warning("the broker does not answer: %s", error)
        return False
    return True


def connect(url: str) -> None:
    """Connect to the broker at `url` and let go of it again, or raise what its transport raises."""
    if url.startswith("pgmq://"):
        # Its transport would open a pool with threads of its own, and wait for that for half a minute.
        psycopg.connect(connection_string(url), connect_timeout=BROKER_TIMEOUT).close()
        return
    redis = url.startswith(("redis", "valkey", "sentinel"))
    limits = ("socket_connect_timeout", "socket_timeout") if redis else ()
    options = dict.fromkeys(limits, BROKER_TIMEOUT)
    with app.connection_for_read(
        url, connect_timeout=BROKER_TIMEOUT, transport_options=options
    ) as connection:
        connection.ensure_connection(max_retries=1, timeout=BROKER_TIMEOUT)
