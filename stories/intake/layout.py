"""From characters to lines, and from a stretch of lines to the words of a paragraph."""

from dataclasses import dataclass
from typing import NamedTuple

BREAKS = "\n\v\f\x85\u2028\u2029"
_SPACES = " \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_INVISIBLE = "\u180e\u200b\u2060\ufeff"
BLANKS = f"{BREAKS}\t{_SPACES}{_INVISIBLE}"

# One character for one, so that an offset means the same in the view as in the text.
_VIEW = str.maketrans({**dict.fromkeys(BREAKS, "\n"), **dict.fromkeys(_SPACES + _INVISIBLE, " ")})

FULL = 45  # a line this long, followed by another, was broken by a mail program and not by a person
WIDE = 120  # and a line longer than this was not broken at all


class Line(NamedTuple):
    """A line that is not blank, without the white space round it."""

    start: int
    end: int
    indented: bool
    after_blank: bool

    @property
    def width(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Paragraph:
    """`words` as typed, the breaks of a mail program undone; `plain`, the same with every blank a space."""

    start: int
    end: int
    words: str
    plain: str

    @property
    def range(self) -> tuple[int, int]:
        return self.start, self.end


def even_line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def view(text: str) -> str:
    """The text for matching, of the same length: every blank is a space, and every break a newline."""
    return text.translate(_VIEW)


def lines(seen: str) -> list[Line]:
    found: list[Line] = []
    at, after_blank = 0, False
    for raw in seen.split("\n"):
        words = raw.strip()
        if words:
            lead = len(raw) - len(raw.lstrip())
            found.append(Line(at + lead, at + lead + len(words), lead > 0, after_blank))
        after_blank = not words
        at += len(raw) + 1
    return found


def one_paragraph_a_line(found: list[Line]) -> bool:
    """Whether a line end is a paragraph's end, as it is in text from a word processor."""
    if not any(line.after_blank for line in found[1:]):
        return True
    long = sum(line.width for line in found if line.width >= FULL)
    return 2 * sum(line.width for line in found if line.width > WIDE) > long


def paragraph(text: str, start: int, end: int) -> Paragraph:
    stretch = text[start:end]
    seen = view(stretch)
    if "\n" not in seen:
        return _one_line(stretch, seen, start)
    rows = lines(seen)
    words = _joined([stretch[row.start : row.end] for row in rows])
    plain = " ".join(seen[row.start : row.end] for row in rows)
    return Paragraph(start + rows[0].start, start + rows[-1].end, words, plain)


def without_beginning(text: str, part: Paragraph, length: int) -> Paragraph:
    """The paragraph after the first `length` characters of its words."""
    # Where a line was joined to the next, the words are shorter than the text: only what is visible counts.
    left = sum(char not in BLANKS for char in part.words[:length])
    start = part.start
    while left:
        left -= text[start] not in BLANKS
        start += 1
    return paragraph(text, start, part.end)


def _one_line(stretch: str, seen: str, start: int) -> Paragraph:
    plain = seen.strip()
    skip = len(seen) - len(seen.lstrip())
    return Paragraph(start + skip, start + skip + len(plain), stretch[skip : skip + len(plain)], plain)


def _joined(rows: list[str]) -> str:
    # A short line was ended by the person who typed it (an address, a verse): that end is kept.
    joints = [" " if len(row) >= FULL else "\n" for row in rows[:-1]]
    return "".join(row + joint for row, joint in zip(rows, [*joints, ""], strict=True))
