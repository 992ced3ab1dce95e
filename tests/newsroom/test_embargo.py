"""Copies under embargo: who gets one, what an acknowledgement opens, and that nothing else does."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.db import Error, connection, transaction

from approvals import clearing
from newsroom import embargo, releasing
from newsroom.embargo import Stage
from newsroom.models import (
    Acknowledgement,
    CopyNotice,
    EmbargoGrant,
    EmbargoRevocation,
    Kind,
    Opening,
    Visibility,
)
from stories import record
from stories.models import Entry
from stories.moments import Moment
from stories.refusals import hint_of
from tests.newsroom.copying import QUILL, acknowledged, given, move, stage, token_of
from tests.newsroom.racing import race
from tests.newsroom.test_after_release import ahead, corrected, let_pass

pytestmark = pytest.mark.django_db


def run(sql: str, values: list[Any]) -> str:
    """The hint with which the database refuses a statement of the application's; empty where it takes it."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, values)
    except Error as error:
        return hint_of(error) or type(error).__name__
    return ""


# Giving


def test_a_copy_is_given_acknowledged_and_opened(newsroom):
    release = newsroom.armed()
    grant = given(newsroom, release, terms="Interviews from noon.")
    assert (grant.release, stage(grant)) == (release, Stage.ASK)
    said = acknowledged(grant)
    assert (said.release, said.moment, said.zone) == (release, release.embargo, release.zone)
    assert (said.by, stage(grant)) == (None, Stage.OPEN)
    embargo.open_copy(acknowledgement=said)
    embargo.open_copy(acknowledgement=said)
    assert Opening.objects.get().acknowledgement == said
    assert list(record.verify()) == []
    told = [record.words(entry).title for entry in record.lines(release.story)[:3]]
    assert told == [
        "Copy opened by Nora Quill, The Evening Ledger",
        f"Nora Quill, The Evening Ledger keeps the embargo until {release.moment.in_full}",
        "Copy under embargo given to Nora Quill, The Evening Ledger (quill@ledger.example)",
    ]


def test_only_of_what_is_armed(newsroom):
    for release in (newsroom.public(slug="public"), newsroom.armed(slug="disarmed")):
        if release.visibility.visible_from > release.at:
            releasing.disarm(story=release.story, by=newsroom.officer, reason="Not today")
        with pytest.raises(embargo.NotArmed, match="Arm it first"):
            given(newsroom, release)
    with pytest.raises(embargo.NotArmed):
        embargo.give(story=newsroom.cleared(slug="cleared").story, by=newsroom.officer, **QUILL)
    assert not EmbargoGrant.objects.exists()


def test_not_while_it_is_stopped(newsroom):
    release = newsroom.armed()
    releasing.hold_everything(by=newsroom.officer, reason="Wait")
    with pytest.raises(embargo.Stopped):
        given(newsroom, release)
    releasing.lift_everything(by=newsroom.officer)
    releasing.hold(story=release.story, by=newsroom.officer, reason="Wait")
    with pytest.raises(embargo.Stopped, match="held or frozen"):
        given(newsroom, release)


def test_one_a_story_and_address(newsroom):
    release = newsroom.armed()
    grant = given(newsroom, release)
    with pytest.raises(embargo.AlreadyGiven, match="Revoke that one first"):
        given(newsroom, release, email="Quill@Ledger.example")
    given(newsroom, newsroom.armed(slug="other"))
    embargo.revoke(grant=grant, by=newsroom.officer, reason="Wrong address")
    assert stage(given(newsroom, release)) is Stage.ASK


@pytest.mark.parametrize(
    "changes",
    [{"name": " \n"}, {"outlet": ""}, {"email": "quill"}, {"email": ""}, {"email": "a@b.example\nBcc: c"}],
)
def test_to_somebody_who_can_be_written_to(newsroom, changes):
    with pytest.raises(embargo.Incomplete):
        given(newsroom, newsroom.armed(), **changes)


def test_a_copy_is_revoked_once_and_for_a_reason(newsroom):
    grant = given(newsroom, newsroom.armed())
    acknowledged(grant)
    with pytest.raises(embargo.ReasonMissing):
        embargo.revoke(grant=grant, by=newsroom.officer, reason=" ")
    embargo.revoke(grant=grant, by=newsroom.officer, reason="They have broken one")
    with pytest.raises(embargo.AlreadyRevoked):
        embargo.revoke(grant=grant, by=newsroom.officer, reason="Again")
    with pytest.raises(embargo.Unknown):
        embargo.find(token_of(grant))
    assert list(record.verify()) == []
    told = record.words(record.lines(grant.story)[0])
    assert (told.title, told.detail) == (
        "Copy of Nora Quill, The Evening Ledger revoked",
        "“They have broken one”",
    )


# The token


def test_of_the_token_only_its_hash_is_kept(newsroom):
    grant = given(newsroom, newsroom.armed())
    token = token_of(grant)
    assert len(token) == 43
    assert grant.token_hash == sha256(token.encode()).hexdigest()
    assert embargo.path(EmbargoGrant.objects.get()) == f"/embargoed/{token}/"
    for table in ("newsroom_embargogrant", "newsroom_copynotice", "stories_entry"):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t")
            assert token not in cursor.fetchone()[0]


def test_another_secret_key_makes_no_link_and_old_links_are_good(newsroom, settings):
    grant = given(newsroom, newsroom.armed())
    token = token_of(grant)
    settings.SECRET_KEY = "another"
    assert embargo.path(grant) == ""
    assert embargo.find(token) == grant


def test_a_token_that_is_none_of_ours(newsroom):
    grant = given(newsroom, newsroom.armed())
    token = token_of(grant)
    wrong = ["", "x", token[:-1], token + "A", token.swapcase(), "A" * 43, str(grant.seed), grant.token_hash]
    wrong += [token.replace(token[5], "-", 1) + "\x00", "é" * 43, "/".join(token)]
    for other in wrong:
        with pytest.raises(embargo.Unknown):
            embargo.find(other)


# What an acknowledgement opens


def test_when_the_embargo_moves_it_has_to_be_acknowledged_again(newsroom):
    release = newsroom.armed()
    grant, there = given(newsroom, release), release.visibility.moment
    first = acknowledged(grant)
    move(newsroom, release, ahead(hours=3))
    assert stage(grant) is Stage.ASK
    assert acknowledged(grant).moment > first.moment
    assert stage(grant) is Stage.OPEN
    move(newsroom, release, there)
    assert stage(grant) is Stage.ASK, "also where it moved back to what was acknowledged once"
    again = acknowledged(grant)
    assert (again.moment, again.pk) != (first.moment, first.pk)
    assert stage(grant) is Stage.OPEN
    assert list(record.verify()) == []


def test_other_words_have_to_be_acknowledged_again(newsroom):
    release = newsroom.armed()
    grant = given(newsroom, release)
    acknowledged(grant)
    revision = newsroom.edit(release.story, summary="Newer words.")
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    other = releasing.arm(revision=revision, by=newsroom.officer, moment=release.moment)
    assert other != release
    assert stage(grant) is Stage.ASK
    assert acknowledged(grant).release == other


def test_what_is_called_off_is_closed_until_it_is_armed_and_acknowledged_again(newsroom):
    release = newsroom.armed()
    grant = given(newsroom, release)
    acknowledged(grant)
    releasing.disarm(story=release.story, by=newsroom.officer, reason="Not today")
    assert stage(grant) is Stage.OFF
    with pytest.raises(embargo.NotNow):
        embargo.acknowledge(token=token_of(grant), seen="x")
    releasing.arm(revision=release.revision, by=newsroom.officer, moment=release.moment)
    assert stage(grant) is Stage.ASK


def test_a_decision_against_the_words_closes_it_too(newsroom):
    release = newsroom.armed()
    grant = given(newsroom, release)
    acknowledged(grant)
    step = newsroom.step(release.story, newsroom.legal)
    seen = {"revision": release.revision, "covered": release.revision.digest}
    clearing.ask_for_changes(step=step, by=newsroom.lawyer, reason="No", **seen)
    assert stage(grant) is Stage.OFF
    assert CopyNotice.objects.filter(kind="off").count() == 1


def test_what_is_held_is_closed_and_open_again_once_it_is_lifted(newsroom):
    release = newsroom.armed()
    grant = given(newsroom, release)
    said = acknowledged(grant)
    releasing.hold(story=release.story, by=newsroom.officer, reason="Wait")
    assert stage(grant) is Stage.HELD
    with pytest.raises(embargo.NotNow):
        embargo.open_copy(acknowledgement=said)
    releasing.unhold(story=release.story, by=newsroom.officer)
    assert stage(grant) is Stage.OPEN
    releasing.hold_everything(by=newsroom.officer, reason="Wait")
    assert stage(grant) is Stage.HELD
    releasing.lift_everything(by=newsroom.officer)
    frozen = releasing.freeze(
        by=newsroom.officer,
        organisation=None,
        since=datetime.now(UTC),
        until=datetime.now(UTC) + timedelta(days=1),
        reason="Election",
    )
    assert stage(grant) is Stage.HELD
    releasing.exempt(story=release.story, freeze=frozen, by=newsroom.officer, reason="Lives")
    assert stage(grant) is Stage.OPEN


def test_past_its_moment_a_held_copy_stays_closed(newsroom):
    release = newsroom.armed(ahead=timedelta(seconds=3))
    grant = given(newsroom, release)
    acknowledged(grant)
    releasing.hold(story=release.story, by=newsroom.officer, reason="Wait")
    let_pass(release)
    assert stage(grant) is Stage.HELD
    releasing.unhold(story=release.story, by=newsroom.officer)
    assert stage(grant) is Stage.OVER


def test_a_copy_ends_with_its_moment_and_shows_no_later_correction(newsroom):
    release = newsroom.armed(ahead=timedelta(seconds=3))
    grant = given(newsroom, release)
    acknowledged(grant)
    let_pass(release)
    assert stage(grant) is Stage.OVER
    correction = releasing.arm(
        revision=corrected(newsroom, release.story),
        by=newsroom.officer,
        moment=ahead(hours=1),
        kind=Kind.CORRECTION,
        note="Longer.",
    )
    assert stage(grant) is Stage.OVER
    assert not CopyNotice.objects.filter(kind="armed").exists()
    other = given(newsroom, correction)
    assert (other.release, stage(other)) == (correction, Stage.ASK)
    acknowledged(other)
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Wrong")
    assert stage(other) is stage(grant) is Stage.OVER
    assert list(record.verify()) == []


def test_a_story_that_comes_back_after_a_withdrawal_is_not_for_the_holders_of_before(newsroom):
    release = newsroom.armed(ahead=timedelta(seconds=3))
    grant = given(newsroom, release)
    let_pass(release)
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Wrong")
    revision = corrected(newsroom, release.story)
    releasing.arm(revision=revision, by=newsroom.officer, moment=ahead(hours=1))
    assert stage(grant) is Stage.OVER


# What was on the screen


def test_a_stale_screen_acknowledges_nothing(newsroom):
    release = newsroom.armed()
    grant = given(newsroom, release)
    seen = embargo.look(embargo.find(token_of(grant))).seen
    move(newsroom, release, ahead(hours=3))
    for stale in (seen, "", "nonsense"):
        with pytest.raises(embargo.Changed):
            embargo.acknowledge(token=token_of(grant), seen=stale)
    assert not Acknowledgement.objects.exists()
    assert acknowledged(grant) == acknowledged(grant), "twice is once"


def test_what_one_reader_saw_is_no_answer_of_another(newsroom):
    release = newsroom.armed()
    one, two = given(newsroom, release), given(newsroom, release, email="other@ledger.example")
    seen = embargo.look(embargo.find(token_of(one))).seen
    with pytest.raises(embargo.Changed):
        embargo.acknowledge(token=token_of(two), seen=seen)


# Raw SQL as the application's role

ACKNOWLEDGE = (
    "INSERT INTO newsroom_acknowledgement (story_id, grant_id, release_id, moment, zone, move_id, by_id) "
    "VALUES (%s, %s, %s, %s, 'Europe/London', %s, %s)"
)


def test_the_database_takes_no_acknowledgement_of_anything_else(newsroom):
    release, other = newsroom.armed(), newsroom.armed(slug="other")
    grant, theirs = given(newsroom, release), given(newsroom, other)
    there = release.embargo
    story = release.story_id
    later = there + timedelta(hours=1)
    assert run(ACKNOWLEDGE, [story, grant.pk, release.pk, later, None, None]) == "moved"
    assert run(ACKNOWLEDGE, [story, grant.pk, other.pk, other.embargo, None, None]) == "not_now"
    assert run(ACKNOWLEDGE, [story, theirs.pk, release.pk, there, None, None]) == "not_now"
    assert run(ACKNOWLEDGE, [other.story_id, grant.pk, release.pk, there, None, None]) == "not_now"
    moved = move(newsroom, release, ahead(hours=3))
    assert run(ACKNOWLEDGE, [story, grant.pk, release.pk, there, moved.pk, None]) == "moved"
    releasing.hold(story=release.story, by=newsroom.officer, reason="Wait")
    assert run(ACKNOWLEDGE, [story, grant.pk, release.pk, moved.embargo, None, None]) == "not_now"
    releasing.unhold(story=release.story, by=newsroom.officer)
    embargo.revoke(grant=grant, by=newsroom.officer, reason="Gone")
    assert run(ACKNOWLEDGE, [story, grant.pk, release.pk, moved.embargo, None, None]) == "not_now"
    assert not Acknowledgement.objects.exists()
    # What is sent for what the database knows counts for nothing.
    assert (
        run(ACKNOWLEDGE, [other.story_id, theirs.pk, other.pk, other.embargo, moved.pk, newsroom.officer.pk])
        == ""
    )
    said = Acknowledgement.objects.get()
    assert (said.move, said.by) == (None, None)


def test_the_database_takes_no_opening_without_a_standing_acknowledgement(newsroom):
    release = newsroom.armed()
    grant = given(newsroom, release)
    opening = "INSERT INTO newsroom_opening (story_id, acknowledgement_id) VALUES (%s, %s)"
    assert run(opening, [release.story_id, 1]) == "not_acknowledged"
    said = acknowledged(grant)
    assert run(opening, [newsroom.armed(slug="other").story_id, said.pk]) == "not_acknowledged"
    move(newsroom, release, ahead(hours=3))
    assert run(opening, [release.story_id, said.pk]) == "not_acknowledged"
    said = acknowledged(grant)
    releasing.hold(story=release.story, by=newsroom.officer, reason="Wait")
    assert run(opening, [release.story_id, said.pk]) == "not_acknowledged"
    releasing.unhold(story=release.story, by=newsroom.officer)
    embargo.revoke(grant=grant, by=newsroom.officer, reason="Gone")
    assert run(opening, [release.story_id, said.pk]) == "not_acknowledged"


def test_the_database_takes_no_grant_without_an_armed_release(newsroom):
    grant = (
        "INSERT INTO newsroom_embargogrant (story_id, by_id, release_id, name, email, outlet, terms, seed, "
        "token_hash) VALUES (%s, %s, %s, 'N', %s, 'L', '', gen_random_uuid(), %s)"
    )
    armed, officer = newsroom.armed(), newsroom.officer.pk

    def attempt(story: int, *, email: str = "a@b.example", kept: str = "0" * 64) -> str:
        return run(grant, [story, officer, armed.pk, email, kept])

    assert attempt(newsroom.cleared(slug="cleared").story_id) == "not_armed"
    assert attempt(newsroom.public(slug="public").story_id) == "not_armed"
    assert attempt(armed.story_id, kept="clear text") == "IntegrityError"
    assert attempt(armed.story_id, email="nobody") == "IntegrityError"
    assert attempt(armed.story_id) == ""
    assert attempt(armed.story_id, email="A@B.example", kept="1" * 64) == "given"


@pytest.mark.parametrize("model", [EmbargoGrant, EmbargoRevocation, Acknowledgement, Opening])
def test_none_of_these_facts_is_changed_or_deleted(newsroom, model):
    release = newsroom.armed()
    grant = given(newsroom, release)
    embargo.open_copy(acknowledgement=acknowledged(grant))
    embargo.revoke(grant=grant, by=newsroom.officer, reason="Gone")
    for sql in ("UPDATE {} SET at = now()", "DELETE FROM {}", "TRUNCATE {} CASCADE"):
        assert run(sql.format(model._meta.db_table), []) != ""
    assert Entry.objects.filter(source=model._meta.db_table).count() == model.objects.count() == 1


def test_the_application_writes_no_mail_to_holders_itself(newsroom):
    grant = given(newsroom, newsroom.armed())
    with pytest.raises(Error), transaction.atomic():
        CopyNotice.objects.create(grant=grant, kind="off", cause="x")
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT tell_holders(ARRAY[%s]::bigint[], 'off', 'x', NULL, NULL)", [grant.pk])


# At once


class TestAtOnce:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_an_acknowledgement_while_it_is_moved_opens_only_what_it_is_of(self, live_newsroom):
        release = live_newsroom.armed()
        grant = given(live_newsroom, release)
        there = release.visibility.moment
        token = token_of(grant)
        seen = embargo.look(embargo.find(token)).seen

        def act(number: int) -> object:
            if number:
                return embargo.acknowledge(token=token, seen=seen)
            return move(live_newsroom, release, Moment(there.instant + timedelta(hours=1), there.zone))

        results = race(5, act)
        assert not isinstance(results[0], Exception)
        kept = {result for result in results[1:] if isinstance(result, Acknowledgement)}
        assert all(isinstance(result, Acknowledgement | embargo.Changed) for result in results[1:])
        assert len(kept) == Acknowledgement.objects.count() <= 1
        assert {said.moment for said in kept} <= {there.instant}
        assert stage(grant) is Stage.ASK
        for said in kept:
            with pytest.raises(embargo.NotNow):
                embargo.open_copy(acknowledgement=said)

    def test_many_windows_of_one_reader_are_one_acknowledgement_and_one_opening(self, live_newsroom):
        grant = given(live_newsroom, live_newsroom.armed())

        def act(number: int) -> None:
            embargo.open_copy(acknowledgement=acknowledged(grant))

        assert race(6, act) == [None] * 6
        assert (Acknowledgement.objects.count(), Opening.objects.count()) == (1, 1)

    def test_an_address_is_given_one_copy_however_often_it_is_pressed(self, live_newsroom):
        release = live_newsroom.armed()
        results = race(5, lambda _: given(live_newsroom, release))
        assert sorted(type(result).__name__ for result in results) == ["AlreadyGiven"] * 4 + ["EmbargoGrant"]

    def test_what_is_revoked_while_it_is_opened(self, live_newsroom):
        release = live_newsroom.armed()
        grant = given(live_newsroom, release)
        said = acknowledged(grant)

        def act(number: int) -> object:
            if number:
                return embargo.open_copy(acknowledgement=said)
            return embargo.revoke(grant=grant, by=live_newsroom.officer, reason="Gone")

        results = race(3, act)
        assert isinstance(results[0], EmbargoRevocation)
        assert all(result is None or isinstance(result, embargo.NotNow) for result in results[1:])
        assert list(record.verify()) == []


def test_the_read_model_needs_nothing_of_it(newsroom):
    """A copy changes nothing about what is public."""
    release = newsroom.armed()
    before = list(Visibility.objects.values())
    acknowledged(given(newsroom, release))
    assert list(Visibility.objects.values()) == before
