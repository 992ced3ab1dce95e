"""The admin of release: the list of subscribers is kept there, and nothing that happened can be changed."""

from datetime import timedelta

import pytest
from django.urls import reverse

from newsroom import alarming, preflight, probing, releasing
from newsroom.models import Delivery, Digest, DigestDay, Disarm, Heartbeat, Hold, Release, Subscriber
from stories import drafting
from stories.clocks import database_now
from stories.models import Team

pytestmark = pytest.mark.django_db

MODELS = ["release", "disarm", "hold", "holdlift", "announcement", "visibility", "releasesignoff", "delivery"]
MODELS += ["preflight", "probe", "lookout", "alarm", "digest"]


def page(model: str, what: str, *arguments: object) -> str:
    return reverse(f"admin:newsroom_{model}_{what}", args=arguments)


def test_subscribers_are_added_and_changed(newsroom, as_):
    browser = as_(newsroom.administrator)
    browser.post(page("subscriber", "add"), {"email": "editor@paper.example", "active": "on"})
    subscriber = Subscriber.objects.get()
    browser.post(page("subscriber", "change", subscriber.pk), {"email": "desk@paper.example"})
    subscriber.refresh_from_db()
    assert (subscriber.email, subscriber.active) == ("desk@paper.example", False)


def test_one_address_is_on_the_list_once_however_it_is_written(newsroom, as_):
    Subscriber.objects.create(email="editor@paper.example")
    response = as_(newsroom.administrator).post(page("subscriber", "add"), {"email": "Editor@Paper.example"})
    assert "This address is on the list." in response.content.decode()
    assert Subscriber.objects.count() == 1


@pytest.fixture
def everything(newsroom) -> Release:
    """A row in every table."""
    Subscriber.objects.create(email="editor@paper.example")
    Heartbeat.objects.create(name="sweep", at="2026-01-01T00:00Z")
    disarmed = newsroom.armed(slug="disarmed")
    preflight.check_now(story=disarmed.story, by=newsroom.officer)
    releasing.disarm(story=disarmed.story, by=newsroom.officer, reason="Wrong day.")
    revision = newsroom.cleared()
    releasing.hold(story=revision.story, by=newsroom.officer, reason="Wait.")
    releasing.unhold(story=revision.story, by=newsroom.officer)
    release = releasing.arm(revision=revision, by=newsroom.officer, moment=None)
    releasing.announce(release_id=release.pk, worker="test")
    probing.note(release=release, look=probing.Look(404, "the page answered 404, not 200"), worker="test")
    alarming.write()
    now = database_now()
    day = DigestDay.objects.create(day=now.date(), since=now - timedelta(days=1), until=now)
    Digest.objects.create(day=day, recipient="reader@paper.example")
    return release


@pytest.mark.parametrize("model", [*MODELS, "heartbeat"])
def test_what_happened_can_be_looked_at_and_nothing_else(newsroom, as_, everything, model):
    browser = as_(newsroom.administrator)
    listed = browser.get(page(model, "changelist"))
    assert listed.status_code == 200
    row = listed.context["cl"].result_list[0]
    shown = page(model, "change", row.pk)
    assert browser.get(shown).status_code == 200
    assert browser.get(page(model, "add")).status_code == 403
    assert browser.post(shown, {"reason": "other"}).status_code == 403
    assert browser.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert browser.post(
        page(model, "changelist"), {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"}
    ).status_code in {200, 302, 403}
    row.refresh_from_db()


def test_a_story_of_another_team_leaves_no_trace(newsroom, as_):
    Subscriber.objects.create(email="editor@paper.example")
    newsroom.officer.teams.add(team := Team.objects.create(name="Budget"))
    release = newsroom.armed()
    drafting.limit(story=release.story, by=newsroom.officer, team=team)
    releasing.hold(story=release.story, by=newsroom.officer, reason="Canary.")
    browser = as_(newsroom.administrator)
    for model in MODELS:
        listed = browser.get(page(model, "changelist"))
        assert list(listed.context["cl"].result_list) == [], model
    for model, row in (("release", release), ("hold", Hold.objects.get())):
        assert browser.get(page(model, "change", row.pk)).status_code == 302
    assert not Delivery.objects.exists()
    assert not Disarm.objects.exists()
