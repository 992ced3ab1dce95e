"""What somebody sees of a story's clearance: their part, what changed since they decided, who can decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from stories import record
from stories.models import Revision, Story, User

from . import board, clearing, coverage, routing, rules
from .differences import Difference, difference
from .models import Covers, Decision, Route, Submission
from .parts import links


@dataclass(frozen=True)
class Change:
    """What changed in what somebody covers between two revisions, and by whom."""

    old: Revision
    new: Revision
    covers: str

    @cached_property
    def difference(self) -> Difference:
        return difference(self.old.content, self.new.content, self.covers)

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
            return [first, *dict.fromkeys(self._can(step) for step in self.progress.missing)]
        if self.step.covered is None:
            return [f"There is nothing to clear: this revision has no words that {self.step.desk} covers."]
        return ["Four eyes: you wrote words in it, so you cannot clear it.", self._can(self.step)]

    def _can(self, step: rules.StepState) -> str:
        people = self.who_can.get(step.step_id, [])
        if not people:
            return f"Nobody on the desk “{step.desk}” can clear it: whoever manages routes can add somebody."
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
        return Change(self.last.revision, self.revision, self.step.covers)

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
        return links(self.revision.content, self.step.covers) if self.own and self.step else []

    @property
    def asked(self) -> list[rules.StepState]:
        """The steps whose desk asked for changes to these very words."""
        return [step for step in self.progress.steps if step.state == rules.ASKED]

    @cached_property
    def stages(self) -> board.Stages:
        """The route as it was asked, stage by stage, with who cleared what."""
        return board.of_progress(self.progress, rules.standing_decisions(self.progress))

    @property
    def board(self) -> board.Board:
        """The same as a drawing for the side panel."""
        return board.small(self.stages)

    @cached_property
    def route_changed(self) -> bool:
        """Whether the route asks something else today than when clearance was requested by it."""
        return self.submission is not None and clearing.route_changed(self.submission)

    @cached_property
    def submission(self) -> Submission | None:
        """The request that is under way."""
        asked = Submission.objects.filter(story=self.story).select_related("by", "revision", "route")
        return asked.defer("revision__content").order_by("-id").first()

    @cached_property
    def proposals(self) -> list["Proposal"]:
        """What a request would ask of the story, by each of the routes that there are, the default first."""
        routes = list(routing.offered())
        asked = routing.would_ask_each(routes, self.revision.content) if routes else {}
        people = rules.people_of({one.desk_id for found in asked.values() for one in found if one.desk_id})
        wrote = set(Revision.objects.filter(story=self.story).values_list("by", flat=True))
        return [
            Proposal(
                route,
                [
                    Planned(one, [who for who in people.get(one.desk_id or 0, []) if who.pk not in wrote])
                    for one in asked[route.pk]
                ],
            )
            for route in routes
        ]

    @property
    def route(self) -> list["Planned"]:
        """What a request would ask, where nobody chooses a route: by the default one."""
        return next((found.planned for found in self.proposals if found.route.default), [])


@dataclass(frozen=True)
class Planned:
    """A step of a route that was not asked yet: whether it would be, and who could clear it."""

    would: routing.Would
    people: Sequence[User]

    @property
    def desk(self) -> str:
        return self.would.desk_name

    @property
    def covers_words(self) -> str:
        return self.would.covers_words

    @property
    def needed(self) -> bool:
        return self.would.asked

    @property
    def names(self) -> str:
        return rules.names(self.people, "or")


@dataclass(frozen=True)
class Proposal:
    """A route by which clearance can be requested, and what it would ask."""

    route: Route
    planned: list[Planned]

    @cached_property
    def stages(self) -> board.Stages:
        return board.of_would([step.would for step in self.planned])

    @property
    def board(self) -> board.Board:
        return board.small(self.stages)

    @property
    def asked(self) -> list[Planned]:
        return [step for step in self.planned if step.needed]

    @property
    def by_stage(self) -> list[list[Planned]]:
        """The steps by stage, in order."""
        return [list(group) for _, group in groupby(self.planned, key=lambda step: step.would.stage)]

    @property
    def words(self) -> str:
        """Whom it would ask, and for what: "Legal (everything) and Private Office (all quotes)"."""
        return rules.names((f"{step.desk} ({step.covers_words})" for step in self.asked), "and")


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
