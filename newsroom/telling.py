"""What recipients are told of stories: as each is public at this moment, whatever it was when it was due.

So nobody is sent words that were corrected or taken back while they waited.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import Exists, OuterRef

from stories import content as shape
from stories import rendering, renditions, richtext

from . import house
from .listing import address, published
from .models import RECALLS, Delivery, ReceiverKind, Release, ReleaseQuerySet, Subscriber

GONE = "the story is not public any more."
LEFT = "they are not on the list any more."
NEVER = "nothing about this story was sent to them."


@dataclass
class Told:
    """A story as anybody can read it now; of one that was taken back, only which it was."""

    uid: str
    address: str
    zone: str
    #: From when it was public, and when it last changed.
    published: datetime
    updated: datetime
    #: None of what was taken back.
    content: dict[str, Any] | None = None
    #: What the newsroom is called, looked up here: who sends asks the database nothing.
    newsroom: str = field(default_factory=lambda: house.current().name)
    #: The renditions of its picture.
    forms: tuple[rendering.Form, ...] = ()

    @property
    def began(self) -> str:
        """What type of story it is, and since when it has been public."""
        assert self.content is not None
        kind = rendering.type_label(self.content["type"])
        return f"{kind}. {published(self.published, self.zone).public}"

    @cached_property
    def text(self) -> str:
        """The words of the story in plain text."""
        assert self.content is not None
        return "\n\n".join(
            [
                self.began,
                self.content["summary"],
                richtext.plain(self.content["body"]),
                self.address,
            ]
        )

    @property
    def headline(self) -> str:
        """The headline in one line."""
        assert self.content is not None
        return " ".join(self.content["headline"].split())


@dataclass(frozen=True)
class News:
    """A story in a digest: new, corrected or updated, and in what."""

    told: Told
    event: str
    note: str


@dataclass(frozen=True)
class Parcel:
    """A delivery, and what it tells; of a mail, also whom."""

    delivery: Delivery
    told: Told
    subscriber: Subscriber | None = None

    @property
    def event(self) -> str:
        return self.delivery.event


def parcels(rows: list[Delivery], kind: str = "") -> tuple[list[Parcel], list[tuple[Delivery, str]]]:
    """What to send for deliveries of one lane, and those that are of no use any more, each with the reason.

    `kind` is what its receiver is sent. As many queries for many as for one.
    """
    told = _public(rows) | _taken_back(rows)
    ready: list[Parcel] = []
    refused: list[tuple[Delivery, str]] = []
    # A hub is told of every change of the feed, whatever it was told before.
    never = set() if kind == ReceiverKind.WEBSUB else _never_told(rows)
    subscribers = _subscribers(rows)
    for row in rows:
        story = told.get((row.story_id, row.event in RECALLS))
        subscriber = subscribers.get(row.recipient)
        if story is None:
            refused.append((row, GONE))
        elif row.recipient and not _may_write(row, subscriber):
            refused.append((row, LEFT))
        elif row.pk in never:
            refused.append((row, NEVER))
        else:
            ready.append(Parcel(row, story, subscriber))
    return ready, refused


def _may_write(row: Delivery, subscriber: Subscriber | None) -> bool:
    """Whether a mail goes to somebody: who has left the list is still told that what they got is void."""
    return subscriber is not None and (subscriber.active or row.event in RECALLS)


def _public(rows: Iterable[Delivery]) -> dict[tuple[int, bool], Told]:
    """The stories that anybody may see now, of those that words are to be sent of."""
    stories = {row.story_id for row in rows if row.event not in RECALLS}
    if not stories:
        return {}
    releases = with_words(Release.objects.public().filter(story__in=stories))
    return {(release.story_id, False): public(release) for release in releases}


def with_words(releases: ReleaseQuerySet) -> ReleaseQuerySet:
    """Releases, each with all that `public` asks of it."""
    return releases.select_related("story", "revision", "visibility").with_forms()


def public(release: Release) -> Told:
    """What is told of a release that is public, which comes from `with_words`."""
    shown = release.visibility
    assert shown.first_from
    assert shown.visible_from
    return Told(
        uid=str(release.story.uid),
        address=address(shown.slug),
        zone=shown.zone,
        published=shown.first_from,
        updated=shown.visible_from,
        content=shape.filled(release.revision.content),
        forms=rendering.fetched(renditions.forms(release.forms), "media"),
    )


def _taken_back(rows: Iterable[Delivery]) -> dict[tuple[int, bool], Told]:
    """The stories that were taken back: which they were, and when."""
    recalls = {row.story_id: row for row in rows if row.event in RECALLS}
    if not recalls:
        return {}
    releases = Release.objects.filter(pk__in=[row.release_id for row in recalls.values()])
    return {
        (release.story_id, True): Told(
            uid=str(release.story.uid),
            address=address(release.visibility.slug),
            zone=release.visibility.zone,
            published=release.visibility.first_from or release.embargo,
            updated=recalls[release.story_id].at,
        )
        for release in releases.select_related("story", "visibility")
    }


def _never_told(rows: Iterable[Delivery]) -> set[int]:
    """The recalls to recipients who were sent nothing that could be recalled."""
    recalls = [row.pk for row in rows if row.event in RECALLS]
    if not recalls:
        return set()
    # A receiver is one lane, and so is the list: the rows that are compared are of one kind.
    before = Delivery.objects.filter(
        story=OuterRef("story"), recipient=OuterRef("recipient"), attempts__gt=0, pk__lt=OuterRef("pk")
    )
    before = before.filter(receiver=next(iter(rows)).receiver_id)
    told = Delivery.objects.filter(Exists(before), pk__in=recalls).values_list("pk", flat=True)
    return set(recalls) - set(told)


def _subscribers(rows: Iterable[Delivery]) -> dict[str, Subscriber]:
    """The people on the list to whom the rows go, by their addresses."""
    emails = {row.recipient for row in rows if row.recipient}
    if not emails:
        return {}
    return {someone.email: someone for someone in Subscriber.objects.filter(email__in=emails)}
