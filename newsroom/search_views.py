"""The search, as anybody meets it: a form that is an address."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from stories.kinds import TYPES
from stories.rendering import type_label

from . import gathering, searching
from .listing import listed
from .models import TagKind
from .public import page, page_number
from .searching import PAGE_SIZE, Finding, Found, Question

BAD = 400


class SearchForm(forms.Form):
    """What is looked for. The topics and organisations that are offered are those of public stories."""

    q = forms.CharField(
        required=False,
        max_length=200,
        error_messages={"max_length": gettext_lazy("Search for 200 characters at most")},
    )
    type = forms.ChoiceField(
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose a type from the list")},
    )
    topic = forms.ChoiceField(
        required=False, error_messages={"invalid_choice": gettext_lazy("Choose a topic from the list")}
    )
    organisation = forms.ChoiceField(
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose an organisation from the list")},
    )
    since = forms.DateField(
        required=False,
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": gettext_lazy("Write the first day like 2026-03-29")},
    )
    until = forms.DateField(
        required=False,
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": gettext_lazy("Write the last day like 2026-03-29")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        types = self.fields["type"]
        assert isinstance(types, forms.ChoiceField)
        types.choices = [("", _("Any type")), *((kind, type_label(kind)) for kind in TYPES)]
        for name, kind, whichever in (
            ("topic", TagKind.TOPIC, _("Any topic")),
            ("organisation", TagKind.ORGANISATION, _("Anyone")),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", whichever), *gathering.known(kind)]

    def clean(self) -> dict[str, Any]:
        """The first day is not after the last."""
        given = super().clean() or {}
        if given.get("since") and given.get("until") and given["since"] > given["until"]:
            self.add_error("until", _("The last day is before the first"))
        return given

    @property
    def choosing(self) -> list[tuple[forms.BoundField, str]]:
        """The lists to choose from, each with what is asked by it."""
        return [
            (self["type"], _("Type")),
            (self["topic"], _("Topic")),
            (self["organisation"], _("From or with")),
        ]

    @property
    def days(self) -> list[tuple[forms.BoundField, str]]:
        """The days between which it was published, each with what is asked by it."""
        return [(self["since"], _("Published on or after")), (self["until"], _("Published on or before"))]

    @property
    def question(self) -> Question:
        """What is looked for, of a form that is valid."""
        given = self.cleaned_data
        return Question(
            words=given["q"],
            kind=given["type"],
            topic=given["topic"],
            organisation=given["organisation"],
            since=given["since"],
            until=given["until"],
        )

    def query(self, **changes: object) -> str:
        """The part of an address by which the same is looked for, with `changes`."""
        given = {**self.cleaned_data, **changes}
        query = urlencode({name: value for name, value in given.items() if value})
        return f"?{query}" if query else ""

    def address(self, **changes: object) -> str:
        """The address at which the same is looked for, with `changes`."""
        return reverse("search") + self.query(**changes)


@require_safe
def search(request: HttpRequest) -> HttpResponseBase:
    """The public stories that fit what is asked for; without a question the newest."""
    number = page_number(request)
    form = SearchForm(request.GET)
    if not form.is_valid():
        return page(request, "public/search.html", status=BAD, form=form)
    start = (number - 1) * PAGE_SIZE
    question = form.question
    finding = _look(question, start)
    shown, more = finding.stories[:PAGE_SIZE], len(finding.stories) > PAGE_SIZE
    if number > 1 and not shown:
        raise Http404
    meant = searching.meant(question) if question.words and not shown else ""
    return page(
        request,
        "public/search.html",
        query=form.query(page=number if number > 1 else ""),
        form=form,
        question=question,
        finding=finding,
        shown=shown,
        asked=any(form.cleaned_data.values()),
        meant=meant,
        meant_at=form.address(q=meant),
        number=number,
        newer=form.address(page=number - 1 if number > 2 else "") if number > 1 else "",
        older=form.address(page=number + 1) if more else "",
    )


def _look(question: Question, start: int) -> Finding:
    """What there is from place `start` on: a page, and one story more if there is one."""
    stop = start + PAGE_SIZE + 1
    if question.words:
        return searching.find(question, start, stop)
    stories = listed(searching.narrowed(question), start, stop)
    return Finding([Found(story, *searching.unmarked(story)) for story in stories], 0)
