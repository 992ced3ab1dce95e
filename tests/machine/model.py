"""What should be so, in plain Python over lists of words: who wrote them, who signed what, what is armed.

Deliberately naive, and nothing of the product is asked: what a step covers is worked out anew, every
question goes through all that ever happened, and two wordings are the same when they are equal. `Model` is
the newsroom as it is set up, `Story` one story's history in the order of its record. `may_…` say why
something has to be refused (nothing: it has to be accepted), the other verbs take note that it happened.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

Content = dict[str, Any]
#: A desk, what it covers and whom: what a decision is found by.
Identity = tuple[int, str, str]
EVERYBODY = 0
ALL_OF_IT = "everything"
FURTHEST = timedelta(days=3653)


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

    def holder_of(self, slug: str) -> "Story | None":
        """The story that is armed or public at an address."""
        return next((story for story in self.stories if story.armed and story.address == slug), None)


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
    id: int
    #: The place of the revision.
    revision: int
    embargo: datetime
    at: datetime
    #: The sign-offs on which it was armed.
    signed: frozenset[int]


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
        self.releases: list[Release] = []
        self.disarmed: set[int] = set()
        self.hold: int | None = None
        self.lifts: list[datetime] = []
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

    def arm(self, pk: int, embargo: datetime, at: datetime) -> None:
        here = len(self.revisions) - 1
        signed = {
            decision.id
            for step in self.needed(here)
            for decision in self.counted(step.identity, self.words(step, here))
        }
        self.releases.append(Release(pk, here, embargo, at, frozenset(signed)))

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
            if not any(
                text in texts and writer not in (decision.by, decision.authority)
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

    @property
    def armed(self) -> Release | None:
        """The release that is armed, or public: the newest, unless it was called off."""
        if not self.releases or self.releases[-1].id in self.disarmed:
            return None
        return self.releases[-1]

    @property
    def address(self) -> str:
        assert self.armed
        return str(self.revisions[self.armed.revision].content["slug"])

    @property
    def visible_from(self) -> datetime | None:
        """From when anybody may read it, as things stand."""
        if self.armed is None or self.hold is not None:
            return None
        return max([self.armed.embargo, *(lift for lift in self.lifts if lift > self.armed.at)])

    def is_public(self, at: datetime) -> bool:
        return self.visible_from is not None and self.visible_from <= at

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
        if self.is_public(at) and self.armed and decision.id in self.armed.signed:
            why.add("public")
        return why

    def may_arm(self, number: int, embargo: datetime | None, at: datetime) -> set[str]:
        """Why a release for this moment has to be refused."""
        why = set()
        if embargo is not None and embargo < at:
            why.add("past")
        if embargo is not None and embargo > at + FURTHEST:
            why.add("far")
        if self.is_public(at):
            why.add("public")
        if number != self.newest:
            why.add("stale")
        if not self.is_cleared(number):
            why.add("not_cleared")
        if not self.revisions[number].content["headline"].strip():
            why.add("unfit")
        if self.model.holder_of(self.revisions[number].content["slug"]) not in (None, self):
            why.add("taken")
        return why

    def may_hold(self, at: datetime) -> set[str]:
        why = set()
        if self.hold is not None:
            why.add("held")
        if self.is_public(at):
            why.add("public")
        return why

    def may_disarm(self, at: datetime) -> set[str]:
        return {"not_armed"} if self.armed is None or self.is_public(at) else set()

    def may_announce(self, release: int, at: datetime) -> bool:
        """Whether a worker's claim of a release has to succeed."""
        newest = self.armed is not None and self.armed.id == release
        return newest and self.is_public(at) and release not in self.announced
