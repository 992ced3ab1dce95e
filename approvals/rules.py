"""Questions about clearance: which step stands, who may decide, how far a story has come."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import F

from stories.models import Revision, User

from .models import Covers, Decision, PinnedStep, Verdict

CLEARED, AGAIN, WAITING, ASKED, NONE = "cleared", "again", "waiting", "asked", "none"
STATE_WORDS = {
    CLEARED: "cleared",
    AGAIN: "cleared, then changed: look again",
    WAITING: "waiting",
    ASKED: "changes asked",
    NONE: "not needed",
}


@dataclass(frozen=True)
class StepState:
    """A step asked of a story, held against one revision."""

    step_id: int
    desk_id: int
    desk: str
    covers: str
    #: The digest that a decision has to name; None where the revision has nothing to cover.
    covered: str | None
    #: The sign-off that stands, if any.
    decision_id: int | None
    #: The desk's last decision on these or other words, if any.
    last: Decision | None = None

    @property
    def covers_words(self) -> str:
        """What the step covers, in words."""
        return str(Covers(self.covers).label)

    @property
    def state(self) -> str:
        """One of the states of the vocabulary."""
        if self.covered is None:
            return NONE
        if self.decision_id:
            return CLEARED
        if self.last is None:
            return WAITING
        if self.last.covered == self.covered and self.last.verdict == Verdict.CHANGES:
            return ASKED
        return AGAIN if self.last.verdict == Verdict.CLEARED else WAITING

    @property
    def words(self) -> str:
        """The state in the words of the vocabulary."""
        return STATE_WORDS[self.state]

    @property
    def missing(self) -> bool:
        """Whether a sign-off is needed and none stands."""
        return self.covered is not None and self.decision_id is None


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
        """The steps without a standing sign-off."""
        return [step for step in self.steps if step.missing]

    @property
    def standing(self) -> list[StepState]:
        return [step for step in self.steps if step.decision_id]

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
        return next((state for state in (ASKED, AGAIN) if state in states), WAITING)

    @property
    def words(self) -> str:
        """The state in words, with the number of sign-offs that are missing."""
        if not self.requested:
            return "draft"
        if self.cleared:
            return "cleared"
        if self.state == ASKED:
            return STATE_WORDS[ASKED]
        if not self.missing:
            return "nobody was asked to clear everything"
        count = len(self.missing)
        return f"{count} sign-off{'s' * (count != 1)} missing"


def progress(revision: Revision) -> Progress:
    """The clearance of one revision."""
    return progress_of([revision.pk])[revision.pk]


def progress_of(revision_ids: Iterable[int]) -> dict[int, Progress]:
    """The clearance of each of the revisions, in two queries however many there are."""
    ids = list(revision_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT r.id, r.story_id, s.step_id, s.desk_id, k.name, s.covers, s.covered, s.decision_id
            FROM stories_revision r CROSS JOIN LATERAL signoffs(r.id) s
            JOIN approvals_desk k ON k.id = s.desk_id
            WHERE r.id = ANY(%s)
            """,
            [ids],
        )
        rows = cursor.fetchall()
    last = last_decisions({row[1] for row in rows})
    steps: dict[int, list[StepState]] = defaultdict(list)
    for revision_id, story_id, step_id, desk_id, desk, covers, covered, decision_id in rows:
        newest = last.get((story_id, desk_id, covers))
        steps[revision_id].append(StepState(step_id, desk_id, desk, covers, covered, decision_id, newest))
    return {pk: Progress(steps[pk]) for pk in ids}


def last_decisions(story_ids: Iterable[int], by: User | None = None) -> dict[tuple[int, int, str], Decision]:
    """The newest decision by story, desk and coverage, whatever the words were; of one person, if named."""
    newest = (
        Decision.objects.filter(story__in=list(story_ids))
        .order_by("story_id", "desk_id", "covers", "-id")
        .distinct("story_id", "desk_id", "covers")
        .select_related("by", "revision", "desk")
    )
    # A list needs no words but those that a person decided on.
    newest = newest.defer("revision__content") if by is None else newest.filter(by=by)
    return {(d.story_id, d.desk_id, d.covers): d for d in newest}


def contributed(user: User, revision: Revision) -> bool:
    """Whether `user` wrote any of the words up to `revision`."""
    return Revision.objects.filter(story=revision.story_id, by=user, pk__lte=revision.pk).exists()


def on_desk(user: User, step: PinnedStep | StepState) -> bool:
    """Whether `user` is one of the people of a step's desk."""
    return user.desks.filter(pk=step.desk_id).exists()


def last_decision_of(user: Any, revision: Revision, step: StepState) -> Decision | None:
    """What `user` decided last for a step of the story, whatever the words were then."""
    mine = Decision.objects.filter(story=revision.story_id, by=user, desk=step.desk_id, covers=step.covers)
    return mine.select_related("revision").order_by("-id").first()


def writers(story_ids: Iterable[int]) -> dict[int, set[int]]:
    """The ids of those who wrote words of each story."""
    found: dict[int, set[int]] = defaultdict(set)
    for story, by in Revision.objects.filter(story__in=list(story_ids)).values_list("story", "by").distinct():
        found[story].add(by)
    return found


def people_of(desk_ids: Iterable[int]) -> dict[int, list[User]]:
    """The people of each desk who can sign in, by name."""
    found: dict[int, list[User]] = defaultdict(list)
    people = User.objects.filter(desks__in=list(desk_ids), is_active=True).annotate(of_desk=F("desks"))
    for person in people.order_by("first_name", "last_name", "pk"):
        found[person.of_desk].append(person)
    return found


def who_can(steps: Iterable[StepState], revision: Revision) -> dict[int, list[User]]:
    """Those who can decide for the desk of each step: its people, without those who wrote words."""
    wrote = writers([revision.story_id])[revision.story_id]
    people = people_of({step.desk_id for step in steps})
    return {desk: [person for person in found if person.pk not in wrote] for desk, found in people.items()}


def names(people: Iterable[User], word: str) -> str:
    """Names in a sentence: "Hugh Penrose or Clara Minton"."""
    found = [str(person) for person in people]
    return f" {word} ".join(part for part in (", ".join(found[:-1]), *found[-1:]) if part)
