"""Arming, holding and announcing: what is done, what is refused by name, and who wins a race."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from time import sleep

import pytest
from django.db import Error, connections

from approvals import clearing
from approvals.models import Decision
from newsroom import releasing, visibility
from newsroom.models import Announcement, Delivery, Disarm, Hold, HoldLift, Release, Subscriber, Visibility
from newsroom.releasing import database_now
from stories import record
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


def test_no_arming_on_a_sign_off_by_somebody_who_wrote_later(newsroom):
    first = newsroom.cleared()
    newsroom.edit(first.story, by=newsroom.lawyer, summary="Mended by the lawyer.")
    third = newsroom.edit(first.story, summary=first.content["summary"])
    assert third.digest == first.digest
    words = refused(releasing.NotCleared, third, newsroom)
    assert "missing: Legal" in words


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


@pytest.mark.parametrize("slug", ["", "two words", "../admin", "ä", "a" * 201])
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
    assert [delivery.recipient for delivery in receipt.deliveries.all()] == ["editor@paper.example"]


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
    assert releasing.seconds_to_go(release.pk) == pytest.approx(60, abs=1)
    releasing.hold(story=release.story, by=newsroom.officer, reason="Wait.")
    assert releasing.due(release.embargo) == []
    assert releasing.seconds_to_go(release.pk) is None


def test_what_was_announced_is_not_due(newsroom):
    release = newsroom.public()
    assert releasing.due(database_now()) == [(release.pk, release.embargo)]
    releasing.announce(release_id=release.pk, worker="test")
    assert releasing.due(database_now()) == []
    assert releasing.seconds_to_go(release.pk) is None


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
            sleep(max(releasing.seconds_to_go(release.pk) or 0, 0))
            decision = ask_for_changes(live_newsroom, revision)
            assert decision.verdict == "changes"
            disarmed = Disarm.objects.filter(release=release).exists()
            assert disarmed != Release.objects.public().filter(pk=release.pk).exists()
        assert whole()


def at_the_instant(release: Release, newsroom, number: int) -> Hold | Announcement | None:
    """Number 0 holds, the others announce."""
    early = 0.001 if number == 0 else 0
    sleep(max((releasing.seconds_to_go(release.pk) or 0) - early, 0))
    if number == 0:
        return releasing.hold(story=release.story, by=newsroom.officer, reason="Stop.")
    return releasing.announce(release_id=release.pk, worker=f"worker {number}")


def whole() -> bool:
    """Whether the record and the read model are what the facts say."""
    return [*record.verify(), *visibility.differences()] == []


# Past the Python: raw SQL, as the application's role and as the owner


ROLES = ("default", "owner")
FACTS = ("release", "releasesignoff", "disarm", "hold", "holdlift", "announcement")


def sql(statement: str, *values: object, role: str = "default") -> list[tuple[object, ...]]:
    with connections[role].cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall()) if cursor.description else []


class TestRawSql:
    """Committed data: the owner has a connection of its own."""

    pytestmark = pytest.mark.django_db(transaction=True)

    @pytest.fixture
    def released(self, live_newsroom) -> Release:
        """A public, announced release of a story that was held once, and another that was disarmed."""
        disarmed = live_newsroom.armed(slug="disarmed").story
        releasing.disarm(story=disarmed, by=live_newsroom.officer, reason="Wrong day.")
        revision = live_newsroom.cleared()
        releasing.hold(story=revision.story, by=live_newsroom.officer, reason="Wait.")
        releasing.unhold(story=revision.story, by=live_newsroom.officer)
        Subscriber.objects.create(email="editor@paper.example")
        release = releasing.arm(revision=revision, by=live_newsroom.officer, moment=None)
        releasing.announce(release_id=release.pk, worker="test")
        return release

    @pytest.mark.parametrize("role", ROLES)
    @pytest.mark.parametrize("fact", FACTS)
    @pytest.mark.parametrize(
        "statement", ["UPDATE newsroom_{} SET id = id + 1000", "DELETE FROM newsroom_{}"]
    )
    def test_no_fact_is_changed_or_deleted(self, released, role, fact, statement):
        rows = sql(f"SELECT * FROM newsroom_{fact}")
        assert rows
        with pytest.raises(Error):
            sql(statement.format(fact), role=role)
        assert sql(f"SELECT * FROM newsroom_{fact}") == rows

    @pytest.mark.parametrize("table", [*FACTS, "visibility", "delivery"])
    def test_the_application_truncates_nothing(self, released, table):
        with pytest.raises(Error, match="permission denied"):
            sql(f"TRUNCATE newsroom_{table} CASCADE")

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE newsroom_visibility SET visible_from = now()",
            "DELETE FROM newsroom_visibility",
            "INSERT INTO newsroom_visibility (slug) VALUES ('x')",
            "INSERT INTO newsroom_releasesignoff (release_id, decision_id) VALUES (1, 1)",
            "DELETE FROM newsroom_delivery",
            "UPDATE newsroom_delivery SET recipient = 'me@elsewhere.example'",
            "UPDATE newsroom_delivery SET key = ''",
            "SELECT refresh_visibility(1)",
            "ALTER TABLE newsroom_release DISABLE TRIGGER ALL",
            "SET session_replication_role = replica",
            "SET ROLE newsroom_owner",
        ],
    )
    def test_the_application_has_no_right_to(self, released, statement):
        with pytest.raises(Error, match=r"permission denied|must be owner"):
            sql(statement)

    def insert_release(
        self, revision: Revision, by: int | None, embargo: str = "now() + '1 hour'", id_: str = ""
    ) -> None:
        columns = "story_id, revision_id, by_id, embargo, zone, at" + (", id" if id_ else "")
        values = f"%s, %s, %s, {embargo}, 'UTC', now()" + (f", {id_}" if id_ else "")
        sql(
            f"INSERT INTO newsroom_release ({columns}) VALUES ({values})",
            revision.story_id,
            revision.pk,
            by,
        )

    def test_arming_what_is_not_cleared(self, live_newsroom):
        revision = live_newsroom.submitted()
        with pytest.raises(Error, match="A sign-off is missing"):
            self.insert_release(revision, live_newsroom.officer.pk)

    def test_arming_a_revision_of_another_story(self, live_newsroom):
        cleared, other = live_newsroom.cleared(), live_newsroom.submitted(slug="other")
        with pytest.raises(Error, match="Only the newest revision"):
            sql(
                "INSERT INTO newsroom_release (story_id, revision_id, by_id, embargo, zone, at)"
                " VALUES (%s, %s, %s, now() + '1 hour', 'UTC', now())",
                other.story_id,
                cleared.pk,
                live_newsroom.officer.pk,
            )

    @pytest.mark.parametrize(
        ("embargo", "words"),
        [
            ("now() - interval '1 second'", "in the past"),
            ("'-infinity'", "in the past"),
            ("'infinity'", "too far ahead"),
            ("'9999-12-31'", "too far ahead"),
        ],
    )
    def test_arming_for_an_impossible_moment(self, live_newsroom, embargo, words):
        with pytest.raises(Error, match=words):
            self.insert_release(live_newsroom.cleared(), live_newsroom.officer.pk, embargo)

    def test_arming_by_nobody(self, live_newsroom):
        with pytest.raises(Error, match="null value"):
            self.insert_release(live_newsroom.cleared(), None)

    def test_an_id_of_ones_own_makes_no_release_the_newest_for_ever(self, live_newsroom):
        revision = live_newsroom.cleared()
        self.insert_release(revision, live_newsroom.officer.pk, id_="9000000000")
        later = releasing.arm(revision=revision, by=live_newsroom.officer, moment=ahead(hours=2))
        assert Visibility.objects.get().release == later

    def test_the_time_of_a_fact_is_the_databases(self, live_newsroom):
        revision = live_newsroom.cleared()
        sql("SELECT set_config('newsroom.at', '2001-01-01', false)")
        self.insert_release(revision, live_newsroom.officer.pk)
        sql("SELECT set_config('newsroom.at', '', false)")
        assert database_now() - Release.objects.get().at < timedelta(seconds=10)

    def insert_announcement(self, release: Release) -> None:
        sql(
            "INSERT INTO newsroom_announcement (story_id, release_id, worker, at, due)"
            " VALUES (%s, %s, 'me', now(), now() - interval '1 hour')",
            release.story_id,
            release.pk,
        )

    def test_announcing_before_the_instant(self, live_newsroom):
        release = live_newsroom.armed()
        with pytest.raises(Error, match="not public"):
            self.insert_announcement(release)

    def test_announcing_twice(self, released):
        with pytest.raises(Error, match="duplicate key"):
            self.insert_announcement(released)

    def test_a_receipt_cannot_lie_about_when_it_was_due(self, live_newsroom):
        release = live_newsroom.public()
        self.insert_announcement(release)
        assert Announcement.objects.get().due == release.embargo

    def test_disarming_the_release_of_another_story(self, live_newsroom):
        armed, other = live_newsroom.armed(), live_newsroom.draft(slug="other")
        with pytest.raises(Error, match="not armed"):
            sql(
                "INSERT INTO newsroom_disarm (story_id, release_id, by_id, reason, at)"
                " VALUES (%s, %s, %s, 'x', now())",
                other.story_id,
                armed.pk,
                live_newsroom.officer.pk,
            )

    def test_lifting_the_hold_of_another_story(self, live_newsroom):
        held, other = live_newsroom.draft(), live_newsroom.draft()
        hold = releasing.hold(story=held.story, by=live_newsroom.officer, reason="Wait.")
        with pytest.raises(Error, match="of another story"):
            sql(
                "INSERT INTO newsroom_holdlift (story_id, hold_id, by_id, at) VALUES (%s, %s, %s, now())",
                other.story_id,
                hold.pk,
                live_newsroom.officer.pk,
            )

    def test_a_snapshot_from_before_a_sign_off_was_taken_back_arms_nothing(self, live_newsroom):
        revision = live_newsroom.cleared()
        sql("SET default_transaction_isolation = 'repeatable read'")
        try:
            sql("BEGIN")
            sql("SELECT count(*) FROM approvals_decision")
            race(1, lambda _: ask_for_changes(live_newsroom, revision))
            # The chain refuses it: the number of the next link is taken.
            with pytest.raises(Error, match="one_entry_a_number"):
                self.insert_release(revision, live_newsroom.officer.pk)
        finally:
            sql("ROLLBACK")
            sql("RESET default_transaction_isolation")
        assert not Release.objects.exists()
