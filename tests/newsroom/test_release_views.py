"""The release page, as a browser without JavaScript sees it."""

from datetime import UTC, datetime, timedelta
from time import sleep

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from approvals import clearing
from newsroom import releasing
from newsroom.models import Hold, Move, Release, Subscriber, Visibility
from stories import drafting
from stories.models import Revision, Story, Team
from stories.moments import Moment
from tests.newsroom.pages import fields_of

pytestmark = pytest.mark.django_db

LONDON = "Europe/London"
VERBS = ("story_arm", "story_disarm", "story_hold", "story_unhold")


def at(page: str, story: Story) -> str:
    return reverse(page, args=[story.uid])


def tomorrow() -> Moment:
    """Half past nine in the morning of tomorrow, in London."""
    noon = datetime.now(UTC) + timedelta(days=1)
    return Moment(noon.replace(hour=9, minute=30, second=0, microsecond=0), "UTC")


def query(moment: Moment, **changes: str) -> dict[str, str]:
    """What a browser sends of the fields of a moment."""
    local = moment.local
    return {"day": f"{local:%Y-%m-%d}", "time": f"{local:%H:%M}", "zone": moment.zone, **changes}


def read_back(browser: Client, story: Story, moment: Moment | None = None, **changes: str) -> HttpResponse:
    """The page with a moment read back."""
    return browser.get(at("story_release", story), query(moment or tomorrow(), **changes))


def press_arm(browser: Client, page: HttpResponse, story: Story, **changes: str) -> HttpResponse:
    """Tick the box on a page and press the button that arms."""
    action = at("story_arm", story)
    return browser.post(action, {**fields_of(page, action), "confirm": "1", **changes}, follow=True)


def text(response: HttpResponse) -> str:
    return " ".join(response.content.decode().split())


# Reading the moment back


def test_the_page_is_filled_in_with_the_planned_embargo_read_back_in_words(newsroom, as_):
    revision, moment = newsroom.cleared(), tomorrow()
    drafting.plan_embargo(story=revision.story, by=newsroom.drafter, moment=moment)
    page = as_(newsroom.officer).get(at("story_release", revision.story))
    sent = fields_of(page, at("story_release", revision.story))
    assert (sent["day"], sent["time"], sent["zone"]) == (f"{moment.local:%Y-%m-%d}", "09:30:00", "UTC")
    assert f"half past nine in the morning on {moment.local:%A}" in text(page)
    assert moment.public in text(page)


def test_a_planned_embargo_that_has_gone_by_is_not_offered(newsroom, as_):
    revision = newsroom.cleared()
    past = Moment(datetime.now(UTC) - timedelta(hours=1), LONDON)
    drafting.plan_embargo(story=revision.story, by=newsroom.drafter, moment=past)
    page = as_(newsroom.officer).get(at("story_release", revision.story))
    assert fields_of(page, at("story_release", revision.story))["day"] == ""
    assert "read it back" in text(page)


def test_reading_back_works_by_a_link_and_arms_nothing(newsroom, as_):
    revision = newsroom.cleared()
    moment = Moment(datetime(2030, 7, 1, 23, 1, tzinfo=UTC), LONDON)
    page = read_back(as_(newsroom.officer), revision.story, moment)
    assert page.status_code == 200
    assert "one minute past midnight, in the night from Monday to Tuesday" in text(page)
    assert "<b>00:01 BST, Tuesday 2 July 2030</b> (23:01 UTC, Monday)" in text(page)
    assert "the clocks next change on Sunday 27 October 2030" in text(page)
    assert not Release.objects.exists()


def test_a_moment_in_another_zone_is_told_on_the_offices_clocks_too(newsroom, as_):
    revision = newsroom.cleared()
    moment = Moment(datetime(2030, 7, 1, 23, 1, tzinfo=UTC), "Asia/Kathmandu")
    page = read_back(as_(newsroom.officer), revision.story, moment)
    assert "04:46 UTC+5:45, Tuesday 2 July 2030" in text(page)
    assert "here 00:01 BST, Tuesday 2 July 2030" in text(page)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"day": "2030-03-31", "time": "01:30"}, "The last minute before is 00:59 GMT, Sunday 31 March 2030"),
        ({"day": "2030-03-31", "time": "01:59"}, "the first after is 02:00 BST, Sunday 31 March 2030"),
        ({"day": "2020-01-01"}, "That moment has gone by"),
        ({"day": "9999-12-31"}, "more than ten years ahead"),
        ({"day": "9999-12-31", "time": "23:30", "zone": "America/New_York"}, "a day that has a calendar"),
        ({"zone": "Atlantis"}, "There is no time zone called “Atlantis”"),
        ({"day": "31 February"}, "Enter a valid date"),
        ({"time": "25:00"}, "Enter a valid time"),
        ({"day": "", "time": "", "zone": ""}, "3 things to mend"),
        ({"zone": "\x00"}, "Null characters are not allowed"),
    ],
)  # fmt: skip
def test_a_moment_that_cannot_be_is_refused_in_words(newsroom, as_, typed, words):
    revision = newsroom.cleared()
    moment = Moment(datetime(2030, 7, 1, 9, tzinfo=UTC), LONDON)
    page = read_back(as_(newsroom.officer), revision.story, moment, **typed)
    assert words in text(page)
    assert "seen" not in fields_of(page, at("story_arm", revision.story))


def test_a_time_that_happens_twice_is_asked_about_and_armed_as_chosen(newsroom, as_):
    revision, browser = newsroom.cleared(), as_(newsroom.officer)
    twice = {"day": "2030-10-27", "time": "01:30", "zone": LONDON}
    page = browser.get(at("story_release", revision.story), twice)
    assert "01:30 BST, Sunday 27 October 2030 (00:30 UTC)" in text(page)
    assert "01:30 GMT, Sunday 27 October 2030 (01:30 UTC)" in text(page)
    page = browser.get(at("story_release", revision.story), {**twice, "fold": "1"})
    assert "this local time happens twice: the one chosen above is meant" in text(page)
    press_arm(browser, page, revision.story)
    assert Release.objects.get().embargo == datetime(2030, 10, 27, 1, 30, tzinfo=UTC)
    page = browser.get(at("story_release", revision.story))
    assert fields_of(page, at("story_release", revision.story))["fold"] == "1"


# Arming


def test_armed_for_the_moment_that_was_read_back(newsroom, as_):
    revision, browser, moment = newsroom.cleared(), as_(newsroom.officer), tomorrow()
    response = press_arm(browser, read_back(browser, revision.story, moment), revision.story)
    assert response.redirect_chain == [(at("story_release", revision.story), 302)]
    assert f"Armed for {moment.in_full}." in text(response)
    assert Release.objects.get().moment == moment
    assert Release.objects.get().by == newsroom.officer


def test_pressed_twice_it_is_armed_once(newsroom, as_):
    revision, browser = newsroom.cleared(), as_(newsroom.officer)
    page = read_back(browser, revision.story)
    for _ in range(2):
        response = press_arm(browser, page, revision.story)
        assert response.status_code == 200
    assert Release.objects.count() == 1


def test_moving_the_embargo(newsroom, as_):
    revision, browser = newsroom.cleared(), as_(newsroom.officer)
    press_arm(browser, read_back(browser, revision.story), revision.story)
    later = Moment(tomorrow().instant + timedelta(days=1), LONDON)
    page = read_back(browser, revision.story, later)
    assert "Check again and move" in text(page)
    refused = press_arm(browser, page, revision.story)
    assert refused.status_code == 422
    assert "Say why the moment is moved" in text(refused)
    done = text(press_arm(browser, page, revision.story, reason="The minister is late"))
    assert Visibility.objects.get().visible_from == later.instant
    assert (Release.objects.count(), Move.objects.get().reason) == (1, "The minister is late")
    assert f"Moved to {later.public} by Ines Okoro" in done


def test_what_nobody_read_back_is_not_armed(newsroom, as_):
    revision, browser, moment = newsroom.cleared(), as_(newsroom.officer), tomorrow()
    page = read_back(browser, revision.story, moment)
    response = press_arm(browser, page, revision.story, time="10:45")
    assert response.status_code == 422
    assert "Read the moment as it stands below in words, and confirm it" in text(response)
    assert "ten forty-five in the morning" in text(response)
    assert "confirm" not in fields_of(response, at("story_arm", revision.story))
    assert not Release.objects.exists()
    press_arm(browser, response, revision.story)
    assert Release.objects.get().embargo == moment.instant + timedelta(hours=1, minutes=15)


def test_without_the_confirmation_nothing_is_armed_and_nothing_typed_is_lost(newsroom, as_):
    revision, browser = newsroom.cleared(), as_(newsroom.officer)
    action = at("story_arm", revision.story)
    sent = fields_of(read_back(browser, revision.story), action)
    response = browser.post(action, sent)
    assert response.status_code == 422
    assert "Confirm that you have read the headline, the moment and the audience" in text(response)
    assert {**fields_of(response, action), "csrfmiddlewaretoken": ""} == {**sent, "csrfmiddlewaretoken": ""}


def test_missing_sign_offs_are_named(newsroom, as_):
    revision, browser = newsroom.submitted(), as_(newsroom.officer)
    response = press_arm(browser, read_back(browser, revision.story), revision.story)
    assert response.status_code == 409
    assert "Not armed: 2 sign-offs are missing on revision 1" in text(response)
    step = newsroom.step(revision.story, newsroom.legal)
    assert f'<a href="#n-{step.pk}">Legal: waiting</a>' in text(response)
    assert f'<li id="n-{step.pk}">' in text(response)
    assert "confirm" in fields_of(response, at("story_arm", revision.story))


def test_before_clearance_is_requested_the_page_says_so(newsroom, as_):
    revision, browser = newsroom.draft(), as_(newsroom.officer)
    response = press_arm(browser, read_back(browser, revision.story), revision.story)
    assert response.status_code == 409
    assert "Not armed: clearance has not been requested on revision 1." in text(response)


def test_words_that_changed_while_the_page_was_open_are_not_armed(newsroom, as_):
    revision, browser = newsroom.cleared(), as_(newsroom.officer)
    page = read_back(browser, revision.story)
    newsroom.edit(revision.story, summary="Newer words.")
    response = press_arm(browser, page, revision.story)
    assert response.status_code == 409
    assert "somebody saved a newer revision meanwhile" in text(response)
    assert not Release.objects.exists()


def test_a_release_that_somebody_armed_meanwhile_is_not_replaced(newsroom, as_):
    revision, browser = newsroom.cleared(), as_(newsroom.officer)
    page = read_back(browser, revision.story)
    theirs = releasing.arm(
        revision=revision, by=newsroom.officer, moment=Moment(datetime(2030, 1, 1, tzinfo=UTC), LONDON)
    )
    response = press_arm(browser, page, revision.story)
    assert response.status_code == 409
    assert "Ines Okoro armed it meanwhile, for 00:00 GMT, Tuesday 1 January 2030" in text(response)
    assert list(Release.objects.all()) == [theirs]


def test_an_address_that_is_taken(newsroom, as_):
    newsroom.armed()
    revision, browser = newsroom.cleared(), as_(newsroom.officer)
    response = press_arm(browser, read_back(browser, revision.story), revision.story)
    assert response.status_code == 409
    assert "another story has this address" in text(response)


def test_a_moment_that_went_by_while_the_page_was_open(newsroom, as_):
    revision, browser = newsroom.cleared(), as_(newsroom.officer)
    now = datetime.now(UTC)
    soon = Moment(now.replace(microsecond=0) + timedelta(seconds=2), "UTC")
    page = read_back(browser, revision.story, soon, time=f"{soon.local:%H:%M:%S}")
    sleep((soon.instant - datetime.now(UTC)).total_seconds() + 0.05)
    response = press_arm(browser, page, revision.story)
    assert response.status_code == 422
    assert "That moment has gone by" in text(response)


NOT_WHOLE = [
    {"revision": ""},
    {"revision": "x"},
    {"revision": "9" * 30},
    {"release": "-1"},
    {"release": "1e3"},
]


@pytest.mark.parametrize("changes", NOT_WHOLE)
def test_a_form_that_is_not_whole_arms_nothing(newsroom, as_, changes):
    revision, browser = newsroom.cleared(), as_(newsroom.officer)
    response = press_arm(browser, read_back(browser, revision.story), revision.story, **changes)
    assert response.status_code == 422
    assert "what this page sent was not whole" in text(response)


def test_a_revision_of_another_story_is_not_found(newsroom, as_):
    revision, other, browser = newsroom.cleared(), newsroom.cleared(slug="other"), as_(newsroom.officer)
    page = read_back(browser, revision.story)
    assert press_arm(browser, page, revision.story, revision=str(other.pk)).status_code == 404
    assert not Release.objects.exists()


# Releasing now


def now_page(browser: Client, story: Story) -> HttpResponse:
    return browser.get(at("story_release", story), {"now": ""})


def test_release_now_repeats_headline_and_audience_and_asks(newsroom, as_):
    Subscriber.objects.create(email="editor@paper.example")
    revision, browser = newsroom.cleared(), as_(newsroom.officer)
    page = now_page(browser, revision.story)
    assert text(page).count(revision.headline) >= 2
    assert "/news/footbridge-harrow-weir/" in text(page)
    assert "1 subscriber at once<" in text(page)
    assert not Release.objects.exists()


def test_release_now_releases(newsroom, as_):
    revision, browser = newsroom.cleared(), as_(newsroom.officer)
    response = press_arm(browser, now_page(browser, revision.story), revision.story)
    assert "Released: public since" in text(response)
    assert Release.objects.public().get().zone == LONDON


def test_release_now_without_the_confirmation_releases_nothing(newsroom, as_):
    revision, browser = newsroom.cleared(), as_(newsroom.officer)
    action = at("story_arm", revision.story)
    response = browser.post(action, fields_of(now_page(browser, revision.story), action))
    assert response.status_code == 422
    assert "Confirm that the public may read it now" in text(response)
    assert not Release.objects.exists()


def test_release_now_pressed_twice(newsroom, as_):
    revision, browser = newsroom.cleared(), as_(newsroom.officer)
    page = now_page(browser, revision.story)
    press_arm(browser, page, revision.story)
    response = press_arm(browser, page, revision.story)
    assert response.status_code == 200
    assert "Not armed" not in text(response)
    assert Release.objects.count() == 1


def test_release_now_names_what_is_missing(newsroom, as_):
    revision, browser = newsroom.submitted(), as_(newsroom.officer)
    response = press_arm(browser, now_page(browser, revision.story), revision.story)
    assert response.status_code == 409
    assert "2 sign-offs are missing" in text(response)


# Disarming, holding, lifting


def post(browser: Client, story: Story, verb: str, **fields: str) -> HttpResponse:
    """Send the form of the page that goes to a verb, with `fields`."""
    page = browser.get(at("story_release", story))
    return browser.post(at(verb, story), {**fields_of(page, at(verb, story)), **fields}, follow=True)


def test_disarm(newsroom, as_):
    release, browser = newsroom.armed(), as_(newsroom.officer)
    response = post(browser, release.story, "story_disarm", **{"disarm-reason": "Wrong day."})
    assert "Disarmed: it does not go out." in text(response)
    assert "“Wrong day.”" in text(response)
    assert not Visibility.objects.exists()


def test_disarm_without_a_reason(newsroom, as_):
    release, browser = newsroom.armed(), as_(newsroom.officer)
    response = post(browser, release.story, "story_disarm", **{"disarm-reason": " "})
    assert response.status_code == 422
    assert "Not disarmed: 1 thing to mend" in text(response)
    assert Visibility.objects.exists()


def test_disarming_what_was_armed_anew_meanwhile_is_refused_and_keeps_the_reason(newsroom, as_):
    release, browser = newsroom.armed(), as_(newsroom.officer)
    action = at("story_disarm", release.story)
    sent = fields_of(browser.get(at("story_release", release.story)), action)
    releasing.arm(revision=release.revision, by=newsroom.officer, moment=tomorrow())
    response = browser.post(action, {**sent, "disarm-reason": "Wrong day."})
    assert response.status_code == 409
    assert "armed it anew meanwhile" in text(response)
    assert "Wrong day.</textarea>" in text(response)


def test_hold_and_lift(newsroom, as_):
    release, browser = newsroom.armed(), as_(newsroom.officer)
    response = post(browser, release.story, "story_hold", **{"hold-reason": "Wait for the engineer."})
    assert "On hold: nothing of it goes out" in text(response)
    assert "“Wait for the engineer.”" in text(response)
    assert Visibility.objects.get().visible_from is None
    response = post(browser, release.story, "story_unhold")
    assert "Hold lifted." in text(response)
    assert Visibility.objects.get().visible_from == release.embargo


def test_hold_without_a_reason(newsroom, as_):
    release, browser = newsroom.armed(), as_(newsroom.officer)
    response = post(browser, release.story, "story_hold")
    assert response.status_code == 422
    assert "Give a reason" in text(response)
    assert not Hold.objects.exists()


def test_a_hold_that_comes_second_is_refused_with_its_words_kept(newsroom, as_):
    release, browser = newsroom.armed(), as_(newsroom.officer)
    action = at("story_hold", release.story)
    sent = fields_of(browser.get(at("story_release", release.story)), action)
    releasing.hold(story=release.story, by=newsroom.officer, reason="First.")
    response = browser.post(action, {**sent, "hold-reason": "Second."})
    assert response.status_code == 409
    assert "the story is held already" in text(response)
    assert "Second." in text(response)


def test_lifting_past_the_embargo_asks_first_because_it_releases(newsroom, as_):
    story = held_past_embargo(newsroom)
    browser = as_(newsroom.officer)
    response = post(browser, story, "story_unhold")
    assert response.status_code == 422
    assert "Confirm that the public may read it as soon as the hold is lifted" in text(response)
    assert not Release.objects.public().exists()
    response = post(browser, story, "story_unhold", confirm="1")
    assert "it is public now" in text(response)
    assert Release.objects.public().exists()


def held_past_embargo(newsroom) -> Story:
    revision = newsroom.cleared()
    releasing.hold(story=revision.story, by=newsroom.officer, reason="Wait.")
    releasing.arm(revision=revision, by=newsroom.officer, moment=None)
    return revision.story


def test_lifting_another_hold_than_was_on_the_screen_is_refused(newsroom, as_):
    story, browser = newsroom.draft().story, as_(newsroom.officer)
    first = releasing.hold(story=story, by=newsroom.officer, reason="First.")
    releasing.unhold(story=story, by=newsroom.officer)
    releasing.hold(story=story, by=newsroom.officer, reason="Second.")
    response = browser.post(at("story_unhold", story), {"seen": first.pk})
    assert response.status_code == 409
    assert "held it anew meanwhile: “Second.”" in text(response)


def test_arming_while_held_says_that_nothing_goes_out(newsroom, as_):
    revision, browser = newsroom.cleared(), as_(newsroom.officer)
    releasing.hold(story=revision.story, by=newsroom.officer, reason="Wait.")
    response = press_arm(browser, read_back(browser, revision.story), revision.story)
    assert "and on hold: nothing goes out until it is lifted" in text(response)


# What the page tells


def test_who_signed_when_and_what_is_missing(newsroom, as_):
    revision = newsroom.cleared()
    newsroom.edit(revision.story, summary="Newer words.")
    page = text(as_(newsroom.officer).get(at("story_release", revision.story)))
    assert "1 of 2 sign-offs on revision 2" in page
    assert "cleared, then changed: look again" in page
    assert "Sunita Rao, " in page
    assert "on revision 1" in page


def test_who_signed_where_the_desk_decided_otherwise_on_other_words(newsroom, as_):
    first = newsroom.cleared()
    second = newsroom.edit(first.story, summary="Newer words.")
    clearing.ask_for_changes(
        step=newsroom.step(first.story, newsroom.legal),
        revision=second,
        covered=second.digest,
        by=newsroom.second_lawyer,
        reason="No.",
    )
    newsroom.edit(first.story, summary=first.content["summary"])
    page = text(as_(newsroom.officer).get(at("story_release", first.story)))
    assert "Adaeze Nwosu, " in page
    assert "Hugh Penrose" not in page


def test_a_newer_revision_than_the_armed_one_is_pointed_out(newsroom, as_):
    release = newsroom.armed()
    newsroom.edit(release.story, summary="Newer words.")
    page = text(as_(newsroom.officer).get(at("story_release", release.story)))
    assert "Revision 2 is newer and is not what goes out." in page


def test_the_receipt(newsroom, as_):
    Subscriber.objects.create(email="editor@paper.example")
    release = newsroom.public()
    browser = as_(newsroom.officer)
    assert "not yet" in text(browser.get(at("story_release", release.story)))
    receipt = releasing.announce(release_id=release.pk, worker="worker 2")
    assert receipt is not None
    newsroom.edit(release.story, headline="Newer words", slug="newer-words")
    page = text(browser.get(at("story_release", release.story)))
    assert f"{receipt.lateness.total_seconds():.3f} s" in page
    assert 'by <span class="text-break">worker 2</span>' in page
    assert "0 of 1" in page
    assert "The public reads revision 1; revision 2 is newer" in page
    assert "Check again and arm" in page
    page = text(browser.get(at("story_release", newsroom.public(slug="settled").story)))
    assert "/news/settled/" in page
    assert "2 sign-offs on revision 1" in page
    assert "Check again" not in page


def test_an_announcement_that_does_not_come_is_shown_as_late(newsroom, as_, monkeypatch):
    release = newsroom.public()
    monkeypatch.setattr("newsroom.release_page.PATIENCE", timedelta())
    page = text(as_(newsroom.officer).get(at("story_release", release.story)))
    assert "The announcement is missing for" in page


# Who may


def test_others_read_the_page_and_can_do_nothing_on_it(newsroom, as_):
    release = newsroom.armed()
    for person in (newsroom.drafter, newsroom.lawyer, newsroom.administrator):
        page = as_(person).get(at("story_release", release.story))
        assert page.status_code == 200
        assert release.moment.public in text(page)
        assert "Only duty officers arm, hold, disarm and withdraw" in text(page)
        assert "<form" not in page.content.decode().partition("<main")[2]
        now = now_page(as_(person), release.story)
        assert "<form" not in now.content.decode().partition("<main")[2]


@pytest.mark.parametrize("verb", VERBS)
def test_others_cannot_act(newsroom, as_, verb):
    release = newsroom.armed()
    for person in (newsroom.drafter, newsroom.lawyer, newsroom.administrator, newsroom.nobody):
        response = as_(person).post(at(verb, release.story), {"hold-reason": "x", "disarm-reason": "x"})
        assert response.status_code == 403
    assert Visibility.objects.get().visible_from == release.embargo


@pytest.mark.parametrize("page", ["story_release", *VERBS])
def test_a_story_of_another_team_does_not_exist(newsroom, as_, page):
    story = newsroom.draft(team=Team.objects.create(name="Budget")).story
    browser = as_(newsroom.officer)
    assert browser.get(at(page, story)).status_code == 404
    assert browser.post(at(page, story)).status_code in {404, 405}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_that_is_only_looked_at_leads_back_to_the_page(newsroom, as_, verb):
    story = newsroom.draft().story
    response = as_(newsroom.officer).get(at(verb, story))
    assert (response.status_code, response["Location"]) == (302, at("story_release", story))


def test_the_button_that_arms_needs_the_token_of_the_page(newsroom):
    revision = newsroom.cleared()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(newsroom.officer)
    page = read_back(browser, revision.story)
    assert press_arm(browser, page, revision.story, csrfmiddlewaretoken="x").status_code == 403
    assert "csrfmiddlewaretoken" not in fields_of(page, at("story_release", revision.story))
    assert press_arm(browser, page, revision.story).status_code == 200
    assert Release.objects.exists()


@pytest.mark.parametrize("signed", [0, 1, 2])
def test_the_page_asks_no_more_of_the_database_for_more_sign_offs(
    newsroom, as_, signed, django_assert_max_num_queries
):
    revision: Revision = newsroom.submitted()
    if signed > 0:
        newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    if signed > 1:
        newsroom.sign(revision, newsroom.private_office, newsroom.secretary)
    browser = as_(newsroom.officer)
    browser.get(at("story_release", revision.story))
    with django_assert_max_num_queries(28):
        browser.get(at("story_release", revision.story))
