"""Renditions: a picture in the widths and formats in which it is quickest to load.

Drawn by a worker from the bytes that were cleared, and from nothing else. A page is right without them: it
names those that there are. What they show is compared with the picture by `faults`.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from io import BytesIO
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import Exists, Func, JSONField, OuterRef, QuerySet
from PIL import Image, ImageChops, ImageStat, UnidentifiedImageError

from . import files
from .kinds import ENDINGS
from .models import Asset, Rendition
from .rendering import Form

#: Raise it with whatever changes what is drawn: the workers then draw every picture anew, and pages name the
#: new ones. Those of before can still be fetched.
RECIPE = 1
#: Each about a third to a half wider than the one before: so much more than it needs does a browser load at
#: most. The first is what a phone of single density shows.
WIDTHS = (480, 720, 1080, 1440, 1920)
#: A picture that is hardly wider than one of these widths has no rendition of that width.
HARDLY = 0.9
AVIF, WEBP, JPEG, PNG = "image/avif", "image/webp", "image/jpeg", "image/png"
#: For how long nobody else tries a picture that somebody has begun to draw: longer than a task may take.
CLAIM_SECONDS = 150
#: How much eight by eight pixels may differ from the picture's in lightness, and in each colour, of 255. What
#: encoding loses of letters and noise is 11, and 40 in colour; one other digit makes 18 and more.
LIGHTNESS, COLOUR = 16, 60
_CELL = 8


class _Drawn(Func):
    """The renditions of the picture of a revision: written as SQL, since Django would take longer to write it
    than the database takes to answer."""

    arity = 1
    template = """ARRAY(
        SELECT jsonb_build_object('sha256', d.sha256, 'media_type', d.media_type, 'width', d.width,
                                  'height', d.height, 'size', d.size)
        FROM stories_revisionasset s JOIN stories_rendition d ON d.asset_id = s.asset_id
        WHERE s.revision_id = %(expressions)s AND d.recipe = %(recipe)s ORDER BY d.width, d.media_type)"""
    output_field = ArrayField(JSONField())


def column(revision: str) -> Func:
    """What annotates a query with the renditions of the picture of a revision, for `forms`.

    `revision` is the path to the revision in that query.
    """
    return _Drawn(revision, recipe=RECIPE)


def forms(rows: Sequence[dict[str, Any]]) -> tuple[Form, ...]:
    """The renditions that `column` found, for `rendering`."""
    return tuple(
        Form(
            f"{row['sha256']}.{ENDINGS.get(row['media_type'], 'bin')}",
            row["media_type"],
            row["width"],
            row["height"],
            row["size"],
        )
        for row in rows
    )


def of(revision: int) -> tuple[Form, ...]:
    """The renditions of the picture of a revision. One query."""
    drawn = Rendition.objects.filter(recipe=RECIPE, asset__revisions=revision)
    return tuple(
        Form(one.name, one.media_type, one.width, one.height, one.size)
        for one in drawn.order_by("width", "media_type")
    )


def found(assets: QuerySet[Asset], name: str) -> Asset | Rendition | None:
    """The file called `name`, if it is one of `assets` or a rendition of one.

    In the place of a rendition whose bytes are lost it is the picture itself. As many queries for a file that
    there is not as for one that is not among them.
    """
    sha256 = name.partition(".")[0]
    if not sha256.isalnum():
        return None
    if (asset := assets.filter(sha256=sha256).first()) and asset.name == name:
        return asset
    drawn = Rendition.objects.filter(sha256=sha256, recipe__lte=RECIPE, asset__in=assets)
    rendition = drawn.select_related("asset").first()
    if rendition is None or rendition.name != name:
        return None
    return rendition if files.path_of(rendition).exists() else rendition.asset


def undrawn() -> QuerySet[Asset]:
    """The pictures without renditions."""
    drawn = Rendition.objects.filter(asset=OuterRef("pk"), recipe=RECIPE)
    return Asset.objects.filter(~Exists(drawn), width__isnull=False)


def claim_next() -> Asset | None:
    """A picture to be drawn that nobody has begun to draw; the newest, which somebody may be looking at.

    The claim lapses by itself: a picture on which a worker dies, or which cannot be read, keeps no other from
    being drawn, and is tried again later.
    """
    for asset in undrawn().order_by("-pk")[:100]:
        if cache.add(f"stories.renditions:{RECIPE}:{asset.pk}", "taken", CLAIM_SECONDS):
            return asset
    return None


def draw(asset: Asset) -> int:
    """Draw the renditions of a picture, and give their number; none if somebody else just did.

    Raises:
        OSError: its bytes are missing or cannot be read.
    """
    drawn = [_stored(asset, *each) for each in _drawn(asset)]
    try:
        with transaction.atomic():
            return len(Rendition.objects.bulk_create(drawn))
    except IntegrityError:
        return 0


def widths(asset: Asset) -> list[int]:
    """The widths in which a picture is drawn, its own the last."""
    own = asset.width or 0
    return [*(width for width in WIDTHS if width < own * HARDLY), own]


def _drawn(asset: Asset) -> Iterator[tuple[str, Image.Image, bytes]]:
    """Each rendition: its type, the picture of its width, and that encoded."""
    original = _opened(asset)
    for width in widths(asset):
        picture = _of_width(original, width)
        for media_type in dict.fromkeys((AVIF, WEBP, asset.media_type)):
            # The picture itself is there already.
            if (width, media_type) != (asset.width, asset.media_type):
                yield media_type, picture, _encoded(picture, media_type, asset.media_type == PNG)


def _opened(asset: Asset) -> Image.Image:
    """A picture from its bytes, and nothing that came with it: some formats would write that down."""
    with Image.open(files.path_of(asset)) as opened:
        picture = opened.copy()
    picture.info = {}
    return picture


def _of_width(original: Image.Image, width: int) -> Image.Image:
    if width == original.width:
        return original
    height = max(1, round(original.height * width / original.width))
    return original.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)


def _encoded(picture: Image.Image, media_type: str, drawing: bool) -> bytes:
    """The bytes of a picture in one format; with `drawing`, of one that may have letters and fine lines."""
    if media_type == AVIF:
        fine = "4:4:4" if drawing else "4:2:0"
        return _saved(picture, "AVIF", quality=55, speed=8, subsampling=fine, max_threads=1)
    if media_type == WEBP:
        lossy = _saved(picture, "WEBP", quality=80)
        return min(lossy, _saved(picture, "WEBP", lossless=True, quality=50), key=len) if drawing else lossy
    if media_type == JPEG:
        return _saved(picture, "JPEG", quality=80, optimize=True, progressive=True)
    return _saved(picture, "PNG")


def _saved(picture: Image.Image, kind: str, **how: Any) -> bytes:
    out = BytesIO()
    picture.save(out, kind, **how)
    return out.getvalue()


def _stored(asset: Asset, media_type: str, picture: Image.Image, data: bytes) -> Rendition:
    rendition = Rendition(
        asset=asset,
        recipe=RECIPE,
        media_type=media_type,
        width=picture.width,
        height=picture.height,
        sha256=sha256(data).hexdigest(),
        size=len(data),
    )
    # The bytes first: a page must name nothing that cannot be fetched.
    files.write(files.path_of(rendition), data)
    return rendition


def faults() -> Iterator[str]:
    """A sentence for each rendition that was changed, or shows something else than its picture."""
    pictures = Asset.objects.filter(renditions__isnull=False).distinct()
    for asset in pictures.order_by("pk").iterator():
        yield from faults_of(asset)


def faults_of(asset: Asset) -> Iterator[str]:
    """The same of one picture. Bytes that are missing are no fault: the picture itself is sent then."""
    try:
        original = _opened(asset)
    except OSError:
        # `files.faults` tells of it.
        return
    for rendition in asset.renditions.order_by("pk"):
        try:
            data = files.path_of(rendition).read_bytes()
        except FileNotFoundError:
            continue
        if sha256(data).hexdigest() != rendition.sha256:
            yield f"the bytes of rendition {rendition.name} were changed"
        elif not _alike(data, original):
            yield f"rendition {rendition.name} does not show picture {asset.name}"


def _alike(data: bytes, original: Image.Image) -> bool:
    """Whether bytes show a picture, as far as encoding leaves it alike."""
    try:
        with Image.open(BytesIO(data)) as shown:
            seen = _on_white(shown)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return False
    expected = _on_white(_of_width(original, min(seen.width, original.width)))
    if seen.size != expected.size:
        return False
    cells = [one.reduce(_CELL) for one in (seen, expected)]
    lightness = ImageChops.difference(*(cell.convert("L") for cell in cells))
    return _most(lightness) <= LIGHTNESS and _most(ImageChops.difference(*cells)) <= COLOUR


def _most(picture: Image.Image) -> int:
    """The highest value of any pixel in any channel."""
    return max(value for _, value in ImageStat.Stat(picture).extrema)


def _on_white(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    seen = picture.convert("RGBA")
    ground = Image.new("RGBA", seen.size, "white")
    return Image.alpha_composite(ground, seen).convert("RGB")
