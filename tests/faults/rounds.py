"""A story through one fault, or a few of one moment: armed, watched, broken, mended; what came of them."""

import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from .stage import SUBSCRIBERS, Stage, Stuck
from .watching import Clock, Seen, Watch, altogether

#: After as many seconds a story that was not announced, or not sent to everybody, counts as lost.
PATIENCE = 90.0
#: What a worker says of what it has announced.
SAID = re.compile(r"announced releases? ([\d, ]+),")


@dataclass
class Outcome:
    """What came of one story, or of all of one moment."""

    seen: Seen = field(default_factory=Seen)
    #: How late the last receipt is, in seconds; empty where there is none.
    announced: float | None = None
    #: Receipts, and workers that said they had announced it, beyond the first of each.
    announced_again: int = 0
    #: Stories without a receipt, and subscribers who got nothing of one.
    missing: int = 0
    #: Mails of one story to one subscriber under a key of their own, beyond the first.
    duplicated: int = 0
    #: Mails that came again under the same key, by which they are known.
    repeated: int = 0
    #: What did not come, where something did not.
    stuck: str = ""

    @property
    def lost(self) -> bool:
        return self.announced is None or self.missing > 0 or self.seen.first is None


class Round:
    """Stories that are cleared, and ready to be armed for one moment: `together` of them, one as a rule.

    `hurry`: beat's next sweep is not waited for.
    """

    def __init__(
        self, stage: Stage, room: Any, clock: Clock, slug: str, *, together: int = 1, hurry: bool = False
    ) -> None:
        self.stage, self.room, self.clock, self.hurry = stage, room, clock, hurry
        self.slugs = [f"{slug}-{letter}" for letter in "abcdefgh"[:together]]
        self.revisions = [room.cleared(slug=each, headline=each) for each in self.slugs]
        self.watches = [Watch(stage.port, clock, each) for each in self.slugs]
        self.releases: list[Any] = []
        for watch in self.watches:
            watch.start()

    @property
    def slug(self) -> str:
        """The address of the first."""
        return self.slugs[0]

    @property
    def story_id(self) -> int:
        """The first story."""
        story: int = self.revisions[0].story_id
        return story

    def arm(self, seconds: float, *, expected: bool = True) -> None:
        """Arm them for so many seconds ahead; as the release page does, or as if that had been long ago."""
        from newsroom import releasing, tasks
        from stories.moments import Moment

        # The web server may be busy, and who has not looked before the moment shows nothing of it.
        self.stage.until(lambda: all(watch.seen.before for watch in self.watches), "answer", PATIENCE)
        moment = Moment(self.clock.now().astimezone(UTC) + timedelta(seconds=seconds), "Europe/London")
        for revision, watch in zip(self.revisions, self.watches, strict=True):
            self.releases.append(releasing.arm(revision=revision, by=self.room.officer, moment=moment))
            watch.moment = self.releases[-1].embargo
        if len(self.releases) > 1:
            # Beat puts those of one moment into one message.
            tasks.look_ahead()
        elif expected:
            tasks.expect(self.releases[0].story)

    def await_moment(self, after: float = 0.0) -> None:
        """Wait until so many seconds after the moment, or before it."""
        moment: datetime = self.releases[0].embargo
        time.sleep(max(0.0, (moment - self.clock.now()).total_seconds() + after))

    def announced(self) -> bool:
        """Whether all have their receipts."""
        return self._count("newsroom_announcement WHERE story_id = ANY(%s)") >= len(self.slugs)

    def finish(self) -> Outcome:
        """Wait until all has happened that has to, and say what did."""
        outcome = Outcome()
        try:
            self._until(self.announced, "announcement")
            self._until(self._delivered, "delivery")
            self.stage.until(lambda: all(w.seen.first is not None for w in self.watches), "page", PATIENCE)
        except Stuck as stuck:
            outcome.stuck = str(stuck)
        outcome.seen = altogether([watch.stop() for watch in self.watches])
        self._judge(outcome)
        return outcome

    def _until(self, found: Callable[[], Any], what: str) -> None:
        """Wait for it; in a hurry, with a sweep of our own every half second."""
        next_sweep = 0.0

        def nudged() -> Any:
            nonlocal next_sweep
            if result := found():
                return result
            if time.monotonic() >= next_sweep:
                next_sweep = time.monotonic() + 0.5
                self.stage.tick()
            return None

        self.stage.until(nudged if self.hurry else found, what, PATIENCE)

    def _delivered(self) -> bool:
        got = [{mail.recipient for mail in self.stage.mail.about(slug)} for slug in self.slugs]
        everybody = set(SUBSCRIBERS)
        return all(each >= everybody for each in got) and not self._count(
            "newsroom_delivery WHERE story_id = ANY(%s) AND sent_at IS NULL"
        )

    def _count(self, source: str) -> int:
        stories = [revision.story_id for revision in self.revisions]
        return int(self.stage.ask(f"SELECT count(*) FROM {source}", stories) or 0)

    def _judge(self, outcome: Outcome) -> None:
        numbers = [release.pk for release in self.releases]
        late = (
            "SELECT extract(epoch FROM max(at - due))::float8 FROM newsroom_announcement"
            " WHERE release_id = ANY(%s)"
        )
        outcome.announced = self.stage.ask(late, numbers)
        receipts = self._count("newsroom_announcement WHERE story_id = ANY(%s)")
        outcome.missing += max(0, len(numbers) - receipts)
        said = Counter(number for line in self.stage.lines for number in _announced_in(line))
        again = sum(max(0, said[number] - 1) for number in numbers)
        outcome.announced_again = max(0, receipts - len(numbers)) + again
        for slug in self.slugs:
            self._judge_mails(slug, outcome)

    def _judge_mails(self, slug: str, outcome: Outcome) -> None:
        keys: dict[str, list[str]] = defaultdict(list)
        for mail in self.stage.mail.about(slug):
            keys[mail.recipient].append(mail.key)
        outcome.missing += len(set(SUBSCRIBERS) - keys.keys())
        outcome.duplicated += sum(len(set(found)) - 1 for found in keys.values())
        outcome.repeated += sum(len(found) - len(set(found)) for found in keys.values())


def _announced_in(line: str) -> list[int]:
    """The releases that a worker says it has announced."""
    found = SAID.search(line)
    return [int(number) for number in found[1].split(",")] if found else []
