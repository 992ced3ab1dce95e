"""The record: every fact is on it, nothing can be changed, and what was changed all the same is found."""

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction

from newsroom import releasing
from stories import record
from stories.models import Arrangement, Entry

pytestmark = pytest.mark.django_db(transaction=True)


def as_owner(sql: str, *params: object) -> None:
    """What only the owner of the tables could do, with every trigger switched off."""
    with connections["owner"].cursor() as cursor:
        tables = [*record.sources(), "stories_entry"]
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(sql, params)
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def test_every_fact_has_its_entry(live_newsroom, capsys):
    release = live_newsroom.public()
    sources = list(release.story.entries.order_by("number").values_list("source", flat=True))
    assert sources == [
        "stories_story",
        "stories_revision",
        "approvals_pinnedstep",
        "approvals_pinnedstep",
        "approvals_submission",
        "approvals_decision",
        "approvals_decision",
        "newsroom_releasesignoff",
        "newsroom_releasesignoff",
        "newsroom_release",
    ]
    call_command("verify_record")
    facts = 10 + Arrangement.objects.count()
    assert f"{facts} facts in 2 chains" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        (
            "UPDATE stories_revision SET content = jsonb_set(content, '{headline}', '\"Lies\"')",
            "words of revision 1",
        ),
        ("UPDATE approvals_decision SET by_id = (SELECT min(id) FROM stories_user)", "was changed"),
        (
            "UPDATE approvals_decision SET verdict = 'changes', reason = 'x'",
            "was changed",
        ),
        ("DELETE FROM stories_entry WHERE number = 3", "link 3 is missing"),
        (
            'UPDATE stories_entry SET payload = payload || \'{"digest": "0"}\' WHERE number = 2',
            "does not have its hash",
        ),
        ("UPDATE stories_entry SET at = at - interval '1 day' WHERE number = 4", "does not have its hash"),
        ("UPDATE stories_entry SET hash = repeat('0', 64) WHERE number = 2", "link 2"),
        ("UPDATE newsroom_visibility SET visible_from = visible_from - interval '1 hour'", "visibility"),
        ("UPDATE newsroom_holdall SET reason = 'Nothing at all'", "was changed"),
        ("DELETE FROM stories_entry WHERE story_id IS NULL AND number = 1", "the newsroom, link"),
    ],
)
def test_what_the_owner_tampers_with_is_found(live_newsroom, sql, fault):
    live_newsroom.public()
    releasing.hold_everything(by=live_newsroom.officer, reason="Something is wrong")
    releasing.lift_everything(by=live_newsroom.officer)
    assert list(record.verify()) == []
    as_owner(sql)
    assert any(fault in found for found in record.verify()), list(record.verify())
    with pytest.raises(CommandError, match="broken"):
        call_command("verify_record")


def test_a_fact_that_was_never_recorded_is_found(live_newsroom):
    revision = live_newsroom.draft()
    as_owner(
        "INSERT INTO stories_embargo (story_id, by_id, at, instant, zone) "
        "SELECT id, by_id, now(), now(), 'UTC' FROM stories_story WHERE id = %s",
        revision.story_id,
    )
    assert any("is not in the record" in fault for fault in record.verify())


@pytest.mark.parametrize(
    "table",
    [
        "stories_revision",
        "stories_entry",
        "stories_story",
        "approvals_decision",
        "approvals_submission",
        "approvals_pinnedstep",
        "newsroom_release",
    ],
)
@pytest.mark.parametrize("role", ["default", "owner"])
def test_no_fact_can_be_changed_or_deleted(live_newsroom, table, role):
    live_newsroom.public()
    connection = connections[role]
    for sql in (f"UPDATE {table} SET id = id + 1000", f"DELETE FROM {table}"):
        with pytest.raises(DatabaseError), transaction.atomic(role), connection.cursor() as cursor:
            cursor.execute(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "TRUNCATE stories_revision CASCADE",
        "ALTER TABLE stories_revision DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "SELECT record_append(1, 'stories_story', 1, NULL, now(), '{}')",
        "INSERT INTO stories_entry (number, source, fact, at) VALUES (9, 'x', 1, now())",
        "DROP TRIGGER recorded ON stories_revision",
        "CREATE FUNCTION digest_of(jsonb) RETURNS text LANGUAGE sql AS 'SELECT 1::text'",
    ],
)
def test_the_application_cannot_get_round_the_guards(live_newsroom, sql):
    live_newsroom.draft()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_no_setting_of_the_session_skips_a_guard_or_moves_the_clock(live_newsroom):
    revision = live_newsroom.draft()
    with connection.cursor() as cursor:
        cursor.execute("SET pgtrigger.ignore = '{append_only,recorded,derived,allowed}'")
        cursor.execute("SET newsroom.at = '2001-01-01'")
    try:
        later = live_newsroom.edit(revision.story, headline="Another")
        assert later.at.year > 2001
        assert list(record.verify()) == []
        assert Entry.objects.filter(source="stories_revision").count() == 2
    finally:
        connection.close()


def test_people_who_did_something_cannot_be_deleted(live_newsroom):
    live_newsroom.draft()
    with pytest.raises(DatabaseError), transaction.atomic():
        delete_for_good("stories_user", live_newsroom.drafter.pk)


def delete_for_good(table: str, pk: int) -> None:
    """Delete with raw SQL, and have the foreign keys looked at now."""
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE id = %s", [pk])
    connection.check_constraints()
