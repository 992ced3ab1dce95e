"""Two people at one instant: whoever comes second meets what the first one did."""

import random
from threading import Thread
from time import sleep

import pytest
from django.db import connection, connections, transaction

from approvals import clearing, rules, standings
from approvals.models import Decision, Standing
from stories import drafting, record
from stories.models import Revision, Story
from tests.approvals.doing import ask, covered
from tests.newsroom.racing import race

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 30


def test_no_sign_off_stands_on_words_that_were_saved_at_the_same_instant(live_newsroom):
    """Whether the sign-off or the new words come first, the sign-off is for the words that were seen."""
    room = live_newsroom
    for number in range(ROUNDS):
        seen = room.submitted(slug=f"race-{number}")
        step, digest = room.step(seen.story, room.legal), covered(seen, room.legal)
        pauses = [random.uniform(0, 0.02) * (number % 2 == who) for who in range(2)]

        def act(who: int, seen=seen, step=step, digest=digest, pauses=pauses):
            sleep(pauses[who])
            if who == 0:
                return clearing.clear(step=step, revision=seen, covered=digest, by=room.lawyer)
            content = {**seen.content, "headline": "Saved at the same instant"}
            return drafting.save(story=seen.story, by=room.drafter, content=content, based_on=seen.pk)

        cleared, saved = race(2, act)
        assert isinstance(saved, Revision), saved
        assert isinstance(cleared, Decision | clearing.Moved), cleared
        newest = Story.objects.get(pk=seen.story_id).latest
        assert newest.headline == "Saved at the same instant"
        assert [step.stands for step in rules.progress(newest).steps] == [False, False]
        if isinstance(cleared, Decision):
            assert Decision.objects.get(pk=cleared.pk).covered == digest
            states = [step.state for step in rules.progress(seen).steps]
            assert states[0] == "cleared"
    assert list(record.verify()) == []


def test_two_of_one_desk_decide_at_the_same_instant(live_newsroom):
    """The later of the two counts: an id that was drawn before the wait would say otherwise."""
    room = live_newsroom
    for number in range(ROUNDS):
        seen = room.submitted(slug=f"two-{number}")
        step, digest = room.step(seen.story, room.legal), covered(seen, room.legal)

        def act(who: int, seen=seen, step=step, digest=digest):
            if who == 0:
                return clearing.clear(step=step, revision=seen, covered=digest, by=room.lawyer)
            return clearing.ask_for_changes(
                step=step, revision=seen, covered=digest, by=room.second_lawyer, reason="Say when."
            )

        found = race(2, act)
        assert all(isinstance(decision, Decision) for decision in found), found
        last = Decision.objects.filter(story=seen.story_id).order_by("-at")[0]
        standing = rules.progress(seen).steps[0].decisions
        assert standing == ((last.pk,) if last.verdict == "cleared" else ())
        assert last.pk == max(decision.pk for decision in found)
    assert list(record.verify()) == []


def test_the_later_decision_has_the_higher_id_however_long_it_waited(live_newsroom):
    room = live_newsroom
    revision = room.submitted()
    found: list[Decision] = []

    def later() -> None:
        try:
            found.append(ask(room, revision, room.legal, room.second_lawyer))
        finally:
            connections.close_all()

    with transaction.atomic():
        Story.objects.select_for_update().get(pk=revision.story_id)
        waiting = Thread(target=later)
        waiting.start()
        wait_for_a_lock()
        first = room.sign(revision, room.legal, room.lawyer)
    waiting.join(timeout=30)
    assert found[0].pk > first.pk
    assert rules.progress(revision).steps[0].state == "asked"


def wait_for_a_lock() -> None:
    """Until another session waits for one of ours."""
    for _ in range(3000):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted "
                "AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone()[0]:
                return
        sleep(0.01)
    raise AssertionError("nobody waits")


def test_a_transaction_with_an_old_view_of_the_story_signs_nothing(live_newsroom):
    """In repeatable read a guard could not see what was committed meanwhile, so it is refused."""
    room = live_newsroom
    revision = room.submitted()
    with pytest.raises(Exception) as caught, transaction.atomic():  # noqa: PT012
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SELECT count(*) FROM approvals_decision")
        race(1, lambda _: ask(room, revision, room.legal, room.second_lawyer))
        room.sign(revision, room.legal, room.lawyer)
    assert "READ COMMITTED" in str(caught.value)
    assert rules.progress(revision).steps[0].state == "asked"


def test_clearance_is_requested_once(live_newsroom):
    room = live_newsroom
    revision = room.draft()
    found = race(4, lambda _: clearing.request(revision=revision, by=room.drafter))
    assert sorted(type(one).__name__ for one in found) == ["AlreadyRequested"] * 3 + ["Submission"]


def test_many_at_once_leave_the_list_of_missing_sign_offs_right(live_newsroom):
    room = live_newsroom
    story = room.submitted().story

    def act(who: int):
        if who % 2:
            latest = Story.objects.get(pk=story.pk).latest
            content = {**latest.content, "summary": f"Summary {who}."}
            return drafting.save(story=story, by=room.drafter, content=content, based_on=latest.pk)
        newest = Story.objects.get(pk=story.pk).latest
        return room.sign(newest, room.private_office, room.secretary)

    found = race(8, act)
    assert not [one for one in found if isinstance(one, Exception) and "deadlock" in str(one)]
    assert list(standings.differences()) == []
    assert {row.revision for row in Standing.objects.filter(story=story)} == {story.latest}
