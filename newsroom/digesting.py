"""The digests: once a day, at a set time of the press office's clocks, one mail to each who asked for that.

Written once for a day, however many workers try (`DigestDay`). What is in one is decided when it is sent:
what is public then. With it goes a delivery of each story to its recipient, so that whoever was sent a story
in a digest is told of its correction or recall like everybody else, and not before the digest.
"""

import logging
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext

from stories import outbox
from stories.clocks import database_now, office
from stories.models import Story
from stories.moments import AmbiguousTime, NonexistentTime, part_of_day, resolve, spoken_time

from . import delivering, letters, sending, telling
from .models import (
    Chosen,
    Delivery,
    Digest,
    DigestDay,
    Event,
    Release,
    ReleaseQuerySet,
    Subscriber,
    Tag,
)
from .places import ORDER
from .releasing import EVENTS
from .telling import News

log = logging.getLogger(__name__)

#: What the first digest of all looks back upon.
A_DAY = timedelta(days=1)
#: How many stories stand in one at most.
MOST = 100
AT_ONCE = "they get each story at once now."
NOTHING = "nothing that they want is new and public."


# When


def due(day: date) -> datetime:
    """The instant at which the digests of a day are due.

    A time that the clocks skip on that day is the first after it, one that they show twice is the first.
    """
    try:
        return resolve(day, settings.DIGEST_AT, settings.PRESS_OFFICE_ZONE).instant
    except NonexistentTime as skipped:
        return skipped.after.instant
    except AmbiguousTime as twice:
        return twice.moments[0].instant


def time_in_words() -> str:
    """When in a day the digests go out: "at five o’clock in the afternoon (17:00, London time)"."""
    at: time = settings.DIGEST_AT
    place = settings.PRESS_OFFICE_ZONE.rpartition("/")[2].replace("_", " ")
    named = {time(0): "midnight", time(12): "noon"}.get(at)
    part = part_of_day(at.hour) if at.hour else "after midnight"
    spoken = named or f"{spoken_time(datetime.combine(date.min, at))} {part}"
    told = {"spoken": spoken, "clock": f"{at:%H:%M}", "place": place}
    return gettext("at %(spoken)s (%(clock)s, %(place)s time)") % told


# Writing


@transaction.atomic
def write() -> int:
    """Write the digests of today when they are due, if nobody has. The number.

    There is none for whom there is nothing to tell. After a day that was missed they tell of that day, too.
    """
    now = database_now()
    day = office(now).local.date()
    until = due(day)
    newest = DigestDay.objects.order_by("-day").first()
    since = newest.until if newest else until - A_DAY
    if now < until or since >= until or not _claim(day, since, until):
        return 0
    news = list(_news(since, until).values_list("pk", flat=True))
    wanting = Subscriber.objects.filter(daily=True).wanting(Chosen.objects.of_releases(news))
    emails = wanting.order_by().values_list("email", flat=True) if news else []
    written = Digest.objects.bulk_create(Digest(day_id=day, recipient=email) for email in emails)
    log.info("the digests of %s: %s", day, len(written))
    return len(written)


def _claim(day: date, since: datetime, until: datetime) -> bool:
    """Take a day. Of two workers one waits here for the other, and then finds it taken."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO newsroom_digestday (day, since, until) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [day, since, until],
        )
        return bool(cursor.rowcount)


def _news(since: datetime, until: datetime) -> ReleaseQuerySet:
    """What is public now, and was published, corrected or changed in something of weight in a time."""
    began, changed = (
        Q(**{f"visibility__{field}__gt": since, f"visibility__{field}__lte": until})
        for field in ("first_from", "updated_at")
    )
    # The first condition follows from the others: it is what an index is good for.
    return Release.objects.public().filter(began | changed, visibility__visible_from__gt=since)


# Sending


def outstanding() -> bool:
    """Whether a digest is due."""
    return outbox.is_due(Digest.objects.all())


def send_next() -> bool:
    """Send the digest that has been due for longest and that nobody is sending. Whether there was one."""
    return outbox.send_next(Digest.objects.select_related("day"), _send)


def _send(digest: Digest) -> None:
    """Send a digest of what is public now.

    Raises:
        NotOfUse: they have left, get each story at once, or there is nothing to tell them.
    """
    try:
        _composed(digest).send()
    except Exception as error:
        delivering.carried_in_vain(digest, sending.in_words(error))
        raise
    delivering.carried(digest)


@transaction.atomic
def _composed(digest: Digest) -> EmailMessage:
    """The mail, once it is written down what is in it.

    Raises:
        NotOfUse: see `_send`.
    """
    subscriber = Subscriber.objects.filter(email=digest.recipient, active=True).first()
    if subscriber is None:
        raise outbox.NotOfUse(telling.LEFT)
    if not subscriber.daily:
        raise outbox.NotOfUse(AT_ONCE)
    wanted = _wanted(digest, subscriber)
    # Whatever takes words back or corrects them waits for this, and then finds who was sent them; or this
    # waits for it, and then does not find them.
    stories = Story.objects.select_for_update(no_key=True).filter(pk__in=wanted.values("story"))
    locked = list(stories.order_by("pk").values_list("pk", flat=True))
    releases = list(telling.with_words(wanted.filter(story__in=locked)).order_by(*ORDER)[: MOST + 1])
    if not releases:
        raise outbox.NotOfUse(NOTHING)
    news = _as_news(releases[:MOST])
    delivering.carry(digest, [(each.event, release) for each, release in zip(news, releases, strict=False)])
    return letters.digest(digest, subscriber, news, more=len(releases) > MOST)


def _wanted(digest: Digest, subscriber: Subscriber) -> ReleaseQuerySet:
    """The news that somebody wants and was not told by a mail of its own."""
    news = _news(digest.day.since, digest.day.until)
    if not subscriber.everything:
        mine = subscriber.chosen.filter(kind=OuterRef("kind"), slug=OuterRef("slug"))
        news = news.filter(Exists(Tag.objects.filter(Exists(mine), release=OuterRef("pk"))))
    told = Delivery.objects.filter(
        Q(sent_at__isnull=False) | Q(next_attempt__isnull=False),
        story=OuterRef("story"),
        recipient=digest.recipient,
        at__gte=OuterRef("visibility__updated_at"),
    )
    return news.exclude(Exists(told.exclude(digest=digest)))


def _as_news(releases: list[Release]) -> list[News]:
    """What is told of releases: of what was corrected or changed, that it was."""
    changed = [each.story_id for each in releases if each.visibility.updated_at != each.visibility.first_from]
    weighty = Release.objects.filter(story__in=changed, kind__in=EVENTS).select_related("visibility")
    weighty = weighty.filter(visibility__visible_from=F("visibility__updated_at"))
    by_when = {(each.story_id, each.visibility.updated_at): each for each in weighty}
    found = []
    for release in releases:
        change = by_when.get((release.story_id, release.visibility.updated_at))
        event = EVENTS[change.kind] if change else Event.RELEASE
        found.append(News(telling.public(release), event, change.note if change else ""))
    return found
