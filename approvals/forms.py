"""The forms of clearance: what was on the screen comes back with what was decided."""

from typing import Any, cast

from django import forms

from . import routing
from .models import Verdict


class RequestForm(forms.Form):
    """Clearance is asked for the revision that was on the screen, by a route or by the default one."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
    route = forms.ModelChoiceField(routing.offered(), required=False, widget=forms.HiddenInput)


class DecisionForm(forms.Form):
    """A verdict on the words with the digest `covered` of a revision, as they were on the screen."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
    covered = forms.RegexField(r"^[0-9a-f]{64}$", widget=forms.HiddenInput)
    verdict = forms.ChoiceField(choices=Verdict.choices)
    reason = forms.CharField(
        required=False,
        max_length=10_000,
        label="What has to change?",
        help_text="The drafter reads it as you write it, and it stays on the record",
        widget=forms.Textarea(attrs={"rows": 3, "class": "form-control"}),
    )

    def clean(self) -> dict[str, Any]:
        data = cast(dict[str, Any], super().clean())
        if data.get("verdict") == Verdict.CLEARED and data.get("reason", "").strip():
            self.add_error(
                "reason",
                "Nothing was signed: you wrote what has to change, and pressed “Clear these words”. "
                "Ask for changes, or empty this field.",
            )
        return data

    def mark_reason(self) -> None:
        """Tell those who hear the page that the reason is what is wrong."""
        described = f"{self['reason'].id_for_label}_error"
        self.fields["reason"].widget.attrs |= {"aria-invalid": "true", "aria-describedby": described}
