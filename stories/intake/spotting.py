"""What a single line or paragraph says of itself: a type, an end, a heading of the small print, a list item.

Every pattern is anchored and is tried on a bounded stretch, so that no input makes it slow.
"""

import re
from typing import NamedTuple

from stories.intake.inline import EMAIL
from stories.kinds import ALSO_CALLED, TYPES

_TYPES = {label.lower(): code for code, label in TYPES.items()} | ALSO_CALLED
_TYPE = re.compile(
    rf"(?P<label>{'|'.join(sorted(map(re.escape, _TYPES), key=len, reverse=True))})"
    r"(?:\s*:\s*|\s+[-–—|]\s*|$)",
    re.IGNORECASE,
)
_HASHES = re.compile(r"#{1,6}\s+(?=\S)")
_RULE = re.compile(r"(?:[-–—_=]{2,}|\*{3,}|[-*_](?: [-*_]){2,})$")
_ENDS = re.compile(
    r"(?:(?:ends|END)|[-–—*#/_~\[(<\s]+ends?[-–—*#/_~\])>\s.]*|ends?[-–—*#/_~.:]+|(?:# ?){3,10}|-30-)$", re.I
)
_NOTES = re.compile(
    r"(?:(?:background )?notes? (?:to|for) (?:the )?editors?|editor(?:s['’]?|['’]s) notes?)"
    r"(?: and [a-z]+)?\s*(?P<stop>[:.]|[-–—]?$)\s*",
    re.IGNORECASE,
)
_CONTACTS = re.compile(
    r"(?:(?:media|press|news|public|for media|for press|general)\s+)?"
    r"(?:contacts?|enquiries|inquiries|enquiry|queries|(?:press|media|news) (?:office|team|desk)"
    r"|media relations|for (?:further|more) information)"
    r"(?: details| information| us)?"
    r"\s*(?P<stop>[:–—-]|,?\s(?:please\s)?(?:contact|call|email|e-mail|ring)\b|$)\s*",
    re.IGNORECASE,
)
_PHONE = re.compile(r"(?:\+\d|\(?0\d)[\d ()./-]{6,20}\d", re.ASCII)
_NUMBER = re.compile(r"(\(?(\d{1,3})[.)])\s+(?=\S)", re.ASCII)
_BULLET = re.compile(r"(?:([•·▪◦‣●○■□➢*\uf0b7\uf0a7-]|–)\s+|([o§Øü])\t\s*)(?=\S)")
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_DAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?"
_DATE_ALONE = re.compile(
    rf"(?:(?:date|published|issued|released)(?: on)?:?\s+)?(?:[^\d,.;:]{{2,40}},\s+)?(?:{_DAY},?\s+)?"
    rf"(?:the\s+)?(?:\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}|{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?),?\s+\d{{4}}\.?$",
    re.IGNORECASE | re.ASCII,
)
_RELEASE_LINE = re.compile(
    r"(?:for )?immediate release\b.{0,60}$|(?:please )?check against delivery\W{0,3}$", re.I
)
_MAIL_HEADER = re.compile(
    r"(?:from|to|cc|bcc|sent|date|subject|reply-to|importance|attachments?):(?:\s|$)", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"[.!?][\"'”’)]*\s+(?=[\"'“‘(]?[A-Z0-9])")
_LABEL_LIMIT = 120


class Item(NamedTuple):
    """The marker of a list item: how long it is, and its number if it has one."""

    length: int
    number: int | None


def type_label(plain: str) -> tuple[str, int] | None:
    """The code of the type that the line names first, and how many characters that takes."""
    found = _TYPE.match(plain)
    return (_TYPES[found["label"].lower()], found.end()) if found else None


def hashes(plain: str) -> int:
    """How many characters of a heading's markup the line begins with."""
    found = _HASHES.match(plain)
    return found.end() if found else 0


def is_rule(plain: str) -> bool:
    return len(plain) <= _LABEL_LIMIT and bool(_RULE.match(plain))


def is_ends(plain: str) -> bool:
    return len(plain) <= 30 and bool(_ENDS.match(plain))


def notes_lead(plain: str) -> int:
    """How many characters of the paragraph are a "Notes to editors" heading."""
    return _lead(_NOTES, plain)


def contacts_lead(plain: str) -> int:
    """How many characters are a heading of contacts: a whole line, or a label before a telephone number."""
    length = _lead(_CONTACTS, plain)
    if length == len(plain) or not length:
        return length
    return length if has_contact(plain) else 0


def has_contact(plain: str) -> bool:
    return bool(_PHONE.search(plain) or EMAIL.search(plain))


def item(words: str) -> Item | None:
    number = _NUMBER.match(words)
    if number:
        return Item(number.end(), int(number[2]))
    bullet = _BULLET.match(words)
    return Item(bullet.end(), None) if bullet else None


def is_dash(words: str) -> bool:
    """Whether a marker could as well be a dash within a sentence, at which a mail program broke the line."""
    return words[:1] in "-–*" or words[:1].isdigit()


def is_preamble(plain: str) -> bool:
    """A line above the story that is not part of it: when it goes out, or when it is dated."""
    return len(plain) <= _LABEL_LIMIT and bool(_RELEASE_LINE.match(plain) or _DATE_ALONE.match(plain))


def is_mail_header(plain: str) -> bool:
    return bool(_MAIL_HEADER.match(plain))


def stands_alone(plain: str) -> bool:
    """Whether a line is a paragraph whatever stands above and below it."""
    if len(plain) > _LABEL_LIMIT:
        return False
    return bool(is_rule(plain) or is_ends(plain) or hashes(plain) or _is_whole_lead(plain))


def could_be_heading(plain: str) -> bool:
    return len(plain) <= 80 and (plain[0].isupper() or plain[0].isdigit()) and plain[-1] not in ".:;,"


def is_long_enough_for_heading(plain: str) -> bool:
    """Whether the paragraph is long enough for the short line above it to be its heading."""
    return len(plain) > 100 or bool(_SENTENCE_END.search(plain))


def _is_whole_lead(plain: str) -> bool:
    return len(plain) in (notes_lead(plain), contacts_lead(plain))


def _lead(pattern: re.Pattern[str], plain: str) -> int:
    skip = hashes(plain)
    found = pattern.match(plain, skip, min(len(plain), skip + _LABEL_LIMIT))
    if not found or (found.end() < len(plain) and not found["stop"]):
        return 0
    return found.end()
