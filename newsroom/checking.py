"""The checks before a release. Each looks at one thing and says what it found, why it matters, what to do.

A check takes a `Subject` and gives a `Result`; it changes nothing. What is asked of the machines (broker,
mail server, clocks) is the same for every release, and is asked once for a whole run.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import get_connection
from django.db import InterfaceError, OperationalError
from django.db.models import Q
from django.urls import Resolver404, resolve, reverse

from approvals import rules
from stories import files, renditions
from stories.clocks import database_now, lasting, office
from stories.content import filled
from stories.models import Asset
from stories.moments import Moment, words_of, zone_of

from . import bundling, health, links, mailbox, outside, releasing
from .models import Finding, Hold, Release, Visibility

log = logging.getLogger(__name__)

#: How far clocks may be apart.
AGREE = timedelta(seconds=1)
#: How near to the moment a change of the clocks is worth a look, on both sides.
WEEK = timedelta(days=7)
#: Releases that are so near to each other clash.
NEAR = timedelta(minutes=10)
MAIL_TIMEOUT = 5
#: How many links are named in words, and how many other releases are counted.
NAMED, COUNTED = 5, 100

OK, WRONG, UNKNOWN = Finding.OK, Finding.WRONG, Finding.UNKNOWN


class Result(NamedTuple):
    """What a check found: its state, what there is, and what to do next where it is not in order."""

    state: str
    what: str
    next: str = ""


class Machines:
    """What does not depend on the release: asked when it is first needed, and once."""

    @cached_property
    def workers(self) -> Result:
        """Whether beat, broker and worker did something together of late, and those that watch too."""
        ages = {"the announcing worker": health.heartbeat_age(), "the watching worker": health.watch_age()}
        limit = health.LAST_BEAT.total_seconds()
        silent = [
            f"{name} {'has never been' if age is None else 'was last'} heard of"
            + ("" if age is None else f" {lasting(timedelta(seconds=age))} ago")
            for name, age in ages.items()
            if age is None or age > limit
        ]
        if silent:
            return Result(
                WRONG,
                _sentence(
                    f"{'; '.join(silent)}. The story is public at its moment all the same; the mails wait."
                ),
                "Start the workers and beat again, and look into what they said last.",
            )
        return Result(OK, f"Beat reached a worker {ages['the announcing worker']} s ago.")

    @cached_property
    def broker(self) -> Result:
        """Whether the broker answers."""
        if health.broker_answers():
            return Result(OK, "The broker answers.")
        return Result(
            WRONG,
            "The broker does not answer: the story is public at its moment all the same, but announced late.",
            "Start it again; CELERY_BROKER_URL says where it is looked for.",
        )

    @cached_property
    def mail(self) -> Result:
        """Whether the mail server takes a connection, or the folder a file."""
        try:
            _open_mail()
        except Exception as error:  # each backend has errors of its own, and all of them mean no
            log.warning("the mail server does not answer: %s", error)
            return Result(
                WRONG,
                f"Mail cannot be sent ({type(error).__name__}): subscribers would not be told.",
                "Look at the mail server, or at the folder that mail is kept in.",
            )
        return Result(OK, "Mail can be sent.")

    @cached_property
    def clocks(self) -> Result:
        """Whether the clocks of this machine, of the web server and of the database agree."""
        off = {"this machine’s clock": skew()}
        try:
            web = web_skew()
        except outside.Unanswered as error:
            return Result(
                UNKNOWN, f"The web server could not be asked for the time: {error}.", "Look whether it runs."
            )
        if web is not None:
            off["the web server’s clock"] = web
        apart = [f"{name} is {_apart(gap)}" for name, gap in off.items() if abs(gap) > AGREE]
        if apart:
            return Result(
                WRONG,
                _sentence(f"{' and '.join(apart)}. The database’s clock decides when the story is public."),
                "Set the clocks by the network (NTP) on that machine, and on the database’s.",
            )
        return Result(OK, "The clocks agree within a second.")


@dataclass(frozen=True)
class Subject:
    """An armed release, for the moment that it is checked for."""

    release: Release
    moment: datetime
    #: What a run knows of links already.
    asking: links.Asking = field(default_factory=links.Asking)
    machines: Machines = field(default_factory=Machines)

    @property
    def content(self) -> dict[str, Any]:
        return filled(self.release.revision.content)

    @property
    def at(self) -> Moment:
        """The moment in the zone in which it was meant."""
        return Moment(self.moment, self.release.visibility.zone)


def signoffs(subject: Subject) -> Result:
    """Whether all sign-offs stand on what goes out."""
    revision = subject.release.revision
    progress = rules.progress(revision)
    if progress.cleared:
        return Result(OK, f"All sign-offs stand on revision {revision.number}.")
    missing = (
        ", ".join(f"{step.desk} ({step.words})" for step in progress.missing) or "nobody cleared everything"
    )
    return Result(
        WRONG,
        f"It would go out on sign-offs that do not stand any more on revision {revision.number}: {missing}.",
        "Have it cleared and arm it again, or hold it.",
    )


def signers(subject: Subject) -> Result:
    """Whether those who signed are still here."""
    rows = subject.release.signoffs.filter(decision__by__is_active=False)
    gone = sorted(
        {
            f"{row.decision.by} for {row.decision.desk}"
            for row in rows.select_related("decision__by", "decision__desk")
        }
    )
    if not gone:
        return Result(OK, "Everybody who signed still has an account.")
    return Result(
        WRONG,
        f"Deactivated since they signed: {', '.join(gone)}. They cannot be asked, nor take it back.",
        "Ask the desk whether the sign-off is still its word; another member can sign, or object.",
    )


def hold(subject: Subject) -> Result:
    """Whether a hold or a freeze is in the way."""
    if everything := releasing.everything_held():
        return Result(
            WRONG,
            f"Everything is held by {everything.by}, “{everything.reason}”: at its moment nothing goes out.",
            "Lift the hold of everything in time, or disarm it.",
        )
    held = Hold.objects.filter(story=subject.release.story_id, lift=None).select_related("by").first()
    stopped = held is None and subject.release.visibility.visible_from is None
    there = bundling.open_bundling(subject.release.story) if stopped else None
    if there:
        company = bundling.company(there.bundle)
        return Result(
            WRONG,
            f"It goes out with the bundle “{there.bundle}”, and others of it are not ready "
            f"({company.missing} of {company.members}): nothing goes out.",
            "Have the others armed in time, or take this one out of its bundle.",
        )
    if stopped:
        return Result(
            WRONG,
            "Its moment falls into a freeze: nothing goes out.",
            "Exempt it on its release page, or move it to a moment outside the freeze.",
        )
    if held is None:
        return Result(OK, "There is no hold.")
    return Result(
        WRONG,
        f"On hold by {held.by}, “{held.reason}”: at its moment nothing goes out.",
        "Lift the hold in time, or disarm it.",
    )


def address(subject: Subject) -> Result:
    """Whether the address is the story’s own."""
    slug = subject.release.revision.slug
    # Each of them is found by the index, however many addresses there are.
    alike = {slug.lower(), slug.upper(), slug.title(), slug.capitalize()} - {slug}
    if Visibility.objects.filter(slug__in=alike).exists():
        return Result(
            WRONG,
            "Another story has the same address but for capital letters: readers and links will mix them up.",
            "Change one of the two addresses in its draft, and have it cleared.",
        )
    return Result(OK, "The address is free, and kept for it.")


def linked(subject: Subject) -> Result:
    """Whether what it links to answers."""
    urls = links.of(subject.content)
    if not urls:
        return Result(OK, "It links to nothing on the web.")
    ours = {url: answer for url in urls if (answer := _story_of_ours(url, subject))}
    answers = ours | links.check([url for url in urls if url not in ours], subject.asking)
    for state, do in (
        (WRONG, "Mend the link in the draft and have it cleared, or see that the page is there in time."),
        (UNKNOWN, "Open them in a browser."),
    ):
        found = [f"{url}: {answer.words}" for url, answer in answers.items() if answer.state == state]
        if found:
            also = f"; and {len(found) - NAMED} more" if len(found) > NAMED else ""
            return Result(state, "; ".join(found[:NAMED]) + also + ".", do)
    if len(urls) > len(answers):
        return Result(
            UNKNOWN, f"{len(answers)} of {len(urls)} links answer; more are not asked.", "Open the others."
        )
    return Result(OK, f"{'The link answers' if len(urls) == 1 else f'All {len(urls)} links answer'}.")


def _story_of_ours(url: str, subject: Subject) -> links.Answer | None:
    """Whether the address of a story of ours will be there at the moment; None where it is no such address.

    Nobody asks for it over HTTP: the address of what is not public yet would stand in every log on the way.
    """
    path = urlsplit(url).path
    try:
        match = resolve(path) if url.startswith(f"{settings.SITE_URL}/") else None
    except Resolver404:
        match = None
    if match is None or match.view_name != "story":
        return None
    # An address that a story has left leads on to it; what was withdrawn is nothing to link to.
    there = Visibility.objects.public(subject.moment).filter(
        _seen_with(subject),
        story__visibilities__slug=match.kwargs["slug"],
        story__visibilities__visible_from__lte=subject.moment,
    )
    if there.exists():
        return links.Answer(OK)
    return links.Answer(WRONG, "no story will be there at that moment")


def _seen_with(subject: Subject) -> Q:
    """The stories that whoever reads a pre-flight may hear of: everybody’s, and those of the same team."""
    return Q(story__team=None) | Q(story__team=subject.release.story.team_id)


def picture(subject: Subject) -> Result:
    """Whether the picture may be shown, says what it shows, and is there."""
    lead = subject.content["picture"]
    if not lead:
        return Result(OK, "There is no picture.")
    lacks = [
        words
        for key, words in (("credit", "no credit: nobody says who has the rights"), ("alt", "no alt text"))
        if not str(lead.get(key, "")).strip()
    ]
    digest = str(lead.get("sha256", ""))
    if fault := _bytes_fault(digest):
        lacks.append(f"its file {fault}")
    if strange := _strange_renditions(digest):
        return Result(
            WRONG,
            f"What was drawn of the picture for small screens is not what was cleared: {strange}.",
            "Put the files back from the backup, or call the release off: readers would be sent these.",
        )
    if lacks:
        return Result(
            WRONG, f"The picture has {'; '.join(lacks)}.", "Mend it in the draft and have it cleared."
        )
    return Result(OK, f"Credit, alt text and file are there. Credit: {lead['credit']}.")


def _strange_renditions(digest: str) -> str:
    """Which renditions of a picture show something else; empty where none does."""
    asset = Asset.objects.filter(sha256=digest, width__isnull=False).first()
    return "; ".join(renditions.faults_of(asset)) if asset else ""


def attachments(subject: Subject) -> Result:
    """Whether the files of the attachments are there, byte by byte."""
    stored = subject.content["attachments"]
    if not stored:
        return Result(OK, "There are none.")
    faults = [
        f"“{each['title'] or f'Document {number}'}” {fault}"
        for number, each in enumerate(stored, start=1)
        if (fault := _bytes_fault(str(each["sha256"])))
    ]
    if faults:
        return Result(WRONG, f"{'; '.join(faults)}.", "Put the file back from the backup, or attach it anew.")
    return Result(
        OK, f"{'The file is' if len(stored) == 1 else f'All {len(stored)} files are'} there, unchanged."
    )


def _bytes_fault(digest: str) -> str:
    """What is wrong with the bytes of a file of ours; empty where nothing is."""
    asset = Asset.objects.filter(sha256=digest).first()
    if asset is None:
        return "is not among the files"
    try:
        with files.path_of(asset).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "cannot be read"
    return "" if found == digest else "was changed"


def daylight(subject: Subject) -> Result:
    """Whether the clocks change about that time, where it is easily an hour off."""
    zone = zone_of(subject.at.zone)
    change = _change(subject.moment, subject.at.zone)
    if change is None:
        return Result(OK, f"The clocks of {zone.key} do not change within a week of it.")
    when = "on the day itself" if change == subject.at.local.date() else f"on {words_of(change)}"
    return Result(
        WRONG,
        f"The clocks of {zone.key} change {when}. It goes out at {subject.at.in_full}.",
        "Make sure that this is the hour that was agreed, with everybody who counts in another zone.",
    )


def _change(moment: datetime, zone: str) -> date | None:
    """The first day within a week of a moment, on either side, on which the clocks of its zone change."""
    place = zone_of(zone)
    days = [moment + timedelta(days=number) for number in range(-WEEK.days, WEEK.days + 1)]
    for before, after in pairwise(days):
        low, high = before, after
        offset = low.astimezone(place).utcoffset()
        if high.astimezone(place).utcoffset() == offset:
            continue
        while high - low > timedelta(minutes=1):
            middle = low + (high - low) / 2
            if middle.astimezone(place).utcoffset() == offset:
                low = middle
            else:
                high = middle
        return high.astimezone(place).date()
    return None


def quiet(subject: Subject) -> Result:
    """Whether anybody is at the press office then."""
    there = office(subject.moment)
    hours: tuple[Any, Any] | None = settings.QUIET_HOURS
    reasons = []
    if settings.QUIET_WEEKENDS and there.local.weekday() >= 5:
        reasons.append("at a weekend")
    if hours and _within(there.local.time(), *hours):
        reasons.append(f"in the quiet hours from {hours[0]:%H:%M} to {hours[1]:%H:%M}")
    if not reasons:
        return Result(OK, "It goes out while the press office works.")
    return Result(
        WRONG,
        f"It goes out {' and '.join(reasons)}: {there.public}.",
        "Make sure that somebody is there to look after it, and can be rung.",
    )


def _within(at: Any, start: Any, end: Any) -> bool:
    """Whether a time lies in a span of the day, which may go past midnight."""
    return bool(start <= at < end if start <= end else at >= start or at < end)


def clashes(subject: Subject) -> Result:
    """Whether other releases go out at almost the same time, as far as those who see this one see them."""
    between = (subject.moment - NEAR, subject.moment + NEAR)
    near = Q(visible_from__range=between) | Q(visible_from=None, embargo__range=between)
    found = Visibility.objects.filter(near, _seen_with(subject)).exclude(release=subject.release.pk)
    count = found[:COUNTED].count()
    if not count:
        return Result(OK, "No other release is armed for the ten minutes before and after.")
    more = " or more" if count == COUNTED else ""
    others = "Another release is" if count == 1 else f"{count}{more} other releases are"
    return Result(
        WRONG,
        f"{others} armed for within ten minutes of it: they take attention from each other.",
        "The desk lists what goes out when. Move one, if they were not meant to go together.",
    )


def workers(subject: Subject) -> Result:
    return subject.machines.workers


def broker(subject: Subject) -> Result:
    return subject.machines.broker


def mail(subject: Subject) -> Result:
    return subject.machines.mail


def clocks(subject: Subject) -> Result:
    return subject.machines.clocks


#: By the keys of `CHECKS`, in their order.
ALL: dict[str, Callable[[Subject], Result]] = {
    "signoffs": signoffs,
    "signers": signers,
    "hold": hold,
    "address": address,
    "links": linked,
    "picture": picture,
    "attachments": attachments,
    "daylight": daylight,
    "quiet": quiet,
    "clashes": clashes,
    "workers": workers,
    "broker": broker,
    "mail": mail,
    "clocks": clocks,
}


def run(subject: Subject) -> list[dict[str, str]]:
    """What all checks found, as it is stored. One that breaks could not be asked, and stops no other.

    Raises:
        OperationalError, InterfaceError: the database is in no state to be asked anything.
    """
    return [{"check": name, **_asked(name, check, subject)._asdict()} for name, check in ALL.items()]


def _asked(name: str, check: Callable[[Subject], Result], subject: Subject) -> Result:
    try:
        return check(subject)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("the check of %s broke for release %s", name, subject.release.pk)
        return Result(
            UNKNOWN, "The check itself broke.", "Tell an administrator: the worker’s log says where."
        )


def skew() -> timedelta:
    """How far this machine's clock is ahead of the database's, as near as the way there and back allows."""
    before = datetime.now(UTC)
    theirs = database_now()
    after = datetime.now(UTC)
    return before + (after - before) / 2 - theirs


def web_skew() -> timedelta | None:
    """How far the web server's clock is ahead of the database's at the least; None where it does not say.

    It says whole seconds: what it said began no later than now, and ended no sooner than the second after.

    Raises:
        Unanswered: it does not answer.
    """
    before = database_now()
    clock = outside.fetch(reverse("healthz")).clock
    after = database_now()
    if clock is None:
        return None
    if clock > after:
        return clock - after
    behind = before - (clock + timedelta(seconds=1))
    return -behind if behind > timedelta() else timedelta()


def _open_mail() -> None:
    """Open the configured connection and let go of it again, or raise what it raises."""
    if mailbox.in_use():
        folder: Path = settings.MAIL_FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder) as file:
            file.write(b"mail")
        return
    backend = get_connection(timeout=MAIL_TIMEOUT)
    try:
        backend.open()
    finally:
        backend.close()


def _apart(gap: timedelta) -> str:
    seconds = abs(gap.total_seconds())
    return f"{seconds:.1f} s {'ahead of' if gap > timedelta() else 'behind'} the database’s"


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
