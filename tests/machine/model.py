"""What should be so, in plain Python over lists of words: who wrote them, who signed what, what is armed.

Deliberately naive, and nothing of the product is asked: what a step covers is worked out anew, every
question goes through all that ever happened, and two wordings are the same when they are equal. `Model` is
the newsroom as it is set up, `Story` one story's history in the order of its record. What the public reads
is found by playing that history from its beginning, event by event (`Course`). `may_…` say why something
has to be refused (nothing: it has to be accepted), the other verbs take note that it happened.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

Content = dict[str, Any]
#: A desk, what it covers and whom: what a decision is found by.
Identity = tuple[int, str, str]
EVERYBODY = 0
ALL_OF_IT = "everything"
FURTHEST = timedelta(days=3653)
BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


def quotes(content: Content) -> list[Any]:
    return [block for block in content["body"] if block["kind"] == "quote"]


def words_covered(content: Content, covers: str, whom: str) -> Any:
    """What a step covers of a content: empty where there is nothing."""
    match covers:
        case "everything":
            return content
        case "quotes":
            return quotes(content)
        case "speaker" | "role":
            return [block for block in quotes(content) if block[covers] == whom]
        case "figures":
            return list(with_figures(content))
        case "pictures":
            return content["picture"]
        case "attachments" | "notes":
            return content[covers]
    raise ValueError(covers)


def with_figures(content: Content) -> Iterator[list[str]]:
    """Each text with a digit, where it stands and whose it is. The machine writes one sentence a text."""
    texts = [["headline", content["headline"]], ["summary", content["summary"]]]
    texts += [
        [block["kind"], block["html"], block.get("speaker", ""), block.get("role", "")]
        for block in content["body"]
    ]
    texts.append(["notes", content["notes"]])
    picture = content["picture"] or {"caption": "", "alt": ""}
    texts += [["caption", picture["caption"]], ["alt", picture["alt"]]]
    return (text for text in texts if any(sign.isdigit() for sign in text[1]))


def is_asked(content: Content, condition: str, value: str) -> bool:
    """Whether a step with this condition is asked of the words."""
    match condition:
        case "always":
            return True
        case "quote" | "figure" | "picture" | "attachment":
            return bool(words_covered(content, f"{condition}s", ""))
        case "speaker" | "role":
            return bool(words_covered(content, condition, value))
        case "type":
            return bool(content["type"] == value)
        case "partner" | "topic":
            return value in [named["slug"] for named in content[f"{condition}s"]]
    raise ValueError(condition)


def same(words: Any) -> str:
    """One text for equal words."""
    return json.dumps(words, sort_keys=True, ensure_ascii=False)


def texts_in(words: Any) -> Iterator[str]:
    """Every text in some words, however deep."""
    if isinstance(words, str):
        yield words
    elif isinstance(words, dict):
        for value in words.values():
            yield from texts_in(value)
    elif isinstance(words, list):
        for value in words:
            yield from texts_in(value)


def has_text(content: Content, text: str) -> bool:
    """Whether a text stands anywhere in a content."""
    return any(text in other for other in texts_in(content))


def files(content: Content) -> set[str]:
    """The files that a content shows."""
    pictures = [content["picture"]] if content["picture"] else []
    return {shown["sha256"] for shown in [*pictures, *content["attachments"]]}


def plain(html: str) -> str:
    """A text as it is read. The machine writes one sentence a text."""
    return html.removeprefix("<p>").removesuffix("</p>")


def said(blocks: Iterable[Any]) -> set[str]:
    """The words of quotes, and whose they are."""
    return {text for block in blocks for text in (plain(block["html"]), block["speaker"], block["role"])}


def prose(content: Content, covers: str, whom: str) -> set[str]:
    """The texts that people wrote, of those that a step covers."""
    covered = words_covered(content, covers, whom)
    picture = (
        {content["picture"][part] for part in ("alt", "caption", "credit")} if content["picture"] else set()
    )
    if covers == ALL_OF_IT:
        found = {plain(block["html"]) for block in content["body"]} | said(quotes(content)) | picture
        found |= {plain(content[part]) for part in ("headline", "summary", "notes", "contacts")}
        found |= {one["title"] for one in content["attachments"]}
    elif covers in ("quotes", "speaker", "role"):
        found = said(covered)
    elif covers == "figures":
        found = {plain(text[1]) for text in covered}
    elif covers == "pictures":
        found = picture
    elif covers == "attachments":
        found = {one["title"] for one in covered}
    else:
        found = {plain(covered)}
    return found - {""}


@dataclass(frozen=True)
class Step:
    """What a desk is asked. `people` is who has to sign, where everybody has to."""

    desk: int | None
    covers: str
    whom: str = ""
    condition: str = "always"
    value: str = ""
    stage: int = 1
    quorum: int = 1
    people: frozenset[int] = frozenset()

    @property
    def identity(self) -> Identity:
        assert self.desk is not None
        return self.desk, self.covers, self.whom

    @property
    def is_pattern(self) -> bool:
        """Whether a step of its own is asked for each speaker or partner that the words name."""
        return self.condition == "private_office" or (self.condition == "partner" and not self.value)

    @property
    def key(self) -> tuple[Any, ...]:
        return self.desk, self.covers, self.whom, self.condition, self.value, self.stage


@dataclass(frozen=True)
class Deputyship:
    person: int
    deputy: int
    desk: int | None
    since: datetime
    until: datetime


@dataclass
class Model:
    """The newsroom as it is set up: who is where, and what is asked."""

    desks: dict[int, set[int]]
    routes: dict[int, list[Step]]
    #: Whose words a desk of their own clears: (speaker or role, name, desk).
    offices: list[tuple[str, str, int]] = field(default_factory=list)
    #: The desk of each partner organisation that has one, by slug.
    partners: dict[str, int] = field(default_factory=dict)
    #: Who uploaded a file.
    uploaded: dict[str, int] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    deputyships: list[Deputyship] = field(default_factory=list)
    stories: list["Story"] = field(default_factory=list)
    #: When everything was held, and when that was lifted.
    stops: "list[HoldAll | LiftAll]" = field(default_factory=list)

    def on_desk(self, person: int, desk: int) -> bool:
        return person in self.desks[desk] and person not in self.gone

    def stands_in(self, deputy: int, person: int, desk: int, at: datetime) -> bool:
        return (
            self.on_desk(person, desk)
            and deputy not in self.gone
            and any(
                (one.deputy, one.person) == (deputy, person)
                and one.desk in (None, desk)
                and one.since <= at < one.until
                for one in self.deputyships
            )
        )

    def pinned(self, step: Step) -> Step:
        """The step with those who are on its desk now, where all of them have to sign."""
        if step.quorum != EVERYBODY or step.desk is None:
            return step
        return replace(step, people=frozenset(self.desks[step.desk] - self.gone))

    def named(self, pattern: Step, content: Content) -> Iterator[Step]:
        """The steps that a pattern asks of these words."""
        if pattern.condition == "private_office":
            for match, name, desk in self.offices:
                if is_asked(content, match, name):
                    own = pattern.covers in ("speaker", "role")
                    covers, whom = (match, name) if own else (pattern.covers, "")
                    yield replace(pattern, desk=desk, covers=covers, whom=whom, condition=match, value=name)
        else:
            for partner in content["partners"]:
                desk = self.partners.get(partner["slug"]) or pattern.desk
                yield replace(pattern, desk=desk, value=partner["slug"])

    def held(self) -> "HoldAll | None":
        """The hold of everything that is in force."""
        last = self.stops[-1] if self.stops else None
        return last if isinstance(last, HoldAll) else None

    def holder_of(self, slug: str, at: datetime) -> "Story | None":
        """Whose address it is: the story that is armed for it, or that the public has ever read there."""
        return next((story for story in self.stories if slug in story.addresses(at)), None)

    def reader_finds(self, slug: str, at: datetime) -> tuple[str, Any]:
        """What is at an address: a story, the way to another address, that it was taken back, or nothing."""
        story = next((one for one in self.stories if slug in one.addresses_read(at)), None)
        if story is None:
            return "nothing", None
        public = story.public(at)
        if public:
            here = story.slug(public.release)
            return ("story", public) if here == slug else ("elsewhere", here)
        gone = story.course(at).withdrawals[-1]
        return "killed" if gone.kill else "withdrawn", gone


@dataclass(frozen=True)
class Revision:
    id: int
    by: int
    content: Content
    restored_from: int | None = None


@dataclass(frozen=True)
class Decision:
    id: int
    identity: Identity
    words: str
    verdict: str
    by: int
    behalf: int | None
    #: The place of the revision that it is about.
    revision: int

    @property
    def authority(self) -> int:
        """Whose word it is."""
        return self.behalf or self.by


@dataclass(frozen=True)
class Release:
    """A revision was armed, to come out or to take the place of what is public."""

    id: int
    #: The place of the revision.
    revision: int
    embargo: datetime
    at: datetime
    #: The sign-offs on which it was armed.
    signed: frozenset[int]
    kind: str = "new"
    note: str = ""


@dataclass(frozen=True)
class Move:
    embargo: datetime
    at: datetime


@dataclass(frozen=True)
class Disarm:
    at: datetime


@dataclass(frozen=True)
class Hold:
    id: int
    at: datetime


@dataclass(frozen=True)
class Lift:
    at: datetime


@dataclass(frozen=True)
class Withdrawal:
    #: What the public read until then, or last.
    release: int
    kill: bool
    reason: str
    at: datetime


@dataclass(frozen=True)
class HoldAll:
    id: int
    at: datetime


@dataclass(frozen=True)
class LiftAll:
    at: datetime


Event = Release | Move | Disarm | Hold | Lift | Withdrawal | HoldAll | LiftAll


@dataclass
class Shown:
    """A release that the public reads, or read once."""

    release: Release
    since: datetime
    #: Since when there was something to read without a break, and the last change that weighs something.
    first: datetime
    updated: datetime
    #: The notes of the corrections and updates so far.
    notes: list[str]
    #: When another took its place.
    until: datetime | None = None
    withdrawn: bool = False


@dataclass
class Course:
    """How far a story has got: its events are taken one after the other, and time passes in between."""

    now: datetime = BEFORE_ALL
    armed: Release | None = None
    #: For when it is armed, moved or not.
    moment: datetime | None = None
    hold: Hold | None = None
    everything_held: bool = False
    shown: list[Shown] = field(default_factory=list)
    withdrawals: list[Withdrawal] = field(default_factory=list)

    @property
    def public(self) -> Shown | None:
        """What anybody may read."""
        return self.shown[-1] if self.shown and not self.shown[-1].withdrawn else None

    @property
    def killed(self) -> bool:
        return any(withdrawal.kill for withdrawal in self.withdrawals)

    def wait(self, until: datetime) -> None:
        """Let time pass: what is armed comes out at its moment, or as soon as nothing stops it."""
        stopped = self.hold is not None or self.everything_held
        if self.armed and self.moment and self.moment <= until and not stopped:
            self._come_out(self.armed, max(self.moment, self.now))
        self.now = until

    def _come_out(self, release: Release, at: datetime) -> None:
        before, self.armed = self.public, None
        shown = Shown(release, at, first=at, updated=at, notes=[])
        if before:
            before.until = at
            shown.first, shown.notes = before.first, [release.note, *before.notes]
            if release.kind == "minor":
                shown.updated = before.updated
        self.shown.append(shown)

    def take(self, event: Event) -> None:
        self.wait(event.at)
        match event:
            case Release():
                # In the place of what was armed, if anything was.
                self.armed, self.moment = event, event.embargo
            case Move():
                self.moment = event.embargo
            case Disarm():
                self.armed = None
            case Hold():
                self.hold = event
            case Lift():
                self.hold = None
            case Withdrawal():
                # What was to take its place, or to bring it back, dies with it.
                self.armed = None
                for shown in self.shown:
                    shown.withdrawn = True
                self.withdrawals.append(event)
            case HoldAll():
                self.everything_held = True
            case LiftAll():
                self.everything_held = False
        self.wait(event.at)


class Story:
    """All that happened to one story."""

    def __init__(self, model: Model, pk: int) -> None:
        self.model, self.id = model, pk
        self.revisions: list[Revision] = []
        #: Who brought the text that it was started from, if it was.
        self.started_from: int | None = None
        #: What is asked, patterns too; None before clearance was requested.
        self.asked: list[Step] | None = None
        self.decisions: list[Decision] = []
        #: All that happened to its release.
        self.events: list[Event] = []
        self.announced: set[int] = set()
        model.stories.append(self)

    # What happened

    def save(self, revision: Revision) -> None:
        self.revisions.append(revision)
        self._name()

    def request(self, route: int) -> None:
        self.asked = [self.model.pinned(step) for step in self.model.routes[route]]
        self._name()

    def _name(self) -> None:
        """Ask whoever the newest words name. Once asked, a desk stays on the list."""
        if self.asked is None:
            return
        for pattern in [step for step in self.asked if step.is_pattern]:
            for step in self.model.named(pattern, self.content):
                if step.key not in [other.key for other in self.asked]:
                    self.asked.append(self.model.pinned(step))

    def decide(self, decision: Decision) -> None:
        self.decisions.append(decision)

    def arm(self, pk: int, embargo: datetime, at: datetime, kind: str = "new", note: str = "") -> None:
        here = len(self.revisions) - 1
        signed = {
            decision.id
            for step in self.needed(here)
            for decision in self.counted(step.identity, self.words(step, here))
        }
        self.events.append(Release(pk, here, embargo, at, frozenset(signed), kind, note))

    # What follows

    @property
    def content(self) -> Content:
        return self.revisions[-1].content

    @property
    def newest(self) -> int:
        return len(self.revisions) - 1

    def words(self, step: Step, number: int) -> str:
        """What a step covers of a revision, as one text; empty where it is not asked or covers nothing."""
        content = self.revisions[number].content
        if not (is_asked(content, step.condition, step.value) or self.objects(step, number)):
            return ""
        covered = words_covered(content, step.covers, step.whom)
        return same(covered) if covered else ""

    def objects(self, step: Step, number: int) -> bool:
        """Whether a desk objects: it stays asked, and in every route."""
        last = {
            one.authority: (place, one.verdict)
            for place, one in enumerate(self.decisions)
            if one.identity == step.identity
        }
        cleared = [place for place, verdict in last.values() if verdict == "cleared"]
        if any(
            verdict == "refused" or (verdict == "changes" and not any(other > place for other in cleared))
            for place, verdict in last.values()
        ):
            return True
        covered = words_covered(self.revisions[number].content, step.covers, step.whom)
        words = same(covered) if covered else ""
        against = {decision.verdict for _, decision in self.latest(step.identity, words).values()}
        return bool(words and against & {"changes", "refused"} and not self.is_met(step, words, ()))

    @property
    def steps(self) -> list[Step]:
        """The steps asked, without the patterns, in the order of their stages."""
        return sorted((step for step in self.asked or [] if not step.is_pattern), key=lambda step: step.stage)

    def needed(self, number: int) -> list[Step]:
        return [step for step in self.steps if self.words(step, number)]

    def latest(self, identity: Identity, words: str) -> dict[int, tuple[int, Decision]]:
        """The last word of each person about these words, with its place in the history."""
        found = {}
        for place, decision in enumerate(self.decisions):
            if (decision.identity, decision.words) == (identity, words):
                found[decision.authority] = place, decision
        return found

    def counted(self, identity: Identity, words: str) -> list[Decision]:
        """The sign-offs that count: none while somebody refuses, and those since changes were asked."""
        last = self.latest(identity, words).values()
        if any(decision.verdict == "refused" for _, decision in last):
            return []
        asked = max((place for place, decision in last if decision.verdict == "changes"), default=-1)
        return [decision for place, decision in last if decision.verdict == "cleared" and place > asked]

    def is_met(self, step: Step, words: str, barred: Iterable[int]) -> bool:
        """Whether enough people signed these words."""
        counted = self.counted(step.identity, words)
        signers = {decision.by for decision in counted}
        authorities = {decision.authority for decision in counted}
        if step.quorum != EVERYBODY:
            return min(len(signers), len(authorities)) >= step.quorum
        people = step.people - set(barred)
        return bool(people) and people <= authorities and len(signers) >= len(people)

    def cleared_before(self, step: Step, number: int) -> int:
        """The last revision before on which the step was fully cleared, with other words; -1 if none."""
        now = self.words(step, number)
        wordings = {decision.words for decision in self.decisions if decision.identity == step.identity}
        found = [
            max(decision.revision for decision in self.counted(step.identity, words))
            for words in wordings - {now}
            if self.is_met(step, words, ())
        ]
        return max((place for place in found if place < number), default=-1)

    def barred(self, step: Step, number: int) -> set[int]:
        """Whose own words, or words that they brought in, are among what the step covers here."""
        since = self.cleared_before(step, number)
        earlier = self.revisions[since].content if since >= 0 else None
        people = {self.started_from} if earlier is None and self.started_from else set()
        for revision in self.revisions[since + 1 : number + 1]:
            people.add(revision.by)
            if revision.restored_from is not None:
                people.add(revision.restored_from)
            shown = files(revision.content) - (files(earlier) if earlier else set())
            people |= {self.model.uploaded[file] for file in shown if file in self.model.uploaded}
        if earlier:
            now = prose(self.revisions[number].content, step.covers, step.whom)
            for text in now - prose(earlier, step.covers, step.whom):
                people |= set(self.writers_of(text, since))
        return people

    def writers_of(self, text: str, upto: int) -> Iterator[int]:
        """Who put a text into the story, up to a revision, each time that it came in."""
        before: Content | None = None
        for revision in self.revisions[: upto + 1]:
            if has_text(revision.content, text) and not (before and has_text(before, text)):
                yield revision.by
            before = revision.content

    def unread(self, number: int) -> list[tuple[str, int]]:
        """The texts of a revision that nobody but their own writer signed, each with who wrote it."""
        signed = [
            (decision, {plain(text) for text in texts_in(json.loads(decision.words))})
            for decision in self.decisions
            if decision.verdict == "cleared"
        ]
        return [
            (text, writer)
            for text in prose(self.revisions[number].content, ALL_OF_IT, "")
            for writer in self.writers_of(text, number)
            # Whoever signed it had not written it by then. That they put it back later is no harm.
            if not any(
                text in texts
                and not {decision.by, decision.authority} & set(self.writers_of(text, decision.revision))
                for decision, texts in signed
            )
        ]

    def stands(self, step: Step, number: int) -> bool:
        words = self.words(step, number)
        return bool(words) and self.is_met(step, words, self.barred(step, number))

    def is_open(self, step: Step, number: int) -> bool:
        before = [other for other in self.needed(number) if other.stage < step.stage]
        return all(self.stands(other, number) for other in before)

    def is_cleared(self, number: int) -> bool:
        needed = self.needed(number)
        return all(self.stands(step, number) for step in needed) and any(
            step.covers == ALL_OF_IT for step in needed
        )

    def course(self, at: datetime) -> Course:
        """How far it has got when all has happened that did, and `at` has come."""
        course = Course()
        for event in sorted([*self.events, *self.model.stops], key=lambda event: event.at):
            course.take(event)
        course.wait(max(at, course.now))
        return course

    def armed(self, at: datetime) -> Release | None:
        """What waits for its moment, or for what stops it to be lifted."""
        return self.course(at).armed

    def public(self, at: datetime) -> Shown | None:
        """What anybody may read at an instant, before now or after it. What was withdrawn is read at none."""
        for shown in self.course(at).shown:
            if shown.since <= at and (shown.until is None or at < shown.until) and not shown.withdrawn:
                return shown
        return None

    def releases(self) -> list[Release]:
        return [event for event in self.events if isinstance(event, Release)]

    def slug(self, release: Release) -> str:
        return str(self.revisions[release.revision].content["slug"])

    def addresses_read(self, at: datetime) -> set[str]:
        """Where the public has ever read it: these are its own for good."""
        return {self.slug(shown.release) for shown in self.course(at).shown}

    def addresses(self, at: datetime) -> set[str]:
        armed = self.armed(at)
        return self.addresses_read(at) | ({self.slug(armed)} if armed else set())

    # What may happen, and why not

    def may_decide(
        self,
        step: Step,
        verdict: str,
        *,
        by: int,
        behalf: int | None,
        number: int,
        words: str,
        at: datetime,
    ) -> set[str]:
        """Why a decision on these words of a revision has to be refused."""
        if step not in self.steps:
            return {"not_asked"}
        why = set()
        if number != self.newest:
            why.add("stale")
        if not words or words != self.words(step, self.newest):
            why.add("digest")
        desk = step.identity[0]
        if behalf is None and not self.model.on_desk(by, desk):
            why.add("not_on_desk")
        if behalf is not None and not self.model.stands_in(by, behalf, desk, at):
            why.add("not_deputy")
        if verdict == "cleared":
            if {by, behalf} & self.barred(step, self.newest):
                why.add("four_eyes")
            if not self.is_open(step, self.newest):
                why.add("not_open")
            others = {**self.latest(step.identity, words)}
            others.pop(behalf or by, None)
            if any(decision.verdict == "refused" for _, decision in others.values()):
                why.add("refused")
        return why

    def objections(self, route: int) -> list[Decision]:
        """What was said against it by desks that this route would not ask, and nobody answered."""
        asked = [self.model.pinned(step) for step in self.model.routes[route]]
        for pattern in [step for step in asked if step.is_pattern]:
            asked += self.model.named(pattern, self.content)
        kept = [
            step
            for step in asked
            if not step.is_pattern and is_asked(self.content, step.condition, step.value)
        ]
        found = []
        for identity in {decision.identity for decision in self.decisions}:
            desk, covers, whom = identity
            steps = [step for step in self.steps if step.identity == identity]
            step = steps[-1] if steps else Step(desk, covers, whom)
            covered = any(
                one.desk == desk and (one.identity == identity or one.covers == ALL_OF_IT) for one in kept
            )
            if self.objects(step, self.newest) and not covered:
                found += [decision for decision in self.decisions if decision.identity == identity]
        return found

    def may_take_back(self, decision: Decision, by: int, at: datetime) -> set[str]:
        """Why a decision has to stay."""
        why = set()
        if by not in (decision.by, decision.authority) or decision.verdict == "taken_back":
            why.add("not_yours")
        _, last = self.latest(decision.identity, decision.words)[decision.authority]
        if last is not decision:
            why.add("not_standing")
        public = self.course(at).public
        if public and decision.id in public.release.signed:
            why.add("public")
        return why

    def may_arm(
        self, number: int, embargo: datetime | None, at: datetime, kind: str = "new", note: str = ""
    ) -> set[str]:
        """Why a release for this moment (None is now) has to be refused."""
        content, course = self.revisions[number].content, self.course(at)
        why = self._may_be_at(embargo or at, at)
        if course.killed:
            why.add("killed")
        if course.public and kind == "new":
            why.add("public")
        if not course.public and kind != "new":
            why.add("not_public")
        if kind != "new" and not note.strip():
            why.add("no_note")
        if course.public and self.revisions[course.public.release.revision].content == content:
            why.add("same")
        if number != self.newest:
            why.add("stale")
        if not self.is_cleared(number):
            why.add("not_cleared")
        if not content["headline"].strip():
            why.add("unfit")
        if self.model.holder_of(content["slug"], at) not in (None, self):
            why.add("taken")
        return why

    def _may_be_at(self, moment: datetime, at: datetime) -> set[str]:
        """Why a release cannot be armed for a moment."""
        if moment < at:
            return {"past"}
        return {"far"} if moment > at + FURTHEST else set()

    def may_move(self, seen: tuple[int, datetime], moment: datetime, at: datetime) -> set[str]:
        """Why what is armed, and for when, cannot be moved by somebody who saw this on the screen."""
        course = self.course(at)
        why = self._may_be_at(moment, at)
        if course.armed is None:
            why.add("not_armed")
        elif (course.armed.id, course.moment) != seen:
            why.add("stale")
        return why

    def may_disarm(self, at: datetime) -> set[str]:
        return set() if self.armed(at) else {"not_armed"}

    def may_hold(self, at: datetime) -> set[str]:
        """What is public is not held; what is to take its place is."""
        course, why = self.course(at), set()
        if course.hold:
            why.add("held")
        if course.public and not course.armed:
            why.add("public")
        return why

    def may_lift(self, at: datetime) -> set[str]:
        return set() if self.course(at).hold else {"not_held"}

    def may_withdraw(self, seen: int | None, kill: bool, at: datetime) -> set[str]:
        """Why what the public reads has to stay, for somebody who saw this release, or did not look."""
        course, why = self.course(at), set()
        if course.killed:
            why.add("killed")
        if not course.public and not (kill and course.withdrawals):
            why.add("not_public")
        if course.public and seen not in (None, course.public.release.id):
            why.add("stale")
        return why

    def may_announce(self, release: int, at: datetime) -> bool:
        """Whether a worker's claim of a release has to succeed: it came out, and was not taken back."""
        came_out = [shown.release.id for shown in self.course(at).shown if not shown.withdrawn]
        return release in came_out and release not in self.announced
