"""The forms of drafting."""

import re
from typing import Any, cast
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils.text import slugify

from . import content as shape
from . import pictures, richtext
from .attaching import AttachmentsForm, attachments_initial
from .editor import BodyField, NotesField
from .kinds import TYPES
from .languages import DEFAULT, LANGUAGES
from .models import Asset, Organisation, Team, Topic, User
from .moments import AmbiguousTime, Moment, NonexistentTime, UnknownZone, resolve, zones

TYPE_CHOICES = list(TYPES.items())
_UID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class StoryForm(AttachmentsForm):
    """A story as a drafter sees it. A headline is all it takes to save; `checks` says what clearance takes.

    Whatever else is wrong, an uploaded picture is stored at once and named in `picture_kept`, so that a
    form that comes back with an error has not lost it. The same goes for attachments.
    """

    base = forms.IntegerField(required=False, widget=forms.HiddenInput)
    picture_kept = forms.CharField(required=False, widget=forms.HiddenInput)
    headline = forms.CharField(
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 1, "class": "head pub", "data-count": "70"}),
        help_text="Up to 70 characters read whole on a phone",
        error_messages={"required": "Write a headline: the story is found by it"},
    )
    type = forms.ChoiceField(choices=TYPE_CHOICES)
    language = forms.ChoiceField(
        choices=list(LANGUAGES.items()), required=False, help_text="Of the words, and of the page round them"
    )
    slug = forms.RegexField(
        r"^[a-z0-9]+(?:-[a-z0-9]+)*$",
        required=False,
        max_length=150,
        label="Address",
        help_text="After /news/. Left empty, it is made from the headline",
        error_messages={
            "invalid": "Use small letters, figures and single hyphens, such as harrow-weir-bridge"
        },
    )
    summary = forms.CharField(
        required=False,
        max_length=600,
        widget=forms.Textarea(attrs={"rows": 2, "class": "pub"}),
        help_text="What is new, in a sentence or two",
    )
    body = BodyField(required=False)
    picture = forms.FileField(
        required=False,
        label="Picture file",
        widget=forms.ClearableFileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
        help_text="JPEG, PNG or WebP. What a camera wrote into it (place, time, owner) is taken out",
    )
    picture_alt = forms.CharField(
        required=False,
        max_length=500,
        label="Alt text",
        help_text="What the picture shows, for who cannot see it",
    )
    picture_caption = forms.CharField(required=False, max_length=500, label="Caption")
    picture_credit = forms.CharField(required=False, max_length=200, label="Credit")
    picture_remove = forms.BooleanField(required=False, label="Take the picture out")
    topics = forms.ModelMultipleChoiceField(
        Topic.objects.all(), required=False, widget=forms.CheckboxSelectMultiple, to_field_name="slug"
    )
    organisation = forms.ModelChoiceField(
        Organisation.objects.all(),
        required=False,
        to_field_name="slug",
        label="From",
        empty_label="Nobody named",
    )
    partners = forms.ModelMultipleChoiceField(
        Organisation.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        to_field_name="slug",
        help_text="Other organisations with whom it is done. They are named beside the words",
    )
    notes = NotesField(required=False, label="Notes to editors")
    contacts = forms.CharField(
        required=False,
        label="Contacts for the press",
        widget=forms.Textarea(attrs={"rows": 3, "class": "pub"}),
        help_text="A line each; telephone numbers and addresses become links",
    )

    def clean_headline(self) -> str:
        """The headline on one line."""
        return " ".join(str(self.cleaned_data["headline"]).split())

    def clean_language(self) -> str:
        """English where nobody says: what was typed before there was a choice."""
        return str(self.cleaned_data["language"] or DEFAULT)

    def clean_summary(self) -> str:
        return " ".join(str(self.cleaned_data["summary"]).split())

    def clean_contacts(self) -> str:
        """The lines with one kind of line end, and nothing blank at their ends."""
        lines = str(self.cleaned_data["contacts"]).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        return "\n".join(line.rstrip() for line in lines).strip("\n")

    def clean(self) -> dict[str, Any]:
        data = cast(dict[str, Any], super().clean())
        data["asset"] = self._asset(data)
        data["attachments"] = self.clean_attachments(data)
        organisation = data.get("organisation")
        if organisation and organisation in data.get("partners", []):
            self.add_error(
                "partners", f"The story is from {organisation} already: it is no partner of its own."
            )
        if "slug" in data and not data["slug"]:
            data["slug"] = slugify(data.get("headline", ""))[:100].strip("-")
        return data

    def _asset(self, data: dict[str, Any]) -> Asset | None:
        if data.get("picture_remove"):
            self._keep("")
            return None
        if data.get("picture"):
            try:
                asset = pictures.store(data["picture"], self.user)
            except pictures.PictureRefused as refusal:
                self.add_error("picture", str(refusal))
            else:
                self.remember(asset)
                self._keep(asset.sha256)
                return asset
        return self._kept(data.get("picture_kept"))

    def _kept(self, sha256: str | None) -> Asset | None:
        named = sha256 if sha256 and sha256.isalnum() else ""
        return self.known().filter(sha256=named, media_type__in=pictures.FORMATS.values()).first()

    def _keep(self, sha256: str) -> None:
        data = cast(QueryDict, self.data).copy()
        data["picture_kept"] = sha256
        data.pop("picture_remove", None)
        self.data = data

    def rebase(self, base: int) -> None:
        """Let the form, when it is sent again, be for the revision with id `base`."""
        data = cast(QueryDict, self.data).copy()
        data["base"] = str(base)
        self.data = data

    @property
    def asset(self) -> Asset | None:
        """The picture that the form holds now, to be shown beside its fields."""
        return self._kept(self["picture_kept"].value())

    def content(self) -> dict[str, Any]:
        """What the form says, in the shape of `content.blank()`."""
        data = self.cleaned_data
        organisation = data["organisation"]
        return {
            "type": data["type"],
            "language": data["language"],
            "headline": data["headline"],
            "slug": data["slug"],
            "summary": data["summary"],
            "body": data["body"],
            "picture": self._picture(data["asset"]),
            "topics": [{"slug": topic.slug, "name": topic.name} for topic in data["topics"]],
            "organisation": organisation and {"slug": organisation.slug, "name": organisation.name},
            "partners": [{"slug": partner.slug, "name": partner.name} for partner in data["partners"]],
            "attachments": self.attached(),
            "notes": data["notes"],
            "contacts": data["contacts"],
        }

    def _picture(self, asset: Asset | None) -> dict[str, Any] | None:
        if asset is None:
            return None
        return {
            "sha256": asset.sha256,
            "name": asset.name,
            "width": asset.width,
            "height": asset.height,
            **{key: self.cleaned_data[f"picture_{key}"].strip() for key in ("alt", "caption", "credit")},
        }


def initial_of(content: dict[str, Any], base: int | None) -> dict[str, Any]:
    """What a form shows for `content`, based on the revision with id `base`."""
    content = shape.filled(content)
    picture = content["picture"] or {}
    return {
        **{key: content[key] for key in ("type", "language", "headline", "slug", "summary")},
        **{key: content[key] for key in ("notes", "contacts")},
        "base": base,
        "body": richtext.to_html(content["body"]),
        "picture_kept": picture.get("sha256", ""),
        **{f"picture_{key}": picture.get(key, "") for key in ("alt", "caption", "credit")},
        "topics": [topic["slug"] for topic in content["topics"]],
        "organisation": content["organisation"] and content["organisation"]["slug"],
        "partners": [partner["slug"] for partner in content["partners"]],
        **attachments_initial(content["attachments"]),
    }


class TeamForm(forms.Form):
    """For whom a story exists: everybody who works here, or one team of the person's own."""

    team = forms.ModelChoiceField(
        Team.objects.none(),
        required=False,
        empty_label="Everybody who works here",
        label="Who may know of it",
        help_text="For anybody else the story does not exist",
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ModelChoiceField[Team], self.fields["team"]).queryset = user.teams.all()


class TranslationForm(forms.Form):
    """Of which story another is the translation, by the address of a page of that on the desk."""

    original = forms.CharField(
        max_length=500,
        label="Original",
        help_text="Paste the address of its page here on the desk",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "paste the address of the original’s page here on the desk."},
    )

    def clean_original(self) -> UUID:
        """The id in the address."""
        found = _UID.search(self.cleaned_data["original"].lower())
        if not found:
            raise forms.ValidationError(
                "that is no address of a story. Open the original here on the desk, and copy its address."
            )
        return UUID(found[0])


class MomentForm(forms.Form):
    """A moment as it is meant: day, time and zone. Asks which of two, where the clocks show a time twice."""

    day = forms.DateField(label="Day", widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
    time = forms.TimeField(
        label="Time, 24 hours",
        widget=forms.TimeInput(format="%H:%M:%S", attrs={"type": "time", "step": "1"}),
        input_formats=["%H:%M", "%H:%M:%S"],
    )
    zone = forms.CharField(
        label="Zone", max_length=60, widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"})
    )
    fold = forms.TypedChoiceField(
        label="Which of the two?",
        required=False,
        coerce=int,
        empty_value=None,
        widget=forms.RadioSelect,
        choices=[(0, "The first"), (1, "The second")],
    )

    zones = staticmethod(zones)
    asks_fold = False

    def clean(self) -> dict[str, Any]:
        data = cast(dict[str, Any], super().clean())
        if not {"day", "time", "zone"} <= data.keys():
            return data
        try:
            data["moment"] = resolve(data["day"], data["time"], data["zone"].strip(), data.get("fold"))
        except UnknownZone as error:
            self.add_error("zone", str(error))
        except NonexistentTime as error:
            self.add_error("time", str(error))
        except AmbiguousTime as error:
            self.asks_fold = True
            cast(forms.ChoiceField, self.fields["fold"]).choices = [
                (number, moment.in_full) for number, moment in enumerate(error.moments)
            ]
            self.add_error("fold", str(error))
        except OverflowError:
            self.add_error("day", "Choose a day that has a calendar in UTC: this one has none.")
        return data

    @property
    def moment(self) -> Moment | None:
        """The moment meant, once the form is valid."""
        return self.cleaned_data.get("moment")


def moment_initial(moment: Moment) -> dict[str, Any]:
    """What a `MomentForm` shows for a moment."""
    return {"day": moment.local.date(), "time": moment.local.time().replace(tzinfo=None), "zone": moment.zone}
