"""Start from text: from the words of a mail or a Word file to the parts of a story.

It reads and never decides: what it recognised is shown to the person who pasted it, and corrected there.
No character is lost: `Recognised.spans` and `Block.source` account for each.
"""

from stories.intake.decoding import LIMIT, Empty, NotText, TooLong, decode
from stories.intake.quotes import CannotChange, extend_quote, unquote
from stories.intake.recognising import as_json, recognise
from stories.intake.shapes import Block, EmbargoLine, Recognised, Span

__all__ = [
    "LIMIT",
    "Block",
    "CannotChange",
    "EmbargoLine",
    "Empty",
    "NotText",
    "Recognised",
    "Span",
    "TooLong",
    "as_json",
    "decode",
    "extend_quote",
    "recognise",
    "unquote",
]
