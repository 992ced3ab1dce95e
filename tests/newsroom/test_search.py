"""The search: what is found, how it is marked, and that nothing is found before its moment."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.core.management import call_command
from django.db import connections
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsroom import gathering, indexing, releasing, searching
from newsroom.models import Indexed, Kind, Release, Tag, Word
from stories.clocks import database_now
from stories.models import Organisation, Topic
from stories.moments import Moment
from tests.newsroom.test_nothing_early import wait_for

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _broker(settings):
    settings.CELERY_BROKER_URL = "memory://"


def look(client: Client, status: int = 200, **asked: str) -> str:
    response = client.get("/search/", asked)
    assert response.status_code == status
    return response.content.decode()


def found(client: Client, **asked: str) -> list[str]:
    """The addresses of what was found, in its order."""
    return re.findall(r'<h2><a href="/news/([^/]+)/">', look(client, **asked))


def said(client: Client, **asked: str) -> str:
    """The headline of the page."""
    (words,) = re.findall("<h1>(.*?)</h1>", look(client, **asked))
    return words


def paragraph(words: str) -> dict[str, str]:
    return {"kind": "paragraph", "html": f"<p>{words}</p>"}


# What is found


def test_without_a_question_it_shows_the_form_and_the_newest(newsroom, client):
    assert "No news has been published." in look(client)
    newsroom.public(slug="first")
    newsroom.public(slug="second")
    newsroom.armed(slug="third")
    assert found(client) == ["second", "first"]
    assert said(client) == "Search all our news"


@pytest.mark.parametrize(
    "asked",
    [
        "footbridge",
        "FOOTBRIDGES",
        "walkers",
        "wade",
        "Ellingham",
        "secretary of state",
        "metres",
        "Greenways",
        "weir trust",
        '"open day and night"',
        "footbridge -ferry",
        "ferry OR footbridge",
    ],
)
def test_a_story_is_found_by_all_its_words(newsroom, client, asked):
    tags = {"topics": [{"slug": "greenways", "name": "Greenways"}]}
    newsroom.public(organisation={"slug": "weirs", "name": "Weir Trust"}, **tags)
    newsroom.public(
        slug="other", headline="Ferry timetable", summary="Hours.", body=[paragraph("From 8.")], notes=""
    )
    assert "footbridge-harrow-weir" in found(client, q=asked)
    assert said(client, q=asked).startswith(("1 story about “", "2 stories about “"))


@pytest.mark.parametrize(
    "asked", ["ferry", '"night and day"', "footbridge ferry", "the", "-", '"', "!&|<->:*"]
)
def test_it_is_not_found_by_others(newsroom, client, asked):
    newsroom.public()
    assert found(client, q=asked) == []
    assert said(client, q=asked).startswith("No stories about “")


def test_what_stands_in_the_headline_comes_before_what_stands_in_the_body(newsroom, client):
    words = {"headline": "Wildlife", "summary": "News.", "body": [paragraph("Words.")], "notes": ""}
    newsroom.public(**{**words, "slug": "headline", "headline": "Otters return"})
    newsroom.public(**{**words, "slug": "summary", "summary": "Otters return."})
    newsroom.public(**{**words, "slug": "body", "body": [paragraph("Otters return.")]})
    newsroom.public(**{**words, "slug": "notes", "notes": "<p>Otters return.</p>"})
    assert found(client, q="otters") == ["headline", "summary", "body", "notes"]


def test_words_that_are_marked_are_whole(newsroom, client):
    newsroom.public(body=[paragraph("The <strong>salt</strong>marsh &amp; <em>fen</em>.<br>Reed")])
    for asked in ("saltmarsh", "fen", "reed"):
        assert found(client, q=asked) == ["footbridge-harrow-weir"]
    assert found(client, q="amp") == found(client, q="strong") == []


# At its moment, and no longer than it is public


def test_it_is_found_from_its_moment_on(newsroom, client):
    revision = newsroom.cleared()
    moment = Moment(database_now().astimezone(UTC) + timedelta(seconds=1), "Europe/London")
    release = releasing.arm(revision=revision, by=newsroom.officer, moment=moment)
    assert Indexed.objects.filter(release=release).exists()
    assert found(client, q="footbridge") == []
    wait_for(release.embargo)
    assert found(client, q="footbridge") == ["footbridge-harrow-weir"]


def test_what_is_corrected_is_found_by_its_new_words_alone(newsroom, client):
    release = newsroom.public()
    revision = newsroom.edit(release.story, summary="The crossing spares swimmers.")
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    ahead = Moment(database_now().astimezone(UTC) + timedelta(seconds=1), "Europe/London")
    armed = releasing.arm(
        revision=revision, by=newsroom.officer, moment=ahead, kind=Kind.CORRECTION, note="The summary."
    )
    assert (found(client, q="walkers"), found(client, q="swimmers")) == (["footbridge-harrow-weir"], [])
    wait_for(armed.embargo)
    assert (found(client, q="walkers"), found(client, q="swimmers")) == ([], ["footbridge-harrow-weir"])


def test_what_is_withdrawn_is_not_found_at_once(newsroom, client):
    release = newsroom.public()
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Wrong")
    assert found(client, q="footbridge") == found(client) == []


# What narrows it


def test_it_is_narrowed_by_type_topic_organisation_and_day(newsroom, client):
    Organisation.objects.create(name="Weir Society", slug="weirs")
    bridges, rivers = {"slug": "bridges", "name": "Bridges"}, {"slug": "rivers", "name": "Rivers"}
    weirs = {"slug": "weirs", "name": "Weir Society"}
    newsroom.public(slug="one", topics=[bridges], organisation=rivers)
    newsroom.public(slug="two", type="statement", organisation=rivers, partners=[weirs])
    assert found(client, q="footbridge") == ["two", "one"]
    assert found(client, q="footbridge", topic="bridges") == found(client, topic="bridges") == ["one"]
    assert found(client, q="footbridge", type="statement") == ["two"]
    assert found(client, organisation="weirs") == ["two"]
    assert found(client, organisation="rivers") == ["two", "one"]
    today = Moment(database_now().astimezone(UTC), "Europe/London").local.date()
    day = timedelta(days=1)
    assert found(client, since=str(today - day), until=str(today + day)) == ["two", "one"]
    assert found(client, q="footbridge", until=str(today - day)) == []
    assert found(client, since=str(today + 2 * day)) == []
    assert said(client, topic="bridges") == "What fits, the newest first"


def test_only_what_is_public_can_be_chosen(newsroom, client):
    Topic.objects.create(name="Secret plans", slug="secret-plans")
    newsroom.armed(topics=[{"slug": "secret-plans", "name": "Secret plans"}])
    assert "ecret" not in look(client)
    never = look(client, status=400, topic="never-was").replace("never-was", "x")
    assert look(client, status=400, topic="secret-plans").replace("secret-plans", "x") == never


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        ({"q": "x" * 201}, "Search for 200 characters at most"),
        ({"q": "x\x00y"}, "Null characters are not allowed."),
        ({"type": "pamphlet"}, "Choose a type from the list"),
        ({"topic": "'; DROP"}, "Choose a topic from the list"),
        ({"since": "31 February"}, "Write the first day like 2026-03-29"),
        ({"until": "2026-02-31"}, "Write the last day like 2026-03-29"),
        ({"since": "2026-03-02", "until": "2026-03-01"}, "The last day is before the first"),
    ],
)
def test_what_cannot_be_looked_for_is_said(newsroom, client, asked, fault):
    newsroom.public()
    page = look(client, status=400, **asked)
    (field,) = list(asked)[-1:]
    assert f'<a href="#{field}">{fault}</a>' in page
    assert f'id="{field}" name="{field}"' in page
    assert "Error: Search" in page
    # What was typed is still there, as far as a form can hold it.
    if field in {"since", "until"}:
        assert f'name="{field}" type="text" value="{asked[field]}"' in page


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_first_and_the_last_day_there_are(newsroom, client, day):
    newsroom.public()
    assert found(client, since=day) in ([], ["footbridge-harrow-weir"])
    assert found(client, until=day) in ([], ["footbridge-harrow-weir"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(q=st.text(max_size=60), more=st.text(max_size=20), page=st.sampled_from(["", "1"]))
def test_whatever_is_typed_is_answered(newsroom, q, more, page):
    if not Release.objects.exists():
        newsroom.public()
    query = {"q": q, "topic": more[:3], "since": more, **({"page": page} if page else {})}
    clean = {"q": q.encode("utf-8", "replace").decode()}
    for asked in (query, clean):
        encoded = urlencode({key: value.encode("utf-8", "replace") for key, value in asked.items()})
        assert Client().get(f"/search/?{encoded}").status_code in {200, 400}


# How it is shown


def test_what_was_looked_for_is_marked(newsroom, client):
    far = paragraph("Water. " * 200 + "An otter was seen on Monday. " + "Water. " * 200)
    newsroom.public(headline="Otters return", body=[far])
    page = look(client, q="otter")
    assert "<mark>Otters</mark> return</a>" in page
    assert "<mark>otter</mark> was seen on Monday" in page


def test_no_sign_of_a_story_becomes_an_element(newsroom, client):
    nasty = "&lt;script&gt;alert(1)&lt;/script&gt; otter &lt;b&gt; \x02otter\x03 &amp;lt;"
    newsroom.public(
        headline="<img src=x onerror=alert(2)> otter <mark>",
        summary="</p><script> otter",
        body=[paragraph(nasty)],
    )
    for page in (look(client, q="otter"), look(client)):
        assert "<script" not in page
        assert "<img" not in page
        assert page.count("<mark>") == page.count("</mark>")
        assert "\x02" not in page
    assert "&lt;img src=x onerror=alert(2)&gt;" in look(client)
    page = look(client, q='"><script>alert(3)</script>')
    assert "<script" not in page


def test_it_comes_in_pages(newsroom, client, monkeypatch):
    monkeypatch.setattr("newsroom.search_views.PAGE_SIZE", 2)
    for number in range(5):
        newsroom.public(slug=f"story-{number}")
    asked = {"q": "footbridge", "type": "news-story"}
    assert found(client, **asked) == ["story-4", "story-3"]
    page = look(client, **asked)
    assert "5 stories about “footbridge”" in page
    (older,) = re.findall(r'<a href="([^"]+)" rel="next">', page)
    assert older == "/search/?q=footbridge&amp;type=news-story&amp;page=2"
    assert found(client, **asked, page="3") == ["story-0"]
    (newer,) = re.findall(r'<a href="([^"]+)" rel="prev">', look(client, **asked, page="2"))
    assert newer == "/search/?q=footbridge&amp;type=news-story"
    assert client.get("/search/", {**asked, "page": "4"}).status_code == 404
    assert client.get("/search/", {"page": "4"}).status_code == 404
    assert client.get("/search/", {**asked, "page": "x"}).status_code == 404


def test_of_very_many_the_newest_are_shown_and_that_is_said(newsroom, client, monkeypatch):
    monkeypatch.setattr(searching, "MOST", 2)
    for number in range(3):
        newsroom.public(slug=f"story-{number}")
    assert found(client, q="footbridge") == ["story-2", "story-1"]
    assert said(client, q="footbridge") == "At least 2 stories about “footbridge”"
    assert "Only the newest 2 of them are shown" in look(client, q="footbridge")


def test_a_page_takes_as_many_queries_for_many(newsroom, client, django_assert_num_queries):
    for number in range(3):
        newsroom.public(slug=f"story-{number}", topics=[{"slug": "bridges", "name": "Bridges"}])
        with django_assert_num_queries(4):
            look(client, q="footbridge")
        with django_assert_num_queries(3):
            look(client)


# Words that are spelt wrongly


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("fotbridge", "footbridge"),
        ("footbrigde opens", "footbridge opens"),
        ("Harow Weer", "harrow weir"),
        ('"new footbrige"', '"new footbridge"'),
    ],
)
def test_it_says_what_may_have_been_meant(newsroom, client, asked, meant):
    newsroom.public()
    page = look(client, q=asked)
    expected = urlencode({"q": meant})
    assert f'Did you mean <a href="/search/?{expected}">' in page
    assert found(client, q=meant) == ["footbridge-harrow-weir"]


def test_nothing_is_said_where_nothing_is_alike(newsroom, client):
    newsroom.public()
    for asked in ("xylophone", "qq", "foot", "!", "footbridge xylophone"):
        assert "Did you mean" not in look(client, q=asked)


def test_what_is_not_public_is_never_meant(newsroom, client):
    newsroom.public(headline="Otters return", slug="otters")
    before = look(client, q="Canaryhaedline")
    newsroom.armed(headline="Canaryheadline otterz", slug="armed")
    withdrawn = newsroom.public(headline="Canaryheadlines", slug="gone")
    releasing.withdraw(story=withdrawn.story, by=newsroom.officer, reason="Wrong")
    assert Word.objects.filter(word="canaryheadline").exists()
    assert look(client, q="Canaryhaedline") == before
    assert "Did you mean" not in before
    assert '<a href="/search/?q=otters">' in look(client, q="ottersz")


# What is kept for it


def test_what_is_kept_follows_from_what_was_released(newsroom):
    release = newsroom.public(topics=[{"slug": "bridges", "name": "Bridges"}])
    newsroom.armed(slug="armed")
    assert list(indexing.differences()) == []
    assert set(Tag.objects.filter(release=release).values_list("kind", "slug", "name")) == {
        ("type", "news-story", "news-story"),
        ("topic", "bridges", "Bridges"),
        ("person", "mara-ellingham", "Mara Ellingham"),
    }
    assert Indexed.objects.get(release=release).vocabulary == ["footbridge", "harrow", "new", "opens", "weir"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "tampering",
    [
        "DELETE FROM newsroom_indexed",
        "UPDATE newsroom_indexed SET words = to_tsvector('english', 'another')",
        "DELETE FROM newsroom_tag WHERE kind = 'type'",
        "UPDATE newsroom_tag SET slug = 'another' WHERE slug = 'bridges'",
        "UPDATE newsroom_tag SET name = 'Another' WHERE slug = 'bridges'",
    ],
)
def test_what_was_tampered_with_is_named_and_mended(live_newsroom, capsys, tampering):
    release = live_newsroom.public(topics=[{"slug": "bridges", "name": "Bridges"}])
    with connections["owner"].cursor() as cursor:
        cursor.execute(tampering)
    sentence = f"story {release.story.uid}: release {release.pk} is not found by its own words"
    assert list(indexing.differences()) == [sentence]
    call_command("rebuild_visibility")
    assert sentence in capsys.readouterr().out
    assert list(indexing.differences()) == []
    assert found(Client(), q="footbridge") == ["footbridge-harrow-weir"]


def test_a_very_long_story_can_be_armed_and_is_found(newsroom, client):
    words = " ".join(f"wörd{number}ßß" for number in range(40_000))
    newsroom.public(body=[paragraph(words), paragraph("otter")], headline="Otters " + "x" * 3000)
    assert found(client, q="wörd17ßß") == ["footbridge-harrow-weir"]
    assert found(client, q="otters") == ["footbridge-harrow-weir"]


def test_days_begin_at_midnight_of_the_press_office(settings):
    settings.PRESS_OFFICE_ZONE = "Pacific/Auckland"
    day = datetime(2026, 1, 2, tzinfo=UTC).date()
    assert gathering.day_begins(day) == datetime(2026, 1, 1, 11, tzinfo=UTC)
    assert gathering.day_begins(day, 1) == datetime(2026, 1, 2, 11, tzinfo=UTC)
