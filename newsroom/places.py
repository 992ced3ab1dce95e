"""Places in the order of the news, by which machines page through it.

A place is that of the story which was shown last, not a number of stories: what comes out meanwhile, or is
withdrawn, moves nothing.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from datetime import UTC, datetime
from typing import NamedTuple, Self

from django.db.models import Q

from .models import Visibility

#: The order of the news, on `Release`: the newest first.
ORDER = ("-visibility__first_from", "visibility__slug")
_SLUG = re.compile(r"[-a-zA-Z0-9_]{1,200}")


class NoPlace(ValueError):
    """A cursor is none of those that were given out."""


class Place(NamedTuple):
    """The place of a story: since when the public reads it, and its address."""

    first_from: datetime
    slug: str

    @classmethod
    def of(cls, shown: Visibility) -> Self:
        """The place of what is public."""
        assert shown.first_from
        return cls(shown.first_from, shown.slug)

    @classmethod
    def parse(cls, cursor: str) -> Self:
        """The place that a cursor stands for.

        Raises:
            NoPlace: see there.
        """
        try:
            since, slug = urlsafe_b64decode(cursor.encode()).decode("ascii").split(" ")
            place = cls(datetime.fromisoformat(since), slug)
            # A place has one spelling: of any other nobody knows what was meant by it.
            known = _SLUG.fullmatch(slug) and place.cursor == cursor
        except (Error, ValueError, OverflowError):
            known = None
        if not known:
            raise NoPlace("The cursor is none that was given out.")
        return place

    @property
    def cursor(self) -> str:
        """The place in letters and digits, for an address."""
        words = f"{self.first_from.astimezone(UTC).isoformat()} {self.slug}"
        return urlsafe_b64encode(words.encode()).decode()

    @property
    def after(self) -> Q:
        """What comes after it in the order of the news, on `Release`."""
        same = Q(visibility__first_from=self.first_from, visibility__slug__gt=self.slug)
        # The first condition follows from the second: it is what an index is good for.
        return Q(visibility__first_from__lte=self.first_from) & (
            Q(visibility__first_from__lt=self.first_from) | same
        )
