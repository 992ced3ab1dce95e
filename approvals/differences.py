"""What changed between two contents, word by word, for somebody who has to look again.

Parts are aligned first, so that a paragraph is held against the paragraph that it was; then their lines,
such as the items of a list; then the words. What is gone at one place and has come at another is said to
have moved. Links, emphasis and pictures have no words of their own on the page: they are named in words too,
so that nothing which changes a digest goes unseen.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from . import coverage
from .aligning import Pair, aligned, settled
from .comparing import EMPTY, Clock, Move, Run, compared
from .models import Covers
from .moving import Place, carried
from .parts import Line, Part, parts
from .passages import Passage, Row, listed, size
from .tokens import Token

#: Seconds that the comparisons of one page may take; after that, passages are shown whole, out and in.
BUDGET = 2.0
#: Two codes for one look, such as `&` and `&amp;`, which no editor of ours writes.
UNSEEN = Passage(
    "the code behind the words",
    (Row(Line("words", ()), (Run("+", (Token("code", means="written in another way"),)),)),),
)


@dataclass(frozen=True)
class Difference:
    """All passages that changed, in the order of the page. False where nothing did."""

    passages: tuple[Passage, ...]

    def __bool__(self) -> bool:
        return bool(self.passages)

    @cached_property
    def words_in(self) -> int:
        return sum(passage.words_in for passage in self.passages)

    @cached_property
    def words_out(self) -> int:
        return sum(passage.words_out for passage in self.passages)

    @cached_property
    def moved(self) -> Counter[str]:
        """How many paragraphs, list items and so on stand at another place, by what they are called."""
        return sum((passage.moved for passage in self.passages), Counter())

    @property
    def size(self) -> str:
        """How much it is: "2 words put in, 3 taken out, 1 paragraph moved"."""
        marks = any(passage.marks for passage in self.passages)
        return size(self.words_in, self.words_out, self.moved, marks=marks)

    @property
    def by_part(self) -> list[tuple[str, str]]:
        """Where it is, and how much there; what moved away is told where it went."""
        return [(passage.place, passage.size) for passage in self.passages if passage.size != "nothing"]

    @cached_property
    def old(self) -> list[Passage]:
        """The same passages as they were, without what came."""
        return self._as_read("=-<")

    @cached_property
    def new(self) -> list[Passage]:
        """The same passages as they are, without what went."""
        return self._as_read("=+>")

    def _as_read(self, ops: str) -> list[Passage]:
        found = (passage.as_read(ops) for passage in self.passages)
        return [passage for passage in found if passage]

    @property
    def places(self) -> str:
        """Where it is: "the headline and quote 1", or the first two and how many more."""
        named = list(dict.fromkeys(place for place, _ in self.by_part))
        if len(named) > 3:
            named = [*named[:2], f"{len(named) - 2} more places"]
        return listed(named)


def difference(
    old: dict[str, Any],
    new: dict[str, Any],
    covers: str = Covers.EVERYTHING,
    *,
    whom: str = "",
    budget: float = BUDGET,
) -> Difference:
    """What changed from the content `old` to `new` in what a step `covers`, compared within `budget` seconds.

    It is empty where the covered parts are equal to the last letter, and nowhere else.
    """
    digests = (coverage.covered_digest(content, covers, whom) for content in (old, new))
    if len(set(digests)) == 1:
        return Difference(())
    clock = Clock(budget)
    pairs = settled(aligned(parts(old, covers, whom), parts(new, covers, whom), clock), clock)
    changed = [pair for pair in pairs if pair.changed]
    return Difference(tuple(_passages(changed, clock)) if changed else (UNSEEN,))


def _passages(pairs: list[Pair[Part]], clock: Clock) -> Iterator[Passage]:
    """A passage a pair; lines and words find each other across all of them."""
    lines = [_line_pairs(pair, clock) for pair in pairs]
    numbers = [number for number, some in enumerate(lines) for _ in some]
    flat = settled([pair for some in lines for pair in some], clock)
    rows = [_row(pair, clock) for pair in flat]
    runs = carried(
        [_stands(row, pairs[number], number) for row, number in zip(rows, numbers, strict=True)], clock
    )
    told: list[list[Row]] = [[] for _ in pairs]
    for row, number, found in zip(rows, numbers, runs, strict=True):
        told[number].append(replace(row, runs=found))
    return (_passage(pair, some) for pair, some in zip(pairs, told, strict=True))


def _line_pairs(pair: Pair[Part], clock: Clock) -> list[Pair[Line]]:
    """The lines of two parts that belong together. What moved is held against what it was."""
    if pair.moved and not pair.after:
        return []
    before = pair.before or pair.moved
    return aligned(list(before.lines if before else ()), list(pair.after.lines if pair.after else ()), clock)


def _row(pair: Pair[Line], clock: Clock) -> Row:
    if pair.before and pair.after:
        return Row(pair.after, compared(pair.before.tokens, pair.after.tokens, clock))
    if pair.after and pair.moved:
        runs = compared(pair.moved.tokens, pair.after.tokens, clock)
        return Row(pair.after, runs, Move(pair.after.moves_as, f"was {_there(pair.moved, pair.after)}"))
    if pair.after:
        return Row(pair.after, (Run("+", pair.after.tokens or EMPTY),))
    assert pair.before
    if pair.moved:
        move = Move(pair.before.moves_as, f"now {_there(pair.moved, pair.before)}", away=True)
        return Row(pair.before, (Run("<", pair.before.tokens),), move)
    return Row(pair.before, (Run("-", pair.before.tokens or EMPTY),))


def _there(there: Line, here: Line) -> str:
    """Where a line's partner stands, seen from the line."""
    return there.label if there.of == here.of else there.place


def _stands(row: Row, pair: Pair[Part], number: int) -> Place:
    """Where the words of a row stand and stood, for those that may have moved."""
    old, new = pair.before or pair.moved or pair.after, pair.after or pair.before
    assert old
    assert new
    return Place(row.runs, old.label, new.label, number)


def _passage(pair: Pair[Part], rows: list[Row]) -> Passage:
    if pair.before and pair.after:
        return Passage(pair.after.label, tuple(rows))
    if pair.after and pair.moved:
        move = Move(pair.after.moves_as, f"was {pair.moved.place}")
        return Passage(pair.after.label, tuple(rows), move=move)
    if pair.after:
        return Passage(pair.after.label, tuple(rows) or _empty("+"), "new")
    assert pair.before
    if pair.moved:
        move = Move(pair.before.moves_as, f"now {pair.moved.place}", away=True)
        text = Line("words", pair.before.tokens)
        return Passage(pair.before.label, (Row(text, (Run("<", text.tokens),)),), move=move)
    return Passage(pair.before.label, tuple(rows) or _empty("-"), "taken out")


def _empty(op: str) -> tuple[Row, ...]:
    """What stands for a block without any text."""
    return (Row(Line("words", ()), (Run(op, EMPTY),)),)
