"""The forms by which routes and desks are set up."""

import re
from datetime import timedelta
from typing import Any, cast

from django import forms

from stories.kinds import TYPES
from stories.models import Organisation, Topic

from . import asking, routing, staffing
from .models import ALL, Condition, Covers, Desk, PrivateOffice, Step

_OFFICES = (Condition.PRIVATE_OFFICE,)
_MINUTES = re.compile(r"[,;]|\band\b")


def add_problems(form: forms.Form, problems: dict[str, str]) -> None:
    """Show what a verb found wrong at the fields of the form."""
    for field, words in problems.items():
        form.add_error(field if field in form.fields else None, words)


class NameForm(forms.Form):
    """What a route or a desk is called."""

    name = forms.CharField(
        max_length=routing.NAME_LENGTH, label="Name", error_messages={"required": "Give it a name."}
    )


class StepForm(forms.Form):
    """What a step asks. Fields that the choices made need not are left out of account."""

    stage = forms.ChoiceField(label="Stage", required=False)
    desk = forms.ModelChoiceField(
        Desk.objects.none(), required=False, label="Desk", empty_label="Choose a desk"
    )
    covers = forms.ChoiceField(choices=Covers.choices, label="What it covers")
    whom = forms.CharField(
        required=False,
        max_length=200,
        label="Whose quotes",
        help_text="The name, or the role, as it stands under a quote",
    )
    condition = forms.ChoiceField(choices=Condition.choices, label="When it is asked")
    named = forms.CharField(
        required=False,
        max_length=200,
        label="Speaker or role",
        help_text="As it stands under a quote",
    )
    type = forms.ChoiceField(
        required=False, label="Type of story", choices=[("", "Choose a type"), *TYPES.items()]
    )
    topic = forms.ModelChoiceField(
        Topic.objects.all(),
        required=False,
        to_field_name="slug",
        label="Topic",
        empty_label="Choose a topic",
    )
    partner = forms.ModelChoiceField(
        Organisation.objects.all(),
        required=False,
        to_field_name="slug",
        label="Partner organisation",
        empty_label="Every partner that is named",
        help_text="Every partner is asked at its own desk; one that has none, at the desk above",
    )
    quorum = forms.TypedChoiceField(
        coerce=int,
        label="How many have to sign",
        choices=[(1, "one of the desk"), (2, "two of the desk"), (ALL, "all of the desk")],
    )
    before = forms.CharField(
        required=False,
        max_length=40,
        label="Deadline",
        help_text="How long before the embargo: 6 h, 90 min, 1 d 2 h. Empty: none",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, stages: int | None = None, **kwargs: Any) -> None:
        """With `stages`, the number of stages that there are, it asks into which of them the step goes."""
        super().__init__(*args, **kwargs)
        cast(forms.ModelChoiceField[Desk], self.fields["desk"]).queryset = Desk.objects.all()
        if stages is None:
            del self.fields["stage"]
        else:
            places = [(f"{number}", f"Stage {number}") for number in range(1, stages + 1)]
            before = [(f"+{number}", f"A new stage before stage {number}") for number in range(1, stages + 1)]
            last = f"A new stage after stage {stages}" if stages else "Stage 1"
            cast(forms.ChoiceField, self.fields["stage"]).choices = [*places, ("", last), *before]

    def clean_before(self) -> Any:
        """The deadline as a duration, or None."""
        text = str(self.cleaned_data["before"]).strip()
        if not text:
            return None
        try:
            return asking.parse_span(text)
        except asking.NotASpan as error:
            raise forms.ValidationError(str(error)) from error

    @property
    def place(self) -> dict[str, Any]:
        """Where the step goes, as `routing.add_step` takes it."""
        stage = str(self.cleaned_data.get("stage") or "")
        return {"stage": int(stage.lstrip("+")) if stage else None, "opens": stage.startswith("+")}

    @property
    def ask(self) -> routing.Ask:
        """What was chosen. What no choice asks for is not in it, whatever an unseen field holds."""
        data = self.cleaned_data
        condition, covers = data["condition"], data["covers"]
        offices = condition in _OFFICES
        values = {
            Condition.SPEAKER: data["named"],
            Condition.ROLE: data["named"],
            Condition.TYPE: data["type"],
            Condition.TOPIC: data["topic"].slug if data["topic"] else "",
            Condition.PARTNER: data["partner"].slug if data["partner"] else "",
        }
        return routing.Ask(
            desk=None if offices else data["desk"],
            covers=covers,
            whom=" ".join(data["whom"].split()) if covers in asking.NAMED and not offices else "",
            condition=condition,
            value=" ".join(str(values.get(condition, "")).split()),
            quorum=data["quorum"],
            before=data["before"],
        )

    def blame(self, problems: dict[str, str]) -> None:
        """Show what the verb found wrong; what it calls the value is the field of the condition."""
        fields = {"type": "type", "topic": "topic", "partner": "partner"}
        value = fields.get(self.cleaned_data.get("condition", ""), "named")
        add_problems(self, {value if name == "value" else name: words for name, words in problems.items()})


def step_initial(step: Step) -> dict[str, Any]:
    """What a `StepForm` shows for a step."""
    coded = {condition.value: step.value for condition in asking.CODED if condition == step.condition}
    return {
        "desk": step.desk_id,
        "covers": step.covers,
        "whom": step.whom,
        "condition": step.condition,
        "named": step.value if step.condition in (Condition.SPEAKER, Condition.ROLE) else "",
        **coded,
        "quorum": step.quorum,
        "before": asking.span_words(step.before) if step.before else "",
    }


class DeskForm(forms.Form):
    """What a desk is called, whom it clears for, and who is told when."""

    name = forms.CharField(
        max_length=staffing.NAME_LENGTH, label="Name", error_messages={"required": "Give it a name."}
    )
    organisation = forms.ModelChoiceField(
        Organisation.objects.all(),
        required=False,
        label="Clears for the partner",
        empty_label="None: a desk of our own",
        help_text="It is asked where a route asks every partner that a story names",
    )
    reminders = forms.CharField(
        required=False,
        max_length=200,
        label="Reminders",
        help_text="How long before a deadline, with commas: 2 h, 30 min. Empty: none",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    escalates_to = forms.ModelChoiceField(
        Desk.objects.none(),
        required=False,
        label="Told when it is late",
        empty_label="Nobody",
        help_text="The people of this desk get a mail too",
    )
    escalates_after = forms.CharField(
        required=False,
        max_length=40,
        label="How long after the deadline",
        help_text="30 min, 1 h. Empty: at once",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, desk: Desk, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = Desk.objects.exclude(pk=desk.pk)
        cast(forms.ModelChoiceField[Desk], self.fields["escalates_to"]).queryset = others

    def clean_reminders(self) -> tuple[int, ...]:
        """The reminders in minutes."""
        texts = [text for text in _MINUTES.split(str(self.cleaned_data["reminders"])) if text.strip()]
        return tuple(_minutes(text) for text in texts)

    def clean_escalates_after(self) -> int:
        text = str(self.cleaned_data["escalates_after"]).strip()
        return _minutes(text) if text else 0

    @property
    def terms(self) -> staffing.Terms:
        """What was typed."""
        return staffing.Terms(**self.cleaned_data)


def _minutes(text: str) -> int:
    """A duration in minutes; a bare number is meant so."""
    text = text.strip()
    try:
        return int(asking.parse_span(f"{text} min" if text.isdecimal() else text).total_seconds() // 60)
    except asking.NotASpan as error:
        raise forms.ValidationError(str(error)) from error


def desk_initial(desk: Desk) -> dict[str, Any]:
    """What a `DeskForm` shows for a desk."""
    return {
        "name": desk.name,
        "organisation": desk.organisation_id,
        "reminders": ", ".join(minutes_words(minutes) for minutes in desk.reminders),
        "escalates_to": desk.escalates_to_id,
        "escalates_after": minutes_words(desk.escalates_after) if desk.escalates_after else "",
    }


def minutes_words(minutes: int) -> str:
    """Minutes in words: "1 h 30 min"."""
    return asking.span_words(timedelta(minutes=minutes))


class OfficeForm(forms.Form):
    """Whose private office a desk is."""

    match = forms.ChoiceField(
        choices=PrivateOffice._meta.get_field("match").choices or [], label="Known by", initial="speaker"
    )
    name = forms.CharField(
        max_length=200,
        label="Name or role",
        help_text="As it stands under a quote",
        error_messages={"required": "Say whose: the name or role as it stands under a quote."},
    )
