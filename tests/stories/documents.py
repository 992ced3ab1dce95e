"""PDF and CSV files for the tests, made on the spot."""

from collections.abc import Callable
from io import BytesIO

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf

CSV = b"Parish,Homes\r\nLower Staithe,231\r\nCarrow,-5\r\n"
FONT = {"Type": Name.Font, "Subtype": Name.Type1, "BaseFont": Name.Helvetica}


def pdf(change: Callable[[Pdf], object] | None = None, text: str = "The gates", **save) -> bytes:
    """A PDF of one page that says `text`, after a `change`."""
    made = pikepdf.new()
    made.add_blank_page()
    made.pages[0].Contents = made.make_stream(f"BT /F1 12 Tf 50 700 Td ({text}) Tj ET".encode())
    made.pages[0].add_resource(Dictionary(**FONT), Name.Font, Name.F1)
    if change:
        change(made)
    out = BytesIO()
    made.save(out, deterministic_id="encryption" not in save, **save)
    return out.getvalue()


def file(data: bytes, name: str) -> BytesIO:
    """Bytes as a browser sends them."""
    out = BytesIO(data)
    out.name = name
    return out


def opens(**action: object) -> Callable[[Pdf], None]:
    """A change: the PDF does something by itself when it is opened."""

    def change(made: Pdf) -> None:
        made.Root.OpenAction = Dictionary(**action)

    return change


def annotated(**annotation: object) -> Callable[[Pdf], None]:
    """A change: something lies on the page."""

    def change(made: Pdf) -> None:
        lies = Dictionary(Rect=Array([10, 10, 60, 60]), **annotation)
        made.pages[0].Annots = Array([made.make_indirect(lies)])

    return change
