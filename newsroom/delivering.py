"""The outbox of what becomes public: written with the fact, sent after commit, retried with back-off."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from stories.outbox import LEASE

from . import lanes, sending, telling
from .lanes import Lane
from .models import (
    RECALLS,
    Delivery,
    DeliveryQuerySet,
    Digest,
    Event,
    Receiver,
    ReceiverKind,
    Release,
    Subscriber,
)
from .sending import Fate, Outcome

log = logging.getLogger(__name__)

#: How many batches are sent at a time: they wait for other machines, most of the time.
THREADS = 16
#: For how long others are still served while somebody who was begun with keeps us waiting, in seconds.
GRACE = 15.0
#: How often a worker says that it is still at work on its batches, in seconds: well within `lanes.LEASE`.
HOLD = 8.0
#: How many rows are written by one transaction, roughly: it keeps others from the stories of all of them.
ROWS = 5000
#: How often it is looked for more work while there is some, in seconds.
LOOK = 0.2


#: The claim of a batch, its lane, and what became of one of its deliveries; nothing when it is done.
Reported = tuple[UUID, Lane, Outcome | None]


class Refused(Exception):
    """The outbox refused something. The message says what, why and what to do next."""


class NotGivenUp(Refused):
    """A delivery is no dead letter."""


class Overtaken(Refused):
    """The recipient has been sent something later about the same story."""


class SwitchedOff(Refused):
    """The receiver is not sent anything at present."""


# Writing


class News(NamedTuple):
    """What everybody is to be told of: `cause` names the fact that it follows from ("announcement:17")."""

    event: str
    release: Release
    cause: str


def write(*, event: str, release: Release, cause: str) -> int:
    """Write a row for everybody who is to be told of an event. The number of rows. See `write_all`."""
    return write_all([News(event, release, cause)])


def write_all(news: Sequence[News]) -> int:
    """Write a row for everybody who is to be told of events. The number of rows.

    It belongs in the transaction of the facts that they follow from, once that holds the stories' locks: so
    what is written earlier about a story has the lower id. Written again for the same cause, nothing is
    added. A recall goes before all that waits, and what waits of its story is not sent.
    """
    recalled = [each for each in news if each.event in RECALLS]
    rows = [(each, *to) for each in recalled for to in _to_recall(each.release)]
    rows += _to_tell([each for each in news if each.event not in RECALLS])
    if not rows:
        return 0
    columns = zip(*(_row(*row) for row in rows), strict=True)
    with connection.cursor() as cursor:
        # One statement, whatever the number: a row each would take longer than all the rest.
        cursor.execute(
            """
            INSERT INTO newsroom_delivery (event, story_id, release_id, recipient, receiver_id, key,
                attempts, error, next_attempt, at)
            SELECT t.event, t.story, t.release, t.recipient, t.receiver, t.key, 0, '',
                statement_timestamp()
                    - CASE WHEN t.event = ANY(%s) THEN interval '1 day' ELSE interval '0' END,
                statement_timestamp()
            FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::text[])
                AS t (event, story, release, recipient, receiver, key)
            ON CONFLICT (key) DO NOTHING
            """,
            [list(RECALLS), *map(list, columns)],
        )
        return int(cursor.rowcount)


def at_once() -> int:
    """Of how many releases everybody can be told by one transaction, so that it is over soon. One query."""
    return max(1, ROWS // max(1, Subscriber.objects.filter(active=True, daily=False).count()))


def _row(each: News, email: str, receiver: int | None) -> tuple[Any, ...]:
    key = key_of(event=each.event, cause=each.cause, to=email or f"receiver:{receiver}")
    return each.event, each.release.story_id, each.release.pk, email, receiver, key


def key_of(*, event: str, cause: str, to: str) -> str:
    """The idempotency key of a delivery: the same however often it is tried."""
    # Keyed, so that nobody can count releases by trying numbers.
    return salted_hmac("newsroom.delivery", f"{event}:{cause}:{to}", algorithm="sha256").hexdigest()


def _to_tell(news: Sequence[News]) -> list[tuple[News, str, int | None]]:
    """Everybody who is told of what is public, of each event: mail addresses and receivers.

    By mail those who want it at once; of a correction also whoever was sent the story, however that was. Not
    those whom a digest has brought this very release, as may be where it is announced late. Four queries, and
    one more for each correction.
    """
    if not news:
        return []
    releases = [each.release.pk for each in news]
    at_once = Subscriber.objects.filter(active=True, daily=False).order_by()
    everything = set(at_once.filter(everything=True).values_list("email", flat=True))
    chosen = _by_release(_chosen(releases))
    by_mail = Delivery.objects.filter(receiver=None)
    digests = by_mail.filter(release__in=releases, digest__isnull=False).told()
    brought = _by_release(digests.order_by().values_list("release", "recipient"))
    receivers = list(Receiver.objects.filter(active=True).order_by().values_list("pk", flat=True))
    found: list[tuple[News, str, int | None]] = []
    for each in news:
        emails = everything | chosen[each.release.pk]
        if each.event == Event.CORRECTION:
            emails |= _sent_before(by_mail, each.release)
        found += [(each, email, None) for email in sorted(emails - brought[each.release.pk])]
        found += [(each, "", pk) for pk in receivers]
    return found


def _chosen(releases: list[int]) -> list[tuple[int, str]]:
    """Who chose something that one of the releases is about or from, and wants it at once."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT t.release_id, s.email FROM newsroom_tag t
            JOIN newsroom_chosen c ON c.kind = t.kind AND c.slug = t.slug
            JOIN newsroom_subscriber s ON s.id = c.subscriber_id
            WHERE t.release_id = ANY(%s) AND s.active AND NOT s.daily AND NOT s.everything
            """,
            [releases],
        )
        return list(cursor.fetchall())


def _by_release(pairs: Iterable[tuple[int, str]]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for release, email in pairs:
        found[release].add(email)
    return found


def _sent_before(by_mail: DeliveryQuerySet, release: Release) -> set[str]:
    """Who is on the list and was sent what a release corrects."""
    sent = by_mail.filter(story=release.story_id).exclude(release=release).told().values("recipient")
    listed = Subscriber.objects.filter(active=True, email__in=sent)
    return set(listed.order_by().values_list("email", flat=True))


def _to_recall(release: Release) -> list[tuple[str, int | None]]:
    """Everybody who was sent something about the story, or may be at this moment, and the hubs."""
    of_story = Delivery.objects.filter(story=release.story_id)
    # What nobody has in hand is not sent after this commit. The rest counts as tried.
    drop(of_story.exclude(event__in=RECALLS), telling.GONE)
    told = of_story.filter(attempts__gt=0).exclude(receiver__active=False)
    found = set(told.order_by().values_list("recipient", "receiver").distinct())
    hubs = Receiver.objects.filter(active=True, kind=ReceiverKind.WEBSUB).values_list("pk", flat=True)
    return [*found, *(("", pk) for pk in hubs if ("", pk) not in found)]


# What digests carry


def carry(digest: Digest, news: Iterable[tuple[str, Release]]) -> None:
    """Write a delivery for each story that a digest is about to bring, with what it tells of it.

    It belongs in a transaction that holds the locks of the stories. Written again at another try, they are
    the same. While the digest is being sent they keep back what is later about the same story.
    """
    carried_in_vain(digest, lanes.NOT_BACK)
    Delivery.objects.bulk_create(
        (
            Delivery(
                event=event,
                story_id=release.story_id,
                release=release,
                recipient=digest.recipient,
                digest=digest,
                key=key_of(event=event, cause=f"digest:{digest.pk}:{release.pk}", to=digest.recipient),
                attempts=1,
                next_attempt=Now(),
                lease=Now() + LEASE,
            )
            for event, release in news
        ),
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["attempts", "next_attempt", "lease"],
    )


def carried(digest: Digest) -> None:
    """A digest was sent, and with it what it carries."""
    digest.carried.open().update(sent_at=Now(), next_attempt=None, lease=None, error="")


def carried_in_vain(digest: Digest, words: str) -> None:
    """A digest was tried in vain, or by a worker that was lost. The next try carries what is public then."""
    digest.carried.open().update(next_attempt=None, lease=None, error=words)


# Sending


def outstanding() -> bool:
    """Whether something is due that somebody could be sent now."""
    return bool(lanes.waiting())


def run(seconds: float) -> int:
    """Send what is due, for so many seconds. The number of tries.

    Whoever keeps us waiting keeps nobody else waiting: other recipients go on being served beside them.
    """
    lanes.give_up_lost()
    return _Post().run(seconds)


class _Post:
    """One worker's round: it claims, threads send, and what they report is written down at once.

    The threads ask the database nothing, so one connection does.
    """

    def __init__(self) -> None:
        self.reports: SimpleQueue[Reported] = SimpleQueue()
        #: When each batch that is being sent was begun, by its claim.
        self.running: dict[UUID, float] = {}
        self.tried = 0
        self._held = monotonic()
        self._served: dict[int, int] = {}

    def run(self, seconds: float) -> int:
        until, looked = monotonic() + seconds, float("-inf")
        with ThreadPoolExecutor(THREADS, thread_name_prefix="deliver") as pool:
            while True:
                due = monotonic() - looked >= LOOK and len(self.running) < THREADS
                if due and (self._goes_on(until) or not self._served):
                    self._start(pool)
                    looked = monotonic()
                if not self.running:
                    return self.tried
                if self._settle(self._reported()):
                    # A batch is done: its place is free.
                    looked = float("-inf")
                self._hold()

    def _hold(self) -> None:
        """Say now and then that the batches are still being sent."""
        if self.running and monotonic() - self._held >= HOLD:
            lanes.still_at_work(self.running)
            self._held = monotonic()

    def _goes_on(self, until: float) -> bool:
        """Whether to begin anything: it is in time, or somebody from before keeps us waiting anyway."""
        now = monotonic()
        kept = any(begun < until for begun in self.running.values())
        return now < until or (kept and now < until + GRACE)

    def _start(self, pool: ThreadPoolExecutor) -> None:
        """Begin batches, a lane after another, as long as there is a place and something to send."""
        waiting = sorted(lanes.waiting(), key=lambda lane: self._served.get(lane.number, 0))
        while waiting and len(self.running) < THREADS:
            waiting = [lane for lane in waiting if len(self.running) < THREADS and self._begin(pool, lane)]

    def _begin(self, pool: ThreadPoolExecutor, lane: Lane) -> bool:
        """Begin a batch of a lane. Whether there was anything to claim."""
        self._served[lane.number] = max(self._served.values(), default=0) + 1
        rows = lanes.claim(lane)
        if not rows:
            return False
        parcels, refused = telling.parcels(rows, lane.kind)
        for reason in {reason for _, reason in refused}:
            lanes.of_no_use((row for row, why in refused if why == reason), reason)
        claim = rows[0].claim
        if parcels and claim:
            self.running[claim] = monotonic()
            pool.submit(self._send, claim, lane, parcels)
        return True

    def _send(self, claim: UUID, lane: Lane, parcels: list[telling.Parcel]) -> None:
        try:
            sending.send(lane, parcels, lambda outcome: self.reports.put((claim, lane, outcome)))
        finally:
            self.reports.put((claim, lane, None))

    def _reported(self) -> list[Reported]:
        """What the threads have reported by now, waiting a little for the first."""
        found: list[Reported] = []
        try:
            found.append(self.reports.get(timeout=LOOK))
            while True:
                found.append(self.reports.get_nowait())
        except Empty:
            return found

    def _settle(self, reports: list[Reported]) -> bool:
        """Write down what was reported. Whether a batch is done."""
        done = [claim for claim, _, outcome in reports if outcome is None]
        outcomes = [(lane, outcome) for _, lane, outcome in reports if outcome is not None]
        sent = [(lane, outcome.delivery) for lane, outcome in outcomes if outcome.fate == Fate.SENT]
        lanes.sent(delivery for _, delivery in sent)
        lanes.handed_back(outcome.delivery for _, outcome in outcomes if outcome.fate == Fate.BACK)
        for receiver in {lane.receiver for lane, _ in sent if lane.receiver}:
            lanes.reached(receiver)
        for lane, outcome in outcomes:
            if outcome.fate not in (Fate.SENT, Fate.BACK):
                _failed(lane, outcome)
        self.tried += sum(outcome.fate != Fate.BACK for _, outcome in outcomes)
        for claim in done:
            del self.running[claim]
        return bool(done)


def _failed(lane: Lane, outcome: Outcome) -> None:
    """Write down a try that was in vain, and what follows for its receiver."""
    for_good = outcome.fate == Fate.DEAD
    lanes.failed(outcome.delivery, outcome.words, for_good=for_good, at_least=outcome.at_least)
    if lane.receiver and outcome.fate == Fate.UNREACHED:
        lanes.unreached(lane.receiver, outcome.words)
    elif lane.receiver and outcome.fate == Fate.BUSY:
        lanes.paused(lane.receiver, outcome.at_least)
    elif lane.receiver:
        lanes.reached(lane.receiver)


# Dead letters


@transaction.atomic
def try_again(*, delivery: Delivery) -> None:
    """Try a dead letter again, as if it had not been tried.

    Raises:
        NotGivenUp: it is no dead letter; somebody else has had it tried again.
        SwitchedOff: its receiver is switched off.
        Overtaken: the recipient has been sent something later about the story, or is being sent it now.
    """
    lanes.wait_for_turn(delivery.receiver_id or 0)
    found = Delivery.objects.given_up().filter(pk=delivery.pk).select_related("receiver").first()
    if found is None:
        raise NotGivenUp("Nothing was done: it is being tried again already.")
    if found.receiver and not found.receiver.active:
        raise SwitchedOff(f"Not tried again: {found.receiver} is switched off. Switch it on first.")
    if not _open_again(Delivery.objects.filter(pk=found.pk)):
        raise Overtaken(
            "Not tried again: something later about the same story has been sent there, which it must not"
            " overtake."
        )
    _wake(found.receiver_id)


@transaction.atomic
def try_all_again(*, receiver: Receiver | None) -> int:
    """Try the dead letters of a receiver again, or of the mailing list. The number; none that was overtaken.

    Raises:
        SwitchedOff: the receiver is switched off.
    """
    if receiver and not receiver.active:
        raise SwitchedOff(f"Not tried again: {receiver} is switched off. Switch it on first.")
    lanes.wait_for_turn(receiver.pk if receiver else 0)
    count = _open_again(Delivery.objects.filter(receiver=receiver))
    _wake(receiver.pk if receiver else None)
    return count


def _open_again(rows: QuerySet[Delivery]) -> int:
    """Open the dead letters among `rows` that nothing later has overtaken. The number."""
    return int(
        rows.filter(given_up_at__isnull=False)
        .exclude(overtaken())
        .update(given_up_at=None, next_attempt=Now(), attempts=0, lease=None, claim=None)
    )


def overtaken() -> Exists:
    """Whether the recipient was sent something later about the same story, or is being sent it now."""
    same = Q(receiver=OuterRef("receiver")) | Q(receiver=None, recipient__gt="")
    gone = Q(sent_at__isnull=False) | Q(lease__gt=Now())
    return Exists(
        Delivery.objects.filter(
            same, gone, story=OuterRef("story"), recipient=OuterRef("recipient"), pk__gt=OuterRef("pk")
        )
    )


def _wake(receiver: int | None) -> None:
    """Let a receiver rest no more: somebody has seen to it."""
    if receiver:
        Receiver.objects.filter(pk=receiver).update(failures=0, rests_until=None)


def drop(deliveries: DeliveryQuerySet, reason: str) -> int:
    """Send what is open of these no more, as far as nobody is sending it now. The number."""
    idle = Q(lease=None) | Q(lease__lte=Now())
    waiting = deliveries.open().filter(idle)
    return int(waiting.update(next_attempt=None, lease=None, error=f"Not sent: {reason}"))
