"""The list of missing sign-offs is what the facts say, whatever happens, and can be written anew."""

import pytest
from django.core.management import call_command
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from approvals import clearing, rules, standings
from approvals.models import Standing
from stories import drafting, record
from stories.models import Revision
from tests.approvals.doing import ask
from tests.people import WORDS

pytestmark = pytest.mark.django_db

DOINGS = ["headline", "quote", "no quotes", "legal clears", "office clears", "legal asks", "lawyer writes"]


def listed() -> set[tuple[int, str, str | None]]:
    """What the read model says is missing."""
    return {
        (row.revision_id, row.desk.name, row.covered)
        for row in Standing.objects.select_related("desk").filter(state__in=rules.MISSING)
    }


def missing(revision: Revision) -> set[tuple[int, str, str | None]]:
    """What the facts say is missing."""
    return {(revision.pk, step.desk, step.covered) for step in rules.progress(revision).missing}


def test_nothing_is_missing_before_clearance_is_requested(newsroom):
    newsroom.draft()
    assert listed() == set()


def test_what_was_asked_is_missing_until_it_is_cleared(newsroom):
    revision = newsroom.submitted()
    assert listed() == missing(revision)
    assert len(listed()) == 2
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    assert [name for _, name, _ in listed()] == ["Private Office"]
    newsroom.sign(revision, newsroom.private_office, newsroom.secretary)
    assert listed() == set()


def do(newsroom, latest: Revision, doing: str, count: int) -> None:
    """One thing that can happen to a story under clearance; what is refused does not happen."""
    try:
        match doing:
            case "headline":
                newsroom.edit(latest.story, headline=f"Headline {count % 2}")
            case "quote":
                quote = {**WORDS["body"][1], "html": f"<p>We shall {count % 2}.</p>"}
                newsroom.edit(latest.story, body=[WORDS["body"][0], quote])
            case "no quotes":
                newsroom.edit(latest.story, body=[WORDS["body"][0]])
            case "lawyer writes":
                newsroom.edit(latest.story, by=newsroom.lawyer, summary=f"Summary {count % 2}.")
            case "legal clears":
                newsroom.sign(latest, newsroom.legal, newsroom.lawyer)
            case "office clears":
                newsroom.sign(latest, newsroom.private_office, newsroom.secretary)
            case "legal asks":
                ask(newsroom, latest, newsroom.legal, newsroom.second_lawyer)
    except (drafting.Refused, clearing.Refused):
        return


@given(doings=st.lists(st.sampled_from(DOINGS), max_size=8))
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_the_list_is_what_the_facts_say(newsroom, doings):
    story = newsroom.submitted().story
    for count, doing in enumerate(doings):
        do(newsroom, story.latest, doing, count)
        latest = story.latest
        rows = {row for row in listed() if row[0] in set(story.revisions.values_list("pk", flat=True))}
        assert rows == missing(latest)
    assert list(standings.differences()) == []


def test_a_list_that_was_tampered_with_is_named_and_written_anew(live_newsroom, capsys):
    room = live_newsroom
    revision = room.submitted()
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE approvals_standing SET state = 'cleared' WHERE state = 'waiting'")
    fault = f"story {revision.story.uid}: its sign-offs are not listed as its facts say that they stand"
    assert list(record.verify()) == [fault]
    call_command("rebuild_standings")
    assert capsys.readouterr().out == "How the sign-offs of 1 story stand was listed anew.\n"
    assert list(record.verify()) == []
    assert listed() == missing(revision)
