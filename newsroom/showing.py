"""What the public is shown of the newsroom itself, and what cannot be shown."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache, cached_property
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.urls import reverse
from django.utils.safestring import SafeString

from stories import rendering, richtext
from stories.models import Asset
from stories.rendering import Line, Piece
from stories.richtext import inline

from . import colours
from .models import House

#: How many press contacts there can be, and how long what is typed.
MOST_CONTACTS = 12
LENGTHS = {"name": 100, "strapline": 150, "logo_alt": 200, "about": 20_000}


class Invalid(ValueError):
    """Something that was typed cannot be. `faults` says what is wrong, by field; "contacts-1" is a row."""

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        self.faults = faults
        super().__init__("Nothing was saved: " + " ".join(words for _, words in faults))


@dataclass(frozen=True)
class Contact:
    """Whom the press rings: a person, or an office by its role."""

    name: str = ""
    role: str = ""
    telephone: str = ""
    email: str = ""
    hours: str = ""

    @classmethod
    def of(cls, stored: Any) -> "Contact":
        """A contact as it is stored; of what raw SQL stored in another shape, what can be told."""
        held = stored if isinstance(stored, dict) else {}
        return cls(**{each.name: str(held.get(each.name) or "") for each in fields(cls)})

    @property
    def lines(self) -> tuple[Line, ...]:
        """Its lines, number and address as links."""
        who = ", ".join(filter(None, (self.name, self.role)))
        number = [line for group in rendering.contact_lines(self.telephone) for line in group]
        mail = (Piece(self.email, f"mailto:{self.email}"),) if self.email else ()
        return tuple(line for line in ((Piece(who),), *number, mail, (Piece(self.hours),)) if _says(line))

    def faults(self) -> list[str]:
        """What it lacks to be of use, in words."""
        found = []
        if not (self.name or self.role):
            found.append("Say who it is: a name, or a role such as “Duty press officer”.")
        if not (self.telephone or self.email):
            found.append("Say how to reach them: a telephone number or an email address.")
        if self.telephone and not any(piece.href for piece in self._number()):
            found.append(f"“{self.telephone}” is no whole telephone number: write it as +44 20 7946 0000.")
        if self.email and not _is_mail(self.email):
            found.append(f"“{self.email}” is no email address: write it as press@example.org.")
        return found

    def _number(self) -> Iterable[Piece]:
        return (
            piece for group in rendering.contact_lines(self.telephone) for line in group for piece in line
        )


def _says(line: Line) -> bool:
    return any(piece.text for piece in line)


def _is_mail(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


@dataclass(frozen=True)
class Logo:
    """A logo: where it is fetched, how large it is, and what it says to those who do not see it."""

    asset: Asset
    alt: str
    url: str

    @property
    def width(self) -> int:
        return self.asset.width or 0

    @property
    def height(self) -> int:
        return self.asset.height or 0


@dataclass(frozen=True)
class Shown:
    """What the public is shown of the newsroom itself."""

    name: str
    strapline: str
    about: str
    contacts: tuple[Contact, ...]
    accent: str
    accent_dark: str
    logo: Logo | None
    #: Contacts as the environment gives them: lines that nobody has sorted into fields.
    unsorted: str = ""
    #: The fact that set it; None for what the environment says.
    house: House | None = None

    @cached_property
    def press(self) -> tuple[tuple[Line, ...], ...]:
        """The press contacts, each a group of lines."""
        sorted_out = tuple(contact.lines for contact in self.contacts)
        return sorted_out + rendering.contact_lines(self.unsorted)

    @property
    def about_html(self) -> SafeString:
        return rendering.sanitised(self.about)

    @cached_property
    def style(self) -> str:
        """The style sheet that sets its colours; empty where they are the pages' own."""
        return colours.sheet(self.accent, self.accent_dark)

    @cached_property
    def style_url(self) -> str:
        """Where that is fetched. What it says names it, so that it never changes."""
        return reverse("house_style", args=[colours.name_of(self.style)]) if self.style else ""

    @cached_property
    def version(self) -> str:
        """A digest of all that it shows: another one as soon as anything in it is different."""
        told = {**self.told, "unsorted": self.unsorted, "style": self.style}
        return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]

    @property
    def told(self) -> dict[str, Any]:
        """What is set, as columns of `House` that can be compared."""
        return {
            "name": self.name,
            "strapline": self.strapline,
            "about": self.about,
            "contacts": [asdict(contact) for contact in self.contacts],
            "accent": self.accent,
            "accent_dark": self.accent_dark,
            "logo": self.logo.asset.sha256 if self.logo else "",
            "logo_alt": self.logo.alt if self.logo else "",
        }


def of_environment() -> Shown:
    """What is shown while nobody has set anything."""
    return _of_environment(settings.ORGANISATION, settings.PRESS_CONTACTS)


@cache
def _of_environment(organisation: str, press_contacts: str) -> Shown:
    return Shown(
        name=organisation,
        strapline="",
        about="",
        contacts=(),
        accent=colours.own("light"),
        accent_dark=colours.own("dark"),
        logo=None,
        unsorted=press_contacts,
    )


def of_fact(house: House) -> Shown:
    """What a fact set."""
    logo = house.logo
    return Shown(
        name=house.name,
        strapline=house.strapline,
        about=house.about,
        contacts=tuple(Contact.of(stored) for stored in house.contacts),
        accent=house.accent,
        accent_dark=house.accent_dark,
        logo=Logo(logo, house.logo_alt, reverse("house_logo", args=[logo.name])) if logo else None,
        house=house,
    )


def propose(
    *,
    name: str,
    strapline: str,
    about: str,
    contacts: Sequence[Contact],
    accent: str,
    accent_dark: str,
    logo: Asset | None,
    logo_alt: str,
    logo_url: str = "",
) -> Shown:
    """What would be shown. White space and rich text are brought into the one form in which they are kept.

    Raises:
        Invalid: something in it cannot be.
    """
    shown = Shown(
        name=_line(name),
        strapline=_line(strapline),
        about=richtext.inline_notes(about),
        contacts=tuple(
            Contact(**{key: _line(value) for key, value in asdict(each).items()}) for each in contacts
        ),
        accent=accent.strip().lower(),
        accent_dark=accent_dark.strip().lower(),
        logo=Logo(logo, _line(logo_alt), logo_url) if logo else None,
    )
    if wrong := list(faults(shown)):
        raise Invalid(wrong)
    return shown


def _line(text: str) -> str:
    return inline.flat(inline.printable(text))


def faults(shown: Shown) -> Iterator[tuple[str, str]]:
    """What in it cannot be: the field, or the row of a contact, and why."""
    if not inline.seen(shown.name):
        yield "name", "Give the newsroom a name: every page, feed and mail begins with it."
    for field, most in LENGTHS.items():
        length = len(shown.told[field])
        if length > most:
            yield field, f"It has {length:,} characters, and can have {most:,}. Say it more briefly."
    for field, colour, scheme in (
        ("accent", shown.accent, colours.SCHEMES[0]),
        ("accent_dark", shown.accent_dark, colours.SCHEMES[1]),
    ):
        if not colours.COLOUR.fullmatch(colour):
            yield (
                field,
                f"“{colour}” is no colour that can be set: write it as # and six figures, as #0b5d6b.",
            )
        elif fault := colours.fault(colour, scheme):
            yield field, fault
    if len(shown.contacts) > MOST_CONTACTS:
        yield "contacts", f"There can be {MOST_CONTACTS} press contacts. Leave out who need not be rung."
    for place, contact in enumerate(shown.contacts):
        for fault in contact.faults():
            yield f"contacts-{place}", fault


LABELS = {
    "name": "Name",
    "strapline": "Strapline",
    "about": "About",
    "contacts": "Press contacts",
    "accent": "Colour on a light ground",
    "accent_dark": "Colour on a dark ground",
    "logo": "Logo",
    "logo_alt": "Alt text of the logo",
}


def differences(mine: Shown, theirs: Shown) -> list[tuple[str, str]]:
    """In what theirs differs from mine: what it is called, and theirs in words."""
    ours, found = mine.told, theirs.told
    words = {
        **found,
        "about": richtext.plain([{"kind": "paragraph", "html": theirs.about}]),
        "contacts": "; ".join(
            ", ".join(filter(None, asdict(contact).values())) for contact in theirs.contacts
        ),
        "logo": "a picture of theirs" if theirs.logo else "",
    }
    return [(LABELS[key], words[key] or "none") for key in LABELS if ours[key] != found[key]]


def sorted_out(groups: Sequence[Sequence[Line]]) -> list[Contact]:
    """Contacts that the environment gives as lines, put into fields as far as can be told.

    To be looked at before they are saved.
    """
    return [_sorted(group) for group in groups][:MOST_CONTACTS]


def _sorted(group: Sequence[Line]) -> Contact:
    held: dict[str, list[str]] = {"name": [], "telephone": [], "email": [], "hours": []}
    for line in group:
        text = "".join(piece.text for piece in line)
        links = " ".join(piece.href for piece in line)
        kind = "email" if "mailto:" in links else "telephone" if "tel:" in links else ""
        held[kind or ("hours" if held["name"] else "name")].append(text)
    return Contact(**{key: ", ".join(lines) for key, lines in held.items()})
