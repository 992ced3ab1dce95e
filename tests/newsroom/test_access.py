"""The permission matrix: one test over every URL and every role, the anonymous reader included."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from approvals.models import PrivateOffice
from newsroom import bundling, delivering, receivers, releasing, subscribing
from newsroom.access import PAGES, audience_of
from newsroom.models import Delivery, Subscriber
from stories import anchors, remarks
from stories.access import Role, roles_of
from stories.models import Organisation
from tests.newsroom.copying import given, token_of
from tests.people import person

pytestmark = pytest.mark.django_db


def names(resolver: URLResolver | None = None, namespace: str = "") -> set[str]:
    """The names of all URLs, those of the admin with their namespace."""
    found: set[str] = set()
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            found |= names(pattern, inner)
        elif isinstance(pattern, URLPattern) and pattern.name:
            found.add(f"{namespace}{pattern.name}")
    return found


def unnamed(resolver: URLResolver | None = None) -> list[str]:
    """The patterns outside the admin that have no name, which nothing in the table could stand for."""
    found: list[str] = []
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            found += [] if pattern.namespace == "admin" else unnamed(pattern)
        elif not pattern.name:
            found.append(str(pattern.pattern))
    return found


def test_the_table_names_exactly_the_urls_that_there_are():
    assert {name for name in names() if not name.startswith("admin:")} == set(PAGES)
    assert unnamed() == []


def paths(newsroom) -> dict[str, str]:
    """An address for every name, of things that exist."""
    release = newsroom.armed()
    story = release.story
    by_uid = {"uid": story.uid}
    said = {"revision": release.revision, "by": newsroom.lawyer}
    comment = remarks.comment(story=story, anchor=None, text="Why today?", **said)
    headline = anchors.make(release.revision.content, "headline", None, 0, 3)
    suggestion = remarks.suggest(anchor=headline, replacement="Fine", **said)
    route, desk = newsroom.route, newsroom.legal
    step = {"pk": route.pk, "step": route.steps.all()[0].pk}
    office = PrivateOffice.objects.create(match="role", name="Mayor", desk=desk)
    receiver = receivers.add(name="Wire", kind="webhook", url="https://hooks.example/")
    delivering.write(event="release", release=release, cause="announcement:1")
    freeze = releasing.freeze(
        by=newsroom.officer,
        organisation=Organisation.objects.get(slug="rivers"),
        since=datetime.now(UTC) + timedelta(days=400),
        until=datetime.now(UTC) + timedelta(days=401),
        reason="Election",
    )
    bundle = bundling.make(by=newsroom.officer, name="Report")
    grant = given(newsroom, release)
    subscriber = Subscriber.objects.create(email="reader@paper.example")
    arguments = {
        "story": {"slug": release.revision.slug},
        "story_text": {"slug": release.revision.slug, "form": "md"},
        "archive_year": {"year": "2026"},
        "archive_month": {"year": "2026", "month": "01"},
        **{
            name: {"slug": "bridges"}
            for name in PAGES
            if name == "type" or name.split("_")[0] in {"topic", "organisation", "person"}
        },
        "media": {"name": "0" * 64 + ".png"},
        "staff_media": {"name": "0" * 64 + ".png"},
        "house_logo": {"name": "0" * 64 + ".png"},
        "house_style": {"digest": "0" * 32},
        "house_preview_style": {"scheme": "dark", "accent": "86c3ce"},
        "story_revision": {**by_uid, "number": 1},
        "revision_restore": {**by_uid, "number": 1},
        "comment_resolve": {**by_uid, "pk": comment.pk},
        "suggestion_take": {**by_uid, "pk": suggestion.pk},
        "suggestion_decline": {**by_uid, "pk": suggestion.pk},
        **{
            name: {**by_uid, "step": newsroom.step(story, newsroom.legal).pk}
            for name in ("story_decide", "story_take", "story_let_go")
        },
        "story_take_back": {**by_uid, "decision": story.decisions.earliest("pk").pk},
        "deputy_end": {"number": 1},
        "mail_message": {"name": "0" * 32},
        **{name: {"pk": route.pk} for name in PAGES if name.startswith("route_") and name != "route_new"},
        **{name: {"pk": desk.pk} for name in ("desk_page", "desk_save", "desk_remove", "office_add")},
        "step_change": step,
        "step_move": step,
        "step_remove": step,
        "route": {"pk": route.pk},
        "step_add": {"pk": route.pk},
        "desk_person_add": {"pk": desk.pk, "user": newsroom.nobody.pk},
        "desk_person_remove": {"pk": desk.pk, "user": newsroom.nobody.pk},
        "office_remove": {"pk": desk.pk, "office": office.pk},
        "subscribe_confirm": {"token": subscribing.confirm_path("reader@paper.example").split("/")[2]},
        "subscribe_choices": {"token": subscribing.choices_path(subscriber).split("/")[3]},
        "unsubscribe": {"token": subscribing.unsubscribe_path(subscriber).split("/")[2]},
        "bundle": {"bundle": bundle.pk},
        "freeze_end": {"freeze": freeze.pk},
        "embargoed": {"token": token_of(grant)},
        "embargoed_media": {"token": token_of(grant), "name": "0" * 64 + ".png"},
        "copy_revoke": {**by_uid, "copy": grant.pk},
        "delivery_again": {"pk": Delivery.objects.get().pk},
        **{name: {"pk": receiver.pk} for name in PAGES if name.startswith("receiver_") or name == "receiver"},
        "account_reset_password_from_key": {"uidb36": "1", "key": "a-b"},
    }
    found = {}
    for name in PAGES:
        try:
            found[name] = reverse(name, kwargs=arguments.get(name, {}))
        except NoReverseMatch:
            found[name] = reverse(name, kwargs=by_uid)
    for name in names():
        if name.startswith("admin:"):
            try:
                found[name] = reverse(name)
            except NoReverseMatch:
                found[name] = reverse("admin:index")
    return found


def people(newsroom) -> dict[str, object]:
    return {
        "drafter": newsroom.drafter,
        "clearer": newsroom.lawyer,
        "duty officer": newsroom.officer,
        "route manager": person("priya", "Priya Anand", Role.MANAGER),
        "administrator": newsroom.administrator,
        "nobody": newsroom.nobody,
    }


def answered(client: Client, method: str, path: str) -> str:
    """What somebody meets: sent to sign in, refused, or let through to the view."""
    response = getattr(client, method)(path)
    if response.status_code == 302 and response["Location"].startswith("/accounts/login/"):
        return "sign in"
    if response.status_code == 403:
        return "refused"
    assert response.status_code < 500 or path == "/readyz", (path, response.status_code)
    return "let through"


def expected(name: str, user: object | None, method: str) -> str:
    """What the table says that somebody meets."""
    audience = audience_of(name, method.upper())
    if audience is None:
        return "let through"
    if user is None:
        return "sign in"
    return "let through" if audience & roles_of(user) else "refused"


def said_by_the_view(name: str) -> set[str]:
    """What a view itself may answer to those who are let through to it."""
    if name.startswith("admin:"):
        return {"refused"}  # facts cannot be added, not by anybody
    answers = {
        "account_logout": {"sign in"},
        "account_login": {"sign in"},
        "story_decide": {"refused"},
        "story_take_back": {"refused"},
    }
    return answers.get(name, set())


@pytest.mark.parametrize("method", ["get", "post"])
def test_every_url_answers_every_role_as_the_table_says(newsroom, method):
    addresses = sorted(paths(newsroom).items())
    wrong = []
    for who, user in [("anonymous", None), *people(newsroom).items()]:
        client = Client()
        met: dict[str, str] = {}
        for name, path in addresses:
            if user and not client.session.get("_auth_user_id"):
                client.force_login(user)
            # Many names of the admin have no address without an object, and stand for its first page.
            if path not in met:
                met[path] = answered(client, method, path)
            found, due = met[path], expected(name, user, method)
            if found == due or (due == "let through" and found in said_by_the_view(name)):
                continue
            wrong.append((name, who, due, found))
    assert wrong == []


def test_roles_come_from_groups_desks_and_nothing_else(newsroom):
    assert roles_of(newsroom.drafter) == {Role.DRAFTER}
    assert roles_of(newsroom.lawyer) == {Role.CLEARER}
    assert roles_of(newsroom.officer) == {Role.DUTY_OFFICER}
    assert roles_of(person("priya", "Priya Anand", Role.MANAGER)) == {Role.MANAGER}
    assert roles_of(newsroom.administrator) == {Role.ADMINISTRATOR}
    assert roles_of(newsroom.nobody) == frozenset()


def test_somebody_deactivated_has_no_role(newsroom, as_):
    browser = as_(newsroom.drafter)
    newsroom.drafter.is_active = False
    newsroom.drafter.save()
    assert browser.get("/desk/").status_code == 302


def test_words_that_were_sent_after_the_session_ended_come_back(newsroom, client):
    story = newsroom.draft().story
    page = reverse("story_draft", args=[story.uid])
    typed = {"headline": "Half a thought & more", "csrfmiddlewaretoken": "x", "base": "1"}
    sent = client.post(
        reverse("story_save", args=[story.uid]), typed, headers={"Referer": f"http://testserver{page}"}
    )
    body = sent.content.decode()
    assert sent.status_code == 401
    assert '<h1 id="so">' in body
    assert "Half a thought &amp; more" in body
    assert f"next={page.replace('/', '%2F')}" in body
    assert story.revisions.count() == 1


def test_nobody_is_sent_elsewhere_after_signing_in(newsroom, client):
    story = newsroom.draft().story
    path = reverse("story_save", args=[story.uid])
    sent = client.post(path, {}, headers={"Referer": "https://evil.example/desk/"})
    assert sent["Location"] == "/accounts/login/?next=%2Fdesk%2F"


def test_staff_pages_are_never_cached_or_indexed(newsroom, as_):
    response = as_(newsroom.drafter).get("/desk/")
    assert response["Cache-Control"] == "no-store"
    assert response["X-Robots-Tag"] == "noindex, nofollow"
