"""Which part of a new text is which of an old one: the same, changed, or moved."""

from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from .comparing import SENTENCE, Clock, alike, bag
from .tokens import Tokens

#: Pairs of equal units up to which all of them are considered; there are very many only where units repeat.
ALIGNING_LIMIT = 250_000
#: Units of a stretch up to which the best partner of each is looked for; beyond, they pair in order.
PAIRING_LIMIT = 60
#: The share of words in common from which on a text that is gone and one that is new are one that moved.
MOVED_ALIKE = 0.6


class Unit(Protocol):
    """A part, or a line of one."""

    @property
    def kind(self) -> str: ...
    @property
    def tokens(self) -> Tokens: ...
    @property
    def key(self) -> tuple[Any, ...]: ...
    @property
    def sure(self) -> float: ...
    @property
    def moves_as(self) -> str: ...


_Row = tuple[int, int, Any]
U = TypeVar("U", bound=Unit)


@dataclass(frozen=True)
class Pair(Generic[U]):
    """Two units that belong together at one place of the page; None where one has no partner there."""

    before: U | None
    after: U | None
    #: What stands alone here and moved: its partner at the other place.
    moved: U | None = None

    @property
    def changed(self) -> bool:
        """Whether anything of it has to be told."""
        return not (self.before and self.after and self.before.key == self.after.key)


def aligned(old: list[U], new: list[U], clock: Clock) -> list[Pair[U]]:
    """Units that belong together, in the order of the page, without crossing."""
    stretches = list(_stretches([unit.key for unit in old], [unit.key for unit in new]))
    changed = [(old[a:b], new[c:d]) for equal, a, b, c, d in stretches if not equal]
    moving = _moving(
        [unit for gone, _ in changed for unit in gone], [unit for _, come in changed for unit in come]
    )
    pairs: list[Pair[U]] = []
    for equal, a, b, c, d in stretches:
        if equal:
            pairs += (Pair(before, after) for before, after in zip(old[a:b], new[c:d], strict=True))
        else:
            pairs += _partners(old[a:b], new[c:d], moving, clock)
    return pairs


def settled(pairs: list[Pair[U]], clock: Clock) -> list[Pair[U]]:
    """The pairs, where what is gone at one place and has come at another knows of it."""
    found = list(pairs)
    for gone, come in _moves(pairs, clock):
        found[gone] = replace(found[gone], moved=found[come].after)
        found[come] = replace(found[come], moved=found[gone].before)
    return found


# Moves


def _move_key(unit: Unit) -> tuple[str, Tokens]:
    return unit.moves_as, unit.tokens


def _moving(gone: list[U], come: list[U]) -> set[tuple[str, Tokens]]:
    """What is gone and has come without a change, and so is nobody else's partner."""
    keys = ({_move_key(unit) for unit in units if unit.moves_as} for units in (gone, come))
    return set.intersection(*keys)


def _moves(pairs: list[Pair[U]], clock: Clock) -> Iterator[tuple[int, int]]:
    """The places from which something moved, with those to which it did."""
    gone = {place: pair.before for place, pair in enumerate(pairs) if pair.before and not pair.after}
    come = {place: pair.after for place, pair in enumerate(pairs) if pair.after and not pair.before}
    same: defaultdict[tuple[str, Tokens], deque[int]] = defaultdict(deque)
    for place, unit in gone.items():
        same[_move_key(unit)].append(place)
    for place, unit in list(come.items()):
        places = same.get(_move_key(unit))
        if unit.moves_as and places:
            yield places[0], place
            del gone[places.popleft()], come[place]
    yield from _alike_moves(gone, come, clock)


def _alike_moves(gone: dict[int, U], come: dict[int, U], clock: Clock) -> Iterator[tuple[int, int]]:
    """The same for what changed a little on the way, the most alike first."""
    old, new = _words_of(gone), _words_of(come)
    if max(len(old), len(new)) > PAIRING_LIMIT:
        return
    found = []
    for here, (noun, words) in new.items():
        for there, (other, others) in old.items():
            share = alike(words, others) if noun == other and clock.left else 0.0
            # A few words are known again only where none of them changed.
            if share >= (MOVED_ALIKE if words.total() >= SENTENCE else 1.0):
                found.append((-share, here, there))
    taken: set[tuple[str, int]] = set()
    for _, here, there in sorted(found):
        if not taken & {("here", here), ("there", there)}:
            taken |= {("here", here), ("there", there)}
            yield there, here


def _words_of(units: dict[int, U]) -> dict[int, tuple[str, Counter[str]]]:
    """The words of each unit that can move and has any."""
    bags = {place: (unit.moves_as, bag(unit.tokens)) for place, unit in units.items() if unit.moves_as}
    return {place: found for place, found in bags.items() if found[1]}


# Stretches


def _stretches(old: list[Any], new: list[Any]) -> Iterator[tuple[bool, int, int, int, int]]:
    """Which stretches are equal. The ends are taken off first, which leaves little of most texts."""
    shorter = min(len(old), len(new))
    start = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    end = next((i for i in range(shorter - start) if old[-1 - i] != new[-1 - i]), shorter - start)
    b, d = len(old) - end, len(new) - end
    yield True, 0, start, 0, start
    i, k = start, start
    for a, c in _in_order(old[start:b], new[start:d]):
        yield False, i, start + a, k, start + c
        i, k = start + a + 1, start + c + 1
        yield True, i - 1, i, k - 1, k
    yield False, i, b, k, d
    yield True, b, len(old), d, len(new)


def _in_order(old: list[Any], new: list[Any]) -> list[tuple[int, int]]:
    """The longest row of equal things in both orders, as pairs of places (Hunt and Szymanski)."""
    ends: list[int] = []  # the first place in `new` where a row of each length can end
    rows: list[_Row] = []  # and such a row
    for i, places in enumerate(_equals(old, new)):
        for k in reversed(places):
            length = bisect_left(ends, k)
            ends[length : length + 1] = [k]
            rows[length : length + 1] = [(i, k, rows[length - 1] if length else None)]
    pairs = []
    last: _Row | None = rows[-1] if rows else None
    while last:
        i, k, last = last
        pairs.append((i, k))
    return pairs[::-1]


def _equals(old: list[Any], new: list[Any]) -> list[list[int]]:
    """For each of the old the places of its equals; of too many, the first has the first alone, and so on."""
    places: defaultdict[Any, list[int]] = defaultdict(list)
    for k, one in enumerate(new):
        places[one].append(k)
    found = [places.get(one, []) for one in old]
    if sum(map(len, found)) <= ALIGNING_LIMIT:
        return found
    counts: Counter[int] = Counter()
    return [_nth(some, counts) for some in found]


def _nth(places: list[int], counts: Counter[int]) -> list[int]:
    nth = counts[id(places)]
    counts[id(places)] += 1
    return places[nth : nth + 1]


def _partners(old: list[U], new: list[U], moving: set[tuple[str, Tokens]], clock: Clock) -> Iterator[Pair[U]]:
    """Partners within a stretch that changed; those of one kind, without crossing."""
    free = [[_move_key(unit) not in moving for unit in units] for units in (old, new)]
    if max(len(old), len(new)) <= PAIRING_LIMIT and clock.left:
        pairs = _best_pairs(old, new, free)
    else:
        pairs = [
            (i, i)
            for i in range(min(len(old), len(new)))
            if old[i].kind == new[i].kind and free[0][i] and free[1][i]
        ]
    i = k = 0
    for a, c in pairs:
        yield from (Pair(unit, None) for unit in old[i:a])
        yield from (Pair(None, unit) for unit in new[k:c])
        yield Pair(old[a], new[c])
        i, k = a + 1, c + 1
    yield from (Pair(unit, None) for unit in old[i:])
    yield from (Pair(None, unit) for unit in new[k:])


def _best_pairs(old: list[U], new: list[U], free: list[list[bool]]) -> list[tuple[int, int]]:
    """The pairs, in order, whose likeness adds up to most."""
    bags, others = [bag(unit.tokens) for unit in old], [bag(unit.tokens) for unit in new]
    likeness = [
        [
            _likeness(old[i], one, new[k], other) if free[0][i] and free[1][k] else 0.0
            for k, other in enumerate(others)
        ]
        for i, one in enumerate(bags)
    ]
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in reversed(range(len(old))):
        for k in reversed(range(len(new))):
            best[i][k] = max(best[i + 1][k], best[i][k + 1], best[i + 1][k + 1] + likeness[i][k])
    pairs = []
    i = k = 0
    while i < len(old) and k < len(new):
        if likeness[i][k] and best[i][k] == best[i + 1][k + 1] + likeness[i][k]:
            pairs.append((i, k))
            i, k = i + 1, k + 1
        elif best[i][k] == best[i + 1][k]:
            i += 1
        else:
            k += 1
    return pairs


def _likeness(old: Unit, one: Counter[str], new: Unit, other: Counter[str]) -> float:
    """How well two units pair."""
    return 0.0 if old.kind != new.kind else old.sure or alike(one, other)
