"""Pictures: checked by content, freed of metadata, stored under the hash of what is left."""

from io import BytesIO
from typing import IO
from warnings import catch_warnings, simplefilter

from django.conf import settings
from django.db import transaction
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from . import files, tasks
from .models import Asset, User

FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
#: More than the widest column shows on a screen of double density.
MAX_WIDTH = 1920
MAX_PIXELS = 60_000_000
#: How a JPEG is called that has others behind it, of which it shows the first: phones make such.
_SEVERAL = "MPO"
_ORIENTATION, _ON_ITS_SIDE = 0x0112, 5
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))

_CHOOSE = "Choose a JPEG, PNG or WebP file."
_NO_PICTURE = f"The file is not a picture that can be shown here. {_CHOOSE}"
_TOO_MANY = (
    f"The picture has more than {MAX_PIXELS // 1_000_000} million pixels. Save it smaller and try again."
)
_MOVES = "The picture moves, and only one that stands still can be shown here. Save one of its frames."
_DRAWING = f"The file is a drawing (SVG), which can hold programs. Export it as a picture. {_CHOOSE}"


class PictureRefused(ValueError):
    """A file is not a picture that can be shown. The message says why and what to do."""


def store(file: IO[bytes], by: User, *, widest: int = MAX_WIDTH) -> Asset:
    """Store a picture for `by`, no wider than `widest`; its asset. The same bytes twice are one asset.

    Its renditions are drawn by a worker afterwards; it can be shown without them.

    Raises:
        PictureRefused: the file is too large, no picture, or broken.
    """
    raw = file.read(settings.PICTURE_MAX_BYTES + 1)
    if len(raw) > settings.PICTURE_MAX_BYTES:
        limit = settings.PICTURE_MAX_BYTES // 1024 // 1024
        raise PictureRefused(f"The file is larger than {limit} MB. Save the picture smaller and try again.")
    clean, media_type, (width, height) = cleaned(raw, widest)
    asset = files.keep(clean, media_type, by, width=width, height=height)
    transaction.on_commit(tasks.draw_soon)
    return asset


def cleaned(raw: bytes, widest: int = MAX_WIDTH) -> tuple[bytes, str, tuple[int, int]]:
    """The picture drawn anew without metadata, turned upright, no wider than `widest`; its type and size.

    Only what is seen is carried over, in the colours of the web (sRGB): whatever else the file was, or had
    behind its end, is not in the new one.

    Raises:
        PictureRefused: the bytes are no JPEG, PNG or WebP picture, too many pixels, or a moving picture.
    """
    try:
        with catch_warnings():
            simplefilter("error", Image.DecompressionBombWarning)
            # It reads no more than the head: nothing has grown to its full size yet.
            with Image.open(BytesIO(raw), formats=list(FORMATS)) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise PictureRefused(_TOO_MANY)
                if image.format != _SEVERAL and getattr(image, "is_animated", False):
                    raise PictureRefused(_MOVES)
                kind = "JPEG" if image.format == _SEVERAL else str(image.format)
                bare = _bare(image, kind, widest)
                return _encoded(bare, kind), FORMATS[kind], bare.size
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureRefused(_TOO_MANY) from error
    except PictureRefused:
        raise
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise PictureRefused(_DRAWING if b"<svg" in raw[:1000].lower() else _NO_PICTURE) from error


def _bare(image: Image.Image, kind: str, widest: int) -> Image.Image:
    """What is seen, and nothing that came with it: upright, in sRGB, and no wider than `widest`."""
    transparent = kind != "JPEG" and image.has_transparency_data
    mode, profile = "RGBA" if transparent else "RGB", image.info.get("icc_profile")
    orientation = image.getexif().get(_ORIENTATION, 1)
    if image.mode.startswith("I"):
        # Pillow takes all that is brighter than the darkest 256th of sixteen bits for white.
        image = image.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    elif transparent or image.mode in {"P", "1"}:
        # Colours that are numbers cannot be mixed when it is made smaller, and some ways to say what can be
        # seen through are lost with the profile.
        image = image.convert(mode)
    box = (widest, widest * 4)
    image.thumbnail(box[::-1] if orientation >= _ON_ITS_SIDE else box)
    coloured = _in_srgb(image, profile, mode) or image.convert(mode)
    upright = ImageOps.exif_transpose(coloured) if orientation != 1 else coloured
    bare = Image.new(mode, upright.size)
    bare.paste(upright)
    return bare


def _in_srgb(image: Image.Image, profile: bytes | None, mode: str) -> Image.Image | None:
    """The picture in the colours of the web; None where it has no profile of its own that can be read."""
    if not profile:
        return None
    try:
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        return ImageCms.profileToProfile(image, own, _SRGB, outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


def _encoded(image: Image.Image, kind: str) -> bytes:
    out = BytesIO()
    # Of these each format takes what it knows.
    image.save(out, kind, quality=82, optimize=True, progressive=True)
    return out.getvalue()
