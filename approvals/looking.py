"""What somebody sees of a story's clearance: their part, what changed since they decided, who can decide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from stories import record
from stories.models import Revision, Story, User

from . import board, clearing, coverage, routing, rules
from .counting import word_count
from .differences import Difference, difference
from .models import Covers, Decision, Route, Seen, Submission, Verdict
from .parts import links
from .passages import Passage, listed

#: How many of a person's decisions on a story are offered to be taken back.
MOST_DECISIONS = 20
#: What somebody did, by their verdict: "Changed since you …".
DID = {
    Verdict.CLEARED: "cleared it",
    Verdict.CHANGES: "asked for changes",
    Verdict.REFUSED: "refused it",
}
WHAT = {
    Verdict.CLEARED: "your sign-off",
    Verdict.CHANGES: "your request for changes",
    Verdict.REFUSED: "your refusal",
}
#: How a difference can be shown.
SHOWN = ("difference", "new", "old", "around")


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
class Base:
    """A revision that the person had before them: what a difference is counted from."""

    #: "decision" or "look".
    key: str
    revision: Revision
    decision: Decision | None = None

    @property
    def title(self) -> str:
        """What the difference is called."""
        if self.decision is None:
            return "Changed since you last looked"
        if self.taken_back:
            return f"Changed since {WHAT[Verdict(self.decision.verdict)]}, which you took back"
        return f"Changed since you {DID[Verdict(self.decision.verdict)]}"

    @property
    def nothing(self) -> str:
        """What is said where nothing changed that the person covers."""
        return f"Nothing that you cover has {self.title[0].lower()}{self.title[1:]}"

    @property
    def words(self) -> str:
        """What it is called among others."""
        what = WHAT[Verdict(self.decision.verdict)] if self.decision else "you last looked"
        return f"{what} (revision {self.revision.number})"

    @property
    def taken_back(self) -> bool:
        return bool(getattr(self.decision, "was_taken_back", False))

    @property
    def reason(self) -> str:
        """What the person wrote when they asked for changes or refused."""
        return self.decision.reason if self.decision and self.decision.verdict != Verdict.CLEARED else ""


@dataclass(frozen=True)
class Look:
    """A story's clearance, as one person sees it through one of its steps (None: through none)."""

    user: User
    story: Story
    revision: Revision
    progress: rules.Progress
    step: rules.StepState | None
    #: The steps of the desks for which the person decides.
    mine: Sequence[rules.StepState]
    #: What the address asks for: `since`, the base of the difference, and `show`, how it is shown.
    query: Mapping[str, str] = field(default_factory=dict)

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
        """Whether the person can say anything: who wrote words in it can object, and not clear."""
        return self.step is not None and self.step.covered is not None and self.own

    @property
    def may_clear(self) -> bool:
        """Whether there is something left to clear for the person."""
        step, signed = self.step, self.given is not None and self.given.verdict == Verdict.CLEARED
        free = self.may_decide and self.is_free and not self.wrote and not signed
        return bool(free and step and step.missing)

    @property
    def is_free(self) -> bool:
        """Whether neither an earlier stage nor a colleague's refusal stands in the way."""
        return self.step is not None and self.step.is_open and not self.refusals

    @property
    def dock(self) -> str:
        """What the bar at the foot is about: "given", "wrote", "refused", "cleared", "closed" or "open"."""
        if self.given:
            return "given"
        if self.wrote:
            return "wrote"
        if self.refusals:
            return "refused"
        if self.step and self.step.stands:
            return "cleared"
        return "open" if self.step and self.step.is_open else "closed"

    @cached_property
    def _on_these_words(self) -> list[Decision]:
        """What each person of the desk said last about these very words, if they did not take it back."""
        if self.step is None or self.step.covered is None:
            return []
        found = self._decisions(self.step).filter(covered=self.step.covered)
        latest = found.annotate(whose=Coalesce("on_behalf_id", "by_id")).order_by("whose", "-id")
        standing = [
            decision for decision in latest.distinct("whose") if decision.verdict != Verdict.TAKEN_BACK
        ]
        return sorted(standing, key=lambda decision: decision.pk)

    def _decisions(self, step: rules.StepState) -> QuerySet[Decision]:
        """All decisions on a step, without the words of their revisions."""
        desk, covers, whom = step.identity
        found = Decision.objects.filter(story=self.story, desk=desk, covers=covers, whom=whom)
        return found.select_related("by", "on_behalf", "revision", "desk").defer("revision__content")

    @cached_property
    def given(self) -> Decision | None:
        """What the person, or somebody for them, decided about these very words."""
        own = [one for one in self._on_these_words if self.user.pk in (one.by_id, one.on_behalf_id)]
        return own[-1] if own else None

    @property
    def given_words(self) -> str:
        """The same in words: "You cleared these words"."""
        assert self.given
        mine = self.given.by_id == self.user.pk
        who = "You" if mine else str(self.given.by)
        whom = self.given.on_behalf if mine else "you"
        did = {
            Verdict.CLEARED: "cleared these words",
            Verdict.CHANGES: "asked for changes to these words",
            Verdict.REFUSED: "refused these words",
        }
        behalf = f", on behalf of {whom}" if self.given.on_behalf_id else ""
        return f"{who} {did[Verdict(self.given.verdict)]}{behalf}"

    @property
    def given_is(self) -> str:
        """What it is called: "my sign-off"."""
        assert self.given
        return WHAT[Verdict(self.given.verdict)]

    @property
    def refusals(self) -> list[Decision]:
        """Refusals of these words by others of the desk."""
        return [
            one
            for one in self._on_these_words
            if one.verdict == Verdict.REFUSED and (one.on_behalf_id or one.by_id) != self.user.pk
        ]

    @property
    def signers(self) -> str:
        """Who signed these words, by name."""
        counted = self.step.decisions if self.step else ()
        return listed([one.who for one in self._on_these_words if one.pk in counted])

    @property
    def opens_after(self) -> str:
        """What an earlier stage waits for: "stage 1 (Legal, waiting)"."""
        before = [step for step in self.progress.missing if self.step and step.stage < self.step.stage]
        if not before:
            return "an earlier stage"
        last = max(step.stage for step in before)
        number = next(
            place for place, stage in enumerate(self.progress.stages, start=1) if stage[0].stage == last
        )
        return f"stage {number} ({'; '.join(f'{step.desk}, {step.words}' for step in before)})"

    def _standing(self) -> QuerySet[Decision]:
        """The decisions on the story that stand: each the last that its author said of those words."""
        later = Decision.objects.filter(
            story=self.story,
            desk=OuterRef("desk"),
            covers=OuterRef("covers"),
            whom=OuterRef("whom"),
            covered=OuterRef("covered"),
            pk__gt=OuterRef("pk"),
        ).annotate(whose=Coalesce("on_behalf_id", "by_id"))
        last = Decision.objects.filter(story=self.story).exclude(verdict=Verdict.TAKEN_BACK)
        last = last.annotate(whose=Coalesce("on_behalf_id", "by_id"))
        standing = last.filter(~Exists(later.filter(whose=OuterRef("whose"))))
        return standing.select_related("by", "on_behalf", "revision", "desk").defer("revision__content")

    @cached_property
    def to_take_back(self) -> list[Decision]:
        """What the person decided on the story, or somebody for them, and can take back; newest first."""
        own = self._standing().filter(Q(by=self.user) | Q(on_behalf=self.user))
        return list(own.order_by("-id")[:MOST_DECISIONS])

    @property
    def earlier(self) -> list[Decision]:
        """Those of them that the bar at the foot does not offer."""
        return [one for one in self.to_take_back if self.given is None or one.pk != self.given.pk]

    @cached_property
    def people(self) -> list[User]:
        """The people of the step's desk for whom the person stands in now."""
        return rules.principals(self.user, self.step.desk_id) if self.step else []

    @cached_property
    def principals(self) -> list[tuple[User, Decision | None]]:
        """The people for whom the person stands in, and what each decided last."""
        if self.step is None or not self.own:
            return []
        if not self.people:
            return []
        last = self._decisions(self.step).annotate(whose=Coalesce("on_behalf_id", "by_id"))
        last = last.filter(whose__in=[person.pk for person in self.people]).order_by("whose", "-id")
        found = {one.on_behalf_id or one.by_id: one for one in last.distinct("whose")}
        return [(person, found.get(person.pk)) for person in self.people]

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
        return []

    @property
    def who_else(self) -> str:
        """Who can clear it where the person cannot."""
        return self._can(self.step) if self.step else ""

    def _can(self, step: rules.StepState) -> str:
        people = self.who_can.get(step.step_id, [])
        if not people:
            return f"Nobody on the desk “{step.desk}” can clear it: whoever manages routes can add somebody."
        return f"{rules.names(people, 'or')} can decide for {step.desk}."

    @cached_property
    def last(self) -> Decision | None:
        """The person's own last decision for the step, also one that was taken back since."""
        if self.step is None:
            return None
        own = self._decisions(self.step).filter(by=self.user).exclude(verdict=Verdict.TAKEN_BACK)
        back = Decision.objects.filter(takes_back=OuterRef("pk"))
        return own.annotate(was_taken_back=Exists(back)).order_by("-id").first()

    @cached_property
    def looked(self) -> Revision | None:
        """The newest revision before this one that was on the person's screen."""
        seen = Seen.objects.filter(person=self.user, story=self.story, revision__lt=self.revision.pk)
        last = seen.select_related("revision").defer("revision__content").order_by("-revision").first()
        return last.revision if last else None

    @cached_property
    def bases(self) -> list[Base]:
        """What a difference can be counted from: what the person decided last, and what they saw since."""
        if self.step is None or self.step.covered is None or not self.own:
            return []
        decided = self.last.revision_id if self.last else 0
        if decided == self.revision.pk:
            return []
        found = [Base("decision", self.last.revision, self.last)] if self.last else []
        # What is signed is everything since the decision: the look comes second.
        if self.looked and self.looked.pk > decided:
            found.append(Base("look", self.looked))
        for base in found:
            base.revision.story = self.story
        return found

    @property
    def base(self) -> Base | None:
        """The one that was chosen; without a choice, the first."""
        chosen = (base for base in self.bases if base.key == self.query.get("since"))
        return next(chosen, None) or next(iter(self.bases), None)

    @cached_property
    def since(self) -> Change | None:
        """What changed since then, if there is anything to count from."""
        if self.base is None or self.step is None:
            return None
        return Change(self.base.revision, self.revision, self.step.covers, self.step.whom)

    @property
    def address(self) -> str:
        """The query of the page through this step."""
        return f"?step={self.step.step_id}" if self.step else "?"

    @property
    def shown(self) -> str:
        """How the difference is shown."""
        wanted = self.query.get("show", "")
        return wanted if wanted in SHOWN else SHOWN[0]

    @property
    def passages(self) -> Sequence[Passage]:
        """What the difference shows: the words as they were, or as they are."""
        assert self.since
        return self.since.difference.old if self.shown == "old" else self.since.difference.new

    @property
    def is_new(self) -> bool:
        """Whether the person has never seen or decided on any of it."""
        return self.may_decide and not self.wrote and self.last is None and not self.bases

    @property
    def words(self) -> int:
        """How many words there are to read in what the person covers."""
        assert self.step
        return word_count(self.revision.content, self.step.covers, self.step.whom)

    @property
    def part(self) -> str:
        """What is decided on, in words: "everything", or "all 3 quotes"."""
        if self.step is None or self.step.covers == Covers.EVERYTHING:
            return "everything"
        covered = coverage.covered_content(self.revision.content, self.step.covers, self.step.whom) or []
        match self.step.covers:
            case Covers.FIGURES:
                count = sum(len(found["sentences"]) for found in covered)
                return "the one sentence with a figure" if count == 1 else f"{count} sentences with figures"
            case Covers.PICTURES:
                return "the picture"
            case Covers.NOTES:
                return "the notes to editors"
            case Covers.ATTACHMENTS:
                return _all(len(covered), "document")
        whose = "" if self.step.covers == Covers.QUOTES else self.step.covers_words.removeprefix("the quotes")
        return f"{_all(len(covered), 'quote')}{whose}"

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

    @cached_property
    def objections(self) -> list[Decision]:
        """What desks asked to be changed in these very words, and what they refused."""
        steps = [step for step in self.progress.steps if step.state in (rules.ASKED, rules.REFUSED)]
        if not steps:
            return []
        these = Q()
        for step in steps:
            desk, covers, whom = step.identity
            these |= Q(desk=desk, covers=covers, whom=whom, covered=step.covered)
        against = self._standing().filter(these, verdict__in=[Verdict.CHANGES, Verdict.REFUSED])
        return list(against.order_by("id"))

    @cached_property
    def at(self) -> str:
        """What has happened up to now, for a page that asks whether there is more."""
        last = Decision.objects.filter(story=self.story).order_by("-id").values_list("pk", flat=True).first()
        return f"{self.revision.pk}-{last or 0}"

    @property
    def remarks(self) -> list[rules.StepState]:
        """The steps whose sign-off came with a remark."""
        return [step for step in self.progress.standing if step.last and step.last.reason]

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


def _all(count: int, noun: str) -> str:
    if count == 1:
        return f"the one {noun}"
    return f"both {noun}s" if count == 2 else f"all {count} {noun}s"


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


def look(user: User, story: Story, wanted: int | None = None, query: Mapping[str, str] | None = None) -> Look:
    """The clearance of a story's newest revision as `user` sees it.

    `wanted` is the id of the step to look through; without it, the first of their own that lacks a sign-off
    and can be given it. `query` is what the address of the page asks for.
    """
    revision = story.revisions.select_related("by").latest("number")
    revision.story = story
    progress = rules.progress(revision)
    desks = rules.desks_of(user)
    mine = [step for step in progress.steps if step.desk_id in desks]
    chosen = [step for step in progress.steps if step.step_id == wanted]
    missing = [step for step in mine if step.missing]
    ready = [step for step in missing if step.is_open and user.pk not in step.barred]
    step = next(iter([*chosen, *ready, *missing, *mine]), None)
    return Look(user, story, revision, progress, step, mine, query or {})
