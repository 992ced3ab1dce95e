"""The forms of release. A form says what was typed; whether it may be done is for the verb to say."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from django import forms
from django.conf import settings

from stories.forms import MomentForm, moment_initial
from stories.models import Organisation, User
from stories.moments import AmbiguousTime, Moment, NonexistentTime, resolve

from .bundling import open_bundles, visible_to
from .models import FURTHEST, Bundle, Freeze, Kind

READ = "Confirm that you have read the headline, the moment and the audience"


#: What takes the place of words that are public, as it is offered.
CHANGES = [
    (Kind.CORRECTION, "A correction: something was wrong. The note stands above the words"),
    (Kind.MAJOR, "An update: something of weight is new. Feeds show it as changed"),
    (Kind.MINOR, "A small update: it is told of in the change history alone"),
]


class ChangeForm(forms.Form):
    """What is asked beside the moment: of words that are public, what changes; of a moment that moves, why.

    Until something is armed (`required`) it may be left open. `armed` is the moment from which it moves.
    """

    required = False

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        public: bool = False,
        armed: Moment | None = None,
        **kwargs: Any,
    ) -> None:
        self.armed = armed
        super().__init__(data, **kwargs)
        if public:
            self.fields["kind"] = forms.ChoiceField(
                label="What it is",
                choices=CHANGES,
                required=self.required,
                widget=forms.RadioSelect,
                error_messages={"required": "Say whether it is a correction or an update"},
            )
            self.fields["note"] = forms.CharField(
                label="What the public is told",
                help_text="Such as: the number of homes was wrong. It is 11,400, and was given as 14,000",
                max_length=2000,
                required=self.required,
                widget=forms.Textarea(attrs={"rows": 2}),
                error_messages={"required": "Say for the public what is corrected or changed"},
            )
        if armed:
            self.fields["reason"] = forms.CharField(
                label="Why the moment is moved",
                help_text="It is kept on the record",
                max_length=2000,
                required=False,
                widget=forms.Textarea(attrs={"rows": 2}),
            )


class ReleaseMomentForm(ChangeForm, MomentForm):
    """The moment of a release: ahead of `now`, and not beyond what anybody plans."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, now: datetime, **kwargs: Any) -> None:
        self.now = now
        super().__init__(data, **kwargs)

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        moment = data.get("moment")
        if moment is None:
            return data
        self._keep_fold(data, moment)
        if moment.instant <= self.now:
            clock = Moment(self.now, moment.zone).in_full
            self.add_error("time", f"That moment has gone by: it is {clock} now. Choose a later one.")
        elif moment.instant > self.now + FURTHEST:
            self.add_error("day", "That is more than ten years ahead. Choose an earlier day.")
        return data

    def _keep_fold(self, data: dict[str, Any], moment: Moment) -> None:
        """Go on offering both, where the clocks show the time twice and one was chosen."""
        try:
            resolve(data["day"], data["time"], moment.zone)
        except AmbiguousTime as question:
            self.asks_fold = True
            cast(forms.ChoiceField, self.fields["fold"]).choices = [
                (number, one.in_full) for number, one in enumerate(question.moments)
            ]

    @property
    def reading(self) -> Moment | None:
        """The moment to be read back: what was typed, where it can be the moment of a release."""
        broken = self.errors.keys() & {"day", "time", "zone", "fold"}
        return self.cleaned_data.get("moment") if self.is_bound and not broken else None


class OnScreenForm(forms.Form):
    """What was on the screen when a button was pressed: the newest revision, the armed and the public one."""

    revision = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    release = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
    live = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)


class ArmForm(ReleaseMomentForm):
    """The moment, and the confirmation that headline, moment and audience were read.

    `seen` is the instant that was read back on the screen: what nobody has read back is not armed.
    """

    required = True

    seen = forms.CharField(required=False, max_length=40)
    confirm = forms.BooleanField(label="Confirmation", error_messages={"required": READ})

    #: Whether the moment was changed after it was read back last.
    unread = False

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if self.reading and data.get("seen") != self.reading.instant.isoformat():
            self.unread = True
            self.errors.pop("confirm", None)
            self.add_error("confirm", "Read the moment as it stands below in words, and confirm it")
        if self.armed and data.get("moment") not in (None, self.armed) and not data.get("reason"):
            self.add_error("reason", "Say why the moment is moved")
        return data

    @property
    def confirmed(self) -> bool:
        """Whether the box is to be shown ticked: it was, for the moment that is read back now."""
        return bool(self.data.get("confirm")) and not self.unread


class NowForm(ChangeForm):
    """The confirmation that goes with releasing now."""

    required = True

    confirm = forms.BooleanField(
        label="Confirmation", error_messages={"required": "Confirm that the public may read it now"}
    )


class ReasonForm(forms.Form):
    """Why a release is held or called off, and what was on the screen (a hold's or a release's id)."""

    reason = forms.CharField(
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="It is kept on the record",
        error_messages={"required": "Give a reason"},
    )
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput, min_value=1, max_value=2**63 - 1)


class WithdrawForm(ReasonForm):
    """Why what is public is taken back, what was on the screen, and the confirmation."""

    kill = forms.BooleanField(required=False)
    confirm = forms.BooleanField(
        label="Confirmation", error_messages={"required": "Confirm that it is to be taken from the public"}
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = "The public reads it in the place of the story"


class HoldEverythingForm(forms.Form):
    """Why everything is held, and both confirmations."""

    reason = forms.CharField(
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="It is kept on the record, and shown to all who work here",
        error_messages={"required": "Give a reason"},
    )
    stops = forms.BooleanField(
        label="Nothing more goes out, of no story, until somebody lifts it",
        error_messages={"required": "Confirm that nothing more is to go out"},
    )
    told = forms.BooleanField(
        label="I have told the head of the press office, or am telling them now",
        error_messages={"required": "Confirm that the head of the press office knows"},
    )


class LiftEverythingForm(forms.Form):
    """Which hold of everything is lifted, and the confirmation."""

    seen = forms.IntegerField(required=False, widget=forms.HiddenInput, min_value=1, max_value=2**63 - 1)
    confirm = forms.BooleanField(
        label="Whose moment has gone by may be public as soon as the hold is lifted",
        error_messages={"required": "Confirm that these stories may be public at once"},
    )


class LiftForm(forms.Form):
    """Which hold is lifted, and the confirmation where that makes the story public at once."""

    seen = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    confirm = forms.BooleanField(label="Confirmation", required=False)

    def __init__(self, data: Mapping[str, Any], *, at_once: bool) -> None:
        self.at_once = at_once
        super().__init__(data)

    def clean(self) -> dict[str, Any]:
        data = cast(dict[str, Any], super().clean())
        if self.at_once and not data.get("confirm"):
            self.add_error("confirm", "Confirm that the public may read it as soon as the hold is lifted")
        return data


class BundleForm(forms.Form):
    """What a new bundle is called."""

    name = forms.CharField(
        max_length=100,
        help_text="Such as the name of the report",
        error_messages={"required": "Give it a name"},
    )


class JoinForm(forms.Form):
    """Which bundle a story joins: one that is there, or a new one by its name."""

    #: As many as can be chosen from; the newest.
    OFFERED = 50

    bundle = forms.ModelChoiceField(
        Bundle.objects.none(), required=False, empty_label="A new bundle", label="Goes out together with"
    )
    name = forms.CharField(
        max_length=100, required=False, label="Name of the new bundle", help_text="Such as that of the report"
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(forms.ModelChoiceField[Bundle], self.fields["bundle"])
        field.queryset = bundles = open_bundles() & visible_to(user)
        newest = [(bundle.pk, str(bundle)) for bundle in bundles[: self.OFFERED]]
        field.choices = [("", field.empty_label or ""), *newest]

    def clean(self) -> dict[str, Any]:
        data = cast(dict[str, Any], super().clean())
        if "bundle" in data and not data["bundle"] and not data.get("name", "").strip():
            self.add_error("name", "Choose a bundle, or give a new one a name")
        return data


class LeaveForm(ReasonForm):
    """Why a story leaves its bundle, and the confirmation where that makes it public at once."""

    confirm = forms.BooleanField(label="The public may read it now", required=False)

    def __init__(self, *args: Any, at_once: bool, **kwargs: Any) -> None:
        self.at_once = at_once
        super().__init__(*args, **kwargs)
        if not at_once:
            del self.fields["confirm"]

    def clean(self) -> dict[str, Any]:
        data = cast(dict[str, Any], super().clean())
        if self.at_once and not data.get("confirm"):
            self.add_error("confirm", "Confirm that the public may read it as soon as it is taken out")
        return data


def moment_data(moment: Moment) -> dict[str, Any]:
    """What the form of a moment holds when it was filled in with `moment`."""
    shown = moment_initial(moment)
    return {
        "day": shown["day"].isoformat(),
        "time": shown["time"].isoformat("seconds"),
        "zone": moment.zone,
        "fold": str(moment.local.fold),
    }


class FreezeForm(forms.Form):
    """Whose news is frozen, from when until when on the press office's clocks, and why."""

    organisation = forms.ModelChoiceField(
        Organisation.objects.all(), required=False, empty_label="Every organisation", label="Whose news"
    )
    since = forms.DateTimeField(
        label="From",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"required": "Say from when", "invalid": "Give a day and a time"},
    )
    until = forms.DateTimeField(
        label="Until",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"required": "Say until when", "invalid": "Give a day and a time"},
    )
    reason = forms.CharField(
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Such as: the weeks before the election",
        error_messages={"required": "Give a reason"},
    )

    def _instant(self, name: str) -> datetime:
        typed: datetime = self.cleaned_data[name]
        try:
            moment = resolve(typed.date(), typed.time(), settings.PRESS_OFFICE_ZONE)
        except (NonexistentTime, AmbiguousTime) as fault:
            raise forms.ValidationError(
                "The clocks change at that time: it does not exist, or happens twice. Choose another."
            ) from fault
        return moment.instant

    def clean_since(self) -> datetime:
        return self._instant("since")

    def clean_until(self) -> datetime:
        return self._instant("until")


class ExemptForm(ReasonForm):
    """From which freeze a story is exempted, and why."""

    freeze = forms.ModelChoiceField(Freeze.objects.all(), widget=forms.HiddenInput)


class GiveForm(forms.Form):
    """Whom a copy under embargo is for, and what was agreed."""

    name = forms.CharField(
        max_length=200,
        error_messages={"required": "Say whom it is for"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    outlet = forms.CharField(
        max_length=200,
        help_text="Such as: The Evening Ledger",
        error_messages={"required": "Say for which outlet, or of which organisation"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    email = forms.EmailField(
        label="Mail address",
        max_length=254,
        help_text="The link goes there, and to nobody else",
        error_messages={
            "required": "Enter the address to which the link goes",
            "invalid": "Enter an address like name@example.com",
        },
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    terms = forms.CharField(
        label="What was agreed",
        max_length=2000,
        required=False,
        help_text="The reader is shown it before the copy: say nothing here of what the story says",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
