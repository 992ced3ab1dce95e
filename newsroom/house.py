"""How the newsroom presents itself: what is set now, and the verb that sets it.

The newest `House` counts. While nobody has set anything, the environment does (`ORGANISATION` and
`PRESS_CONTACTS`).
"""

import logging
from time import monotonic

from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, transaction

from stories.clocks import office
from stories.models import Asset, User
from stories.refusals import hint_of

from .models import House
from .showing import Invalid, Shown, faults, of_environment, of_fact

log = logging.getLogger(__name__)

#: The widest that a logo is stored: it is shown small, on every page.
LOGO_WIDTH = 480


class Refused(Exception):
    """The settings were not saved. The message says what, why and what to do next."""


class Unchanged(Refused):
    """The settings are these already."""


class Overtaken(Refused):
    """Somebody saved other settings after those that were on the screen. `newest` is what they saved."""

    def __init__(self, newest: House) -> None:
        self.newest = newest
        super().__init__(
            f"Nothing was saved: {newest.by} saved other settings at {office(newest.at).public}, while"
            " this page was open. Look at what they set; to set yours in its place, save again."
        )


def newest() -> House | None:
    """The fact that counts now; None while there is none. One query."""
    return House.objects.select_related("logo", "by").order_by("-pk").first()


def once_logo(sha256: str) -> Asset | None:
    """The picture of that digest, if it is a logo that was set, now or earlier. Anybody has seen it."""
    return Asset.objects.filter(sha256=sha256, pk__in=House.objects.values("logo")).first()


#: When what is kept here was asked for, by a clock that only goes on; and what it is, None for nothing set.
_kept: tuple[float, Shown | None] = (float("-inf"), None)


def current() -> Shown:
    """What is shown now: asked of the database at most once in `HOUSE_KEPT` seconds by each process.

    While the database does not answer, what was shown last goes on being shown.
    """
    asked, shown = _kept
    now = monotonic()
    if now - asked >= settings.HOUSE_KEPT:
        try:
            found = newest()
            shown = of_fact(found) if found else None
        except (OperationalError, InterfaceError):
            log.warning("the house settings could not be asked for; those of before are shown")
        keep(shown, now)
    return shown or of_environment()


def keep(shown: Shown | None, asked: float | None = None) -> None:
    """Show this, None for what the environment says, until it is time to ask again."""
    global _kept
    _kept = (monotonic() if asked is None else asked, shown)


def forget() -> None:
    """Ask the database before anything is shown again by this process."""
    keep(_kept[1], float("-inf"))


def save(*, by: User, follows: int | None, shown: Shown) -> House:
    """Show this from now on. `follows` is the id of the settings that were on the screen, None for none.

    Raises:
        Unchanged: it is what is shown already.
        Overtaken: somebody saved other settings meanwhile.
        Invalid: something in it cannot be.
    """
    before = newest()
    if before and before.pk == follows and of_fact(before).told == shown.told:
        raise Unchanged("Nothing was saved: the settings are these already.")
    if wrong := list(faults(shown)):
        raise Invalid(wrong)
    columns = {**shown.told, "logo": shown.logo and shown.logo.asset}
    try:
        with transaction.atomic():
            house = House.objects.create(by=by, follows_id=follows, **columns)
    except Error as error:
        latest = newest()
        if hint_of(error) == "stale" and latest:
            raise Overtaken(latest) from error
        raise
    finally:
        forget()
    return house
