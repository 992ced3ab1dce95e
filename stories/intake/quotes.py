"""Quotes: found in the text, made longer by a person, or turned back into paragraphs."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain

from stories.intake import speakers
from stories.intake.blocks import plain_block, quote_block
from stories.intake.layout import Paragraph, paragraph, view
from stories.intake.quotation import extent, is_left_open, is_whole
from stories.intake.shapes import Block, Recognised
from stories.intake.speakers import Speaker

_COLON_AND_MARK = re.compile(r":\s*(?=[\"'“‘«„])")
_LIMIT = 400


class CannotChange(ValueError):
    """No quote stands at that place, or no paragraph follows it."""


def attribution(text: str, part: Paragraph) -> tuple[Paragraph, Paragraph | None] | None:
    """The words that announce a quote, and the beginning of the quote when it is in the same paragraph."""
    if speakers.announces(part.plain):
        return part, None
    if ":" not in part.plain[:_LIMIT]:
        return None
    # On the source and not on the words: from here an offset in the text is needed.
    found = _COLON_AND_MARK.search(view(text[part.start : min(part.end, part.start + _LIMIT)]))
    if not found:
        return None
    lead = paragraph(text, part.start, part.start + found.start() + 1)
    said = paragraph(text, part.start + found.end(), part.end)
    is_quote = speakers.announces(lead.plain) and (is_whole(said.words) or is_left_open(said.words))
    return (lead, said) if is_quote else None


def quote(
    text: str, part: Paragraph, following: Iterable[Paragraph], known: Sequence[Speaker]
) -> Block | None:
    """The quote that `part` announces, out of as many of the paragraphs that follow as belong to it."""
    found = attribution(text, part)
    speaker = found and speakers.read(found[0].plain, known)
    if not found or not speaker:
        return None
    said = _as_far_as_it_goes(found[1], following)
    parts = [part, *said[found[1] is not None :]]
    return quote_block(speaker, found[0], said, parts) if said else None


def extend_quote(recognised: Recognised, index: int) -> Recognised:
    """The quote at `index` takes in the paragraph after it.

    Raises:
        CannotChange: there is no quote at `index`, or no paragraph after it.
    """
    block = _quote_at(recognised, index)
    after = recognised.blocks[index + 1 : index + 2]
    if not after or after[0].kind not in {"paragraph", "heading"} or after[0].markup:
        raise CannotChange("Only a paragraph can be added to a quote, and none follows this one.")
    longer = _again(recognised.text, block, (*block.parts, *after[0].parts))
    return _with_blocks(recognised, index, index + 2, [longer])


def unquote(recognised: Recognised, index: int) -> Recognised:
    """The quote at `index` becomes the paragraphs it was made of, the attribution first.

    Raises:
        CannotChange: there is no quote at `index`.
    """
    block = _quote_at(recognised, index)
    parts = [plain_block("paragraph", paragraph(recognised.text, *part)) for part in block.parts]
    return _with_blocks(recognised, index, index + 1, parts)


def _as_far_as_it_goes(first: Paragraph | None, following: Iterable[Paragraph]) -> list[Paragraph]:
    taken: list[Paragraph] = []

    def words() -> Iterable[str]:
        for part in chain([first] if first else [], following):
            taken.append(part)
            yield part.words

    # `extent` looks one paragraph further than the quote goes.
    reach = extent(words()).reach
    return taken[:reach]


def _again(text: str, block: Block, ranges: Sequence[tuple[int, int]]) -> Block:
    parts = [paragraph(text, *place) for place in ranges]
    found = attribution(text, parts[0])
    assert found, "a quote begins with its attribution"
    lead, first = found
    said = [first, *parts[1:]] if first else parts[1:]
    return quote_block(Speaker(block.speaker, block.role), lead, said, parts)


def _quote_at(recognised: Recognised, index: int) -> Block:
    if not 0 <= index < len(recognised.blocks) or recognised.blocks[index].kind != "quote":
        raise CannotChange("There is no quote at this place any more. Look at the text again.")
    return recognised.blocks[index]


def _with_blocks(recognised: Recognised, start: int, end: int, new: Sequence[Block]) -> Recognised:
    old = recognised.blocks
    return replace(recognised, blocks=(*old[:start], *new, *old[end:]))
