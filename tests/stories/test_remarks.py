"""Comments and suggested wordings: what the verbs refuse, and what the database refuses whoever asks."""

import json
import threading
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction

from stories import anchors, drafting, record, remarks
from stories.models import (
    Comment,
    CommentResolution,
    Entry,
    Revision,
    Suggestion,
    SuggestionDecline,
    WorkingCopy,
)
from stories.refusals import hint_of
from tests.people import Newsroom, words

pytestmark = pytest.mark.django_db

TODAY = "opened at Harrow Weir today"


def anchor(revision: Revision, words: str = TODAY, part: str = "body") -> anchors.Anchor:
    return anchors.Reading(revision.content).locate(part, words)


def suggestion(newsroom: Newsroom, revision: Revision, **changes: Any) -> Suggestion:
    where = changes.pop("anchor", None) or anchor(revision)
    given = {"by": newsroom.lawyer, "anchor": where, "replacement": "opened on Monday", **changes}
    return remarks.suggest(revision=revision, **given)


def commented(newsroom: Newsroom, revision: Revision, **changes: Any) -> Comment:
    given = {"by": newsroom.lawyer, "anchor": anchor(revision), "text": "Really today?", **changes}
    return remarks.comment(story=revision.story, revision=revision, **given)


def take(newsroom: Newsroom, made: Suggestion) -> Revision:
    latest = made.story.latest
    return remarks.take(suggestion=made, by=newsroom.drafter, based_on=latest.pk)


# Comments


def test_a_comment_is_about_words_or_about_the_whole_and_is_answered(newsroom):
    revision = newsroom.draft()
    first = commented(newsroom, revision, text="  Really today? \r\n")
    assert (first.text, first.anchor["exact"], first.revision) == ("Really today?", TODAY, revision)
    whole = commented(newsroom, revision, anchor=None, text="Good.", by=newsroom.nobody)
    assert whole.anchor is None
    answer = commented(newsroom, revision, anchor=None, answers=first, by=newsroom.drafter, text="Yes.")
    assert list(first.replies.all()) == [answer]


@pytest.mark.parametrize("text", ["", "  \n ", "\u200b"])
def test_a_comment_without_words_is_refused(newsroom, text):
    with pytest.raises(remarks.NoWords, match="empty"):
        commented(newsroom, newsroom.draft(), text=text)
    assert not Comment.objects.exists()


@pytest.mark.parametrize("change", [{"exact": "Nobody wrote this here"}, {"part": "slug"}, {"block": None}])
def test_a_comment_on_words_that_are_not_there_is_refused(newsroom, change):
    revision = newsroom.draft()
    with pytest.raises(remarks.Gone, match="revision 1 does not have these words"):
        commented(newsroom, revision, anchor={**anchor(revision), **change})


def test_a_comment_names_revision_and_comment_of_its_own_story(newsroom):
    revision, other = newsroom.draft(), newsroom.draft(slug="other")
    theirs = commented(newsroom, other)
    with pytest.raises(remarks.NotHere):
        remarks.comment(story=revision.story, revision=other, by=newsroom.lawyer, anchor=None, text="Hm.")
    with pytest.raises(remarks.NotHere):
        commented(newsroom, revision, answers=theirs)
    mine = commented(newsroom, revision)
    answer = commented(newsroom, revision, answers=mine)
    with pytest.raises(remarks.NotHere):
        commented(newsroom, revision, answers=answer)


def test_a_comment_is_resolved_once_and_not_answered_after(newsroom):
    revision = newsroom.draft()
    made = commented(newsroom, revision)
    remarks.resolve(comment=made, by=newsroom.drafter)
    with pytest.raises(remarks.Answered, match="Marta Feld has resolved"):
        remarks.resolve(comment=made, by=newsroom.lawyer)
    with pytest.raises(remarks.Answered, match="make a new comment"):
        commented(newsroom, revision, answers=made)
    answer = commented(newsroom, revision, answers=commented(newsroom, revision))
    with pytest.raises(remarks.NotHere):
        remarks.resolve(comment=answer, by=newsroom.lawyer)


# Suggestions


def test_a_wording_is_suggested_and_taken_as_a_revision_of_its_own(newsroom):
    revision = newsroom.draft()
    made = suggestion(newsroom, revision, replacement=" opened  on Monday ", remark=" The 12th. ")
    assert (made.replacement, made.remark) == ("opened on Monday", "The 12th.")
    drafting.keep(story=made.story, by=newsroom.drafter, base=revision.pk, fields={"headline": "Half"})
    taken = take(newsroom, made)
    assert (taken.number, taken.takes, taken.by, taken.based_on) == (2, made, newsroom.drafter, revision)
    body = revision.content["body"]
    html = "<p>A footbridge opened on Monday.</p>"
    assert taken.content == {**revision.content, "body": [{"kind": "paragraph", "html": html}, *body[1:]]}
    # What the drafter was typing is not what was taken.
    assert WorkingCopy.objects.get().fields == {"headline": "Half"}


def test_a_wording_is_taken_where_the_words_are_now(newsroom):
    revision = newsroom.draft()
    made = suggestion(newsroom, revision)
    first = {"kind": "paragraph", "html": "<p>News at last.</p>"}
    newsroom.edit(revision.story, body=[first, *revision.content["body"]], headline="Another")
    taken = take(newsroom, made)
    assert taken.content["headline"] == "Another"
    assert [block["html"] for block in taken.content["body"]][:2] == [
        "<p>News at last.</p>",
        "<p>A footbridge opened on Monday.</p>",
    ]


@pytest.mark.parametrize("replacement", ["", " \n", "\u200b"])
def test_no_wording_takes_the_words_out(newsroom, replacement):
    revision = newsroom.draft()
    taken = take(newsroom, suggestion(newsroom, revision, replacement=replacement))
    assert TODAY in revision.content["body"][0]["html"]
    assert taken.content["body"][0]["html"] == "<p>A footbridge.</p>"


def test_the_same_wording_is_refused(newsroom):
    with pytest.raises(remarks.SameWording):
        suggestion(newsroom, newsroom.draft(), replacement=f" {TODAY}\n")


def test_words_that_are_not_there_get_no_other_wording(newsroom):
    revision = newsroom.draft()
    with pytest.raises(remarks.Gone, match="does not have these words"):
        suggestion(newsroom, revision, anchor={**anchor(revision), "exact": "closed at Harrow Weir"})


def test_words_over_two_paragraphs_get_no_other_wording(newsroom):
    quote = {"kind": "quote", "html": "<p>It is one.</p><p>It is two.</p>", "speaker": "A", "role": ""}
    revision = newsroom.draft(body=[quote])
    with pytest.raises(remarks.Unfit, match="end of a paragraph"):
        suggestion(newsroom, revision, anchor=anchor(revision, "one. It is"))


def test_a_wording_is_not_taken_where_the_words_are_gone(newsroom):
    revision = newsroom.draft()
    made = suggestion(newsroom, revision)
    newsroom.edit(revision.story, body=revision.content["body"][1:])
    with pytest.raises(remarks.Gone, match="revision 2 does not have the words any more"):
        take(newsroom, made)
    assert revision.story.revisions.count() == 2


def test_a_wording_is_not_taken_on_a_revision_that_nobody_looked_at(newsroom):
    revision = newsroom.draft()
    made = suggestion(newsroom, revision)
    newer = newsroom.edit(revision.story, by=newsroom.other_drafter, headline="Theirs")
    with pytest.raises(remarks.Stale, match="Tom Ashdown saved revision 2") as refusal:
        remarks.take(suggestion=made, by=newsroom.drafter, based_on=revision.pk)
    assert refusal.value.latest == newer
    assert isinstance(refusal.value, drafting.Stale)


def test_a_wording_is_answered_once(newsroom):
    revision = newsroom.draft()
    taken, declined = (
        suggestion(newsroom, revision),
        suggestion(newsroom, revision, replacement="opened late"),
    )
    take(newsroom, taken)
    remarks.decline(suggestion=declined, by=newsroom.other_drafter, reason=" Not so. ")
    assert declined.decline.reason == "Not so."
    for again in (take, lambda _, made: remarks.decline(suggestion=made, by=newsroom.drafter)):
        with pytest.raises(
            remarks.Answered, match="Marta Feld has taken this wording already, in revision 2"
        ):
            again(newsroom, taken)
        with pytest.raises(remarks.Answered, match="Tom Ashdown has declined"):
            again(newsroom, declined)
    assert revision.story.revisions.count() == 2


def test_a_wording_that_is_there_already_is_not_taken(newsroom):
    revision = newsroom.draft(headline="One new bridge opens")
    made = suggestion(newsroom, revision, anchor=anchor(revision, "new", "headline"), replacement="new new")
    newsroom.edit(revision.story, headline="One new new bridge opens")
    newsroom.edit(revision.story, headline="One new bridge opens")
    take(newsroom, made)
    assert revision.story.latest.headline == "One new new bridge opens"


# Restoring


def test_an_earlier_revision_is_restored_as_the_next(newsroom):
    first = newsroom.draft()
    second = newsroom.edit(first.story, headline="Another")
    third = remarks.restore(story=first.story, revision=first, by=newsroom.officer, based_on=second.pk)
    assert (third.number, third.restores, third.content) == (3, first, first.content)
    assert third.digest == first.digest


def test_the_sign_offs_of_restored_words_stand_again(newsroom):
    from approvals import rules

    first = newsroom.cleared()
    second = newsroom.edit(first.story, headline="Another")
    assert not rules.progress(second).cleared
    third = remarks.restore(story=first.story, revision=first, by=newsroom.drafter, based_on=second.pk)
    assert rules.progress(third).cleared


def test_the_picture_of_a_restored_revision_is_its_own_again(newsroom, tmp_path):
    from stories import pictures
    from tests.stories.test_views import picture

    asset = pictures.store(picture(), newsroom.drafter)
    shown = {"sha256": asset.sha256, "name": asset.name, "width": 64, "height": 48}
    first = newsroom.draft(picture={**shown, "alt": "A bridge", "caption": "The new bridge", "credit": ""})
    second = newsroom.edit(first.story, picture=None)
    third = remarks.restore(story=first.story, revision=first, by=newsroom.drafter, based_on=second.pk)
    assert list(third.assets.all()) == [asset]
    made = suggestion(newsroom, third, anchor=anchor(third, "new", "caption"), replacement="old")
    taken = take(newsroom, made)
    assert taken.content["picture"]["caption"] == "The old bridge"
    assert list(taken.assets.all()) == [asset]


def test_restoring_is_refused_where_nothing_changes_or_somebody_was_faster(newsroom):
    first = newsroom.draft()
    second = newsroom.edit(first.story, headline="Another")
    other = newsroom.draft(slug="other")
    story, by = first.story, newsroom.drafter
    with pytest.raises(drafting.NothingChanged):
        remarks.restore(story=story, revision=second, by=by, based_on=second.pk)
    with pytest.raises(remarks.Stale):
        remarks.restore(story=story, revision=first, by=by, based_on=first.pk)
    with pytest.raises(remarks.NotHere):
        remarks.restore(story=story, revision=other, by=by, based_on=second.pk)
    assert story.revisions.count() == 2


# The database


def insert(table: str, **values: Any) -> None:
    columns = ", ".join(values)
    marks = ", ".join(["%s"] * len(values))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({columns}) VALUES ({marks})",
            [json.dumps(value) if isinstance(value, dict) else value for value in values.values()],
        )


def refused(table: str, hint: str, **values: Any) -> None:
    with pytest.raises(DatabaseError) as error:
        insert(table, at="2001-01-01", **values)
    assert hint_of(error.value) == hint


def revise(newsroom: Newsroom, latest: Revision, hint: str, **values: Any) -> None:
    given = {
        "story_id": latest.story_id,
        "by_id": newsroom.drafter.pk,
        "number": 99,
        "based_on_id": latest.pk,
        "content": words(headline="Raw"),
        "origin": "form",
        **values,
    }
    refused("stories_revision", hint, **given)


def test_the_database_takes_a_suggestion_once_and_of_its_own_story(newsroom):
    revision, other = newsroom.draft(), newsroom.draft(slug="other")
    theirs = suggestion(newsroom, other)
    taken, declined = suggestion(newsroom, revision), suggestion(newsroom, revision, replacement="x")
    remarks.decline(suggestion=declined, by=newsroom.drafter)
    latest = take(newsroom, taken)
    for made in (theirs, taken, declined):
        revise(newsroom, latest, "answered", takes_id=made.pk)
        given = {"story_id": revision.story_id, "by_id": newsroom.drafter.pk, "reason": ""}
        refused("stories_suggestiondecline", "answered", suggestion_id=made.pk, **given)


def test_the_database_restores_only_the_words_of_that_revision(newsroom):
    first, other = newsroom.draft(), newsroom.draft(slug="other")
    second = newsroom.edit(first.story, headline="Another")
    revise(newsroom, second, "content", restores_id=first.pk)
    revise(newsroom, second, "content", restores_id=other.pk, content=other.content)


def test_the_database_refuses_remarks_across_stories(newsroom):
    revision, other = newsroom.draft(), newsroom.draft(slug="other")
    mine, theirs = commented(newsroom, revision), commented(newsroom, other)
    answer = commented(newsroom, revision, answers=mine)
    given = {"story_id": revision.story_id, "by_id": newsroom.lawyer.pk}
    refused("stories_comment", "not_there", revision_id=other.pk, text="x", **given)
    for wrong in (theirs, answer):
        comment = {"revision_id": revision.pk, "text": "x", "answers_id": wrong.pk}
        refused("stories_comment", "not_there", **comment, **given)
        refused("stories_commentresolution", "not_there", comment_id=wrong.pk, **given)
    wording = {"replacement": "x", "remark": ""}
    where = anchor(revision)
    refused("stories_suggestion", "not_there", revision_id=other.pk, anchor=where, **wording, **given)
    same = {**wording, "replacement": where["exact"]}
    refused("stories_suggestion", "not_there", revision_id=revision.pk, anchor=where, **same, **given)


def test_the_database_refuses_an_empty_comment_and_a_second_resolution(newsroom):
    revision = newsroom.draft()
    made = commented(newsroom, revision)
    remarks.resolve(comment=made, by=newsroom.drafter)
    given = {"story_id": revision.story_id, "by_id": newsroom.lawyer.pk}
    refused("stories_comment", "", revision_id=revision.pk, text=" \n", **given)
    refused("stories_commentresolution", "", comment_id=made.pk, **given)


@pytest.mark.parametrize("role", ["default", "owner"])
@pytest.mark.parametrize("change", ["UPDATE {} SET by_id = by_id", "DELETE FROM {}"])
@pytest.mark.parametrize("model", [Comment, CommentResolution, Suggestion, SuggestionDecline])
@pytest.mark.django_db(transaction=True)
def test_nobody_changes_or_deletes_them(live_newsroom, role, change, model):
    revision = live_newsroom.draft()
    remarks.resolve(comment=commented(live_newsroom, revision), by=live_newsroom.drafter)
    remarks.decline(suggestion=suggestion(live_newsroom, revision), by=live_newsroom.drafter)
    with pytest.raises(DatabaseError) as error, connections[role].cursor() as cursor:
        cursor.execute(change.format(model._meta.db_table))
    assert hint_of(error.value) == ("append_only" if role == "owner" else "")
    assert model.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_at_the_same_instant_one_is_refused(live_newsroom):
    revision = live_newsroom.draft()
    made = suggestion(live_newsroom, revision)
    barrier, outcomes = threading.Barrier(4), []

    def press() -> None:
        barrier.wait()
        try:
            remarks.take(suggestion=made, by=live_newsroom.drafter, based_on=revision.pk)
            outcomes.append("taken")
        except remarks.Answered:
            outcomes.append("answered")
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["answered"] * 3 + ["taken"]


def test_each_is_on_the_record_in_words(newsroom):
    revision = newsroom.draft()
    made = commented(newsroom, revision)
    commented(newsroom, revision, answers=made, anchor=None, text="Yes.")
    remarks.resolve(comment=made, by=newsroom.drafter)
    remarks.decline(suggestion=suggestion(newsroom, revision), by=newsroom.drafter, reason="No.")
    taken = take(newsroom, suggestion(newsroom, revision))
    remarks.restore(story=revision.story, revision=revision, by=newsroom.drafter, based_on=taken.pk)
    told = [(line.title, line.detail) for line in map(record.words, reversed(record.lines(revision.story)))]
    assert told[2:7] == [
        ("Commented", "“Really today?”"),
        ("Answered a comment", "“Yes.”"),
        ("Resolved a comment", ""),
        ("Suggested another wording", f"“{TODAY}” → “opened on Monday”"),
        ("Declined a suggested wording", "“No.”"),
    ]
    assert [title for title, _ in told[8:]] == [
        "Revision 2, with a suggested wording taken",
        "Revision 3, with earlier words restored",
    ]
    assert Entry.objects.filter(story=revision.story).count() == len(told)
    assert list(record.story_faults(revision.story)) == []


# The panel


def test_the_panel_has_them_in_the_order_of_the_words(newsroom):
    revision = newsroom.draft()
    last = commented(newsroom, revision, anchor=anchor(revision, "open day and night"))
    whole = commented(newsroom, revision, anchor=None)
    gone = commented(newsroom, revision, anchor=anchor(revision, "saves walkers", "summary"))
    first = suggestion(
        newsroom, revision, anchor=anchor(revision, "footbridge", "headline"), replacement="bridge"
    )
    quote = suggestion(newsroom, revision, anchor=anchor(revision, "Nobody"), replacement="Not one")
    answer = commented(newsroom, revision, answers=last, anchor=None)
    remarks.resolve(comment=commented(newsroom, revision), by=newsroom.drafter)
    latest = newsroom.edit(revision.story, summary="Two miles less.")
    panel = remarks.panel(revision.story, latest, newsroom.drafter)
    assert [remark.fact for remark in panel.remarks] == [first, quote, last, whole, gone]
    assert [remark.number for remark in panel.remarks] == [1, 2, 3, 4, 5]
    assert [remark.where for remark in panel.remarks] == ["headline", "quote 1", "paragraph 2", "", ""]
    assert [remark.gone for remark in panel.remarks] == [False] * 4 + [True]
    assert panel.remarks[2].answers == [answer]
    assert (panel.open_count, panel.settled_count, panel.more, panel.may_draft) == (5, 1, 0, True)
    assert not remarks.panel(revision.story, latest, newsroom.lawyer).may_draft


def test_an_anchor_that_is_none_is_shown_as_gone(newsroom):
    revision = newsroom.draft()
    made = {"revision_id": revision.pk, "story_id": revision.story_id, "by_id": newsroom.lawyer.pk}
    insert("stories_suggestion", at="2001-01-01", anchor={"x": 1}, replacement="x", remark="", **made)
    panel = remarks.panel(revision.story, revision, newsroom.drafter)
    assert [(remark.gone, remark.words) for remark in panel.remarks] == [(True, "")]
    with pytest.raises(remarks.Gone):
        take(newsroom, panel.remarks[0].fact)


def test_fifty_are_in_the_panel_and_all_on_pages(newsroom, django_assert_num_queries):
    revision = newsroom.draft()
    story = revision.story
    made = [commented(newsroom, revision)]
    made.append(suggestion(newsroom, revision))
    commented(newsroom, revision, answers=made[0], anchor=None)
    for user in (newsroom.drafter, newsroom.lawyer):
        remarks.panel(story, revision, user)
    with django_assert_num_queries(5):
        assert len(remarks.panel(story, revision, newsroom.drafter).remarks) == 2
    for number in range(55):
        made.append(commented(newsroom, revision, text=f"Comment {number}"))
        commented(newsroom, revision, answers=made[-1], anchor=None)
    with django_assert_num_queries(5):
        panel = remarks.panel(story, revision, newsroom.drafter)
        assert {remark.fact.by.username for remark in panel.remarks} == {"adaeze"}
    assert {remark.fact for remark in panel.remarks} == set(made[:50])
    assert (panel.open_count, panel.more) == (57, 7)
    with django_assert_num_queries(4):
        page = remarks.page(story, revision, "1")
        assert [remark.fact for remark in page] == made[:6:-1]
    assert [remark.fact for remark in remarks.page(story, revision, "2")] == made[6::-1]
