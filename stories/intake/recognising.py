"""The reading of a text as a whole: what stands above the story, the story, what stands below it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from stories.intake import embargoes, layout
from stories.intake.body import Body
from stories.intake.decoding import Empty, checked, refuse_too_many
from stories.intake.inline import without_link_markup
from stories.intake.opening import Opening
from stories.intake.paragraphs import paragraphs
from stories.intake.sentences import shortened
from stories.intake.shapes import Block, EmbargoLine, Recognised
from stories.kinds import DEFAULT_TYPE

SUMMARY_LIMIT = 300


def recognise(text: str) -> Recognised:
    """What a pasted text is made of.

    Raises:
        TooLong, Empty, NotText: with a sentence for the person who pasted it.
    """
    text = layout.even_line_ends(checked(text))
    seen = layout.view(text)
    lines = layout.lines(seen)
    if not lines:
        raise Empty(
            "There is nothing in it but white space. Paste the words of the story, or choose another file."
        )
    refuse_too_many(len(lines))
    singly = layout.one_paragraph_a_line(lines)
    opening = Opening(text, seen, lines, singly)
    body = Body(text, list(paragraphs(text, seen, opening.read(), singly=singly)))
    body.read()
    blocks = (*opening.blocks, *body.blocks)
    return Recognised(
        type=opening.type or DEFAULT_TYPE,
        headline=opening.headline,
        summary=_summary(blocks),
        blocks=blocks,
        embargo=_embargo(blocks),
        text=text,
        type_given=bool(opening.type),
        outside=(*opening.outside, *body.outside),
    )


def as_json(recognised: Recognised) -> dict[str, Any]:
    """What was recognised as scripts read it: the caller adds the story's `id`."""
    return {
        "type": recognised.type,
        "headline": recognised.headline,
        "summary": recognised.summary,
        "embargo": _embargo_as_json(recognised.embargo),
        "blocks": [_block_as_json(block) for block in recognised.blocks],
    }


def _block_as_json(block: Block) -> dict[str, str]:
    shown = {"kind": block.kind, "text": block.text}
    if block.kind == "quote":
        shown |= {"speaker": block.speaker, "role": block.role}
    return shown | ({"lead": block.lead} if block.lead else {})


def _embargo_as_json(line: EmbargoLine | None) -> dict[str, str | None] | None:
    if line is None:
        return None
    local = line.local.isoformat() if line.local else None
    return {"text": line.text, "local": local, "zone": line.zone, "doubt": line.doubt}


def _summary(blocks: Sequence[Block]) -> str:
    """The first paragraph, which stays in the story as well: a summary is rewritten more often than not."""
    first = next((block.text for block in blocks if block.kind == "paragraph"), "")
    # Much more than fits, so that the markup of links can go first.
    return shortened(without_link_markup(first[: 10 * SUMMARY_LIMIT]), SUMMARY_LIMIT)


def _embargo(blocks: Sequence[Block]) -> EmbargoLine | None:
    found = [
        embargoes.read(block.text, layout.view(block.text)) for block in blocks if block.kind == "embargo"
    ]
    dated = [line for line in found if line.local]
    if len({(line.local, line.zone) for line in dated}) > 1:
        return replace(dated[0], local=None, doubt="The text gives more than one embargo.")
    return next(iter([*dated, *found]), None)
