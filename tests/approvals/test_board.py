"""The drawn route: every stage and step is in it, whole, and nothing lies on anything else."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals import board, rules
from approvals.board import Entry, Stage
from approvals.models import ALL, Desk, Step
from stories import drafting
from stories.moments import Moment
from tests.people import person

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=60)
STATES = st.sampled_from(["", *rules.STATE_WORDS])


def entry(desk: str = "Legal", state: str = "waiting", **more) -> Entry:
    fields = {"covers": "everything", "word": rules.STATE_WORDS.get(state, ""), **more}
    return Entry(key=1, desk=desk, state=state, **fields)


def stages(*sizes: int) -> list[Stage]:
    return [Stage(n, tuple(entry() for _ in range(size))) for n, size in enumerate(sizes, start=1)]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.tuples(NAMES, STATES, NAMES), min_size=1, max_size=12), min_size=1, max_size=8),
    st.booleans(),
)
def test_every_step_has_a_box_of_its_own_inside_the_drawing(shape, small):
    drawn = [
        Stage(
            n,
            tuple(
                entry(desk, state, covers=covers, when=covers, quorum="1 of 2")
                for desk, state, covers in steps
            ),
        )
        for n, steps in enumerate(shape, start=1)
    ]
    found = board.small(drawn) if small else board.wide(drawn)
    boxes = [box for column in found.columns for box in column.boxes]
    assert len(boxes) == sum(map(len, shape))
    assert small is (found.width <= board.SMALL_WIDTH + 1 and found.small)
    for box in boxes:
        assert 0 <= box.x < box.right <= found.width
        assert 0 < box.y < box.y + box.height <= found.height
        for line in box.lines:
            assert box.y < line.y <= box.y + box.height
            room = box.right - line.x - (18 if line.icon else 0)
            assert board.width_of(line.text, 12) <= room
    for one in boxes:
        for two in boxes:
            apart = (
                one.right <= two.x
                or two.right <= one.x
                or one.y + one.height <= two.y
                or two.y + two.height <= one.y
            )
            assert apart or one is two
    for one, two in pairwise(found.columns):
        assert (one.row, one.x) < (two.row, two.x)
    assert all(str(desk) in found.says for steps in shape for desk, _, _ in steps)


@pytest.mark.parametrize(
    ("count", "rows"), [(1, [1]), (3, [3]), (4, [2, 2]), (5, [3, 2]), (7, [3, 3, 1]), (8, [3, 3, 2])]
)
def test_the_small_drawing_has_three_stages_abreast_at_most(count, rows):
    found = board.small(stages(*[1] * count))
    assert [sum(column.row == row for column in found.columns) for row in range(len(rows))] == rows


def test_the_way_leads_past_what_is_not_needed():
    drawn = [Stage(1, (entry("Legal"), entry("Partner", "none"))), Stage(2, (entry("Policy"),))]
    first, second = board.wide(drawn).columns
    assert [box.entry.desk for box in first.through] == ["Legal"]
    assert board.wide(drawn).lines.count("M") == 2
    nobody = Stage(1, (entry("Partner", "none"),))
    assert len(board.wide([nobody]).columns[0].through) == 1
    assert second.boxes


def test_nothing_is_drawn_of_nothing():
    assert board.small([]).columns == board.wide([]).columns == ()
    assert board.small([]).lines == ""


@pytest.mark.parametrize(
    ("text", "room", "lines"),
    [("Legal", 100, ["Legal"]), ("Private Office", 60, ["Private", "Office"]), ("", 60, [])],
)
def test_words_are_folded_and_cut_to_what_there_is_room_for(text, room, lines):
    assert board.fold(text, room, 12, 2) == lines
    assert board.fit("Extraordinarily", 40, 12).endswith("…")


# A story's


@pytest.mark.django_db
def test_a_storys_route_says_who_cleared_what_and_what_a_stage_waits_for(newsroom):
    Step.objects.filter(desk=newsroom.legal).update(quorum=2, before=timedelta(hours=6))
    late = Desk.objects.create(name="Security")
    late.members.add(person("seb", "Seb Lock"))
    Step.objects.create(route=newsroom.route, desk=late, stage=5, condition="quote", quorum=ALL)
    revision = newsroom.submitted()
    instant = datetime(2031, 7, 1, 12, tzinfo=UTC)
    drafting.plan_embargo(story=revision.story, by=newsroom.drafter, moment=Moment(instant, "UTC"))
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    progress = rules.progress(revision)
    first, second = board.of_progress(progress, rules.standing_decisions(progress))
    legal, office = first.entries
    assert (legal.word, legal.quorum) == ("waiting", "1 of 2 signed")
    assert legal.who.startswith("Adaeze Nwosu, ")
    assert legal.due.in_full.startswith("07:00 BST, Tuesday 1 July 2031 (06:00 UTC")
    assert (office.due, first.due) == (None, None)
    assert (second.number, second.opens) == (2, "opens after stage 1")
    assert second.entries[0].quorum == "0 of 1 signed"
    newsroom.sign(revision, newsroom.legal, newsroom.second_lawyer)
    newsroom.sign(revision, newsroom.private_office, newsroom.secretary)
    progress = rules.progress(revision)
    first, second = board.of_progress(progress, rules.standing_decisions(progress))
    assert "and 1 more" in first.entries[0].who
    assert [decision.by for decision in first.entries[0].decisions] == [
        newsroom.lawyer,
        newsroom.second_lawyer,
    ]
    assert second.opens == ""


@pytest.mark.django_db
def test_a_row_of_a_list_says_the_route_in_few_pixels(newsroom):
    Step.objects.filter(desk=newsroom.private_office).update(stage=2)
    found = board.mini(rules.progress(newsroom.submitted()))
    assert found.says == "Route: Legal waiting; Private Office waiting"
    assert [dot.x for dot in found.dots] == [2, 2 + board.MINI_STEP]
