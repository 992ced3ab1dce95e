"""The verbs by which drafters link a story with its translation. The database checks each rule again."""

from typing import NamedTuple
from uuid import UUID

from django.db import Error, connection, transaction

from . import drafting
from .languages import LANGUAGES
from .models import Revision, Story, Translation, TranslationEnd, User
from .refusals import hint_of


class Refused(drafting.Refused):
    """A link between a story and its translation was refused."""


class NoSuchStory(Refused):
    """There is no story to be linked with, or not for this person."""


class Itself(Refused):
    """A story was said to be the translation of itself."""


class Linked(Refused):
    """The story is linked with others already."""


class NotOriginal(Refused):
    """What was said to be the original is a translation itself."""


class OtherOrganisation(Refused):
    """The two stories are not of one organisation."""


class SameLanguage(Refused):
    """Among the stories that would be linked two are in one language."""


class NotLinked(Refused):
    """The story is not linked by what was on the screen any more."""


BY_HINT: dict[str, tuple[type[Refused], str]] = {
    "itself": (
        Itself,
        "Nothing was linked: that is the address of this very story. Paste the address of the original.",
    ),
    "linked": (
        Linked,
        "Nothing was linked: this story is linked with another already. Undo that first.",
    ),
    "not_original": (
        NotOriginal,
        "Nothing was linked: that story is a translation itself. Paste the address of its original.",
    ),
    "organisation": (
        OtherOrganisation,
        (
            "Nothing was linked: the two stories are not from the same organisation. Set “From” in one of "
            "them, save it, and link them then."
        ),
    ),
    "language": (
        SameLanguage,
        (
            "Nothing was linked: the original, or another translation of it, is in the language of this "
            "story already. Set the language of this one, and save it, or undo the other link."
        ),
    ),
    "not_linked": (
        NotLinked,
        "Nothing was undone: the story is not linked in this way any more. Look at it again.",
    ),
}


class Alike(NamedTuple):
    """A story that says the same in another language, as somebody on the desk may see it."""

    uid: UUID
    headline: str
    language: str
    is_original: bool


def link(*, story: Story, original: UUID, by: User) -> Translation:
    """Say that a story is the translation of the one with the uid `original`.

    Raises:
        NoSuchStory: there is none, or not for `by`.
        Itself, Linked, NotOriginal, OtherOrganisation, SameLanguage: see there.
    """
    found = Story.objects.visible_to(by).filter(uid=original).first()
    if found is None:
        raise NoSuchStory(
            "Nothing was linked: there is no story at that address. Open the original here on the desk and "
            "copy the address of its page."
        )
    try:
        with transaction.atomic():
            return Translation.objects.create(story=story, original=found, by=by)
    except Error as error:
        raise _in_words(error) from error


def unlink(*, story: Story, translation: int, by: User) -> TranslationEnd:
    """Undo that a story is the translation of another; `translation` is the id of what was on the screen.

    Raises:
        NotLinked: it is not linked by that, or not any more.
    """
    try:
        with transaction.atomic():
            return TranslationEnd.objects.create(story=story, translation_id=translation, by=by)
    except Error as error:
        raise _in_words(error) from error


def _in_words(error: Error) -> Exception:
    diagnosis = getattr(error.__cause__, "diag", None)
    # Undone twice, or by an id of nothing: a constraint says so, not a guard.
    constraint = (diagnosis and diagnosis.constraint_name) or ""
    found = BY_HINT.get("not_linked" if constraint.startswith("stories_translationend") else hint_of(error))
    return found[0](found[1]) if found else error


def standing(story: Story) -> Translation | None:
    """By what a story is the translation of another, if it is."""
    return Translation.objects.filter(story=story, end=None).first()


def others(story: Story, user: User) -> list[Alike]:
    """What says the same in other languages, of what exists for `user`: the original first. Two queries."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, place FROM said_alike(%s) WITH ORDINALITY AS a (id, place)", [story.pk])
        places = {pk: place for pk, place in cursor.fetchall() if pk != story.pk}
    seen = Story.objects.visible_to(user).filter(pk__in=places).values("pk")
    newest = Revision.objects.filter(story__in=seen).order_by("story_id", "-number").distinct("story_id")
    rows = sorted(newest.select_related("story"), key=lambda revision: places[revision.story_id])
    return [
        Alike(
            row.story.uid, row.headline, LANGUAGES.get(row.language, row.language), places[row.story_id] == 1
        )
        for row in rows
    ]
