"""Freezes: in their time nothing new of an organisation goes out, but corrections and who is exempted."""

from datetime import UTC, datetime, timedelta
from time import sleep

import pytest
from django.conf import settings
from django.urls import reverse

from newsroom import releasing, visibility
from newsroom.models import Freeze, FreezeEnd, FreezeExemption, Kind, Release, Visibility
from stories import record
from stories.clocks import database_now
from stories.models import Organisation
from stories.moments import Moment
from tests.newsroom.test_after_release import correct

pytestmark = pytest.mark.django_db

RIVERS = {"slug": "rivers", "name": "Department for Rivers and Coasts"}
HOUR = timedelta(hours=1)


def now() -> datetime:
    return database_now().astimezone(UTC)


def freeze(newsroom, since=-HOUR, until=HOUR, organisation: str | None = "rivers") -> Freeze:
    """A freeze around now."""
    return releasing.freeze(
        by=newsroom.officer,
        organisation=Organisation.objects.get(slug=organisation) if organisation else None,
        since=now() + since,
        until=now() + until,
        reason="The weeks before the election",
    )


def let_pass(release: Release) -> None:
    """Wait until the moment of a release has gone by."""
    sleep(max(0, (release.embargo - now()).total_seconds()) + 0.05)


def whole() -> bool:
    return list(record.verify()) == list(visibility.differences()) == []


@pytest.mark.parametrize("organisation", ["rivers", None])
def test_nothing_new_is_armed_for_a_moment_in_it(newsroom, organisation):
    freeze(newsroom, organisation=organisation)
    revision = newsroom.cleared(organisation=RIVERS)
    for moment in (None, Moment(now() + timedelta(minutes=30), "UTC")):
        with pytest.raises(releasing.Frozen):
            releasing.arm(revision=revision, by=newsroom.officer, moment=moment)
    after = Moment(now() + 2 * HOUR, "UTC")
    assert releasing.arm(revision=revision, by=newsroom.officer, moment=after).moment == after


def test_others_are_not_concerned(newsroom):
    freeze(newsroom)
    assert newsroom.public(organisation={"slug": "ports", "name": "Ports"}) in Release.objects.public()
    assert newsroom.public(slug="nobodys") in Release.objects.public()


def test_what_is_armed_is_stopped_and_stays_stopped_when_it_is_over(newsroom, client):
    release = newsroom.armed(ahead=timedelta(seconds=3), organisation=RIVERS)
    freeze(newsroom, until=release.embargo - now() + timedelta(seconds=0.1))
    assert Visibility.objects.get().visible_from is None
    let_pass(release)
    sleep(0.1)
    assert not Release.objects.public().exists()
    assert client.get(f"/news/{release.revision.slug}/").status_code == 404
    assert releasing.announce(release_id=release.pk, worker="w") is None
    shown = Visibility.objects.get()
    moment = Moment(now() + HOUR, "UTC")
    releasing.move(
        story=release.story,
        by=newsroom.officer,
        moment=moment,
        reason="The election is over",
        seen=(shown.pk, shown.moment),
    )
    assert Visibility.objects.get().visible_from == moment.instant
    assert whole()


def test_what_is_public_stays_and_can_be_corrected_and_not_updated(newsroom):
    release = newsroom.public(organisation=RIVERS)
    freeze(newsroom)
    assert list(Release.objects.public()) == [release]
    corrected = correct(newsroom, release)
    assert list(Release.objects.public()) == [corrected]
    with pytest.raises(releasing.Frozen):
        correct(newsroom, corrected, kind=Kind.MAJOR, headline="News")
    assert whole()


def test_who_is_exempted_goes_out_from_then_on(newsroom):
    release = newsroom.armed(ahead=timedelta(seconds=3), organisation=RIVERS)
    frozen = freeze(newsroom)
    let_pass(release)
    exemption = releasing.exempt(
        story=release.story, freeze=frozen, by=newsroom.officer, reason="Lives are at risk"
    )
    assert list(Release.objects.public()) == [release]
    assert Visibility.objects.get().visible_from == exemption.at
    with pytest.raises(releasing.NotFrozen, match="exempted already"):
        releasing.exempt(story=release.story, freeze=frozen, by=newsroom.officer, reason="Again")
    assert record.words(record.lines(release.story)[0]).title == "Exempted from a freeze"
    assert whole()


def test_an_exemption_is_from_one_freeze(newsroom):
    first, _ = freeze(newsroom), freeze(newsroom, organisation=None)
    revision = newsroom.cleared(organisation=RIVERS)
    releasing.exempt(story=revision.story, freeze=first, by=newsroom.officer, reason="Lives")
    with pytest.raises(releasing.Frozen):
        releasing.arm(revision=revision, by=newsroom.officer, moment=None)


def test_one_that_ends_early_lets_later_moments_be(newsroom):
    later = newsroom.armed(ahead=timedelta(minutes=30), slug="later", organisation=RIVERS)
    soon = newsroom.armed(ahead=timedelta(seconds=3), slug="soon", organisation=RIVERS)
    frozen = freeze(newsroom)
    let_pass(soon)
    releasing.end_freeze(freeze=frozen, by=newsroom.officer, reason="Called off")
    assert Visibility.objects.get(release=soon).visible_from is None
    assert Visibility.objects.get(release=later).visible_from == later.embargo
    with pytest.raises(releasing.NotFrozen):
        releasing.end_freeze(freeze=frozen, by=newsroom.officer, reason="Again")
    assert whole()


def test_it_never_began_before_it_was_declared(newsroom):
    release = newsroom.public(organisation=RIVERS)
    frozen = freeze(newsroom, since=-timedelta(days=30))
    frozen.refresh_from_db()
    assert frozen.since == frozen.at > release.embargo
    assert list(Release.objects.public()) == [release]


def test_what_is_refused(newsroom):
    for until in (-HOUR, -2 * HOUR):
        with pytest.raises(releasing.NoTime):
            freeze(newsroom, until=until)
    with pytest.raises(releasing.ReasonMissing):
        releasing.freeze(by=newsroom.officer, organisation=None, since=now(), until=now() + HOUR, reason=" ")
    over = freeze(newsroom, until=timedelta(seconds=0.1))
    sleep(0.2)
    with pytest.raises(releasing.NotFrozen):
        releasing.end_freeze(freeze=over, by=newsroom.officer, reason="Late")


# The pages


def local(instant: datetime) -> str:
    return f"{Moment(instant, settings.PRESS_OFFICE_ZONE).local:%Y-%m-%dT%H:%M}"


def text(response) -> str:
    return " ".join(response.content.decode().split())


def test_a_freeze_is_declared_and_ended_on_its_page(newsroom, as_):
    browser, page = as_(newsroom.officer), reverse("freezes")
    assert "No freeze was ever declared" in text(browser.get(page))
    fields = {"organisation": "", "since": local(now()), "until": local(now() + HOUR), "reason": "Election"}
    refused = browser.post(page, {**fields, "until": local(now() - HOUR)})
    assert refused.status_code == 422
    assert "it would end before it begins" in text(refused)
    assert "Election" in text(refused)
    assert "Every organisation" in text(browser.post(page, fields, follow=True))
    frozen = Freeze.objects.get()
    end = reverse("freeze_end", args=[frozen.pk])
    assert browser.post(end, {}).status_code == 422
    assert "Ended early by Ines Okoro: “Off”" in text(
        browser.post(end, {f"end{frozen.pk}-reason": "Off"}, follow=True)
    )
    assert browser.post(end, {f"end{frozen.pk}-reason": "Off"}).status_code == 409
    assert FreezeEnd.objects.count() == 1


@pytest.mark.parametrize("at", ["2027-03-28T01:30", "2027-10-31T01:30"])
def test_a_time_at_which_the_clocks_change_is_refused(newsroom, as_, at):
    fields = {"since": at, "until": "2028-01-01T00:00", "reason": "Election"}
    answer = as_(newsroom.officer).post(reverse("freezes"), fields)
    assert answer.status_code == 422
    assert "The clocks change at that time" in text(answer)


def test_a_story_says_what_stops_it_and_is_exempted_there(newsroom, as_):
    release = newsroom.armed(organisation=RIVERS)
    frozen = freeze(newsroom, until=2 * HOUR)
    browser, page = as_(newsroom.officer), reverse("story_release", args=[release.story.uid])
    words = text(browser.get(page))
    assert "Stopped by a freeze" in words
    assert "armed, and frozen" in words
    exempt = reverse("story_exempt", args=[release.story.uid])
    assert browser.post(exempt, {"exempt-freeze": frozen.pk}).status_code == 422
    fields = {"exempt-freeze": frozen.pk, "exempt-reason": "Lives are at risk"}
    assert "the freeze does not stop it" in text(browser.post(exempt, fields, follow=True))
    assert browser.post(exempt, fields).status_code == 409
    assert FreezeExemption.objects.get().reason == "Lives are at risk"
    assert "Stopped by a freeze" not in text(browser.get(page))


def test_a_page_takes_as_many_queries_for_many_freezes(newsroom, as_, django_assert_max_num_queries):
    for _ in range(30):
        freeze(newsroom)
    browser = as_(newsroom.drafter)
    with django_assert_max_num_queries(12):
        page = text(browser.get(reverse("freezes")))
    assert page.count("End it early") == 0
    assert page.count("The weeks before the election") == 25
