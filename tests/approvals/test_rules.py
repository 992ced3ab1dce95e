"""How far a story has come, in one word and in many."""

from types import SimpleNamespace

import pytest

from approvals import rules
from approvals.board import HEAD, LETTERS, board
from approvals.rules import Progress, StepState
from tests.approvals.doing import ask


def step(**changes) -> StepState:
    given = {
        "step_id": 1,
        "desk_id": 1,
        "desk": "Legal",
        "covers": "everything",
        "covered": "d",
        "decision_id": None,
    }
    return StepState(**{**given, **changes})


def decided(verdict: str, covered: str = "d") -> SimpleNamespace:
    return SimpleNamespace(verdict=verdict, covered=covered)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "waiting"),
        ({"covered": None}, "none"),
        ({"covered": None, "last": decided("cleared")}, "none"),
        ({"decision_id": 7, "last": decided("cleared")}, "cleared"),
        ({"last": decided("cleared", "old")}, "again"),
        ({"last": decided("cleared")}, "again"),
        ({"last": decided("changes")}, "asked"),
        ({"last": decided("changes", "old")}, "waiting"),
    ],
)
def test_the_state_of_a_step(changes, state):
    assert step(**changes).state == state


@pytest.mark.parametrize(
    ("steps", "state", "words"),
    [
        ([], "draft", "draft"),
        ([step()], "waiting", "1 sign-off missing"),
        ([step(), step(covers="quotes")], "waiting", "2 sign-offs missing"),
        ([step(decision_id=7), step(covered=None, covers="quotes")], "cleared", "cleared"),
        (
            [step(decision_id=7), step(covers="quotes", last=decided("cleared", "old"))],
            "again",
            "1 sign-off missing",
        ),
        ([step(last=decided("changes")), step(last=decided("cleared", "old"))], "asked", "changes asked"),
        ([step(covers="quotes", decision_id=7)], "waiting", "nobody was asked to clear everything"),
    ],
)
def test_the_state_of_a_story(steps, state, words):
    progress = Progress(steps)
    assert (progress.state, progress.words) == (state, words)


@pytest.mark.django_db
def test_a_list_takes_two_queries_however_long(newsroom, django_assert_num_queries):
    ids = [newsroom.cleared(slug=f"story-{number}").pk for number in range(4)]
    with django_assert_num_queries(2):
        assert all(progress.cleared for progress in rules.progress_of(ids).values())


@pytest.mark.django_db
def test_python_and_the_database_agree_on_cleared(newsroom):
    from django.db import connection

    def in_sql(revision) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT is_cleared(%s)", [revision.pk])
            return bool(cursor.fetchone()[0])

    revisions = [newsroom.draft(), newsroom.submitted(slug="two"), newsroom.cleared(slug="three")]
    ask(newsroom, revisions[1], newsroom.legal, newsroom.lawyer)
    assert [rules.progress(revision).cleared for revision in revisions] == [False, False, True]
    assert [in_sql(revision) for revision in revisions] == [False, False, True]


def test_the_drawing_has_a_box_for_each_step_under_each_other():
    drawn = board([step(), step(desk="An office with a name that is far too long", covered=None)])
    first, second = drawn.boxes
    assert (first.y, first.middle < second.y) == (HEAD, True)
    assert second.y + second.height < drawn.height
    assert second.title.endswith("…")
    assert len(second.title) == LETTERS
    assert second.words == "not needed"
    assert drawn.lines.count("M") == 2 + 2 * 2


@pytest.mark.parametrize(
    ("people", "words"), [([], ""), (["A"], "A"), (["A", "B"], "A or B"), (["A", "B", "C"], "A, B or C")]
)
def test_names_in_a_sentence(people, words):
    assert rules.names(people, "or") == words
