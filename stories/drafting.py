"""The verbs of drafting: each is one transaction and either does its work or refuses by name."""

from typing import Any

from django.db import transaction

from . import digests
from .models import (
    Asset,
    Embargo,
    Limit,
    Revision,
    RevisionAsset,
    Story,
    Suggestion,
    Team,
    User,
    WorkingCopy,
)
from .moments import Moment


class Refused(Exception):
    """Drafting refused something. The message says what, why and what to do next."""


class Stale(Refused):
    """Somebody saved a newer revision meanwhile; `latest` is theirs. Nothing was stored."""

    def __init__(self, latest: Revision) -> None:
        super().__init__(
            f"{latest.by} saved revision {latest.number} while you were writing. Your words are kept below."
        )
        self.latest = latest


class NothingChanged(Refused):
    """The words are those of the newest revision, `latest`, to the last letter."""

    def __init__(self, latest: Revision) -> None:
        super().__init__(f"Nothing has changed since revision {latest.number}, so there is nothing to save.")
        self.latest = latest


@transaction.atomic
def begin(*, by: User, content: dict[str, Any], origin: str = "form", team: Team | None = None) -> Revision:
    """Begin a story with its first revision. `content` has the shape of `content.blank()`.

    A story with a team exists for that team alone.
    """
    story = Story.objects.create(by=by)
    if team:
        limit(story=story, by=by, team=team)
    if origin == "form":
        WorkingCopy.objects.filter(story=None, by=by).delete()
    return _add(story, by, content, None, origin)


@transaction.atomic
def save(
    *, story: Story, by: User, content: dict[str, Any], based_on: int | None, origin: str = "form"
) -> Revision:
    """Save `content` as the next revision, by somebody who had revision id `based_on` before them.

    Raises:
        Stale: `based_on` is not the newest revision any more.
        NothingChanged: the words are those of the newest revision.
    """
    Story.objects.select_for_update().get(pk=story.pk)
    latest = story.latest
    # First, so that the second click of two is not told that somebody else was faster.
    if digests.content_digest(content) == latest.digest:
        raise NothingChanged(latest)
    if latest.pk != based_on:
        raise Stale(latest)
    WorkingCopy.objects.filter(story=story, by=by).delete()
    return _add(story, by, content, latest, origin)


def _add(
    story: Story,
    by: User,
    content: dict[str, Any],
    latest: Revision | None,
    origin: str = "form",
    *,
    takes: Suggestion | None = None,
    restores: Revision | None = None,
) -> Revision:
    """The next revision after `latest`, for a verb that has locked the story and seen to its refusals."""
    revision = Revision.objects.create(
        story=story,
        by=by,
        content=content,
        based_on=latest,
        origin=origin,
        number=latest.number + 1 if latest else 1,
        takes=takes,
        restores=restores,
    )
    shown = {file["sha256"] for file in (content["picture"], *content["attachments"]) if file}
    for digest in sorted(shown):
        RevisionAsset.objects.create(revision=revision, asset=Asset.objects.get(sha256=digest))
    return revision


@transaction.atomic
def plan_embargo(*, story: Story, by: User, moment: Moment) -> Embargo:
    """Say for which moment the story is meant. It binds nobody until a release is armed."""
    return Embargo.objects.create(story=story, by=by, instant=moment.instant, zone=moment.zone)


@transaction.atomic
def limit(*, story: Story, by: User, team: Team | None) -> Limit:
    """Make the story exist for `team` alone, or (None) for everybody who works here."""
    fact = Limit.objects.create(story=story, by=by, team=team)
    story.team = team
    return fact


def keep(*, story: Story | None, by: User, base: int | None, fields: dict[str, Any]) -> WorkingCopy:
    """Keep what `by` has typed so far in the form of `story` (None: of a new story)."""
    copy, _ = WorkingCopy.objects.update_or_create(
        story=story, by=by, defaults={"base_id": base, "fields": fields}
    )
    return copy


def discard(*, story: Story | None, by: User) -> None:
    """Forget the working copy: its words were saved, or are not wanted."""
    WorkingCopy.objects.filter(story=story, by=by).delete()
