"""One story through one fault: armed, watched, broken, mended, and what came of it."""

import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from .stage import SUBSCRIBERS, Stage, Stuck
from .watching import Clock, Seen, Watch

#: After as many seconds a story that was not announced, or not sent to everybody, counts as lost.
PATIENCE = 90.0


@dataclass
class Outcome:
    """What came of one story."""

    seen: Seen = field(default_factory=Seen)
    #: How late its receipt is, in seconds; empty where there is none.
    announced: float | None = None
    #: Receipts, and workers that said they had announced it, beyond the first of each.
    announced_again: int = 0
    #: Subscribers who got nothing.
    undelivered: int = 0
    #: Mails to one subscriber under a key of their own, beyond the first.
    duplicated: int = 0
    #: Mails that came again under the same key, by which they are known.
    repeated: int = 0
    #: What did not come, where something did not.
    stuck: str = ""

    @property
    def lost(self) -> bool:
        return self.announced is None or self.undelivered > 0 or self.seen.first is None


class Round:
    """A story that is cleared, and ready to be armed. `hurry`: beat's next sweep is not waited for."""

    def __init__(self, stage: Stage, room: Any, clock: Clock, slug: str, *, hurry: bool) -> None:
        self.stage, self.room, self.clock, self.slug, self.hurry = stage, room, clock, slug, hurry
        self.revision = room.cleared(slug=slug, headline=slug)
        self.watch = Watch(stage.port, clock, slug)
        self.release: Any = None
        self.watch.start()

    @property
    def story_id(self) -> int:
        story: int = self.revision.story_id
        return story

    def arm(self, seconds: float, *, expected: bool = True) -> None:
        """Arm it for so many seconds ahead; as the release page does, or as if that had been long ago."""
        from newsroom import releasing, tasks
        from stories.moments import Moment

        moment = Moment(self.clock.now().astimezone(UTC) + timedelta(seconds=seconds), "Europe/London")
        self.release = releasing.arm(revision=self.revision, by=self.room.officer, moment=moment)
        self.watch.moment = self.release.embargo
        if expected:
            tasks.expect(self.release.story)

    def await_moment(self, after: float = 0.0) -> None:
        """Wait until so many seconds after the moment, or before it."""
        moment: datetime = self.release.embargo
        time.sleep(max(0.0, (moment - self.clock.now()).total_seconds() + after))

    def announced(self) -> bool:
        """Whether it has its receipt."""
        return bool(self._count("newsroom_announcement"))

    def finish(self) -> Outcome:
        """Wait until all has happened that has to, and say what did."""
        outcome = Outcome()
        try:
            if self.hurry:
                self.stage.until(self._nudged(self.announced), "announcement", PATIENCE)
                self.stage.until(self._nudged(self._delivered), "delivery", PATIENCE)
            else:
                self.stage.until(self.announced, "announcement", PATIENCE)
                self.stage.until(self._delivered, "delivery", PATIENCE)
            self.stage.until(lambda: self.watch.seen.first is not None, "page", PATIENCE)
        except Stuck as stuck:
            outcome.stuck = str(stuck)
        outcome.seen = self.watch.stop()
        self._judge(outcome)
        return outcome

    def _nudged(self, found: Any) -> Any:
        """The same, with a sweep of its own every half second."""
        state = {"next": 0.0}

        def ask() -> Any:
            if result := found():
                return result
            if time.monotonic() >= state["next"]:
                state["next"] = time.monotonic() + 0.5
                self.stage.tick()
            return None

        return ask

    def _delivered(self) -> bool:
        return {mail.recipient for mail in self.stage.mail.about(self.slug)} >= set(SUBSCRIBERS) and not (
            self.stage.ask(
                "SELECT count(*) FROM newsroom_delivery WHERE story_id = %s AND sent_at IS NULL",
                self.story_id,
            )
        )

    def _count(self, table: str) -> int:
        return int(self.stage.ask(f"SELECT count(*) FROM {table} WHERE story_id = %s", self.story_id) or 0)

    def _judge(self, outcome: Outcome) -> None:
        late = (
            "SELECT extract(epoch FROM min(at - due))::float8 FROM newsroom_announcement WHERE story_id = %s"
        )
        outcome.announced = self.stage.ask(late, self.story_id)
        said = sum(f"announced release {self.release.pk}," in line for line in self.stage.lines)
        outcome.announced_again = max(0, self._count("newsroom_announcement") - 1) + max(0, said - 1)
        keys: dict[str, list[str]] = defaultdict(list)
        for mail in self.stage.mail.about(self.slug):
            keys[mail.recipient].append(mail.key)
        outcome.undelivered = len(set(SUBSCRIBERS) - keys.keys())
        outcome.duplicated = sum(len(set(found)) - 1 for found in keys.values())
        outcome.repeated = sum(len(found) - len(set(found)) for found in keys.values())
