"""What comes out of reading a text: plain values, and the accounting that shows nothing was lost."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the normalised text and what it was taken for."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class EmbargoLine:
    """An embargo as the text words it: an offer to a person, never an order."""

    text: str
    local: datetime | None  # without a zone: the wall clock in `zone`
    zone: str
    doubt: str = ""  # what a person should look at before accepting it


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of the story.

    `source` is the stretch of the normalised text that the block accounts for. All of it that is not
    white space is in `lead` or `text`, or was taken for `markup`: quotation marks the page adds, `#`.
    `html` is safe to insert. For a quote it is the paragraphs alone; for lines that are not part of the story
    (embargo, ends, preamble) it is empty, so that joining every block's html cannot publish them.
    """

    kind: str
    text: str
    html: str
    speaker: str = ""
    role: str = ""
    source: tuple[int, int] = (0, 0)
    lead: str = ""  # the words that introduce it: "NAME said:", "Notes to editors"
    markup: tuple[tuple[int, int], ...] = ()
    parts: tuple[tuple[int, int], ...] = ()  # the paragraphs of the input that it was made of


@dataclass(frozen=True)
class Recognised:
    type: str
    headline: str
    summary: str
    blocks: tuple[Block, ...]
    embargo: EmbargoLine | None
    text: str  # the input with its line ends made alike; every offset counts characters of this
    type_given: bool = False  # the text named its type; otherwise it is the usual one
    outside: tuple[Span, ...] = ()  # what is in no block: the type's label, the headline, ruled lines

    @property
    def notes(self) -> tuple[Block, ...]:
        return self._of_kind("notes")

    @property
    def contacts(self) -> tuple[Block, ...]:
        return self._of_kind("contacts")

    @property
    def spans(self) -> tuple[Span, ...]:
        """In order and without overlap; between them, and at both ends, the text is only white space."""
        blocks = [Span(block.kind, *block.source) for block in self.blocks]
        return tuple(sorted((*blocks, *self._between_blocks()), key=lambda span: span.start))

    def _of_kind(self, kind: str) -> tuple[Block, ...]:
        return tuple(block for block in self.blocks if block.kind == kind)

    def _between_blocks(self) -> list[Span]:
        # A quote that was extended over a ruled line has that line inside it.
        blocks = iter(self.blocks)
        block, found = next(blocks, None), []
        for span in self.outside:
            while block and block.source[1] <= span.start:
                block = next(blocks, None)
            if not (block and block.source[0] <= span.start):
                found.append(span)
        return found
