"""What stands above the story: the head of a mail, the embargo, the type, the headline."""

import re
from dataclasses import dataclass, field
from itertools import pairwise, takewhile

from stories.intake import embargoes, spotting
from stories.intake.blocks import plain_block
from stories.intake.layout import FULL, Line, Paragraph, paragraph
from stories.intake.sentences import shortened
from stories.intake.shapes import Block, Span

HEADLINE_LIMIT = 200  # a first line longer than this is a paragraph, and the headline the beginning of it
_WHEN = re.compile(r"(?:\d|until\b|not before\b|for\b|mon|tue|wed|thu|fri|sat|sun)", re.IGNORECASE)


@dataclass
class Opening:
    """Reads line by line until it has the headline; `lines` are those that are left."""

    text: str
    seen: str
    lines: list[Line]
    singly: bool
    type: str = ""
    headline: str = ""
    outside: list[Span] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    at: int = 0

    def read(self) -> list[Line]:
        """Fills in what there is, and gives back the lines of the body."""
        self._mail_head()
        while self.at < len(self.lines) and not self.headline:
            self._line(self.lines[self.at])
        return self.lines[self.at :]

    def _mail_head(self) -> None:
        headers = list(takewhile(lambda line: spotting.is_mail_header(self._plain(line)), self.lines))
        if len(headers) > 1:  # one alone may be a headline: "From: a place you know"
            for line in headers:
                self._keep("preamble", line.start, line.end)

    def _line(self, line: Line) -> None:
        plain = self._plain(line)
        if spotting.is_rule(plain) and len(self.lines) > 1:
            self._drop("markup", line.start, line.end)
        elif spotting.is_preamble(plain):
            self._keep("preamble", line.start, line.end)
        elif embargoes.is_embargo(plain, in_body=False):
            self._embargo(line)
        else:
            self._type_or_headline(line, plain)

    def _type_or_headline(self, line: Line, plain: str) -> None:
        skip = spotting.hashes(plain)
        label = None if self.type else spotting.type_label(plain[skip:])
        if not label or (skip + label[1] == len(plain) and self._is_last()):
            self._headline(line._replace(start=line.start + skip), skip)
            return
        self.type, length = label
        self._mark(line.start, skip)
        self.outside.append(Span("type", line.start + skip, line.start + skip + length))
        self._after_type(line._replace(start=line.start + skip + length))

    def _after_type(self, rest: Line) -> None:
        plain = self._plain(rest)
        if not plain:
            self.at += 1
        elif embargoes.is_embargo(plain, in_body=False):
            self._embargo(rest)
        else:
            skip = spotting.hashes(plain)
            self._headline(rest._replace(start=rest.start + skip), skip)

    def _headline(self, line: Line, skip: int) -> None:
        count = self._lines_of_headline(line)
        end = self.lines[self.at + count - 1].end
        part = paragraph(self.text, line.start, end)
        words = part.words.replace("\n", " ")
        if len(words) > HEADLINE_LIMIT or (count > 1 and words[-1] == "."):
            self._headline_from_paragraph(line, words, skip)
            return
        self._mark(line.start - skip, skip)
        self.headline = words
        self._drop("headline", line.start, end, count)

    def _headline_from_paragraph(self, line: Line, words: str, skip: int) -> None:
        # Nothing is used up: the paragraph stays in the body, whole.
        self.headline = shortened(words, HEADLINE_LIMIT // 2)
        self.lines[self.at] = line._replace(start=line.start - skip)

    def _lines_of_headline(self, line: Line) -> int:
        """More than one when a mail program broke it: where the next word would not have fitted in."""
        lines = [line, *self.lines[self.at + 1 : self.at + 6]]
        if self.singly:
            return 1
        lines = [line, *takewhile(lambda other: not other.after_blank, lines[1:])]
        width = max(other.width for other in lines)
        broken = takewhile(lambda pair: self._is_broken(*pair, width), pairwise(lines))
        return 1 + len(list(broken))

    def _is_broken(self, line: Line, below: Line, width: int) -> bool:
        plain = self._plain(below)
        if line.width < FULL or spotting.stands_alone(plain) or embargoes.is_embargo(plain, in_body=False):
            return False
        return line.width + 1 + len(plain[:width].split()[0]) > width

    def _embargo(self, line: Line) -> None:
        end, count = line.end, 1
        below = self.lines[self.at + 1] if not self._is_last() else None
        if below and self._says_when(line, below):
            end, count = below.end, 2
        self._keep("embargo", line.start, end, count)

    def _says_when(self, line: Line, below: Line) -> bool:
        """Whether the moment of the embargo stands on a line of its own below."""
        plain = self._plain(below)
        if len(plain) > 100 or not _WHEN.match(plain) or self._names_moment(line.start, line.end):
            return False
        return self._names_moment(line.start, below.end)

    def _names_moment(self, start: int, end: int) -> bool:
        part = paragraph(self.text, start, end)
        return embargoes.read(part.words, part.plain).local is not None

    def _is_last(self) -> bool:
        return self.at + 1 >= len(self.lines)

    def _plain(self, line: Line) -> str:
        return self.seen[line.start : line.end]

    def _keep(self, kind: str, start: int, end: int, lines: int = 1) -> None:
        part: Paragraph = paragraph(self.text, start, end)
        self.blocks.append(plain_block(kind, part))
        self.at += lines

    def _drop(self, kind: str, start: int, end: int, lines: int = 1) -> None:
        self.outside.append(Span(kind, start, end))
        self.at += lines

    def _mark(self, start: int, length: int) -> None:
        if length:
            self.outside.append(Span("markup", start, start + length))
