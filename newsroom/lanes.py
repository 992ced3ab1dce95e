"""Who is sent to next: the claims of the outbox, and what becomes of each delivery that was claimed.

A lane is a receiver, or the mailing list. In a lane so many batches at most are tried at a time, and none of
the others waits for it. In a batch there is nothing about a story of which the same recipient has yet to be
sent something earlier: what corrects a release never overtakes it. What was given up is out of the way.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from random import uniform
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from stories.outbox import BACK_OFF

from .models import Delivery, Receiver, ReceiverKind

log = logging.getLogger(__name__)

MAIL = "mail"
#: How many deliveries are claimed at a time, and how many batches of a lane are tried at once. A hub is told
#: of all that there is by one request.
BATCH = {MAIL: 50, ReceiverKind.WEBHOOK: 20, ReceiverKind.NINJS: 20, ReceiverKind.WEBSUB: 1000}
PARALLEL = {MAIL: 4, ReceiverKind.WEBHOOK: 4, ReceiverKind.NINJS: 4, ReceiverKind.WEBSUB: 1}
#: For how long a claim keeps others away, unless whoever has it says that it is still at work. Short, because
#: the lane of a worker that died has that much less room meanwhile.
LEASE = timedelta(seconds=30)
#: The longest that we wait because a receiver says so.
LONGEST_WAIT = 3600.0
NOT_BACK = "The worker that was sending it has not come back."
# Any number: it keeps the claims of one lane apart.
_LOCK = 5_092_612
# What keeps a delivery back is an earlier one that is open, and a later one that is being tried, as may be
# where a dead letter is tried again. What a digest carries does so while the digest is being sent. "OFFSET 0"
# has that asked row by row, in the order of the index, until there are enough: of a table that changes as
# fast as this the planner knows too little to do better, and took half a second to claim fifty of two
# thousand.
_CLAIM = """
WITH next AS (
    SELECT d.id FROM newsroom_delivery d
    WHERE {of_lane} AND d.digest_id IS NULL
      AND d.sent_at IS NULL AND d.next_attempt <= statement_timestamp()
      AND (d.lease IS NULL OR d.lease <= statement_timestamp())
      AND NOT EXISTS (
          SELECT 1 FROM newsroom_delivery e
          WHERE e.story_id = d.story_id AND e.recipient = d.recipient
            AND e.receiver_id IS NOT DISTINCT FROM d.receiver_id
            AND e.sent_at IS NULL AND e.next_attempt IS NOT NULL
            AND (e.digest_id IS NULL OR e.lease > statement_timestamp())
            AND (e.id < d.id OR (e.id > d.id AND e.lease > statement_timestamp()))
          OFFSET 0)
    ORDER BY d.next_attempt, d.id LIMIT %(most)s FOR UPDATE SKIP LOCKED)
UPDATE newsroom_delivery d
SET attempts = d.attempts + 1, lease = statement_timestamp() + %(lease)s, claim = %(claim)s,
    error = CASE WHEN d.lease IS NULL THEN d.error ELSE %(not_back)s END
FROM next WHERE d.id = next.id RETURNING d.*
"""


@dataclass(frozen=True)
class Lane:
    """A receiver; without one, the mailing list."""

    receiver: Receiver | None = None

    @property
    def number(self) -> int:
        return self.receiver.pk if self.receiver else 0

    @property
    def kind(self) -> str:
        return self.receiver.kind if self.receiver else MAIL

    @property
    def parallel(self) -> int:
        """How many batches may be tried at once: of who was not reached the last time, one."""
        return 1 if self.receiver and self.receiver.failures else PARALLEL[self.kind]


def waiting() -> list[Lane]:
    """The lanes in which something is due, without those that rest or are switched off. Two queries."""
    due = Delivery.objects.due()
    rested = Q(rests_until=None) | Q(rests_until__lte=Now())
    receivers = Receiver.objects.filter(rested, Exists(due.filter(receiver=OuterRef("pk"))), active=True)
    lanes = [Lane(receiver) for receiver in receivers.order_by("pk")]
    return [*lanes, Lane()] if due.filter(receiver=None).exists() else lanes


@transaction.atomic
def claim(lane: Lane) -> list[Delivery]:
    """Keep others away from the next deliveries of a lane, and give them, with the claim they are under.

    None where there are none, where as much of the lane is being tried as may be, or where somebody else
    is claiming in it at this moment.
    """
    if not _turn(lane.number):
        return []
    ours = Delivery.objects.filter(receiver=lane.receiver)
    in_hand = ours.filter(lease__gt=Now()).aggregate(batches=Count("claim", distinct=True))["batches"]
    if in_hand >= lane.parallel:
        return []
    of_lane = "d.receiver_id = %(receiver)s" if lane.receiver else "d.receiver_id IS NULL"
    values = {
        "receiver": lane.receiver.pk if lane.receiver else None,
        "most": BATCH[lane.kind],
        "lease": LEASE,
        "claim": uuid4(),
        "not_back": NOT_BACK,
    }
    rows = Delivery.objects.raw(_CLAIM.format(of_lane=of_lane), values)
    return sorted(rows, key=lambda row: (row.next_attempt, row.pk))


def still_at_work(claims: Iterable[UUID]) -> None:
    """Keep others away from these claims for longer."""
    Delivery.objects.filter(claim__in=list(claims), lease__isnull=False).update(lease=Now() + LEASE)


def _turn(number: int) -> bool:
    """Whether this transaction may claim in a lane, or try its dead letters again: one at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_LOCK, number])
        return bool(cursor.fetchone()[0])


def wait_for_turn(number: int) -> None:
    """Keep claims out of a lane until the transaction is over."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, number])


def give_up_lost() -> int:
    """Give up what was tried as often as anything is and whose worker has not come back. The number."""
    lost = Delivery.objects.open().filter(lease__lte=Now(), attempts__gt=len(BACK_OFF))
    return _give_up(lost, NOT_BACK)


def sent(rows: Iterable[Delivery]) -> None:
    """These were sent."""
    for claim, pks in _by_claim(rows):
        Delivery.objects.filter(pk__in=pks, claim=claim).update(
            sent_at=Now(), next_attempt=None, lease=None, claim=None, error=""
        )


def handed_back(rows: Iterable[Delivery]) -> None:
    """These were not tried after all."""
    for claim, pks in _by_claim(rows):
        Delivery.objects.filter(pk__in=pks, claim=claim).update(
            attempts=F("attempts") - 1, lease=None, claim=None
        )


def of_no_use(rows: Iterable[Delivery], reason: str) -> None:
    """These are not sent any more, and were not tried."""
    for claim, pks in _by_claim(rows):
        Delivery.objects.filter(pk__in=pks, claim=claim).update(
            attempts=F("attempts") - 1,
            next_attempt=None,
            lease=None,
            claim=None,
            error=f"Not sent: {reason}",
        )


def failed(row: Delivery, words: str, *, for_good: bool = False, at_least: float = 0.0) -> None:
    """This one was tried in vain: it waits, longer each time, and is given up after the last.

    `for_good` gives it up now; `at_least` is for how many seconds the other side asked us to wait.
    """
    log.warning("delivery %s to %s, try %s: %s", row.pk, row.receiver_id or "mail", row.attempts, words)
    mine = Delivery.objects.filter(pk=row.pk, claim=row.claim)
    if for_good or row.attempts > len(BACK_OFF):
        _give_up(mine, words)
        return
    wait = max(_wait(row.attempts), min(at_least, LONGEST_WAIT))
    mine.update(next_attempt=Now() + timedelta(seconds=wait), lease=None, claim=None, error=words)


def unreached(receiver: Receiver, words: str) -> None:
    """A receiver gave no answer: it rests, longer each time, and then what is due for it is given up.

    Of several tries that were under way together only the first counts.
    """
    rested = Q(rests_until=None) | Q(rests_until__lte=Now())
    free = Receiver.objects.filter(rested, pk=receiver.pk)
    failures = free.values_list("failures", flat=True).first()
    if failures is None:
        return
    free = free.filter(failures=failures)
    if failures < len(BACK_OFF):
        rest = timedelta(seconds=_wait(failures + 1))
        free.update(failures=failures + 1, rests_until=Now() + rest)
    elif free.update(failures=0, rests_until=None):
        left = Delivery.objects.due().filter(receiver=receiver)
        count = _give_up(left, f"It was not reached {failures + 1} times in a row. {words}")
        log.warning("receiver %s was not reached %s times: %s given up", receiver.pk, failures + 1, count)


def reached(receiver: Receiver) -> None:
    """A receiver has answered: it need not rest any more."""
    if receiver.failures:
        Receiver.objects.filter(pk=receiver.pk, failures__gt=0).update(failures=0, rests_until=None)


def paused(receiver: Receiver, seconds: float) -> None:
    """A receiver asks us to wait before anything else is sent to it."""
    rest = timedelta(seconds=min(seconds, LONGEST_WAIT))
    Receiver.objects.filter(pk=receiver.pk).update(rests_until=Now() + rest)


def _wait(tries: int) -> float:
    """For how many seconds to wait after so many tries, so that not all who wait come back at once."""
    return BACK_OFF[min(tries, len(BACK_OFF)) - 1] * uniform(0.8, 1.2)  # noqa: S311  jitter is no secret


def _give_up(rows: QuerySet[Delivery], words: str) -> int:
    return rows.update(given_up_at=Now(), next_attempt=None, lease=None, claim=None, error=words[:500])


def _by_claim(rows: Iterable[Delivery]) -> Iterable[tuple[UUID | None, list[int]]]:
    found: dict[UUID | None, list[int]] = defaultdict(list)
    for row in rows:
        found[row.claim].append(row.pk)
    return found.items()
