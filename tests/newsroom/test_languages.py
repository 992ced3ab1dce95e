"""The public pages in Welsh, stories in Welsh, and the ways from a story to its translation."""

import json
import re
from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import fromstring

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from newsroom import catalogues, keeping, public, releasing, sitemaps
from newsroom.models import Release
from stories import translating
from tests.newsroom.test_nothing_early import wait_for

pytestmark = pytest.mark.django_db
SITE = settings.SITE_URL
WELSH = {
    "language": "cy",
    "slug": "pont-droed",
    "headline": "Pont droed newydd yng Nghored Harrow",
    "summary": "Mae’r bont yn arbed dwy filltir i gerddwyr.",
}
HREFLANG = re.compile(r'<link rel="alternate" hreflang="([\w-]+)" href="([^"]+)">')
PAGES = (
    "/cy/",
    "/cy/archive/",
    "/cy/archive/{year}/",
    "/cy/archive/{month}/",
    "/cy/types/news-story/",
    "/cy/topics/bridges/",
    "/cy/organisations/rivers/",
    "/cy/people/",
    "/cy/people/mara-ellingham/",
    "/cy/corrections/",
    "/cy/search/",
    "/cy/search/?q=footbridge",
    "/cy/search/?q=nowhere",
    "/cy/search/?since=never",
    "/cy/subscribe/",
    "/cy/about/",
    "/cy/nowhere/",
)


def both(newsroom, ahead: timedelta | None = None) -> tuple[Release, Release]:
    """An English story that is public, and its Welsh translation: public too, or armed."""
    original = newsroom.public()
    revision = newsroom.cleared(**WELSH, translates=original.story)
    moment = None if ahead is None else newsroom.moment(ahead)
    return original, releasing.arm(revision=revision, by=newsroom.officer, moment=moment)


def read(path: str, **headers: str) -> str:
    return Client().get(path, headers=headers).content.decode()


def languages_of(page: str) -> dict[str, str]:
    return dict(HREFLANG.findall(page))


# The pages in Welsh


def test_every_page_is_there_in_welsh_and_says_nothing_in_english(newsroom):
    bridges, rivers = {"slug": "bridges", "name": "Pontydd"}, {"slug": "rivers", "name": "Afonydd"}
    newsroom.public(**{**WELSH, "headline": "Footbridge"}, topics=[bridges], organisation=rivers)
    now = datetime.now(UTC)
    welsh = next(kept for kept in catalogues.catalogues() if kept.language == "cy")
    english = {
        message.words
        for message, said in welsh.said.items()
        if message.words not in said and len(message.words) > 4
    }
    for path in PAGES:
        page = read(path.format(year=now.year, month=f"{now:%Y/%m}"))
        assert '<html lang="cy" dir="ltr">' in page, path
        shown = set(re.findall(r"[^<>]+", page)) | set(re.findall(r'="([^"]+)"', page))
        assert {text.strip() for text in shown} & english == set(), path
        assert "Y diweddaraf" in page


def test_each_page_leads_to_itself_in_the_other_language(newsroom):
    newsroom.public(topics=[{"slug": "bridges", "name": "Bridges"}])
    for path in ("/", "/archive/", "/topics/bridges/", "/search/", "/about/", "/people/", "/subscribe/"):
        here, there = read(path), read(f"/cy{path}")
        assert (
            languages_of(here) == languages_of(there) == {"en-GB": f"{SITE}{path}", "cy": f"{SITE}/cy{path}"}
        )
        assert f'<a href="/cy{path}" lang="cy" hreflang="cy">Cymraeg</a>' in here
        assert f'<a href="{path}" lang="en-GB" hreflang="en-GB">English</a>' in there


def test_links_stay_in_the_language_and_stories_have_one_address(newsroom):
    newsroom.public()
    page = read("/cy/")
    links = set(re.findall(r'<a [^>]*href="(/[^"]*)"', page)) - {"/"}
    assert {link for link in links if not link.startswith("/cy/")} == {"/news/footbridge-harrow-weir/"}
    assert Client().get("/cy/news/footbridge-harrow-weir/").status_code == 404


def test_a_page_goes_by_its_address_and_by_nothing_of_who_asks(newsroom):
    newsroom.public()
    for path in ("/", "/cy/", "/news/footbridge-harrow-weir/"):
        plain = Client().get(path)
        client = Client()
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = "cy"
        asked = client.get(path, headers={"Accept-Language": "cy, fr;q=0.5"})
        assert asked.content == plain.content
        assert asked["ETag"] == plain["ETag"]
        assert "Language" not in plain.get("Vary", "")
        assert not plain.cookies


def test_words_in_another_language_than_the_page_say_so(newsroom):
    newsroom.public(**WELSH)
    newsroom.public(slug="second")
    english, welsh = read("/"), read("/cy/")
    assert f'<h4 lang="cy"><a href="/news/pont-droed/">{WELSH["headline"]}</a></h4>' in english
    assert '<h2><a href="/news/second/">' in english
    assert '<h4><a href="/news/pont-droed/">' in welsh
    assert '<h2 lang="en-GB"><a href="/news/second/">' in welsh
    assert '<h2 lang="cy"><a href="/news/pont-droed/">' in read("/search/?q=Pont")


def test_what_is_related_says_its_language_where_that_is_another(newsroom):
    bridges = [{"slug": "bridges", "name": "Bridges"}]
    newsroom.public(**WELSH, topics=bridges)
    newsroom.public(slug="second", topics=bridges)
    english, welsh = read("/news/second/"), read("/news/pont-droed/")
    assert f'<h3 lang="cy"><a href="/news/pont-droed/">{WELSH["headline"]}</a></h3>' in english
    assert '<h3 lang="en-GB"><a href="/news/second/">' in welsh
    newsroom.public(slug="third", topics=bridges)
    assert '<h3><a href="/news/second/">' in read("/news/third/")


def test_lists_take_as_many_queries_in_welsh(newsroom):
    for number in range(3):
        newsroom.public(slug=f"story-{number}")
    for path in ("/", "/archive/", "/search/", "/subscribe/", "/corrections/"):
        told = []
        for place in (path, f"/cy{path}"):
            with CaptureQueriesContext(connection) as asked:
                Client().get(place)
            told.append(len(asked))
        assert told[0] == told[1], path


def test_staff_pages_are_in_english_and_have_no_welsh_address(newsroom, as_):
    assert Client().get("/cy/desk/").status_code == 404
    page = as_(newsroom.drafter).get("/desk/", headers={"Accept-Language": "cy"}).content.decode()
    assert '<html lang="en' in page


# Stories in Welsh


def test_a_story_in_welsh_has_welsh_words_round_it(newsroom):
    newsroom.public(**WELSH)
    page = read("/news/pont-droed/")
    assert '<html lang="cy" dir="ltr">' in page
    assert '<article class="newsroom article" lang="cy">' in page
    for said in ("Diwedd", "Nodiadau i olygyddion", "Cyhoeddwyd", "Stori newyddion", "Y diweddaraf", "dydd "):
        assert said in page
    assert "Ends" not in page
    assert '<meta property="og:locale" content="cy_GB">' in page
    data = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page)[1])
    assert (data["inLanguage"], data["articleSection"]) == ("cy", "Stori newyddion")
    assert languages_of(page) == {}
    for form in ("txt", "md"):
        assert "Diwedd" in read(f"/news/pont-droed.{form}")


def test_after_a_welsh_page_the_next_is_english_again(newsroom):
    newsroom.public(**WELSH)
    newsroom.public(slug="second")
    for _ in range(2):
        assert "Diwedd" in read("/news/pont-droed/")
        assert ">Ends<" in read("/news/second/")


def test_who_clears_it_reads_what_the_public_will(newsroom, as_):
    revision = newsroom.submitted(**WELSH)
    pages = (
        reverse("story_revision", args=[revision.story.uid, 1]),
        reverse("story_clearing", args=[revision.story.uid]),
    )
    for page in (as_(newsroom.lawyer).get(path).content.decode() for path in pages):
        assert '<article class="newsroom article" lang="cy">' in page
        assert "Diwedd" in page
        assert '<html lang="en' in page
    assert '<p class="unseen" lang="en-GB">Language: Cymraeg</p>' in page


def test_programs_are_told_the_language(newsroom):
    newsroom.public(**WELSH)
    assert '<entry xml:lang="cy">' in read("/feed.atom")
    assert "<entry>" in read("/cy/feed.atom")
    assert 'xml:lang="cy"' in read("/cy/feed.atom")
    assert json.loads(read("/feed.json"))["items"][0]["language"] == "cy"
    assert json.loads(read("/api/stories/"))["stories"][0]["language"] == "cy"
    assert "<news:language>cy</news:language>" in read("/news-sitemap.xml")


def test_what_was_withdrawn_says_so_in_its_language(newsroom):
    release = newsroom.public(**WELSH)
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Rhif anghywir", kill=False)
    page = read("/news/pont-droed/")
    assert "Rydym wedi tynnu hwn yn ôl" in page
    assert '<html lang="cy"' in page
    assert 'lang="cy"' in read("/corrections/")


# Translations


def test_two_public_stories_lead_to_each_other(newsroom):
    both(newsroom)
    english, welsh = read("/news/footbridge-harrow-weir/"), read("/news/pont-droed/")
    addresses = {"en-GB": f"{SITE}/news/footbridge-harrow-weir/", "cy": f"{SITE}/news/pont-droed/"}
    assert languages_of(english) == languages_of(welsh) == addresses
    assert '<a href="/news/pont-droed/" lang="cy" hreflang="cy">Cymraeg</a>' in english
    assert '<a href="/news/footbridge-harrow-weir/" lang="en-GB" hreflang="en-GB">English</a>' in welsh
    assert '"workTranslation": [{"@type": "NewsArticle", "@id": "' + addresses["cy"] in english
    assert '"translationOfWork": [{"@type": "NewsArticle", "@id": "' + addresses["en-GB"] in welsh


def test_a_translation_is_not_among_what_is_related(newsroom):
    bridges = [{"slug": "bridges", "name": "Bridges"}]
    original = newsroom.public(topics=bridges)
    revision = newsroom.cleared(**WELSH, topics=bridges, translates=original.story)
    assert "Related stories" not in read("/news/footbridge-harrow-weir/")
    releasing.arm(revision=revision, by=newsroom.officer, moment=None)
    assert "Related stories" not in read("/news/footbridge-harrow-weir/")


def test_the_sitemap_has_them_and_the_pages_in_both_languages(newsroom):
    both(newsroom)
    root = fromstring(read("/sitemap.xml"))
    name = f"{{{sitemaps.SITEMAP}}}"
    found = {
        url.findtext(f"{name}loc"): {
            link.get("hreflang"): link.get("href") for link in url.findall(f"{{{sitemaps.XHTML}}}link")
        }
        for url in root
    }
    stories = {"en-GB": f"{SITE}/news/footbridge-harrow-weir/", "cy": f"{SITE}/news/pont-droed/"}
    home = {"en-GB": f"{SITE}/", "cy": f"{SITE}/cy/"}
    for pair in (stories, home):
        assert all(found[place] == pair for place in pair.values())


STOPPED = {
    "armed": lambda newsroom, release: None,
    "held": lambda newsroom, release: releasing.hold(story=release.story, by=newsroom.officer, reason="Wait"),
    "disarmed": lambda newsroom, release: releasing.disarm(
        story=release.story, by=newsroom.officer, reason="Not today"
    ),
}


@pytest.mark.parametrize("state", STOPPED)
def test_nothing_tells_of_a_translation_that_is_not_public(newsroom, state):
    original = newsroom.public()
    paths = ("/news/footbridge-harrow-weir/", "/news/footbridge-harrow-weir.txt", "/sitemap.xml", "/", "/cy/")
    before = [Client().get(path) for path in paths]
    revision = newsroom.cleared(**WELSH, translates=original.story)
    moment = newsroom.moment(timedelta(hours=1))
    STOPPED[state](newsroom, releasing.arm(revision=revision, by=newsroom.officer, moment=moment))
    after = [Client().get(path) for path in paths]
    assert [(each.content, each.headers) for each in after] == [
        (each.content, each.headers) for each in before
    ]


def test_a_translation_alone_does_not_say_that_it_is_one(newsroom):
    original = newsroom.draft().story
    newsroom.public(**WELSH)
    alone = read("/news/pont-droed/")
    story = Release.objects.get().story
    translating.link(story=story, original=original.uid, by=newsroom.drafter)
    assert read("/news/pont-droed/") == alone


def later(monkeypatch) -> None:
    """By the clock by which pages are kept it is as much later as what stands beside them may be old."""
    now = keeping.monotonic() + public.BESIDE
    monkeypatch.setattr(keeping, "monotonic", lambda: now)


def test_a_page_that_is_kept_leads_there_soon_and_no_longer_than_it_may(newsroom, monkeypatch):
    """By clocks alone: no worker runs, and nothing is thrown away by hand."""
    _, translation = both(newsroom, timedelta(seconds=2))
    path = "/news/footbridge-harrow-weir/"
    assert languages_of(read(path)) == {}
    wait_for(translation.embargo)
    later(monkeypatch)
    assert set(languages_of(read(path))) == {"en-GB", "cy"}
    releasing.withdraw(story=translation.story, by=newsroom.officer, reason="Wrong", kill=False)
    assert languages_of(read(path)) == {}


def test_a_link_that_is_undone_leads_nowhere_soon(newsroom, monkeypatch):
    _, translation = both(newsroom)
    path = "/news/footbridge-harrow-weir/"
    assert set(languages_of(read(path))) == {"en-GB", "cy"}
    fact = translating.standing(translation.story)
    translating.unlink(story=translation.story, translation=fact.pk, by=newsroom.drafter)
    later(monkeypatch)
    assert languages_of(read(path)) == languages_of(read("/news/pont-droed/")) == {}


def test_a_story_takes_no_query_more(newsroom):
    both(newsroom)
    newsroom.public(slug="alone")
    for slug in ("footbridge-harrow-weir", "pont-droed", "alone"):
        with CaptureQueriesContext(connection) as asked:
            read(f"/news/{slug}/")
        # One for what is there, one for its words.
        assert len([query for query in asked if "SAVEPOINT" not in query["sql"]]) == 2, slug


def test_an_update_in_another_language_leads_nowhere_to_its_own(newsroom):
    """Which language it is, the words say that are public: not a newer draft."""
    both(newsroom)
    story = Release.objects.get(visibility__slug="pont-droed").story
    newsroom.edit(story, language="en-GB")
    assert set(languages_of(read("/news/footbridge-harrow-weir/"))) == {"en-GB", "cy"}


def test_days_are_capitalised_at_the_head_of_a_list_and_not_within_a_line(newsroom):
    newsroom.public(**WELSH)
    newsroom.public(slug="second")
    page = read("/cy/")
    assert re.search(r"<h3[^>]*><time[^>]*>Dydd ", page)
    assert re.search(r"<span>dydd ", page)
