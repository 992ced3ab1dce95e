"""Every kind of coverage: what it covers voids it, what it does not cover leaves it, in both languages."""

import json
from copy import deepcopy
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from approvals import coverage, figures
from stories import digests
from stories.content import blank
from tests.approvals.contents import NAME, SLUG, SOUP, TEXT, contents

pytestmark = pytest.mark.django_db

each_kind = pytest.mark.parametrize("covers", coverage.KINDS)
CONDITIONS = [
    *("always", "quote", "speaker", "role", "figure", "picture", "attachment"),
    *("partner", "type", "topic", "private_office", "unheard of"),
]
KEY = st.sampled_from(["kind", "html", "speaker", "role", "slug", "alt", "caption", "quotes"]) | TEXT
# Numbers are whole: PostgreSQL keeps the digits of a fraction that Python rounds.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | SOUP | st.sampled_from(["quote", "paragraph"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=4),
    max_leaves=12,
)


def examples(count: int) -> settings:
    return settings(
        deadline=None,
        max_examples=count,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.too_slow,
            HealthCheck.filter_too_much,
        ],
    )


def sql(function: str, content: Any, *arguments: str) -> Any:
    """What a function in PostgreSQL answers for a content."""
    with connection.cursor() as cursor:
        holes = "".join(", %s" for _ in arguments)
        cursor.execute(f"SELECT to_jsonb({function}(%s::jsonb{holes}))", [json.dumps(content), *arguments])
        return (found := cursor.fetchone()[0]) and json.loads(found)


def names(content: dict[str, Any]) -> st.SearchStrategy[str]:
    """Somebody who is quoted, or anybody."""
    quoted = [block[part] for block in content["body"] for part in ("speaker", "role") if part in block]
    return st.sampled_from(quoted) | NAME if quoted else NAME


def digest(content: dict[str, Any], covers: str = coverage.FIGURES, whom: str = "") -> str | None:
    """The digest of what is covered, on which both languages agree."""
    found = coverage.covered_digest(content, covers, whom)
    assert sql("covered_digest", content, covers, whom) == found
    return found


# Both languages


@each_kind
@given(data=st.data(), content=contents())
@examples(60)
def test_python_and_postgresql_cover_the_same(covers: str, data: st.DataObject, content: dict[str, Any]):
    whom = data.draw(names(content))
    assert sql("covered_content", content, covers, whom) == coverage.covered_content(content, covers, whom)
    digest(content, covers, whom)


@given(data=st.data(), content=contents(), condition=st.sampled_from(CONDITIONS))
@examples(200)
def test_python_and_postgresql_ask_the_same(data: st.DataObject, content: dict[str, Any], condition: str):
    value = data.draw(names(content) | SLUG | st.sampled_from(["statement", content["type"]]))
    assert sql("applies", content, condition, value) is coverage.applies(content, condition, value)


@given(NAME | SOUP)
@examples(200)
def test_python_and_postgresql_compare_names_alike(name: str):
    with connection.cursor() as cursor:
        cursor.execute("SELECT same_name(%s)", [name])
        assert cursor.fetchone()[0] == coverage.same_name(name)


@given(content=st.dictionaries(st.sampled_from([*blank(), "attachments", "partners"]) | KEY, JSON))
@examples(200)
def test_nothing_raises_whatever_json_a_content_is(content: dict[str, Any]):
    for covers in coverage.KINDS:
        assert sql("covered_content", content, covers, "a") == coverage.covered_content(content, covers, "a")
        digest(content, covers, "a")
        coverage.marks(content, covers, "a")
    for condition in CONDITIONS:
        assert sql("applies", content, condition, "a") is coverage.applies(content, condition, "a")


@given(JSON.filter(lambda found: not isinstance(found, dict)))
@examples(50)
def test_what_is_no_object_has_nothing_to_cover(content: Any):
    assert [sql("covered_content", content, covers, "a") for covers in coverage.KINDS] == [None] * 8
    assert [c for c in CONDITIONS if sql("applies", content, c, "a")] == ["always"]


# Voids, and nothing else does


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path to each text and number in `value`."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [leaf for key, item in items for leaf in leaves(item, (*path, key))]
    return [path]


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy of `value` with another leaf."""
    value = deepcopy(value)
    holder = value
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = new
    return value


def roots(content: dict[str, Any], covers: str, whom: str) -> list[tuple[Any, ...]]:
    """Where in a content the parts stand that are covered with all their leaves."""
    quoted = [("body", index) for index in coverage.marks(content, covers, whom).blocks]
    return {"everything": [()], "pictures": [("picture",)]}.get(covers, quoted or [(covers,)])


@pytest.mark.parametrize("covers", [kind for kind in coverage.KINDS if kind != coverage.FIGURES])
@given(data=st.data(), content=contents(), new=SOUP)
@examples(60)
def test_each_leaf_of_what_is_covered_voids(
    covers: str, data: st.DataObject, content: dict[str, Any], new: str
):
    whom = data.draw(names(content))
    before = digest(content, covers, whom)
    assume(before)
    root = data.draw(st.sampled_from(roots(content, covers, whom)))
    part = content
    for key in root:
        part = part[key]
    path = data.draw(st.sampled_from([(*root, *leaf) for leaf in leaves(part)]))
    after = changed(content, path, new)
    assume(after != content)
    assert digest(after, covers, whom) != before
    assert digest(changed(after, root, part) if root else content, covers, whom) == before


@given(data=st.data(), content=contents())
@examples(200)
def test_each_letter_of_a_sentence_with_a_figure_voids(data: st.DataObject, content: dict[str, Any]):
    before = coverage.covered_digest(content, coverage.FIGURES)
    found = [
        (block, sentence) for block in content["body"] for sentence in figures.figure_sentences(block["html"])
    ]
    assume(found)
    block, sentence = data.draw(st.sampled_from(found))
    at = block["html"].index(sentence) + data.draw(st.integers(0, len(sentence) - 1))
    new = data.draw(st.sampled_from("x5 .<").filter(lambda new: new != block["html"][at]))
    block["html"] = block["html"][:at] + new + block["html"][at + 1 :]
    assert digest(content) != before


@each_kind
@given(data=st.data(), content=contents(), other=contents())
@examples(60)
def test_what_is_not_covered_can_be_anything_and_anywhere(
    covers: str, data: st.DataObject, content: dict[str, Any], other: dict[str, Any]
):
    whom = data.draw(names(content))
    after = grafted(data, content, other, covers, whom)
    assert coverage.covered_content(after, covers, whom) == coverage.covered_content(content, covers, whom)
    assert digest(after, covers, whom) == digest(content, covers, whom)


def grafted(
    data: st.DataObject, content: dict[str, Any], other: dict[str, Any], covers: str, whom: str
) -> dict[str, Any]:
    """What is covered of one content, amid all the rest of another."""
    if covers == coverage.EVERYTHING:
        return content
    if covers in {coverage.PICTURES, coverage.ATTACHMENTS, coverage.NOTES}:
        part = "picture" if covers == coverage.PICTURES else covers
        return {**other, part: content.get(part)}
    if covers == coverage.FIGURES:
        return amid_words(data, content, other)
    mine, its = (coverage.marks(one, covers, whom).blocks for one in (content, other))
    kept = [content["body"][index] for index in sorted(mine)]
    rest = [block for index, block in enumerate(other["body"]) if index not in its]
    return {**other, "body": shuffled_in(data, kept, rest)}


def shuffled_in(data: st.DataObject, kept: list[Any], rest: list[Any]) -> list[Any]:
    """`kept` in its order, with `rest` anywhere between."""
    mixed = list(kept)
    for item in rest:
        mixed.insert(data.draw(st.integers(0, len(mixed))), item)
    return mixed


def amid_words(data: st.DataObject, content: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The sentences with a figure of one content, amid the rest of another and sentences without."""
    parts: dict[str, Any] = {
        **other,
        **{key: content[key] for key in ("headline", "summary", "notes", "picture")},
    }
    if content["picture"]:
        parts["picture"] = {**content["picture"], "sha256": "c" * 64, "credit": "A", "name": "b"}
    plain = [block for block in other["body"] if not figures.figure_sentences(block["html"])]
    kept = [
        {**block, "html": padded(data, block["html"])}
        for block in content["body"]
        if figures.figure_sentences(block["html"])
    ]
    return {**parts, "body": shuffled_in(data, kept, plain)}


def padded(data: st.DataObject, html: str) -> str:
    """The same with a sentence more in front and behind, where these are sentences of their own."""
    front, back = data.draw(
        st.sampled_from([("", ""), ("<p>It <em>rained</em>. Much!</p>", "<li>So what?</li>")])
    )
    return f"{front}{html}{back}" if figures.is_canonical(html) else html


@each_kind
@given(data=st.data(), content=contents(), other=contents())
@examples(60)
def test_one_digest_is_one_content(
    covers: str, data: st.DataObject, content: dict[str, Any], other: dict[str, Any]
):
    whom = data.draw(names(content))
    one, two = (coverage.covered_content(each, covers, whom) for each in (content, other))
    assert (digest(content, covers, whom) == digest(other, covers, whom)) is (one == two)
    assert json.loads(digests.canonical(one)) == one


@each_kind
@given(data=st.data(), content=contents())
@examples(40)
def test_a_proof_is_marked_where_there_is_something_to_cover(
    covers: str, data: st.DataObject, content: dict[str, Any]
):
    whom = data.draw(names(content))
    marked = coverage.marks(content, covers, whom) != coverage.Marks()
    assert marked is (coverage.covered_content(content, covers, whom) is not None)


# In particular


def quote(speaker: str, role: str = "Secretary for Rivers") -> dict[str, Any]:
    return {"kind": "quote", "html": "<p>Nobody will wade.</p>", "speaker": speaker, "role": role}


PICTURE = {
    **dict.fromkeys(("name", "alt", "caption", "credit"), ""),
    "sha256": "a" * 64,
    "width": 1,
    "height": 1,
}
FILE = {"sha256": "a" * 64, "name": "t.csv", "title": "Tables", "media_type": "text/csv", "size": 9}


@pytest.mark.parametrize(
    "name",
    [
        "Mara Ellingham",
        " mara  ELLINGHAM\n",
        "Mara\xa0Ellingham",
        "Mara Elling\u00adham",
        "Mara\u2009Ellingham",
    ],
)
def test_a_name_is_the_same_in_any_case_and_spacing(name: str):
    assert coverage.covered_content({"body": [quote(name)]}, coverage.SPEAKER, "Mara Ellingham")
    assert sql("applies", {"body": [quote(name)]}, "speaker", "Mara Ellingham")


def test_an_apostrophe_is_one_however_it_is_typed_and_an_accent_is_not_dropped():
    assert coverage.same_name("Tom O’Neill") == coverage.same_name("tom o'neill")
    assert coverage.same_name("Zoë") != coverage.same_name("Zoe")
    assert coverage.same_name("ÉVA") == coverage.same_name("Éva") == coverage.same_name("E\u0301va")


def test_nobody_is_no_speaker():
    content = {"body": [quote("", "")]}
    for covers in (coverage.SPEAKER, coverage.ROLE):
        assert digest(content, covers, " ") is None
        assert not sql("applies", content, covers, "")


def test_a_quote_of_somebody_else_or_of_another_role_voids_nothing():
    mine, other = quote("Mara Ellingham"), quote("Tom Reed", "Engineer")
    both, alone = {"body": [other, mine, other]}, {"body": [mine]}
    assert digest(both, coverage.SPEAKER, "Mara Ellingham") == digest(
        alone, coverage.SPEAKER, "Mara Ellingham"
    )
    assert digest(both, coverage.ROLE, "secretary for rivers") == digest(
        alone, coverage.ROLE, "Secretary for Rivers"
    )
    assert digest(both, coverage.QUOTES) != digest(alone, coverage.QUOTES)


@pytest.mark.parametrize("part", ["sha256", "alt", "caption", "credit"])
def test_a_picture_counts_by_its_bytes_and_its_words(part: str):
    other = {**PICTURE, part: "b" * 64}
    assert digest({"picture": PICTURE}, coverage.PICTURES) != digest({"picture": other}, coverage.PICTURES)


@pytest.mark.parametrize("part", ["sha256", "name", "title"])
def test_a_file_counts_by_its_bytes_its_name_and_its_title(part: str):
    before, after = ({"attachments": [file]} for file in (FILE, {**FILE, part: "b" * 64}))
    assert digest(before, coverage.ATTACHMENTS) != digest(after, coverage.ATTACHMENTS)


def test_without_the_parts_of_later_versions_nothing_is_covered():
    old = {key: part for key, part in blank().items() if key not in {"attachments", "partners"}}
    for covers in coverage.KINDS[1:]:
        assert digest(old, covers, "a") is None
    assert [c for c in CONDITIONS if sql("applies", old, c, "a")] == ["always"]


@pytest.mark.parametrize(
    ("condition", "value", "part"),
    [
        ("quote", "", {"body": [quote("A")]}),
        ("speaker", "a", {"body": [quote("A")]}),
        ("role", "Secretary  for Rivers", {"body": [quote("A")]}),
        ("figure", "", {"headline": "Bridge to cost £5"}),
        ("picture", "", {"picture": PICTURE}),
        ("attachment", "", {"attachments": [FILE]}),
        ("partner", "coasts", {"partners": [{"slug": "coasts", "name": "Coasts"}]}),
        ("type", "statement", {"type": "statement"}),
        ("topic", "bridges", {"topics": [{"slug": "bridges", "name": "Bridges"}]}),
    ],
)
def test_a_conditional_step_is_asked_where_its_condition_is_met(
    condition: str, value: str, part: dict[str, Any]
):
    for content, met in (({**blank(), **part}, True), ({**blank(), "type": "release"}, False)):
        assert sql("applies", content, condition, value) is met
        assert coverage.applies(content, condition, value) is met


def test_words_that_are_put_back_bring_the_digest_back():
    before = {
        **blank(),
        "body": [quote("Mara Ellingham", "Mara Ellingham")],
        "picture": PICTURE,
        "notes": "<p>It is 5 m.</p>",
    }
    after = {**before, "notes": "", "picture": None, "body": []}
    for covers in coverage.KINDS:
        first, then, last = (digest(c, covers, "Mara Ellingham") for c in (before, after, deepcopy(before)))
        assert first == last
        assert (first != then) is (covers != coverage.ATTACHMENTS)


def test_the_kinds_in_words():
    assert [coverage.in_words(kind, "The Secretary for Rivers") for kind in coverage.KINDS] == [
        "everything",
        "all quotes",
        "the quotes of The Secretary for Rivers",
        "the quotes of the Secretary for Rivers",
        "figures",
        "pictures",
        "attachments",
        "notes to editors",
    ]


def test_the_conditions_in_words():
    assert [coverage.when_in_words(condition, "Mara {0}") for condition in CONDITIONS] == [
        "always",
        "when there is a quote",
        "when Mara {0} is quoted",
        "when the Mara {0} is quoted",
        "when a figure appears",
        "when a picture is used",
        "when there is an attachment",
        "when Mara {0} is named as partner",
        "when the type is Mara {0}",
        "when the topic is Mara {0}",
        "when somebody with a private office is quoted",
        "never",
    ]
