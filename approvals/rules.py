"""Questions about clearance: which step stands, who may decide, how far a story has come."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from stories.models import Revision, User

from . import coverage
from .models import ALL, Condition, Covers, Decision, Deputyship, Desk, PinnedStep, Standing

CLEARED, AGAIN, WAITING, ASKED, REFUSED, NONE = "cleared", "again", "waiting", "asked", "refused", "none"
STATE_WORDS = {
    CLEARED: "cleared",
    AGAIN: "cleared, then changed: look again",
    WAITING: "waiting",
    ASKED: "changes asked",
    REFUSED: "refused",
    NONE: "not needed",
}
#: The states without the sign-offs that are needed.
MISSING = (WAITING, AGAIN, ASKED, REFUSED)


@dataclass(frozen=True)
class StepState:
    """A step asked of a story, held against one revision."""

    step: PinnedStep
    #: The digest that a decision has to name; None where the revision has nothing to cover.
    covered: str | None
    #: The ids of the sign-offs that count.
    decisions: tuple[int, ...]
    #: One of the states of the vocabulary.
    state: str
    #: The ids of those who wrote words since the step was last fully cleared.
    barred: frozenset[int]
    #: Whether every step of the stages before is met.
    is_open: bool
    #: The deadline (UTC), if it has one.
    due: datetime | None
    #: The desk's last decision on these or other words, if any.
    last: Decision | None = None

    @property
    def step_id(self) -> int:
        return self.step.pk

    @property
    def desk_id(self) -> int:
        assert self.step.desk_id
        return self.step.desk_id

    @property
    def desk(self) -> str:
        return str(self.step.desk)

    @property
    def stage(self) -> int:
        return self.step.stage

    @property
    def covers(self) -> str:
        return self.step.covers

    @property
    def whom(self) -> str:
        return self.step.whom

    @property
    def identity(self) -> tuple[int, str, str]:
        """What decisions on the step are found by: the desk and what it covers."""
        return self.desk_id, self.covers, self.whom

    @property
    def covers_words(self) -> str:
        """What the step covers, in words."""
        return self.step.covers_words

    @property
    def condition_words(self) -> str:
        """When it is asked, in words; empty where it always is."""
        always = self.step.condition == Condition.ALWAYS
        return "" if always else coverage.when_in_words(self.step.condition, self.step.value)

    @property
    def quorum_words(self) -> str:
        """How many have signed of those who have to, where that is more than one: "1 of 2 signed"."""
        if self.step.quorum == 1 or self.covered is None:
            return ""
        people = len(set(self.step.people) - self.barred) if self.step.quorum == ALL else self.step.quorum
        return f"{min(len(self.decisions), people)} of {people} signed"

    @property
    def words(self) -> str:
        """The state in the words of the vocabulary."""
        return STATE_WORDS[self.state]

    @property
    def missing(self) -> bool:
        """Whether sign-offs are needed that do not stand."""
        return self.state in MISSING

    @property
    def stands(self) -> bool:
        """Whether all the sign-offs that the step asks for stand."""
        return self.state == CLEARED


@dataclass(frozen=True)
class Progress:
    """How far the clearance of a revision has come. No steps: clearance was never requested."""

    steps: list[StepState] = field(default_factory=list)

    @property
    def requested(self) -> bool:
        return bool(self.steps)

    @property
    def needed(self) -> list[StepState]:
        """The steps that have something to cover."""
        return [step for step in self.steps if step.covered is not None]

    @property
    def missing(self) -> list[StepState]:
        """The steps without the sign-offs that they need."""
        return [step for step in self.steps if step.missing]

    @property
    def standing(self) -> list[StepState]:
        return [step for step in self.steps if step.stands]

    @property
    def stages(self) -> list[list[StepState]]:
        """The steps by stage, in order."""
        stages: dict[int, list[StepState]] = defaultdict(list)
        for step in self.steps:
            stages[step.stage].append(step)
        return [stages[number] for number in sorted(stages)]

    @property
    def cleared(self) -> bool:
        """Whether all that is needed stands, and somebody cleared the whole. As SQL's `is_cleared`."""
        whole = any(step.covers == Covers.EVERYTHING for step in self.standing)
        return whole and not self.missing

    @property
    def state(self) -> str:
        """One state for the whole: the worst of its steps; `draft` before clearance is requested."""
        if not self.requested:
            return "draft"
        if self.cleared:
            return CLEARED
        states = {step.state for step in self.missing}
        return next((state for state in (REFUSED, ASKED, AGAIN) if state in states), WAITING)

    @property
    def words(self) -> str:
        """The state in words, with the number of sign-offs that are missing."""
        if not self.requested:
            return "draft"
        if self.cleared:
            return "cleared"
        if self.state in (REFUSED, ASKED):
            return STATE_WORDS[self.state]
        if not self.missing:
            return "nobody was asked to clear everything"
        count = len(self.missing)
        return f"{count} sign-off{'s' * (count != 1)} missing"


def progress(revision: Revision) -> Progress:
    """The clearance of one revision, from the facts."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT step_id, covered, decisions, state, barred, is_open, due FROM signoffs(%s)", [revision.pk]
        )
        rows = cursor.fetchall()
    steps = PinnedStep.objects.select_related("desk").in_bulk(row[0] for row in rows)
    last = last_decisions([revision.story_id])
    return Progress([_state(steps[row[0]], row[1:], last, revision.story_id) for row in rows])


def newest_progress(story_ids: Iterable[int]) -> dict[int, Progress]:
    """The clearance of each story's newest revision, in two queries however many there are."""
    ids = list(story_ids)
    rows = (
        Standing.objects.filter(story__in=ids)
        .select_related("step__desk")
        .order_by("step__stage", "step__position", "step_id")
    )
    last = last_decisions(ids)
    found: dict[int, list[StepState]] = defaultdict(list)
    for row in rows:
        fields = (row.covered or None, row.decisions, row.state, row.barred, row.is_open, row.due)
        found[row.story_id].append(_state(row.step, fields, last, row.story_id))
    return {pk: Progress(found[pk]) for pk in ids}


Last = dict[tuple[int, int, str, str], Decision]


def _state(step: PinnedStep, fields: tuple[Any, ...], last: Last, story_id: int) -> StepState:
    covered, decisions, state, barred, is_open, due = fields
    newest = last.get((story_id, step.desk_id or 0, step.covers, step.whom))
    return StepState(step, covered, tuple(decisions), state, frozenset(barred), is_open, due, newest)


def last_decisions(story_ids: Iterable[int], by: User | None = None) -> Last:
    """The newest decision by story, desk and coverage, whatever the words were; of one person, if named."""
    key = ("story_id", "desk_id", "covers", "whom")
    newest = (
        Decision.objects.filter(story__in=list(story_ids))
        .order_by(*key, "-id")
        .distinct(*key)
        .select_related("by", "on_behalf", "revision", "desk")
    )
    # A list needs no words but those that a person decided on.
    newest = newest.defer("revision__content") if by is None else newest.filter(by=by)
    return {(d.story_id, d.desk_id, d.covers, d.whom): d for d in newest}


def standing_decisions(progress: Progress) -> dict[int, Decision]:
    """The sign-offs that count, by their ids, with who gave them and on which revision."""
    ids = [pk for step in progress.steps for pk in step.decisions]
    if not ids:
        return {}
    return (
        Decision.objects.select_related("by", "on_behalf", "desk", "revision")
        .defer("revision__content")
        .in_bulk(ids)
    )


def desks_of(user: Any) -> set[int]:
    """The ids of the desks for which `user` decides now: their own, and those they stand in on."""
    return set(Desk.objects.filter(acts_for(user)).values_list("pk", flat=True))


# Their own desks, and those of the people for whom they stand in now. Spelled out, because every page of the
# staff asks it: as querysets it takes longer to be put together and planned than to be answered.
_ACTS_FOR = """
SELECT desk_id FROM approvals_desk_members WHERE user_id = %s
UNION ALL
SELECT m.desk_id FROM approvals_deputyship d
JOIN approvals_desk_members m ON m.user_id = d.person_id AND (d.desk_id IS NULL OR d.desk_id = m.desk_id)
JOIN stories_user p ON p.id = d.person_id AND p.is_active
WHERE d.deputy_id = %s AND d.since <= statement_timestamp() AND d.until > statement_timestamp()
"""


def acts_for(user: Any) -> Q:
    """The desks for which `user` decides now, as a `Q` on `Desk`."""
    return Q(pk__in=RawSQL(_ACTS_FOR, [user.pk, user.pk]))  # noqa: S611 - a constant


def principals(user: Any, desk_id: int) -> list[User]:
    """The people of a desk for whom `user` stands in now, by name."""
    now = Deputyship.objects.filter(
        Q(desk=None) | Q(desk=desk_id), deputy=user.pk, since__lte=Now(), until__gt=Now()
    )
    people = User.objects.filter(pk__in=now.values("person"), desks=desk_id, is_active=True)
    return list(people.order_by("first_name", "last_name", "pk"))


def on_desk(user: User, step: PinnedStep | StepState) -> bool:
    """Whether `user` is one of the people of a step's desk."""
    return step.desk_id is not None and user.desks.filter(pk=step.desk_id).exists()


def last_decision_of(user: Any, revision: Revision, step: StepState) -> Decision | None:
    """What `user` decided last for a step of the story, whatever the words were then."""
    desk, covers, whom = step.identity
    mine = Decision.objects.filter(story=revision.story_id, by=user, desk=desk, covers=covers, whom=whom)
    return mine.select_related("revision").order_by("-id").first()


def people_of(desk_ids: Iterable[int]) -> dict[int, list[User]]:
    """The people of each desk who can sign in, by name."""
    found: dict[int, list[User]] = defaultdict(list)
    people = User.objects.filter(desks__in=list(desk_ids), is_active=True).annotate(of_desk=F("desks"))
    for person in people.order_by("first_name", "last_name", "pk"):
        found[person.of_desk].append(person)
    return found


def who_can(steps: Iterable[StepState]) -> dict[int, list[User]]:
    """Those who can decide on each step, by its id: the people of its desk, without those who wrote words."""
    asked = list(steps)
    people = people_of({step.desk_id for step in asked})
    return {
        step.step_id: [person for person in people.get(step.desk_id, []) if person.pk not in step.barred]
        for step in asked
    }


def names(people: Iterable[User | str], word: str) -> str:
    """Names in a sentence: "Hugh Penrose or Clara Minton"."""
    found = [str(person) for person in people]
    return f" {word} ".join(part for part in (", ".join(found[:-1]), *found[-1:]) if part)
