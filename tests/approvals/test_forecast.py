"""When a desk will be done: the arithmetic by properties, the pace from real decisions."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from approvals import forecast
from approvals.forecast import Asked, Pace, forecasts
from approvals.models import Desk, Step
from newsroom.state import state_of
from stories import drafting
from stories.moments import Moment
from tests.approvals.doing import ask

NOW = datetime(2030, 10, 17, 14, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)

spans = st.timedeltas(timedelta(0), timedelta(days=400))
moments = st.timedeltas(timedelta(days=-400), timedelta(days=400)).map(lambda gap: NOW + gap)


@st.composite
def steps(draw: st.DrawFn) -> list[Asked]:
    """Missing steps as a story has them: those of the first stage are open, the others are not."""
    stages = sorted(draw(st.lists(st.integers(1, 4), min_size=1, max_size=8)))
    return [
        Asked(
            step_id=number,
            desk_id=draw(st.integers(1, 4)),
            desk=f"Desk {number}",
            stage=stage,
            waited=draw(spans) if stage == stages[0] else None,
            answered=draw(st.booleans()) and draw(st.booleans()),
            due=draw(st.none() | moments),
        )
        for number, stage in enumerate(stages)
    ]


medians = st.dictionaries(st.integers(1, 4), st.builds(Pace, st.just(3), st.none() | spans))
embargoes = st.none() | moments.map(lambda instant: Moment(instant, "Europe/London"))


@given(steps(), medians, embargoes)
def test_nothing_is_done_before_now_nor_before_the_stage_before(asked, paces, embargo):
    found = forecasts(asked, paces, NOW, embargo)
    assert [one.asked for one in found] == asked
    for one in found:
        assert one.done is None or one.done >= NOW
        before = [other for other in found if other.asked.stage < one.asked.stage]
        if one.done is not None:
            assert all(other.done is not None and other.done <= one.done for other in before)


@given(steps(), medians, embargoes)
def test_what_cannot_be_known_is_said_and_not_guessed(asked, paces, embargo):
    for one in forecasts(asked, paces, NOW, embargo):
        unknown = one.asked.answered or paces.get(one.asked.desk_id, Pace()).median is None
        assert not unknown or one.done is None
        assert one.words.startswith("No forecast: ") == (one.done is None)
        assert bool(one.untold) == (one.done is None)


@given(steps(), medians, spans, st.integers(1, 4))
def test_a_slower_desk_makes_nobody_faster(asked, paces, more, slower):
    pace = paces.get(slower)
    if pace is None or pace.median is None:
        return
    slow = {**paces, slower: Pace(3, pace.median + more)}
    for fast, late in zip(forecasts(asked, paces, NOW), forecasts(asked, slow, NOW), strict=True):
        assert (fast.done is None) == (late.done is None)
        assert fast.done is None or fast.done <= late.done


@given(steps(), medians, spans)
def test_who_has_waited_longer_is_done_sooner_and_never_in_the_past(asked, paces, more):
    longer = [
        Asked(**{**vars(step), "waited": step.waited + more}) if step.waited is not None else step
        for step in asked
    ]
    for before, after in zip(forecasts(asked, paces, NOW), forecasts(longer, paces, NOW), strict=True):
        assert (before.done is None) == (after.done is None)
        assert after.done is None or NOW <= after.done <= before.done


@given(steps(), medians, embargoes)
def test_the_words_say_late_where_it_is_late_and_nowhere_else(asked, paces, embargo):
    found = forecasts(asked, paces, NOW, embargo)
    for one in found:
        assert (" miss " in one.words) == one.late
    whole = forecast.StoryForecast(found)
    assert (" miss " in whole.words) == whole.late == any(one.late for one in found)


def one(waited: timedelta, median: timedelta | None, due=None, embargo=None) -> str:
    asked = Asked(1, 1, "Legal", 1, waited, due=due)
    moment = Moment(embargo, "Europe/London") if embargo else None
    return forecasts([asked], {1: Pace(9, median)}, NOW, moment)[0].words


@pytest.mark.parametrize(
    ("words", "case"),
    [
        (
            "At this pace Legal will be done at 16:40 BST, 2 h 10 min before its deadline",
            {
                "median": 100 * HOUR / 60,
                "due": NOW + timedelta(hours=3, minutes=50),
                "embargo": NOW + 9 * HOUR,
            },
        ),
        (
            "At this pace Legal will miss the embargo by 2 h 0 min",
            {"median": 5 * HOUR, "due": NOW + HOUR, "embargo": NOW + 3 * HOUR},
        ),
        (
            "At this pace Legal will miss its deadline by 20 min",
            {"median": 80 * HOUR / 60, "due": NOW + HOUR, "embargo": NOW + 3 * HOUR},
        ),
        (
            "At this pace Legal will be done at 17:00 BST, 1 h 0 min before the embargo",
            {"median": 2 * HOUR, "embargo": NOW + 3 * HOUR},
        ),
        ("At this pace Legal will be done at 14:00 BST, Friday 18 October", {"median": 23 * HOUR}),
        ("No forecast: Legal has decided fewer than 3 times", {"median": None}),
    ],
)
def test_the_words(words, case):
    assert one(timedelta(0), **case) == words


def test_what_lies_there_for_longer_than_ever_would_be_done_by_now():
    assert one(9 * HOUR, HOUR, embargo=NOW + HOUR) == (
        "At its usual pace Legal would be done already, 1 h 0 min before the embargo"
    )


def test_a_later_stage_begins_when_the_one_before_is_done():
    asked = [
        Asked(1, 1, "Policy", 1, HOUR),
        Asked(2, 2, "Private Office", 1, HOUR),
        Asked(3, 3, "Legal", 2),
    ]
    paces = {1: Pace(9, 2 * HOUR), 2: Pace(9, 4 * HOUR), 3: Pace(9, HOUR)}
    found = forecasts(asked, paces, NOW, Moment(NOW + 3 * HOUR, "UTC"))
    assert [one.done - NOW for one in found] == [HOUR, 3 * HOUR, 4 * HOUR]
    assert forecast.StoryForecast(found).words == "At this pace Legal will miss the embargo by 1 h 0 min"
    found = forecasts(asked, paces, NOW, Moment(NOW + 6 * HOUR, "UTC"))
    assert forecast.StoryForecast(found).words == (
        "At this pace everything will be cleared at 19:00 BST, 2 h 0 min before the embargo"
    )


def test_desks_without_a_forecast_for_the_same_reason_are_told_of_once():
    asked = [Asked(1, 1, "Legal", 1, HOUR), Asked(2, 2, "Policy", 1, HOUR), Asked(3, 3, "Ports", 1, HOUR)]
    asked += [Asked(4, 4, "Science", 2), Asked(5, 5, "Finance", 1, HOUR, answered=True)]
    found = forecast.StoryForecast(forecasts(asked, {3: Pace(9, 2 * HOUR)}, NOW))
    assert found.words == "No forecast: Legal, Policy and Science have each decided fewer than 3 times"
    assert found.details == [
        "At this pace Ports will be done at 16:00 BST",
        "No forecast: Finance has answered, and waits for the drafter",
    ]


# From the facts


@pytest.mark.django_db
def test_the_pace_is_the_median_of_what_a_desk_took(newsroom):
    for number in range(2):
        newsroom.cleared(slug=f"s-{number}")
    assert forecast.paces([newsroom.legal.pk])[newsroom.legal.pk] == Pace(2, None)
    newsroom.cleared(slug="third")
    pace = forecast.paces([newsroom.legal.pk])[newsroom.legal.pk]
    assert pace.decided == 3
    assert timedelta(0) < pace.median < timedelta(minutes=1)


@pytest.mark.django_db
def test_changes_asked_are_no_pace_and_only_the_last_ones_count(newsroom, monkeypatch):
    monkeypatch.setattr(forecast, "SAMPLE", 4)
    for number in range(6):
        newsroom.sign(newsroom.submitted(slug=f"s-{number}"), newsroom.legal, newsroom.lawyer)
    ask(newsroom, newsroom.submitted(slug="asked"), newsroom.legal, newsroom.lawyer)
    assert forecast.paces([newsroom.legal.pk])[newsroom.legal.pk].decided == 4


def of_story(story) -> forecast.StoryForecast:
    state = state_of(story)
    return forecast.of_story(state.progress, state.planned)


@pytest.mark.django_db
def test_a_story_forecast_from_its_facts(newsroom):
    Step.objects.filter(desk=newsroom.private_office).update(stage=2)
    for number in range(3):
        newsroom.cleared(slug=f"s-{number}")
    revision = newsroom.submitted()
    moment = Moment(datetime.now(UTC) + timedelta(hours=5), "Europe/London")
    drafting.plan_embargo(story=revision.story, by=newsroom.drafter, moment=moment)
    found = of_story(revision.story)
    assert [step.asked.desk for step in found.steps] == ["Legal", "Private Office"]
    assert found.words.endswith("4 h 59 min before the embargo")
    ask(newsroom, revision, newsroom.legal, newsroom.lawyer)
    words = [step.words for step in of_story(revision.story).steps]
    assert words == [
        "No forecast: Legal has answered, and waits for the drafter",
        "No forecast: Private Office has to wait for a desk without one",
    ]
    assert of_story(newsroom.draft(slug="draft").story).words == ""
    assert of_story(newsroom.cleared(slug="done").story).steps == []


@pytest.mark.django_db
def test_as_many_queries_for_many_desks_as_for_one(newsroom):
    def queries(story) -> int:
        with CaptureQueriesContext(connection) as caught:
            assert of_story(story).steps
        return len(caught)

    with_two = queries(newsroom.submitted().story)
    for number in range(4):
        desk = Desk.objects.create(name=f"Desk {number}")
        Step.objects.create(route=newsroom.route, desk=desk, covers="everything", stage=number)
    assert queries(newsroom.submitted(slug="more").story) == with_two


@pytest.mark.django_db
def test_the_pages_of_a_story_show_it(newsroom, as_):
    story = newsroom.submitted().story
    for name in ("story_clearing", "story_release"):
        text = as_(newsroom.officer).get(reverse(name, args=[story.uid])).content.decode()
        assert "No forecast: Legal and Private Office have each decided fewer than 3 times." in text
    done = newsroom.cleared(slug="done").story
    text = as_(newsroom.officer).get(reverse("story_clearing", args=[done.uid])).content.decode()
    assert "At this pace" not in text
