"""From bytes to text, and the refusal of what is not text, in words for the person who sent it."""

import re
from math import ceil

MEBIBYTE = 1024 * 1024
LIMIT = 2 * MEBIBYTE  # bytes of a file, characters of a text
LINES_LIMIT = 250_000  # not counting blank ones: a million lines of one letter took 18 s and 800 MB

_PASTE = "Open it, select all, copy, and paste the words here."
_ALONE = "Paste the story alone, without what was attached to it."
_OPEN_DOCUMENT = b"mimetypeapplication/vnd.oasis.opendocument"
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", f"This is a PDF file. {_PASTE}"),
    (b"{\\rtf", f"This is a rich text file (.rtf). {_PASTE}"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", f"This is an older Word or Outlook file (.doc, .msg). {_PASTE}"),
    (b"\x89PNG", "This is a picture, not text. Add it to the story as a picture instead."),
    (b"\xff\xd8\xff", "This is a picture, not text. Add it to the story as a picture instead."),
    (b"GIF8", "This is a picture, not text. Add it to the story as a picture instead."),
)
_ZIPPED: tuple[tuple[bytes, str], ...] = (
    (b"word/", f"This is a Word file (.docx). {_PASTE}"),
    (b"xl/", "This is a spreadsheet (.xlsx), not text. Copy the words you need and paste them here."),
    (b"ppt/", f"This is a presentation (.pptx). {_PASTE}"),
    (_OPEN_DOCUMENT, f"This is a LibreOffice file. {_PASTE}"),
)
_ZIP = "This is a ZIP file, not text. Unpack it, open the document inside, and paste its words here."
_BINARY = f"This file is not text: it holds bytes that no text has. {_PASTE}"
_ENCODING = (
    "The letters of this file could not be made out. Save it as plain text in UTF-8, or paste the words here."
)
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", ""),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)

# Not in any text, and refused by databases and feeds: controls other than tab, line ends, vertical tab
# and form feed; halves of surrogate pairs; the two code points that are not characters.
_NOT_A_CHARACTER = re.compile("[\x00-\x08\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPED = re.compile("[\udc80-\udcff]+")


class NotText(ValueError):
    """The input is a picture, a document, a program: anything but text."""


class TooLong(ValueError):
    """More than one story could be."""


class Empty(ValueError):
    """Nothing but white space."""


def decode(data: bytes) -> str:
    """The text of a file in UTF-8, UTF-16 with its mark, or Windows-1252, alone or mixed with UTF-8.

    Raises:
        NotText, TooLong: with a sentence for the person who sent it.
    """
    _refuse_documents(data)
    if len(data) > LIMIT:
        raise TooLong(_too_long(len(data)))
    mark, encoding = next(((mark, code) for mark, code in _BOMS if data.startswith(mark)), (b"", "utf-8"))
    body = data[len(mark) :]
    text = _from_eight_bits(body) if encoding == "utf-8" else _from_sixteen_bits(body, encoding)
    return checked(text)


def checked(text: str) -> str:
    """The text itself, unless it is too long, empty, or holds what is not a character."""
    if len(text) > LIMIT:
        raise TooLong(_too_long(len(text)))
    found = _NOT_A_CHARACTER.search(text)
    if found:
        raise NotText(_not_a_character(text, found.start()))
    return text


def refuse_too_many(lines: int) -> None:
    if lines > LINES_LIMIT:
        raise TooLong(f"This has {lines:,} lines; one story can have at most {LINES_LIMIT:,}. {_ALONE}")


def _refuse_documents(data: bytes) -> None:
    for signature, sentence in _SIGNATURES:
        if data.startswith(signature):
            raise NotText(sentence)
    if data.startswith(b"PK\x03\x04"):
        raise NotText(next((sentence for part, sentence in _ZIPPED if part in data), _ZIP))


def _from_eight_bits(data: bytes) -> str:
    if b"\x00" in data:
        raise NotText(_BINARY)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _from_windows(data)


def _from_windows(data: bytes) -> str:
    # Byte by byte, so that one stray Windows quotation mark does not turn the UTF-8 round it into nonsense.
    text = data.decode("utf-8", errors="surrogateescape")
    # Whole words of strays, in every fifth place: another alphabet, or no text at all.
    if sum(len(run) for run in _ESCAPED.findall(text) if len(run) > 3) > len(data) / 5:
        raise NotText(_ENCODING)
    try:
        return _ESCAPED.sub(_one_windows_run, text)
    except UnicodeDecodeError:
        raise NotText(_ENCODING) from None


def _one_windows_run(run: re.Match[str]) -> str:
    return run[0].encode("utf-8", errors="surrogateescape").decode("windows-1252")


def _from_sixteen_bits(data: bytes, encoding: str) -> str:
    if not encoding:  # UTF-32: nobody's mail or Word file, but its mark begins like that of UTF-16
        raise NotText(_ENCODING)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise NotText(_ENCODING) from None


def _too_long(size: int) -> str:
    return (
        f"This is {ceil(10 * size / MEBIBYTE) / 10} MB of text; "
        f"one story can have at most {LIMIT // MEBIBYTE} MB. {_ALONE}"
    )


def _not_a_character(text: str, at: int) -> str:
    line = text.count("\n", 0, at) + 1
    return (
        f"This is not plain text: line {line} holds a control character (U+{ord(text[at]):04X}). "
        "Copy the words from the program they came from, and paste them again."
    )
