"""The documents of the demo's stories: a sheet of facts as PDF, and a table as CSV."""

import csv
from dataclasses import dataclass
from io import BytesIO, StringIO

import pikepdf

A4 = (595, 842)


@dataclass(frozen=True)
class Document:
    """A document of a story: its title, and its lines or, with columns, its rows."""

    title: str
    rows: tuple[tuple[str, ...], ...]

    @property
    def file(self) -> BytesIO:
        """A table where there are columns, else a page."""
        return table(self.rows) if len(self.rows[0]) > 1 else sheet(self.title, [row[0] for row in self.rows])


WEND_GATES = Document(
    "Tidal gates at Wendmouth: facts in brief",
    (
        ("Five gates between six towers, across the mouth of the River Wend.",),
        ("Each gate is 44 metres wide and takes 18 minutes to close.",),
        ("They close on about five days a year, for up to six hours.",),
        ("They protect 11,400 homes, two hospitals and the coast railway.",),
        ("Cost: £212 million; the Department pays £180 million,",),
        ("Wendmouth Harbour Trust £32 million.",),
    ),
)
GAUGES = Document(
    "Gauges above their long-term average, by catchment",
    (
        ("Catchment", "Gauges", "Above average", "Highest on record"),
        ("Upper Wend", "96", "91", "17"),
        ("Lower Wend", "104", "77", "9"),
        ("Carrow", "118", "72", "4"),
        ("Tell", "94", "35", "1"),
    ),
)
LEFELAU = Document(
    "Mesuryddion uwchlaw eu cyfartaledd hirdymor, fesul dalgylch",
    (("Dalgylch", "Mesuryddion", "Uwch na’r cyfartaledd", "Uchaf ar gofnod"), *GAUGES.rows[1:]),
)


def table(rows: tuple[tuple[str, ...], ...]) -> BytesIO:
    """Rows as a CSV file."""
    out = StringIO(newline="")
    csv.writer(out).writerows(rows)
    return BytesIO(out.getvalue().encode())


def sheet(title: str, lines: list[str]) -> BytesIO:
    """A page with a title and lines below it, as PDF."""
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=A4)
    page = pdf.pages[0]
    for name, face in (("F1", "Helvetica"), ("F2", "Helvetica-Bold")):
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font,
            Subtype=pikepdf.Name.Type1,
            BaseFont=pikepdf.Name(f"/{face}"),
            Encoding=pikepdf.Name.WinAnsiEncoding,
        )
        page.add_resource(font, pikepdf.Name.Font, pikepdf.Name(f"/{name}"))
    words = [b"BT /F2 18 Tf 56 760 Td", _shown(title), b"/F1 12 Tf 0 -36 Td"]
    for line in lines:
        words += [_shown(line), b"0 -20 Td"]
    page.Contents = pdf.make_stream(b"\n".join([*words, b"ET"]))
    out = BytesIO()
    pdf.save(out, deterministic_id=True)
    out.seek(0)
    return out


def _shown(text: str) -> bytes:
    escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"({escaped}) Tj".encode("cp1252")
