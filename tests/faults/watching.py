"""The public's view of a story, asked for again and again through its moment."""

import http.client
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import psycopg

#: Seconds between two questions, near the moment and far from it.
NEAR, FAR = 0.004, 0.03
#: For how long around the moment it is near.
AROUND = timedelta(seconds=0.4)
LISTS = ("/", "/feed.atom", "/sitemap.xml")
#: Each so many-th question is for a list.
LIST_EVERY = 6


@dataclass
class Seen:
    """What was seen of one story."""

    polls: int = 0
    #: Of these, how many were asked and answered before its moment.
    before: int = 0
    #: There to be seen, on its page or in a list, before its moment.
    early: int = 0
    #: Asked for after its moment, and not there.
    late: int = 0
    #: No answer, or one that says that something is broken: the web server or the database was not there.
    silent: int = 0
    #: From the moment to the end of the first answer that showed it, in seconds.
    first: float | None = None


def altogether(all_seen: Sequence[Seen]) -> Seen:
    """What was seen of several stories: of the one least looked at before, and the last to be shown."""
    firsts = [seen.first for seen in all_seen if seen.first is not None]
    return Seen(
        polls=sum(seen.polls for seen in all_seen),
        before=min(seen.before for seen in all_seen),
        early=sum(seen.early for seen in all_seen),
        late=sum(seen.late for seen in all_seen),
        silent=sum(seen.silent for seen in all_seen),
        first=max(firsts) if len(firsts) == len(all_seen) else None,
    )


class Clock:
    """The database's clock, told by ours: how far it is from ours at least, in seconds."""

    def __init__(self, connection: psycopg.Connection) -> None:
        bounds = [self._bounds(connection) for _ in range(20)]
        low, high = max(low for low, _ in bounds), min(high for _, high in bounds)
        self.ahead = timedelta(seconds=(low + high) / 2)

    @staticmethod
    def _bounds(connection: psycopg.Connection) -> tuple[float, float]:
        before = time.time()
        row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
        after = time.time()
        assert row
        return row[0] - after, row[0] - before

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Watch(Thread):
    """Asks for the page of one story, and now and then for the lists, until it is told to stop."""

    def __init__(self, port: int, clock: Clock, slug: str) -> None:
        super().__init__(daemon=True)
        self.port, self.clock, self.slug = port, clock, slug
        #: Empty until the story is armed: until then whatever shows it is early.
        self.moment: datetime | None = None
        self.seen, self._over = Seen(), Event()
        self._connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        while not self._over.is_set():
            self._ask(LISTS[self.seen.polls // LIST_EVERY % 3] if self.seen.polls % LIST_EVERY == 0 else "")
            self._over.wait(NEAR if self._near() else FAR)
        if self._connection:
            self._connection.close()

    def stop(self) -> Seen:
        """What was seen, when the last answer has come."""
        self._over.set()
        self.join(timeout=30)
        return self.seen

    def _near(self) -> bool:
        moment = self.moment
        if moment is None:
            return False
        return self.seen.first is None and abs(self.clock.now() - moment) < AROUND

    def _ask(self, path: str) -> None:
        asked = self.clock.now()
        status, body = self._get(path or f"/news/{self.slug}/")
        answered, moment = self.clock.now(), self.moment
        self.seen.polls += 1
        if status not in {200, 404}:
            self.seen.silent += 1
            return
        if moment is None or answered < moment:
            self.seen.before += 1
        there = status == 200 and (not path or f"/news/{self.slug}/".encode() in body)
        if there and (moment is None or answered < moment):
            self.seen.early += 1
        elif there and moment and self.seen.first is None and not path:
            self.seen.first = (answered - moment).total_seconds()
        elif not there and moment and asked >= moment:
            self.seen.late += 1

    def _get(self, path: str) -> tuple[int, bytes]:
        """Status and body; 0 where nobody answers."""
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            self._connection.request("GET", path)
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            if self._connection:
                self._connection.close()
            self._connection = None
            return 0, b""
