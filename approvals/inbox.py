"""What waits for a person to clear: one page of it, with all that they need to choose what to do next."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from time import monotonic
from typing import Any, NamedTuple

from django.db import connection
from django.db.models.functions import Now

from stories.clocks import database_now, day, lasting, office, said
from stories.models import Embargo, Revision, User
from stories.moments import Moment

from . import claiming, forecast, rules, waiting
from .counting import word_count
from .differences import Difference, difference
from .models import Claim, Covers, Decision, Deputyship, Desk
from .waiting import (
    ACTIONABLE,
    AHEAD,
    ASKED,
    CAP,
    CHUNK,
    FOREIGN,
    PAGE_SIZE,
    TITLES,
    UNDATED,
    Found,
    Wanted,
    waiting_count,
)

__all__ = ["Wanted", "capped", "page", "waiting_count"]

SOON = timedelta(hours=2)
#: Characters of a story up to which its words are compared and counted in the list; its page always does.
COUNTED = 60_000
#: Seconds that the comparison of one row, and those of a page, may take.
BUDGET, PAGE_BUDGET = 0.1, 0.6


@dataclass(frozen=True)
class TimeLeft:
    """How far off a deadline is."""

    moment: Moment
    now: datetime

    @property
    def late(self) -> bool:
        return self.moment.instant <= self.now

    @property
    def css(self) -> str:
        """The class of the large number."""
        if self.late:
            return "over"
        return "soon" if self.moment.instant - self.now < SOON else ""

    @property
    def words(self) -> str:
        """The time left in its two largest units: "1 h 18 min", or "12 min late"."""
        left = lasting(self.moment.instant - self.now)
        return f"{left} late" if self.late else left

    @property
    def due(self) -> str:
        """The deadline itself: "due 18:00 BST", with the day where it is another one."""
        return f"{'was due' if self.late else 'due'} {said(self.moment, self.now)}"


class Looked(NamedTuple):
    """The words that a person has seen last before these, and what they did then."""

    revision_id: int
    did: str


@dataclass(frozen=True)
class Item:
    """A row of the inbox: a step whose sign-off is missing."""

    group: str
    step: rules.StepState
    progress: rules.Progress
    revision: Revision
    user: User
    now: datetime
    embargo: Moment | None
    claim: Claim | None
    #: What the person has seen of it last, what has changed since, and whether they have seen these words.
    looked: Looked | None
    base: Revision | None
    since: Difference | None
    seen: bool
    #: Who on the desk can clear it; looked up where the person cannot.
    others: Sequence[User]
    #: For whom the person decides: those they stand in for, where they are not on the desk themself.
    principals: Sequence[User]
    pace: forecast.Forecast | None

    @property
    def story(self) -> Any:
        return self.revision.story

    @property
    def headline(self) -> str:
        return self.revision.headline or "Story without a headline"

    @property
    def icon(self) -> str:
        """The state, as an icon and a class know it."""
        return rules.NONE if self.group == FOREIGN else self.css

    @property
    def css(self) -> str:
        return rules.ASKED if self.step.state == rules.REFUSED else self.step.state

    @property
    def chip(self) -> str:
        """The state in the words of the vocabulary, or why the person cannot clear it."""
        if self.group == FOREIGN:
            if self.user.pk in self.step.barred:
                return "four eyes: you wrote words in it"
            return "four eyes: whom you stand in for wrote words in it"
        if self.group == AHEAD:
            return f"{self.step.words}: opens after {self.opens_after}"
        return self.step.words

    @property
    def opens_after(self) -> str:
        """The desks of earlier stages that have not cleared it."""
        before = [step.desk for step in self.progress.missing if step.stage < self.step.stage]
        return " and ".join(dict.fromkeys(before)) or "an earlier stage"

    @property
    def button(self) -> str:
        if self.group in (FOREIGN, ASKED):
            return "Read"
        if self.group == AHEAD:
            return "Read ahead"
        return "Look again" if self.looked else "Read and decide"

    @property
    def left(self) -> TimeLeft | None:
        """The time left to the step's deadline, if it has one."""
        return TimeLeft(office(self.step.due), self.now) if self.step.due else None

    @property
    def out(self) -> str:
        """When the story is meant to be out: "Out 00:01 BST, Tuesday 17 October"."""
        if self.embargo is None:
            return "no embargo set"
        return f"Out {self.embargo.clock}, {day(self.embargo, self.now)}"

    @property
    def around(self) -> str:
        """How the other steps stand: "Policy, Statistics cleared · Private Office to look again"."""
        told = {
            rules.CLEARED: "cleared",
            rules.AGAIN: "to look again",
            rules.ASKED: "asked for changes",
            rules.REFUSED: "refused",
            rules.WAITING: "still to clear",
        }
        of_state: dict[str, list[str]] = defaultdict(list)
        for step in self.progress.needed:
            if step.step_id != self.step.step_id and step.desk not in of_state[step.state]:
                of_state[step.state].append(step.desk)
        found = (f"{', '.join(of_state[state])} {word}" for state, word in told.items() if of_state[state])
        return " · ".join(found)

    @property
    def may_take(self) -> bool:
        return self.group in ACTIONABLE or self.group == AHEAD

    @property
    def mine(self) -> bool:
        """Whether the person has taken it."""
        return self.claim is not None and self.claim.by_id == self.user.pk

    @property
    def claim_words(self) -> str:
        """Who has it: "You took it at 16:25 BST"."""
        if self.claim is None:
            return "nobody has taken it" if self.may_take else ""
        who = "You" if self.mine else str(self.claim.by)
        return f"{who} took it at {said(office(self.claim.at), self.now)}"

    @property
    def behalf_words(self) -> str:
        return f"for {rules.names(self.principals, 'or')}" if self.principals else ""

    @property
    def others_words(self) -> str:
        """Who else can clear it: "Hugh Penrose can clear it."."""
        if not self.others:
            return "Nobody else is on the desk: whoever manages routes can add somebody."
        return f"{rules.names(self.others, 'or')} can clear it."

    @property
    def last(self) -> Decision | None:
        """The desk's last decision on the step, by whoever took it."""
        return self.step.last

    @cached_property
    def words(self) -> int | None:
        """How many words there are to read; None where there are very many."""
        if not _short(self.revision):
            return None
        return word_count(self.revision.content, self.step.covers, self.step.whom)

    @property
    def new_words(self) -> str:
        """How much there is to read: "318 words, 2 quotes"."""
        if self.words is None:
            return "a very long text"
        counted = [_some(self.words, "word")]
        if self.step.covers == Covers.EVERYTHING:
            quotes = sum(block["kind"] == "quote" for block in self.revision.content["body"])
            counted += [_some(quotes, "quote")] * bool(quotes)
            counted += ["a picture"] * bool(self.revision.content["picture"])
        return ", ".join(counted)

    @property
    def late_words(self) -> str:
        """The forecast, where it says that the desk will be late and is not yet."""
        over = self.left is not None and self.left.late
        return self.pace.words if self.pace and self.pace.late and not over else ""


def _some(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _short(revision: Revision) -> bool:
    return sum(len(str(part)) for part in revision.content.values()) <= COUNTED


def capped(count: int) -> str:
    """A count as far as it goes: "99+" where there may be more."""
    return f"{CAP - 1}+" if count >= CAP else str(count)


@dataclass(frozen=True)
class Group:
    """Rows with one heading, how many there are of them, and the way to those that are not on the page."""

    key: str
    count: int
    items: list[Item]
    more: str = ""

    @property
    def title(self) -> str:
        return TITLES[self.key]

    @property
    def count_words(self) -> str:
        """How many there are; empty on a page of the group alone, where they are not counted."""
        return capped(self.count) if self.count else ""


@dataclass(frozen=True)
class Tab:
    """A part of the inbox to look at, and how much can be decided there now."""

    name: str
    count: int
    wanted: Wanted
    current: bool

    @property
    def query(self) -> str:
        return self.wanted.query

    @property
    def count_words(self) -> str:
        return capped(self.count)


@dataclass(frozen=True)
class Inbox:
    """A page of what waits for a person."""

    groups: list[Group]
    tabs: list[Tab]
    wanted: Wanted
    #: Their own desks, and a clause for each person they stand in for.
    who: list[str]
    has_next: bool = False

    @property
    def previous(self) -> str:
        """The query of the page before, within one group."""
        return replace(self.wanted, number=self.wanted.number - 1).query if self.wanted.number > 1 else ""

    @property
    def next(self) -> str:
        return replace(self.wanted, number=self.wanted.number + 1).query if self.has_next else ""

    @property
    def all_groups(self) -> str:
        """The query of the page with all groups."""
        return replace(self.wanted, group="", number=1).query


def page(user: User, wanted: Wanted | None = None) -> Inbox:
    """A page of the person's inbox: the first rows in the order of the groups, or a page of one group.

    As many queries for one row as for a page of them. What is asked for and is not theirs is left out.
    """
    now = database_now()
    counts, claimed = waiting.counts(user)
    deputyships = _deputyships(user)
    wanted = _allowed(wanted or Wanted(), counts)
    desks = Desk.objects.in_bulk(counts.get(0, {}))
    people = {row.person_id: row.person for row in deputyships}
    counted: dict[str, int] = {}
    more: dict[str, str] = {}
    has_next = False
    if wanted.group:
        rows, has_next = _one_group(user, wanted, now)
    else:
        rows, counted, more = _first_of_each(user, wanted, now)
    items = _items(user, rows, now, people)
    groups = [
        Group(key, counted.get(key, 0), [item for item in items if item.group == key], more.get(key, ""))
        for key in TITLES
        if counted.get(key) or key == wanted.group
    ]
    tabs = _tabs(wanted, counts, claimed, desks, people)
    return Inbox(groups, tabs, wanted, _who(user, desks, deputyships, now), has_next)


def _deputyships(user: User) -> list[Deputyship]:
    """Those under which the person stands in for somebody now."""
    now = Deputyship.objects.filter(deputy=user, since__lte=Now(), until__gt=Now(), person__is_active=True)
    return list(now.select_related("person", "desk").order_by("until", "pk"))


def _allowed(wanted: Wanted, counts: Mapping[int, Mapping[int, int]]) -> Wanted:
    """What was asked for, without what the person has no part in."""
    person = wanted.person if wanted.person in counts else 0
    desk = wanted.desk if wanted.desk in counts.get(person, {}) else 0
    group = wanted.group if wanted.group in TITLES else ""
    number = min(max(1, wanted.number), 100_000) if group else 1
    return Wanted(desk, person, wanted.mine, group, number)


def _who(user: User, desks: Mapping[int, Desk], rows: Sequence[Deputyship], now: datetime) -> list[str]:
    own = set(user.desks.values_list("pk", flat=True))
    clauses = [", ".join(desk.name for pk, desk in sorted(desks.items()) if pk in own)]
    for row in rows:
        where = f" on {row.desk}" if row.desk else ""
        clauses.append(f"you stand in for {row.person}{where} until {said(office(row.until), now)}")
    return [clause for clause in clauses if clause]


def _tabs(
    wanted: Wanted,
    counts: Mapping[int, Mapping[int, int]],
    claimed: int,
    desks: Mapping[int, Desk],
    people: Mapping[int, User],
) -> list[Tab]:
    every = counts.get(0, {})
    offered = [
        ("All", sum(every.values()), Wanted()),
        ("Mine", claimed, Wanted(mine=True)),
    ]
    if len(every) > 1:
        by_name = sorted(desks.values(), key=lambda desk: desk.name)
        offered += [(desk.name, every[desk.pk], Wanted(desk=desk.pk)) for desk in by_name]
    for pk, somebody in people.items():
        if pk in counts:
            offered.append((f"For {somebody}", sum(counts[pk].values()), Wanted(person=pk)))
    here = replace(wanted, group="", number=1)
    return [Tab(name, count, tab, tab == here) for name, count, tab in offered]


def _first_of_each(
    user: User, wanted: Wanted, now: datetime
) -> tuple[list[Found], dict[str, int], dict[str, str]]:
    """The rows of the first page, how many there are of each group, and where the others are."""
    of_group: dict[str, list[Found]] = defaultdict(list)
    for row in waiting.find(user, wanted, TITLES, now):
        of_group[row.group].append(row)
    of_group[UNDATED] = _by_embargo(of_group[UNDATED])
    shown: list[Found] = []
    more = {}
    for key in TITLES:
        rows = of_group[key]
        room = PAGE_SIZE - len(shown)
        shown += rows[:room]
        if len(rows) > room:
            # Nothing of it is on this page, or just its beginning.
            more[key] = replace(wanted, group=key).query
    return shown, {key: min(len(rows), CAP) for key, rows in of_group.items()}, more


def _one_group(user: User, wanted: Wanted, now: datetime) -> tuple[list[Found], bool]:
    """A page of one group, and whether there is another."""
    first = (wanted.number - 1) * PAGE_SIZE
    if wanted.group != UNDATED:
        rows = waiting.find(user, wanted, [wanted.group], now, first)
        return rows[:PAGE_SIZE], len(rows) > PAGE_SIZE
    chunk, first = first // CHUNK * CHUNK, first % CHUNK
    rows = waiting.find(user, wanted, [wanted.group], now, chunk)
    page = _by_embargo(rows[:CHUNK])[first : first + PAGE_SIZE]
    return page, len(rows) > first + PAGE_SIZE


def _by_embargo(rows: list[Found]) -> list[Found]:
    """Rows without a deadline by the moment for which their story is meant."""
    planned = _embargoes(row.story_id for row in rows)
    last = datetime.max.replace(tzinfo=UTC)

    def key(row: Found) -> tuple[datetime, int]:
        moment = planned.get(row.story_id)
        return moment.instant if moment else last, row.step_id

    return sorted(rows, key=key)


def _embargoes(story_ids: Iterable[int]) -> dict[int, Moment]:
    """The moment for which each story is meant."""
    newest = Embargo.objects.filter(story__in=set(story_ids)).order_by("story_id", "-id").distinct("story_id")
    return {row.story_id: Moment(row.instant, row.zone) for row in newest}


def _items(user: User, rows: list[Found], now: datetime, people: Mapping[int, User]) -> list[Item]:
    if not rows:
        return []
    stories = {row.story_id for row in rows}
    progress = rules.newest_progress(stories)
    steps = {step.step_id: step for of_story in progress.values() for step in of_story.steps}
    rows = [row for row in rows if row.step_id in steps]
    seen = _seen(user, stories)
    mine = rules.last_decisions(stories, by=user)
    looked = {row.step_id: _looked(row, steps[row.step_id], seen, mine) for row in rows}
    wanted = {row.revision_id for row in rows} | {one.revision_id for one in looked.values() if one}
    revisions = Revision.objects.select_related("story").in_bulk(wanted)
    embargoes = _embargoes(stories)
    claims = claiming.open_claims(row.step_id for row in rows)
    foreign = [steps[row.step_id] for row in rows if row.group == FOREIGN]
    others = rules.who_can(foreign) if foreign else {}
    behalf = _principals(user, [steps[row.step_id].desk_id for row in rows]) if people else {}
    paces = _paces([steps[row.step_id] for row in rows if row.group in ACTIONABLE], embargoes, progress, now)
    until = monotonic() + PAGE_BUDGET
    found = []
    for row in rows:
        step, revision, look = steps[row.step_id], revisions[row.revision_id], looked[row.step_id]
        base = revisions[look.revision_id] if look else None
        found.append(
            Item(
                group=row.group,
                step=step,
                progress=progress[row.story_id],
                revision=revision,
                user=user,
                now=now,
                embargo=embargoes.get(row.story_id),
                claim=claims.get(row.step_id),
                looked=look,
                base=base,
                since=_since(base, revision, step, until) if base else None,
                seen=row.revision_id in seen.get(row.story_id, ()),
                others=others.get(row.step_id, []),
                principals=[
                    person for person in behalf.get(step.desk_id, []) if person.pk not in step.barred
                ],
                pace=paces.get(row.step_id),
            )
        )
    return found


def _seen(user: User, story_ids: Iterable[int]) -> dict[int, list[int]]:
    """The two newest revisions of each story that were on the person's screen, the newest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT t.id, ARRAY(SELECT revision_id FROM approvals_seen
                               WHERE person_id = %s AND story_id = t.id ORDER BY revision_id DESC LIMIT 2)
            FROM unnest(%s::bigint[]) AS t (id)
            """,
            [user.pk, list(story_ids)],
        )
        return dict(cursor.fetchall())


DID = {"cleared": "cleared", "changes": "asked for changes to", "refused": "refused"}


def _looked(
    row: Found, step: rules.StepState, seen: Mapping[int, list[int]], mine: rules.Last
) -> Looked | None:
    """What the next difference is counted from: the last look before these words, or the last decision."""
    found = [Looked(pk, "looked at") for pk in seen.get(row.story_id, ()) if pk < row.revision_id]
    decision = mine.get((row.story_id, *step.identity))
    if decision and decision.verdict in DID:
        found.append(Looked(decision.revision_id, DID[decision.verdict]))
    # Of two at one revision, what was decided says more.
    return max(found, key=lambda one: (one.revision_id, one.did != "looked at"), default=None)


def _since(base: Revision, revision: Revision, step: rules.StepState, until: float) -> Difference | None:
    """What changed, if the text is not too long and the page has time left."""
    left = until - monotonic()
    if base.pk == revision.pk or left <= 0 or not (_short(base) and _short(revision)):
        return None
    budget = min(BUDGET, left)
    return difference(base.content, revision.content, step.covers, whom=step.whom, budget=budget)


def _principals(user: User, desk_ids: Iterable[int]) -> dict[int, list[User]]:
    """For whom the person stands in, by desk, where they are not on it themself."""
    rows = waiting.run(
        "SELECT desk_id, person_id FROM stood WHERE desk_id = ANY(%(desks)s) "
        "AND desk_id NOT IN (SELECT desk_id FROM own)",
        user,
        desks=list(desk_ids),
    )
    people = User.objects.in_bulk({person for _, person in rows})
    found: dict[int, list[User]] = defaultdict(list)
    for desk, somebody in rows:
        found[desk].append(people[somebody])
    return found


def _paces(
    steps: list[rules.StepState],
    embargoes: Mapping[int, Moment],
    progress: Mapping[int, rules.Progress],
    now: datetime,
) -> dict[int, forecast.Forecast]:
    """The forecast of each step that can be decided now."""
    story_of = {step.step_id: story for story, one in progress.items() for step in one.steps}
    paces = forecast.paces(step.desk_id for step in steps)
    waited = forecast.waiting_times(step.step_id for step in steps)
    found = {}
    for step in steps:
        asked = forecast.asked_of(step, waited.get(step.step_id))
        (found[step.step_id],) = forecast.forecasts(
            [asked], paces, now, embargoes.get(story_of[step.step_id])
        )
    return found
