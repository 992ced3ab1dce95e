"""The pages on which people comment on a story's words and suggest others."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from stories import anchors, remarks
from stories.models import Comment, Revision, Story, Suggestion, Team
from tests.people import Newsroom

pytestmark = pytest.mark.django_db

TODAY = "opened at Harrow Weir today"


def to(page: str, story: Story, **more: Any) -> str:
    return reverse(page, kwargs={"uid": story.uid, **more})


def fields(revision: Revision, **changes: Any) -> dict[str, Any]:
    """What a form of the panel sends, where the words were pasted."""
    given = {"revision": revision.pk, "part": "body", "words": TODAY, "back": "story_clearing"}
    return {**given, **changes}


def suggested(newsroom: Newsroom, revision: Revision, words: str = TODAY, **changes: Any) -> Suggestion:
    anchor = anchors.Reading(revision.content).locate("body", words)
    given = {"by": newsroom.lawyer, "replacement": "opened on Monday", **changes}
    return remarks.suggest(revision=revision, anchor=anchor, **given)


def commented(newsroom: Newsroom, revision: Revision, **changes: Any) -> Comment:
    given = {"by": newsroom.lawyer, "anchor": None, "text": "Really today?", **changes}
    return remarks.comment(story=revision.story, revision=revision, **given)


def told(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_words_are_commented_on_answered_and_resolved(newsroom, as_):
    revision = newsroom.draft()
    lawyer, drafter = as_(newsroom.lawyer), as_(newsroom.drafter)
    add = to("story_comments", revision.story)
    sent = lawyer.post(add, fields(revision, text="Really <today>?"), follow=True)
    assert sent.redirect_chain == [(to("story_clearing", revision.story), 302)]
    assert told(sent) == ["Your comment is there."]
    made = Comment.objects.get()
    assert (made.by, made.anchor["exact"], made.text) == (newsroom.lawyer, TODAY, "Really <today>?")
    page = drafter.get(to("story_draft", revision.story)).content.decode()
    assert "Really &lt;today&gt;?" in page
    assert TODAY in page
    answer = {"revision": revision.pk, "answers": made.pk, "text": "Yes.", "back": "story_draft"}
    sent = drafter.post(add, answer, follow=True)
    assert sent.redirect_chain == [(to("story_draft", revision.story), 302)]
    assert made.replies.get().text == "Yes."
    sent = lawyer.post(to("comment_resolve", revision.story, pk=made.pk), {}, follow=True)
    assert told(sent) == ["Resolved. It stays on the record."]
    assert "Really" not in sent.content.decode()
    everything = lawyer.get(add).content.decode()
    assert "Really &lt;today&gt;?" in everything
    assert "Resolved by Adaeze Nwosu" in everything
    sent = lawyer.post(to("comment_resolve", revision.story, pk=made.pk), {}, follow=True)
    assert told(sent) == ["Adaeze Nwosu has resolved this comment already. To say more, make a new comment."]


def test_a_comment_without_words_is_about_the_whole_story(newsroom, as_):
    revision = newsroom.draft()
    as_(newsroom.nobody)
    as_(newsroom.lawyer).post(to("story_comments", revision.story), fields(revision, words="", text="Good."))
    assert Comment.objects.get().anchor is None


def test_a_wording_is_suggested_and_taken_in_one_click(newsroom, as_):
    revision = newsroom.draft()
    lawyer, drafter = as_(newsroom.lawyer), as_(newsroom.drafter)
    sent = lawyer.post(
        to("story_suggest", revision.story),
        fields(revision, replacement="opened <on> Monday", remark="The 12th."),
        follow=True,
    )
    assert told(sent) == ["Suggested. A drafter takes it or declines it."]
    made = Suggestion.objects.get()
    take = to("suggestion_take", revision.story, pk=made.pk)
    assert take not in sent.content.decode()
    page = drafter.get(to("story_clearing", revision.story)).content.decode()
    assert f'action="{take}"' in page
    assert "opened &lt;on&gt; Monday" in page
    sent = drafter.post(take, {"based_on": revision.pk, "back": "story_draft"}, follow=True)
    assert sent.redirect_chain == [(to("story_draft", revision.story), 302)]
    assert told(sent) == ["Taken: revision 2 has the wording of Adaeze Nwosu."]
    html = revision.story.latest.content["body"][0]["html"]
    assert html == "<p>A footbridge opened &lt;on&gt; Monday.</p>"
    everything = drafter.get(to("story_comments", revision.story)).content.decode()
    assert "Taken by Marta Feld in" in everything


def test_a_wording_is_declined_with_or_without_a_reason(newsroom, as_):
    revision = newsroom.draft()
    one, other = suggested(newsroom, revision), suggested(newsroom, revision, replacement="x")
    drafter = as_(newsroom.drafter)
    for made, reason in ((one, ""), (other, "It was today.")):
        sent = drafter.post(
            to("suggestion_decline", revision.story, pk=made.pk), {"reason": reason}, follow=True
        )
        assert told(sent) == ["Declined. The words stay as they are."]
        assert made.decline.reason == reason
    assert "It was today." in drafter.get(to("story_comments", revision.story)).content.decode()


def test_who_does_not_draft_cannot_take_decline_or_restore(newsroom, as_):
    revision = newsroom.draft()
    made = suggested(newsroom, revision)
    newsroom.edit(revision.story, headline="Another")
    lawyer = as_(newsroom.lawyer)
    for page, more in (
        ("suggestion_take", {"pk": made.pk}),
        ("suggestion_decline", {"pk": made.pk}),
        ("revision_restore", {"number": 1}),
    ):
        assert lawyer.post(to(page, revision.story, **more), {}).status_code == 403
    assert (
        "Restore these words"
        not in lawyer.get(to("story_revision", revision.story, number=1)).content.decode()
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"words": "closed at Harrow Weir"}, "The body of revision 1 has no such words"),
        ({"words": "is"}, "has no such words"),
        ({"words": "e"}, "has these words more than once"),
        ({"part": "summary"}, "The summary of revision 1 has no such words"),
        ({"part": "slug"}, "not one of the available choices"),
        ({"words": ""}, "Say which words"),
        ({"replacement": TODAY}, "revision 1 has this very wording already"),
        ({"revision": ""}, "required"),
        ({"revision": "9" * 30}, "less than or equal"),
        ({"revision": "0"}, "greater than or equal"),
        ({"block": "x"}, "whole number"),
    ],
)
def test_what_is_refused_comes_back_with_all_that_was_typed(newsroom, as_, changes, words):
    revision = newsroom.draft(body=[{"kind": "paragraph", "html": f"<p>A bridge {TODAY}.</p>"}])
    typed = {"replacement": "opened on Monday & more", "remark": "The 12th, I think.", **changes}
    sent = as_(newsroom.lawyer).post(to("story_suggest", revision.story), {**fields(revision), **typed})
    page = sent.content.decode()
    assert sent.status_code == 422
    assert words in page
    assert "The 12th, I think." in page
    if "replacement" not in changes:
        assert "opened on Monday &amp; more" in page
    assert not Suggestion.objects.exists()


def test_an_answer_to_what_was_resolved_comes_back_as_a_comment(newsroom, as_):
    revision = newsroom.draft()
    made = commented(newsroom, revision)
    remarks.resolve(comment=made, by=newsroom.lawyer)
    drafter = as_(newsroom.drafter)
    add = to("story_comments", revision.story)
    answer = {"revision": revision.pk, "answers": made.pk, "text": "Yes, at noon.", "back": "story_draft"}
    sent = drafter.post(add, answer)
    page = sent.content.decode()
    assert sent.status_code == 409
    assert "Adaeze Nwosu has resolved this comment already" in page
    assert "Yes, at noon." in page
    assert 'name="answers"' not in page
    assert drafter.post(add, {**answer, "answers": ""}).status_code == 302


def test_a_reason_for_declining_what_was_taken_is_not_lost(newsroom, as_):
    revision = newsroom.draft()
    made = suggested(newsroom, revision)
    remarks.take(suggestion=made, by=newsroom.other_drafter, based_on=revision.pk)
    decline = to("suggestion_decline", revision.story, pk=made.pk)
    sent = as_(newsroom.drafter).post(decline, {"reason": "It was today."})
    assert sent.status_code == 409
    assert "Tom Ashdown has taken this wording already, in revision 2" in sent.content.decode()
    assert "It was today." in sent.content.decode()
    sent = as_(newsroom.drafter).post(decline, {}, follow=True)
    assert told(sent) == ["Tom Ashdown has taken this wording already, in revision 2."]
    sent = as_(newsroom.drafter).post(decline, {"reason": "x" * 6000})
    assert sent.status_code == 422
    assert "x" * 6000 in sent.content.decode()


@pytest.mark.parametrize("based_on", [None, "", "x", "-1", "9" * 40])
def test_taking_without_the_revision_that_was_seen_is_refused(newsroom, as_, based_on):
    revision = newsroom.draft()
    made = suggested(newsroom, revision)
    sent = as_(newsroom.drafter).post(
        to("suggestion_take", revision.story, pk=made.pk),
        {} if based_on is None else {"based_on": based_on},
        follow=True,
    )
    assert "Nothing was changed: Marta Feld saved revision 1 meanwhile" in told(sent)[0]
    assert revision.story.revisions.count() == 1


def test_a_wording_whose_words_are_gone_says_so_and_is_not_taken(newsroom, as_):
    revision = newsroom.draft()
    made = suggested(newsroom, revision)
    latest = newsroom.edit(revision.story, body=revision.content["body"][1:])
    drafter = as_(newsroom.drafter)
    page = drafter.get(to("story_draft", revision.story)).content.decode()
    take = to("suggestion_take", revision.story, pk=made.pk)
    assert "the words it was about are gone" in page
    assert take not in page
    sent = drafter.post(take, {"based_on": latest.pk}, follow=True)
    assert "revision 2 does not have the words any more" in told(sent)[0]


def test_an_earlier_revision_is_restored(newsroom, as_):
    revision = newsroom.draft()
    second = newsroom.edit(revision.story, headline="Another")
    drafter = as_(newsroom.drafter)
    old = to("story_revision", revision.story, number=1)
    restore = to("revision_restore", revision.story, number=1)
    page = drafter.get(old).content.decode()
    assert f'action="{restore}"' in page
    assert f'name="based_on" value="{second.pk}"' in page
    assert restore not in drafter.get(to("story_revision", revision.story, number=2)).content.decode()
    sent = drafter.post(restore, {"based_on": second.pk}, follow=True)
    assert told(sent) == ["The words of revision 1 are revision 3 now."]
    assert revision.story.latest.restores == revision
    assert "the very same words" in drafter.get(old).content.decode()
    sent = drafter.post(restore, {"based_on": second.pk}, follow=True)
    assert sent.redirect_chain == [(old, 302)]
    assert "Nothing has changed since revision 3" in told(sent)[0]
    newsroom.edit(revision.story, headline="A third")
    sent = drafter.post(restore, {"based_on": second.pk}, follow=True)
    assert "Marta Feld saved revision 4 meanwhile" in told(sent)[0]


def test_nothing_is_reached_through_another_story_or_by_who_may_not_know(newsroom, as_):
    team = Team.objects.create(name="Coasts")
    revision, other = newsroom.draft(team=team), newsroom.draft(slug="other")
    hidden, wording = commented(newsroom, revision), suggested(newsroom, revision)
    lawyer, drafter = as_(newsroom.lawyer), as_(newsroom.other_drafter)
    addresses = [
        to("story_comments", revision.story),
        to("story_suggest", revision.story),
        to("comment_resolve", revision.story, pk=hidden.pk),
        to("suggestion_take", revision.story, pk=wording.pk),
        to("suggestion_decline", revision.story, pk=wording.pk),
        to("revision_restore", revision.story, number=1),
        to("comment_resolve", other.story, pk=hidden.pk),
        to("suggestion_take", other.story, pk=wording.pk),
        to("suggestion_decline", other.story, pk=wording.pk),
        to("revision_restore", other.story, number=9),
    ]
    for address in addresses:
        assert drafter.post(address, fields(revision, text="x", replacement="x")).status_code == 404
    assert lawyer.get(addresses[0]).status_code == 404
    sent = lawyer.post(to("story_comments", other.story), fields(revision, text="Mine & kept"))
    assert sent.status_code == 422
    assert "that revision is not one of this story" in sent.content.decode()
    sent = lawyer.post(to("story_comments", other.story), fields(other, text="x", answers=hidden.pk))
    assert sent.status_code == 404


def test_the_way_back_is_one_of_our_own_pages(newsroom, as_):
    revision = newsroom.draft()
    sent = as_(newsroom.lawyer).post(
        to("story_comments", revision.story), fields(revision, text="x", back="https://evil.example/")
    )
    assert sent["Location"] == to("story_clearing", revision.story)


def test_only_what_is_sent_changes_anything(newsroom, as_):
    revision = newsroom.draft()
    made, wording = commented(newsroom, revision), suggested(newsroom, revision)
    for page, more in (
        ("story_suggest", {}),
        ("comment_resolve", {"pk": made.pk}),
        ("suggestion_take", {"pk": wording.pk}),
        ("suggestion_decline", {"pk": wording.pk}),
        ("revision_restore", {"number": 1}),
    ):
        assert as_(newsroom.drafter).get(to(page, revision.story, **more)).status_code == 405


@pytest.mark.parametrize("page", ["story_clearing", "story_draft", "story_comments"])
def test_a_page_takes_as_many_queries_for_many_as_for_one(
    newsroom, as_, page, django_assert_num_queries, django_assert_max_num_queries
):
    revision = newsroom.draft()
    commented(newsroom, revision, answers=commented(newsroom, revision))
    suggested(newsroom, revision)
    drafter: Client = as_(newsroom.drafter)
    path = to(page, revision.story)
    drafter.get(path)
    with django_assert_max_num_queries(60) as captured:
        drafter.get(path)
    for number in range(4):
        commented(newsroom, revision, answers=commented(newsroom, revision, text=f"More {number}"))
        suggested(newsroom, revision, replacement=f"opened {number}", by=newsroom.second_lawyer)
    with django_assert_num_queries(len(captured)):
        drafter.get(path)


def test_what_does_not_fit_the_panel_is_a_link_away(newsroom, as_):
    revision = newsroom.draft()
    for number in range(52):
        commented(newsroom, revision, text=f"Comment {number}.")
    drafter = as_(newsroom.drafter)
    page = drafter.get(to("story_clearing", revision.story)).content.decode()
    assert "Comment 49." in page
    assert "Comment 50." not in page
    assert f'<a href="{to("story_comments", revision.story)}">2 more are open</a>' in page
    first = drafter.get(to("story_comments", revision.story)).content.decode()
    assert "Comment 51." in first
    assert "Comment 1." not in first
    assert "Comment 1." in drafter.get(to("story_comments", revision.story) + "?page=2").content.decode()
