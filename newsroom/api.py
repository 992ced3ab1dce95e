"""Public stories for programs: the read-only API, in IPTC ninjs 3.1. `openapi` describes it.

Like any public page it asks `Release.objects.public()` alone what is public, and looks at no cookie.
"""

import json
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from . import ninjs, openapi, telling
from .models import Release
from .places import ORDER, Place
from .public import answer, problem

JSON = "application/json"


def _read_only(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A view that says in JSON what it is for to whoever sends something."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method in {"GET", "HEAD"}:
            return view(request, *args, **kwargs)
        refusal = problem(request, HTTPStatus.METHOD_NOT_ALLOWED, "The API is for reading: use GET or HEAD.")
        refusal["Allow"] = "GET, HEAD"
        return refusal

    # Nothing is changed here: whoever sends something is told so, with a token or without.
    return csrf_exempt(answered)


@_read_only
def stories(request: HttpRequest) -> HttpResponseBase:
    """The public stories, the newest first, a page at a time. One query."""
    try:
        size = _page_size(request)
        releases = Release.objects.public()
        if "cursor" in request.GET:
            releases = releases.filter(Place.parse(request.GET["cursor"]).after)
    except ValueError as refusal:
        return problem(request, HTTPStatus.BAD_REQUEST, str(refusal))
    shown = releases.order_by(*ORDER).values("pk")[: size + 1]
    rows = list(telling.with_words(Release.objects.filter(pk__in=shown)).order_by(*ORDER))
    document = {
        "stories": [ninjs.item(telling.public(release)) for release in rows[:size]],
        "next": _next(request, rows[size - 1]) if len(rows) > size else None,
    }
    return _answer(request, document)


@_read_only
def story(request: HttpRequest, uid: UUID) -> HttpResponseBase:
    """A public story. One query."""
    release = get_object_or_404(telling.with_words(Release.objects.public()), story__uid=uid)
    return _answer(request, ninjs.item(telling.public(release)))


@_read_only
def description(request: HttpRequest) -> HttpResponseBase:
    """The API in OpenAPI 3.1."""
    return _answer(request, openapi.document())


def _page_size(request: HttpRequest) -> int:
    """How many stories are asked for.

    Raises:
        ValueError: that many are never answered.
    """
    given = request.GET.get("page_size", str(openapi.PAGE_SIZE))
    digits = len(str(openapi.MOST))
    if given.isascii() and given.isdecimal() and len(given) <= digits and 0 < int(given) <= openapi.MOST:
        return int(given)
    raise ValueError(f"page_size is a number from 1 to {openapi.MOST}.")


def _next(request: HttpRequest, last: Release) -> str:
    """The address of the page after that which ends with `last`."""
    query = {"cursor": Place.of(last.visibility).cursor}
    if "page_size" in request.GET:
        query["page_size"] = str(_page_size(request))
    return f"{settings.SITE_URL}{reverse('api_stories')}?{urlencode(query)}"


def _answer(request: HttpRequest, document: dict[str, Any]) -> HttpResponseBase:
    return answer(request, json.dumps(document, ensure_ascii=False) + "\n", JSON)
