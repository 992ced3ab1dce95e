"""The proof that what was withdrawn is gone: over HTTP, from a real server."""

from io import BytesIO

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from newsroom import feeds, openapi, releasing
from newsroom.models import Kind
from stories import pictures, renditions
from tests.newsroom.test_public import pictured

pytestmark = pytest.mark.django_db(transaction=True)


def prove(story, live_server, capsys) -> str:
    call_command("prove_withdrawn", str(story.uid), base=live_server.url)
    return capsys.readouterr().out


@pytest.fixture
def asset(live_newsroom):
    file = BytesIO()
    Image.new("RGB", (4, 3), "red").save(file, "PNG")
    file.seek(0)
    asset = pictures.store(file, live_newsroom.drafter)
    renditions.draw(asset)
    return asset


@pytest.fixture
def release(live_newsroom, asset):
    """A public story with a picture, at its second address."""
    first = live_newsroom.public(picture=pictured(asset))
    revision = live_newsroom.edit(first.story, slug="second-address")
    live_newsroom.sign(revision, live_newsroom.legal, live_newsroom.lawyer)
    return releasing.arm(
        revision=revision, by=live_newsroom.officer, moment=None, kind=Kind.MINOR, note="A better address."
    )


@pytest.mark.parametrize("kill", [False, True])
def test_what_is_withdrawn_is_gone_from_every_surface(
    live_newsroom, live_server, release, asset, capsys, kill
):
    releasing.withdraw(story=release.story, by=live_newsroom.officer, reason="Wrong", kill=kill)
    live_newsroom.public(slug="other", headline="Other")
    said = prove(release.story, live_server, capsys)
    status = 410 if kill else 200
    for path in ("/news/footbridge-harrow-weir/", "/news/second-address/"):
        assert f"{status} {path} nothing of it" in said
    for name in (asset.name, *(drawn.name for drawn in asset.renditions.all())):
        assert f"404 /media/{name} nothing of it" in said
    assert f"404 /api/stories/{release.story.uid}/ nothing of it" in said
    for path in (
        "/?page=1",
        "/search/",
        "/search/?q=New+footbridge+opens+at+Harrow+Weir",
        "/feed.atom",
        "/feed.json",
        "/api/stories/",
        "/people/",
        "/corrections/?page=1",
        "/corrections/feed.atom",
        "/sitemap.xml",
    ):
        assert f"200 {path} nothing of it" in said
    assert "It is gone from every one" in said


def test_whatever_is_left_is_named(live_newsroom, live_server, release, capsys, monkeypatch):
    releasing.withdraw(story=release.story, by=live_newsroom.officer, reason="Wrong")
    live_newsroom.public(slug="other", headline=release.revision.headline)
    with pytest.raises(CommandError, match="still to be seen at 26"):
        prove(release.story, live_server, capsys)


def test_every_page_of_the_feeds_is_looked_through(
    live_newsroom, live_server, release, capsys, monkeypatch, settings
):
    settings.SITE_URL = live_server.url
    monkeypatch.setattr(feeds, "FEED_SIZE", 1)
    monkeypatch.setattr(openapi, "PAGE_SIZE", 1)
    releasing.withdraw(story=release.story, by=live_newsroom.officer, reason="Wrong")
    live_newsroom.public(slug="oldest", headline=release.revision.headline)
    live_newsroom.public(slug="other", headline="Other")
    with pytest.raises(CommandError, match="still to be seen at 26"):
        prove(release.story, live_server, capsys)
    said = capsys.readouterr().out
    for path in ("/feed.atom", "/feed.json", "/api/stories/"):
        assert f"200 {path} nothing of it" in said
        assert f"200 {path}?cursor=" in said


def test_what_is_public_is_not_proved_to_be_gone(live_newsroom, live_server, release, capsys):
    with pytest.raises(CommandError, match="not withdrawn, or is public"):
        prove(release.story, live_server, capsys)
    with pytest.raises(CommandError, match="not withdrawn, or is public"):
        prove(live_newsroom.draft(slug="draft").story, live_server, capsys)


def test_a_newsroom_that_does_not_answer_proves_nothing(live_newsroom, release):
    releasing.withdraw(story=release.story, by=live_newsroom.officer, reason="Wrong")
    with pytest.raises(CommandError, match="does not answer"):
        call_command("prove_withdrawn", str(release.story.uid), base="http://127.0.0.1:9")
