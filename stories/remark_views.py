"""What is sent from the pages of a story about its words: comments, suggested wordings, restoring."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from . import drafting, remarks
from .access import story_for
from .models import Comment, Revision, Story, Suggestion
from .remark_forms import AnswerForm, CommentForm, SuggestionForm, WordsForm
from .views import may_draft, person

#: The pages that have the forms, and where each goes back to.
PAGES = {
    "story_draft": "story_draft",
    "story_save": "story_draft",
    "story_comments": "story_comments",
}
CONFLICT = 409
UNFIT = 422


def story_comments(request: HttpRequest, uid: UUID) -> HttpResponse:
    """All that was said about a story, newest first; sent to, it takes a comment or an answer to one."""
    user = person(request)
    story = story_for(user, uid)
    if request.method != "POST":
        latest = story.latest
        context = {
            "story": story,
            "latest": latest,
            "page": remarks.page(story, latest, request.GET.get("page")),
            "may_draft": may_draft(user),
        }
        return render(request, "stories/remarks.html", context)
    form = CommentForm(request.POST, story=story)
    if not form.is_valid():
        return _again(request, story, form)
    data = form.cleaned_data
    answers = get_object_or_404(Comment, story=story, pk=data["answers"]) if data["answers"] else None
    try:
        remarks.comment(
            story=story,
            revision=data["revision"],
            by=user,
            anchor=data["anchor"],
            text=data["text"],
            answers=answers,
        )
    except remarks.Refused as refusal:
        return _again(request, story, form, refusal)
    messages.success(
        request, "Your answer is there for all to read." if answers else "Your comment is there."
    )
    return _back(request, story)


@require_POST
def comment_resolve(request: HttpRequest, uid: UUID, pk: int) -> HttpResponse:
    """Say that a comment is dealt with."""
    user = person(request)
    story = story_for(user, uid)
    comment = get_object_or_404(Comment, story=story, pk=pk)
    try:
        remarks.resolve(comment=comment, by=user)
    except remarks.Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Resolved. It stays on the record.")
    return _back(request, story)


@require_POST
def story_suggest(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Suggest another wording."""
    user = person(request)
    story = story_for(user, uid)
    form = SuggestionForm(request.POST, story=story)
    if not form.is_valid():
        return _again(request, story, form)
    data = form.cleaned_data
    try:
        remarks.suggest(
            revision=data["revision"],
            by=user,
            anchor=data["anchor"],
            replacement=data["replacement"],
            remark=data["remark"],
        )
    except remarks.Refused as refusal:
        return _again(request, story, form, refusal)
    messages.success(request, "Suggested. A drafter takes it or declines it.")
    return _back(request, story)


@require_POST
def suggestion_take(request: HttpRequest, uid: UUID, pk: int) -> HttpResponse:
    """Put a suggested wording into the story."""
    user = person(request)
    story = story_for(user, uid)
    suggestion = get_object_or_404(Suggestion.objects.select_related("by"), story=story, pk=pk)
    try:
        revision = remarks.take(suggestion=suggestion, by=user, based_on=_based_on(request))
    except drafting.Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"Taken: revision {revision.number} has the wording of {suggestion.by}.")
    return _back(request, story)


@require_POST
def suggestion_decline(request: HttpRequest, uid: UUID, pk: int) -> HttpResponse:
    """Leave the words as they are."""
    user = person(request)
    story = story_for(user, uid)
    suggestion = get_object_or_404(Suggestion, story=story, pk=pk)
    form = AnswerForm(request.POST)
    reason = str(form["reason"].value() or "")
    if not form.is_valid():
        return _small(request, story, "Nothing was changed: the reason is too long.", UNFIT, reason)
    try:
        remarks.decline(suggestion=suggestion, by=user, reason=reason)
    except remarks.Refused as refusal:
        if reason.strip():
            return _small(request, story, str(refusal), CONFLICT, reason)
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Declined. The words stay as they are.")
    return _back(request, story)


@require_POST
def revision_restore(request: HttpRequest, uid: UUID, number: int) -> HttpResponse:
    """Make the words of an earlier revision the newest ones."""
    user = person(request)
    story = story_for(user, uid)
    revision = get_object_or_404(Revision, story=story, number=number)
    try:
        restored = remarks.restore(story=story, revision=revision, by=user, based_on=_based_on(request))
    except drafting.Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("story_revision", uid, number)
    messages.success(request, f"The words of revision {number} are revision {restored.number} now.")
    return redirect("story_draft", uid)


def _based_on(request: HttpRequest) -> int | None:
    """The id of the revision that was on the screen, if the form said so."""
    form = AnswerForm(request.POST)
    form.is_valid()
    return form.cleaned_data.get("based_on")


def _page_of(request: HttpRequest) -> str:
    return PAGES.get(request.POST.get("back", ""), "story_clearing")


def _back(request: HttpRequest, story: Story) -> HttpResponse:
    """To the page that the form stood on."""
    return redirect(_page_of(request), story.uid)


def _again(
    request: HttpRequest, story: Story, form: WordsForm, refusal: drafting.Refused | None = None
) -> HttpResponse:
    """A small page with the form as it was sent, and why it was not taken."""
    data = form.cleaned_data
    answered = None
    if isinstance(form, CommentForm) and data.get("answers"):
        answered = Comment.objects.select_related("by").filter(story=story, pk=data["answers"]).first()
    status = CONFLICT if isinstance(refusal, remarks.Answered) else UNFIT
    return _small(request, story, str(refusal or ""), status, form=form, answered=answered)


def _small(
    request: HttpRequest, story: Story, refusal: str, status: int, typed: str = "", **more: Any
) -> HttpResponse:
    context = {
        "story": story,
        "refusal": refusal,
        "typed": typed,
        "back": request.POST.get("back", ""),
        "back_to": _page_of(request),
        "form_error_title": "Nothing was sent",
        "suggests": isinstance(more.get("form"), SuggestionForm),
        **more,
    }
    return render(request, "stories/remark.html", context, status=status)
