"""The forms of clearance: what was on the screen comes back with what was decided."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.conf import settings

from stories.forms import MomentForm
from stories.models import User

from . import routing
from .models import Desk, Verdict

#: Cleared, with a remark that goes with the sign-off.
REMARKED = "remarked"
#: The button of each verdict, and the field for its words.
BUTTONS = {
    Verdict.CLEARED.value: "Clear these words",
    REMARKED: "Clear with this remark",
    Verdict.CHANGES.value: "Send to the drafter",
    Verdict.REFUSED.value: "Refuse these words",
}
FIELDS = {REMARKED: "remark", Verdict.CHANGES.value: "reason", Verdict.REFUSED.value: "refusal"}
#: What somebody wrote in each field, and what else they could press.
WROTE = {
    "remark": ("a remark", "Clear with it"),
    "reason": ("what has to change", "Ask for changes"),
    "refusal": ("why you refuse", "Refuse"),
}
MISSING = {
    "remark": "Nothing was signed: write the remark, or press “Clear these words”.",
    "refusal": "Nothing was sent: say why you refuse, so that the drafter can act on it.",
}


class RequestForm(forms.Form):
    """Clearance is asked for the revision that was on the screen, by a route or by the default one."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
    route = forms.ModelChoiceField(routing.offered(), required=False, widget=forms.HiddenInput)


class _Words(forms.CharField):
    """What somebody writes with a decision."""

    def __init__(self, label: str, help_text: str) -> None:
        widget = forms.Textarea(attrs={"rows": 3, "class": "form-control"})
        super().__init__(required=False, max_length=10_000, label=label, help_text=help_text, widget=widget)


class DecisionForm(forms.Form):
    """A verdict on the words with the digest `covered` of a revision, as they were on the screen."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
    covered = forms.RegexField(r"^[0-9a-f]{64}$", widget=forms.HiddenInput)
    verdict = forms.ChoiceField(choices=list(BUTTONS.items()))
    # Whether they may sign for the person is for the database to say, at the moment of signing.
    on_behalf = forms.ModelChoiceField(User.objects.all(), required=False)
    reason = _Words("What has to change?", "The drafter reads it as you write it, and it stays on the record")
    remark = _Words("Your remark", "It goes with your sign-off and stays on the record; nothing waits for it")
    refusal = _Words(
        "Why do you refuse?", "Nobody else of your desk can clear these words until you take it back"
    )

    def clean(self) -> dict[str, Any]:
        data = cast(dict[str, Any], super().clean())
        verdict = data.get("verdict", "")
        wanted = FIELDS.get(verdict, "")
        for name in WROTE:
            words = data.get(name, "").strip()
            if verdict and words and name != wanted:
                self.add_error(name, self._elsewhere(name, verdict))
            elif name == wanted and not words and name in MISSING and name not in self.errors:
                self.add_error(name, MISSING[name])
        return data

    @staticmethod
    def _elsewhere(name: str, verdict: str) -> str:
        wrote, instead = WROTE[name]
        nothing = "signed" if verdict in (Verdict.CLEARED, REMARKED) else "sent"
        return (
            f"Nothing was {nothing}: you wrote {wrote}, and pressed “{BUTTONS[verdict]}”. {instead}, or "
            "empty this field."
        )

    @property
    def words(self) -> str:
        """What was written for the verdict."""
        return str(self.cleaned_data.get(FIELDS.get(self.cleaned_data["verdict"], ""), ""))

    @property
    def typed(self) -> dict[str, str]:
        """All that was written, whether it is valid or not."""
        return {name: str(self[name].value() or "") for name in WROTE}

    def mark(self, errors: Mapping[str, str]) -> None:
        """Tell those who hear the page which fields are wrong."""
        for name in errors.keys() & WROTE.keys():
            described = f"{self[name].id_for_label}_error"
            self.fields[name].widget.attrs |= {"aria-invalid": "true", "aria-describedby": described}


class TakeBackForm(forms.Form):
    """A decision is taken back, if somebody likes with a reason."""

    back = _Words("Why? (if you like)", "It stays on the record")


class OfficeMomentForm(MomentForm):
    """A moment on the press office's clocks: it is said once for the whole form, and not asked."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["zone"]
        cast(forms.TimeField, self.fields["time"]).widget = forms.TimeInput(
            format="%H:%M", attrs={"type": "time"}
        )

    def clean(self) -> dict[str, Any]:
        self.cleaned_data["zone"] = settings.PRESS_OFFICE_ZONE
        return super().clean()


class DeputyForm(forms.Form):
    """Who stands in, for whom, and on which desk; the times are two `OfficeMomentForm`s beside it."""

    person = forms.ModelChoiceField(
        User.objects.filter(is_active=True, desks__isnull=False).distinct(),
        label="Who is away",
        empty_label="Choose somebody",
        error_messages={"required": "Choose who is away."},
    )
    deputy = forms.ModelChoiceField(
        User.objects.filter(is_active=True),
        label="Who stands in",
        empty_label="Choose somebody",
        error_messages={"required": "Choose who stands in."},
        help_text="They see what waits, and decide as if they were on the desk",
    )
    desk = forms.ModelChoiceField(
        Desk.objects.all(), required=False, label="On which desk", empty_label="All desks"
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        for name in ("person", "deputy"):
            people = cast(forms.ModelChoiceField[User], self.fields[name])
            people.queryset = (people.queryset or User.objects.all()).order_by(
                "first_name", "last_name", "pk"
            )
        if not user.is_superuser:
            del self.fields["person"]
            cast(forms.ModelChoiceField[Desk], self.fields["desk"]).queryset = user.desks.all()
            deputies = cast(forms.ModelChoiceField[User], self.fields["deputy"])
            deputies.queryset = (deputies.queryset or User.objects.all()).exclude(pk=user.pk)

    @property
    def whom(self) -> User:
        """For whom the deputy is appointed: the person themself, unless an administrator named somebody."""
        return cast(User, self.cleaned_data.get("person") or self.user)
