"""Marks on sentences of a proof: in words for those who hear them, underlined in brackets for those who see.

Each stretch of text is marked by itself, so that the tags of the words stay as they are.
"""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from html import unescape
from itertools import groupby
from typing import Protocol

from django.utils.safestring import SafeString, mark_safe

_PIECE = re.compile(r"<[^<>]*>|&[#\w]+;|.", re.DOTALL)
#: The tags at which a line of text ends.
_LINE = re.compile(r"<(?:br ?/?|/?(?:p|li|ol|ul)(?: [^<>]*)?)>")
_BEFORE = '<span class="heard vh">(you cover this sentence: </span>'
_AFTER = '<span class="heard vh"> end of sentence)</span>'


class Marked(Protocol):
    """What a reader covers: all of it, blocks by their places, sentences by the text in which they stand."""

    @property
    def everything(self) -> bool: ...
    @property
    def blocks(self) -> Collection[int]: ...
    @property
    def sentences(self) -> Mapping[str | int, tuple[str, ...]]: ...
    @property
    def picture(self) -> bool: ...
    @property
    def attachments(self) -> bool: ...
    @property
    def notes(self) -> bool: ...


def in_html(html: SafeString, sentences: Iterable[str]) -> tuple[SafeString, bool]:
    """Clean HTML with marks on `sentences`, in order and as they are read, and whether all were found."""
    wanted = list(sentences)
    if not wanted:
        return html, True
    pieces = _PIECE.findall(html)
    read = [_read(piece) for piece in pieces]
    text = "".join(read)
    # Where in the text each piece begins.
    at, starts = 0, []
    for words in read:
        starts.append(at)
        at += len(words)
    end = 0
    ranges = []
    for sentence in wanted:
        start = text.find(sentence, end)
        if start < 0:
            return html, False
        end = start + len(sentence)
        ranges.append((start, end))
    return mark_safe("".join(_pieces(pieces, starts, ranges))), True  # noqa: S308 - tags of our own, in clean HTML


def _read(piece: str) -> str:
    if piece.startswith("<"):
        return "\n" if _LINE.fullmatch(piece) else ""
    return unescape(piece) if piece.startswith("&") else piece


def _pieces(pieces: list[str], starts: list[int], ranges: list[tuple[int, int]]) -> Iterator[str]:
    """The pieces with marks round the text of each range."""
    inside = [_range_of(piece, at, ranges) for piece, at in zip(pieces, starts, strict=True)]
    first = {number: place for place, number in reversed(list(enumerate(inside)))}
    last = {number: place for place, number in enumerate(inside)}
    place = 0
    for number, run in groupby(inside):
        until = place + len(list(run))
        words = "".join(pieces[place:until])
        if number is None:
            yield words
        else:
            begins, ends = first[number] == place, last[number] == until - 1
            css = f"mine-words{' opens' * begins}{' closes' * ends}"
            yield f'<span class="{css}">{_BEFORE * begins}{words}{_AFTER * ends}</span>'
        place = until


def _range_of(piece: str, at: int, ranges: list[tuple[int, int]]) -> int | None:
    """The number of the range in which a piece of text stands."""
    if piece.startswith("<"):
        return None
    number = bisect_right(ranges, at, key=lambda found: found[0]) - 1
    return number if number >= 0 and at < ranges[number][1] else None
