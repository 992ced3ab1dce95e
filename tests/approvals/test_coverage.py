"""A sign-off is for a digest: it dies with the words that it covers, and with no others."""

import json
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from approvals import coverage, rules
from approvals.models import Covers
from stories.models import Revision
from tests.approvals.contents import contents
from tests.approvals.doing import ask
from tests.people import WORDS, words

pytestmark = pytest.mark.django_db


def standing(revision: Revision) -> dict[str, bool]:
    """Whether each desk's sign-off stands on a revision; desks that are not needed are left out."""
    return {step.desk: step.stands for step in rules.progress(revision).needed}


def body(**quote: str) -> list[dict[str, str]]:
    """The body of the tests' story, with changes to its quote."""
    first, said, last = WORDS["body"]
    return [first, {**said, **quote}, last]


def test_a_typo_in_a_paragraph_voids_legal_and_keeps_the_private_office(newsroom):
    first = newsroom.cleared()
    assert standing(first) == {"Legal": True, "Private Office": True}
    paragraph = {"kind": "paragraph", "html": "<p>A footbridge opened at Harrow Weir yesterday.</p>"}
    second = newsroom.edit(first.story, body=[paragraph, *first.content["body"][1:]])
    assert standing(second) == {"Legal": False, "Private Office": True}


@pytest.mark.parametrize(
    "change",
    [
        {"html": "<p>Nobody should have to wade here again.</p>"},
        {"speaker": "Mara Elling"},
        {"role": "Secretary"},
    ],
)
def test_one_word_of_a_quote_voids_both(newsroom, change):
    first = newsroom.cleared()
    second = newsroom.edit(first.story, body=body(**change))
    assert standing(second) == {"Legal": False, "Private Office": False}


@pytest.mark.parametrize(
    "part", ["headline", "slug", "summary", "notes", "contacts", "topics", "organisation", "type"]
)
def test_every_other_part_voids_legal_alone(newsroom, part):
    first = newsroom.cleared()
    other: dict[str, Any] = {
        "topics": [{"slug": "bridges", "name": "Bridges"}],
        "organisation": {"slug": "rivers", "name": "Department for Rivers and Coasts"},
        "type": "statement",
    }
    second = newsroom.edit(first.story, **{part: other.get(part, "another")})
    assert standing(second) == {"Legal": False, "Private Office": True}


def test_words_that_are_put_back_bring_the_sign_offs_back(newsroom):
    first = newsroom.cleared()
    newsroom.edit(first.story, body=body(html="<p>Everybody waded.</p>"))
    third = newsroom.edit(first.story, body=first.content["body"])
    assert standing(third) == {"Legal": True, "Private Office": True}
    assert rules.progress(third).cleared


def test_words_that_are_put_back_bring_the_changes_asked_back_too(newsroom):
    first = newsroom.submitted()
    ask(newsroom, first, newsroom.legal, newsroom.lawyer)
    second = newsroom.edit(first.story, summary="Another summary.")
    newsroom.sign(second, newsroom.legal, newsroom.lawyer)
    third = newsroom.edit(first.story, summary=first.content["summary"])
    assert standing(third) == {"Legal": False, "Private Office": False}


def test_without_quotes_the_private_office_is_not_needed(newsroom):
    revision = newsroom.submitted(body=[WORDS["body"][0]])
    states = {step.desk: step.words for step in rules.progress(revision).steps}
    assert states == {"Legal": "waiting", "Private Office": "not needed"}
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    assert rules.progress(revision).cleared


def test_a_quote_that_comes_later_needs_the_private_office(newsroom):
    first = newsroom.submitted(body=[WORDS["body"][0]])
    newsroom.sign(first, newsroom.legal, newsroom.lawyer)
    second = newsroom.edit(first.story, body=WORDS["body"])
    assert standing(second) == {"Legal": False, "Private Office": False}


def test_the_order_of_quotes_is_covered(newsroom):
    one, other = WORDS["body"][1], {**WORDS["body"][1], "speaker": "Tom Reed"}
    digests = {
        coverage.covered_digest(words(body=quotes), Covers.QUOTES) for quotes in ([one, other], [other, one])
    }
    assert len(digests) == 2


def test_where_a_quote_stands_between_paragraphs_is_not_covered():
    paragraph, said, last = WORDS["body"]
    digests = {
        coverage.covered_digest(words(body=blocks), Covers.QUOTES)
        for blocks in ([paragraph, said, last], [said])
    }
    assert len(digests) == 1


@given(content=contents(), covers=st.sampled_from(Covers.values))
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_python_and_postgresql_cover_the_same(content, covers):
    with connection.cursor() as cursor:
        cursor.execute("SELECT covered_digest(%s::jsonb, %s, '')", [json.dumps(content), covers])
        assert coverage.covered_digest(content, covers) == cursor.fetchone()[0]


def test_what_is_everything_has_the_digest_of_the_revision(newsroom):
    revision = Revision.objects.get(pk=newsroom.draft().pk)
    assert coverage.covered_digest(revision.content, Covers.EVERYTHING) == revision.digest
