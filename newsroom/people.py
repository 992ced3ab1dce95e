"""Who is quoted: where the public finds all that somebody said.

A person is known by their name alone, as the route of a story knows them. Their address follows from it and
from nothing else, so that it stays the same whatever they say next and in whichever role.
"""

import re
from hashlib import sha256

from django.db import connection
from django.db.models import F, Func, JSONField, Value
from django.urls import reverse

from approvals.coverage import same_name

from .gathering import Gathered
from .models import TagKind

#: Of an address.
_LONGEST = 200
_DROPPED = re.compile("[\u0300-\u036f']+")
_SPELT = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"} | dict(zip("øłđðħŋŧı", "olddhnti", strict=True))
)
_BETWEEN = re.compile("[^a-z0-9]+")
# Letters that no address spells: all but those of ASCII, and signs.
_UNSPELT = re.compile("[^\u0001-\u00bf\u2000-\u206f]")


def slug_of(name: str) -> str:
    """The name of somebody as it stands in an address: the twin of `person_slug` in PostgreSQL.

    Small letters of A to Z without accents, figures, and hyphens between. A name in letters that this does
    not spell ends in, or is, the beginning of its digest. Spellings that coverage takes for one name have one
    address. Empty where no address can hold it.
    """
    same = same_name(name)
    spelt = _DROPPED.sub("", same).translate(_SPELT)
    digest = sha256(same.encode()).hexdigest()[:12] if _UNSPELT.search(spelt) else ""
    slug = "-".join(filter(None, (_BETWEEN.sub("-", spelt).strip("-"), digest)))
    return slug if len(slug) <= _LONGEST else ""


def page_of(name: str) -> str:
    """The page of what somebody said in public; empty where no address can hold their name."""
    slug = slug_of(name)
    return reverse(TagKind.PERSON.value, args=[slug]) if slug else ""


def quotes_of(slug: str) -> Func:
    """On a release, the quotes of somebody in it: `Listed.quotes` has them as they are shown."""
    return Func(F("revision__content"), Value(slug), function="quotes_of", output_field=JSONField())


def quoted(after: str, most: int) -> list[Gathered]:
    """Those who are quoted in public, `most` of them from after the address `after` on. One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT slug, name FROM people_after(%s, %s) ORDER BY slug", [after, most])
        return [Gathered(*row) for row in cursor.fetchall()]
