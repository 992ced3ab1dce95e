"""How far a story has come, in one word and in many."""

import pytest

from approvals import rules
from approvals.models import Desk, PinnedStep
from approvals.rules import Progress, StepState
from tests.approvals.doing import ask


def step(state: str = "waiting", covers: str = "everything", desk: str = "Legal", **changes) -> StepState:
    asked = PinnedStep(pk=1, desk=Desk(pk=1, name=desk), covers=covers)
    given = {"covered": None if state == "none" else "d", "decisions": (7,) if state == "cleared" else ()}
    rest = {"barred": frozenset(), "is_open": True, "due": None}
    return StepState(step=asked, state=state, **{**given, **rest, **changes})


@pytest.mark.parametrize(
    ("steps", "state", "words"),
    [
        ([], "draft", "draft"),
        ([step()], "waiting", "1 sign-off missing"),
        ([step(), step(covers="quotes")], "waiting", "2 sign-offs missing"),
        ([step("cleared"), step("none", "quotes")], "cleared", "cleared"),
        ([step("cleared"), step("again", "quotes")], "again", "1 sign-off missing"),
        ([step("asked"), step("again")], "asked", "changes asked"),
        ([step("asked"), step("refused")], "refused", "refused"),
        ([step("cleared", "quotes")], "waiting", "nobody was asked to clear everything"),
    ],
)
def test_the_state_of_a_story(steps, state, words):
    progress = Progress(steps)
    assert (progress.state, progress.words) == (state, words)


@pytest.mark.django_db
def test_a_list_takes_two_queries_however_long(newsroom, django_assert_num_queries):
    ids = [newsroom.cleared(slug=f"story-{number}").story_id for number in range(4)]
    with django_assert_num_queries(2):
        assert all(progress.cleared for progress in rules.newest_progress(ids).values())


@pytest.mark.django_db
def test_a_list_says_what_the_facts_say(newsroom):
    for revision in (newsroom.draft(), newsroom.submitted(slug="two"), newsroom.cleared(slug="three")):
        assert rules.newest_progress([revision.story_id])[revision.story_id] == rules.progress(revision)


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


@pytest.mark.parametrize(
    ("people", "words"), [([], ""), (["A"], "A"), (["A", "B"], "A or B"), (["A", "B", "C"], "A, B or C")]
)
def test_names_in_a_sentence(people, words):
    assert rules.names(people, "or") == words
