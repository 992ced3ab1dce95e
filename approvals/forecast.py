"""When a desk will be done, at the pace of its own last decisions: "Legal will miss the embargo by 2 h".

The median of how long the words lay before the desk, of its last sign-offs, is added to the moment since
which these words lie before it. A stage begins when the one before is done. What waits for the drafter
has no forecast, nor has a desk that decided too seldom.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.db import connection

from stories.clocks import database_now, lasting, office, said
from stories.models import Story
from stories.moments import Moment

from . import rules

#: Of how many of the last sign-offs the median is taken, and how many there have to be.
SAMPLE, ENOUGH = 50, 3


@dataclass(frozen=True)
class Pace:
    """How long a desk took: the number of sign-offs looked at, and their median where there are enough."""

    decided: int = 0
    median: timedelta | None = None


@dataclass(frozen=True)
class Asked:
    """A missing step, as far as a forecast goes."""

    step_id: int
    desk_id: int
    desk: str
    stage: int
    #: How long the words have been laid before the desk; None where an earlier stage is not met.
    waited: timedelta | None = None
    #: The desk asked for changes, or refused: it is the drafter's turn.
    answered: bool = False
    due: datetime | None = None


@dataclass(frozen=True)
class Forecast:
    """When a desk will be done (None: no telling, and why), held against its deadline and the embargo."""

    asked: Asked
    done: datetime | None
    now: datetime
    embargo: Moment | None = None
    why_none: str = ""

    @property
    def misses_embargo(self) -> bool:
        return self.done is not None and self.embargo is not None and self.done > self.embargo.instant

    @property
    def misses_deadline(self) -> bool:
        return self.done is not None and self.asked.due is not None and self.done > self.asked.due

    @property
    def late(self) -> bool:
        """Whether the desk will be late for its own deadline or for the embargo."""
        return self.misses_embargo or self.misses_deadline

    @property
    def words(self) -> str:
        """The forecast in a sentence without its full stop."""
        if self.done is None:
            return f"No forecast: {self.why_none}"
        desk = self.asked.desk
        if self.misses_embargo and self.embargo:
            return f"At this pace {desk} will miss the embargo by {lasting(self.done - self.embargo.instant)}"
        if self.misses_deadline and self.asked.due:
            return f"At this pace {desk} will miss its deadline by {lasting(self.done - self.asked.due)}"
        at = f"At this pace {desk} will be done at {said(office(self.done), self.now)}"
        if self.done == self.now:
            at = f"At this pace {desk} would be done by now"
        if self.asked.due:
            return f"{at}, {lasting(self.asked.due - self.done)} before its deadline"
        if self.embargo:
            return f"{at}, {lasting(self.embargo.instant - self.done)} before the embargo"
        return at


@dataclass(frozen=True)
class StoryForecast:
    """The forecasts of a story's missing steps, by stage."""

    steps: Sequence[Forecast]

    @property
    def late(self) -> bool:
        return any(step.late for step in self.steps)

    @property
    def words(self) -> str:
        """One sentence for the story: what will be missed first of all, else when everything is cleared."""
        known = [(step.done, step) for step in self.steps if step.done]
        if missed := [(done, step) for done, step in known if step.misses_embargo]:
            return max(missed, key=lambda one: one[0])[1].words
        if missed := [(done, step) for done, step in known if step.misses_deadline]:
            return min(missed, key=lambda one: one[0])[1].words
        unknown = next((step for step in self.steps if step.done is None), None)
        if unknown:
            return unknown.words
        if len(known) == 1:
            return known[0][1].words
        if not known:
            return ""
        done, last = max(known, key=lambda one: one[0])
        before = f", {lasting(last.embargo.instant - done)} before the embargo" if last.embargo else ""
        if done == last.now:
            return f"At this pace everything would be cleared by now{before}"
        return f"At this pace everything will be cleared at {said(office(done), last.now)}{before}"


def forecasts(
    asked: Iterable[Asked], paces: Mapping[int, Pace], now: datetime, embargo: Moment | None = None
) -> list[Forecast]:
    """When each of a story's missing steps will be done, by stage."""
    found: list[Forecast] = []
    begins: datetime | None = now
    for _, stage in groupby(sorted(asked, key=lambda step: step.stage), key=lambda step: step.stage):
        steps = [_forecast(step, paces.get(step.desk_id, Pace()), begins, now, embargo) for step in stage]
        ends = [step.done for step in steps]
        known = [end for end in ends if end]
        begins = max(known) if len(known) == len(ends) else None
        found += steps
    return found


def _forecast(
    step: Asked, pace: Pace, begins: datetime | None, now: datetime, embargo: Moment | None
) -> Forecast:
    if step.answered:
        return Forecast(step, None, now, embargo, f"{step.desk} has answered, and waits for the drafter")
    if pace.median is None:
        return Forecast(step, None, now, embargo, f"{step.desk} has decided fewer than {ENOUGH} times")
    if step.waited is not None:
        return Forecast(step, max(now, now - step.waited + pace.median), now, embargo)
    if begins is None:
        return Forecast(step, None, now, embargo, f"{step.desk} has to wait for a desk without one")
    return Forecast(step, begins + pace.median, now, embargo)


def paces(desk_ids: Iterable[int]) -> dict[int, Pace]:
    """The pace of each desk, in one query for all of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT d.id, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY w.waited)
            FROM unnest(%s::bigint[]) AS d (id) CROSS JOIN LATERAL (
                SELECT waited FROM approvals_decision
                WHERE desk_id = d.id AND verdict = 'cleared' AND waited IS NOT NULL
                ORDER BY id DESC LIMIT %s) w
            GROUP BY d.id
            """,
            [sorted(set(desk_ids)), SAMPLE],
        )
        return {
            desk: Pace(count, median if count >= ENOUGH else None)
            for desk, count, median in cursor.fetchall()
        }


def waiting_times(step_ids: Iterable[int]) -> dict[int, timedelta]:
    """How long the words have been laid before the desk, of each step that is open: as decisions store it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT s.step_id, waited(jsonb_populate_record(NULL::approvals_decision, jsonb_build_object(
                'story_id', s.story_id, 'covered', s.covered, 'at', facts_now())), p)
            FROM approvals_standing s JOIN approvals_pinnedstep p ON p.id = s.step_id
            WHERE s.step_id = ANY(%s) AND s.is_open
            """,
            [list(step_ids)],
        )
        return dict(cursor.fetchall())


def asked_of(step: rules.StepState, waited: timedelta | None) -> Asked:
    """A step, as far as a forecast goes."""
    answered = step.state in (rules.ASKED, rules.REFUSED)
    return Asked(step.step_id, step.desk_id, step.desk, step.stage, waited, answered, step.due)


def of_story(story: Story) -> StoryForecast:
    """The forecast of a story's newest words; without steps where nothing is missing."""
    missing = rules.newest_progress([story.pk])[story.pk].missing
    if not missing:
        return StoryForecast([])
    waited = waiting_times(step.step_id for step in missing)
    planned = story.embargos.order_by("-id").first()
    found = forecasts(
        [asked_of(step, waited.get(step.step_id)) for step in missing],
        paces(step.desk_id for step in missing),
        database_now(),
        Moment(planned.instant, planned.zone) if planned else None,
    )
    return StoryForecast(found)
