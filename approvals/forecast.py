"""When a desk will be done, at the pace of its own last decisions: "Legal will miss the embargo by 2 h".

The median of how long the words lay before the desk, of its last sign-offs, is added to the moment since
which these words lie before it. A stage begins when the one before is done. What waits for the drafter
has no forecast, nor has a desk that decided too seldom.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby

from django.db import connection

from stories.clocks import database_now, lasting, office, said
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


class Untold(StrEnum):
    """Why there is no telling when a desk will be done, as what is said of several desks."""

    ANSWERED = "have answered, and wait for the drafter"
    SELDOM = f"have decided fewer than {ENOUGH} times"
    BEHIND = "have to wait for a desk without one"

    def of(self, desks: Sequence[str]) -> str:
        """The sentence without its full stop: "No forecast: Legal has decided fewer than 3 times"."""
        said = str(self.value)
        if len(desks) == 1:
            said = said.replace("have", "has", 1).replace("wait for the", "waits for the")
        elif self == Untold.SELDOM:
            said = said.replace("have", "have each", 1)
        return f"No forecast: {rules.names(desks, 'and')} {said}"


@dataclass(frozen=True)
class Forecast:
    """When a desk will be done (None: no telling, and why), held against its deadline and the embargo."""

    asked: Asked
    done: datetime | None
    now: datetime
    embargo: Moment | None = None
    untold: Untold | None = None

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
        desk = self.asked.desk
        if self.untold:
            return self.untold.of([desk])
        assert self.done
        if self.misses_embargo and self.embargo:
            return f"At this pace {desk} will miss the embargo by {lasting(self.done - self.embargo.instant)}"
        if self.misses_deadline and self.asked.due:
            return f"At this pace {desk} will miss its deadline by {lasting(self.done - self.asked.due)}"
        at = f"At this pace {desk} will be done at {said(office(self.done), self.now)}"
        if self.done == self.now:
            at = f"At its usual pace {desk} would be done already"
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
        unknown = next((step for step in self.steps if step.untold), None)
        if unknown and unknown.untold:
            alike = [step.asked.desk for step in self.steps if step.untold == unknown.untold]
            return unknown.untold.of(list(dict.fromkeys(alike)))
        if len(known) == 1:
            return known[0][1].words
        if not known:
            return ""
        done, last = max(known, key=lambda one: one[0])
        before = f", {lasting(last.embargo.instant - done)} before the embargo" if last.embargo else ""
        if done == last.now:
            return f"At the usual pace everything would be cleared already{before}"
        return f"At this pace everything will be cleared at {said(office(done), last.now)}{before}"

    @property
    def details(self) -> list[str]:
        """A sentence for each desk beside `words`; one for all that lack a forecast for the same reason."""
        untold: dict[Untold, list[str]] = {}
        told = []
        for step in self.steps:
            if step.untold is None:
                told.append(step.words)
            elif step.asked.desk not in untold.setdefault(step.untold, []):
                untold[step.untold].append(step.asked.desk)
        found = [*told, *(why.of(desks) for why, desks in untold.items())]
        return [words for words in dict.fromkeys(found) if words != self.words]


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
        return Forecast(step, None, now, embargo, Untold.ANSWERED)
    if pace.median is None:
        return Forecast(step, None, now, embargo, Untold.SELDOM)
    if step.waited is not None:
        return Forecast(step, max(now, now - step.waited + pace.median), now, embargo)
    if begins is None:
        return Forecast(step, None, now, embargo, Untold.BEHIND)
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


def of_story(progress: rules.Progress, embargo: Moment | None) -> StoryForecast:
    """The forecast of a story's newest words, from how far their clearance has come and the planned embargo.

    Without steps where nothing is missing.
    """
    if not progress.missing:
        return StoryForecast([])
    waited = waiting_times(step.step_id for step in progress.missing)
    found = forecasts(
        [asked_of(step, waited.get(step.step_id)) for step in progress.missing],
        paces(step.desk_id for step in progress.missing),
        database_now(),
        embargo,
    )
    return StoryForecast(found)
