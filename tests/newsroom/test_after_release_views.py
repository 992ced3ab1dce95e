"""The pages on which what is public is corrected and withdrawn, and everything is held."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from newsroom import releasing
from newsroom.models import HoldAll, HoldAllLift, Kind, Release, Withdrawal
from stories.models import Team
from stories.moments import Moment
from tests.newsroom.pages import fields_of

pytestmark = pytest.mark.django_db

NOTE = "The bridge is 42 metres long, and was given as 40."


def at(page: str, story=None) -> str:
    return reverse(page, args=[story.uid] if story else [])


def text(response) -> str:
    return " ".join(response.content.decode().split())


@pytest.fixture
def browser(newsroom, as_):
    return as_(newsroom.officer)


@pytest.fixture
def changed(newsroom):
    """A public story with newer words that are cleared."""
    story = newsroom.public().story
    revision = newsroom.edit(story, headline="New footbridge is 42 metres long")
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    return story


def press(browser, page, story, view, **fields):
    """Send the form of a page that leads to `view`, with `fields` filled in."""
    action = at(view, story)
    return browser.post(action, {**fields_of(page, action), **fields}, follow=True)


# Corrections


def test_a_correction_is_released_now_from_the_page(newsroom, browser, changed):
    page = browser.get(at("story_release", changed), {"now": ""})
    assert "it reads revision 1 now" in text(page)
    refused = press(browser, page, changed, "story_arm", confirm="1")
    assert refused.status_code == 422
    assert "Say whether it is a correction or an update" in text(refused)
    assert "Say for the public what is corrected or changed" in text(refused)
    done = press(browser, page, changed, "story_arm", confirm="1", kind=Kind.CORRECTION, note=NOTE)
    assert "Released: public since" in text(done)
    release = Release.objects.public().get()
    assert (release.kind, release.note) == (Kind.CORRECTION, NOTE)


def test_pressed_twice_it_is_one_correction(newsroom, browser, changed):
    page = browser.get(at("story_release", changed), {"now": ""})
    for _ in range(2):
        sent = press(browser, page, changed, "story_arm", confirm="1", kind=Kind.MAJOR, note=NOTE)
        assert sent.status_code == 200
    assert Release.objects.count() == 2


def test_a_correction_is_armed_for_a_moment_with_all_that_was_typed(newsroom, browser, changed):
    moment = Moment(datetime.now(UTC) + timedelta(days=1), "Europe/London").local
    query = {"day": f"{moment:%Y-%m-%d}", "time": "09:30", "zone": "Europe/London"}
    page = browser.get(at("story_release", changed), {**query, "kind": Kind.MINOR, "note": NOTE})
    assert NOTE in text(page)
    done = press(browser, page, changed, "story_arm", confirm="1")
    assert "Minor update armed for 09:30" in text(done)
    assert "live, minor update armed" in text(browser.get(at("story_list")))


def test_words_that_became_public_meanwhile_are_not_taken_for_new_ones(newsroom, browser):
    revision = newsroom.cleared()
    page = browser.get(at("story_release", revision.story), {"now": ""})
    releasing.arm(revision=revision, by=newsroom.officer, moment=None)
    newer = newsroom.edit(revision.story, headline="Newer")
    newsroom.sign(newer, newsroom.legal, newsroom.lawyer)
    answer = press(browser, page, revision.story, "story_arm", confirm="1")
    # These are out already, and nothing newer goes with them.
    assert "Released: public since" in text(answer)
    assert Release.objects.get().revision == revision


# Withdrawals


@pytest.mark.parametrize(
    ("button", "words"),
    [({}, "Withdrawn: its page says so and why."), ({"withdraw-kill": "1"}, "Killed: its address answers")],
)
def test_what_is_public_is_taken_back_from_the_page(newsroom, browser, button, words):
    story = newsroom.public().story
    page = browser.get(at("story_release", story))
    refused = press(browser, page, story, "story_withdraw", **button, **{"withdraw-reason": "Wrong bridge"})
    assert refused.status_code == 422
    assert "Confirm that it is to be taken from the public" in text(refused)
    assert "Wrong bridge" in text(refused)
    fields = {"withdraw-reason": "Wrong bridge", "withdraw-confirm": "1"}
    done = text(press(browser, page, story, "story_withdraw", **button, **fields))
    assert words in done
    assert "“Wrong bridge”" in done
    assert Withdrawal.objects.get().kill is bool(button)


def test_a_stale_page_withdraws_nothing_and_keeps_the_words(newsroom, browser, changed):
    page = browser.get(at("story_release", changed))
    revision = changed.latest
    releasing.arm(revision=revision, by=newsroom.officer, moment=None, kind=Kind.MAJOR, note=NOTE)
    fields = {"withdraw-reason": "Wrong bridge", "withdraw-confirm": "1"}
    answer = press(browser, page, changed, "story_withdraw", **fields)
    assert answer.status_code == 409
    assert "Wrong bridge" in text(answer)
    assert not Withdrawal.objects.exists()


def test_only_duty_officers_withdraw_and_outsiders_find_nothing(newsroom, as_):
    story = newsroom.public().story
    for person in (newsroom.drafter, newsroom.lawyer, newsroom.administrator):
        assert as_(person).post(at("story_withdraw", story)).status_code == 403
    limited = newsroom.public(slug="limited", team=Team.objects.create(name="Few")).story
    assert as_(newsroom.officer).post(at("story_withdraw", limited)).status_code == 404
    assert as_(newsroom.officer).get(at("story_withdraw", story)).status_code == 302


# Everything


def test_everything_is_held_behind_two_confirmations(newsroom, browser):
    newsroom.armed()
    page = browser.get(at("hold_everything"))
    assert "1 story is armed" in text(page)
    refused = browser.post(at("hold_everything"), {"reason": "Phones are down", "stops": "on"})
    assert refused.status_code == 422
    assert "Confirm that the head of the press office knows" in text(refused)
    assert "Phones are down" in text(refused)
    assert not HoldAll.objects.exists()
    fields = {"reason": "Phones are down", "stops": "on", "told": "on"}
    done = text(browser.post(at("hold_everything"), fields, follow=True))
    assert "Everything is held" in done
    again = browser.post(at("hold_everything"), fields)
    assert (again.status_code, HoldAll.objects.count()) == (409, 1)


def test_while_it_lasts_every_staff_page_says_so(newsroom, browser, as_, client):
    public = newsroom.public()
    releasing.hold_everything(by=newsroom.officer, reason="Phones are down")
    for name in ("desk", "story_list", "hold_everything", "newsroom_record"):
        assert "Everything is held:</b> nothing more goes out. “Phones are down”" in text(
            browser.get(at(name))
        )
    assert "Phones" not in client.get("/").content.decode()
    assert "Phones" not in client.get(f"/news/{public.revision.slug}/").content.decode()
    assert "Hold everything now" not in text(as_(newsroom.drafter).get(at("hold_everything")))


def test_it_is_lifted_with_a_confirmation(newsroom, browser):
    releasing.hold_everything(by=newsroom.officer, reason="Phones are down")
    newsroom.public()
    page = browser.get(at("hold_everything"))
    assert "1 story has passed its moment: lifting makes it public at once" in text(page)
    refused = press(browser, page, None, "lift_everything")
    assert refused.status_code == 422
    assert not HoldAllLift.objects.exists()
    done = press(browser, page, None, "lift_everything", confirm="on")
    assert "stories go out again" in text(done)
    assert Release.objects.public().count() == 1
    assert press(browser, page, None, "lift_everything", confirm="on").status_code == 409


def test_the_record_of_the_newsroom(newsroom, browser, as_):
    releasing.hold_everything(by=newsroom.officer, reason="Phones are down")
    releasing.lift_everything(by=newsroom.officer)
    words = text(as_(newsroom.drafter).get(at("newsroom_record")))
    assert words.index("Hold of everything lifted") < words.index("Everything held")
    assert "“Phones are down”" in words
