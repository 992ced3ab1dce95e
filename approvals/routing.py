"""The verbs by which routes are set up, and what a route would ask of a story.

A change of a route changes nothing that was asked of a story: that was pinned when clearance was requested.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from stories.arranging import acting
from stories.kinds import TYPES
from stories.models import Organisation, Topic, User

from . import asking
from .models import ALL, Condition, Covers, Desk, Route, Step

#: What can still be taken in as one drawing.
MOST_STAGES, MOST_STEPS = 8, 12
NAME_LENGTH = 100
STEP_GONE = "That step is not there any more: somebody removed it."


class Refused(Exception):
    """A route stays as it was. The message says what, why and what to do next."""


class Invalid(Refused):
    """What was typed cannot be asked. `problems` say what is wrong, by field."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


class InUse(Refused):
    """Stories were sent by the route, or it is the default."""


class NotWhole(Refused):
    """The default route has to have a step that covers everything, whatever is in a story."""


class Twice(Refused):
    """The stage asks the same already."""


class Full(Refused):
    """No more stages, or no more steps of a stage, can be taken in at a glance."""


class NowhereToGo(Refused):
    """The step cannot be moved that way."""


class Gone(Refused):
    """Somebody else took it away meanwhile."""


class Where(StrEnum):
    """A way in which a step can be moved."""

    UP = "up"
    DOWN = "down"
    EARLIER = "earlier"
    LATER = "later"


@dataclass(frozen=True)
class Ask:
    """What a step is to ask: of which desk, for which parts, when, by how many people and until when."""

    desk: Desk | None
    covers: str = Covers.EVERYTHING
    whom: str = ""
    condition: str = Condition.ALWAYS
    value: str = ""
    quorum: int = 1
    before: timedelta | None = None

    @property
    def fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


# Routes


def create_route(*, name: str, by: User) -> Route:
    """A route without steps.

    Raises:
        Invalid: it has no name, or that of another route.
    """
    name = _name(name)
    with acting(by):
        _free(name)
        return Route.objects.create(name=name)


def rename_route(*, route: Route, name: str, by: User) -> Route:
    """Call a route something else, also on the stories that were sent by it.

    Raises:
        Invalid: it has no name, or that of another route.
        Gone: see there.
    """
    name = _name(name)
    with acting(by):
        locked = _locked(route)
        _free(name, but=locked)
        locked.name = name
        locked.save(update_fields=["name"])
        return locked


def make_default(*, route: Route, by: User) -> Route:
    """Let a route be taken where nobody chooses another.

    Raises:
        NotWhole: it has no step that always covers everything.
        Gone: see there.
    """
    with acting(by):
        # All of them, in one order: two people can press the button of two routes.
        list(Route.objects.select_for_update().order_by("pk"))
        locked = _locked(route)
        if not is_whole(locked.steps.all()):
            raise NotWhole(
                f"“{locked}” cannot be the default: it has no step that always covers everything. Add one "
                "first, or no story could be cleared by it."
            )
        Route.objects.filter(default=True).exclude(pk=locked.pk).update(default=False)
        locked.default = True
        locked.save(update_fields=["default"])
        return locked


def remove_route(*, route: Route, by: User) -> None:
    """Take away a route by which no story was ever sent.

    Raises:
        InUse: stories were sent by it, or it is the default.
        Gone: see there.
    """
    with acting(by):
        locked = _locked(route)
        if locked.default:
            raise InUse(
                f"“{locked}” was not removed: it is the default. Make another route the default first."
            )
        if locked.submissions.exists():
            raise InUse(
                f"“{locked}” was not removed: stories were sent by it, and their record names it. Without a "
                "step that always covers everything it is not offered any more."
            )
        locked.steps.all().delete()
        locked.delete()


def offered() -> QuerySet[Route]:
    """The routes by which clearance can be requested, the default first."""
    return (
        Route.objects.filter(steps__covers=Covers.EVERYTHING, steps__condition=Condition.ALWAYS)
        .distinct()
        .order_by("-default", "name")
    )


def is_whole(steps: Iterable[Step]) -> bool:
    """Whether some desk is always asked to clear everything."""
    return any(
        step.covers == Covers.EVERYTHING and step.condition == Condition.ALWAYS and step.desk_id
        for step in steps
    )


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise Invalid({"name": "Give it a name."})
    if len(name) > NAME_LENGTH:
        raise Invalid({"name": f"A name has {NAME_LENGTH} characters at most; this one has {len(name)}."})
    return name


def _free(name: str, but: Route | None = None) -> None:
    taken = Route.objects.filter(name__iexact=name)
    if (taken.exclude(pk=but.pk) if but else taken).exists():
        raise Invalid({"name": f"There is a route called “{name}” already."})


def _locked(route: Route) -> Route:
    found = Route.objects.select_for_update().filter(pk=route.pk).first()
    if found is None:
        raise Gone("That route is not there any more: somebody removed it.")
    return found


def _keep(desk: Desk | None) -> None:
    """Hold a desk until the step that asks it is there."""
    if desk and not Desk.objects.select_for_update().filter(pk=desk.pk).exists():
        raise Invalid({"desk": "That desk is not there any more: choose another."})


# Steps

Stages = list[list[Step]]
_WRITTEN = (*(name for name in Ask.__dataclass_fields__ if name != "desk"), "desk_id", "stage", "position")


def add_step(*, route: Route, ask: Ask, by: User, stage: int | None = None, opens: bool = False) -> Step:
    """Add a step at the end of a stage, or (`opens`) in a stage of its own, before which that one moves on.

    Without `stage`, or after the last one, it opens a stage at the end.

    Raises:
        Invalid, Twice, Full, Gone: see there.
    """
    check(ask)
    with acting(by):
        locked = _locked(route)
        _keep(ask.desk)
        stages = _stages(locked)
        step = Step(route=locked, **ask.fields)
        place = len(stages) if stage is None else max(0, min(stage - 1, len(stages)))
        if opens or place == len(stages):
            stages.insert(place, [step])
        else:
            stages[place].append(step)
        _write(locked, stages)
        return step


def change_step(*, step: Step, ask: Ask, by: User) -> Step:
    """Let a step ask something else, where it stands.

    Raises:
        Invalid, Twice, NotWhole, Gone: see there.
    """
    check(ask)
    with acting(by):
        locked = _locked(step.route)
        _keep(ask.desk)
        stages = _stages(locked)
        found = _find(stages, step)
        for name, value in ask.fields.items():
            setattr(found, name, value)
        _write(locked, stages)
        return found


def remove_step(*, step: Step, by: User) -> None:
    """Ask it no more of the stories that are sent from now on.

    Raises:
        NotWhole: it is the only step of the default route that always covers everything.
        Gone: see there.
    """
    with acting(by):
        locked = _locked(step.route)
        stages = _stages(locked)
        found = _find(stages, step)
        for stage in stages:
            if found in stage:
                stage.remove(found)
        found.delete()
        _write(locked, stages)


def move_step(*, step: Step, where: Where, by: User) -> Step:
    """Move a step within its stage, or to the stage before or after. At an end, it opens one of its own.

    Raises:
        NowhereToGo: it is the first or last of its stage, or alone at an end.
        Twice, Full, Gone: see there.
    """
    with acting(by):
        locked = _locked(step.route)
        stages = _stages(locked)
        found = _find(stages, step)
        number = next(number for number, stage in enumerate(stages) if found in stage)
        mine = stages[number]
        place = mine.index(found)
        mine.remove(found)
        way = 1 if where in (Where.DOWN, Where.LATER) else -1
        if where in (Where.UP, Where.DOWN):
            if not 0 <= place + way <= len(mine):
                raise NowhereToGo(f"It is the {'first' if way < 0 else 'last'} of its stage already.")
            mine.insert(place + way, found)
        elif 0 <= number + way < len(stages):
            stages[number + way].append(found)
        elif mine:
            stages.insert(0 if way < 0 else len(stages), [found])
        else:
            raise NowhereToGo(f"It is alone in the {'first' if way < 0 else 'last'} stage already.")
        _write(locked, stages)
        return found


def check(ask: Ask) -> None:
    """Hold what a step is to ask against what can be asked.

    Raises:
        Invalid: some of it cannot be.
    """
    problems = {**_coverage_problems(ask), **_condition_problems(ask)}
    offices = ask.condition == Condition.PRIVATE_OFFICE
    if ask.desk is None and not offices:
        problems["desk"] = "Choose the desk that is asked."
    elif ask.desk is not None and offices:
        problems["desk"] = "Leave the desk empty: each speaker’s own private office is asked."
    if ask.quorum not in (1, 2, ALL):
        problems["quorum"] = "Choose one, two or all of the desk."
    if ask.before is not None and not timedelta() < ask.before <= asking.FARTHEST:
        problems["before"] = f"A deadline lies before the embargo, by {asking.FARTHEST.days} days at most."
    if problems:
        raise Invalid(problems)


def _coverage_problems(ask: Ask) -> dict[str, str]:
    if ask.covers not in Covers.values:
        return {"covers": "Choose what the step covers."}
    if ask.condition == Condition.PRIVATE_OFFICE and ask.whom:
        return {"whom": "Leave this empty: each private office covers the quotes of its own speaker."}
    if ask.covers not in asking.NAMED:
        return {"whom": f"Leave this empty: the step covers {Covers(ask.covers).label}."} if ask.whom else {}
    if not ask.whom.strip() and ask.condition != Condition.PRIVATE_OFFICE:
        word = "name" if ask.covers == Covers.SPEAKER else "role"
        return {"whom": f"Say whose quotes it covers: the {word}, as it stands under a quote."}
    return {}


def _condition_problems(ask: Ask) -> dict[str, str]:
    value = ask.value
    match ask.condition:
        case Condition.SPEAKER | Condition.ROLE:
            word = "name" if ask.condition == Condition.SPEAKER else "role"
            return {} if value.strip() else {"value": f"Say which: the {word}, as it stands under a quote."}
        case Condition.TYPE:
            return {} if value in TYPES else {"value": "Choose the type of story."}
        case Condition.TOPIC:
            known = Topic.objects.filter(slug=value).exists()
            return {} if known else {"value": "Choose the topic."}
        case Condition.PARTNER:
            known = not value or Organisation.objects.filter(slug=value).exists()
            return {} if known else {"value": "Choose the organisation, or every one."}
    if ask.condition not in Condition.values:
        return {"condition": "Choose when the step is asked."}
    return {"value": "Leave this empty: the condition is about nobody in particular."} if value else {}


def _stages(route: Route) -> Stages:
    stages: dict[int, list[Step]] = {}
    for step in route.steps.select_related("desk"):
        stages.setdefault(step.stage, []).append(step)
    return [stages[number] for number in sorted(stages)]


def _find(stages: Stages, step: Step) -> Step:
    found = next((one for stage in stages for one in stage if one.pk == step.pk), None)
    if found is None:
        raise Gone(STEP_GONE)
    return found


def _write(route: Route, stages: Stages) -> None:
    """Number the stages and their steps anew, in the order given; an empty stage falls away."""
    stages[:] = [stage for stage in stages if stage]
    if len(stages) > MOST_STAGES:
        raise Full(f"A route has {MOST_STAGES} stages at most. Let some desks be asked side by side.")
    for number, stage in enumerate(stages, start=1):
        _check_stage(number, stage)
    steps = [step for stage in stages for step in stage]
    if route.default and not is_whole(steps):
        raise NotWhole(
            f"“{route}” is the default, and one of its steps has to cover everything, whatever is in the "
            "story. Add another such step first, or make another route the default."
        )
    for number, stage in enumerate(stages, start=1):
        for position, step in enumerate(stage, start=1):
            step.stage, step.position = number, position
    # Only what changed, for each row is on the record, and at once: no two may ask the same in one stage.
    there = {row["pk"]: row for row in route.steps.values("pk", *_WRITTEN)}
    changed = [
        step
        for step in steps
        if step.pk and any(there[step.pk][name] != getattr(step, name) for name in _WRITTEN)
    ]
    Step.objects.bulk_update(changed, [name.removesuffix("_id") for name in _WRITTEN])
    for step in steps:
        if not step.pk:
            step.save()


def _check_stage(number: int, stage: Sequence[Step]) -> None:
    if len(stage) > MOST_STEPS:
        raise Full(
            f"A stage has {MOST_STEPS} steps at most, and stage {number} has them. Open another stage."
        )
    seen: set[tuple[Any, ...]] = set()
    for step in stage:
        asks = (step.desk_id, step.covers, step.whom, step.condition, step.value)
        if asks in seen:
            raise Twice(
                f"Stage {number} asks that already: the same desk, for the same, under the same condition."
            )
        seen.add(asks)


# What it would ask


@dataclass(frozen=True)
class Would:
    """A step that a route would ask of a story today, or would not."""

    step: Step
    desk: Desk | None
    covers: str
    whom: str
    condition: str
    value: str
    #: Whether its condition holds.
    applies: bool
    #: Whether there is anything in the story that it covers.
    has_words: bool
    names: asking.Names = field(default_factory=dict, repr=False)

    @property
    def asked(self) -> bool:
        return self.applies and self.has_words

    @property
    def stage(self) -> int:
        return self.step.stage

    @property
    def desk_id(self) -> int | None:
        return self.desk.pk if self.desk else None

    @property
    def desk_name(self) -> str:
        """Who is asked, in words."""
        if self.desk is None:
            return "Private offices"
        every = self.condition == Condition.PARTNER and not self.value
        return "Partner organisations" if every else str(self.desk)

    @property
    def covers_words(self) -> str:
        return asking.covers_words(self)

    @property
    def when_words(self) -> str:
        return asking.when_words(self, self.names)

    @property
    def why(self) -> str:
        """Why it is asked of the story, or is not: a sentence without its full stop."""
        when = self.when_words
        if self.asked:
            return f"asked {when}, as in this story" if when else "always asked"
        if self.applies:
            return "not needed: there is nothing in it that the desk covers"
        return f"not needed: it is asked only {when}"


#: As `expand_steps` pins them: patterns, and a step of its own for each that the words name.
WOULD_ASK = """
SELECT t.id, n.desk_id, n.covers, n.whom, n.condition, n.value,
       applies(c.words, n.condition, n.value), covered_digest(c.words, n.covers, n.whom) IS NOT NULL
FROM approvals_step t CROSS JOIN (SELECT %s::jsonb) AS c (words) CROSS JOIN LATERAL (
    SELECT t.desk_id, t.covers, t.whom, t.condition, t.value
    UNION ALL
    SELECT * FROM named_steps(c.words, t.desk_id, t.covers, t.whom, t.condition, t.value)
) n
WHERE t.route_id = ANY (%s)
ORDER BY t.stage, t.position, t.id, n.value
"""


def would_ask(route: Route, content: dict[str, Any]) -> list[Would]:
    """The steps that a route would ask of a story with this content today, and those that it would not."""
    return would_ask_each([route], content)[route.pk]


def would_ask_each(routes: Iterable[Route], content: dict[str, Any]) -> dict[int, list[Would]]:
    """The same for several routes, by their ids, in as many queries as for one."""
    found: dict[int, list[Would]] = {route.pk: [] for route in routes}
    with connection.cursor() as cursor:
        cursor.execute(WOULD_ASK, [json.dumps(content), list(found)])
        rows = cursor.fetchall()
    steps = Step.objects.select_related("desk").in_bulk({row[0] for row in rows})
    desks = Desk.objects.in_bulk({row[1] for row in rows if row[1]})
    for route_id in found:
        found[route_id] = _without_patterns(
            [
                Would(steps[row[0]], desks.get(row[1]), *row[2:])
                for row in rows
                if row[0] in steps and steps[row[0]].route_id == route_id
            ]
        )
    names = asking.names_of([one for woulds in found.values() for one in woulds])
    for woulds in found.values():
        for one in woulds:
            one.names.update(names)
    return found


def _is_pattern(one: Would) -> bool:
    return one.condition == Condition.PRIVATE_OFFICE or (one.condition == Condition.PARTNER and not one.value)


def _without_patterns(woulds: list[Would]) -> list[Would]:
    """A pattern stands only for itself where it names nobody; nothing is asked twice in a stage."""
    expanded = {one.step.pk for one in woulds if not _is_pattern(one)}
    kept: list[Would] = []
    seen: set[tuple[Any, ...]] = set()
    for one in woulds:
        asks = (one.stage, one.desk_id, one.covers, one.whom, one.condition, one.value)
        if asks in seen or (_is_pattern(one) and one.step.pk in expanded):
            continue
        seen.add(asks)
        kept.append(one)
    return kept
