"""The sentences of a content that contain a number: the twin of `content_figures` in PostgreSQL.

Where it is in doubt a sentence is longer, or has a figure: that voids a sign-off too often, and never too
seldom. All classes of characters are spelled out, so that no collation and no version decides.

What it cannot see: a number in letters of another script that look like ours, in Roman numerals or in words
of another language; and what the sentences around say of a figure, or the heading above it. Not looked at
are contacts, the address, names and roles, the credit of a picture and the titles of attachments.
"""

import re
from collections.abc import Iterator
from html import escape, unescape
from typing import Any, NamedTuple
from unicodedata import normalize

_WHITE = r" \t\n\r\f\v\u00a0"
_SPACES = _WHITE + r"\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_UNSEEN = (
    r"\u0001-\u0008\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
)
_DIGITS = (
    r"0-9\u00b2\u00b3\u00b9\u00bc-\u00be\u0660-\u0669\u06f0-\u06f9\u07c0-\u07c9\u0966-\u096f\u09e6-\u09ef"
    r"\u0a66-\u0a6f\u0ae6-\u0aef\u0b66-\u0b6f\u0be6-\u0bef\u0c66-\u0c6f\u0ce6-\u0cef\u0d66-\u0d6f"
    r"\u0de6-\u0def\u0e50-\u0e59\u0ed0-\u0ed9\u0f20-\u0f33\u1040-\u1049\u1090-\u1099\u17e0-\u17e9"
    r"\u1810-\u1819\u1946-\u194f\u19d0-\u19da\u1a80-\u1a89\u1a90-\u1a99\u1b50-\u1b59\u1bb0-\u1bb9"
    r"\u1c40-\u1c49\u1c50-\u1c59\u2070\u2074-\u2079\u2080-\u2089\u2150-\u218b\u2460-\u249b\u24ea-\u24ff"
    r"\u2776-\u2793\u3007\u3021-\u3029\u3220-\u3229\u3248-\u325f\u3280-\u3289\u32b1-\u32bf\ua620-\ua629"
    r"\ua8d0-\ua8d9\ua900-\ua909\ua9d0-\ua9d9\ua9f0-\ua9f9\uaa50-\uaa59\uabf0-\uabf9\uff10-\uff19"
    r"\U0001d7ce-\U0001d7ff\U0001f100-\U0001f10c\U0001fbf0-\U0001fbf9"
)
_SIGNS = r"%\u2030\u2031\u066a\uff05\ufe6a"
_BREAK = r"<br ?/?>"
_MARK = r"</?(?:strong|em|a(?: [^<>]*)?)>"

# Canonical HTML: marks closed inside their block, links outside, then strong, then em. Written so that it
# takes linear time without possessive quantifiers, which are faulty in the first versions of Python 3.11.
_TEXT = r"[^<>\x01\x02]*"
_EM = rf"<em>{_TEXT}(?:{_BREAK}{_TEXT})*</em>"
_STRONG = rf"<strong>{_TEXT}(?:(?:{_BREAK}|{_EM}){_TEXT})*</strong>"
_LINK = rf'<a href="[^"<>\x01\x02{_SPACES}]*">{_TEXT}(?:(?:{_BREAK}|{_EM}|{_STRONG}){_TEXT})*</a>'
_BLOCK = re.compile(r"</?(?:p|h2|h3|ul|ol|li)>")
_CANONICAL = re.compile(rf"{_TEXT}(?:(?:{_BREAK}|{_BLOCK.pattern}|{_EM}|{_STRONG}|{_LINK}){_TEXT})*")

_AFTER_STOP = r'(?:["”’\u0027»)\]]|</(?:a|strong|em)>)*'
_STOP = re.compile(rf"[.!?…]{_AFTER_STOP}(?=[{_WHITE}]|{_BREAK})")
_LEAD = re.compile(rf"\A(?:[{_WHITE}]|{_BREAK})+")
#: How a piece begins that is no sentence of its own: "No. 5", "approx. £5".
_GOES_ON = re.compile(
    rf"(?:[{_WHITE}{_UNSEEN}]|{_BREAK}|{_MARK}|[\"“”\u0027‘’«(\[])*"
    rf"[-a-z{_DIGITS}{_SIGNS}+−–—±~≈=#&…$\u00a2-\u00a5\u20a0-\u20cf]"
)
#: How a piece ends after which the sentence goes on: "approx.", "Dr.", "U.K."
_SHORT = (
    "[a-z]|nos?|approx|est|ca|vs|cf|eg|ie|etc|al|mrs?|ms|mx|dr|prof|revd?|hon|st|inc|ltd|co|corp|gov|sen|rep"
    "|gen|col|lt|sgt|maj|capt|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|figs?|paras?|pp|vol|art|sec|dept"
    "|min|max|avg"
)
_GOES_ON_AFTER = re.compile(rf"(?<![a-z])(?:{_SHORT})(?:{_MARK}|[{_UNSEEN}])*[.!?…]{_AFTER_STOP}\Z")

_UNITS = "two|three|four|five|six|seven|eight|nine|ten"
_WORDS = (
    rf"zero(?:e?s)?|nil|nought|naught|(?:{_UNITS})(?:s|fold)?|eleven|twelve"
    r"|(?:thir|four|fif|six|seven|eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh|nine)t(?:y|ies)"
    r"|(?:hundred|thousand|million|billion|trillion)(?:s|ths?|fold)?|dozens?|hal(?:f|ve|ves|ved|ving)"
    r"|(?:third|quarter|fifth|sixth|seventh|eighth|ninth|tenth|twentieth)s?"
    r"|(?:doubl|tripl|trebl|quadrupl)(?:e|es|ed|ing)|twice|thrice"
    rf"|per[-{_WHITE}]*cent(?:s|ages?)?"
)
#: Entities that are signs and no figure. Every other counts as one: who writes a 5 as `&#53;` hides it.
_HARMLESS = re.compile(
    "&(?:amp|lt|gt|quot|apos|nbsp|[lr][sd]quo|[mn]dash|hellip|pound|euro"
    "|#(?:34|38|39|60|62|160|8211|8212|8216|8217|8220|8221|8230|x27|x22));"
)
_FIGURE = re.compile(rf"[{_DIGITS}{_SIGNS}]|&(?:#|[a-z0-9]+;)|(?<![a-z])(?:{_WORDS})(?![a-z])")
_NUMBERED = re.compile("<ol [^<>]*[0-9]")
_UNREAD = re.compile(rf"</?[A-Za-z][^<>]*>|[{_UNSEEN}]")

#: Capitals that are no A to Z without their accents, and signs that are written in several ways.
_FOLD = str.maketrans(
    "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣςΤΥΦΧΨΩАБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЂЄЅІЈЉЊЋЏҐØÆŒĐÐŁÞĦŊŦẞ’ʼ‘‐",
    "αβγδεζηθικλμνξοπρσστυφχψωабвгдежзиклмнопрстуфхцчшщъыьэюяђєѕіјљњћџґøæœđðłþħŋŧß'''-",
)
#: Where versions of Unicode differ in how a letter comes apart. Nobody's name is in these.
_UNSTABLE = re.compile(r"[\U00010000-\U0010ffff\ua640-\uabff]")
_NOBODY_SEES = re.compile(f"[{_UNSEEN}]+")
_SPACE = re.compile(f"[{_SPACES}]+")


class Text(NamedTuple):
    """A text that may contain figures: its key on a page, what kind it is, and whose words in a quote."""

    key: str | int
    kind: str
    html: str
    said: dict[str, str]


def same_name(name: str) -> str:
    """How names are compared: letters of either case, white space and what nobody sees do not count."""
    seen = _NOBODY_SEES.sub("", name)
    # Else one name in two encodings, as from a PDF and from a keyboard, would be two.
    whole = seen if _UNSTABLE.search(seen) else normalize("NFKD", seen)
    return _SPACE.sub(" ", _NOBODY_SEES.sub("", _lower(whole.translate(_FOLD)))).strip(" ")


def text_in(holder: Any, key: str) -> str:
    """The text under `key`, empty where there is none."""
    found = holder.get(key) if isinstance(holder, dict) else None
    return found if isinstance(found, str) else ""


def list_in(holder: Any, key: str) -> list[Any]:
    """The items of the list under `key`, none where there is no list."""
    found = holder.get(key) if isinstance(holder, dict) else None
    return found if isinstance(found, list) else []


def texts(content: dict[str, Any]) -> Iterator[Text]:
    """The texts of a content in which figures are looked for, in order."""
    for name in ("headline", "summary"):
        yield Text(name, name, escape(text_in(content, name), quote=False), {})
    for index, block in enumerate(list_in(content, "body")):
        kind = text_in(block, "kind")
        said = {name: text_in(block, name) for name in ("speaker", "role")} if kind == "quote" else {}
        yield Text(index, kind, text_in(block, "html"), said)
    yield Text("notes", "notes", text_in(content, "notes"), {})
    for name in ("caption", "alt"):
        yield Text(name, name, escape(text_in(content.get("picture"), name), quote=False), {})


def content_figures(content: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The sentences with a figure: where they stand, and in a quote whose words they are."""
    found = ((text, figure_sentences(text.html)) for text in texts(content))
    return [
        {"in": text.kind, "sentences": covered, **text.said} for text, covered in found if covered
    ] or None


def figure_sentences(html: str) -> list[str]:
    """The sentences of `html` that contain a number, with the tags inside them."""
    return [sentence for sentence in sentences(html) if has_figure(sentence)]


def sentences(html: str) -> list[str]:
    """The sentences of canonical HTML with the tags inside them; of any other, the whole as one."""
    if not is_canonical(html):
        return [html]
    runs = (_joined(_STOP.sub("\\g<0>\x02", run).split("\x02")) for run in _BLOCK.split(html))
    return [sentence for run in runs for whole in run if (sentence := _LEAD.sub("", whole))]


def _joined(pieces: list[str]) -> Iterator[str]:
    """The sentences of what stands between two block tags, cut after each stop."""
    sentence: list[str] = []
    depth, goes_on = 0, True
    for piece in pieces:
        if not (depth or goes_on or _GOES_ON.match(piece)):
            yield "".join(sentence)
            sentence = []
        sentence.append(piece)
        depth += len(re.findall("<[sea]", piece)) - len(re.findall("</[sea]", piece))
        goes_on = _GOES_ON_AFTER.search(_lower(piece)) is not None
    yield "".join(sentence)


def is_canonical(html: str) -> bool:
    """Whether `html` is such as `stories.richtext` writes it, with lists that start at one."""
    return _CANONICAL.fullmatch(html) is not None


def has_figure(html: str) -> bool:
    """Whether somebody who reads `html` sees a number. Tags and what cannot be seen do not part a word."""
    read = _UNREAD.sub("", re.sub(_BREAK, " ", _HARMLESS.sub(" ", html)))
    return _FIGURE.search(_lower(read)) is not None or _NUMBERED.search(html) is not None


def plain(html: str) -> str:
    """A sentence as it is read."""
    return unescape(re.sub("<[^<>]*>", "", re.sub(f"{_BREAK}|</?(?:p|li|ol|ul)[^<>]*>", "\n", html))).strip()


def _lower(text: str) -> str:
    """`text` with A to Z lowered, and no other letter."""
    return text.encode(errors="surrogatepass").lower().decode(errors="surrogatepass")
