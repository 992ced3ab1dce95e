"""Arming, holding and announcing: what is done, what is refused by name, and who wins a race."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from time import sleep

import pytest

from approvals import clearing
from approvals.models import Decision
from newsroom import releasing, visibility
from newsroom.models import Announcement, Delivery, Disarm, Hold, HoldLift, Release, Subscriber, Visibility
from stories import record
from stories.clocks import database_now
from stories.models import Revision
from stories.moments import Moment
from tests.newsroom.racing import race

pytestmark = pytest.mark.django_db

LONDON = "Europe/London"


def ahead(**length: float) -> Moment:
    """A moment by the database's clock."""
    return Moment(database_now().astimezone(UTC) + timedelta(**length), LONDON)


def public() -> list[Release]:
    return list(Release.objects.public())


def visible_from(revision: Revision) -> datetime | None:
    return Visibility.objects.get(story=revision.story_id).visible_from


# Arming


def test_an_armed_story_is_public_from_its_instant_on(newsroom):
    moment = ahead(hours=1)
    release = releasing.arm(revision=newsroom.cleared(), by=newsroom.officer, moment=moment)
    assert release.moment == moment
    assert public() == []
    assert list(Release.objects.public(at=moment.instant - timedelta(microseconds=1))) == []
    assert list(Release.objects.public(at=moment.instant)) == [release]


def test_now_is_the_instant_of_arming_by_the_databases_clock(newsroom):
    before = database_now()
    release = releasing.arm(revision=newsroom.cleared(), by=newsroom.officer, moment=None, zone=LONDON)
    assert before < release.embargo == release.at < database_now()
    assert release.zone == LONDON
    assert public() == [release]


def test_arming_fixes_the_sign_offs(newsroom):
    release = newsroom.armed()
    decisions = {signoff.decision.by for signoff in release.signoffs.all()}
    assert decisions == {newsroom.lawyer, newsroom.secretary}


def test_arming_the_same_again_changes_nothing(newsroom):
    revision, moment = newsroom.cleared(), ahead(hours=1)
    first = releasing.arm(revision=revision, by=newsroom.officer, moment=moment, replacing=None)
    again = releasing.arm(revision=revision, by=newsroom.officer, moment=moment, replacing=None)
    assert again == first
    assert Release.objects.count() == 1


def test_arming_for_another_moment_replaces_the_release(newsroom):
    release, later = newsroom.armed(), ahead(hours=3)
    moved = releasing.arm(revision=release.revision, by=newsroom.officer, moment=later, replacing=release.pk)
    assert Visibility.objects.get().release == moved
    assert visible_from(release.revision) == later.instant


def test_arming_over_a_release_that_was_not_on_the_screen_is_refused(newsroom):
    revision = newsroom.cleared()
    releasing.arm(revision=revision, by=newsroom.officer, moment=ahead(hours=1))
    with pytest.raises(releasing.Moved, match="Ines Okoro armed it meanwhile"):
        releasing.arm(revision=revision, by=newsroom.officer, moment=ahead(hours=2), replacing=None)
    assert Release.objects.count() == 1


def test_arming_in_the_place_of_a_release_that_is_gone_is_refused(newsroom):
    release = newsroom.armed()
    releasing.disarm(story=release.story, by=newsroom.officer, reason="Not yet.")
    with pytest.raises(releasing.Moved, match="was disarmed meanwhile"):
        releasing.arm(
            revision=release.revision, by=newsroom.officer, moment=ahead(hours=2), replacing=release.pk
        )
    assert not Visibility.objects.exists()


def refused(
    refusal: type[releasing.Refused], revision: Revision, newsroom, moment: Moment | None = None
) -> str:
    """The words with which arming is refused. Nothing is armed."""
    before = Release.objects.count()
    with pytest.raises(refusal) as caught:
        releasing.arm(revision=revision, by=newsroom.officer, moment=moment or ahead(hours=1))
    assert Release.objects.count() == before
    return str(caught.value)


def test_no_arming_before_clearance_is_requested(newsroom):
    words = refused(releasing.NotCleared, newsroom.draft(), newsroom)
    assert words == "Not armed: clearance has not been requested on revision 1."


def test_no_arming_with_a_sign_off_missing(newsroom):
    revision = newsroom.submitted()
    newsroom.sign(revision, newsroom.private_office, newsroom.secretary)
    words = refused(releasing.NotCleared, revision, newsroom)
    assert words == "Not armed: missing: Legal (waiting) on revision 1."


def test_no_arming_on_a_sign_off_of_other_words(newsroom):
    first = newsroom.cleared()
    second = newsroom.edit(first.story, summary="The bridge saves walkers three miles.")
    words = refused(releasing.NotCleared, second, newsroom)
    assert words == "Not armed: missing: Legal (cleared, then changed: look again) on revision 2."


def test_no_arming_on_words_that_their_only_clearer_wrote(newsroom):
    first = newsroom.cleared()
    second = newsroom.edit(first.story, by=newsroom.lawyer, summary="Mended by the lawyer.")
    assert "missing: Legal" in refused(releasing.NotCleared, second, newsroom)
    # The words that they cleared before they wrote anything are those that they cleared.
    third = newsroom.edit(first.story, summary=first.content["summary"])
    releasing.arm(revision=third, by=newsroom.officer, moment=ahead(hours=1))


def test_no_arming_where_changes_were_asked(newsroom):
    revision = newsroom.cleared()
    ask_for_changes(newsroom, revision)
    assert "Legal (changes asked)" in refused(releasing.NotCleared, revision, newsroom)


def test_only_the_newest_revision_is_armed(newsroom):
    first = newsroom.cleared()
    newsroom.edit(first.story, summary="Newer words.")
    assert "newer revision" in refused(releasing.Moved, first, newsroom)


def test_no_arming_for_the_past(newsroom):
    refused(releasing.PastEmbargo, newsroom.cleared(), newsroom, ahead(seconds=-1))


def test_no_arming_for_the_year_9999(newsroom):
    far = Moment(datetime(9999, 12, 31, 12, tzinfo=UTC), LONDON)
    refused(releasing.FarEmbargo, newsroom.cleared(), newsroom, far)


def test_no_arming_at_an_address_that_is_taken(newsroom):
    newsroom.armed()
    refused(releasing.AddressTaken, newsroom.cleared(), newsroom)


def test_a_disarmed_release_frees_its_address(newsroom):
    first, second = newsroom.armed(), newsroom.cleared()
    releasing.disarm(story=first.story, by=newsroom.officer, reason="The other one goes first.")
    releasing.arm(revision=second, by=newsroom.officer, moment=ahead(hours=1))
    assert Visibility.objects.get().story == second.story


@pytest.mark.parametrize("slug", ["two words", "../admin", "ä", "a" * 201])
def test_no_arming_at_an_address_that_no_page_can_have(newsroom, slug):
    refused(releasing.Unfit, newsroom.cleared(slug=slug), newsroom)


def test_no_arming_without_a_headline(newsroom):
    refused(releasing.Unfit, newsroom.cleared(headline=" "), newsroom)


def test_no_arming_of_what_is_public(newsroom):
    release = newsroom.public()
    refused(releasing.AlreadyPublic, release.revision, newsroom)


# Disarming, and sign-offs taken back


def ask_for_changes(newsroom, revision: Revision) -> Decision:
    return clearing.ask_for_changes(
        step=newsroom.step(revision.story, newsroom.legal),
        revision=revision,
        covered=revision.story.decisions.filter(desk=newsroom.legal).latest("pk").covered,
        by=newsroom.lawyer,
        reason="“Nobody” is a promise.",
    )


def test_a_disarmed_story_does_not_become_public(newsroom):
    release = newsroom.armed()
    releasing.disarm(story=release.story, by=newsroom.officer, reason=" Wrong day. ", release=release.pk)
    assert Disarm.objects.get().reason == "Wrong day."
    assert not Visibility.objects.exists()
    assert releasing.announce(release_id=release.pk, worker="test") is None


def test_disarming_needs_a_reason(newsroom):
    release = newsroom.armed()
    with pytest.raises(releasing.ReasonMissing):
        releasing.disarm(story=release.story, by=newsroom.officer, reason=" \n")


def test_disarming_is_refused_where_nothing_is_armed(newsroom):
    with pytest.raises(releasing.NotArmed):
        releasing.disarm(story=newsroom.draft().story, by=newsroom.officer, reason="Wrong day.")


def test_disarming_is_refused_once_it_is_public(newsroom):
    release = newsroom.public()
    with pytest.raises(releasing.NotArmed):
        releasing.disarm(story=release.story, by=newsroom.officer, reason="Too late.")
    assert public() == [release]


def test_disarming_another_release_than_was_on_the_screen_is_refused(newsroom):
    first = newsroom.armed()
    moved = releasing.arm(revision=first.revision, by=newsroom.officer, moment=ahead(hours=5))
    with pytest.raises(releasing.Moved, match="armed it anew meanwhile"):
        releasing.disarm(story=first.story, by=newsroom.officer, reason="Wrong day.", release=first.pk)
    assert Visibility.objects.get().release == moved


def test_a_sign_off_that_is_taken_back_disarms(newsroom):
    release = newsroom.armed()
    ask_for_changes(newsroom, release.revision)
    assert not Visibility.objects.exists()
    assert Disarm.objects.get().reason == "Changes asked: “Nobody” is a promise."
    assert Disarm.objects.get().by == newsroom.lawyer


def test_a_sign_off_that_is_taken_back_while_held_disarms_too(newsroom):
    release = newsroom.armed()
    releasing.hold(story=release.story, by=newsroom.officer, reason="Wait for the engineer.")
    ask_for_changes(newsroom, release.revision)
    assert not Visibility.objects.exists()


def test_a_sign_off_that_is_taken_back_too_late_changes_nothing_public(newsroom):
    release = newsroom.public()
    ask_for_changes(newsroom, release.revision)
    assert public() == [release]
    assert not Disarm.objects.exists()


# Holding


def test_a_hold_lasts_past_the_embargo_and_the_story_is_public_from_the_lift(newsroom):
    revision = newsroom.cleared()
    release = releasing.arm(revision=revision, by=newsroom.officer, moment=ahead(seconds=0.5))
    held = releasing.hold(story=release.story, by=newsroom.officer, reason="Wait for the engineer.")
    sleep(0.55)
    assert public() == []
    assert releasing.announce(release_id=release.pk, worker="test") is None
    lift = releasing.unhold(story=release.story, by=newsroom.officer, hold=held.pk)
    assert visible_from(release.revision) == lift.at > release.embargo
    assert public() == [release]
    receipt = releasing.announce(release_id=release.pk, worker="test")
    assert receipt is not None
    assert receipt.due == lift.at


def test_a_hold_that_is_lifted_in_time_changes_nothing(newsroom):
    release = newsroom.armed()
    releasing.hold(story=release.story, by=newsroom.officer, reason="Wait for the engineer.")
    assert visible_from(release.revision) is None
    releasing.unhold(story=release.story, by=newsroom.officer)
    assert visible_from(release.revision) == release.embargo


def test_a_story_that_is_held_can_be_armed_and_stays_in(newsroom):
    revision = newsroom.cleared()
    releasing.hold(story=revision.story, by=newsroom.officer, reason="Wait for the engineer.")
    release = releasing.arm(revision=revision, by=newsroom.officer, moment=None)
    assert public() == []
    releasing.unhold(story=revision.story, by=newsroom.officer)
    assert public() == [release]


def test_holding_needs_a_reason(newsroom):
    with pytest.raises(releasing.ReasonMissing):
        releasing.hold(story=newsroom.draft().story, by=newsroom.officer, reason="")


def test_holding_twice_is_refused(newsroom):
    story = newsroom.draft().story
    releasing.hold(story=story, by=newsroom.officer, reason="Wait.")
    with pytest.raises(releasing.AlreadyHeld):
        releasing.hold(story=story, by=newsroom.officer, reason="Wait more.")


def test_holding_what_is_public_is_refused(newsroom):
    release = newsroom.public()
    with pytest.raises(releasing.AlreadyPublic):
        releasing.hold(story=release.story, by=newsroom.officer, reason="Too late.")


def test_lifting_where_nothing_is_held_is_refused(newsroom):
    with pytest.raises(releasing.NotHeld):
        releasing.unhold(story=newsroom.draft().story, by=newsroom.officer)


def test_lifting_another_hold_than_was_on_the_screen_is_refused(newsroom):
    story = newsroom.draft().story
    first = releasing.hold(story=story, by=newsroom.officer, reason="Wait for the engineer.")
    releasing.unhold(story=story, by=newsroom.officer)
    second = releasing.hold(story=story, by=newsroom.officer, reason="Wait for the minister.")
    with pytest.raises(releasing.Moved, match="Wait for the minister"):
        releasing.unhold(story=story, by=newsroom.officer, hold=first.pk)
    assert Hold.objects.get(lift=None) == second


# Announcing


def test_the_receipt_says_when_it_was_due_and_who_announced_it(newsroom):
    Subscriber.objects.create(email="editor@paper.example")
    Subscriber.objects.create(email="gone@paper.example", active=False)
    release = newsroom.public()
    receipt = releasing.announce(release_id=release.pk, worker="worker 2")
    assert receipt is not None
    assert (receipt.due, receipt.worker) == (release.embargo, "worker 2")
    assert receipt.lateness == receipt.at - release.embargo > timedelta()
    assert [delivery.recipient for delivery in release.deliveries.all()] == ["editor@paper.example"]


def test_nothing_is_announced_before_its_instant(newsroom):
    release = newsroom.armed()
    assert releasing.announce(release_id=release.pk, worker="test") is None
    assert not Announcement.objects.exists()


def test_nothing_is_announced_that_never_was(newsroom):
    assert releasing.announce(release_id=1_000_000, worker="test") is None


def test_a_release_that_was_replaced_is_not_announced(newsroom):
    first = newsroom.armed()
    second = releasing.arm(revision=first.revision, by=newsroom.officer, moment=None)
    assert releasing.announce(release_id=first.pk, worker="test") is None
    assert releasing.announce(release_id=second.pk, worker="test") is not None


def test_what_is_due(newsroom):
    release, now = newsroom.armed(ahead=timedelta(minutes=1)), database_now()
    assert releasing.due(now) == []
    assert releasing.due(release.embargo) == [(release.pk, release.embargo)]
    assert releasing.waits([release.pk])[release.pk] == pytest.approx(60, abs=1)
    releasing.hold(story=release.story, by=newsroom.officer, reason="Wait.")
    assert releasing.due(release.embargo) == []
    assert releasing.waits([release.pk]) == {}


def test_what_was_announced_is_not_due(newsroom):
    release = newsroom.public()
    assert releasing.due(database_now()) == [(release.pk, release.embargo)]
    releasing.announce(release_id=release.pk, worker="test")
    assert releasing.due(database_now()) == []
    assert releasing.waits([release.pk]) == {}


# Races


class TestRaces:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_twenty_workers_announce_once(self, live_newsroom):
        Subscriber.objects.bulk_create(Subscriber(email=f"{n}@paper.example") for n in range(3))
        release = live_newsroom.public()
        results = race(20, lambda n: releasing.announce(release_id=release.pk, worker=f"worker {n}"))
        receipts = [result for result in results if result is not None]
        assert receipts == [Announcement.objects.get()]
        assert Delivery.objects.count() == 3
        assert whole()

    def test_fifty_officers_arm_one_story_at_once(self, live_newsroom):
        revision, now = live_newsroom.cleared(), ahead(hours=1)

        def act(number: int) -> Release:
            moment = Moment(now.instant + timedelta(minutes=number), LONDON)
            return releasing.arm(revision=revision, by=live_newsroom.officer, moment=moment, replacing=None)

        results = race(50, act)
        armed = [result for result in results if isinstance(result, Release)]
        assert len(armed) == 1
        assert Counter(type(result) for result in results) == {Release: 1, releasing.Moved: 49}
        assert Visibility.objects.get().release == armed[0]
        assert whole()

    def test_fifty_that_do_not_look_replace_each_other_in_the_order_of_the_record(self, live_newsroom):
        revision, now = live_newsroom.cleared(), ahead(hours=1)

        def act(number: int) -> Release:
            moment = Moment(now.instant + timedelta(minutes=number), LONDON)
            return releasing.arm(revision=revision, by=live_newsroom.officer, moment=moment)

        results = race(50, act)
        assert Counter(type(result) for result in results) == {Release: 50}
        last = next(e for e in record.lines(revision.story) if e.source == "newsroom_release")
        assert Visibility.objects.get().release_id == last.fact == max(r.pk for r in results)
        assert whole()

    def test_fifty_presses_of_one_button_arm_once(self, live_newsroom):
        revision, moment = live_newsroom.cleared(), ahead(hours=1)
        results = race(
            50,
            lambda _: releasing.arm(
                revision=revision, by=live_newsroom.officer, moment=moment, replacing=None
            ),
        )
        assert results == [Release.objects.get()] * 50

    def test_fifty_presses_of_release_now_release_once(self, live_newsroom):
        revision = live_newsroom.cleared()
        results = race(50, lambda _: releasing.arm(revision=revision, by=live_newsroom.officer, moment=None))
        assert Counter(type(result) for result in results) == {Release: 1, releasing.AlreadyPublic: 49}

    def test_two_stories_never_share_an_address(self, live_newsroom):
        revisions = [live_newsroom.cleared() for _ in range(10)]
        results = race(
            10, lambda n: releasing.arm(revision=revisions[n], by=live_newsroom.officer, moment=None)
        )
        assert Counter(type(result) for result in results) == {Release: 1, releasing.AddressTaken: 9}

    def test_one_of_many_holds_and_one_of_many_lifts(self, live_newsroom):
        story = live_newsroom.draft().story
        held = race(20, lambda _: releasing.hold(story=story, by=live_newsroom.officer, reason="Wait."))
        assert Counter(type(result) for result in held) == {Hold: 1, releasing.AlreadyHeld: 19}
        lifted = race(20, lambda _: releasing.unhold(story=story, by=live_newsroom.officer))
        assert Counter(type(result) for result in lifted) == {HoldLift: 1, releasing.NotHeld: 19}

    def test_a_hold_at_the_instant_either_holds_or_is_refused(self, live_newsroom):
        for number in range(10):
            revision = live_newsroom.cleared(slug=f"at-the-instant-{number}")
            moment = ahead(seconds=0.3)
            release = releasing.arm(revision=revision, by=live_newsroom.officer, moment=moment)
            results = race(4, partial(at_the_instant, release, live_newsroom))
            held, receipts = results[0], [result for result in results[1:] if result is not None]
            if isinstance(held, releasing.AlreadyPublic):
                assert receipts == [Announcement.objects.get(release=release)]
            else:
                assert isinstance(held, Hold)
                assert held.at < moment.instant
                assert receipts == []
        assert whole()

    def test_a_sign_off_taken_back_at_the_instant_is_kept_either_way(self, live_newsroom):
        for number in range(10):
            revision = live_newsroom.cleared(slug=f"at-the-instant-{number}")
            moment = ahead(seconds=0.3)
            release = releasing.arm(revision=revision, by=live_newsroom.officer, moment=moment)
            sleep(max(releasing.waits([release.pk]).get(release.pk, 0), 0))
            decision = ask_for_changes(live_newsroom, revision)
            assert decision.verdict == "changes"
            disarmed = Disarm.objects.filter(release=release).exists()
            assert disarmed != Release.objects.public().filter(pk=release.pk).exists()
        assert whole()


def at_the_instant(release: Release, newsroom, number: int) -> Hold | Announcement | None:
    """Number 0 holds, the others announce."""
    early = 0.001 if number == 0 else 0
    sleep(max((releasing.waits([release.pk]).get(release.pk, 0)) - early, 0))
    if number == 0:
        return releasing.hold(story=release.story, by=newsroom.officer, reason="Stop.")
    return releasing.announce(release_id=release.pk, worker=f"worker {number}")


def whole() -> bool:
    """Whether the record and the read model are what the facts say."""
    return [*record.verify(), *visibility.differences()] == []
