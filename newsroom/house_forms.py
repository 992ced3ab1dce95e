"""The form in which administrators say how the newsroom presents itself."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, NamedTuple, cast

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpRequest, QueryDict
from django.urls import reverse

from stories import files, pictures
from stories.editor import NotesField
from stories.models import Asset
from stories.views import person

from . import colours, house, showing
from .colours import Scheme

#: Rows for contacts that are not there yet.
BLANK_ROWS = 2


class ContactForm(forms.Form):
    """Whom the press rings. A row in which nothing is typed is none."""

    name = forms.CharField(required=False, max_length=100)
    role = forms.CharField(required=False, max_length=100)
    telephone = forms.CharField(
        required=False, max_length=60, widget=forms.TextInput(attrs={"inputmode": "tel"})
    )
    email = forms.CharField(
        required=False, max_length=200, widget=forms.TextInput(attrs={"inputmode": "email"})
    )
    hours = forms.CharField(required=False, max_length=150)

    def contact(self) -> showing.Contact:
        """What was typed, as far as it can be kept."""
        return showing.Contact(**{name: self.cleaned_data.get(name, "") for name in self.fields})


ContactRows = forms.formset_factory(
    ContactForm,
    extra=BLANK_ROWS,
    max_num=showing.MOST_CONTACTS,
    absolute_max=showing.MOST_CONTACTS + BLANK_ROWS,
)


class Accent(NamedTuple):
    """A colour in the form, drawn on its ground, and how well it can be read there."""

    field: forms.BoundField
    scheme: Scheme
    #: Empty where what was typed is no colour.
    value: str
    ground: str
    ratio: str


class HouseForm(forms.Form):
    """How the newsroom presents itself. `shown` is what would be shown, once the form is valid.

    An uploaded logo is stored at once and named in `logo_kept`: a form that comes back has not lost it.
    """

    follows = forms.IntegerField(required=False, widget=forms.HiddenInput, min_value=1, max_value=2**63 - 1)
    logo_kept = forms.CharField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(
        required=False,
        help_text="Of the organisation. It stands on every page, in feeds and in mails",
    )
    strapline = forms.CharField(
        required=False, help_text="Under the name. Left empty, “Newsroom” stands there"
    )
    logo = forms.FileField(
        required=False,
        label="Logo file",
        widget=forms.ClearableFileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
        help_text="JPEG, PNG or WebP. On a dark page it stands on white",
    )
    logo_remove = forms.BooleanField(required=False, label="Take the logo out")
    logo_alt = forms.CharField(
        required=False,
        label="Alt text",
        help_text="What the logo says that the name beside it does not. Left empty, it is not read out",
    )
    accent = forms.CharField(required=False, label="On a light ground", help_text="# and six figures")
    accent_dark = forms.CharField(required=False, label="On a dark ground", help_text="# and six figures")
    about = NotesField(required=False, label="About the newsroom")

    def __init__(self, data: QueryDict | None = None, sent: Any = None, *, request: HttpRequest) -> None:
        found = house.newest()
        self.before = showing.of_fact(found) if found else showing.of_environment()
        self.user, self.session = person(request), request.session
        super().__init__(data, sent, initial=self._initial())
        sorted_out = showing.sorted_out(self.before.press) if found is None else self.before.contacts
        self.rows = (
            ContactRows(self.data, prefix="contact")
            if self.is_bound
            else ContactRows(initial=[asdict(contact) for contact in sorted_out], prefix="contact")
        )

    def _initial(self) -> dict[str, Any]:
        shown = self.before
        told = {name: value for name, value in shown.told.items() if name not in {"contacts", "logo"}}
        follows = shown.house.pk if shown.house else None
        return {**told, "follows": follows, "logo_kept": shown.logo.asset.sha256 if shown.logo else ""}

    def clean(self) -> dict[str, Any]:
        data = cast(dict[str, Any], super().clean())
        data["asset"] = self._asset(data)
        places, contacts = self._contacts()
        told = {name: data.get(name) or "" for name in ("name", "strapline", "about", "logo_alt")}
        accents = {name: data.get(name) or "" for name in ("accent", "accent_dark")}
        try:
            self.shown = showing.propose(
                **told, **accents, contacts=contacts, logo=data["asset"], logo_url=self._url(data["asset"])
            )
        except showing.Invalid as refusal:
            for field, words in refusal.faults:
                self._refuse(field, words, places)
        return data

    def _contacts(self) -> tuple[list[int], list[showing.Contact]]:
        """The contacts that were typed, and in which rows."""
        if not self.rows.is_valid():
            if self.rows.non_form_errors():
                self.add_error(None, "The press contacts did not arrive whole. Open the page anew.")
            for place, row in enumerate(self.rows):
                for field, words in row.errors.items():
                    self.add_error(None, f"Press contact {place + 1}, {field}: {' '.join(map(str, words))}")
        typed = {place: row.contact() for place, row in enumerate(self.rows) if hasattr(row, "cleaned_data")}
        kept = {place: contact for place, contact in typed.items() if any(asdict(contact).values())}
        return list(kept), list(kept.values())

    def _refuse(self, field: str, words: str, places: list[int]) -> None:
        kind, _, number = field.partition("-")
        if number:
            place = places[int(number)]
            self.rows[place].add_error(None, words)
            self.add_error(None, f"Press contact {place + 1}: {words}")
        elif kind in self.fields:
            self.add_error(kind, words)
        else:
            self.add_error(None, words)

    def _asset(self, data: dict[str, Any]) -> Asset | None:
        if data.get("logo_remove"):
            self._set("logo_kept", "")
            return None
        if data.get("logo"):
            try:
                asset = pictures.store(data["logo"], self.user, widest=house.LOGO_WIDTH)
            except pictures.PictureRefused as refusal:
                self.add_error("logo", str(refusal))
            else:
                files.remember(asset, self.session)
                self._set("logo_kept", asset.sha256)
                return asset
        kept = data.get("logo_kept") or ""
        found = self._kept(kept)
        if kept and found is None:
            self._set("logo_kept", "")
            self.add_error("logo", "The logo is not here any more. Choose its file again.")
        return found

    def _kept(self, sha256: str) -> Asset | None:
        """The logo that the form names, as far as it exists for the person: uploaded by them, or set once."""
        if not sha256.isalnum():
            return None
        known = files.known_to(self.user, self.session).filter(media_type__in=pictures.FORMATS.values())
        return house.once_logo(sha256) or known.filter(sha256=sha256).first()

    def _url(self, asset: Asset | None) -> str:
        """Where staff see a logo: at its public address once it is set."""
        if asset is None:
            return ""
        return reverse("house_logo" if house.once_logo(asset.sha256) else "staff_media", args=[asset.name])

    def _set(self, name: str, value: str) -> None:
        data = cast(QueryDict, self.data).copy()
        data[name] = value
        data.pop("logo_remove", None)
        self.data = data

    def rebase(self, follows: int) -> None:
        """Let the form, when it is sent again, take the place of the settings with id `follows`."""
        self._set("follows", str(follows))

    @property
    def wrong(self) -> int:
        """How many things there are to mend."""
        return sum(len(words) if name == NON_FIELD_ERRORS else 1 for name, words in self.errors.items())

    @property
    def logo_shown(self) -> showing.Logo | None:
        """The logo that the form holds now."""
        asset = self._kept(str(self["logo_kept"].value() or ""))
        return showing.Logo(asset, "", self._url(asset)) if asset else None

    @property
    def accents(self) -> Iterator[Accent]:
        """Both colours, each on its ground."""
        for scheme, name in zip(colours.SCHEMES, ("accent", "accent_dark"), strict=True):
            value = str(self[name].value() or "").strip().lower()
            if not colours.COLOUR.fullmatch(value):
                value = ""
            ratio = colours.ratio(colours.least_contrast(value, scheme)) if value else ""
            yield Accent(self[name], scheme, value, colours.tokens(scheme)["paper"], ratio)

    @property
    def sent(self) -> Iterator[tuple[str, str]]:
        """What was sent, file and buttons excepted, to be sent once more."""
        left_out = {"csrfmiddlewaretoken", "preview", "logo"}
        return ((name, value) for name, value in self.data.items() if name not in left_out)
