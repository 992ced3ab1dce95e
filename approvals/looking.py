"""What somebody sees of a story's clearance: their part, what changed since they decided, who can decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from stories import record
from stories.models import Revision, Story, User

from . import board, coverage, rules
from .differences import Difference, difference
from .models import Covers, Decision, Step, Submission
from .parts import links


@dataclass(frozen=True)
class Change:
    """What changed in what somebody covers between two revisions, and by whom."""

    old: Revision
    new: Revision
    covers: str
    whom: str = ""

    @cached_property
    def difference(self) -> Difference:
        return difference(self.old.content, self.new.content, self.covers, whom=self.whom)

    @cached_property
    def elsewhere(self) -> Difference:
        """What changed in all of the story: the context of covered words that stayed the same."""
        return difference(self.old.content, self.new.content, Covers.EVERYTHING)

    @cached_property
    def writers(self) -> str:
        """Who wrote the revisions between, by name."""
        between = Revision.objects.filter(story=self.new.story_id, pk__gt=self.old.pk, pk__lte=self.new.pk)
        return rules.names(User.objects.filter(pk__in=between.values("by")).order_by("pk"), "and")


@dataclass(frozen=True)
class Look:
    """A story's clearance, as one person sees it through one of its steps (None: through none)."""

    user: User
    story: Story
    revision: Revision
    progress: rules.Progress
    step: rules.StepState | None
    #: The steps of the person's own desks.
    mine: Sequence[rules.StepState]

    @cached_property
    def wrote(self) -> bool:
        """Whether the person wrote words since the step was last fully cleared."""
        return self.step is not None and self.user.pk in self.step.barred

    @property
    def own(self) -> bool:
        """Whether the step is of one of the person's own desks."""
        return self.step in self.mine

    @property
    def may_decide(self) -> bool:
        return self.step is not None and self.step.covered is not None and self.own and not self.wrote

    @property
    def may_clear(self) -> bool:
        """Whether there is something left to clear for the person."""
        return self.may_decide and self.step is not None and self.step.missing

    @cached_property
    def who_can(self) -> dict[int, list[User]]:
        """Those who can decide, by the id of the step."""
        return rules.who_can(self.progress.steps)

    @property
    def why_not(self) -> list[str]:
        """Why the person cannot decide, and who can: a sentence each."""
        if self.step is None or not self.own:
            first = "You are on none of the desks that are asked, so you can read this and not decide on it."
            return [first, *(self._can(step) for step in self.progress.missing)]
        if self.step.covered is None:
            return [f"There is nothing to clear: this revision has no words that {self.step.desk} covers."]
        return ["Four eyes: you wrote words in it, so you cannot clear it.", self._can(self.step)]

    def _can(self, step: rules.StepState) -> str:
        people = self.who_can.get(step.step_id, [])
        if not people:
            return f"Nobody on the desk “{step.desk}” can clear it: an administrator can add somebody."
        return f"{rules.names(people, 'or')} can decide for {step.desk}."

    @cached_property
    def last(self) -> Decision | None:
        """The person's own last decision for the step."""
        return rules.last_decision_of(self.user, self.revision, self.step) if self.step else None

    @property
    def since(self) -> Change | None:
        """What changed since then; None where the covered words are the same, or there was no decision."""
        if self.last is None or self.step is None or self.last.covered == self.step.covered:
            return None
        return Change(self.last.revision, self.revision, self.step.covers, self.step.whom)

    @property
    def part(self) -> str:
        """What is decided on, in words: "everything", or "quotes 1 to 3"."""
        if self.step is None or self.step.covers != Covers.QUOTES:
            return "everything"
        count = len(coverage.covered_content(self.revision.content, self.step.covers) or [])
        return "the one quote" if count == 1 else f"all {count} quotes"

    @property
    def short_digest(self) -> str:
        """The digest that is signed, short enough to be compared by eye."""
        return record.short(self.step.covered or "") if self.step else ""

    @property
    def links(self) -> list[str]:
        """Where the links in what the person covers lead."""
        return (
            links(self.revision.content, self.step.covers, self.step.whom) if self.own and self.step else []
        )

    @property
    def asked(self) -> list[rules.StepState]:
        """The steps whose desk asked for changes to these very words."""
        return [step for step in self.progress.steps if step.state == rules.ASKED]

    @property
    def board(self) -> board.Board:
        return board.board(self.progress.steps)

    @cached_property
    def submission(self) -> Submission | None:
        """The request that is under way."""
        asked = Submission.objects.filter(story=self.story).select_related("by", "revision", "route")
        return asked.defer("revision__content").order_by("-id").first()

    @cached_property
    def route(self) -> list["Planned"]:
        """What a request would ask, by the default route."""
        steps = [
            step for step in Step.objects.filter(route__default=True).select_related("desk") if step.desk_id
        ]
        people = rules.people_of(step.desk_id or 0 for step in steps)
        wrote = set(Revision.objects.filter(story=self.story).values_list("by", flat=True))
        return [
            Planned(
                step,
                coverage.covered_digest(self.revision.content, step.covers, step.whom) is not None,
                [person for person in people.get(step.desk_id or 0, []) if person.pk not in wrote],
            )
            for step in steps
        ]


@dataclass(frozen=True)
class Planned:
    """A step of a route that was not asked yet: whether it has anything to cover, and who could clear it."""

    step: Step
    needed: bool
    people: Sequence[User]

    @property
    def names(self) -> str:
        return rules.names(self.people, "or")


def look(user: User, story: Story, wanted: int | None = None) -> Look:
    """The clearance of a story's newest revision as `user` sees it.

    `wanted` is the id of the step to look through; without it, the first of their own that lacks a sign-off.
    """
    revision = story.revisions.select_related("by").latest("number")
    revision.story = story
    progress = rules.progress(revision)
    desks = rules.desks_of(user)
    mine = [step for step in progress.steps if step.desk_id in desks]
    found = next((step for step in progress.steps if step.step_id == wanted), None)
    step = found or next((step for step in mine if step.missing), None) or next(iter(mine), None)
    return Look(user, story, revision, progress, step, mine)
