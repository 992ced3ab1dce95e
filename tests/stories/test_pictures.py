import tracemalloc
from io import BytesIO
from zipfile import ZipFile

import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from stories import files, pictures

pytestmark = pytest.mark.django_db


def made(kind: str = "JPEG", size: tuple[int, int] = (64, 48), **save) -> BytesIO:
    out = BytesIO()
    Image.new("RGB", size, (30, 90, 120)).save(out, kind, **save)
    out.seek(0)
    return out


@pytest.mark.parametrize(("kind", "ending"), [("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp")])
def test_a_picture_lies_under_the_hash_of_its_bytes(newsroom, kind, ending):
    asset = pictures.store(made(kind), newsroom.drafter)
    path = files.path_of(asset)
    assert path.name == f"{asset.sha256}.{ending}"
    assert path.stat().st_size == asset.size
    assert (asset.width, asset.height) == (64, 48)


def test_the_same_picture_twice_is_one_asset(newsroom):
    first = pictures.store(made(), newsroom.drafter)
    assert pictures.store(made(), newsroom.other_drafter) == first


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_what_a_camera_or_a_program_wrote_into_it_is_gone(newsroom, kind):
    """Where and by whom it was taken (EXIF, GPS), what editors noted (XMP, IPTC, texts of a PNG)."""
    exif = Image.Exif()
    exif[0x013B] = "Canary Owner"
    exif.get_ifd(0x8825)[2] = (51.0, 30.0, 0.0)
    exif[0x0112] = 6  # lying on its side
    about: dict = {"exif": exif, "xmp": b"<x:xmpmeta>Canary</x:xmpmeta>"}
    if kind == "JPEG":
        about["comment"] = b"Canary comment"
    if kind == "PNG":
        texts = PngInfo()
        texts.add_text("Author", "Canary")
        texts.add_itxt("XML:com.adobe.xmp", "Canary", zip=True)
        about = {"exif": exif, "pnginfo": texts}
    raw = made(kind, **about).getvalue()
    if kind == "JPEG":
        # IPTC, as picture agencies write it.
        iptc = b"Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x00\x00\x0e\x1c\x02\x50\x00\x09Canary Co"
        raw = raw[:2] + b"\xff\xed" + (len(iptc) + 2).to_bytes(2) + iptc + raw[2:]
    asset = pictures.store(BytesIO(raw), newsroom.drafter)
    stored = files.path_of(asset).read_bytes()
    assert b"anary" in raw
    for trace in (b"anary", b"Exif", b"xmp", b"Photoshop", b"tEXt", b"iTXt", b"eXIf"):
        assert trace not in stored
    with Image.open(BytesIO(stored)) as image:
        assert not image.getexif()
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive",
                                   "progression", "loop", "background", "timestamp", "duration"}  # fmt: skip
    assert (asset.width, asset.height) == (48, 64)


def test_its_colours_are_those_of_the_web_and_their_profile_is_gone(newsroom):
    """A profile in which red and green have changed places, as an editor would see it."""
    swapped = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = swapped.find(b"rXYZ"), swapped.find(b"gXYZ")
    swapped[red : red + 4], swapped[green : green + 4] = b"gXYZ", b"rXYZ"
    out = BytesIO()
    Image.new("RGB", (64, 48), (200, 30, 30)).save(out, "PNG", icc_profile=bytes(swapped))
    out.seek(0)
    with Image.open(files.path_of(pictures.store(out, newsroom.drafter))) as image:
        shown = image.getpixel((9, 9))
        assert "icc_profile" not in image.info
    assert shown[1] > 190
    assert shown[0] < 60


@pytest.mark.parametrize("mode", ["RGB", "P", "RGBA"])
def test_what_can_be_seen_through_stays_so_with_a_profile_too(newsroom, mode):
    out, profile = BytesIO(), ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = Image.new("RGBA", (64, 48), (0, 0, 0, 0))
    image.paste((200, 30, 30, 255), (0, 0, 32, 48))
    through = {} if mode == "RGBA" else {"transparency": (0, 0, 0) if mode == "RGB" else 0}
    if mode == "P":
        image = image.convert("RGB").quantize(2)
        through = {"transparency": image.getpixel((60, 9))}
    image.convert(mode).save(out, "PNG", icc_profile=profile, **through)
    out.seek(0)
    with Image.open(files.path_of(pictures.store(out, newsroom.drafter))) as stored:
        assert stored.mode == "RGBA"
        assert (stored.getpixel((9, 9))[3], stored.getpixel((60, 9))[3]) == (255, 0)
        assert stored.getpixel((9, 9))[:3] == pytest.approx((200, 30, 30), abs=4)


def test_a_profile_that_cannot_be_read_is_left_out(newsroom):
    asset = pictures.store(made(icc_profile=b"canary" * 40), newsroom.drafter)
    assert b"canary" not in files.path_of(asset).read_bytes()


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "RGBA", "I;16"])
def test_every_kind_of_pixels_is_shown_as_it_is(newsroom, mode):
    out = BytesIO()
    if mode == "I;16":
        Image.new("I;16", (64, 48), 128 * 257).save(out, "PNG")
    else:
        Image.new("RGBA", (64, 48), (128, 128, 128)).convert(mode, dither=Image.Dither.NONE).save(out, "PNG")
    out.seek(0)
    with Image.open(files.path_of(pictures.store(out, newsroom.drafter))) as image:
        expected = 255 if mode == "1" else 128
        assert image.convert("RGB").getpixel((9, 9)) == pytest.approx((expected,) * 3, abs=4)


def test_a_picture_for_print_is_shown_in_the_colours_of_the_web(newsroom):
    out = BytesIO()
    Image.new("CMYK", (64, 48), (0, 255, 255, 0)).save(out, "JPEG")
    out.seek(0)
    with Image.open(files.path_of(pictures.store(out, newsroom.drafter))) as image:
        assert image.mode == "RGB"
        assert image.getpixel((9, 9))[0] > 200


def test_a_wide_picture_is_made_smaller(newsroom):
    assert pictures.store(made(size=(4000, 1000)), newsroom.drafter).width == pictures.MAX_WIDTH


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"%PDF-1.7 not a picture",
        b"GIF89a" + bytes(100),
        b"GIF89a/*" + bytes(20) + b"*/=1;alert(1)",
        made("GIF").getvalue(),
        made("BMP").getvalue(),
        made("TIFF").getvalue(),
        made().getvalue()[:200],
        made("PNG").getvalue()[:60],
        b"\xff\xd8\xff\xe0" + b"<html><script>alert(1)</script>",
        b"PK\x03\x04" + made().getvalue(),
    ],
)
def test_what_is_no_picture_is_refused_in_words(newsroom, data):
    with pytest.raises(pictures.PictureRefused, match="JPEG, PNG or WebP"):
        pictures.store(BytesIO(data), newsroom.drafter)


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<?xml version='1.0'?>\n<!DOCTYPE svg>\n<SVG xmlns='http://www.w3.org/2000/svg'/>",
    ],
)
def test_a_drawing_that_can_hold_programs_is_refused_in_words(newsroom, data):
    with pytest.raises(pictures.PictureRefused, match=r"SVG.*Export it as a picture"):
        pictures.store(BytesIO(data), newsroom.drafter)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_moving_picture_is_refused_in_words(newsroom, kind):
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "blue")]
    data = made(kind, save_all=True, append_images=frames)
    with pytest.raises(pictures.PictureRefused, match="moves"):
        pictures.store(data, newsroom.drafter)


def test_of_a_telephones_several_pictures_in_one_file_the_first_is_shown(newsroom):
    asset = pictures.store(
        made("MPO", save_all=True, append_images=[Image.new("RGB", (64, 48), "red")]), newsroom.drafter
    )
    assert asset.media_type == "image/jpeg"
    with Image.open(files.path_of(asset)) as image:
        assert image.format == "JPEG"
        assert image.getpixel((9, 9)) == pytest.approx((30, 90, 120), abs=8)


@pytest.mark.parametrize("side", [8_000, 12_000, 20_000])
def test_a_decompression_bomb_is_refused_in_words(newsroom, side):
    """Before anything has grown: a file of some kilobytes, and hundreds of megabytes of pixels."""
    bomb = BytesIO()
    Image.new("1", (side, side)).save(bomb, "PNG")
    bomb.seek(0)
    tracemalloc.start()
    with pytest.raises(pictures.PictureRefused, match="more than 60 million pixels"):
        pictures.store(bomb, newsroom.drafter)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20_000_000


def test_a_text_that_grows_without_end_is_refused(newsroom):
    texts = PngInfo()
    texts.add_text("Comment", "0" * 80_000_000, zip=True)
    with pytest.raises(pictures.PictureRefused, match="not a picture"):
        pictures.store(made("PNG", pnginfo=texts), newsroom.drafter)


def test_a_file_that_is_too_large_is_refused(newsroom, settings):
    settings.PICTURE_MAX_BYTES = 100
    with pytest.raises(pictures.PictureRefused, match="larger than"):
        pictures.store(made(), newsroom.drafter)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("hidden", ["page", "archive", "program"])
def test_what_is_hidden_behind_or_in_a_picture_is_not_kept(newsroom, kind, hidden):
    """A file that is something else as well, to another program: what is stored is the picture alone."""
    archive = BytesIO()
    with ZipFile(archive, "w") as packed:
        packed.writestr("canary.html", "canary")
    behind = {
        "page": b"<html><script>alert('canary')</script>",
        "archive": archive.getvalue(),
        "program": b"*/=alert('canary');//",
    }[hidden]
    asset = pictures.store(BytesIO(made(kind).getvalue() + behind), newsroom.drafter)
    stored = files.path_of(asset).read_bytes()
    assert b"canary" not in stored
    assert b"PK" not in stored
    with Image.open(BytesIO(stored)) as image:
        assert image.format == kind
        image.load()
