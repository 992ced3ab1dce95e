"""What says the same as a public story in another language, of what is public."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.db.models import F, Func, JSONField

from .listing import address


class Translated(NamedTuple):
    """A public story that says the same as another, in another language."""

    uid: str
    slug: str
    language: str
    #: What it is to the other: "original", "translation", or neither.
    role: str

    @classmethod
    def of_release(cls, release: str = "release_id") -> Func:
        """Those of a release, whose id is in the column `release`, as the database gives them."""
        return Func(F(release), function="translations_of", output_field=JSONField())

    @classmethod
    def of_stored(cls, stored: Mapping[str, str]) -> "Translated":
        """One of them."""
        return cls(stored["uid"], stored["slug"], stored["language"], stored["role"])


def structured(translated: Sequence[Translated]) -> dict[str, Any]:
    """What schema.org's NewsArticle has for them."""

    def works(role: str) -> list[dict[str, str]]:
        return [
            {"@type": "NewsArticle", "@id": address(each.slug), "inLanguage": each.language}
            for each in translated
            if each.role == role
        ]

    found = {"workTranslation": works("translation"), "translationOfWork": works("original")}
    return {key: value for key, value in found.items() if value}
