"""Pictures: checked by content, freed of metadata, stored under the hash of what is left."""

from io import BytesIO
from typing import IO
from warnings import catch_warnings, simplefilter

from django.conf import settings
from PIL import Image, ImageOps, UnidentifiedImageError

from . import files
from .models import Asset, User

FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
#: What the widest column shows on a screen of double density.
MAX_WIDTH = 1680
MAX_PIXELS = 60_000_000


class PictureRefused(ValueError):
    """A file is not a picture that can be shown. The message says why and what to do."""


def store(file: IO[bytes], by: User, *, widest: int = MAX_WIDTH) -> Asset:
    """Store a picture for `by`, no wider than `widest`; its asset. The same bytes twice are one asset.

    Raises:
        PictureRefused: the file is too large, no picture, or broken.
    """
    raw = file.read(settings.PICTURE_MAX_BYTES + 1)
    if len(raw) > settings.PICTURE_MAX_BYTES:
        limit = settings.PICTURE_MAX_BYTES // 1024 // 1024
        raise PictureRefused(f"The file is larger than {limit} MB. Save the picture smaller and try again.")
    clean, media_type, (width, height) = cleaned(raw, widest)
    return files.keep(clean, media_type, by, width=width, height=height)


def cleaned(raw: bytes, widest: int = MAX_WIDTH) -> tuple[bytes, str, tuple[int, int]]:
    """The picture drawn anew without metadata, turned upright, no wider than `widest`; its type and size.

    Raises:
        PictureRefused: the bytes are no JPEG, PNG or WebP picture, or too many pixels.
    """
    try:
        with catch_warnings():
            simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(raw), formats=list(FORMATS)) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise PictureRefused("The picture has too many pixels. Save it smaller and try again.")
                kind = str(image.format)
                upright = ImageOps.exif_transpose(image)
                upright.thumbnail((widest, widest * 4))
                return _encoded(upright, kind), FORMATS[kind], upright.size
    except (
        UnidentifiedImageError,
        OSError,
        SyntaxError,
        ValueError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        if isinstance(error, PictureRefused):
            raise
        raise PictureRefused(
            "The file is not a picture that can be shown here. Choose a JPEG, PNG or WebP file."
        ) from error


def _encoded(image: Image.Image, kind: str) -> bytes:
    # A new image takes the pixels and nothing that came with them.
    mode = "RGBA" if kind != "JPEG" and image.has_transparency_data else "RGB"
    bare = Image.new(mode, image.size)
    bare.paste(image.convert(mode))
    out = BytesIO()
    bare.save(out, kind, quality=82, optimize=True)
    return out.getvalue()
