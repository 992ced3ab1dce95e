"""From paragraphs to blocks: their text, their HTML, and the account of what each was made of."""

from collections.abc import Sequence
from itertools import groupby

from stories.intake.inline import html
from stories.intake.layout import BLANKS, Paragraph
from stories.intake.quotation import Extent, closing, extent, opens
from stories.intake.shapes import Block
from stories.intake.speakers import Speaker
from stories.intake.spotting import hashes, item

Marks = tuple[tuple[int, int], ...]

_HIDDEN = frozenset({"embargo", "ends", "preamble"})


def plain_block(kind: str, part: Paragraph) -> Block:
    shown = "" if kind in _HIDDEN else _p(part.words)
    return Block(kind, part.words, shown, source=part.range, parts=(part.range,))


def heading_block(part: Paragraph) -> Block:
    skip = hashes(part.plain)
    level = 3 if part.plain[:skip].count("#") > 2 else 2
    words = part.words[skip:]
    shown = f"<h{level}>{html(words)}</h{level}>"
    return Block(
        "heading", words, shown, source=part.range, markup=marks(part.start, skip), parts=(part.range,)
    )


def list_block(items: Sequence[Paragraph]) -> Block:
    text = "\n".join(_on_one_line(part.words) for part in items)
    return Block(
        "list", text, _list_html(items), source=_all(items), parts=tuple(part.range for part in items)
    )


def section_block(kind: str, lead: str, start: int, markup: Marks, body: Sequence[Paragraph]) -> Block:
    """Notes or contacts: a heading, which may be missing, and everything under it."""
    shown = "".join(
        _list_html(list(group)) if is_list else "".join(_p(part.words) for part in group)
        for is_list, group in groupby(body, key=is_item)
    )
    end = body[-1].end if body else start + sum(b - a for a, b in markup) + len(lead)
    text, parts = _section_text(body), tuple(part.range for part in body)
    return Block(kind, text, shown, source=(start, end), lead=lead, markup=markup, parts=parts)


def quote_block(
    speaker: Speaker, lead: Paragraph, said: Sequence[Paragraph], parts: Sequence[Paragraph]
) -> Block:
    """`said` without the lead; `parts` as the input had them, in which the lead may share a paragraph."""
    marked = extent(part.words for part in said)
    bare = [_without_marks(part, place, marked) for place, part in enumerate(said)]
    return Block(
        "quote",
        "\n\n".join(words for words, _ in bare),
        "".join(_p(words) for words, _ in bare),
        speaker.name,
        speaker.role,
        source=_all(parts),
        lead=lead.words,
        markup=tuple(mark for _, taken in bare for mark in taken),
        parts=tuple(part.range for part in parts),
    )


def marks(start: int, length: int) -> Marks:
    return ((start, start + length),) if length else ()


def is_item(part: Paragraph) -> bool:
    return item(part.plain) is not None


def follows_in_list(above: Paragraph, part: Paragraph) -> bool:
    """Whether two items are of one list: both with bullets, or with numbers that follow each other."""
    one, other = item(above.plain), item(part.plain)
    if not one or not other:
        return False
    if one.number is None or other.number is None:
        return one.number is other.number
    return other.number == one.number + 1


def _p(words: str) -> str:
    return f"<p>{html(words)}</p>"


def _all(parts: Sequence[Paragraph]) -> tuple[int, int]:
    return parts[0].start, parts[-1].end


def _on_one_line(words: str) -> str:
    return words.replace("\n", " ")


def _section_text(body: Sequence[Paragraph]) -> str:
    pieces = []
    for above, part in zip([None, *body], body, strict=False):
        if above:
            pieces.append("\n" if is_item(above) and is_item(part) else "\n\n")
        pieces.append(_on_one_line(part.words) if is_item(part) else part.words)
    return "".join(pieces)


def _list_html(items: Sequence[Paragraph]) -> str:
    runs: list[list[Paragraph]] = []
    for part in items:
        if runs and follows_in_list(runs[-1][-1], part):
            runs[-1].append(part)
        else:
            runs.append([part])
    return "".join(map(_run_html, runs))


def _run_html(items: Sequence[Paragraph]) -> str:
    first = item(items[0].plain)
    number = first.number if first else None
    tag = "ul" if number is None else "ol"
    start = f' start="{number}"' if number not in (None, 1) else ""
    inner = "".join(f"<li>{_p(_without_marker(part))}</li>" for part in items)
    return f"<{tag}{start}>{inner}</{tag}>"


def _without_marker(part: Paragraph) -> str:
    found = item(part.plain)
    return _on_one_line(part.words[found.length if found else 0 :])


def _without_marks(part: Paragraph, place: int, marked: Extent) -> tuple[str, Marks]:
    if place >= marked.reach:  # added by a person who read it: only its own pair comes off
        alone = extent([part.words])
        return _stripped(part, alone.each, alone.each)
    is_last = place == marked.reach - 1
    opened = (marked.each or marked.together) and opens(part.words)
    return _stripped(part, opened, marked.each or (marked.together and is_last))


def _stripped(part: Paragraph, opened: bool, closed: bool) -> tuple[str, Marks]:
    words, taken = part.words, []
    if closed:
        at = closing(words)
        taken.append((part.end - len(words) + at, part.end - len(words) + at + 1))
        words = words[:at] + words[at + 1 :]
    if opened:
        taken.insert(0, (part.start, part.start + 1))
        words = words[1:]
    return words.strip(BLANKS), tuple(taken)
