"""The verbs of bundles: stories that go out together or not at all. The database checks each rule again."""

from dataclasses import dataclass

from django.db import Error, transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from stories.models import Story, User

from . import releasing
from .models import Bundle, Bundling, Hold, Unbundling, Visibility, release_clock


@dataclass(frozen=True)
class Company:
    """How far a bundle has come: its stories, and how many of them the others wait for."""

    bundle: Bundle
    members: int
    #: How many of them are not armed, or are held.
    missing: int
    gone: bool

    @property
    def others(self) -> int:
        return self.members - 1


def make(*, by: User, name: str) -> Bundle:
    """Make a bundle, with no story in it.

    Raises:
        NameMissing: `name` is empty.
    """
    if not name.strip():
        raise releasing.NameMissing("Nothing was made: give the bundle a name, such as that of the report.")
    return Bundle.objects.create(by=by, name=name.strip())


def join(*, story: Story, bundle: Bundle, by: User) -> Bundling:
    """Put a story into a bundle: what is armed of it, now or from now on, waits for the others.

    Raises:
        AlreadyBundled: it is in one that is still to go out.
        BundleGone: that bundle has gone out.
    """
    try:
        with transaction.atomic():
            return Bundling.objects.create(story=story, bundle=bundle, by=by)
    except Error as error:
        raise releasing.in_words(error) from error


def leave(*, story: Story, by: User, reason: str, bundling: int) -> Unbundling:
    """Take a story out of its bundle. If its own moment has passed meanwhile, it is public from this instant.

    `bundling` is the id of what was on the screen.

    Raises:
        NotBundled: it is not in that bundle any more, or the bundle has gone out.
        ReasonMissing: `reason` is empty.
    """
    reason = releasing.reason_of(reason)
    try:
        with transaction.atomic():
            return Unbundling.objects.create(story=story, by=by, bundling_id=bundling, reason=reason)
    except Error as error:
        raise releasing.in_words(error) from error


def members() -> QuerySet[Bundling]:
    """What is in a bundle, or went out with one."""
    return Bundling.objects.filter(end=None)


def missing() -> QuerySet[Bundling]:
    """What the others of its bundle wait for: a story of which nothing is armed in it, or that is held."""
    armed = Visibility.objects.armed().filter(
        story=OuterRef("story"), release__bundlings__bundling=OuterRef("pk")
    )
    held = Hold.objects.filter(story=OuterRef("story"), lift=None)
    return members().filter(~Exists(armed) | Exists(held))


def open_bundles() -> QuerySet[Bundle]:
    """The bundles that are still to go out, the newest first."""
    to_go = Q(goes_out=None) | Q(goes_out__moment=None) | Q(goes_out__moment__gt=release_clock())
    return Bundle.objects.filter(to_go).order_by("-pk")


def visible_to(user: User) -> QuerySet[Bundle]:
    """The bundles that exist for somebody: those with a story that does, and those without any."""
    there = members().filter(bundle=OuterRef("pk"))
    return Bundle.objects.filter(
        ~Exists(there) | Exists(there.filter(story__in=Story.objects.visible_to(user)))
    )


def open_bundling(story: Story) -> Bundling | None:
    """By what a story is in a bundle that is still to go out; None where it goes by itself."""
    there = members().filter(story=story, bundle__in=open_bundles())
    return there.select_related("bundle__goes_out", "by").first()


def company(bundle: Bundle) -> Company:
    """How far a bundle has come."""
    there = members().filter(bundle=bundle)
    gone = not open_bundles().filter(pk=bundle.pk).exists()
    waits = Count("pk", filter=Q(pk__in=missing().filter(bundle=bundle)))
    counts = there.aggregate(members=Count("pk"), missing=waits)
    return Company(bundle, counts["members"], 0 if gone else counts["missing"], gone)


def stories_with(story: Story) -> QuerySet[Story]:
    """A story, and those that go out together with it."""
    bundles = members().filter(story=story).values("bundle")
    return Story.objects.filter(
        Q(pk=story.pk) | Q(pk__in=members().filter(bundle__in=bundles).values("story"))
    )
