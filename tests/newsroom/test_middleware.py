"""What stands round the views."""

import pytest
from csp.constants import HEADER, NONCE
from csp.decorators import csp_update
from csp.middleware import CSPMiddleware
from django.http import HttpResponse
from django.urls import NoReverseMatch, reverse

from newsroom.access import EVERYBODY, PAGES, STAFF_PATHS
from newsroom.middleware import (
    AuthenticationMiddleware,
    MessageMiddleware,
    PolicyMiddleware,
    SessionMiddleware,
)


def seen(rf, path: str):
    """The request as a view behind all of them gets it."""
    found = []

    def view(request):
        found.append(request)
        return HttpResponse()

    for middleware in (MessageMiddleware, AuthenticationMiddleware, SessionMiddleware):
        view = middleware(view)
    view(rf.get(path))
    return found[0]


@pytest.mark.parametrize("path", ["/", "/news/a/", "/media/a.png", "/embargoed/a/", "/desk", "/nowhere/"])
def test_nobody_is_looked_up_for_a_public_page(rf, path):
    request = seen(rf, path)
    assert not any(hasattr(request, name) for name in ("session", "user", "_messages"))


@pytest.mark.parametrize("path", ["/desk/", "/accounts/login/", "/desk/admin/"])
def test_for_staff_pages_somebody_is(rf, path):
    request = seen(rf, path)
    assert all(hasattr(request, name) for name in ("session", "user", "_messages"))


def test_every_page_that_asks_who_somebody_is_is_a_staff_page():
    for name, audience in PAGES.items():
        if audience is not EVERYBODY:
            for arguments in ([], ["a"], ["00000000-0000-4000-8000-000000000000"], [1]):
                try:
                    path = reverse(name, args=arguments)
                except NoReverseMatch:
                    continue
                assert path.startswith(STAFF_PATHS), name


def policy(middleware, request, view) -> set[str]:
    return set(middleware(view)(request)[HEADER].split("; "))


def test_the_policy_is_what_the_package_makes_of_the_settings(rf, settings):
    def view(request):
        return HttpResponse()

    ours, theirs = (policy(each, rf.get("/"), view) for each in (PolicyMiddleware, CSPMiddleware))
    assert ours == theirs == {*ours, "default-src 'none'", "script-src 'self'", "style-src 'self'"}
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": {"default-src": ["https://example.org"]}}
    assert policy(PolicyMiddleware, rf.get("/"), view) == {"default-src https://example.org"}


def test_a_view_can_have_a_policy_and_a_nonce_of_its_own(rf):
    @csp_update({"img-src": ["https://example.org"]})
    def other(request):
        return HttpResponse()

    @csp_update({"script-src": [NONCE]})
    def nonced(request):
        return HttpResponse(str(request.csp_nonce))

    assert any("https://example.org" in part for part in policy(PolicyMiddleware, rf.get("/"), other))
    answer = PolicyMiddleware(nonced)(rf.get("/"))
    assert f"'nonce-{answer.content.decode()}'" in answer[HEADER]


def test_a_policy_that_is_there_stays(rf):
    def view(request):
        return HttpResponse(headers={HEADER: "default-src 'none'; sandbox"})

    assert policy(PolicyMiddleware, rf.get("/"), view) == {"default-src 'none'", "sandbox"}


@pytest.mark.django_db
def test_every_answer_has_one(client):
    for path in ("/", "/news/never/", "/desk/", "/accounts/login/", "/static/never.css"):
        assert "default-src 'none'" in client.get(path)[HEADER]
