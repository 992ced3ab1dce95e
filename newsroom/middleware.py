"""What stands round the views, no more of it than the page needs.

A public page answers everybody alike, so nobody is looked up for it: there `request.session`,
`request.user` and messages do not even exist.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.core.signals import setting_changed
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from stories import languages

from .access import STAFF_PATHS


class LanguageMiddleware:
    """Speaks the language that an address names: `/cy/archive/` is the archive in Welsh.

    No cookie and no header of who asks is looked at, so each page is one for everybody.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        named = request.path_info[1:].partition("/")[0]
        if named not in languages.PREFIXES:
            return self.get_response(request)
        with languages.speaking(named):
            return self.get_response(request)


class ForStaff:
    """Passes by what is not for people who work here."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith(STAFF_PATHS):
            return super().__call__(request)  # type: ignore[misc]
        return self.get_response(request)


class SessionMiddleware(ForStaff, sessions.SessionMiddleware):
    """Django's, for staff."""


class AuthenticationMiddleware(ForStaff, auth.AuthenticationMiddleware):
    """Django's, for staff."""


class MessageMiddleware(ForStaff, messages.MessageMiddleware):
    """Django's, for staff."""


class PolicyMiddleware(CSPMiddleware):
    """Says the Content-Security-Policy, which is put together once and not for each answer."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        own = hasattr(request, "_csp_nonce") or any(name.startswith("_csp") for name in vars(response))
        if own or settings.DEBUG:
            answer: HttpResponseBase = super().process_response(request, response)
            return answer
        response.headers.setdefault(HEADER, _policy())
        return response


@cache
def _policy() -> str:
    policy: str = build_policy()
    return policy


def _forget(**signal: Any) -> None:
    _policy.cache_clear()


setting_changed.connect(_forget)
