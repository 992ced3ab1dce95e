"""The staff's page of copies under embargo."""

import re
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from newsroom import copy_views, embargo, holders, releasing
from newsroom.models import EmbargoGrant, EmbargoRevocation
from stories.models import Team
from tests.newsroom.copying import QUILL, acknowledged, given, move, token_of
from tests.newsroom.test_after_release import ahead

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_broker(settings, monkeypatch):
    monkeypatch.setattr(copy_views.tasks, "send_soon", lambda: None)


def page_of(story) -> str:
    return reverse("story_copies", args=[story.uid])


def words(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", response.content.decode()))


def test_a_copy_is_given_and_revoked(newsroom, as_):
    release = newsroom.armed()
    browser = as_(newsroom.officer)
    assert (
        page_of(release.story)
        in browser.get(reverse("story_release", args=[release.story.uid])).content.decode()
    )
    page = browser.get(page_of(release.story))
    assert "Nobody has a copy" in words(page)
    assert release.moment.public in words(page)
    answer = browser.post(reverse("copy_give", args=[release.story.uid]), {**QUILL, "terms": "From noon."})
    assert answer["Location"] == page_of(release.story)
    grant = EmbargoGrant.objects.get()
    page = browser.get(page_of(release.story))
    assert "The Evening Ledger quill@ledger.example" in words(page)
    assert "not acknowledged yet" in words(page)
    assert "The mail with the link is on its way" in words(page)
    assert token_of(grant) not in page.content.decode()
    revoke = reverse("copy_revoke", args=[release.story.uid, grant.pk])
    browser.post(revoke, {f"revoke{grant.pk}-reason": "Wrong address"})
    page = browser.get(page_of(release.story))
    assert "Revoked by Ines Okoro" in words(page)
    assert "Wrong address" in words(page)


def test_where_each_copy_stands(newsroom, as_):
    release = newsroom.armed()
    grant = given(newsroom, release)
    browser = as_(newsroom.drafter)

    def shown() -> str:
        return words(browser.get(page_of(release.story)))

    holders.send_next()
    assert "mailed at" in shown()
    embargo.open_copy(acknowledgement=acknowledged(grant))
    assert "keeps the embargo Keeps it until" in shown()
    assert "Opened at" in shown()
    move(newsroom, release, ahead(hours=3))
    assert "must acknowledge again Had acknowledged" in shown()
    assert "Opened the earlier copy at" in shown()
    releasing.hold(story=release.story, by=newsroom.officer, reason="Wait")
    assert "on hold Had acknowledged" in shown()
    releasing.unhold(story=release.story, by=newsroom.officer)
    releasing.disarm(story=release.story, by=newsroom.officer, reason="No")
    assert "called off Had acknowledged" in shown()
    releasing.arm(revision=release.revision, by=newsroom.officer, moment=None)
    assert "is public Keeps it until" in shown()


def test_what_is_refused_is_said_and_what_was_typed_comes_back(newsroom, as_):
    release = newsroom.armed()
    browser, give = as_(newsroom.officer), reverse("copy_give", args=[release.story.uid])
    answer = browser.post(give, {**QUILL, "email": "quill"})
    assert answer.status_code == 422
    assert "Enter an address like name@example.com" in words(answer)
    assert "The Evening Ledger" in answer.content.decode()
    given(newsroom, release)
    answer = browser.post(give, QUILL)
    assert answer.status_code == 409
    assert "this address has one of this story already" in words(answer)
    assert "quill@ledger.example" in answer.content.decode()
    grant = EmbargoGrant.objects.get()
    revoke = reverse("copy_revoke", args=[release.story.uid, grant.pk])
    answer = browser.post(revoke, {f"revoke{grant.pk}-reason": " "})
    assert answer.status_code == 422
    assert "Give a reason" in words(answer)
    embargo.revoke(grant=grant, by=newsroom.officer, reason="Gone")
    answer = browser.post(revoke, {f"revoke{grant.pk}-reason": "Twice"})
    assert answer.status_code == 409
    assert "revoked already" in words(answer)
    releasing.disarm(story=release.story, by=newsroom.officer, reason="No")
    answer = browser.post(give, {**QUILL, "email": "other@post.example"})
    assert answer.status_code == 409
    assert "Arm it first" in words(answer)


def test_only_duty_officers_give_and_revoke(newsroom, as_):
    release = newsroom.armed()
    grant = given(newsroom, release)
    paths = [
        reverse("copy_give", args=[release.story.uid]),
        reverse("copy_revoke", args=[release.story.uid, grant.pk]),
    ]
    for somebody in (newsroom.drafter, newsroom.lawyer, newsroom.administrator):
        browser = as_(somebody)
        assert "Only duty officers give and revoke copies" in words(browser.get(page_of(release.story)))
        assert [browser.post(path, QUILL).status_code for path in paths] == [403, 403]
    assert not EmbargoRevocation.objects.exists()


def test_the_copies_of_a_story_that_does_not_exist_for_somebody_do_not_either(newsroom, as_):
    team = Team.objects.create(name="Inner circle")
    team.members.add(newsroom.drafter)
    release = newsroom.armed(team=team)
    grant = given(newsroom, release)
    other = newsroom.armed(slug="other")
    browser = as_(newsroom.officer)
    revoke = reverse("copy_revoke", args=[release.story.uid, grant.pk])
    for answer in (
        browser.get(page_of(release.story)),
        browser.post(reverse("copy_give", args=[release.story.uid]), QUILL),
        browser.post(revoke, {f"revoke{grant.pk}-reason": "x"}),
        browser.post(
            reverse("copy_revoke", args=[other.story.uid, grant.pk]), {f"revoke{grant.pk}-reason": "x"}
        ),
    ):
        assert answer.status_code == 404
    assert not EmbargoRevocation.objects.exists()


def test_three_copies_take_as_many_queries_as_one(newsroom, as_):
    release = newsroom.armed()
    browser = as_(newsroom.officer)

    def counted() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert browser.get(page_of(release.story)).status_code == 200
        return len(found)

    embargo.open_copy(acknowledgement=acknowledged(given(newsroom, release)))
    counted()
    one = counted()
    for number in range(2):
        grant = given(newsroom, release, email=f"{number}@post.example")
        embargo.open_copy(acknowledgement=acknowledged(grant))
        embargo.revoke(grant=grant, by=newsroom.officer, reason="Gone")
    assert counted() == one


def test_the_list_has_pages(newsroom, as_, monkeypatch):
    monkeypatch.setattr(copy_views, "COPIES_A_PAGE", 2)
    release = newsroom.armed()
    for number in range(3):
        given(newsroom, release, email=f"{number}@post.example")
    browser = as_(newsroom.officer)
    first = words(browser.get(page_of(release.story)))
    second = words(browser.get(f"{page_of(release.story)}?{urlencode({'page': 2})}"))
    assert ("2@post.example" in first, "0@post.example" in first) == (True, False)
    assert "0@post.example" in second
