"""What happened to each invented story: its facts in their order, as rows to be copied.

Nothing is derived here that the database derives: digests, pinned steps, the chain and the read models
are computed there, from these rows.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Any
from uuid import UUID

from approvals.models import Condition, Covers, Step, Verdict

from .furnishing import House
from .words import Draft, Speaker, Writer

#: How long after one story the next is begun: 27 a day.
PACE = timedelta(minutes=53)
#: Of how many stories one is still under way; and how many are at least, but never more than half and a few.
UNDER_WAY, AT_LEAST = 12, 250
ZONES = ("Europe/London", "Europe/London", "Europe/London", "UTC", "America/New_York", "Asia/Kolkata")
REASONS = (
    "The second paragraph promises more than the law allows.",
    "The figure in the notes is last year’s.",
    "The quote was agreed in other words.",
    "Say who pays for it.",
)
#: How much more than asked is decided about each story that is cleared, for those that are drafts.
MORE_DECISIONS = 1.12


class Stage(StrEnum):
    """How far a story has come."""

    PUBLIC = "public"
    DRAFT = "draft"
    WAITING = "waiting"
    PARTLY = "partly cleared"
    AGAIN = "to be looked at again"
    ASKED = "changes asked"
    REFUSED = "refused"
    TAKEN_BACK = "sign-off taken back"
    CLEARED = "cleared"
    ARMED = "armed"
    HELD = "held"
    DISARMED = "disarmed"


#: The stages of the stories under way, from the newest on and over again: one of each at first.
CYCLE = (
    *(stage for stage in Stage if stage != Stage.PUBLIC),
    *[Stage.WAITING, Stage.PARTLY, Stage.WAITING, Stage.DRAFT, Stage.AGAIN, Stage.ARMED] * 3,
)
RELEASED = (Stage.ARMED, Stage.HELD, Stage.DISARMED, Stage.PUBLIC)
FULLY_CLEARED = (Stage.CLEARED, *RELEASED)

#: The columns of each table whose rows are made here. `decide` is a step found by what it asks.
COLUMNS = {
    "stories_story": "id, at, uid, by_id, team_id",
    "stories_limit": "id, at, story_id, by_id, team_id",
    "stories_revision": "id, at, story_id, by_id, number, based_on_id, content",
    "stories_revisionasset": "revision_id, asset_id",
    "stories_embargo": "id, at, story_id, by_id, instant, zone",
    "approvals_submission": "id, at, story_id, by_id, revision_id, route_id",
    "approvals_decision": "id, at, story_id, by_id, revision_id, submission_id, desk_id, covers, whom, "
    "condition, value, stage, verdict, reason, takes_back_id, waited",
    "newsroom_release": "id, at, story_id, by_id, revision_id, embargo, zone",
    "newsroom_disarm": "id, at, story_id, by_id, release_id, reason",
    "newsroom_hold": "id, at, story_id, by_id, reason",
    "newsroom_holdlift": "id, at, story_id, by_id, hold_id",
    "newsroom_announcement": "id, at, story_id, by_id, release_id, due, worker",
}
#: Not a fact, and so not in the record.
UNRECORDED = "stories_revisionasset"
LINKS = "story_id, number, source, fact"

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Ask:
    """A step that a story is asked, by all that tells it from the others."""

    desk: int
    covers: str
    whom: str
    condition: str
    value: str
    stage: int
    quorum: int


@dataclass(frozen=True)
class Chosen:
    """What is settled about a story before anything happens."""

    id: int
    stage: Stage
    authors: list[int]
    team: int | None
    route: list[Step]
    draft: Draft
    assets: list[int]
    asks: list[Ask]
    revisions: int
    decisions: int
    officer: int
    zone: str


class Rows:
    """The rows of some stories, by table, and their links in the record."""

    def __init__(self) -> None:
        self.tables: dict[str, list[Row]] = defaultdict(list)
        self.links: list[Row] = []


class Historian:
    """Tells the life of each of `total` stories in turn, up to the instant `now`."""

    def __init__(
        self,
        house: House,
        writer: Writer,
        random: Random,
        now: datetime,
        *,
        total: int,
        revisions: int,
        decisions: int,
    ) -> None:
        self.house, self.writer, self.random, self.now = house, writer, random, now
        self.total, self.revisions, self.decisions = total, revisions, decisions
        self.ids: dict[str, int] = defaultdict(int)
        #: Decisions that were asked for and not yet made.
        self.owed = 0.0
        offices = house.offices
        self.speakers = [*offices] * 2 + [one for one in writer.speakers if one not in offices]

    @property
    def under_way(self) -> int:
        """How many of the newest stories are not public."""
        return min(max(self.total // UNDER_WAY, min(AT_LEAST, self.total // 2 + 2)), self.total)

    def tell(self, first: int, last: int) -> Rows:
        """The rows of the stories `first` to `last`."""
        rows = Rows()
        for number in range(first, last + 1):
            Life(self, rows, self._choose(number)).live()
        return rows

    def begun(self, number: int) -> datetime:
        """When a story was begun."""
        return self.now - PACE * (self.total - number + 1)

    def _choose(self, number: int) -> Chosen:
        random, house = self.random, self.house
        place = self.total - number
        stage = CYCLE[place % len(CYCLE)] if place < self.under_way else Stage.PUBLIC
        team = random.choice([*house.teams]) if random.random() < 0.03 else None
        authors = random.sample(house.teams[team] if team else house.drafters, random.randint(1, 3))
        route = random.choice(house.routes)
        speakers = random.sample(self.speakers, random.choice((0, 1, 1, 2, 2, 3)))
        speakers = list(dict.fromkeys(speakers))
        fixed, assets, partners = self._parts()
        asks = list(self._asks(route, speakers, fixed, partners))
        return Chosen(
            id=number,
            stage=stage,
            authors=authors,
            team=team,
            route=route,
            draft=self.writer.begin(number, speakers, fixed),
            assets=assets,
            asks=asks,
            revisions=max(1, self.revisions + (number % 5 - 2 if self.revisions > 2 else 0)),
            decisions=self._decisions(asks) if stage in FULLY_CLEARED else 0,
            officer=random.choice(house.officers),
            zone=random.choice(ZONES),
        )

    def _parts(self) -> tuple[dict[str, Any], list[int], list[tuple[str, int | None]]]:
        """The parts of a content that stay, the files that they show, and the partners with their desks."""
        random, house = self.random, self.house
        picture = random.choice(house.pictures) if random.random() < 0.25 else None
        document = random.choice(house.documents) if random.random() < 0.05 else None
        partners = random.sample(house.partners, random.choice((0,) * 8 + (1, 2)))
        fixed = {
            "picture": picture[0] if picture else None,
            "attachments": [document[0]] if document else [],
            "partners": [partner for partner, _ in partners],
            "topics": random.sample(house.topics, random.randint(0, 3)),
            "organisation": random.choice(house.organisations),
        }
        assets = [file[1] for file in (picture, document) if file]
        return fixed, assets, [(partner["slug"], desk) for partner, desk in partners]

    def _asks(
        self,
        route: list[Step],
        speakers: list[Speaker],
        fixed: dict[str, Any],
        partners: list[tuple[str, int | None]],
    ) -> Iterator[Ask]:
        """The steps of a route that have something to cover, and those that follow from patterns."""
        for step in route:
            there = {
                Condition.PICTURE: bool(fixed["picture"]),
                Condition.ATTACHMENT: bool(fixed["attachments"]),
                Condition.QUOTE: bool(speakers),
            }
            if step.condition == Condition.PRIVATE_OFFICE:
                for speaker in speakers:
                    if desk := self.house.offices.get(speaker):
                        name = speaker.name
                        yield Ask(
                            desk, Covers.SPEAKER, name, Condition.SPEAKER, name, step.stage, step.quorum
                        )
            elif step.condition == Condition.PARTNER:
                for slug, desk in partners:
                    chosen = desk or step.desk_id or 0
                    yield Ask(chosen, step.covers, "", Condition.PARTNER, slug, step.stage, step.quorum)
            elif there.get(Condition(step.condition), True):
                yield Ask(step.desk_id or 0, step.covers, "", step.condition, "", step.stage, step.quorum)

    def _decisions(self, asks: list[Ask]) -> int:
        """How many decisions a story gets, so that there are as many as asked over all."""
        self.owed += self.decisions * MORE_DECISIONS
        made = max(sum(ask.quorum for ask in asks), round(self.owed))
        self.owed -= made
        return made


class Life:
    """The facts about one story, in their order."""

    def __init__(self, historian: Historian, rows: Rows, chosen: Chosen) -> None:
        self.random, self.now = historian.random, historian.now
        self.writer, self.house, self.ids = historian.writer, historian.house, historian.ids
        self.begun = historian.begun(chosen.id)
        self.rows, self.story = rows, chosen
        self.links = 0
        self.words = chosen.draft
        self.revision = self.revisions = self.submission = self.release = self.hold = 0
        #: When these words were laid before the desks, and when each stage was last signed.
        self.laid = self.begun
        self.signed: dict[int, datetime] = {}
        self.last = 0
        self.embargo = self.begun

    def live(self) -> None:
        """Write it all down."""
        plan = list(self._plan())
        times = self._times(len(plan))
        self.embargo = self._embargo(times)
        for at, (verb, args) in zip(times, plan, strict=True):
            getattr(self, f"_{verb}")(at, *args)

    def _times(self, count: int) -> list[datetime]:
        """An instant for each fact, each later than the one before, none in the future."""
        long = timedelta(hours=self.random.randint(8, 120))
        step = (min(self.begun + long, self.now - timedelta(minutes=2)) - self.begun) / count
        return [self.begun + step * (place + self.random.random() * 0.9) for place in range(count)]

    def _embargo(self, times: list[datetime]) -> datetime:
        """The moment that is meant: of a public story, the last minute before its receipt."""
        if self.story.stage != Stage.PUBLIC:
            late = self.story.stage not in RELEASED and self.random.random() < 0.15
            ahead = timedelta(minutes=self.random.randint(60, 43200)) * (-0.05 if late else 1)
            return (self.now + ahead).replace(second=0, microsecond=0)
        exact = times[-1].replace(second=0, microsecond=0)
        return exact if exact > times[-2] else times[-1]

    def _plan(self) -> Iterator[tuple[str, Row]]:
        story = self.story
        yield "begin", (story.authors[0],)
        if story.team:
            yield "limit", (story.authors[0],)
        before = max(1, story.revisions // 2)
        yield "revise", (story.authors[0],)
        if self.random.random() < 0.8 or story.stage in RELEASED:
            yield "embargo_planned", (story.authors[0],)
        for _ in range(before - 1):
            yield "revise", (self.random.choice(story.authors),)
        if story.stage == Stage.DRAFT:
            for _ in range(story.revisions - before):
                yield "revise", (self.random.choice(story.authors),)
            return
        yield "submit", (self.random.choice(story.authors),)
        yield from self._rounds(story.revisions - before)
        if story.stage in FULLY_CLEARED:
            yield from self._clearance()
        else:
            yield from self._ending()
        if story.stage in RELEASED:
            yield from self._release()

    def _rounds(self, revisions: int) -> Iterator[tuple[str, Row]]:
        """What is decided about words that are changed afterwards, and the changes."""
        first = [ask for ask in self.story.asks if ask.stage == 1]
        spare = max(0, self.story.decisions - sum(ask.quorum for ask in self.story.asks))
        for place in range(revisions):
            count = spare // (revisions - place)
            spare -= count
            for decision in range(count):
                ask = first[decision % len(first)]
                changes = decision == count - 1
                verdict = Verdict.CHANGES if changes else Verdict.CLEARED
                yield "decide", (ask, self._clearer(ask, decision // len(first)), verdict)
            yield "revise", (self.random.choice(self.story.authors),)

    def _clearance(self) -> Iterator[tuple[str, Row]]:
        for ask in self.story.asks:
            for signer in range(ask.quorum):
                yield "decide", (ask, self._clearer(ask, signer), Verdict.CLEARED)

    def _ending(self) -> Iterator[tuple[str, Row]]:
        """How far a story under clearance has come."""
        stage, first = self.story.stage, self.story.asks[0]
        sign = "decide", (first, self._clearer(first, 0), Verdict.CLEARED)
        if stage == Stage.PARTLY:
            for ask in self.story.asks:
                if ask.stage == 1:
                    yield "decide", (ask, self._clearer(ask, 0), Verdict.CLEARED)
        elif stage == Stage.AGAIN:
            yield sign
            yield "revise", (self.random.choice(self.story.authors),)
        elif stage == Stage.TAKEN_BACK:
            yield sign
            yield "decide", (first, self._clearer(first, 0), Verdict.TAKEN_BACK)
        elif stage in (Stage.ASKED, Stage.REFUSED):
            verdict = Verdict.CHANGES if stage == Stage.ASKED else Verdict.REFUSED
            yield "decide", (first, self._clearer(first, 0), verdict)

    def _release(self) -> Iterator[tuple[str, Row]]:
        """Armed, now and then called off or held on the way."""
        officer, stage = (self.story.officer,), self.story.stage
        dice = self.random.random()
        yield "arm", officer
        if stage == Stage.DISARMED or (stage == Stage.PUBLIC and dice < 0.02):
            yield "disarm", officer
        if stage == Stage.PUBLIC and dice < 0.02:
            yield "arm", officer
        if stage == Stage.HELD or (stage == Stage.PUBLIC and dice > 0.98):
            yield "held", officer
        if stage == Stage.PUBLIC and dice > 0.98:
            yield "lift", officer
        if stage == Stage.PUBLIC:
            yield "announce", ()

    def _clearer(self, ask: Ask, place: int) -> int:
        """Somebody of the desk who wrote nothing: the same for the same place."""
        people = [person for person in self.house.members[ask.desk] if person not in self.story.authors]
        return people[(self.story.id + place) % len(people)]

    def _fact(self, table: str, at: datetime, *values: Any) -> int:
        """Write a fact down, with its place in the story's record; its id."""
        self.ids[table] += 1
        fact = self.ids[table]
        self.links += 1
        self.rows.tables[table].append((fact, at, self.story.id, *values))
        self.rows.links.append((self.story.id, self.links, table, fact))
        return fact

    def _begin(self, at: datetime, by: int) -> None:
        uid = UUID(int=self.random.getrandbits(128), version=4)
        self.rows.tables["stories_story"].append((self.story.id, at, uid, by, self.story.team))
        self.links += 1
        self.rows.links.append((self.story.id, self.links, "stories_story", self.story.id))

    def _limit(self, at: datetime, by: int) -> None:
        self._fact("stories_limit", at, by, self.story.team)

    def _revise(self, at: datetime, by: int) -> None:
        if self.revision:
            self.words = self.writer.edit(self.words)
        self.revisions += 1
        before = self.revision or None
        self.revision = self._fact("stories_revision", at, by, self.revisions, before, self.words.json)
        self.rows.tables[UNRECORDED] += [(self.revision, asset) for asset in self.story.assets]
        self.laid = at

    def _embargo_planned(self, at: datetime, by: int) -> None:
        self._fact("stories_embargo", at, by, self.embargo, self.story.zone)

    def _submit(self, at: datetime, by: int) -> None:
        route = self.story.route[0].route_id
        self.submission = self._fact("approvals_submission", at, by, self.revision, route)
        self.laid = at

    def _decide(self, at: datetime, ask: Ask, by: int, verdict: Verdict) -> None:
        reason = "" if verdict == Verdict.CLEARED else self.random.choice(REASONS)
        back = self.last if verdict == Verdict.TAKEN_BACK else None
        laid = max([self.laid, *(before for stage, before in self.signed.items() if stage < ask.stage)])
        waited = None if back else at - laid
        if verdict == Verdict.CLEARED:
            self.signed[ask.stage] = at
        asked = (ask.desk, ask.covers, ask.whom, ask.condition, ask.value, ask.stage)
        self.last = self._fact(
            "approvals_decision",
            at,
            by,
            self.revision,
            self.submission,
            *asked,
            verdict.value,
            reason,
            back,
            waited,
        )

    def _arm(self, at: datetime, by: int) -> None:
        self.release = self._fact("newsroom_release", at, by, self.revision, self.embargo, self.story.zone)

    def _disarm(self, at: datetime, by: int) -> None:
        self._fact("newsroom_disarm", at, by, self.release, "The visit has moved to another day.")

    def _held(self, at: datetime, by: int) -> None:
        self.hold = self._fact("newsroom_hold", at, by, "The engineers’ report is not in.")

    def _lift(self, at: datetime, by: int) -> None:
        self._fact("newsroom_holdlift", at, by, self.hold)

    def _announce(self, at: datetime) -> None:
        late = self.embargo + timedelta(milliseconds=60)
        self._fact("newsroom_announcement", late, None, self.release, self.embargo, "worker@newsroom")
