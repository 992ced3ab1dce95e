from io import BytesIO

import pytest
from PIL import Image

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


def test_what_a_camera_wrote_into_it_is_gone(newsroom):
    exif = Image.Exif()
    exif[0x013B] = "Canary Owner"
    exif.get_ifd(0x8825)[2] = (51.0, 30.0, 0.0)
    exif[0x0112] = 6  # lying on its side
    asset = pictures.store(made(exif=exif, comment=b"Canary comment"), newsroom.drafter)
    stored = files.path_of(asset).read_bytes()
    assert b"Canary" not in stored
    assert not Image.open(BytesIO(stored)).getexif()
    assert (asset.width, asset.height) == (48, 64)


def test_a_wide_picture_is_made_smaller(newsroom):
    assert pictures.store(made(size=(4000, 1000)), newsroom.drafter).width == pictures.MAX_WIDTH


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"%PDF-1.7 not a picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a" + bytes(100),
        made().getvalue()[:200],
        b"\xff\xd8\xff\xe0" + b"<html><script>alert(1)</script>",
    ],
)
def test_what_is_no_picture_is_refused_in_words(newsroom, data):
    with pytest.raises(pictures.PictureRefused, match="JPEG, PNG or WebP"):
        pictures.store(BytesIO(data), newsroom.drafter)


def test_a_decompression_bomb_is_refused(newsroom):
    bomb = BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    bomb.seek(0)
    with pytest.raises(pictures.PictureRefused):
        pictures.store(bomb, newsroom.drafter)


def test_a_file_that_is_too_large_is_refused(newsroom, settings):
    settings.PICTURE_MAX_BYTES = 100
    with pytest.raises(pictures.PictureRefused, match="larger than"):
        pictures.store(made(), newsroom.drafter)


def test_a_page_hidden_behind_a_picture_is_not_kept(newsroom):
    raw = made().getvalue() + b"<script>alert('canary')</script>"
    asset = pictures.store(BytesIO(raw), newsroom.drafter)
    assert b"canary" not in files.path_of(asset).read_bytes()
