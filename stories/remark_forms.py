"""The forms with which people comment on words of a story and suggest others."""

from typing import Any, cast

from django import forms
from django.utils.text import capfirst

from . import anchors, remarks
from .models import Revision, Story, User

BIGGEST_ID = 2**63 - 1
MOST_LETTERS = 5000


def _hidden(**kwargs: Any) -> forms.CharField:
    # The spaces at its ends tell words apart too.
    return forms.CharField(
        required=False, strip=False, max_length=MOST_LETTERS, widget=forms.HiddenInput, **kwargs
    )


def _writing(rows: int, css: str = "") -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, "class": css} if css else {"rows": rows})


class WordsForm(forms.Form):
    """Words of a revision: typed or pasted; or marked in the proof, when a script fills in what is hidden."""

    revision = forms.IntegerField(min_value=1, max_value=BIGGEST_ID, widget=forms.HiddenInput)
    block = forms.IntegerField(required=False, min_value=0, max_value=BIGGEST_ID, widget=forms.HiddenInput)
    before = _hidden()
    after = _hidden()
    part = forms.ChoiceField(
        label="Where they stand",
        choices=[(part, capfirst(label)) for part, label in anchors.PARTS.items()],
        initial="body",
    )
    words = forms.CharField(
        label="The words",
        max_length=MOST_LETTERS,
        widget=_writing(2, "pub"),
        help_text="Exactly as they stand there",
        error_messages={"required": "Say which words: paste them as they stand in the story"},
    )

    def __init__(self, *args: Any, story: Story, **kwargs: Any) -> None:
        self._story = story
        super().__init__(*args, **kwargs)

    def clean_revision(self) -> Revision:
        """The revision that was on the screen."""
        found = Revision.objects.filter(story=self._story, pk=self.cleaned_data["revision"]).first()
        if found is None:
            raise forms.ValidationError("Nothing was sent: that revision is not one of this story.")
        return found

    def clean(self) -> dict[str, Any]:
        data = cast(dict[str, Any], super().clean())
        data["anchor"] = None
        if not self.errors and data["words"]:
            try:
                data["anchor"] = self._anchor(data)
            except anchors.NotThere:
                self.add_error(
                    "words", f"{self._where(data)} has no such words. Copy them as they stand there"
                )
            except anchors.Several:
                self.add_error(
                    "words", f"{self._where(data)} has these words more than once. Add words beside them"
                )
        return data

    def _anchor(self, data: dict[str, Any]) -> anchors.Anchor:
        reading = anchors.Reading(data["revision"].content)
        around = {"block": data["block"], "prefix": data["before"], "suffix": data["after"]}
        return reading.locate(data["part"], data["words"], **around)

    @staticmethod
    def _where(data: dict[str, Any]) -> str:
        return f"The {anchors.PARTS[data['part']]} of revision {data['revision'].number}"


class CommentForm(WordsForm):
    """A comment on words, or on the whole story; or an answer to a comment."""

    answers = forms.IntegerField(required=False, min_value=1, max_value=BIGGEST_ID, widget=forms.HiddenInput)
    text = forms.CharField(
        label="Your comment",
        max_length=MOST_LETTERS,
        widget=_writing(3),
        error_messages={"required": "Write what you want to say"},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="comment_%s", **kwargs)
        for name in ("part", "words"):
            self.fields[name].required = False
        self.fields[
            "words"
        ].help_text = "Exactly as they stand there. Left empty, it is about the whole story"
        self.order_fields(["part", "words", "text"])

    def clean_part(self) -> str:
        """An answer names no part."""
        return self.cleaned_data["part"] or "body"


class SuggestionForm(WordsForm):
    """Another wording for words."""

    replacement = forms.CharField(
        label="Say instead",
        max_length=MOST_LETTERS,
        required=False,
        widget=_writing(2, "pub"),
        help_text="Left empty, the words are to be taken out. If a drafter takes it these are words of "
        "yours, and somebody else has to clear them",
    )
    remark = forms.CharField(label="Why", required=False, max_length=MOST_LETTERS, widget=_writing(1))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="suggestion_%s", **kwargs)


class AnswerForm(forms.Form):
    """What comes with the answer to a suggestion, or with the wish to restore a revision."""

    based_on = forms.IntegerField(required=False, min_value=1, max_value=BIGGEST_ID)
    reason = forms.CharField(required=False, max_length=MOST_LETTERS)


def shown(story: Story, revision: Revision, user: User) -> dict[str, Any]:
    """What `stories/_remarks.html` shows beside a revision: what is open, and blank forms for more."""
    given = {"story": story, "initial": {"revision": revision.pk}}
    return {
        "panel": remarks.panel(story, revision, user),
        "comment": CommentForm(**given),
        "suggestion": SuggestionForm(**given),
    }
