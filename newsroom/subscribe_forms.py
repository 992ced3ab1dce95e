"""The forms of the mailing list: what somebody wants to get, how often, and where."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from . import digesting
from .choosing import EVERYTHING, KINDS, MOST, Choice, Offer
from .models import TagKind

ALL, SOME = "everything", "chosen"
AT_ONCE, DAILY = "at-once", "daily"
#: What the lists of the form are called.
LEGENDS = {TagKind.TOPIC: gettext_noop("Topics"), TagKind.ORGANISATION: gettext_noop("Organisations")}
_FOREIGN = {
    TagKind.TOPIC: gettext_noop("Choose topics from the list"),
    TagKind.ORGANISATION: gettext_noop("Choose organisations from the list"),
}


class ChoiceForm(forms.Form):
    """What somebody wants to get, among what is offered, and how often."""

    what = forms.ChoiceField(
        choices=[(ALL, gettext_lazy("Everything")), (SOME, gettext_lazy("Only what I tick below"))],
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), gettext_lazy("Choose what you want to get")
        ),
    )
    often = forms.ChoiceField(
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), gettext_lazy("Choose how often you want to get it")
        )
    )

    def __init__(self, offers: Sequence[Offer], *, initial: Choice = EVERYTHING, **kwargs: Any) -> None:
        """A form in which `initial` is chosen. Where nothing is offered there is everything alone."""
        started: dict[str, Any] = {
            "what": SOME if initial.tags else ALL,
            "often": DAILY if initial.daily else AT_ONCE,
            **{kind.value: [slug for of, slug in initial.tags if of == kind] for kind in KINDS},
        }
        super().__init__(initial=started, **kwargs)
        often = self.fields["often"]
        assert isinstance(often, forms.ChoiceField)
        often.choices = [
            (AT_ONCE, _("A mail for each story as soon as it is public")),
            (
                DAILY,
                _("One mail a day, %(at)s; none when there is nothing") % {"at": digesting.time_in_words()},
            ),
        ]
        self.kinds = [kind for kind in KINDS if any(offer.kind == kind for offer in offers)]
        for kind in self.kinds:
            self.fields[kind.value] = forms.MultipleChoiceField(
                required=False,
                choices=[(offer.slug, offer.name) for offer in offers if offer.kind == kind],
                error_messages={"invalid_choice": _(_FOREIGN[kind])},
            )
        if not offers:
            del self.fields["what"]

    def clean(self) -> dict[str, Any]:
        """Everything, or something that was ticked, and not too much of it."""
        given = super().clean() or {}
        ticked, what = len(self._ticked(given)), given.get("what", "")
        if what == SOME and not ticked and not self.errors:
            self.add_error("what", _("Tick at least one topic or organisation, or choose everything"))
        elif what == ALL and ticked:
            self.add_error(
                "what", _("You have asked for everything and ticked something, too: choose one of the two")
            )
        elif ticked > MOST:
            self.add_error("what", _("Tick %(most)d at most, or choose everything") % {"most": MOST})
        return given

    def _ticked(self, given: dict[str, Any]) -> tuple[tuple[str, str], ...]:
        return tuple((kind.value, slug) for kind in self.kinds for slug in given.get(kind.value, []))

    @property
    def cleaned_choice(self) -> Choice:
        """What was chosen, of a form that is valid."""
        return Choice(self.cleaned_data["often"] == DAILY, self._ticked(self.cleaned_data))

    @property
    def lists(self) -> list[tuple[forms.BoundField, str]]:
        """The lists of what is offered, each with its legend."""
        return [(self[kind.value], _(LEGENDS[kind])) for kind in self.kinds]

    @property
    def faults(self) -> list[tuple[str, str]]:
        """What is wrong, each with the element that it leads to."""
        return [(name, str(error)) for name, found in self.errors.items() for error in found]


class SubscribeForm(ChoiceForm):
    """The same, and the address that is to get it."""

    email = forms.EmailField(
        max_length=254,
        error_messages={
            "required": gettext_lazy("Enter an email address"),
            "invalid": gettext_lazy("Enter an email address like name@example.com"),
        },
    )
    field_order = ("email",)
