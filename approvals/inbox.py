"""What waits for a person to clear: as cheap to list with a hundred thousand stories as with ten."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import Case, Count, F, IntegerField, OuterRef, QuerySet, Subquery, Value, When

from stories.models import Embargo, Revision, User
from stories.moments import Moment

from . import rules
from .differences import Difference, difference
from .models import Decision, Desk, Standing
from .parts import word_count

PAGE_SIZE = 25
SOON = timedelta(hours=2)
#: Characters of a story up to which its words are compared and counted in the list; its page always does.
COUNTED = 60_000
#: Seconds that the comparison of one row may take.
BUDGET = 0.1

WAITING, AGAIN, ASKED, NOT_YOURS = range(4)
#: The groups in the order of the page, with the state and the button of their rows.
GROUPS = {
    WAITING: ("Waiting", rules.WAITING, "Read and decide"),
    AGAIN: ("Changed since your desk cleared: look again", rules.AGAIN, "Look again"),
    ASKED: ("Your desk asked for changes", rules.ASKED, "Open"),
    NOT_YOURS: ("Not yours to clear: four eyes", rules.NONE, "Read"),
}


def waiting_count(user: Any) -> int:
    """How many sign-offs wait for the person: those that they can give, and have not asked changes for."""
    return _outstanding(user).filter(group__lt=ASKED).count()


def _outstanding(user: Any) -> QuerySet[Any]:
    """The missing sign-offs of the desks for which the person decides, each with its group."""
    desks = Desk.objects.filter(rules.acts_for(user)).values("pk")
    missing: QuerySet[Any] = Standing.objects.filter(desk__in=desks, state__in=rules.MISSING).annotate(
        group=Case(
            When(barred__contains=[user.pk], then=Value(NOT_YOURS)),
            When(state__in=[rules.ASKED, rules.REFUSED], then=Value(ASKED)),
            When(state=rules.AGAIN, then=Value(AGAIN)),
            default=Value(WAITING),
            output_field=IntegerField(),
        ),
    )
    return missing


def _rows(user: Any) -> QuerySet[Any]:
    """The same, in the order of the page: by group, then by the time left."""
    planned = Embargo.objects.filter(story=OuterRef("story")).order_by("-id")
    rows: QuerySet[Any] = (
        _outstanding(user)
        .annotate(
            embargo=Subquery(planned.values("instant")[:1]),
            zone=Subquery(planned.values("zone")[:1]),
        )
        .select_related("desk", "story", "step__desk")
        .order_by("group", F("embargo").asc(nulls_last=True), "step_id")
    )
    return rows


@dataclass(frozen=True)
class TimeLeft:
    """How far off the moment is for which a story is meant."""

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
        minutes = int(abs(self.moment.instant - self.now).total_seconds() // 60)
        days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
        units = [(days, "d"), (hours, "h"), (minutes, "min")]
        first = next((place for place, (count, _) in enumerate(units) if count), 2)
        left = " ".join(f"{count} {unit}" for count, unit in units[first : first + 2])
        return f"{left} late" if self.late else left


@dataclass(frozen=True)
class Item:
    """A row of the inbox: a step of one of the person's desks, whose sign-off is missing."""

    row: Any
    revision: Revision
    now: datetime
    #: The desk's last decision on the step, by whoever took it, and the person's own.
    last: Decision | None
    mine: Decision | None
    #: Who else on the desk can clear it; looked up where the person cannot.
    others: Sequence[User]

    @property
    def group(self) -> int:
        return int(self.row.group)

    @property
    def headline(self) -> str:
        return self.revision.headline or "Story without a headline"

    @property
    def icon(self) -> str:
        """The state, as an icon and a class know it."""
        return GROUPS[self.group][1]

    @property
    def chip(self) -> str:
        """The state in the words of the vocabulary, or why the person cannot clear it."""
        if self.group == NOT_YOURS:
            return "four eyes: you wrote words in it"
        return rules.STATE_WORDS[self.icon]

    @property
    def button(self) -> str:
        return GROUPS[self.group][2]

    @property
    def covers_words(self) -> str:
        return str(self.row.step.covers_words)

    @property
    def left(self) -> TimeLeft | None:
        """The time left to the newest embargo, if the story has one."""
        return TimeLeft(Moment(self.row.embargo, self.row.zone), self.now) if self.row.embargo else None

    @property
    def others_words(self) -> str:
        """Who else can clear it: "Hugh Penrose can clear it."."""
        if not self.others:
            return "Nobody else is on the desk: an administrator can add somebody."
        return f"{rules.names(self.others, 'or')} can clear it."

    @cached_property
    def since(self) -> Difference | None:
        """What changed since the person's own last decision, if there is one and the text is not too long."""
        if self.mine is None or not (self._short(self.mine.revision) and self._short(self.revision)):
            return None
        step = self.row.step
        old, new = self.mine.revision.content, self.revision.content
        return difference(old, new, step.covers, whom=step.whom, budget=BUDGET)

    @cached_property
    def words(self) -> int | None:
        """How many words there are to read; None where there are very many."""
        return (
            word_count(self.revision.content, self.row.step.covers, self.row.step.whom)
            if self._short(self.revision)
            else None
        )

    @staticmethod
    def _short(revision: Revision) -> bool:
        return sum(len(str(part)) for part in revision.content.values()) <= COUNTED


@dataclass(frozen=True)
class Group:
    """Rows with one heading, and how many there are of them on all pages."""

    title: str
    count: int
    items: list[Item]


@dataclass(frozen=True)
class Inbox:
    """One page of what waits for a person."""

    groups: list[Group]
    number: int
    pages: int
    count: int

    @property
    def has_other_pages(self) -> bool:
        return self.pages > 1

    @property
    def previous(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        return self.number + 1 if self.number < self.pages else None


def page(user: User, number: int = 1) -> Inbox:
    """A page of the person's inbox, or the last one. As many queries for one row as for a page of them."""
    counts = dict(_outstanding(user).values_list("group").annotate(count=Count("pk")).order_by())
    count = sum(counts.values())
    pages = max(1, -(-count // PAGE_SIZE))
    number = min(max(1, number), pages)
    rows = list(_rows(user)[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]) if count else []
    items = _items(user, rows)
    groups = [
        Group(title, counts.get(group, 0), [item for item in items if item.group == group])
        for group, (title, _, _) in GROUPS.items()
    ]
    return Inbox([group for group in groups if group.items], number, pages, count)


def _items(user: User, rows: list[Any]) -> list[Item]:
    if not rows:
        return []
    stories = {row.story_id for row in rows}
    last = rules.last_decisions(stories)
    mine = rules.last_decisions(stories, by=user)
    revisions = Revision.objects.in_bulk({row.revision_id for row in rows})
    foreign = [row for row in rows if row.group == NOT_YOURS]
    people = rules.people_of(row.desk_id for row in foreign)
    now = database_now()
    return [
        Item(
            row=row,
            revision=revisions[row.revision_id],
            now=now,
            last=last.get((row.story_id, row.desk_id, row.step.covers, row.step.whom)),
            mine=mine.get((row.story_id, row.desk_id, row.step.covers, row.step.whom)),
            others=_without(people.get(row.desk_id, []), set(row.barred)),
        )
        for row in rows
    ]


def _without(people: Iterable[User], wrote: set[int]) -> list[User]:
    return [person for person in people if person.pk not in wrote]


def database_now() -> datetime:
    """The database's clock, by which embargoes lift."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        now: datetime = cursor.fetchone()[0]
    return now
