"""A newsroom with all that the public can come across, for whoever checks its pages and its documents."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import Image

from newsroom import releasing
from newsroom.models import Kind, Release
from stories import attachments, pictures, renditions
from stories.models import Asset
from tests.newsroom.test_public import pictured
from tests.people import Newsroom
from tests.stories.documents import CSV, file, pdf

RIVERS = {"slug": "rivers", "name": "Department for Rivers & Coasts"}
WEIRS = {"slug": "weirs", "name": "Weir Society"}
BRIDGES = {"slug": "bridges", "name": "Bridges <and> fords"}
FULL = "new-bridge"

BODY: list[dict[str, str]] = [
    {
        "kind": "paragraph",
        "html": '<p>A <strong>footbridge</strong> opened, <a href="https://rivers.example/a?b=1&amp;c=2">as'
        ' planned</a>; write to <a href="mailto:desk@rivers.example">the desk</a>.</p>',
    },
    {"kind": "heading", "html": "<h2>What it is for</h2>"},
    {
        "kind": "quote",
        "html": "<p>Nobody will have to wade here again.</p><p>Ever.</p>",
        "speaker": "Mara Ellingham",
        "role": "Secretary of State for Rivers",
    },
    {"kind": "list", "html": "<ul><li>40 metres</li><li><p>£2 million</p></li></ul>"},
    {"kind": "heading", "html": "<h3>What others say</h3>"},
    {
        "kind": "quote",
        "html": "<p>“Quite,” they said.</p>",
        "speaker": "Bram O’Dell",
        "role": "Chair, Weirs & Co",
    },
    {"kind": "list", "html": '<ol start="3"><li>Third</li><li>Fourth</li></ol>'},
    {"kind": "paragraph", "html": "<p>It is open<br>day and night.</p>"},
]


@dataclass
class Stage:
    """The stories that there are, by what is special about each."""

    newsroom: Newsroom
    full: Release
    bare: Release
    corrected: Release
    updated: Release
    gone: Release
    killed: Release


def picture(newsroom: Newsroom, size: tuple[int, int] = (1280, 720)) -> Asset:
    """A picture that was uploaded and drawn."""
    out = BytesIO()
    Image.new("RGB", size, "#557481").save(out, "PNG")
    out.seek(0)
    asset = pictures.store(out, newsroom.drafter)
    renditions.draw(asset)
    return asset


def attached(asset: Asset, title: str) -> dict[str, Any]:
    """A document as content holds it."""
    held = {"sha256": asset.sha256, "name": asset.name, "title": title}
    return {**held, "media_type": asset.media_type, "size": asset.size}


def everything(newsroom: Newsroom) -> dict[str, Any]:
    """The words of a story with all that a story can have."""
    sheet = attachments.store(BytesIO(pdf()), newsroom.drafter)
    table = attachments.store(file(CSV, "homes.csv"), newsroom.drafter)
    return {
        "headline": "New footbridge opens at “Harrow Weir” & beyond",
        "slug": FULL,
        "type": "press-release",
        "body": BODY,
        "picture": pictured(picture(newsroom)),
        "attachments": [attached(sheet, "Facts & figures"), attached(table, "Homes")],
        "organisation": RIVERS,
        "partners": [WEIRS],
        "topics": [BRIDGES],
        "notes": "<ol><li><p>The bridge is 40 metres long.</p></li><li><p>It cost £2 million.</p></li></ol>",
        "contacts": "River desk\n020 7946 0000\npress@rivers.example\n\nOut of hours\n020 7946 0001",
    }


def furnish(newsroom: Newsroom) -> Stage:
    """Stories of every shape, and what became of them."""
    full = newsroom.public(**everything(newsroom))
    paragraph = [{"kind": "paragraph", "html": "<p>No more than that.</p>"}]
    bare = newsroom.public(
        slug="bare", headline="Bare", summary="Little.", body=paragraph, notes="", contacts=""
    )
    return Stage(
        newsroom,
        full,
        bare,
        corrected=followed(newsroom, "corrected", Kind.CORRECTION, "The length was <wrong> & is right."),
        updated=followed(newsroom, "updated", Kind.MAJOR, "A second bridge."),
        gone=taken_back(newsroom, "gone", kill=False),
        killed=taken_back(newsroom, "killed", kill=True),
    )


def followed(newsroom: Newsroom, slug: str, kind: Kind, note: str) -> Release:
    """A public story, and what followed it at the same address."""
    release = newsroom.public(slug=slug, topics=[BRIDGES], organisation=RIVERS)
    revision = newsroom.edit(release.story, summary="Better.")
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    return releasing.arm(revision=revision, by=newsroom.officer, moment=None, kind=kind, note=note)


def taken_back(newsroom: Newsroom, slug: str, *, kill: bool) -> Release:
    """A story that was public."""
    release = newsroom.public(slug=slug, headline="Canary in the mine")
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="It was <wrong>.", kill=kill)
    return release
