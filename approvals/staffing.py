"""The verbs by which desks are set up: their people, the partner they clear for, whose words are theirs."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now

from stories.arranging import acting
from stories.models import Organisation, User

from . import rules
from .models import ALL, Deputyship, Desk, PinnedStep, PrivateOffice, Standing, Step

NAME_LENGTH = 100
#: Minutes: no reminder lies further before a deadline, and no escalation further after it.
FARTHEST = 60 * 24 * 60
MOST_REMINDERS = 6


class Refused(Exception):
    """A desk stays as it was. The message says what, why and what to do next."""


class Invalid(Refused):
    """What was typed cannot be. `problems` say what is wrong, by field."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


class InUse(Refused):
    """Something that is kept, or still asked, names the desk."""


class Gone(Refused):
    """Somebody else took it away meanwhile."""


@dataclass(frozen=True)
class Terms:
    """What a desk is called, whom it clears for, and who is told when it is late."""

    name: str
    organisation: Organisation | None = None
    reminders: tuple[int, ...] = ()
    escalates_to: Desk | None = None
    escalates_after: int = 30


def create_desk(*, name: str, by: User) -> Desk:
    """A desk with nobody on it.

    Raises:
        Invalid: it has no name, or that of another desk.
    """
    name, problems = _name(name, None)
    if problems:
        raise Invalid(problems)
    with acting(by):
        return Desk.objects.create(name=name)


def change_desk(*, desk: Desk, terms: Terms, by: User) -> Desk:
    """Say what a desk is called, for whom it clears, and who is reminded and told.

    Raises:
        Invalid, Gone: see there.
    """
    with acting(by):
        locked = _locked(desk)
        name, problems = _name(terms.name, locked)
        problems |= _problems(locked, terms)
        if problems:
            raise Invalid(problems)
        locked.name = name
        locked.organisation = terms.organisation
        locked.reminders = sorted(set(terms.reminders), reverse=True)
        locked.escalates_to = terms.escalates_to
        locked.escalates_after = terms.escalates_after
        locked.save()
        return locked


def remove_desk(*, desk: Desk, by: User) -> None:
    """Take away a desk that was never asked for anything.

    Raises:
        InUse: stories were laid before it, or something else still names it.
        Gone: see there.
    """
    with acting(by):
        locked = _locked(desk)
        if PinnedStep.objects.filter(desk=locked).exists():
            raise InUse(
                f"{locked} was not removed: stories were laid before it, and their record names it. Take it "
                "out of the routes, and it is asked no more."
            )
        if reason := _named_by(locked):
            raise InUse(f"{locked} was not removed: {reason}")
        locked.delete()


def add_person(*, desk: Desk, person: User, by: User) -> None:
    """Let somebody clear for a desk. It frees nobody of four eyes.

    Raises:
        Invalid: they cannot sign in.
        Gone: see there.
    """
    with acting(by):
        locked = _locked(desk)
        if not User.objects.filter(pk=person.pk, is_active=True).exists():
            raise Invalid({"person": f"{person} cannot sign in any more."})
        locked.members.add(person)


def remove_person(*, desk: Desk, person: User, by: User) -> int:
    """Let somebody clear for a desk no more. What they signed stays signed.

    Gives the number of stories that still wait for them, because all of the desk have to sign.

    Raises:
        Gone: see there.
    """
    with acting(by):
        locked = _locked(desk)
        locked.members.remove(person)
        waiting = Standing.objects.filter(
            desk=locked, state__in=rules.MISSING, step__quorum=ALL, step__people__contains=[person.pk]
        )
        return waiting.count()


def add_office(*, desk: Desk, match: str, name: str, by: User) -> PrivateOffice:
    """Let a desk be the private office of a speaker, by name or by role.

    Raises:
        Invalid: it names nobody, or somebody whose private office is another desk.
        Gone: see there.
    """
    name = " ".join(name.split())
    if match not in ("speaker", "role"):
        raise Invalid({"match": "Choose whether it is the speaker’s name or role."})
    if not name or len(name) > 200:
        raise Invalid({"name": "Say whose: the name or role as it stands under a quote."})
    with acting(by):
        locked = _locked(desk)
        there = PrivateOffice.objects.filter(match=match, name__iexact=name).select_related("desk").first()
        if there:
            raise Invalid({"name": f"{there.name} has a private office already: {there.desk}."})
        return PrivateOffice.objects.create(desk=locked, match=match, name=name)


def remove_office(*, office: PrivateOffice, by: User) -> None:
    """Let a desk be the private office of somebody no more. What was asked stays asked."""
    with acting(by):
        PrivateOffice.objects.filter(pk=office.pk).delete()


def counted() -> QuerySet[Desk]:
    """All desks, each with how many people it has, how many steps ask it, how many sign-offs are missing."""

    def number_of(rows: QuerySet[Any], of: str) -> Coalesce:
        counts = rows.order_by().values(of).annotate(number=Count("pk")).values("number")
        return Coalesce(Subquery(counts), 0)

    here = User.objects.filter(desks=OuterRef("pk"), is_active=True)
    missing = Standing.objects.filter(desk=OuterRef("pk"), state__in=rules.MISSING)
    return Desk.objects.select_related("organisation").annotate(
        people_count=number_of(here, "desks"),
        steps_count=number_of(Step.objects.filter(desk=OuterRef("pk")), "desk"),
        waiting_count=number_of(missing, "desk"),
    )


def deputies(desk: Desk) -> QuerySet[Deputyship]:
    """Who stands in on a desk now, and for whom."""
    now = Deputyship.objects.filter(
        Q(desk=None) | Q(desk=desk),
        person__in=desk.members.filter(is_active=True).values("pk"),
        deputy__is_active=True,
        since__lte=Now(),
        until__gt=Now(),
    )
    return now.select_related("person", "deputy").order_by("until", "pk")


def others(desk: Desk, words: str = "") -> QuerySet[User]:
    """Those who are not on a desk, by name: of those whose name or user name has each of the words."""
    found = User.objects.filter(is_active=True).exclude(desks=desk)
    for word in words.split()[:5]:
        found = found.filter(
            Q(first_name__icontains=word) | Q(last_name__icontains=word) | Q(username__icontains=word)
        )
    return found.order_by("first_name", "last_name", "pk")


def _locked(desk: Desk) -> Desk:
    found = Desk.objects.select_for_update().filter(pk=desk.pk).first()
    if found is None:
        raise Gone("That desk is not there any more: somebody removed it.")
    return found


def _name(name: str, but: Desk | None) -> tuple[str, dict[str, str]]:
    name = " ".join(name.split())
    if not name:
        return name, {"name": "Give it a name."}
    if len(name) > NAME_LENGTH:
        return name, {"name": f"A name has {NAME_LENGTH} characters at most; this one has {len(name)}."}
    taken = Desk.objects.filter(name__iexact=name)
    if (taken.exclude(pk=but.pk) if but else taken).exists():
        return name, {"name": f"There is a desk called “{name}” already."}
    return name, {}


def _problems(desk: Desk, terms: Terms) -> dict[str, str]:
    found = {}
    other = Desk.objects.filter(organisation=terms.organisation).exclude(pk=desk.pk).first()
    if terms.organisation and other:
        found["organisation"] = f"{other} clears for {terms.organisation} already: one desk each."
    if terms.escalates_to and terms.escalates_to.pk == desk.pk:
        found["escalates_to"] = "Choose another desk: this one is the one that is late."
    if not _minutes(terms.reminders) or len(terms.reminders) > MOST_REMINDERS:
        found["reminders"] = f"{MOST_REMINDERS} reminders at most, each up to 60 days before the deadline."
    if not 0 <= terms.escalates_after <= FARTHEST:
        found["escalates_after"] = "Up to 60 days after the deadline."
    return found


def _minutes(found: Iterable[int]) -> bool:
    return all(0 < minutes <= FARTHEST for minutes in found)


def _named_by(desk: Desk) -> str:
    """What still names a desk: why it cannot go, and what to do about it."""
    step = desk.steps.select_related("route").first()
    if step:
        return f"the route “{step.route}” asks it. Remove that step first."
    office = desk.private_offices.first()
    if office:
        return f"it is the private office of {office.name}. Remove that first."
    late = Desk.objects.filter(escalates_to=desk).first()
    if late:
        return f"it is told when {late} is late. Choose another desk there first."
    if Deputyship.objects.filter(desk=desk).exists():
        return "somebody stood in for one of its people, and that is kept."
    return ""
