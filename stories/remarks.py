"""What people say about a story's words: comments, and other wordings for a drafter to take or to decline.

Taking a wording, and restoring an earlier revision, make a revision like any other: what was cleared and is
different now has to be looked at again, and what is the same still stands.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Page, Paginator
from django.db import Error, models, transaction

from . import anchors, drafting
from .access import Role, roles_of
from .content import filled
from .models import Comment, CommentResolution, Revision, Story, Suggestion, SuggestionDecline, User
from .refusals import hint_of
from .richtext import inline


class Refused(drafting.Refused):
    """A comment, a suggestion or an answer to one was refused."""


class NoWords(Refused):
    """Nothing was written where words are needed."""


class Gone(Refused):
    """The words that somebody pointed at are not in the story, or not any more."""


class SameWording(Refused):
    """The suggested wording is the one that is there."""


class Unfit(Refused):
    """The suggested wording cannot stand in the place of the words."""


class Answered(Refused):
    """Somebody has resolved, taken or declined it already."""


class NotHere(Refused):
    """What was named belongs to another story, or is not what it was taken for."""


class Stale(drafting.Stale):
    """Somebody saved a newer revision, `latest`, than the one that was on the screen. Nothing was changed."""

    def __init__(self, latest: Revision) -> None:
        drafting.Refused.__init__(
            self,
            f"Nothing was changed: {latest.by} saved revision {latest.number} meanwhile. "
            "Here is the story as it is now; look at it, then decide once more.",
        )
        self.latest = latest


BY_HINT: dict[str, tuple[type[Refused], str]] = {
    "answered": (Answered, "Nothing was changed: somebody took or declined this wording a moment ago."),
    "not_there": (
        NotHere,
        "Nothing was kept: that revision or comment is not one of this story. Open the story and try again.",
    ),
    "content": (
        NotHere,
        "Nothing was restored: that revision is from before stories had all of today's parts. "  # noqa: ISC004
        "Open it and copy the words that you want.",
    ),
}


@contextmanager
def _in_words(story_id: int) -> Iterator[None]:
    """What the database refuses comes out as the refusal of that name."""
    try:
        with transaction.atomic():
            yield
    except Error as error:
        hint = hint_of(error)
        if hint == "stale":
            raise Stale(Revision.objects.filter(story=story_id).latest("number")) from error
        if hint in BY_HINT:
            kind, words = BY_HINT[hint]
            raise kind(words) from error
        raise


@transaction.atomic
def comment(
    *,
    story: Story,
    revision: Revision,
    by: User,
    anchor: anchors.Anchor | None,
    text: str,
    answers: Comment | None = None,
) -> Comment:
    """Say something about words of a revision; about the story as a whole without an anchor.

    Raises:
        NoWords: there is no text.
        Gone: the revision does not have the words of the anchor.
        Answered: the comment that is answered was resolved.
        NotHere: revision or comment are of another story.
    """
    text = _written(text)
    if not inline.seen(text):
        raise NoWords("Nothing was sent: the comment is empty. Write what you want to say.")
    if anchor is not None and anchors.find(revision.content, anchor) is None:
        raise _gone("sent", revision)
    if answers:
        _refuse_resolved(answers)
    with _in_words(story.pk):
        return Comment.objects.create(
            story=story, revision=revision, by=by, anchor=anchor, text=text, answers=answers
        )


@transaction.atomic
def resolve(*, comment: Comment, by: User) -> CommentResolution:
    """Say that a comment is dealt with, with all its answers.

    Raises:
        Answered: somebody did so already.
        NotHere: it is an answer itself.
    """
    Story.objects.select_for_update().get(pk=comment.story_id)
    _refuse_resolved(comment)
    with _in_words(comment.story_id):
        return CommentResolution.objects.create(story_id=comment.story_id, comment=comment, by=by)


@transaction.atomic
def suggest(
    *, revision: Revision, by: User, anchor: anchors.Anchor, replacement: str, remark: str = ""
) -> Suggestion:
    """Suggest another wording for words of a revision, or (an empty one) that they are taken out.

    Raises:
        SameWording: it is the one that is there.
        Gone: the revision does not have the words of the anchor.
        Unfit: it cannot stand in their place.
    """
    place = anchors.find(revision.content, anchor)
    if place is None:
        raise _gone("sent", revision)
    wording = anchors.settled(place.part, replacement)
    if not inline.seen(wording):
        wording = ""
    _replaced(revision, anchor, wording, "sent")
    with _in_words(revision.story_id):
        return Suggestion.objects.create(
            story_id=revision.story_id,
            revision=revision,
            by=by,
            anchor=anchor,
            replacement=wording,
            remark=_written(remark),
        )


@transaction.atomic
def take(*, suggestion: Suggestion, by: User, based_on: int | None) -> Revision:
    """Put a suggested wording into the newest revision, id `based_on`, which makes the next one.

    Whoever suggested it wrote words of the story from then on. What `by` has typed and not saved is kept.

    Raises:
        Answered: it was taken or declined already.
        Stale: `based_on` is not the newest revision any more.
        Gone: the newest revision does not have the words any more.
        SameWording: it has the suggested ones already.
    """
    story = Story.objects.select_for_update().get(pk=suggestion.story_id)
    _refuse_answered(suggestion)
    latest = story.latest
    if latest.pk != based_on:
        raise Stale(latest)
    content = _replaced(latest, suggestion.anchor, suggestion.replacement, "changed")
    with _in_words(story.pk):
        return drafting._add(story, by, content, latest, takes=suggestion)


@transaction.atomic
def decline(*, suggestion: Suggestion, by: User, reason: str = "") -> SuggestionDecline:
    """Say that a suggested wording is not taken, and why.

    Raises:
        Answered: it was taken or declined already.
    """
    Story.objects.select_for_update().get(pk=suggestion.story_id)
    _refuse_answered(suggestion)
    with _in_words(suggestion.story_id):
        return SuggestionDecline.objects.create(
            story_id=suggestion.story_id, suggestion=suggestion, by=by, reason=_written(reason)
        )


@transaction.atomic
def restore(*, story: Story, revision: Revision, by: User, based_on: int | None) -> Revision:
    """Make the content of an earlier revision the next one, by somebody who had id `based_on` before them.

    Raises:
        NothingChanged: the newest revision has the same words.
        Stale: `based_on` is not the newest revision any more.
        NotHere: the revision is of another story.
    """
    Story.objects.select_for_update().get(pk=story.pk)
    latest = story.latest
    if revision.story_id != story.pk:
        raise NotHere("Nothing was restored: that revision is not one of this story.")
    if revision.digest == latest.digest:
        raise drafting.NothingChanged(latest)
    if latest.pk != based_on:
        raise Stale(latest)
    with _in_words(story.pk):
        return drafting._add(story, by, filled(revision.content), latest, restores=revision)


def _written(text: str) -> str:
    return inline.printable(text).strip()


def _gone(what: str, revision: Revision) -> Gone:
    return Gone(
        f"Nothing was {what}: revision {revision.number} does not have these words, or has them more than "
        "once. Mark them with a few words more, as they stand there."
    )


def _replaced(revision: Revision, anchor: anchors.Anchor, wording: str, what: str) -> dict[str, Any]:
    """The content of a revision with another wording; `what` says what was not done where that cannot be."""
    try:
        content = anchors.replace(revision.content, anchor, wording)
    except anchors.NotThere:
        raise Gone(
            f"Nothing was {what}: revision {revision.number} does not have the words any more that this is "
            "about. A wording can be suggested anew for what stands there now."
        ) from None
    except anchors.Across:
        raise Unfit(
            f"Nothing was {what}: the words go over the end of a paragraph. Suggest a wording for each, or "
            "say in a comment what you want."
        ) from None
    if content == revision.content:
        raise SameWording(f"Nothing was {what}: revision {revision.number} has this very wording already.")
    return content


def _refuse_resolved(comment: Comment) -> None:
    done = CommentResolution.objects.select_related("by").filter(comment=comment).first()
    if done:
        raise Answered(f"{done.by} has resolved this comment already. To say more, make a new comment.")


def _refuse_answered(suggestion: Suggestion) -> None:
    taken = Revision.objects.select_related("by").filter(takes=suggestion).first()
    if taken:
        raise Answered(f"{taken.by} has taken this wording already, in revision {taken.number}.")
    declined = SuggestionDecline.objects.select_related("by").filter(suggestion=suggestion).first()
    if declined:
        raise Answered(
            f"{declined.by} has declined this wording already. If it is wanted after all, suggest it again."
        )


# What the pages show of them

#: Open comments and suggestions that a panel shows; the rest is on a page of its own.
IN_PANEL = 50
#: Comments and suggestions on a page of that.
ON_A_PAGE = 50


@dataclass
class Remark:
    """A comment with its answers, or a suggested wording, beside the words of the revision that is shown."""

    fact: Comment | Suggestion
    number: int = 0
    #: Where its words are in the revision shown, and an anchor for them made of that; None: gone, or none.
    place: anchors.Place | None = None
    anchor: anchors.Anchor | None = None
    #: What people call that part, such as "paragraph 2".
    where: str = ""
    answers: list[Comment] = field(default_factory=list)

    @property
    def suggests(self) -> bool:
        """Whether it is a suggested wording."""
        return isinstance(self.fact, Suggestion)

    @property
    def key(self) -> str:
        """Tells it from all others of the story, in the address of a page."""
        return f"{'s' if self.suggests else 'c'}{self.fact.pk}"

    @property
    def words(self) -> str:
        """The words that it is about, as they were marked."""
        anchor = self.fact.anchor
        return str(anchor.get("exact", "")) if isinstance(anchor, dict) else ""

    @property
    def gone(self) -> bool:
        """Whether the revision shown does not have the words any more."""
        return self.fact.anchor is not None and self.place is None

    @property
    def before(self) -> str:
        """A few whole words that stand before, for words too short to be told by themselves."""
        text = str((self.anchor or {}).get("prefix", ""))
        whole = text if len(text) < anchors.CONTEXT else text.partition(" ")[2]
        return whole.rpartition("\n")[2]

    @property
    def after(self) -> str:
        """A few whole words that stand after."""
        text = str((self.anchor or {}).get("suffix", ""))
        whole = text if len(text) < anchors.CONTEXT else text.rpartition(" ")[0]
        return whole.partition("\n")[0]


@dataclass
class Panel:
    """The comments and suggested wordings of a story that are open, beside one revision of it."""

    story: Story
    revision: Revision
    remarks: list[Remark]
    open_count: int
    settled_count: int
    may_draft: bool

    @property
    def more(self) -> int:
        """How many open ones there are beside those in the panel."""
        return self.open_count - len(self.remarks)


def panel(story: Story, revision: Revision, user: User) -> Panel:
    """What is open on a story, in the order in which its words stand in `revision`, with what `user` may do.

    It takes as many queries for fifty remarks as for one.
    """
    comments = Comment.objects.filter(story=story, answers=None)
    suggestions = Suggestion.objects.filter(story=story)
    unresolved, unanswered = models.Q(resolution=None), models.Q(taken_by=None, decline=None)
    counts = [_count(comments, unresolved), _count(suggestions, unanswered)]
    found: list[Remark] = [Remark(fact) for fact in _with_people(comments.filter(unresolved))[:IN_PANEL]]
    found += [Remark(fact) for fact in _with_people(suggestions.filter(unanswered))[:IN_PANEL]]
    found = sorted(found, key=lambda remark: remark.fact.at)[:IN_PANEL]
    _placed(found, revision)
    _answered(found)
    found.sort(key=_in_order)
    for number, remark in enumerate(found, start=1):
        remark.number = number
    return Panel(
        story=story,
        revision=revision,
        remarks=found,
        open_count=sum(unsettled for _, unsettled in counts),
        settled_count=sum(everything - unsettled for everything, unsettled in counts),
        may_draft=bool(roles_of(user) & {Role.DRAFTER, Role.DUTY_OFFICER}),
    )


def page(story: Story, revision: Revision, number: str | None) -> "Page[Any]":
    """A page of all comments and suggestions of a story, newest first, as `Remark`s beside `revision`."""
    columns = ("at", "pk", "suggests")
    comments = Comment.objects.filter(story=story, answers=None).annotate(suggests=models.Value(0))
    suggestions = Suggestion.objects.filter(story=story).annotate(suggests=models.Value(1))
    both = comments.values_list(*columns).union(suggestions.values_list(*columns), all=True)
    found: Page[Any] = Paginator(both.order_by("-at", "-pk", "-suggests"), ON_A_PAGE).get_page(number)
    rows = [(suggests, pk) for _, pk, suggests in found.object_list]
    facts: dict[tuple[int, int], Comment | Suggestion] = {}
    for one in _with_people(Comment.objects.filter(pk__in=[pk for kind, pk in rows if not kind])):
        facts[0, one.pk] = one
    for other in _with_people(Suggestion.objects.filter(pk__in=[pk for kind, pk in rows if kind])):
        facts[1, other.pk] = other
    remarks = [Remark(facts[row]) for row in rows]
    _placed(remarks, revision)
    _answered(remarks)
    found.object_list = remarks
    return found


def _count(facts: "models.QuerySet[Any]", unsettled: models.Q) -> tuple[int, int]:
    """How many there are, and how many of them are open."""
    found = facts.aggregate(all=models.Count("pk"), unsettled=models.Count("pk", filter=unsettled))
    return found["all"], found["unsettled"]


def _with_people(facts: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
    """The facts, oldest first, with who made them and how they ended; without the words of revisions."""
    ends = ["resolution"] if facts.model is Comment else ["taken_by", "decline"]
    related = ["by", "revision", *ends, *(f"{end}__by" for end in ends)]
    revisions = ["revision", *(end for end in ends if end == "taken_by")]
    bulky = [f"{name}__{column}" for name in revisions for column in ("content", "parts")]
    return facts.select_related(*related).defer(*bulky).order_by("at", "pk")


def _placed(remarks: Iterable[Remark], revision: Revision) -> None:
    reading = anchors.Reading(revision.content)
    labels = _labels(revision.content)
    for remark in remarks:
        place = remark.place = reading.find(remark.fact.anchor)
        if place:
            remark.anchor = reading.anchor(place.part, place.block, place.start, place.end)
            remark.where = labels[place.block] if place.block is not None else anchors.PARTS[place.part]


def _labels(content: dict[str, Any]) -> list[str]:
    """What people call each block of a body: its kind, with its number among those."""
    counts: Counter[str] = Counter()
    labels = []
    for block in content["body"]:
        counts[block["kind"]] += 1
        labels.append(f"{block['kind']} {counts[block['kind']]}")
    return labels


def _answered(remarks: Iterable[Remark]) -> None:
    by_comment = {remark.fact.pk: remark for remark in remarks if not remark.suggests}
    for answer in Comment.objects.filter(answers__in=by_comment).select_related("by").order_by("pk"):
        by_comment[answer.answers_id or 0].answers.append(answer)


def _in_order(remark: Remark) -> tuple[Any, ...]:
    """As the words stand on the page; then those about the whole, then those whose words are gone."""
    if remark.place is None:
        return (1 + remark.gone, 0, 0, 0, remark.fact.at)
    parts = list(anchors.PARTS)
    place = remark.place
    return (0, parts.index(place.part), place.block or 0, place.start, remark.fact.at)
