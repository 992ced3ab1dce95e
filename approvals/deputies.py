"""The verbs of standing in: somebody decides for somebody else, for a time, and each decision says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import Error
from django.db.models import Q

from stories.arranging import acting
from stories.clocks import database_now, office
from stories.models import User
from stories.refusals import hint_of

from . import rules
from .models import Deputyship, Desk

#: How long somebody can be stood in for at a time: who is away for longer is no longer on the desk.
LONGEST = timedelta(days=366)


class Refused(Exception):
    """A deputy was not appointed, or not relieved. The message says what, why and what to do next."""


class NobodyToStandInFor(Refused):
    """The person is on no desk, or not on the one named, so that there is nothing to decide for them."""


class NoDeputy(Refused):
    """The deputy is the person themself, or cannot sign in."""


class WrongTime(Refused):
    """The time is over already, ends before it begins, or is longer than `LONGEST`."""


class AlreadyStandsIn(Refused):
    """The deputy stands in for the person already, for all of that time."""


class NotYours(Refused):
    """Only the person, or an administrator who is not the deputy, appoints; the deputy can step back."""


class Over(Refused):
    """The deputyship is over already."""


def appoint(
    *, person: User, deputy: User, desk: Desk | None, since: datetime, until: datetime, by: User
) -> Deputyship:
    """Let `deputy` decide for `person` from `since` until `until`, on `desk` or (None) on all of theirs.

    A beginning that has gone by is now: nobody stood in before it was said.

    Raises:
        NobodyToStandInFor, NoDeputy, WrongTime, AlreadyStandsIn, NotYours: see there.
    """
    own = person.desks.all()
    if not own.exists():
        raise NobodyToStandInFor(
            f"Nobody was appointed: {person} is on no desk, so there is nothing to decide for them. An "
            "administrator puts people on desks."
        )
    if desk and not own.filter(pk=desk.pk).exists():
        raise NobodyToStandInFor(f"Nobody was appointed: {person} is not on the desk {desk}.")
    if deputy.pk == person.pk or not deputy.is_active:
        raise NoDeputy("Nobody was appointed: choose somebody else, who can sign in.")
    now = database_now()
    since = max(since, now)
    if until <= now:
        raise WrongTime(f"Nobody was appointed: {office(until).public} has gone by. Choose a later end.")
    if until <= since:
        raise WrongTime("Nobody was appointed: the end lies before the beginning. Choose a later end.")
    if until - since > LONGEST:
        raise WrongTime(
            "Nobody was appointed: the time is longer than a year. Choose an earlier end; it can be renewed."
        )
    try:
        with acting(by):
            # Two clicks at once are one appointment.
            User.objects.select_for_update(of=("self",), no_key=True).get(pk=person.pk)
            if _covered(person, deputy, desk, since, until):
                raise AlreadyStandsIn(f"Nobody was appointed: {deputy} stands in for {person} then already.")
            return Deputyship.objects.create(
                person=person, deputy=deputy, desk=desk, since=since, until=until, by=by
            )
    except Error as error:
        if hint_of(error) == "not_yours":
            raise NotYours(
                "Nobody was appointed: a deputy is appointed by the person, or by an administrator who is "
                "not the deputy."
            ) from error
        raise


def end(*, deputyship: Deputyship, by: User) -> Deputyship:
    """End a deputyship now, or before it has begun. What was decided under it stays.

    Raises:
        NotYours, Over: see there.
    """
    if not may_end(deputyship, by):
        raise NotYours(
            f"Nothing was ended: only {deputyship.person}, {deputyship.deputy} or an administrator can "
            "do that."
        )
    now = database_now()
    with acting(by):
        ended = Deputyship.objects.filter(pk=deputyship.pk, until__gt=now).update(until=now)
    deputyship.refresh_from_db()
    if not ended:
        raise Over(f"Nothing was ended: it was over at {office(deputyship.until).public}.")
    return deputyship


def may_end(deputyship: Deputyship, by: User) -> bool:
    """Whether somebody can end a deputyship: the two whom it is about, who appointed, and administrators."""
    about = {deputyship.person_id, deputyship.deputy_id, deputyship.by_id}
    return by.pk in about or (by.is_superuser and by.is_active)


def _covered(person: User, deputy: User, desk: Desk | None, since: datetime, until: datetime) -> bool:
    there = Q(desk=None) | Q(desk=desk) if desk else Q(desk=None)
    same = Deputyship.objects.filter(there, person=person, deputy=deputy)
    return same.filter(since__lte=since, until__gte=until).exists()


@dataclass(frozen=True)
class SpeaksFor:
    """For whom somebody can decide on a step: for themself, and for those they stand in for."""

    own: bool
    people: Sequence[User]

    @property
    def has_choice(self) -> bool:
        return len(self.people) + self.own > 1

    @property
    def only(self) -> User | None:
        """The one person for whom they decide, where they cannot decide for themself."""
        return self.people[0] if len(self.people) == 1 and not self.own else None


def speaks_for(user: User, step: rules.StepState, people: Sequence[User]) -> SpeaksFor:
    """For whom `user`, who stands in for `people` on its desk, can decide on a step.

    Who wrote words in it is left out, unless nobody else is left.
    """
    free = [person for person in people if person.pk not in step.barred]
    own = rules.on_desk(user, step)
    return SpeaksFor(own, free if free or own else list(people))
