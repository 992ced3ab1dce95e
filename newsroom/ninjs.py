"""A story as an IPTC ninjs 3.1 document. Pure: from what is told of a story alone."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils.html import escape

from stories import languages, rendering, richtext

from .listing import picture_url
from .telling import Told

STANDARD = {
    "name": "ninjs",
    "version": "3.1",
    "schema": "http://www.iptc.org/std/ninjs/ninjs-schema_3.1.json",
}


def item(told: Told) -> dict[str, Any]:
    """The document. Of a story that was taken back it says that it is canceled, and no word of it.

    The schema knows no other keys than these, and the `uri` is the same for all versions of a story.
    """
    about = {
        "uri": f"urn:uuid:{told.uid}",
        "standard": STANDARD,
        "type": "text",
        "language": (told.content or {}).get("language", languages.DEFAULT),
        "firstCreated": _instant(told.published),
        "versionCreated": _instant(told.updated),
    }
    if told.content is None:
        return {**about, "representationType": "partial", "pubStatus": "canceled"}
    return {**about, "representationType": "full", "pubStatus": "usable", **_words(told, told.content)}


def _words(told: Told, content: Mapping[str, Any]) -> dict[str, Any]:
    """What the content holds; what it does not hold has no key."""
    organisation = content["organisation"] or {}
    found = {
        "headlines": [{"role": "main", "contentType": "text/plain", "value": told.headline}],
        "descriptions": _descriptions(content),
        "bodies": [
            {"role": "main", "contentType": "text/html", "value": _html(content["body"])},
            {"role": "plain", "contentType": "text/plain", "value": richtext.plain(content["body"])},
        ],
        "by": organisation.get("name") or told.newsroom,
        "slugline": content["slug"],
        "people": [{"name": name, "rel": "quoted"} for name in _speakers(content["body"])],
        "organisations": [
            *([{"name": organisation["name"], "rel": "issuer"}] if organisation else []),
            *({"name": partner["name"], "rel": "partner"} for partner in content["partners"]),
        ],
        "subjects": [{"name": topic["name"], "rel": "about"} for topic in content["topics"]],
        "genres": [{"name": rendering.type_label(content["type"])}],
        "renditions": [
            {"name": "web", "href": told.address, "contentType": "text/html", "title": told.headline},
            *_files(content),
        ],
        "associations": _picture(content["picture"], told.forms),
    }
    return {key: value for key, value in found.items() if value}


def _descriptions(content: Mapping[str, Any]) -> list[dict[str, str]]:
    said = [("summary", "text/plain", content["summary"])]
    said.append(("notes", "text/html", str(rendering.sanitised(content["notes"]))))
    said.append(("contacts", "text/plain", content["contacts"]))
    return [
        {"role": role, "contentType": kind, "value": value} for role, kind, value in said if value.strip()
    ]


def _html(body: Iterable[Mapping[str, Any]]) -> str:
    return "\n".join(_block(block) for block in body)


def _block(block: Mapping[str, Any]) -> str:
    html = str(rendering.sanitised(block["html"]))
    if block["kind"] != "quote":
        return html
    whose = ", ".join(filter(None, (block.get("speaker", ""), block.get("role", ""))))
    return (
        f"<figure><blockquote>{html}</blockquote>"
        + (f"<figcaption>{escape(whose)}</figcaption>" if whose else "")
        + "</figure>"
    )


def _speakers(body: Iterable[Mapping[str, Any]]) -> list[str]:
    """Who is quoted, each once, in the order in which they speak."""
    return list(dict.fromkeys(block["speaker"] for block in body if block.get("speaker")))


def _files(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The attachments that can be fetched."""
    return [
        {
            "name": f"attachment-{number}",
            "href": settings.SITE_URL + document.url,
            "contentType": document.media_type,
            "title": document.title,
            "sizeInBytes": document.size,
        }
        for number, document in enumerate(rendering.documents(content["attachments"], "media"), start=1)
        if document.url
    ]


def _picture(stored: Mapping[str, Any] | None, forms: Iterable[rendering.Form]) -> list[dict[str, Any]]:
    """The lead picture with its words, as it is and as it was drawn."""
    if not stored:
        return []
    href = settings.SITE_URL + picture_url(dict(stored))
    said = (("alt", stored.get("alt", "")), ("caption", stored.get("caption", "")))
    shown: dict[str, Any] = {
        "name": "lead picture",
        "rel": "main",
        "uri": href,
        "type": "picture",
        "by": stored.get("credit", ""),
        "descriptions": [{"role": role, "value": value} for role, value in said if value],
        "renditions": [
            {
                "name": "main",
                "href": href,
                "width": stored.get("width", 0),
                "height": stored.get("height", 0),
            },
            *(
                {
                    "name": f"{form.name.rpartition('.')[2]}-{form.width}",
                    "href": settings.SITE_URL + form.url,
                    "contentType": form.media_type,
                    "width": form.width,
                    "height": form.height,
                    "sizeInBytes": form.size,
                }
                for form in forms
            ),
        ],
    }
    return [{key: value for key, value in shown.items() if value}]


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds")
