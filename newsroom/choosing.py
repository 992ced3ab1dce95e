"""What somebody gets by mail: everything, or what they chose; at once, or once a day.

Only topics and organisations of public stories are offered, by the same query as everywhere: what is to come
cannot be chosen, and is answered like what never was.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from django.db import transaction

from . import gathering
from .models import Chosen, Subscriber, TagKind

#: What can be chosen, in the order of the page.
KINDS = (TagKind.TOPIC, TagKind.ORGANISATION)
#: How many of them: they stand in the link by which somebody confirms.
MOST = 30


class Offer(NamedTuple):
    """A topic or an organisation that can be chosen."""

    kind: str
    slug: str
    name: str


@dataclass(frozen=True)
class Choice:
    """What somebody wants to get."""

    daily: bool = False
    #: Kind and slug of each topic and organisation; none where they want everything.
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def packed(self) -> list[Any]:
        """The choice as it stands in links and rows."""
        return [self.daily, *(list(tag) for tag in self.tags)]

    @classmethod
    def unpacked(cls, packed: Iterable[Any]) -> Self:
        """The choice that was `packed`; of nothing, everything at once."""
        daily, *tags = [*packed] or [False]
        return cls(bool(daily), tuple((kind, slug) for kind, slug in tags))


#: What somebody gets who chose nothing.
EVERYTHING = Choice()


def offered(subscriber: Subscriber | None = None) -> list[Offer]:
    """What can be chosen: what public stories are about and from, and what this subscriber chose before.

    Three queries at most.
    """
    found = {(kind.value, slug): name for kind in KINDS for slug, name in gathering.known(kind)}
    if subscriber:
        for mine in subscriber.chosen.all():
            found.setdefault((mine.kind, mine.slug), mine.name)
    offers = [Offer(kind, slug, name) for (kind, slug), name in found.items()]
    return sorted(offers, key=lambda offer: (offer.kind != TagKind.TOPIC, offer.name.lower(), offer.slug))


def of(subscriber: Subscriber) -> Choice:
    """What a subscriber has chosen. One query."""
    return Choice(subscriber.daily, tuple(subscriber.chosen.values_list("kind", "slug")))


def among(offers: Iterable[Offer], choice: Choice) -> list[Offer]:
    """Those of `offers` that were chosen, in their order."""
    return [offer for offer in offers if (offer.kind, offer.slug) in choice.tags]


@transaction.atomic
def store(*, subscriber: Subscriber, choice: Choice, offers: Iterable[Offer]) -> None:
    """Let this be what a subscriber gets, in the place of all that they had chosen.

    What is not among `offers` is left out. Of two who do it at once, one comes after the other.
    """
    locked = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
    locked.everything, locked.daily = not choice.tags, choice.daily
    locked.save(update_fields=["everything", "daily"])
    locked.chosen.all().delete()
    Chosen.objects.bulk_create(
        Chosen(subscriber=locked, **offer._asdict()) for offer in among(offers, choice)
    )
