"""Mail to the duty officers about what is wrong with a release: each of them once for each release and kind.

What is wrong is written into an outbox (`Alarm`) under a constraint that takes it once, and sent from there,
claimed before it is tried, under a Message-ID that is the same at every try. No mail says a word of a story.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.crypto import salted_hmac

from stories import outbox
from stories.access import Role
from stories.models import Story, User
from stories.moments import Moment

from . import alarms
from .alarms import LATE, PREFLIGHT, UNSEEN
from .models import CHECKS, Alarm, Finding, Preflight, Release, Visibility

#: How many releases are written into the outbox at a time; the next look takes the next ones.
BATCH = 500
#: How many further alarms of the same kind one mail tells of, and how many release pages it leads to.
TOGETHER, LINKED = 500, 10
#: Nobody gets two mails of a kind within so long: what comes up meanwhile goes with the next.
APART = timedelta(minutes=1)


def officers() -> list[User]:
    """The duty officers who can be written to."""
    group = Role.DUTY_OFFICER.value
    return list(User.objects.filter(is_active=True, groups__name=group).exclude(email="").order_by("pk"))


def write() -> int:
    """Write what is wrong with releases that are out into the outbox. The number of those that are new."""
    found = ((LATE, alarms.overdue()), (LATE, alarms.announced_late()), (UNSEEN, alarms.unseen()))
    return sum(_write(kind, releases) for kind, releases in found)


def _write(kind: str, found: QuerySet[Release]) -> int:
    told = Exists(Alarm.objects.filter(release=OuterRef("pk"), kind=kind))
    releases = list(found.filter(~told).order_by("pk").values_list("pk", flat=True)[:BATCH])
    people = officers() if releases else []
    _insert(Alarm(release_id=pk, kind=kind, recipient=who) for pk in releases for who in people)
    return len(releases)


def write_preflight(preflight: Preflight) -> None:
    """Tell the duty officers for whom the story exists of a pre-flight that found something."""
    exists = [who for who in officers() if _exists_for(who, preflight.story_id)]
    _insert(
        Alarm(release_id=preflight.release_id, kind=PREFLIGHT, preflight=preflight, recipient=who)
        for who in exists
    )


def _exists_for(user: User, story_id: int) -> bool:
    return Story.objects.visible_to(user).filter(pk=story_id).exists()


def _insert(rows: Iterable[Alarm]) -> None:
    Alarm.objects.bulk_create(rows, batch_size=1000, ignore_conflicts=True)


def outstanding() -> bool:
    """Whether a mail is due."""
    return outbox.is_due(outgoing())


def send_next() -> bool:
    """Send the mail that has been due for longest and that nobody is sending. Whether there was one."""
    return outbox.send_next(outgoing(), _send)


def outgoing() -> QuerySet[Alarm]:
    """The outbox, with all that a mail says, but for whoever had such a mail a moment ago."""
    recent = Alarm.objects.filter(
        recipient=OuterRef("recipient"), kind=OuterRef("kind"), sent_at__gt=Now() - APART
    )
    found = Alarm.objects.filter(~Exists(recent))
    return found.select_related("recipient", "release__story", "preflight")


def _send(alarm: Alarm) -> None:
    if why_not := not_of_use(alarm):
        raise outbox.NotOfUse(why_not)
    others = _claim_others(alarm)
    reasons = {other.pk: not_of_use(other) for other in others}
    mail(alarm, [other for other in others if not reasons[other.pk]]).send()
    for reason in set(reasons.values()):
        same = Alarm.objects.filter(pk__in=[pk for pk, given in reasons.items() if given == reason])
        told: dict[str, Any] = {"error": f"Not sent: {reason}"} if reason else {"error": "", "sent_at": Now()}
        same.filter(sent_at=None).update(next_attempt=None, **told)


def not_of_use(alarm: Alarm) -> str:
    """Why a mail is not sent any more. What went wrong with a release that is out stays worth telling."""
    person = alarm.recipient
    if not person.is_active or not person.email:
        return "the person cannot be written to."
    if alarm.preflight is None:
        return ""
    if alarm.preflight.moment != _moment(alarm.release_id):
        return "the release is out, is not armed any more, or its moment has moved."
    if not _exists_for(person, alarm.release.story_id):
        return "the story does not exist for the person."
    return ""


def _moment(release_id: int) -> object:
    """The moment of an armed release; None where it is out, or not armed."""
    armed = Visibility.objects.armed().filter(release=release_id).first()
    return (armed.visible_from or armed.embargo) if armed else None


def _claim_others(alarm: Alarm) -> list[Alarm]:
    """Further alarms of the kind for the same person, which go in the same mail: a bad minute on a day with
    thousands of releases is one mail, and not thousands."""
    same = Alarm.objects.filter(recipient=alarm.recipient_id, kind=alarm.kind, sent_at=None)
    due = same.filter(next_attempt__lte=Now(), attempts__lt=len(outbox.BACK_OFF)).exclude(pk=alarm.pk)
    found = list(due.select_related("recipient", "release__story", "preflight").order_by("pk")[:TOGETHER])
    claimed = Alarm.objects.filter(pk__in=[other.pk for other in found])
    claimed.update(attempts=F("attempts") + 1, next_attempt=Now() + outbox.LEASE)
    return found


def message_id(alarm: Alarm) -> str:
    """The same at every try, and short enough that no mail server folds the line."""
    key = f"{alarm.pk} {alarm.release_id} {alarm.kind} {alarm.recipient_id}"
    return f"<{salted_hmac('newsroom.alarm', key).hexdigest()[:32]}@{outbox.sender_host()}>"


def mail(alarm: Alarm, others: list[Alarm]) -> EmailMessage:
    """The mail about one release, or about several: what is wrong, where to look, and nothing of a story."""
    told = [alarm, *others]
    subject, said = {LATE: _late, UNSEEN: _unseen, PREFLIGHT: _preflight}[alarm.kind](told)
    return EmailMessage(
        subject=subject,
        body="\n\n".join([*said, *_ways(told), "No mail says what a story is about."]),
        to=[alarm.recipient.email],
        headers={"Message-ID": message_id(alarm), "Auto-Submitted": "auto-generated"},
    )


def _late(told: list[Alarm]) -> tuple[str, list[str]]:
    what = _releases(len(told))
    was = "was" if len(told) == 1 else "were"
    said = f"""
        {what.capitalize()} {was} not announced within {alarms.OVERDUE.seconds} s of being public. The
        public could read it all the same, at its moment; the mails are late.

        Look whether the worker, beat and the broker run. The receipt says how late it was announced.
    """
    return f"Alarm: {what} announced late", _paragraphs(said)


def _unseen(told: list[Alarm]) -> tuple[str, list[str]]:
    what = _releases(len(told))
    said = f"""
        {what.capitalize()} {"is" if len(told) == 1 else "are"} public, and a stranger is not answered what
        was cleared, or nobody could look.

        Open the public page in a browser that is not signed in. The receipt says what differed. What stands
        between the newsroom and its readers (proxy, cache, address) is the first to look at. It is looked
        for again by itself.
    """
    return f"Alarm: {what} not seen from outside as cleared", _paragraphs(said)


def _paragraphs(text: str) -> list[str]:
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]


def _preflight(told: list[Alarm]) -> tuple[str, list[str]]:
    rows = [alarm.preflight for alarm in told if alarm.preflight]
    first = min(rows, key=lambda row: row.moment)
    zone = next(alarm.release.zone for alarm in told if alarm.preflight == first)
    found = Counter(check for row in rows for check in row.not_right)
    wrong = "\n".join(f"- {CHECKS[check]}{_of(found[check], rows)}" for check in CHECKS if check in found)
    moment = Moment(first.moment, zone).in_full
    armed = f"A release is armed for {moment}"
    if len(rows) > 1:
        armed = f"{len(rows)} releases are armed, the first of them for {moment}"
    unknown = any(result["state"] == Finding.UNKNOWN for row in rows for result in row.results)
    also = " Something else could not be asked." if unknown else ""
    return f"Pre-flight: something is not right with {_releases(len(rows))}", [
        f"{armed}. The checks found that this is not right:",
        wrong,
        f"The release page says what was found and what to do.{also} Nothing was stopped by it.",
    ]


def _of(count: int, rows: list[Preflight]) -> str:
    """How many of several releases something is not right with."""
    return f": {count} of {len(rows)}" if len(rows) > 1 else ""


def _releases(count: int) -> str:
    return "a release" if count == 1 else f"{count} releases"


def _ways(told: list[Alarm]) -> list[str]:
    """Where to look: the release pages of the stories that exist for the recipient; how many do not."""
    recipient = told[0].recipient
    stories = {alarm.release.story_id for alarm in told}
    visible = Story.objects.visible_to(recipient).filter(pk__in=stories).order_by("pk")
    uids = list(visible.values_list("uid", flat=True))
    site = str(settings.SITE_URL)
    ways = [site + reverse("story_release", args=[uid]) for uid in uids[:LINKED]]
    if len(uids) > LINKED:
        ways.append(f"and {len(uids) - LINKED} more")
    said = ["\n".join(ways)] if ways else []
    if hidden := len(stories) - len(uids):
        theirs = "The story is" if hidden == 1 else f"{hidden} stories are"
        said.append(f"{theirs} limited to a team, so you cannot open the page: ask somebody of the team.")
    return said
