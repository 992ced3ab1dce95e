"""Where one paragraph ends and the next begins."""

from collections.abc import Iterator

from stories.intake import embargoes, speakers, spotting
from stories.intake.layout import FULL, WIDE, Line, Paragraph, paragraph


def paragraphs(text: str, seen: str, found: list[Line], *, singly: bool) -> Iterator[Paragraph]:
    """The paragraphs that the lines make; `singly` when each line is one."""
    start = 0
    for at in range(1, len(found) + 1):
        if at == len(found) or singly or _parts(seen, found, start, at):
            yield paragraph(text, found[start].start, found[at - 1].end)
            start = at


def _parts(seen: str, found: list[Line], start: int, at: int) -> bool:
    """Whether a paragraph that began at line `start` ends above line `at`."""
    above, line = found[at - 1], found[at]
    if line.after_blank or max(above.width, line.width) > WIDE:
        return True
    plain = seen[line.start : line.end]
    return (
        (at - 1 == start and spotting.stands_alone(seen[above.start : above.end]))
        or spotting.stands_alone(plain)
        or embargoes.is_embargo(plain, in_body=True)
        or _ends_attribution(seen, found[start], above)
        or _begins_item(seen, found, start, at)
        or _leaves_item(seen, found[start], above, line)
    )


def _ends_attribution(seen: str, first: Line, above: Line) -> bool:
    if seen[above.end - 1] != ":" or above.end - first.start > 300:
        return False
    return speakers.announces(" ".join(seen[first.start : above.end].split()))


def _begins_item(seen: str, found: list[Line], start: int, at: int) -> bool:
    plain = _words(seen, found[at])
    if not spotting.item(plain):
        return False
    return not spotting.is_dash(plain) or _is_likely_item(seen, found, start, at)


def _is_likely_item(seen: str, found: list[Line], start: int, at: int) -> bool:
    # A mail program may have broken a sentence right before its dash, or before "5." at the end of another.
    above, next_line = found[at - 1], found[at + 1] if at + 1 < len(found) else None
    return (
        above.width < FULL
        or seen[above.end - 1] == ":"
        or spotting.item(_words(seen, found[start])) is not None
        or (
            next_line is not None
            and not next_line.after_blank
            and spotting.item(_words(seen, next_line)) is not None
        )
    )


def _leaves_item(seen: str, first: Line, above: Line, line: Line) -> bool:
    """A list item goes on in the next line when that is indented, or when the item filled its line."""
    return not line.indented and above.width < FULL and spotting.item(_words(seen, first)) is not None


def _words(seen: str, line: Line) -> str:
    return seen[line.start : min(line.end, line.start + 40)]
