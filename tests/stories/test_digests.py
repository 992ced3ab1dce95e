"""Digests in Python and in PostgreSQL are the same, and tell any two contents apart."""

import json

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stories import digests
from tests.people import words

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
BLOCKS = st.one_of(
    st.fixed_dictionaries({"kind": st.sampled_from(["paragraph", "heading", "list"]), "html": TEXT}),
    st.fixed_dictionaries({"kind": st.just("quote"), "html": TEXT, "speaker": TEXT, "role": TEXT}),
)
CONTENTS = st.builds(
    words, headline=TEXT, summary=TEXT, notes=TEXT, contacts=TEXT, body=st.lists(BLOCKS, max_size=5)
)
SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def in_sql(function: str, value: object) -> object:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s::jsonb)", [json.dumps(value)])
        found = cursor.fetchone()[0]
    return json.loads(found) if function == "content_parts" else found


@pytest.mark.django_db
@given(value=VALUES)
@SLOW
def test_python_and_postgresql_give_the_same_digest(value):
    assert digests.digest_of(value) == in_sql("digest_of", value)


@pytest.mark.django_db
@given(content=CONTENTS)
@SLOW
def test_python_and_postgresql_give_the_same_parts(content):
    assert digests.content_parts(content) == in_sql("content_parts", content)


@given(one=CONTENTS, other=CONTENTS)
def test_two_contents_share_a_digest_only_when_they_are_equal(one, other):
    same = digests.canonical(one) == digests.canonical(other)
    assert (digests.content_digest(one) == digests.content_digest(other)) == same


@given(content=CONTENTS, headline=TEXT)
def test_only_the_part_that_changed_has_another_digest(content, headline):
    before, after = (digests.content_parts(c) for c in (content, {**content, "headline": headline}))
    changed = {part for part in before if before[part] != after[part]}
    assert changed == ({"headline"} if headline != content["headline"] else set())


def test_the_canonical_form_is_that_of_jsonb():
    assert (
        digests.canonical({"bb": 1, "a": [True, None, "é\n\x07"]})
        == '{"a": [true, null, "é\\n\\u0007"], "bb": 1}'
    )
