"""Pictures: checked by content, freed of metadata, stored under the hash of what is left."""

from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import IO
from uuid import uuid4
from warnings import catch_warnings, simplefilter

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from PIL import Image, ImageOps, UnidentifiedImageError

from .models import Asset, RevisionAsset, Story, User

FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
#: What the widest column shows on a screen of double density.
MAX_WIDTH = 1680
MAX_PIXELS = 60_000_000


class PictureRefused(ValueError):
    """A file is not a picture that can be shown. The message says why and what to do."""


def store(file: IO[bytes], by: User) -> Asset:
    """Store a picture for `by` and give its asset; the same bytes twice are one asset.

    Raises:
        PictureRefused: the file is too large, no picture, or broken.
    """
    raw = file.read(settings.PICTURE_MAX_BYTES + 1)
    if len(raw) > settings.PICTURE_MAX_BYTES:
        limit = settings.PICTURE_MAX_BYTES // 1024 // 1024
        raise PictureRefused(f"The file is larger than {limit} MB. Save the picture smaller and try again.")
    clean, media_type, size = cleaned(raw)
    asset = Asset(
        sha256=sha256(clean).hexdigest(),
        media_type=media_type,
        width=size[0],
        height=size[1],
        size=len(clean),
        by=by,
    )
    # The bytes first: a row without its bytes would be a picture that nobody can show.
    _write(path_of(asset), clean)
    return Asset.objects.filter(sha256=asset.sha256).first() or _insert(asset)


def _insert(asset: Asset) -> Asset:
    try:
        with transaction.atomic():
            asset.save(force_insert=True)
    except IntegrityError:
        # Somebody stored the same bytes at the same time.
        return Asset.objects.get(sha256=asset.sha256)
    return asset


def cleaned(raw: bytes) -> tuple[bytes, str, tuple[int, int]]:
    """The picture drawn anew without metadata, turned upright, no wider than `MAX_WIDTH`; its type and size.

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
                upright.thumbnail((MAX_WIDTH, MAX_WIDTH * 4))
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


def known_to(user: User) -> QuerySet[Asset]:
    """The pictures that exist for `user`: uploaded by them, or shown by a story that exists for them."""
    shown = RevisionAsset.objects.filter(
        asset=OuterRef("pk"), revision__story__in=Story.objects.visible_to(user)
    )
    return Asset.objects.filter(Q(by=user) | Exists(shown))


def faults() -> Iterator[str]:
    """A sentence for each picture whose bytes are not those that it was stored with."""
    for asset in Asset.objects.order_by("pk").iterator():
        try:
            found = sha256(path_of(asset).read_bytes()).hexdigest()
        except FileNotFoundError:
            yield f"the bytes of picture {asset.name} are missing"
        else:
            if found != asset.sha256:
                yield f"the bytes of picture {asset.name} were changed"


def path_of(asset: Asset) -> Path:
    """Where the bytes of an asset lie: a private folder, never served as it is."""
    return Path(settings.MEDIA_ROOT) / asset.sha256[:2] / asset.name


def _write(path: Path, data: bytes) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{uuid4().hex}.part")
    part.write_bytes(data)
    part.replace(path)
