"""A pasted text becomes a story: what was recognised is the first revision, and the text is kept whole."""

from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from . import content as shape
from . import drafting, intake, richtext
from .models import Intake, Revision, Team, User
from .moments import Moment, NonexistentTime, resolve

IN_BODY = {"paragraph", "quote", "heading", "list"}


@dataclass(frozen=True)
class Change:
    """A person's correction of what was recognised: `extend` or `unquote` the block with this number."""

    verb: str
    block: int


def corrected(text: str, changes: list[Change]) -> intake.Recognised:
    """What is recognised in `text`, with the corrections made in their order.

    Raises:
        intake.NotText, intake.TooLong, intake.Empty: it cannot be read at all.
        ValueError: a correction does not fit.
    """
    recognised = intake.recognise(text)
    verbs = {"extend": intake.extend_quote, "unquote": intake.unquote}
    for change in changes:
        if change.verb not in verbs or not 0 <= change.block < len(recognised.blocks):
            raise ValueError("This correction does not fit the text.")
        recognised = verbs[change.verb](recognised, change.block)
    return recognised


def summary_block(recognised: intake.Recognised) -> int | None:
    """The number of the paragraph that is the summary, word for word. The page shows it once, as its lead."""
    for number, block in enumerate(recognised.blocks):
        if block.kind in IN_BODY:
            same = block.kind == "paragraph" and block.text.split() == recognised.summary.split()
            return number if same else None
    return None


def content_of(recognised: intake.Recognised) -> dict[str, Any]:
    """The content of a first revision. The paragraph that is the summary is not said twice."""
    body: list[richtext.Block] = []
    summary = summary_block(recognised)
    for number, block in enumerate(recognised.blocks):
        if number == summary:
            continue
        if block.kind == "quote":
            inner = "".join(part["html"] for part in richtext.to_blocks(block.html))
            body.append({"kind": "quote", "html": inner, "speaker": block.speaker, "role": block.role})
        elif block.kind in IN_BODY:
            body += richtext.to_blocks(block.html)
    return {
        **shape.blank(),
        "type": recognised.type,
        "headline": recognised.headline[:200],
        "slug": slugify(recognised.headline)[:100].strip("-") or "story",
        "summary": recognised.summary,
        "body": body,
        "notes": richtext.inline_notes("".join(block.html for block in recognised.notes)),
        "contacts": "\n\n".join(_as_typed(recognised, block) for block in recognised.contacts),
    }


def _as_typed(recognised: intake.Recognised, block: intake.Block) -> str:
    """The lines of a block as they stand in the text, without the words that introduce it."""
    start, end = block.source
    words = recognised.text[start:end].removeprefix(block.lead).removeprefix(":")
    return "\n".join(line.strip() for line in words.strip().split("\n"))


def embargo_of(recognised: intake.Recognised) -> Moment | None:
    """The moment that the text's embargo line names, where it names one that exists."""
    line = recognised.embargo
    if line is None or line.local is None:
        return None
    try:
        return resolve(line.local.date(), line.local.time(), line.zone, fold=0)
    except NonexistentTime:
        return None


@transaction.atomic
def begin(
    *,
    by: User,
    recognised: intake.Recognised,
    content: dict[str, Any],
    embargo: bool = True,
    team: Team | None = None,
) -> Revision:
    """Begin a story from a text: its words as corrected, the text itself, and the embargo if wanted."""
    revision = drafting.begin(by=by, content=content, origin="text", team=team)
    Intake.objects.create(story=revision.story, by=by, text=recognised.text)
    moment = embargo_of(recognised) if embargo else None
    if moment:
        drafting.plan_embargo(story=revision.story, by=by, moment=moment)
    return revision


def with_words(
    recognised: intake.Recognised,
    *,
    kind: str = "",
    headline: str = "",
    summary: str = "",
) -> intake.Recognised:
    """The same with a type, headline or summary that a person corrected."""
    return replace(
        recognised,
        type=kind or recognised.type,
        headline=headline or recognised.headline,
        summary=summary or recognised.summary,
    )
