"""Whether a stranger sees what was cleared: the public page and the feed, fetched and compared byte by byte.

What is to be looked for is an outbox row (`Lookout`) that the receipt brings with it: looked for at once, and
again with back-off until it is seen. What was answered is a fact (`Probe`) each time that it changes.
"""

import re
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import ParseError, fromstring

from django.db import Error, transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.urls import reverse

from stories import outbox
from stories.digests import content_digest
from stories.refusals import hint_of

from . import feeds, listing, outside, public
from .models import Lookout, Probe, Release

ATOM = f"{{{feeds.ATOM}}}"
#: The length of `Probe.differed`.
WORDS = 300
_OTHERS = re.compile(rb'<aside class="related.*?</aside>', re.DOTALL)


class NotSeen(OSError):
    """A stranger is not answered what was cleared; it is looked for again. The message says what differed."""


@dataclass(frozen=True)
class Look:
    """What a stranger was answered: the status of the page, and in a few words what was not right."""

    status: int | None
    differed: str = ""

    @property
    def seen(self) -> bool:
        return not self.differed


def look_next(worker: str) -> bool:
    """Look for the release that has been waiting for longest. Whether there was one."""
    return outbox.send_next(lookouts(), lambda lookout: _look(lookout, worker))


def outstanding() -> bool:
    """Whether a release is to be looked for now."""
    return outbox.is_due(lookouts())


def lookouts() -> QuerySet[Lookout]:
    """What is to be seen from outside, with what was cleared."""
    return Lookout.objects.select_related("release__revision", "release__story", "release__visibility")


def _look(lookout: Lookout, worker: str) -> None:
    release = lookout.release
    if not Release.objects.public().filter(pk=release.pk).exists():
        raise outbox.NotOfUse("it is not public.")
    look = look_at(release)
    note(release=release, look=look, worker=worker)
    if not look.seen:
        raise NotSeen(look.differed)


def look_at(release: Release) -> Look:
    """Fetch the page and the feed of a public release, and hold them against what was cleared."""
    if content_digest(release.revision.content) != release.revision.digest:
        return Look(None, "the words in the database are not those that were cleared")
    path = reverse("story", args=[release.visibility.slug])
    try:
        page = outside.fetch(path)
    except outside.Unanswered as error:
        return Look(None, f"the page did not answer: {error}"[:WORDS])
    if differed := _page_differs(release, page):
        return Look(page.status, differed[:WORDS])
    try:
        feed = outside.fetch(reverse("atom"))
    except outside.Unanswered as error:
        return Look(page.status, f"the feed did not answer: {error}"[:WORDS])
    return Look(page.status, _feed_differs(release, feed)[:WORDS])


def _page_differs(release: Release, page: outside.Answer) -> str:
    """What is not as it was cleared in the page that a stranger got; empty where nothing is."""
    if page.status != 200:
        return f"the page answered {page.status}, not 200"
    try:
        cleared = expected(release)
    except Http404:
        return "the page was answered, though it is not public"
    # Nothing is said about the page where it cannot be drawn here: whatever the reason, somebody has to look.
    except Exception as error:
        return f"this worker could not draw the page to compare it ({type(error).__name__})"
    seen, cleared = (_without_others(body) for body in (page.body, cleared))
    if seen == cleared:
        return ""
    at = next((place for place, (a, b) in enumerate(zip(seen, cleared, strict=False)) if a != b), None)
    if at is None:
        return f"the page has {len(seen)} bytes, what was cleared has {len(cleared)}"
    line = cleared.count(b"\n", 0, at) + 1
    return f"the page is not what was cleared, from byte {at + 1} on (line {line})"


def _without_others(body: bytes) -> bytes:
    """A page without the other stories that it leads to, of which one may come out or go at any moment."""
    return _OTHERS.sub(b"", body)


def expected(release: Release) -> bytes:
    """The page of a public release, drawn here by the view that draws it for the public.

    Raises:
        Http404: it is not public.
    """
    request = HttpRequest()
    request.method = "GET"
    slug = release.visibility.slug
    request.path = request.path_info = reverse("story", args=[slug])
    response: Any = public.draw_story(request, slug)
    return bytes(response.content)


def _feed_differs(release: Release, feed: outside.Answer) -> str:
    """What the feed lacks of the story; empty where all is there, or newer stories have pushed it out."""
    if feed.status != 200:
        return f"the feed answered {feed.status}, not 200"
    try:
        # From our own address, no larger than a page, and expat bounds what entities may grow to.
        entries = fromstring(feed.body).findall(f"{ATOM}entry")  # noqa: S314
    except ParseError:
        return "the feed is no XML"
    # Asked after the feed was fetched: what is in it still was in it then.
    wanted = str(release.story.uid)
    shown = next((story for story in listing.newest(0, feeds.FEED_SIZE) if story.uid == wanted), None)
    if shown is None:
        return ""
    entry = next((each for each in entries if each.findtext(f"{ATOM}id") == f"urn:uuid:{wanted}"), None)
    if entry is None:
        return "the feed lacks the story"
    if _squeezed(entry.findtext(f"{ATOM}title") or "") != _squeezed(feeds.clean(shown.headline)):
        return "the feed has another title"
    links = {link.get("href") for link in entry.findall(f"{ATOM}link") if link.get("rel") == "alternate"}
    return "" if listing.address(shown.slug) in links else "the feed leads to another address"


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def note(*, release: Release, look: Look, worker: str) -> Probe | None:
    """Write down what a stranger was answered, if it is not what was answered before."""
    try:
        with transaction.atomic():
            probe = Probe.objects.create(
                story_id=release.story_id,
                release=release,
                seen=look.seen,
                status=look.status,
                differed=look.differed,
                worker=worker,
            )
            probe.refresh_from_db()
            return probe
    except Error as error:
        if hint_of(error) in {"unchanged", "not_public"}:
            return None
        raise
