"""Documents are known by their content, and nothing hidden in them is kept."""

import subprocess
import sys
import zipfile
from io import BytesIO

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name
from PIL import Image

from stories import attachments, files, pdfs, record
from stories.attachments import AttachmentRefused
from tests.stories.documents import CSV, annotated, file, opens, pdf


def linked(address: str):
    return annotated(Subtype=Name.Link, A={"/S": Name.URI, "/URI": address})


def author(made) -> None:
    made.docinfo["/Author"] = "Canary Author"
    made.docinfo["/Title"] = "Canary draft 3"
    with made.open_metadata() as metadata:
        metadata["dc:creator"] = ["Canary Creator"]
    made.pages[0].PieceInfo = Dictionary(Canary=Dictionary(Private="Canary private"))
    made.pages[0].Thumb = made.make_stream(b"canary thumb")


def embedded(made) -> None:
    made.attachments["canary.txt"] = b"canary"


def photographed(made) -> None:
    exif = Image.Exif()
    exif[0x013B] = "Canary Owner"
    exif.get_ifd(0x8825)[2] = (51.0, 30.0, 0.0)
    out = BytesIO()
    Image.new("RGB", (8, 8), (30, 90, 120)).save(out, "JPEG", exif=exif, comment=b"Canary comment")
    photo = made.make_stream(out.getvalue())
    for key, value in {"Type": Name.XObject, "Subtype": Name.Image, "Filter": Name.DCTDecode}.items():
        photo[f"/{key}"] = value
    photo.Width = photo.Height = photo.BitsPerComponent = 8
    photo.ColorSpace = Name.DeviceRGB
    made.pages[0].add_resource(photo, Name.XObject, Name.Photo)


def xfa(made) -> None:
    made.Root.AcroForm = Dictionary(XFA=made.make_stream(b"<xdp/>"), Fields=Array([]))


def signed(made) -> None:
    made.Root.AcroForm = Dictionary(
        Fields=Array([Dictionary(FT=Name.Sig, V=Dictionary(Type=Name.Sig, ByteRange=Array([0, 1, 2, 3])))])
    )


def everything(data: bytes) -> bytes:
    """All that a PDF says, with its streams laid open."""
    out = BytesIO()
    with pikepdf.open(BytesIO(data)) as opened:
        opened.save(
            out,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
            stream_decode_level=pikepdf.StreamDecodeLevel.generalized,
            compress_streams=False,
        )
    return out.getvalue()


# PDF


@pytest.mark.parametrize("change", [None, author, photographed, linked("https://rivers.example/")])
def test_a_pdf_keeps_its_words_and_loses_what_was_written_about_it(change):
    clean = pdfs.cleaned(pdf(change))
    assert clean.startswith(b"%PDF-")
    said = everything(clean)
    assert b"(The gates) Tj" in said
    assert b"canary" not in said.lower()
    assert b"/Info" not in said
    assert pdfs.cleaned(pdf(change)) == clean


def test_a_picture_in_a_pdf_is_still_one():
    with pikepdf.open(BytesIO(pdfs.cleaned(pdf(photographed)))) as made:
        photo = made.pages[0].Resources.XObject.Photo
        assert Image.open(BytesIO(photo.read_raw_bytes())).size == (8, 8)
        assert pikepdf.PdfImage(photo).as_pil_image().size == (8, 8)


def test_what_was_deleted_or_replaced_is_gone():
    # A newer state of the page's words is written after the old one, as programs do that save quickly.
    first = everything(pdf(text="Canary wording"))
    with pikepdf.open(BytesIO(first)) as opened:
        number = opened.pages[0].Contents.objgen[0]
        root, size = opened.Root.objgen[0], len(opened.objects) + 1
    words = b"BT /F1 12 Tf 50 700 Td (The gates) Tj ET"
    before = first[first.rindex(b"startxref") :].split()[1]
    newer = b"%d 0 obj\n<< /Length %d >>\nstream\n%s\nendstream\nendobj\n" % (number, len(words), words)
    xref = (
        b"xref\n%d 1\n%010d 00000 n \ntrailer\n<< /Size %d /Root %d 0 R /Prev %s >>\nstartxref\n%d\n%%%%EOF\n"
    )
    raw = first + newer + xref % (number, len(first), size, root, before, len(first) + len(newer))
    assert b"Canary wording" in raw
    said = everything(pdfs.cleaned(raw))
    assert b"(The gates) Tj" in said
    assert b"Canary" not in said


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (opens(S=Name.JavaScript, JS="app.alert(1)"), "program"),
        (opens(S=Name.GoTo, Next={"/S": Name.Launch, "/F": "calc.exe"}), "starts a program"),
        (opens(S=Name.SubmitForm, F="https://evil.example"), "sends what is typed"),
        (opens(S=Name.GoToR, F="other.pdf"), "somebody’s computer"),
        (linked("javascript:alert(1)"), "leads nowhere on the web"),
        (linked("file:///C:/Users/canary/draft.docx"), "leads nowhere on the web"),
        (annotated(Subtype=Name.Text, Contents="Is this right?", T="Hugh"), "comments"),
        (annotated(Subtype=Name.Redact), "comments"),
        (annotated(Subtype=Name.RichMedia), "sound or film"),
        (embedded, "other files inside"),
        (xfa, "XFA"),
        (signed, "signed"),
        (lambda made: made.pages.__delitem__(0), "no page"),
    ],
)
def test_a_pdf_that_does_more_than_be_read_is_refused_in_words(change, words):
    with pytest.raises(pdfs.PdfRefused, match=words):
        pdfs.cleaned(pdf(change))


@pytest.mark.parametrize("password", ["", "secret"])
def test_a_locked_pdf_is_refused(password):
    raw = pdf(encryption=pikepdf.Encryption(user=password, owner="owner"))
    with pytest.raises(pdfs.PdfRefused, match="locked"):
        pdfs.cleaned(raw)


def archive() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("canary.html", "<script>alert(1)</script>")
    return out.getvalue()


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (pdf()[:-200], "cut short"),
        (pdf() + archive(), "after its end"),
        (pdf() + b"<script>alert(1)</script>", "after its end"),
        (b"%PDF-1.7\n%%EOF", "broken"),
        (b"%PDF-1.7\n" + b"\0" * 500 + b"%%EOF", "broken"),
        (pdf().replace(b"/Root", b"/Toor"), "broken"),
    ],
)
def test_a_pdf_that_is_broken_or_another_thing_as_well_is_refused(raw, words):
    with pytest.raises(pdfs.PdfRefused, match=words):
        pdfs.cleaned(raw)


@pytest.mark.django_db
def test_a_document_lies_under_the_hash_of_its_bytes(newsroom):
    for raw, media_type, ending in ((pdf(author), attachments.PDF, "pdf"), (CSV, attachments.CSV, "csv")):
        asset = attachments.store(BytesIO(raw), newsroom.drafter)
        path = files.path_of(asset)
        assert path.name == f"{asset.sha256}.{ending}"
        assert (asset.media_type, asset.size, asset.width) == (media_type, path.stat().st_size, None)
        assert attachments.store(BytesIO(raw), newsroom.other_drafter) == asset
    assert list(record.verify()) == []
    path.write_bytes(b"another")
    assert [fault for fault in record.verify() if "attachment" in fault and "were changed" in fault]


@pytest.mark.django_db
def test_a_refusal_reaches_the_newsroom_in_words(newsroom):
    raw = pdf(opens(S=Name.JavaScript, JS="app.alert(1)"))
    with pytest.raises(AttachmentRefused, match="JavaScript"):
        attachments.store(BytesIO(raw), newsroom.drafter)


def test_a_pdf_that_takes_too_much_ends_its_own_process_alone(monkeypatch):
    monkeypatch.setattr(attachments, "SECONDS", 0.001)
    with pytest.raises(AttachmentRefused, match="time and memory"):
        attachments._clean_pdf(pdf())


def test_the_process_has_no_more_memory_than_it_was_given():
    script = "import sys; sys.path[0] = '.'; from stories import pdfs; pdfs.limited(); bytearray(2 * 1024**3)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert b"MemoryError" in done.stderr


# CSV


@pytest.mark.parametrize(
    "raw",
    [
        CSV,
        b"\xef\xbb\xbf" + CSV,
        "Ort;Häuser\nWend;1,5\nTell;+44 (0)20 7946\n\n".encode(),
        b'a,b\n"x,\ny",2\n',
    ],
)
def test_a_table_is_taken_as_it_is(raw):
    attachments._check_csv(raw)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "neither"),
        (b"\n", "neither"),
        (b"only one line,of words\n", "neither"),
        (b"no columns\nat all\n", "neither"),
        (b"a,b\n1,\x00\n", "neither"),
        ("a,b\n1,2\n".encode("utf-16"), "neither"),
        ("a,é\n1,2\n".encode("latin-1"), "neither"),
        (b"\x89PNG\r\n\x1a\n", "neither"),
        (archive(), "neither"),
        (b"<html>,<body>\n<script>alert(1)</script>,x\n", "neither"),
        (b"  <!doctype html>,x\ny,z\n", "neither"),
        (b"x,%PDF-1.4\ny,z\n", "neither"),
        (b"junk\n" + pdf(), "neither"),
        (b"a,b\n1,2,3\n", "line 2 has 3 columns"),
        (b'a,b\n"1,2\n', "cannot be read"),
        (b"a,b\n=1+1,2\n", "formula"),
        (b"a,b\n\"=cmd|' /C calc'!A0\",2\n", "formula"),
        (b"a,b\n+HYPERLINK(1),2\n", "formula"),
        (b"a,b\n-2+3+cmd|' /C calc'!A0,2\n", "formula"),
        (b"a,b\n@SUM(1),2\n", "formula"),
    ],
)
def test_what_is_no_table_is_refused_in_words(raw, words):
    with pytest.raises(AttachmentRefused, match=words):
        attachments._check_csv(raw)


def test_a_file_that_is_too_large_is_refused(settings):
    settings.ATTACHMENT_MAX_BYTES = 1024 * 1024
    with pytest.raises(AttachmentRefused, match="larger than 1 MB"):
        attachments.store(file(b"a,b\n" * 2**20, "big.csv"), None)
