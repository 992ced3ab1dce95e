"""Mail to the duty officers about what is wrong with a release: each of them once for each release and kind.

What is wrong is written into an outbox (`Alarm`) under a constraint that takes it once, and sent from there,
claimed before it is tried, under a Message-ID that is the same at every try. No mail says a word of a story.
"""

from collections.abc import Iterable

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.crypto import salted_hmac

from stories import outbox
from stories.access import Role
from stories.clocks import office
from stories.models import Story, User
from stories.moments import Moment

from . import alarms
from .alarms import LATE, PREFLIGHT, UNSEEN
from .models import CHECKS, Alarm, Finding, Preflight, Release

#: How many releases are written into the outbox at a time; the next look takes the next ones.
BATCH = 500
#: How many further alarms of the same kind one mail tells of, and how many release pages it leads to.
TOGETHER, LINKED = 500, 10


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
    """The outbox, with all that a mail says."""
    return Alarm.objects.select_related("recipient", "release__story", "preflight")


def _send(alarm: Alarm) -> None:
    if why_not := not_of_use(alarm):
        raise outbox.NotOfUse(why_not)
    others = [] if alarm.kind == PREFLIGHT else _claim_others(alarm)
    mail(alarm, others).send()
    sent = Alarm.objects.filter(pk__in=[other.pk for other in others], sent_at=None)
    sent.update(sent_at=Now(), next_attempt=None, error="")


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
    armed = Release.objects.filter(pk=release_id, visibility__isnull=False)
    rows = armed.exclude(visibility__visible_from__lte=Now()).values_list(
        "visibility__visible_from", "embargo"
    )
    return next((visible_from or embargo for visible_from, embargo in rows), None)


def _claim_others(alarm: Alarm) -> list[Alarm]:
    """Further alarms of the kind for the same person, which go in the same mail: a bad minute on a day with
    thousands of releases is one mail, and not thousands."""
    same = Alarm.objects.filter(recipient=alarm.recipient_id, kind=alarm.kind, sent_at=None)
    due = same.filter(next_attempt__lte=Now(), attempts__lt=len(outbox.BACK_OFF)).exclude(pk=alarm.pk)
    found = list(due.select_related("release__story").order_by("pk")[:TOGETHER])
    claimed = Alarm.objects.filter(pk__in=[other.pk for other in found])
    claimed.update(attempts=F("attempts") + 1, next_attempt=Now() + outbox.LEASE)
    return found


def message_id(alarm: Alarm) -> str:
    """The same at every try, and short enough that no mail server folds the line."""
    key = f"{alarm.pk} {alarm.release_id} {alarm.kind} {alarm.recipient_id}"
    return f"<{salted_hmac('newsroom.alarm', key).hexdigest()[:32]}@{outbox.sender_host()}>"


def mail(alarm: Alarm, others: list[Alarm]) -> EmailMessage:
    """The mail about one release, or about several: what is wrong, where to look, and nothing of a story."""
    words = {LATE: _late, UNSEEN: _unseen, PREFLIGHT: _preflight}[alarm.kind]
    subject, said = words(alarm, len(others) + 1)
    return EmailMessage(
        subject=subject,
        body="\n\n".join([*said, *_ways([alarm, *others]), "No mail says what a story is about."]),
        to=[alarm.recipient.email],
        headers={"Message-ID": message_id(alarm), "Auto-Submitted": "auto-generated"},
    )


def _late(alarm: Alarm, count: int) -> tuple[str, list[str]]:
    what = _releases(count)
    was = "was" if count == 1 else "were"
    said = f"""
        {what.capitalize()} {was} not announced within {alarms.OVERDUE.seconds} s of being public. The
        public could read it all the same, at its moment; the mails are late.

        Look whether the worker, beat and the broker run. The receipt says how late it was announced.
    """
    return f"Alarm: {what} announced late", _paragraphs(said)


def _unseen(alarm: Alarm, count: int) -> tuple[str, list[str]]:
    what = _releases(count)
    said = f"""
        {what.capitalize()} {"is" if count == 1 else "are"} public, and a stranger is not answered what was
        cleared, or nobody could look.

        Open the public page in a browser that is not signed in. The receipt says what differed. What stands
        between the newsroom and its readers (proxy, cache, address) is the first to look at. It is looked
        for again by itself.
    """
    return f"Alarm: {what} not seen from outside as cleared", _paragraphs(said)


def _paragraphs(text: str) -> list[str]:
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]


def _preflight(alarm: Alarm, count: int) -> tuple[str, list[str]]:
    preflight = alarm.preflight
    assert preflight is not None
    moment = Moment(preflight.moment, alarm.release.zone)
    wrong = "\n".join(f"- {CHECKS[check]}" for check in preflight.not_right)
    return f"Pre-flight: something is not right with the release of {office(preflight.moment).public}", [
        f"A release is armed for {moment.in_full}. {_checked(preflight)}, not right:",
        wrong,
        "The release page says what was found and what to do. Nothing was stopped by it.",
    ]


def _checked(preflight: Preflight) -> str:
    unknown = sum(result["state"] == Finding.UNKNOWN for result in preflight.results)
    also = f" ({unknown} could not be asked)" if unknown else ""
    return f"Checked {office(preflight.at).clock}{also}"


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
