"""The permission matrix: every URL, and the roles that may open it.

A URL that is not in the table answers nobody. Whether a story exists for somebody is asked of
`stories.access`, object by object.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import defaults

from stories.access import Role, roles_of

#: What is for people who work here.
STAFF_PATHS = ("/desk/", "/accounts/")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: Anybody, signed in or not.
EVERYBODY: frozenset[Role] | None = None
STAFF = frozenset(Role)
DRAFTERS = frozenset({Role.DRAFTER, Role.DUTY_OFFICER})
CLEARERS = frozenset({Role.CLEARER})
DUTY = frozenset({Role.DUTY_OFFICER})
ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})
MANAGERS = frozenset({Role.MANAGER, Role.ADMINISTRATOR})
DELIVERERS = frozenset({Role.DUTY_OFFICER, Role.ADMINISTRATOR})

PAGES: dict[str, frozenset[Role] | None] = {
    "home": EVERYBODY,
    "story": EVERYBODY,
    "story_text": EVERYBODY,
    "about": EVERYBODY,
    "house_style": EVERYBODY,
    "house_logo": EVERYBODY,
    "archive": EVERYBODY,
    "archive_year": EVERYBODY,
    "archive_month": EVERYBODY,
    "type": EVERYBODY,
    "topic": EVERYBODY,
    "topic_atom": EVERYBODY,
    "topic_json": EVERYBODY,
    "organisation": EVERYBODY,
    "organisation_atom": EVERYBODY,
    "organisation_json": EVERYBODY,
    "corrections": EVERYBODY,
    "corrections_atom": EVERYBODY,
    "oembed": EVERYBODY,
    "people": EVERYBODY,
    "person": EVERYBODY,
    "person_atom": EVERYBODY,
    "person_json": EVERYBODY,
    "search": EVERYBODY,
    "atom": EVERYBODY,
    "json_feed": EVERYBODY,
    "api_stories": EVERYBODY,
    "api_story": EVERYBODY,
    "openapi": EVERYBODY,
    "sitemap": EVERYBODY,
    "news_sitemap": EVERYBODY,
    "security": EVERYBODY,
    "media": EVERYBODY,
    "subscribe": EVERYBODY,
    "subscribe_confirm": EVERYBODY,
    # Whoever has the link that is in each mail of theirs.
    "subscribe_choices": EVERYBODY,
    "unsubscribe": EVERYBODY,
    # Whoever has the link of a copy under embargo; what it shows before it is acknowledged, see `embargo`.
    "embargoed": EVERYBODY,
    "embargoed_media": EVERYBODY,
    "robots": EVERYBODY,
    "healthz": EVERYBODY,
    "readyz": EVERYBODY,
    "account_login": EVERYBODY,
    "account_logout": EVERYBODY,
    "account_reset_password": EVERYBODY,
    "account_reset_password_done": EVERYBODY,
    "account_reset_password_from_key": EVERYBODY,
    "account_reset_password_from_key_done": EVERYBODY,
    "account_change_password": STAFF,
    "demo_login": EVERYBODY,
    "desk": STAFF,
    "story_list": STAFF,
    "story_new": DRAFTERS,
    "story_from_text": DRAFTERS,
    "story_draft": STAFF,
    "story_save": DRAFTERS,
    "story_revision": STAFF,
    "revision_restore": DRAFTERS,
    "story_comments": STAFF,
    "comment_resolve": STAFF,
    "story_suggest": STAFF,
    "suggestion_take": DRAFTERS,
    "suggestion_decline": DRAFTERS,
    "story_record": STAFF,
    "story_team": DRAFTERS,
    "story_embargo": DRAFTERS,
    "story_translation": DRAFTERS,
    "translation_end": DRAFTERS,
    "new_working_copy": DRAFTERS,
    "story_working_copy": DRAFTERS,
    "staff_media": STAFF,
    "inbox": CLEARERS,
    "deputies": STAFF,
    "deputy_end": STAFF,
    "story_clearing": STAFF,
    "story_submit": DRAFTERS,
    "story_decide": CLEARERS,
    # Also for somebody who has left their desk; whose decision it is, the database knows.
    "story_take_back": STAFF,
    "story_take": CLEARERS,
    "story_let_go": CLEARERS,
    "routes": MANAGERS,
    "route_new": MANAGERS,
    "route": MANAGERS,
    "route_rename": MANAGERS,
    "route_default": MANAGERS,
    "route_remove": MANAGERS,
    "step_add": MANAGERS,
    "step_change": MANAGERS,
    "step_move": MANAGERS,
    "step_remove": MANAGERS,
    "desks": MANAGERS,
    "desk_new": MANAGERS,
    "desk_page": MANAGERS,
    "desk_save": MANAGERS,
    "desk_remove": MANAGERS,
    "desk_person_add": MANAGERS,
    "desk_person_remove": MANAGERS,
    "office_add": MANAGERS,
    "office_remove": MANAGERS,
    "story_release": STAFF,
    "story_arm": DUTY,
    "story_disarm": DUTY,
    "story_hold": DUTY,
    "story_unhold": DUTY,
    "story_withdraw": DUTY,
    "hold_everything": STAFF,
    "lift_everything": DUTY,
    "newsroom_record": STAFF,
    "freezes": STAFF,
    "freeze_end": DUTY,
    "story_exempt": DUTY,
    "bundles": STAFF,
    "bundle": STAFF,
    "story_bundle": DUTY,
    "story_unbundle": DUTY,
    "deliveries": DELIVERERS,
    "delivery_again": DELIVERERS,
    "deliveries_again": DELIVERERS,
    "mailing_list": DELIVERERS,
    "receivers": ADMINISTRATORS,
    "receiver": ADMINISTRATORS,
    "receiver_switch": ADMINISTRATORS,
    "receiver_rotate": ADMINISTRATORS,
    "house": ADMINISTRATORS,
    "house_preview": ADMINISTRATORS,
    "house_preview_style": ADMINISTRATORS,
    "story_preflight": DUTY,
    "story_copies": STAFF,
    "copy_give": DUTY,
    "copy_revoke": DUTY,
    "mail_list": STAFF,
    "mail_message": STAFF,
}

#: Who may send a form to a page that more may read.
SENDERS: dict[str, frozenset[Role]] = {
    "hold_everything": DUTY,
    "freezes": DUTY,
    "bundles": DUTY,
}


def audience_of(view_name: str, method: str = "GET") -> frozenset[Role] | None:
    """The roles that may open a URL, by its name, or send a form to it; None for everybody.

    Raises:
        Http404: the name is not in the table.
    """
    if view_name.startswith("admin:"):
        return ADMINISTRATORS
    if view_name not in PAGES:
        raise Http404(f"{view_name} is not in the permission matrix")
    if method not in SAFE_METHODS and view_name in SENDERS:
        return SENDERS[view_name]
    return PAGES[view_name]


class CookieMiddleware:
    """Keeps cookies away from public pages, which answer everybody alike, and broken ones from the rest."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        staff = request.path_info.startswith(STAFF_PATHS)
        for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
            if not staff or not request.COOKIES.get(name, "").isalnum():
                request.COOKIES.pop(name, None)
        return self.get_response(request)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The answer to a form without its token: how to go on, and the words that were typed into it."""
    context = {"words": typed_words(request), "back": _page_before(request)}
    return render(request, "403_csrf.html", context, status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The answer to a form that is too large to be read: what to do. Anything else gets Django's own."""
    if not isinstance(exception, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent):
        return defaults.bad_request(request, exception)
    context = {
        "megabytes": settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024 // 1024,
        "files": settings.DATA_UPLOAD_MAX_NUMBER_FILES,
    }
    return HttpResponse(render_to_string("413.html", context), status=413)


def typed_words(request: HttpRequest) -> list[tuple[str, str]]:
    """The fields of a form that hold more than one word."""
    return [(key, str(value)) for key, value in request.POST.items() if " " in str(value).strip()]


def signed_out(request: HttpRequest) -> HttpResponse:
    """The way to sign in; for a form that was sent too late, with the words that were typed into it."""
    # What was sent cannot be sent again after signing in: it goes back to the page that it was typed on.
    back = request.get_full_path() if request.method == "GET" else _page_before(request)
    address = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': back})}"
    words = typed_words(request)
    if not words:
        return HttpResponseRedirect(address)
    return render(request, "signed_out.html", {"words": words, "sign_in": address}, status=401)


def _page_before(request: HttpRequest) -> str:
    """The path of our own page that the form stood on, or the desk."""
    before = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(before, {request.get_host()}, require_https=request.is_secure())
    return urlsplit(before).path if ours else resolve_url("desk")


class AccessMiddleware:
    """Holds every request against the matrix before its view runs, and keeps staff pages out of caches."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path_info.startswith(STAFF_PATHS):
            response["Cache-Control"] = "no-store"
            response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        match = request.resolver_match
        audience = audience_of(match.view_name if match else "", request.method or "")
        if audience is None:
            return None
        if not request.user.is_authenticated:
            return signed_out(request)
        if not audience & roles_of(request.user):
            raise PermissionDenied
        return None
