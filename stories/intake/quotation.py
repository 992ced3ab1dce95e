"""Quotation marks round a quote: which paragraphs they hold together, and how to take them off.

The page sets its own marks, so those of the input come off, but only where they are one pair round the whole.
"""

from collections.abc import Iterable
from typing import NamedTuple

PAIRS = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "„": "“”"}
_STOPS = ".,;!?"


class Extent(NamedTuple):
    """How many paragraphs a quote holds, and whether the marks of each, or of all together, are a pair."""

    reach: int
    each: bool = False
    together: bool = False


def opens(words: str) -> bool:
    if words[:1] not in PAIRS:
        return False
    return words[0] == "«" or not words[1:2].isspace()  # the French put a space there


def extent(paragraphs: Iterable[str]) -> Extent:
    """How far the quote reaches that begins with the first of the paragraphs."""
    following = iter(paragraphs)
    first = next(following, None)
    if first is None:
        return Extent(0)
    if is_whole(first):
        return Extent(1 + _run_of_whole(following, first[0]), each=True)
    if is_left_open(first):
        return _to_the_closing_mark(following, first[0])
    return Extent(1)


def is_whole(words: str) -> bool:
    """One pair of marks round everything: “Like this.” and not “This,” he said, “and this.”"""
    return opens(words) and closing(words) > 0 and _is_one_pair(words)


def is_left_open(words: str) -> bool:
    """A mark at the start that nothing closes: the quote goes on in the next paragraph."""
    if not opens(words):
        return False
    mark = words[0]
    if mark == '"':
        return words.count(mark) % 2 == 1
    if mark in "'‘":  # its closing mark is the apostrophe as well
        return mark == "‘" and words.count(mark) == 1 and closing(words) < 0
    return _depth(words, mark) > 0


def closing(words: str) -> int:
    """Where the closing mark at the end is, be it before or after the full stop; -1 if there is none."""
    closers = PAIRS.get(words[:1]) or "".join(PAIRS.values())
    return _closing(words, closers)


def _closing(words: str, closers: str) -> int:
    last = len(words) - 1
    if last > 0 and words[last] in closers:
        return last
    # ”. as the British put it; a stop on both sides would leave two.
    if last > 1 and words[last] in _STOPS and words[last - 1] in closers and words[last - 2] not in _STOPS:
        return last - 1
    return -1


def _run_of_whole(following: Iterable[str], mark: str) -> int:
    count = 0
    for words in following:
        if words[:1] != mark or not is_whole(words):
            break
        count += 1
    return count


def _to_the_closing_mark(following: Iterable[str], mark: str) -> Extent:
    count = 1
    for words in following:
        again = words[:1] == mark
        if again and is_left_open(words):
            count += 1
        elif (again and is_whole(words)) or (not again and _only_closes(words, mark)):
            return Extent(count + 1, together=True)
        else:
            break
    return Extent(count)


def _only_closes(words: str, mark: str) -> bool:
    return mark not in "'‘" and _closing(words, PAIRS[mark]) >= 0 and _depth(mark + words, mark) == 0


def _is_one_pair(words: str) -> bool:
    mark, inside = words[0], words[1 : closing(words)]
    if mark == '"':
        return mark not in inside
    if mark in "'‘":
        return mark not in inside if mark == "‘" else " '" not in inside
    return _depth(words, mark) == 0 and _never_closed(inside, mark)


def _never_closed(inside: str, mark: str) -> bool:
    """Whether the first mark stays open all through: no “one” and “another”."""
    depth = 1
    for char in inside:
        depth += (char == mark) - (char in PAIRS[mark])
        if depth == 0:
            return False
    return True


def _depth(words: str, mark: str) -> int:
    if mark == '"':
        return words.count(mark) % 2
    return words.count(mark) - sum(words.count(closer) for closer in PAIRS[mark])
