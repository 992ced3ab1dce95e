"""What changed from one text to another, in runs of tokens."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from time import monotonic
from typing import Any

from diff_match_patch import diff_match_patch

from .tokens import Token, Tokens

#: The share of words that two texts must have in common for a comparison of words to be readable.
ALIKE = 0.3
#: Words in a row that are enough to be known again: they are kept, or found where they moved to.
SENTENCE = 5
#: Tokens by which a change may slide to begin with a sentence.
_SLIDING_LIMIT = 200
#: What stands for a text without any tokens.
EMPTY = (Token(means="empty", loud=True),)

Change = tuple[str, list[Any]]


@dataclass(frozen=True)
class Move:
    """That something stood, or stands now, at another place."""

    #: What moved: "paragraph", "list item".
    noun: str
    #: "was paragraph 3, after ‘The bridge’"; or "now paragraph 1, at the top".
    where: str
    #: Whether this is the place that it left.
    away: bool = False

    @property
    def words(self) -> str:
        return f"moved {'away' if self.away else 'here'}"


@dataclass(frozen=True)
class Run:
    """Tokens that stayed ("="), were taken out ("-"), put in ("+"), moved away ("<") or moved here (">")."""

    op: str
    tokens: Tokens
    #: Of what moved here: what changed in it on the way.
    inner: tuple["Run", ...] = ()
    move: Move | None = None

    def words(self, op: str) -> int:
        """How many words that the public reads were put in ("+") or taken out ("-")."""
        if self.inner:
            return sum(run.words(op) for run in self.inner)
        return sum(token.is_word for token in self.tokens) if op == self.op else 0

    @property
    def text(self) -> str:
        """The run as one text. What a tag means is named only where it came or went."""
        if self.op in "=<>":
            return "".join(token.plain for token in self.tokens)
        text = "".join(token.beside_words for token in self.tokens)
        return text if text.strip() else "".join(token.alone for token in self.tokens)


class Clock:
    """What is left of the time for one page."""

    def __init__(self, seconds: float) -> None:
        self.end = monotonic() + seconds

    @property
    def left(self) -> float:
        return max(0.0, self.end - monotonic())


def bag(tokens: Tokens) -> Counter[str]:
    """The words of a text without their order."""
    return Counter(token.text for token in tokens if token.is_word)


def alike(one: Counter[str], other: Counter[str]) -> float:
    """The share of words that two texts have in common, or 0 where it is too small to be worth comparing."""
    words = one.total() + other.total()
    share = 2 * (one & other).total() / words if words else 1.0
    return share if share >= ALIKE else 0.0


def compared(old: Tokens, new: Tokens, clock: Clock) -> tuple[Run, ...]:
    """The runs of a pair. Texts with little in common are shown whole: a mosaic reads worse than both."""
    if old == new:
        return (Run("=", old),)
    if not (clock.left and alike(bag(old), bag(new))):
        return tuple(Run(op, tokens) for op, tokens in (("-", old), ("+", new)) if tokens)
    changes = _changes_of_words(old, new, max(clock.left / 4, 0.05))
    # Tidied, a word between two tags would be struck and put in again: not where no word changed.
    if [token.text for token in old if token.is_word] != [token.text for token in new if token.is_word]:
        changes = _slid(_tidied(changes))
    return tuple(Run(op, tuple(tokens)) for op, tokens in changes)


def _changes_of_words(old: Tokens, new: Tokens, seconds: float) -> list[Change]:
    """The changes by words. Space is held against space where its word stayed, and else goes with it.

    Otherwise two sentences would rather share the spaces between their words than one of them be kept.
    """
    before, after = _with_space(old), _with_space(new)
    changes: list[Change] = []
    i = k = 0
    for op, items in changes_of([unit[0] for unit in before], [unit[0] for unit in after], seconds):
        gone, come = before[i : i + len(items)], after[k : k + len(items)]
        if op == "=":
            for one, other in zip(gone, come, strict=True):
                changes += [("=", one)] if one == other else _space_changes(one, other)
        else:
            changes.append((op, [token for unit in (gone if op == "-" else come) for token in unit]))
        i += len(items) * (op != "+")
        k += len(items) * (op != "-")
    return _kept_space(_merged(changes))


def _with_space(tokens: Tokens) -> list[list[Token]]:
    """Each token with the space that follows it."""
    units: list[list[Token]] = []
    for token in tokens:
        if units and not token.means and token.text.isspace() and not units[-1][0].text.isspace():
            units[-1].append(token)
        else:
            units.append([token])
    return units


def _space_changes(one: list[Token], other: list[Token]) -> list[Change]:
    changes = [("=", one[:1]), ("-", one[1:]), ("+", other[1:])]
    return [change for change in changes if change[1]]


def _merged(changes: list[Change]) -> list[Change]:
    """The changes, each kind at one place as one, what was taken out first."""
    merged: list[Change] = []
    for kept, some in groupby(changes, key=lambda change: change[0] == "="):
        between = list(some)
        for op in "=" if kept else "-+":
            tokens = [token for sign, found in between if sign == op for token in found]
            merged += [(op, tokens)] if tokens else []
    return merged


def _kept_space(changes: list[Change]) -> list[Change]:
    """The changes, where the space after words that were exchanged stayed."""
    kept: list[Change] = []
    for op, tokens in changes:
        gone = kept[-1][1] if kept else []
        if op == "+" and kept and kept[-1][0] == "-" and gone[-1] == tokens[-1] and tokens[-1].text.isspace():
            kept[-1] = ("-", gone[:-1])
            kept += [("+", tokens[:-1]), ("=", tokens[-1:])]
        else:
            kept.append((op, tokens))
    return _merged([change for change in kept if change[1]])


def changes_of(old: Sequence[Any], new: Sequence[Any], seconds: float) -> list[Change]:
    """diff-match-patch over anything hashable: each distinct item stands as one character."""
    codes = {item: _character(number) for number, item in enumerate(dict.fromkeys([*old, *new]))}
    items = {character: item for item, character in codes.items()}
    engine = diff_match_patch()
    engine.Diff_Timeout = seconds
    diffs = engine.diff_main(*("".join(codes[item] for item in side) for side in (old, new)), False)
    return [(_SIGNS[op], [items[character] for character in text]) for op, text in diffs]


_SIGNS = {0: "=", -1: "-", 1: "+"}
_OPS = {sign: op for op, sign in _SIGNS.items()}


def _character(number: int) -> str:
    """A character of its own for each number, without the halves of surrogate pairs."""
    code = number + 0x4E00
    return chr(code if code < 0xD800 else code + 0x800)


def _tidied(changes: list[Change]) -> list[Change]:
    """The changes, where a word or two that stayed between large ones count as changed too."""
    tidied: list[Change] = []
    for kept, some in groupby(changes, key=_is_sentence):
        between = list(some)
        tidied += between if kept else _tidied_between(between)
    return tidied


def _is_sentence(change: Change) -> bool:
    return change[0] == "=" and sum(token.is_word for token in change[1]) >= SENTENCE


def _tidied_between(changes: list[Change]) -> Iterator[Change]:
    everything = dict.fromkeys(token for _, tokens in changes for token in tokens)
    codes = {token: _character(number) for number, token in enumerate(everything)}
    tokens = {character: token for token, character in codes.items()}
    diffs = [(_OPS[op], "".join(codes[token] for token in some)) for op, some in changes]
    diff_match_patch().diff_cleanupSemantic(diffs)
    return ((_SIGNS[op], [tokens[character] for character in text]) for op, text in diffs)


def _slid(changes: list[Change]) -> list[Change]:
    """The changes, where "is {free. It is} cheap" is said as "{It is free.} It is cheap"."""
    slid = list(changes)
    for place in range(1, len(slid) - 1):
        (op, before), (middle, edit), (other, after) = slid[place - 1 : place + 2]
        if op == other == "=" != middle:
            whole = before + edit + after
            start = len(before) + _steps_to_sentence(before, edit, after)
            end = start + len(edit)
            slid[place - 1 : place + 2] = [
                (op, whole[:start]),
                (middle, whole[start:end]),
                (other, whole[end:]),
            ]
    return [change for change in slid if change[1]]


def _steps_to_sentence(before: list[Token], edit: list[Token], after: list[Token]) -> int:
    """By how many tokens an edit can slide so that it begins with a sentence; 0 where it cannot."""
    start = min(len(before), _SLIDING_LIMIT)
    near = before[len(before) - start :] + edit + after[:_SLIDING_LIMIT]
    for place in _places(near, start, len(edit)):
        if _begins_sentence(near, place):
            return place - start
    return 0


def _places(near: list[Token], start: int, length: int) -> Iterator[int]:
    """Where an edit can begin and the text be the same: where it is, then ever further back, then on."""
    yield start
    place = start
    while place and near[place - 1] == near[place + length - 1]:
        place -= 1
        yield place
    place = start
    while place + length < len(near) and near[place] == near[place + length]:
        place += 1
        yield place


def _begins_sentence(near: list[Token], place: int) -> bool:
    """Whether a sentence begins there, or the space before one."""
    if not place:
        return True
    last = near[place - 1]
    if last.means:
        return not last.loud
    if last.text.isspace():
        return place > 1 and near[place - 2].text in _ENDS
    return last.text in _ENDS and near[place].text.isspace()


_ENDS = {".", "!", "?", "”", "’"}
