"""The pages of what people said: every quote with its story and the role at the time, of what is public."""

import re
from datetime import timedelta

import feedparser
import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from newsroom import archive_views, indexing, people, releasing
from newsroom.models import Kind, Release, Tag, TagKind

pytestmark = pytest.mark.django_db

SITE = django_settings.SITE_URL
MARA = "/people/mara-ellingham/"
STORY = "/news/footbridge-harrow-weir/"


@pytest.fixture(autouse=True)
def _broker(settings):
    settings.CELERY_BROKER_URL = "memory://"


def quote(words: str, speaker: str = "Mara Ellingham", role: str = "Secretary of State") -> dict:
    return {"kind": "quote", "html": f"<p>{words}</p>", "speaker": speaker, "role": role}


def said(client: Client, path: str = MARA) -> list[tuple[str, str, str]]:
    """The quotes of a page: the words, the role, and where they stand."""
    response = client.get(path)
    assert response.status_code == 200
    return re.findall(
        r"<blockquote><p>([^<]*)</p></blockquote>\s*<figcaption><span>([^<]*)</span>"
        r' <a class="copy" href="([^"]*)">',
        response.content.decode(),
    )


# Addresses


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Mara Ellingham", "mara-ellingham"),
        ("  MARA\u00a0 ellingham\u200b", "mara-ellingham"),
        ("Siân O’Neill-Großmann", "sian-oneill-grossmann"),
        ("Łukasz Bjørn Æsir", "lukasz-bjorn-aesir"),
        ("Jean–Luc (acting)", "jean-luc-acting"),
        ("Sir Tom Ashdown KC", "sir-tom-ashdown-kc"),
        ("李明", "aa227102842b"),
        ("Иван Petrov", "petrov-1370f2f04d29"),
        ("—", ""),
        ("", ""),
        ("a" * 201, ""),
    ],
)
def test_an_address_follows_from_the_name(name, slug):
    assert people.slug_of(name) == slug
    assert people.page_of(name) == (f"/people/{slug}/" if slug else "")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0", max_codepoint=0x2FFF), max_size=60
    )
)
@example("ẞß æÆ œŒ þÞ øØ łŁ đĐ ðÐ ħĦ ŋŊ ŧŦ ıI İ ǅ ﬁ ½ ’'ʼ‘")
def test_python_and_postgresql_spell_names_alike(db, name):
    with connection.cursor() as cursor:
        cursor.execute("SELECT person_slug(%s)", [name])
        assert cursor.fetchone()[0] == people.slug_of(name)


# What a person said


def test_every_quote_with_its_story_and_the_role_at_the_time(newsroom, client):
    newsroom.public(
        slug="one", headline="First", body=[quote("Before.", role="Minister"), quote("No.", "Tom")]
    )
    newsroom.public(
        slug="two", headline="Second", body=[quote("Theirs.", "Tom"), quote("After."), quote("Again.")]
    )
    assert said(client) == [
        ("After.", "Secretary of State", "/news/two/#quote-2"),
        ("Again.", "Secretary of State", "/news/two/#quote-3"),
        ("Before.", "Minister", "/news/one/#quote-1"),
    ]
    html = client.get(MARA).content.decode()
    assert "<h1>Mara Ellingham</h1>" in html
    assert '<p class="label">Person</p>' in html
    assert f'<link rel="canonical" href="{SITE}{MARA}">' in html
    assert re.findall(r'<h4><a href="([^"]+)">([^<]+)', html) == [
        ("/news/two/", "Second"),
        ("/news/one/", "First"),
    ]
    assert "Theirs." not in html


def test_a_story_leads_to_its_speakers(newsroom, client):
    newsroom.public(body=[quote("One."), quote("Two.", "—")])
    html = client.get(STORY).content.decode()
    assert f'<b><a href="{MARA}">Mara Ellingham</a></b>' in html
    assert "<b>—</b>" in html
    assert client.get(MARA).status_code == 200


def test_a_proof_leads_nowhere(newsroom, as_):
    revision = newsroom.submitted()
    html = as_(newsroom.lawyer).get(f"/desk/stories/{revision.story.uid}/clearing/").content.decode()
    assert "<b>Mara Ellingham</b>" in html
    assert MARA not in html


def test_only_what_is_public_leaves_a_trace(newsroom, client):
    never = client.get("/people/never/")
    newsroom.draft(slug="draft")
    newsroom.cleared(slug="cleared")
    newsroom.armed(slug="armed")
    held = newsroom.armed(slug="held", ahead=timedelta(milliseconds=300))
    releasing.hold(story=held.story, by=newsroom.officer, reason="Wait")
    for slug, kill in (("withdrawn", False), ("killed", True)):
        gone = newsroom.public(slug=slug)
        assert len(said(client)) == 1
        releasing.withdraw(story=gone.story, by=newsroom.officer, reason="Wrong", kill=kill)
    assert never.status_code == 404
    for path in (MARA, f"{MARA}feed.atom", f"{MARA}feed.json"):
        found = client.get(path)
        assert (found.status_code, dict(found.headers), found.content) == (
            404,
            dict(never.headers),
            never.content,
        )
    assert "Nobody has been quoted." in client.get("/people/").content.decode()
    newsroom.public(slug="public")
    assert [where for _, _, where in said(client)] == ["/news/public/#quote-1"]


def correct(newsroom, release: Release, **changes) -> Release:
    revision = newsroom.edit(release.story, **changes)
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    if any(block["kind"] == "quote" for block in revision.content["body"]):
        newsroom.sign(revision, newsroom.private_office, newsroom.secretary)
    return releasing.arm(
        revision=revision, by=newsroom.officer, moment=None, kind=Kind.CORRECTION, note="A quote was wrong."
    )


def test_a_correction_that_removes_a_quote_removes_it_here(newsroom, client):
    release = newsroom.public(body=[quote("Wrong."), quote("Right.")])
    tag = client.get(STORY)["ETag"]
    assert len(said(client)) == 2
    correct(newsroom, release, body=[quote("Right.")])
    assert said(client) == [("Right.", "Secretary of State", f"{STORY}#quote-1")]
    assert client.get(STORY)["ETag"] != tag
    latest = Release.objects.public().get()
    correct(newsroom, latest, body=[{"kind": "paragraph", "html": "<p>Nobody said anything.</p>"}])
    assert client.get(MARA).status_code == 404


def test_a_person_has_pages_and_as_many_queries_for_many(
    newsroom, client, monkeypatch, django_assert_num_queries
):
    for number in range(3):
        newsroom.public(slug=f"story-{number}", body=[quote("One."), quote("Two.")])
        for path, queries in ((MARA, 2), (f"{MARA}feed.atom", 2), (f"{MARA}feed.json", 2), ("/people/", 1)):
            with django_assert_num_queries(queries):
                assert client.get(path).status_code == 200
        # What it is now, its words, and the savepoint in which the first is asked once more.
        with django_assert_num_queries(4):
            client.get(f"/news/story-{number}/")
    monkeypatch.setattr(archive_views, "PAGE_SIZE", 2)
    assert [where for _, _, where in said(client, f"{MARA}?page=2")] == [
        "/news/story-0/#quote-1",
        "/news/story-0/#quote-2",
    ]
    for number in ("3", "0", "x"):
        assert client.get(f"{MARA}?page={number}").status_code == 404


def test_what_somebody_says_cannot_be_had_by_mail_and_is_not_offered(newsroom, client):
    newsroom.public()
    assert "/subscribe/?" not in client.get(MARA).content.decode()


def test_a_person_has_feeds(newsroom, client):
    newsroom.public()
    newsroom.public(slug="other", body=[quote("Mine.", "Tom")])
    feed = feedparser.parse(client.get(f"{MARA}feed.atom").content)
    assert feed.feed.title == f"{django_settings.ORGANISATION}: Mara Ellingham"
    assert [entry.link for entry in feed.entries] == [f"{SITE}{STORY}"]
    found = client.get(f"{MARA}feed.json").json()
    assert (found["home_page_url"], len(found["items"])) == (SITE + MARA, 1)


def test_what_was_stored_past_the_sanitiser_is_not_shown(newsroom, client):
    newsroom.public(body=[{**quote(""), "html": "<p>Words<script>alert(1)</script></p>", "role": "<b>x</b>"}])
    html = client.get(MARA).content.decode()
    assert "<p>Words</p>" in html
    assert "alert(1)" not in html
    assert "&lt;b&gt;x&lt;/b&gt;" in html


# Who there is


def names(client: Client, path: str = "/people/") -> list[str]:
    html = client.get(path).content.decode()
    return re.findall(r'<a href="/people/[^/]+/">([^<]+)</a>', html[html.index("<main") :])


def test_everybody_who_is_quoted_in_public_has_a_place(newsroom, client, monkeypatch):
    newsroom.armed(slug="armed", body=[quote("Not yet.", "Aaron Armed")])
    for number, name in enumerate(("Zoe", "Ben", "Siân", "Ada", "Ben")):
        newsroom.public(slug=f"story-{number}", body=[quote("Words.", name)])
    assert names(client) == ["Ada", "Ben", "Siân", "Zoe"]
    monkeypatch.setattr(archive_views, "PEOPLE", 2)
    assert names(client) == ["Ada", "Ben"]
    assert 'rel="next" href="/people/?after=ben"' in client.get("/people/").content.decode()
    assert names(client, "/people/?after=ben") == ["Siân", "Zoe"]
    assert 'rel="next"' not in client.get("/people/?after=ben").content.decode()
    for after in ("zoe", "A", "a/b", "%00", "a" * 201, "ж"):
        assert client.get("/people/", {"after": after}).status_code == 404


def test_a_person_is_called_as_they_were_last(newsroom, client):
    newsroom.public(slug="one", body=[quote("Words.", "SIAN HALE")])
    newsroom.public(slug="two", body=[quote("Words.", "Siân Hale")])
    newsroom.armed(slug="three", body=[quote("Words.", "sian hale")])
    assert names(client) == ["Siân Hale"]
    assert "<h1>Siân Hale</h1>" in client.get("/people/sian-hale/").content.decode()


# The index


def test_the_index_is_rebuilt_and_held_against_what_was_released(live_newsroom):
    live_newsroom.public()
    mine = Tag.objects.filter(kind=TagKind.PERSON)
    assert list(mine.values_list("slug", "name")) == [("mara-ellingham", "Mara Ellingham")]
    assert list(indexing.differences()) == []
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE newsroom_tag SET slug = 'somebody-else' WHERE kind = 'person'")
    assert len(list(indexing.differences())) == 1
    call_command("rebuild_visibility", database="owner")
    assert list(indexing.differences()) == []


def test_the_predicate_is_the_same_in_sql(newsroom):
    """`is_visible` finds a story public when `visible()` does, whatever became of it."""
    newsroom.armed(slug="armed")
    newsroom.public(slug="public")
    correct(newsroom, newsroom.public(slug="corrected"), slug="corrected-at")
    gone = newsroom.public(slug="gone")
    releasing.withdraw(story=gone.story, by=newsroom.officer, reason="Wrong")
    held = newsroom.armed(slug="held")
    releasing.hold(story=held.story, by=newsroom.officer, reason="Wait")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT v.release_id FROM newsroom_visibility v, release_clock() clock WHERE is_visible(v, clock)"
        )
        found = {row[0] for row in cursor.fetchall()}
    assert found == set(Release.objects.public().values_list("pk", flat=True))
    assert len(found) == 2
    assert len(people.quoted("", 100)) == 1
