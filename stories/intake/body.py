"""The story itself, and what stands below it: the end, notes, contacts."""

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from stories.intake import embargoes, quotes, spotting
from stories.intake.blocks import (
    follows_in_list,
    heading_block,
    is_item,
    list_block,
    marks,
    plain_block,
    section_block,
)
from stories.intake.layout import BLANKS, Paragraph, without_beginning
from stories.intake.shapes import Block, Span
from stories.intake.speakers import Speaker

_NOTES_ALONE = re.compile(r"notes?\s*:?$", re.IGNORECASE)
_SHORT = 160


@dataclass
class _Section:
    """Notes or contacts that are being collected."""

    kind: str
    start: int
    lead: str = ""
    markup: tuple[tuple[int, int], ...] = ()
    parts: list[Paragraph] = field(default_factory=list)


@dataclass
class Body:
    """Goes from paragraph to paragraph; each step takes what it knows and says whether it did."""

    text: str
    parts: Sequence[Paragraph]
    blocks: list[Block] = field(default_factory=list)
    outside: list[Span] = field(default_factory=list)
    at: int = 0
    in_story: bool = False  # past what may stand between headline and story
    ended: bool = False
    mode: str = ""  # "notes" or "contacts": what a paragraph belongs to that says nothing of itself
    section: _Section | None = None
    quoted: deque[Speaker] = field(default_factory=lambda: deque(maxlen=20))  # the latest first

    def read(self) -> None:
        steps = (
            self._rule,
            self._ends,
            self._heading_of_section,
            self._embargo,
            self._preamble,
            self._in_section,
            self._list,
            self._quote,
            self._heading,
            self._paragraph,
        )
        while self.at < len(self.parts):
            part = self.parts[self.at]
            next(step for step in steps if step(part))
        self._close()

    def _rule(self, part: Paragraph) -> bool:
        if not spotting.is_rule(part.plain):
            return False
        self._close()
        self.outside.append(Span("markup", *part.range))
        self.at += 1
        return True

    def _ends(self, part: Paragraph) -> bool:
        if not spotting.is_ends(part.plain):
            return False
        self.ended, self.mode = True, ""
        return self._add(plain_block("ends", part))

    def _heading_of_section(self, part: Paragraph) -> bool:
        kind, length = self._lead(part)
        if not kind:
            return False
        self._close()
        self.mode = kind
        skip = spotting.hashes(part.plain)
        lead = part.words[skip:length].rstrip(BLANKS)
        self.section = _Section(kind, part.start, lead, marks(part.start, skip))
        if length < len(part.words):
            self.section.parts.append(without_beginning(self.text, part, length))
        self.at += 1
        return True

    def _lead(self, part: Paragraph) -> tuple[str, int]:
        """Which section the paragraph is the heading of, and how many characters of it are."""
        length = spotting.notes_lead(part.plain)
        if length:
            return "notes", length
        if self.ended and _NOTES_ALONE.match(part.plain):
            return "notes", len(part.plain)
        is_contacts = spotting.contacts_lead(part.plain) == len(part.plain)
        return ("contacts", len(part.plain)) if is_contacts else ("", 0)

    def _embargo(self, part: Paragraph) -> bool:
        in_body = self.in_story and not self.ended
        if not embargoes.is_embargo(part.plain, in_body=in_body):
            return False
        return self._add(plain_block("embargo", part))

    def _preamble(self, part: Paragraph) -> bool:
        if self.in_story or not spotting.is_preamble(part.plain):
            return False
        return self._add(plain_block("preamble", part))

    def _in_section(self, part: Paragraph) -> bool:
        kind = self._section_of(part)
        if not kind:
            return False
        if not self.section or self.section.kind != kind:
            self._close()
            self.section = _Section(kind, part.start)
        self.section.parts.append(part)
        self.at += 1
        return True

    def _section_of(self, part: Paragraph) -> str:
        # "Media enquiries: 020 ..." within the story is one paragraph; a heading is for all that follows.
        if spotting.contacts_lead(part.plain):
            return "contacts"
        if not self.mode and not self.ended:
            return ""
        return "contacts" if self._is_contact(part, self.at) else self.mode or "notes"

    def _is_contact(self, part: Paragraph, at: int) -> bool:
        if len(part.plain) > _SHORT or spotting.item(part.plain):
            return False
        if spotting.has_contact(part.plain):
            return True
        is_name = len(part.plain) <= 60 and part.plain[-1] not in ".:;" and at == self.at
        return (
            self.ended
            and is_name
            and at + 1 < len(self.parts)
            and self._is_contact(self.parts[at + 1], at + 1)
        )

    def _list(self, part: Paragraph) -> bool:
        if not is_item(part):
            return False
        end = self.at + 1
        while end < len(self.parts) and follows_in_list(self.parts[end - 1], self.parts[end]):
            end += 1
        return self._add(list_block(self.parts[self.at : end]), end - self.at)

    def _quote(self, part: Paragraph) -> bool:
        following = (self.parts[i] for i in range(self.at + 1, len(self.parts)))
        found = quotes.quote(self.text, part, takewhile(self._could_be_said, following), self.quoted)
        if not found:
            return False
        self.quoted.appendleft(Speaker(found.speaker, found.role))
        return self._add(found, len(found.parts))

    def _could_be_said(self, part: Paragraph) -> bool:
        """Whether a paragraph is nothing but words: no heading, no item, no announcement of another quote."""
        plain = part.plain
        return not (
            spotting.stands_alone(plain)
            or is_item(part)
            or spotting.contacts_lead(plain)
            or any(self._lead(part))
            or embargoes.is_embargo(plain, in_body=True)
            or quotes.attribution(self.text, part)
        )

    def _heading(self, part: Paragraph) -> bool:
        if not spotting.hashes(part.plain) and not self._looks_like_heading(part):
            return False
        return self._add(heading_block(part))

    def _looks_like_heading(self, part: Paragraph) -> bool:
        """A short line like a title, above a paragraph long enough to need one."""
        if not spotting.could_be_heading(part.plain) or spotting.has_contact(part.plain):
            return False
        below = self.parts[self.at + 1 : self.at + 2]
        return bool(
            below
            and "\n" not in part.words
            and spotting.is_long_enough_for_heading(below[0].plain)
            and self._could_be_said(below[0])
        )

    def _paragraph(self, part: Paragraph) -> bool:
        return self._add(plain_block("paragraph", part))

    def _add(self, block: Block, parts: int = 1) -> bool:
        self._close()
        self.blocks.append(block)
        self.in_story = self.in_story or block.kind not in {"embargo", "preamble"}
        self.at += parts
        return True

    def _close(self) -> None:
        if self.section:
            found = self.section
            self.blocks.append(section_block(found.kind, found.lead, found.start, found.markup, found.parts))
        self.section = None
