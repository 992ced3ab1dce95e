"""The forms of clearance: what was on the screen comes back with what was decided."""

from typing import Any, cast

from django import forms
from django.conf import settings

from stories.forms import MomentForm
from stories.models import User

from .models import Desk, Verdict


class RequestForm(forms.Form):
    """Clearance is asked for the revision that was on the screen."""

    revision = forms.IntegerField(widget=forms.HiddenInput)


class DecisionForm(forms.Form):
    """A verdict on the words with the digest `covered` of a revision, as they were on the screen."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
    covered = forms.RegexField(r"^[0-9a-f]{64}$", widget=forms.HiddenInput)
    verdict = forms.ChoiceField(choices=Verdict.choices)
    # Whether they may sign for the person is for the database to say, at the moment of signing.
    on_behalf = forms.ModelChoiceField(User.objects.all(), required=False)
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
    )
    deputy = forms.ModelChoiceField(
        User.objects.filter(is_active=True),
        label="Who stands in",
        empty_label="Choose somebody",
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
