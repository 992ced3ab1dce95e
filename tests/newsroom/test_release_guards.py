"""Past the Python: what the database refuses, of raw SQL, to the application's role and to the owner."""

from datetime import timedelta

import pytest
from django.db import Error, connections

from newsroom import releasing
from newsroom.models import Announcement, Release, Subscriber, Visibility
from stories.clocks import database_now
from stories.models import Revision
from tests.newsroom.racing import race
from tests.newsroom.test_releasing import ahead, ask_for_changes

# Committed data: the owner has a connection of its own.
pytestmark = pytest.mark.django_db(transaction=True)

ROLES = ("default", "owner")
FACTS = ("release", "releasesignoff", "disarm", "hold", "holdlift", "announcement")


def sql(statement: str, *values: object, role: str = "default") -> list[tuple[object, ...]]:
    with connections[role].cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall()) if cursor.description else []


@pytest.fixture
def released(live_newsroom) -> Release:
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
@pytest.mark.parametrize("statement", ["UPDATE newsroom_{} SET id = id + 1000", "DELETE FROM newsroom_{}"])
def test_no_fact_is_changed_or_deleted(released, role, fact, statement):
    rows = sql(f"SELECT * FROM newsroom_{fact}")
    assert rows
    with pytest.raises(Error):
        sql(statement.format(fact), role=role)
    assert sql(f"SELECT * FROM newsroom_{fact}") == rows


@pytest.mark.parametrize("table", [*FACTS, "visibility", "delivery"])
def test_the_application_truncates_nothing(released, table):
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
        "UPDATE newsroom_delivery SET event = 'kill'",
        "UPDATE newsroom_delivery SET story_id = 1, release_id = 1",
        "UPDATE newsroom_subscriptionrequest SET email = 'me@elsewhere.example'",
        "DELETE FROM newsroom_receiver",
        "SELECT refresh_visibility(1)",
        "ALTER TABLE newsroom_release DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "SET ROLE newsroom_owner",
    ],
)
def test_the_application_has_no_right_to(released, statement):
    with pytest.raises(Error, match=r"permission denied|must be owner"):
        sql(statement)


def insert_release(
    revision: Revision, by: int | None, embargo: str = "now() + '1 hour'", id_: str = ""
) -> None:
    columns = "story_id, revision_id, by_id, embargo, zone, at" + (", id" if id_ else "")
    values = f"%s, %s, %s, {embargo}, 'UTC', now()" + (f", {id_}" if id_ else "")
    sql(
        f"INSERT INTO newsroom_release ({columns}) VALUES ({values})",
        revision.story_id,
        revision.pk,
        by,
    )


def test_arming_what_is_not_cleared(live_newsroom):
    revision = live_newsroom.submitted()
    with pytest.raises(Error, match="A sign-off is missing"):
        insert_release(revision, live_newsroom.officer.pk)


def test_arming_a_revision_of_another_story(live_newsroom):
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
def test_arming_for_an_impossible_moment(live_newsroom, embargo, words):
    with pytest.raises(Error, match=words):
        insert_release(live_newsroom.cleared(), live_newsroom.officer.pk, embargo)


def test_arming_by_nobody(live_newsroom):
    with pytest.raises(Error, match="null value"):
        insert_release(live_newsroom.cleared(), None)


def test_an_id_of_ones_own_makes_no_release_the_newest_for_ever(live_newsroom):
    revision = live_newsroom.cleared()
    insert_release(revision, live_newsroom.officer.pk, id_="9000000000")
    later = releasing.arm(revision=revision, by=live_newsroom.officer, moment=ahead(hours=2))
    assert Visibility.objects.get().release == later


def test_the_time_of_a_fact_is_the_databases(live_newsroom):
    revision = live_newsroom.cleared()
    sql("SELECT set_config('newsroom.at', '2001-01-01', false)")
    insert_release(revision, live_newsroom.officer.pk)
    sql("SELECT set_config('newsroom.at', '', false)")
    assert database_now() - Release.objects.get().at < timedelta(seconds=10)


def insert_announcement(release: Release) -> None:
    sql(
        "INSERT INTO newsroom_announcement (story_id, release_id, worker, at, due)"
        " VALUES (%s, %s, 'me', now(), now() - interval '1 hour')",
        release.story_id,
        release.pk,
    )


def test_announcing_before_the_instant(live_newsroom):
    release = live_newsroom.armed()
    with pytest.raises(Error, match="not public"):
        insert_announcement(release)


def test_announcing_twice(released):
    with pytest.raises(Error, match="duplicate key"):
        insert_announcement(released)


def test_a_receipt_cannot_lie_about_when_it_was_due(live_newsroom):
    release = live_newsroom.public()
    insert_announcement(release)
    assert Announcement.objects.get().due == release.embargo


def test_disarming_the_release_of_another_story(live_newsroom):
    armed, other = live_newsroom.armed(), live_newsroom.draft(slug="other")
    with pytest.raises(Error, match="not armed"):
        sql(
            "INSERT INTO newsroom_disarm (story_id, release_id, by_id, reason, at)"
            " VALUES (%s, %s, %s, 'x', now())",
            other.story_id,
            armed.pk,
            live_newsroom.officer.pk,
        )


def test_lifting_the_hold_of_another_story(live_newsroom):
    held, other = live_newsroom.draft(), live_newsroom.draft()
    hold = releasing.hold(story=held.story, by=live_newsroom.officer, reason="Wait.")
    with pytest.raises(Error, match="of another story"):
        sql(
            "INSERT INTO newsroom_holdlift (story_id, hold_id, by_id, at) VALUES (%s, %s, %s, now())",
            other.story_id,
            hold.pk,
            live_newsroom.officer.pk,
        )


def test_a_snapshot_from_before_a_sign_off_was_taken_back_arms_nothing(live_newsroom):
    revision = live_newsroom.cleared()
    sql("SET default_transaction_isolation = 'repeatable read'")
    try:
        sql("BEGIN")
        sql("SELECT count(*) FROM approvals_decision")
        race(1, lambda _: ask_for_changes(live_newsroom, revision))
        with pytest.raises(Error, match="READ COMMITTED"):
            insert_release(revision, live_newsroom.officer.pk)
    finally:
        sql("ROLLBACK")
        sql("RESET default_transaction_isolation")
    assert not Release.objects.exists()
