"""Words that were taken out at one place and put in at another: said as moved, not as gone and new."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from .comparing import SENTENCE, Clock, Move, Run, compared
from .tokens import Token, Tokens

#: Tokens that may have changed between two stretches that moved together, or before a sentence's end.
_GAP = 12
#: Tokens within which that many words have to stand.
_WINDOW = 4 * SENTENCE
#: Places that are tried for a stretch that was there several times.
_CANDIDATES = 8

Window = tuple[Token, ...]


@dataclass(frozen=True)
class Place:
    """The runs of one line, and what the part is called that it stands in, then and now."""

    runs: tuple[Run, ...]
    was: str
    now: str
    #: Lines of one passage have one number.
    passage: int


def carried(places: Sequence[Place], clock: Clock) -> list[tuple[Run, ...]]:
    """The runs of some lines, where sentences that moved are said to have done so."""
    gone, come = _texts(places, "-"), _texts(places, "+")
    stretches = _widened(_joined(_found(gone, come, clock))) if gone and come else []
    cuts: defaultdict[tuple[int, int], list[tuple[int, int, Run]]] = defaultdict(list)
    for stretch in stretches:
        before, after = _moved(stretch, places, clock)
        cuts[stretch.gone.place].append((*stretch.old, before))
        cuts[stretch.come.place].append((*stretch.new, after))
    return [
        tuple(
            piece for k, run in enumerate(stood.runs) for piece in _cut(run, sorted(cuts[i, k], key=_first))
        )
        for i, stood in enumerate(places)
    ]


@dataclass
class _Text:
    """A run that was taken out or put in."""

    #: The line and the run in it.
    place: tuple[int, int]
    tokens: Tokens
    #: The runs next to it: what left them was exchanged for it and did not move.
    beside: set[tuple[int, int]]
    taken: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.taken = [False] * len(self.tokens)

    def take(self, start: int, end: int) -> None:
        self.taken[start:end] = [True] * (end - start)

    def room_before(self, start: int) -> int | None:
        """How far the sentence goes back from `start`; None where that is too far."""
        for steps in range(_GAP + 1):
            place = start - steps
            if place <= 0 or _ends_sentence(self.tokens[place - 1]):
                return steps - self._space(place, place + steps)
            if self.taken[place - 1]:
                return None
        return None

    def room_after(self, end: int) -> int | None:
        """How far it goes on from `end`; None where that is too far."""
        if end and _ends_sentence(self.tokens[end - 1]):
            return 0
        for steps in range(_GAP + 1):
            place = end + steps
            if place >= len(self.tokens) or self.tokens[place].means:
                return steps
            if self.taken[place]:
                return None
            if _ends_sentence(self.tokens[place]):
                return steps + 1
        return None

    def _space(self, start: int, end: int) -> int:
        """How much of a stretch is the space that it begins with."""
        return next((n for n, token in enumerate(self.tokens[start:end]) if token.is_visible), end - start)


@dataclass(frozen=True)
class _Stretch:
    """Tokens that stand in a text that is gone, and in one that has come."""

    gone: _Text
    old: tuple[int, int]
    come: _Text
    new: tuple[int, int]


def _first(cut: tuple[int, int, Run]) -> int:
    return cut[0]


def _ends_sentence(token: Token) -> bool:
    return token.text in {".", "!", "?"} or "\n" in token.text


def _texts(places: Sequence[Place], op: str) -> list[_Text]:
    return [
        _Text((i, k), run.tokens, {(i, k - 1), (i, k + 1)})
        for i, stood in enumerate(places)
        for k, run in enumerate(stood.runs)
        if run.op == op and run.words(op) >= SENTENCE
    ]


# Finding


def _found(gone: list[_Text], come: list[_Text], clock: Clock) -> list[_Stretch]:
    """The stretches of some words that are in both, from left to right, each the longest there."""
    index: defaultdict[Window, list[tuple[_Text, int]]] = defaultdict(list)
    for text in gone:
        for start, window in _windows(text.tokens):
            index[window].append((text, start))
    for places in index.values():
        places.reverse()
    return [stretch for text in come for stretch in _found_in(text, index, clock)]


def _windows(tokens: Tokens) -> Iterator[tuple[int, Window]]:
    """Each word with those that follow it, as many as are enough to be known again."""
    words = [place for place, token in enumerate(tokens) if token.is_word]
    for start, end in zip(words, words[SENTENCE - 1 :], strict=False):
        if end - start < _WINDOW:
            yield start, tokens[start : end + 1]


def _found_in(text: _Text, index: dict[Window, list[tuple[_Text, int]]], clock: Clock) -> Iterator[_Stretch]:
    end = 0
    for start, window in _windows(text.tokens):
        if start < end or window not in index or not clock.left:
            continue
        places = index[window]
        while places and places[-1][0].taken[places[-1][1]]:
            places.pop()
        lengths = [
            (_length(other, place, text, start), -n, other, place)
            for n, (other, place) in enumerate(islice(reversed(places), _CANDIDATES))
            if other.place not in text.beside
        ]
        length, _, other, place = max(lengths, key=lambda found: found[:2], default=(0, 0, text, 0))
        if length >= len(window):
            end = start + length
            other.take(place, place + length)
            text.take(start, end)
            yield _Stretch(other, (place, place + length), text, (start, end))


def _length(gone: _Text, old: int, come: _Text, new: int) -> int:
    """For how many tokens two texts go on alike, without space at the end."""
    length = last = 0
    while (
        old + length < len(gone.tokens)
        and new + length < len(come.tokens)
        and gone.tokens[old + length] == come.tokens[new + length]
        and not gone.taken[old + length]
    ):
        length += 1
        if gone.tokens[old + length - 1].is_visible:
            last = length
    return last


def _joined(stretches: list[_Stretch]) -> list[_Stretch]:
    """The stretches, those as one between which only a few words changed."""
    joined: list[_Stretch] = []
    for stretch in stretches:
        last = joined[-1] if joined else None
        if last and _follows(last, stretch):
            stretch = _Stretch(
                last.gone, (last.old[0], stretch.old[1]), last.come, (last.new[0], stretch.new[1])
            )
            stretch.gone.take(*stretch.old)
            stretch.come.take(*stretch.new)
            joined.pop()
        joined.append(stretch)
    return joined


def _follows(last: _Stretch, stretch: _Stretch) -> bool:
    if last.gone is not stretch.gone or last.come is not stretch.come:
        return False
    gaps = (stretch.old[0] - last.old[1], stretch.new[0] - last.new[1])
    between = last.gone.taken[last.old[1] : stretch.old[0]]
    return all(0 <= gap <= _GAP for gap in gaps) and not any(between)


def _widened(stretches: list[_Stretch]) -> list[_Stretch]:
    """The stretches, each as long as the sentence whose first or last words changed as it moved."""
    return [_with_end(_with_start(stretch)) for stretch in stretches]


def _with_start(stretch: _Stretch) -> _Stretch:
    rooms = stretch.gone.room_before(stretch.old[0]), stretch.come.room_before(stretch.new[0])
    if rooms[0] is None or rooms[1] is None:
        return stretch
    return _taken(stretch, (rooms[0], rooms[1]), (0, 0))


def _with_end(stretch: _Stretch) -> _Stretch:
    rooms = stretch.gone.room_after(stretch.old[1]), stretch.come.room_after(stretch.new[1])
    if rooms[0] is None or rooms[1] is None:
        return stretch
    return _taken(stretch, (0, 0), (rooms[0], rooms[1]))


def _taken(stretch: _Stretch, before: tuple[int, int], after: tuple[int, int]) -> _Stretch:
    """The stretch with more of both texts."""
    old = stretch.old[0] - before[0], stretch.old[1] + after[0]
    new = stretch.new[0] - before[1], stretch.new[1] + after[1]
    stretch.gone.take(*old)
    stretch.come.take(*new)
    return _Stretch(stretch.gone, old, stretch.come, new)


# Telling


def _moved(stretch: _Stretch, places: Sequence[Place], clock: Clock) -> tuple[Run, Run]:
    """The run at the place that the words left, and the one where they stand now."""
    old = stretch.gone.tokens[slice(*stretch.old)]
    new = stretch.come.tokens[slice(*stretch.new)]
    was, now = _where(stretch, places)
    inner = compared(old, new, clock)
    return (
        Run("<", old, move=Move("passage", now, away=True)),
        Run(">", new, inner=inner, move=Move("passage", was)),
    )


def _where(stretch: _Stretch, places: Sequence[Place]) -> tuple[str, str]:
    """Where the words were, and where they are."""
    source, target = places[stretch.gone.place[0]], places[stretch.come.place[0]]
    if source.passage == target.passage:
        up = stretch.come.place < stretch.gone.place
        return ("was further down", "now further up") if up else ("was further up", "now further down")
    return f"was in {source.was}", f"now in {target.now}"


def _cut(run: Run, cuts: list[tuple[int, int, Run]]) -> Iterator[Run]:
    """The run with other runs in place of some of its tokens."""
    end = 0
    for start, stop, moved in cuts:
        if start > end:
            yield Run(run.op, run.tokens[end:start])
        yield moved
        end = stop
    if end < len(run.tokens) or not cuts:
        yield Run(run.op, run.tokens[end:]) if cuts else run
