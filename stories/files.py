"""Files of stories: stored under the hash of their bytes in a private folder, and for whom they exist."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase

from .models import Asset, RevisionAsset, Story, User

#: How many of their uploads a session remembers.
REMEMBERED = 200
_UPLOADED = "uploaded"


class File(Protocol):
    """What is stored under its hash: an asset, or a rendition of one."""

    sha256: str
    media_type: str

    @property
    def name(self) -> str: ...


def path_of(file: File) -> Path:
    """Where the bytes of a file lie: a private folder, never served as it is."""
    return Path(settings.MEDIA_ROOT) / file.sha256[:2] / file.name


def keep(
    data: bytes, media_type: str, by: User, *, width: int | None = None, height: int | None = None
) -> Asset:
    """Store bytes that were checked, for `by`; the same bytes twice are one asset."""
    asset = Asset(
        sha256=sha256(data).hexdigest(),
        media_type=media_type,
        width=width,
        height=height,
        size=len(data),
        by=by,
    )
    # The bytes first: a row without its bytes would be a file that nobody can show.
    write(path_of(asset), data)
    return Asset.objects.filter(sha256=asset.sha256).first() or _insert(asset)


def _insert(asset: Asset) -> Asset:
    try:
        with transaction.atomic():
            asset.save(force_insert=True)
    except IntegrityError:
        # Somebody stored the same bytes at the same time.
        return Asset.objects.get(sha256=asset.sha256)
    return asset


def write(path: Path, data: bytes) -> None:
    """Put the bytes of a file in their place, whole or not at all."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{uuid4().hex}.part")
    part.write_bytes(data)
    part.replace(path)


def remember(asset: Asset, session: SessionBase) -> None:
    """Let the file exist for whoever uploaded it just now, though somebody else did so first."""
    others = [digest for digest in session.get(_UPLOADED, []) if digest != asset.sha256]
    session[_UPLOADED] = [*others, asset.sha256][-REMEMBERED:]


def known_to(user: User, session: SessionBase | None = None) -> QuerySet[Asset]:
    """The files that exist for `user`: uploaded by them (in this session, whoever was first), or shown by a
    story that exists for them."""
    shown = RevisionAsset.objects.filter(
        asset=OuterRef("pk"), revision__story__in=Story.objects.visible_to(user)
    )
    uploaded = session.get(_UPLOADED, []) if session is not None else []
    return Asset.objects.filter(Q(by=user) | Q(sha256__in=uploaded) | Exists(shown))


def answer(asset: File) -> HttpResponseBase:
    """The bytes of a file. What is no picture is for saving, not for showing in our own pages.

    With `FILES_BY_PROXY` it only says which file the proxy in front of us is to send.

    The answer gives no name to save it by: the link to it does, with words that were cleared.

    Raises:
        FileNotFoundError: they are missing.
    """
    media_type = f"{asset.media_type}; charset=utf-8" if asset.media_type == "text/csv" else asset.media_type
    path = path_of(asset)
    response: HttpResponse | FileResponse
    if settings.FILES_BY_PROXY:
        path.stat()
        response = HttpResponse(content_type=media_type)
        response["X-Accel-Redirect"] = f"/files/{path.relative_to(settings.MEDIA_ROOT)}"
    else:
        response = FileResponse(path.open("rb"), content_type=media_type)
    response["X-Content-Type-Options"] = "nosniff"
    if not asset.media_type.startswith("image/"):
        response["Content-Disposition"] = "attachment"
    return response


def faults() -> Iterator[str]:
    """A sentence for each revision whose files are not those of its words, and for each file that changed."""
    yield from _links_astray()
    for asset in Asset.objects.order_by("pk").iterator():
        what = "picture" if asset.media_type.startswith("image/") else "attachment"
        try:
            found = sha256(path_of(asset).read_bytes()).hexdigest()
        except FileNotFoundError:
            yield f"the bytes of {what} {asset.name} are missing"
        else:
            if found != asset.sha256:
                yield f"the bytes of {what} {asset.name} were changed"


def _links_astray() -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT s.uid, r.number FROM stories_revision r JOIN stories_story s ON s.id = r.story_id
            WHERE ARRAY(SELECT a.sha256 FROM stories_revisionasset x JOIN stories_asset a ON a.id = x.asset_id
                        WHERE x.revision_id = r.id ORDER BY 1)::text[]
                  <> ARRAY(SELECT DISTINCT f.sha256 FROM (
                      SELECT r.content #>> '{picture,sha256}'
                      UNION ALL SELECT e ->> 'sha256' FROM jsonb_array_elements(r.content -> 'attachments') e
                  ) f (sha256) WHERE f.sha256 IS NOT NULL ORDER BY 1)
            ORDER BY r.id
            """
        )
        for uid, number in cursor.fetchall():
            yield f"story {uid}: the files of revision {number} are not those that its words name"
