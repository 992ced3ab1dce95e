"""The list of all stories, page by page, and what goes out."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from approvals import clearing
from newsroom import desk_views, releasing
from newsroom.state import going_out
from stories import drafting
from stories.models import Team

pytestmark = pytest.mark.django_db

LIST = "/desk/stories/"


@pytest.fixture
def five(newsroom, monkeypatch):
    """Five stories and pages of two; the third story is limited to a team that nobody is on."""
    monkeypatch.setattr(desk_views, "STORIES_A_PAGE", 2)
    stories = [newsroom.draft(headline=f"Weir {number}").story for number in range(5)]
    team = Team.objects.create(name="Nobody's")
    drafting.limit(story=stories[2], by=newsroom.drafter, team=team)
    return stories


def read(browser, address: str) -> tuple[list[str], dict[str, str]]:
    """The headlines of a page, and where its links lead by their words."""
    html = browser.get(address).content.decode()
    links = re.findall(r'<a class="btn btn-sm"[^>]* href="([^"]*)">(\w+)</a>', html)
    there = {words: LIST + query.replace("&amp;", "&") for query, words in links}
    return re.findall(r">(Weir \d)</a>", html), there


def test_pages_follow_each_other_in_both_directions(newsroom, as_, five):
    browser = as_(newsroom.drafter)
    first, links = read(browser, LIST)
    assert first == ["Weir 4", "Weir 3"]
    assert links.keys() == {"Older"}
    second, links = read(browser, links["Older"])
    assert second == ["Weir 1", "Weir 0"]
    assert links.keys() == {"Newest", "Newer"}
    assert read(browser, links["Newer"]) == read(browser, LIST)


def test_a_search_has_pages_too(newsroom, as_, five):
    browser = as_(newsroom.drafter)
    found, links = read(browser, f"{LIST}?q=weir")
    assert found == ["Weir 4", "Weir 3"]
    assert read(browser, links["Older"])[0] == ["Weir 1", "Weir 0"]
    assert "q=weir" in links["Older"]
    assert read(browser, f"{LIST}?q=Weir+0")[0] == ["Weir 0"]


@pytest.mark.parametrize(
    "query", ["before=x", "after=", "before=00000000-0000-4000-8000-000000000000", "page=9"]
)
def test_what_names_no_story_is_the_first_page(newsroom, as_, five, query):
    assert read(as_(newsroom.drafter), f"{LIST}?{query}")[0] == ["Weir 4", "Weir 3"]


def test_a_story_that_does_not_exist_for_somebody_is_no_place_to_count_from(newsroom, as_, five):
    assert read(as_(newsroom.drafter), f"{LIST}?before={five[2].uid}")[0] == ["Weir 4", "Weir 3"]


def test_many_are_not_counted(newsroom, as_, five, monkeypatch):
    browser = as_(newsroom.drafter)
    assert "4 that you may know of" in browser.get(LIST).content.decode()
    monkeypatch.setattr(desk_views, "COUNTED", 3)
    assert "More than 3 that you may know of" in browser.get(LIST).content.decode()


def test_what_goes_out_is_what_is_armed_for_soon_and_what_was_released_lately(newsroom, as_):
    now = datetime.now(UTC)
    public = newsroom.public(slug="public")
    soon = newsroom.armed(timedelta(hours=2), slug="soon")
    held = newsroom.armed(timedelta(hours=3), slug="held")
    releasing.hold(story=held.story, by=newsroom.officer, reason="Wait.")
    newsroom.armed(timedelta(hours=60), slug="later")
    disarmed = newsroom.armed(timedelta(hours=1), slug="disarmed")
    releasing.disarm(story=disarmed.story, by=newsroom.officer, reason="Wrong day.")
    newsroom.draft()
    found = going_out(newsroom.officer, now, now + timedelta(hours=36))
    assert found == [public.story, soon.story, held.story]
    assert going_out(newsroom.officer, now + timedelta(days=9), now + timedelta(days=9)) == []


def test_the_desk_names_what_can_be_armed(newsroom, as_):
    newsroom.cleared(slug="cleared", headline="All sign-offs are there")
    newsroom.submitted(slug="waiting", headline="Nobody has looked")
    page = as_(newsroom.officer).get(reverse("desk")).content.decode()
    assert "All sign-offs are there" in page
    assert "Nobody has looked" not in page


def test_the_desk_says_what_was_disarmed_and_by_whom_until_it_is_armed_anew(newsroom, as_):
    release = newsroom.armed(headline="Sluice gates to be rebuilt")
    newsroom.armed(slug="other", headline="This one is armed")
    signed = release.story.decisions.get(desk=newsroom.legal)
    clearing.take_back(decision=signed, by=newsroom.lawyer, reason="The number is wrong.")

    def told(user):
        page = as_(user).get(reverse("desk")).content.decode()
        rows = re.findall(r"<h3>Disarmed</h3>.*?</li>", page, re.DOTALL)
        return [re.sub(r"<[^>]+>", "", row) for row in rows]

    (row,) = told(newsroom.officer)
    assert "Sluice gates to be rebuilt" in row
    assert f"By {newsroom.lawyer}, " in row
    assert "The number is wrong." in row
    assert "Now: 1 sign-off missing." in row
    assert told(newsroom.lawyer) == []
    newsroom.sign(release.revision, newsroom.legal, newsroom.lawyer)
    page = as_(newsroom.officer).get(reverse("desk")).content.decode()
    assert "<h3>Disarmed</h3>" not in page
    assert "<h3>Arm</h3>" in page
    assert f"Disarmed by {newsroom.lawyer}" in page
    moment = release.moment
    releasing.arm(revision=release.revision, by=newsroom.officer, moment=moment)
    assert told(newsroom.officer) == []
    assert "Disarmed by" not in as_(newsroom.officer).get(reverse("desk")).content.decode()
