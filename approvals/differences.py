"""What changed between two contents, word by word, for somebody who has to look again.

Blocks are aligned first, so that a paragraph is held against the paragraph that it was; then the words
inside each pair. Links, emphasis and pictures have no words of their own on the page: they are named in
words too, so that nothing which changes a digest goes unseen.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from time import monotonic
from typing import Any

from diff_match_patch import diff_match_patch
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from . import coverage
from .models import Covers
from .parts import Part, Token, parts

#: Seconds that the comparisons of one page may take; after that, passages are shown whole, out and in.
BUDGET = 2.0
#: Pairs of blocks up to which difflib aligns them; it takes the square of their number where blocks repeat.
ALIGNING_LIMIT = 250_000
#: Blocks of a stretch up to which the best partner of each is looked for; beyond, they pair in order.
PAIRING_LIMIT = 60
#: The share of tokens that two texts must have in common for a comparison of words to be readable.
ALIKE = 0.3


@dataclass(frozen=True)
class Run:
    """Tokens that stayed ("="), were taken out ("-") or were put in ("+")."""

    op: str
    tokens: tuple[Token, ...]

    @property
    def words(self) -> int:
        """How many words the public reads in it."""
        return sum(token.is_word for token in self.tokens)

    @property
    def text(self) -> str:
        """The run as one text. What a tag means is named only where it came or went."""
        if self.op == "=":
            return "".join(token.plain for token in self.tokens)
        text = "".join(token.beside_words for token in self.tokens)
        return text if text.strip() else "".join(token.alone for token in self.tokens)


@dataclass(frozen=True)
class Passage:
    """One part of the content that changed: a headline, a paragraph, a quote."""

    label: str
    runs: tuple[Run, ...]

    @property
    def words_in(self) -> int:
        return sum(run.words for run in self.runs if run.op == "+")

    @property
    def words_out(self) -> int:
        return sum(run.words for run in self.runs if run.op == "-")

    @property
    def html(self) -> SafeString:
        """The passage with `ins` and `del`, each announced to those who hear it."""
        return format_html_join("", "{}", ((_run_html(run),) for run in self.runs))


#: What stands for a part without any text.
EMPTY = (Token(means="empty", loud=True),)
#: Two codes for one look, such as `&` and `&amp;`, which no editor of ours writes.
UNSEEN = Passage("the code behind the words", (Run("+", (Token("code", means="written in another way"),)),))


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

    @property
    def size(self) -> str:
        """How much it is: "2 words put in, 3 taken out"."""
        if self.words_in or self.words_out:
            return f"{self.words_in} word{'s' * (self.words_in != 1)} put in, {self.words_out} taken out"
        return "no word: marks, spaces, links or pictures alone" if self else "nothing"

    @property
    def places(self) -> str:
        """Where it is: "the headline and quote 1", or the first two and how many more."""
        named = list(dict.fromkeys(passage.label for passage in self.passages))
        if len(named) > 3:
            named = [*named[:2], f"{len(named) - 2} more places"]
        return " and ".join(part for part in (", ".join(named[:-1]), *named[-1:]) if part)


def difference(
    old: dict[str, Any], new: dict[str, Any], covers: str = Covers.EVERYTHING, budget: float = BUDGET
) -> Difference:
    """What changed from the content `old` to `new` in what a step `covers`, compared within `budget` seconds.

    It is empty only where the covered parts are equal to the last letter.
    """
    clock = _Clock(budget)
    pairs = _aligned(parts(old, covers), parts(new, covers))
    changed = [(a, b) for a, b in pairs if a is None or b is None or a.tokens != b.tokens]
    if not changed and coverage.covered_digest(old, covers) != coverage.covered_digest(new, covers):
        return Difference((UNSEEN,))
    return Difference(tuple(_passage(before, after, clock) for before, after in changed))


def _run_html(run: Run) -> SafeString:
    if run.op == "=":
        return format_html("{}", run.text)
    tag, said = ("ins", "put in: ") if run.op == "+" else ("del", "taken out: ")
    # The space round a change stands outside: "hope to" is struck, not "hope to ". One parts two changes.
    inner = run.text.strip()
    before, _, after = run.text.partition(inner)
    return format_html(
        '{}<{tag}><span class="visually-hidden">{said}</span>{inner}</{tag}>{}',
        before,
        after or " " * (run.op == "-"),
        tag=tag,
        said=said,
        inner=inner,
    )


class _Clock:
    """What is left of the time for one page."""

    def __init__(self, seconds: float) -> None:
        self.end = monotonic() + seconds

    @property
    def left(self) -> float:
        return max(0.0, self.end - monotonic())


# Alignment of parts


def _aligned(old: list[Part], new: list[Part]) -> Iterator[tuple[Part | None, Part | None]]:
    """Parts that belong together, in the order of the page; None where one has no partner."""
    for equal, a, b, c, d in _stretches([part.key for part in old], [part.key for part in new]):
        if equal:
            yield from zip(old[a:b], new[c:d], strict=True)
        else:
            yield from _partners(old[a:b], new[c:d])


def _stretches(old: list[Any], new: list[Any]) -> Iterator[tuple[bool, int, int, int, int]]:
    """Which stretches are equal. The ends are taken off first, which leaves little of most texts."""
    shorter = min(len(old), len(new))
    start = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    end = next((i for i in range(shorter - start) if old[-1 - i] != new[-1 - i]), shorter - start)
    b, d = len(old) - end, len(new) - end
    yield True, 0, start, 0, start
    for equal, i, j, k, m in _middle(old[start:b], new[start:d]):
        yield equal, start + i, start + j, start + k, start + m
    yield True, b, len(old), d, len(new)


def _middle(old: list[Any], new: list[Any]) -> Iterator[tuple[bool, int, int, int, int]]:
    if len(old) * len(new) <= ALIGNING_LIMIT:
        matcher = SequenceMatcher(None, old, new, autojunk=False)
        yield from ((op == "equal", *places) for op, *places in matcher.get_opcodes())  # type: ignore[misc]
        return
    i = k = 0
    for equal, run in _grouped(_compare(old, new, BUDGET)):
        j = i + sum(len(items) for op, items in run if op != "+")
        m = k + sum(len(items) for op, items in run if op != "-")
        yield equal, i, j, k, m
        i, k = j, m


def _grouped(changes: list[tuple[str, list[Any]]]) -> Iterator[tuple[bool, list[tuple[str, list[Any]]]]]:
    """The changes with what was taken out and what was put in at one place together."""
    run: list[tuple[str, list[Any]]] = []
    for op, items in changes:
        if run and (run[-1][0] == "=") != (op == "="):
            yield run[-1][0] == "=", run
            run = []
        run.append((op, items))
    if run:
        yield run[-1][0] == "=", run


def _partners(old: list[Part], new: list[Part]) -> Iterator[tuple[Part | None, Part | None]]:
    """Partners within a stretch that changed; those of one kind, without crossing."""
    if max(len(old), len(new)) <= PAIRING_LIMIT:
        pairs = _best_pairs(old, new)
    else:
        pairs = [(i, i) for i in range(min(len(old), len(new))) if old[i].kind == new[i].kind]
    i = k = 0
    for a, c in pairs:
        yield from ((part, None) for part in old[i:a])
        yield from ((None, part) for part in new[k:c])
        yield old[a], new[c]
        i, k = a + 1, c + 1
    yield from ((part, None) for part in old[i:])
    yield from ((None, part) for part in new[k:])


def _best_pairs(old: list[Part], new: list[Part]) -> list[tuple[int, int]]:
    """The pairs, in order, whose likeness adds up to most."""
    bags, others = [Counter(part.tokens) for part in old], [Counter(part.tokens) for part in new]
    alike = [[_alike_parts(old[i], a, new[k], b) for k, b in enumerate(others)] for i, a in enumerate(bags)]
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in reversed(range(len(old))):
        for k in reversed(range(len(new))):
            best[i][k] = max(best[i + 1][k], best[i][k + 1], best[i + 1][k + 1] + alike[i][k])
    pairs = []
    i = k = 0
    while i < len(old) and k < len(new):
        if alike[i][k] and best[i][k] == best[i + 1][k + 1] + alike[i][k]:
            pairs.append((i, k))
            i, k = i + 1, k + 1
        elif best[i][k] == best[i + 1][k]:
            i += 1
        else:
            k += 1
    return pairs


def _alike_parts(old: Part, bag: Counter[Token], new: Part, other: Counter[Token]) -> float:
    """How well two parts pair. Those that stand alone in their kind always do."""
    if old.kind != new.kind:
        return 0.0
    return 2.0 if not old.is_block else _alike(bag, other)


def _alike(bag: Counter[Token], other: Counter[Token]) -> float:
    """The share of words that two texts have in common, or 0 where it is too small to be worth comparing."""
    common = sum(count for token, count in (bag & other).items() if token.is_word)
    words = sum(count for bag_ in (bag, other) for token, count in bag_.items() if token.is_word)
    share = 2 * common / words if words else 1.0
    return share if share >= ALIKE else 0.0


# Words


def _passage(before: Part | None, after: Part | None, clock: _Clock) -> Passage:
    if before and after:
        return Passage(after.label, tuple(_runs(before.tokens, after.tokens, clock)))
    if after:
        return Passage(f"{after.label}, new", (Run("+", after.tokens or EMPTY),))
    assert before
    return Passage(f"{before.label}, taken out", (Run("-", before.tokens or EMPTY),))


def _runs(old: tuple[Token, ...], new: tuple[Token, ...], clock: _Clock) -> Iterator[Run]:
    """The runs of a pair. Texts with little in common are shown whole: a mosaic reads worse than both."""
    if not (clock.left and _alike(Counter(old), Counter(new))):
        yield from (Run(op, tokens) for op, tokens in (("-", old), ("+", new)) if tokens)
        return
    # Tidied, a word between two tags would be struck and put in again: not where no word changed.
    tidy = [token.text for token in old if token.is_word] != [token.text for token in new if token.is_word]
    for op, tokens in _compare(list(old), list(new), max(clock.left / 4, 0.05), tidy):
        yield Run(op, tuple(tokens))


def _compare(
    old: list[Any], new: list[Any], seconds: float, tidy: bool = True
) -> list[tuple[str, list[Any]]]:
    """diff-match-patch over anything hashable: each distinct item stands as one character.

    Where it is to be `tidy`, a word that stayed between two changes counts as changed, for readability.
    """
    codes = {item: _character(number) for number, item in enumerate(dict.fromkeys([*old, *new]))}
    items = {character: item for item, character in codes.items()}
    engine = diff_match_patch()
    engine.Diff_Timeout = seconds
    texts = ("".join(codes[item] for item in side) for side in (old, new))
    diffs = engine.diff_main(*texts, False)
    if tidy:
        engine.diff_cleanupSemantic(diffs)
    signs = {0: "=", -1: "-", 1: "+"}
    return [(signs[op], [items[character] for character in text]) for op, text in diffs]


def _character(number: int) -> str:
    """A character of its own for each number, without the halves of surrogate pairs."""
    code = number + 0x4E00
    return chr(code if code < 0xD800 else code + 0x800)
