"""A PDF rewritten without what nobody meant to publish, or a refusal that says why.

Run as a program, it reads a PDF and writes it anew, within limits of memory and time, and with nothing of
the newsroom's at hand: `attachments` has it read whatever somebody uploads. It imports nothing of ours.
"""

import re
import resource
import sys
from collections.abc import Iterator
from io import BytesIO
from typing import cast

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Stream

#: How the program ends that has refused a file; the reason is what it wrote.
REFUSED = 3
MEMORY = 1024**3
SECONDS = 20
MAX_OBJECTS = 300_000

AGAIN = "Print or export it to a new PDF, and upload that."
#: What a PDF can do by itself or when somebody clicks, and may not.
ACTIONS = {
    "/JavaScript": "It contains a program (JavaScript)",
    "/Launch": "It starts a program on the reader’s computer",
    "/SubmitForm": "It is a form that sends what is typed into it",
    "/ImportData": "It loads data from another file",
    "/GoToR": "It has a link to a file on somebody’s computer",
    "/GoToE": "It has other files inside it",
    "/Rendition": "It plays sound or film",
    "/Movie": "It plays sound or film",
    "/Sound": "It plays sound or film",
}
#: Keys that give away what a PDF holds.
KEYS = {
    "/JS": "It contains a program (JavaScript)",
    "/XFA": "It contains a form with a program (XFA)",
    "/EF": "It has other files inside it",
    "/EmbeddedFiles": "It has other files inside it",
    "/ByteRange": "It is signed digitally, and taking out who wrote it would break the signature",
}
#: What may lie on a page besides its words and drawings. Anything else is a remark or a medium.
ANNOTATIONS = {"/Link", "/Widget", "/Watermark", "/PrinterMark", "/TrapNet"}
MEDIA = {"/FileAttachment", "/Sound", "/Movie", "/Screen", "/RichMedia", "/3D"}
#: Who wrote it, where, with what and when; earlier states of it; small pictures of pages.
METADATA = ("/Metadata", "/PieceInfo", "/LastModified", "/Thumb")

_ADDRESS = re.compile(r"(?:https?|mailto|tel):|www\.", re.IGNORECASE)
# Segments of a JPEG that hold place, time, owner and remarks: Exif and XMP, IPTC, comments.
_ABOUT = {0xE1, 0xED, 0xFE}
_ZIP_END = b"PK\x05\x06"


class PdfRefused(ValueError):
    """The file cannot be published as it is. The message says why and what to do."""


def cleaned(raw: bytes) -> bytes:
    """The same pages, written anew: no metadata, nothing deleted or replaced, nothing before or after.

    Raises:
        PdfRefused: it is broken, locked or signed, or can do more than be read.
    """
    _framed(raw)
    try:
        with pikepdf.open(BytesIO(raw), attempt_recovery=False, suppress_warnings=True) as pdf:
            if pdf.is_encrypted:
                raise PdfRefused(f"It is locked, if only against copying. {AGAIN}")
            if not len(pdf.pages):
                raise PdfRefused("It has no page.")
            for key in ("/Info", "/ID"):
                if key in pdf.trailer:
                    del pdf.trailer[key]
            for part in _parts(pdf.trailer):
                _check(part)
                _strip(part)
            out = BytesIO()
            pdf.save(out, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    except pikepdf.PasswordError as error:
        raise PdfRefused(f"It is locked with a password. {AGAIN}") from error
    except (pikepdf.PdfError, ValueError, TypeError, RecursionError) as error:
        if isinstance(error, PdfRefused):
            raise
        raise PdfRefused(f"It is broken. {AGAIN}") from error
    clean = out.getvalue()
    if _ZIP_END in clean[-66_000:]:
        raise PdfRefused(f"It is an archive (ZIP) as well. {AGAIN}")
    return clean


def _framed(raw: bytes) -> None:
    """Refuse what does not begin and end as a PDF does: a file may be another thing to another program."""
    if not raw.startswith(b"%PDF-"):
        raise PdfRefused("It does not begin as a PDF does.")
    end = raw.rfind(b"%%EOF")
    if end < 0:
        raise PdfRefused("It is cut short: its end is missing. Upload it again from where you have it.")
    if raw[end + 5 :].strip(b"\r\n\t \0"):
        raise PdfRefused(f"Something follows after its end. {AGAIN}")


def _parts(trailer: Object) -> Iterator[Object]:
    """All dictionaries and streams that the pages can lead to, each before what is in it."""
    seen: set[tuple[int, int]] = set()
    waiting: list[object] = [trailer]
    while waiting:
        part = waiting.pop()
        if not isinstance(part, Object):
            continue
        if part.is_indirect:
            if part.objgen in seen:
                continue
            seen.add(part.objgen)
            if len(seen) > MAX_OBJECTS:
                raise PdfRefused(f"It is made of too many pieces. {AGAIN}")
        if isinstance(part, Dictionary | Stream):
            yield part
            waiting += [value for _, value in part.items()]
        elif isinstance(part, Array):
            waiting += list(part)


def _check(part: Object) -> None:
    if isinstance(part, Stream) and "/F" in part:
        raise PdfRefused(f"A part of it lies in another file. {AGAIN}")
    for key, words in KEYS.items():
        if key in part:
            raise PdfRefused(f"{words}. {AGAIN}")
    kind = part.get("/S")
    if isinstance(kind, Name):
        if str(kind) in ACTIONS:
            raise PdfRefused(f"{ACTIONS[str(kind)]}. {AGAIN}")
        if kind == Name.URI and not _ADDRESS.match(address := str(part.get("/URI", ""))):
            raise PdfRefused(f"It has a link that leads nowhere on the web: “{address[:80]}”. {AGAIN}")
    subtype = part.get("/Subtype")
    if "/Rect" in part and isinstance(subtype, Name) and str(subtype) not in ANNOTATIONS:
        if str(subtype) in MEDIA:
            raise PdfRefused(f"It has a file, sound or film on one of its pages. {AGAIN}")
        raise PdfRefused(f"It has comments or marks that somebody made while reading. {AGAIN}")


def _strip(part: Object) -> None:
    for key in METADATA:
        if key in part:
            del part[key]
    if isinstance(part, Stream) and _filters(part) == ["/DCTDecode"]:
        raw = part.read_raw_bytes()
        bare = bare_jpeg(raw)
        if bare != raw:
            parms = cast("Dictionary | None", part.get("/DecodeParms"))
            part.write(bare, filter=Name.DCTDecode, decode_parms=parms)


def _filters(stream: Stream) -> list[str]:
    found = stream.get("/Filter")
    return [str(name) for name in found] if isinstance(found, Array) else [str(found)]


def bare_jpeg(raw: bytes) -> bytes:
    """A JPEG without what was written about it; as it is, where it is none."""
    if not raw.startswith(b"\xff\xd8"):
        return raw
    kept, at = [raw[:2]], 2
    while raw[at : at + 1] == b"\xff" and at + 4 <= len(raw):
        marker = raw[at + 1]
        if marker == 0xDA:  # the picture itself
            return b"".join([*kept, raw[at:]])
        end = at + 2 + int.from_bytes(raw[at + 2 : at + 4], "big")
        if marker not in _ABOUT:
            kept.append(raw[at:end])
        at = end
    return raw


def limited() -> None:
    """Let this process have no more than its memory and time, and leave no image of it behind."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> int:
    limited()
    out = sys.stdout.buffer
    try:
        out.write(cleaned(sys.stdin.buffer.read()))
    except PdfRefused as refusal:
        out.write(str(refusal).encode())
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
