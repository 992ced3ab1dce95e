"""A line that says how far a long command has come, rewritten in place."""

import time
from typing import TextIO


class Progress:
    """Tells of `total` things on `stream`; nothing at all where that is no terminal."""

    def __init__(self, stream: TextIO, total: int, things: str) -> None:
        self.stream, self.total, self.things = stream, total, things
        self.begun = time.monotonic()
        self.shown = stream.isatty()

    def tell(self, done: int) -> None:
        """Say that so many are done: "[####......]  41 %  41,000 stories, 212 a second, 4 min 38 s left"."""
        if not self.shown:
            return
        rate = done / max(time.monotonic() - self.begun, 0.001)
        minutes, seconds = divmod(round((self.total - done) / rate), 60)
        bar = "#" * (done * 20 // self.total)
        self.stream.write(
            f"\r[{bar:.<20}] {done * 100 // self.total:3d} %  {done:,} {self.things}, {rate:,.0f} a second, "
            f"{minutes} min {seconds:02d} s left "
        )
        self.stream.flush()

    def end(self) -> None:
        """Leave the line as it is and go on below it."""
        if self.shown:
            self.stream.write("\n")
