"""The clearance pages, as somebody meets them in a browser."""

import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from approvals import rules
from approvals.models import Decision, Desk, Route, Step, Submission
from stories import pictures, renditions
from stories.models import Revision, Team
from tests.approvals.doing import ask, covered
from tests.newsroom.test_public import pictured
from tests.people import WORDS, Newsroom
from tests.stories.test_pictures import made

pytestmark = pytest.mark.django_db


def words_of(response: Any) -> str:
    """The text of a page as somebody reads it, on one line."""
    main = response.content.decode().partition("<main")[2].partition("</main>")[0]
    main = re.sub(r"</(?:p|li|div|dd|dt|h[1-6]|section)>|<br>", " ", main)
    return " ".join(unescape(re.sub(r"<[^>]*>", "", main)).split())


def look(browser: Client, revision: Revision, **query: Any) -> Any:
    """The clearing page of a story."""
    return browser.get(reverse("story_clearing", args=[revision.story.uid]), query)


def decide(
    newsroom: Newsroom, browser: Client, seen: Revision, desk: Desk, verdict: str = "cleared", **changes: Any
) -> Any:
    """What the server answers to a decision on the revision that was on the screen."""
    step = newsroom.step(seen.story, desk)
    sent = {"revision": seen.pk, "covered": covered(seen, desk), "verdict": verdict, "reason": ""}
    return browser.post(reverse("story_decide", args=[seen.story.uid, step.pk]), {**sent, **changes})


def hidden(response: Any, name: str) -> str:
    """The value of a hidden field of the page."""
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)"', response.content.decode())
    assert found
    return found.group(1)


# Requesting


def test_a_drafter_is_told_the_route_and_requests_clearance(newsroom, as_):
    revision, browser = newsroom.draft(), as_(newsroom.drafter)
    page = look(browser, revision)
    assert "Revision 1 goes to Legal (everything) and Private Office (all quotes)" in words_of(page)
    assert "Legal · everything Adaeze Nwosu or Hugh Penrose" in words_of(page)
    assert page.content.count(b"btn-primary") == 1
    sent = {"revision": hidden(page, "revision")}
    answer = browser.post(reverse("story_submit", args=[revision.story.uid]), sent, follow=True)
    assert "Clearance of revision 1 was requested from Legal, Private Office." in words_of(answer)
    assert "Request clearance" not in words_of(answer)
    assert Submission.objects.get().by == newsroom.drafter


def test_a_drafter_is_told_where_nobody_can_clear_it_and_where_nobody_has_to(newsroom, as_):
    newsroom.legal.members.set([newsroom.drafter])
    text = words_of(look(as_(newsroom.drafter), newsroom.draft(body=[WORDS["body"][0]])))
    assert "Legal · everything Nobody on the desk can clear it" in text
    assert "Private Office · all quotes Not needed" in text


def test_a_draft_that_lacks_something_is_not_requested(newsroom, as_):
    quote = {**WORDS["body"][1], "speaker": ""}
    revision, browser = newsroom.draft(summary="", body=[quote]), as_(newsroom.drafter)
    assert "Still missing: the story has no summary" in words_of(look(browser, revision))
    answer = browser.post(reverse("story_submit", args=[revision.story.uid]), {"revision": revision.pk})
    assert answer.status_code == 422
    assert "Not requested: something is missing in the draft" in words_of(answer)
    assert f'href="/desk/stories/{revision.story.uid}/#div_id_summary"'.encode() in answer.content
    assert "Quote 1 has no speaker" in words_of(answer)
    assert not Submission.objects.exists()


def test_an_old_revision_is_not_requested(newsroom, as_):
    first, browser = newsroom.draft(), as_(newsroom.drafter)
    newsroom.edit(first.story, by=newsroom.other_drafter, headline="Another headline")
    answer = browser.post(reverse("story_submit", args=[first.story.uid]), {"revision": first.pk})
    assert answer.status_code == 409
    text = words_of(answer)
    assert "Clearance was not requested: the words changed while you were reading. Tom Ashdown saved" in text
    assert "Changed while you were reading" in text
    assert not Submission.objects.exists()


def test_clearance_that_is_under_way_is_not_requested_again(newsroom, as_):
    revision = newsroom.submitted()
    answer = as_(newsroom.drafter).post(
        reverse("story_submit", args=[revision.story.uid]), {"revision": revision.pk}
    )
    assert answer.status_code == 409
    assert "Clearance was requested already, by the route “Standard”." in words_of(answer)


def test_without_a_route_that_is_said(newsroom, as_):
    revision, browser = newsroom.draft(), as_(newsroom.drafter)
    Step.objects.filter(desk=newsroom.legal).delete()
    assert "No route is set up" in words_of(look(browser, revision))
    answer = browser.post(reverse("story_submit", args=[revision.story.uid]), {"revision": revision.pk})
    assert answer.status_code == 409
    assert "Clearance cannot be requested: no route is set up" in words_of(answer)


@pytest.mark.parametrize("sent", [{}, {"revision": "x"}, {"revision": "-1"}, {"revision": "9" * 30}])
def test_what_is_no_revision_of_the_story_is_not_requested(newsroom, as_, sent):
    revision = newsroom.draft()
    answer = as_(newsroom.drafter).post(reverse("story_submit", args=[revision.story.uid]), sent)
    assert answer.status_code == 404
    assert not Submission.objects.exists()


def test_only_drafters_request(newsroom, as_):
    revision = newsroom.draft()
    for user in (newsroom.lawyer, newsroom.administrator, newsroom.nobody):
        answer = as_(user).post(reverse("story_submit", args=[revision.story.uid]), {"revision": revision.pk})
        assert answer.status_code == 403
    assert "Clearance has not been requested" in words_of(look(as_(newsroom.lawyer), revision))
    assert not Submission.objects.exists()


# Looking


def test_a_clearer_sees_the_words_their_part_and_one_filled_button(newsroom, as_):
    revision = newsroom.submitted()
    page = look(as_(newsroom.secretary), revision)
    text = words_of(page)
    for said in (
        "What the public will see",
        "You cover this: quote 1 of Mara Ellingham",
        "Nobody will have to wade here again.",
        "You decide on the one quote, revision 1",
        "You wrote nothing here: you may clear",
        "None yet: all of it is new to you",
        "0 of 2 stand",
    ):
        assert said in text
    digest = covered(revision, newsroom.private_office)
    assert f"{digest[:4]} {digest[4:8]}" in text
    assert (hidden(page, "revision"), hidden(page, "covered")) == (str(revision.pk), digest)
    assert page.content.count(b"btn-primary") == 1
    assert "Changed since" not in text


def test_what_changed_since_ones_own_decision_comes_first(newsroom, as_):
    first = newsroom.cleared()
    body = [WORDS["body"][0], {**WORDS["body"][1], "html": "<p>Nobody will ever wade here again.</p>"}]
    newsroom.edit(first.story, body=body, headline="Another headline")
    page = look(as_(newsroom.secretary), first)
    text = words_of(page)
    assert text.index("Changed since you cleared it") < text.index("What the public will see")
    assert "1 word put in, 2 taken out, in quote 1, by Marta Feld." in text
    assert '<ins><span class="visually-hidden">put in: </span>ever</ins>' in page.content.decode()
    assert "put in: Another" not in text, "the headline is not hers to look at"
    assert "Cleared, " in text


def test_what_changed_since_a_colleague_decided_is_all_new(newsroom, as_):
    first = newsroom.cleared()
    newsroom.edit(first.story, summary="Another summary.")
    assert "Changed since" not in words_of(look(as_(newsroom.second_lawyer), first))


def test_the_reason_of_changes_that_were_asked_is_read_by_everybody(newsroom, as_):
    revision = newsroom.submitted()
    ask(newsroom, revision, newsroom.legal, newsroom.lawyer, "Who paid?\nAnd <b>when</b>?")
    for user in (newsroom.drafter, newsroom.secretary, newsroom.lawyer):
        text = words_of(look(as_(user), revision))
        assert "Legal asked for changes" in text
        assert "Who paid? And <b>when</b>?" in text
    newsroom.edit(revision.story, summary="The Trust paid.")
    assert "Changed since you asked for changes" in words_of(look(as_(newsroom.lawyer), revision))


def test_those_who_wrote_it_read_why_they_cannot_clear_it_and_who_can(newsroom, as_):
    newsroom.legal.members.add(newsroom.drafter)
    page = look(as_(newsroom.drafter), newsroom.submitted())
    text = words_of(page)
    assert "Four eyes: you wrote words in it, so you cannot clear it." in text
    assert "Adaeze Nwosu or Hugh Penrose can decide for Legal." in text
    assert b"Clear these words" not in page.content


def test_those_on_no_desk_read_it_and_are_told_who_decides(newsroom, as_):
    revision = newsroom.submitted()
    for user in (newsroom.drafter, newsroom.officer, newsroom.administrator):
        page = look(as_(user), revision)
        text = words_of(page)
        assert "You are on none of the desks that are asked" in text
        assert (
            "Adaeze Nwosu or Hugh Penrose can decide for Legal. Sunita Rao can decide for Private Office."
            in text
        )
        assert b"Clear these words" not in page.content


def test_where_nobody_is_left_to_decide_that_is_said(newsroom, as_):
    newsroom.private_office.members.clear()
    text = words_of(look(as_(newsroom.drafter), newsroom.submitted()))
    assert (
        "Nobody on the desk “Private Office” can clear it: whoever manages routes can add somebody." in text
    )


def test_without_quotes_there_is_nothing_for_the_private_office(newsroom, as_):
    page = look(as_(newsroom.secretary), newsroom.submitted(body=[WORDS["body"][0]]))
    assert "There is nothing to clear: this revision has no words that Private Office covers." in words_of(
        page
    )
    assert b"Clear these words" not in page.content


def test_a_sign_off_that_stands_is_not_asked_for_again(newsroom, as_):
    revision = newsroom.cleared()
    page = look(as_(newsroom.lawyer), revision)
    assert "You cleared these words at " in words_of(page)
    assert "The sign-off stands for revision 1." in words_of(page)
    assert b"Clear these words" not in page.content
    assert (
        decide(
            newsroom, as_(newsroom.lawyer), revision, newsroom.legal, "changes", reason="Wait."
        ).status_code
        == 302
    )
    assert rules.progress(revision).words == "changes asked"


def test_somebody_on_two_desks_decides_for_each_by_itself(newsroom, as_):
    newsroom.private_office.members.add(newsroom.lawyer)
    revision, browser = newsroom.submitted(), as_(newsroom.lawyer)
    steps = [newsroom.step(revision.story, desk) for desk in (newsroom.legal, newsroom.private_office)]
    assert "You decide on everything, revision 1" in words_of(look(browser, revision))
    assert "You decide on the one quote" in words_of(look(browser, revision, step=steps[1].pk))
    decide(newsroom, browser, revision, newsroom.private_office)
    assert [step.state for step in rules.progress(revision).steps] == ["waiting", "cleared"]
    assert "You decide on everything, revision 1" in words_of(look(browser, revision))
    decide(newsroom, browser, revision, newsroom.legal)
    assert rules.progress(revision).cleared


@pytest.mark.parametrize("step", ["0", "x", "-1", "9" * 40, "²"])
def test_an_odd_step_shows_ones_own(newsroom, as_, step):
    assert look(as_(newsroom.lawyer), newsroom.submitted(), step=step).status_code == 200


def test_another_desk_is_shown_and_not_offered(newsroom, as_):
    revision = newsroom.submitted()
    step = newsroom.step(revision.story, newsroom.private_office)
    page = look(as_(newsroom.lawyer), revision, step=step.pk)
    assert "The part of Private Office" in words_of(page)
    assert "You cover this" not in words_of(page)
    assert b"Clear these words" not in page.content


def test_where_links_lead_is_read_beside_the_words(newsroom, as_):
    linked = '<p>See the <a href="https://maps.example/?a=1&amp;b=2">map</a>.</p>'
    revision = newsroom.submitted(body=[{"kind": "paragraph", "html": linked}, WORDS["body"][1]])
    assert "Links lead to https://maps.example/?a=1&b=2" in words_of(look(as_(newsroom.lawyer), revision))
    assert "Links lead to" not in words_of(look(as_(newsroom.secretary), revision))


def test_nothing_in_a_story_becomes_code(newsroom, as_):
    nasty = '<script>alert(1)</script>"><img src=x>'
    block = {"kind": "paragraph", "html": f"<p>{nasty}</p>"}
    first = newsroom.submitted(headline=nasty, summary=nasty, contacts=nasty, body=[block])
    newsroom.sign(first, newsroom.legal, newsroom.lawyer)
    newsroom.edit(first.story, headline=f"{nasty} again", body=[{**block, "html": f"<p>{nasty} again</p>"}])
    page = look(as_(newsroom.lawyer), first).content
    assert b"<script>alert" not in page
    assert b"<img src=x" not in page


# Deciding


def test_a_sign_off_says_what_was_signed(newsroom, as_):
    revision = newsroom.submitted()
    browser = as_(newsroom.secretary)
    answer = decide(newsroom, browser, revision, newsroom.private_office)
    assert (answer.status_code, answer["Location"]) == (
        302,
        reverse("story_clearing", args=[revision.story.uid]),
    )
    digest = covered(revision, newsroom.private_office)
    said = f"Signed: Private Office cleared all quotes of revision 1 ({digest[:4]} {digest[4:8]})."
    assert said in words_of(look(browser, revision))
    assert Decision.objects.get().covered == digest


def test_a_double_click_signs_once(newsroom, as_):
    revision, browser = newsroom.submitted(), as_(newsroom.lawyer)
    for _ in range(2):
        assert decide(newsroom, browser, revision, newsroom.legal).status_code == 302
    assert Decision.objects.count() == 1


def test_changes_are_asked_with_a_reason(newsroom, as_):
    revision, browser = newsroom.submitted(), as_(newsroom.lawyer)
    answer = decide(newsroom, browser, revision, newsroom.legal, "changes", reason="Who paid?")
    assert answer.status_code == 302
    assert "Sent: Legal asked for changes to everything of revision 1" in words_of(look(browser, revision))
    assert Decision.objects.get().reason == "Who paid?"


def test_a_missing_reason_is_named_at_its_field(newsroom, as_):
    revision = newsroom.submitted()
    answer = decide(newsroom, as_(newsroom.lawyer), revision, newsroom.legal, "changes", reason="  ")
    page = answer.content.decode()
    assert answer.status_code == 422
    said = "Nothing was sent: say what has to change, so that the drafter can act on it."
    assert f'<a href="#id_reason">{said}</a>' in page
    assert 'aria-invalid="true"' in page
    assert 'aria-describedby="id_reason_error"' in page
    assert re.search(rf'id="id_reason_error">.*{said}', page)
    assert '<details class="ask" name="decide" data-ask open>' in page
    assert not Decision.objects.exists()


def test_a_reason_that_was_typed_is_not_thrown_away_by_clearing(newsroom, as_):
    revision = newsroom.submitted()
    answer = decide(newsroom, as_(newsroom.lawyer), revision, newsroom.legal, reason="Who paid?")
    assert answer.status_code == 422
    assert "you wrote what has to change, and pressed “Clear these words”" in words_of(answer)
    assert ">\nWho paid?</textarea>" in answer.content.decode()
    assert not Decision.objects.exists()


def test_a_stale_page_signs_nothing_and_shows_the_new_difference(newsroom, as_):
    seen = newsroom.submitted()
    newsroom.edit(seen.story, summary="The bridge saves walkers three miles.")
    browser = as_(newsroom.lawyer)
    answer = decide(newsroom, browser, seen, newsroom.legal, "changes", reason="Who paid for it?")
    text, page = words_of(answer), answer.content.decode()
    assert answer.status_code == 409
    assert "Nothing was signed: the words changed while you were reading. Marta Feld saved revision 2" in text
    assert "Changed while you were reading" in text
    assert '<del><span class="visually-hidden">taken out: </span>two</del>' in page
    assert '<ins><span class="visually-hidden">put in: </span>three</ins>' in page
    assert ">\nWho paid for it?</textarea>" in page
    assert not Decision.objects.exists()
    newest = seen.story.latest
    assert (hidden(answer, "revision"), hidden(answer, "covered")) == (str(newest.pk), newest.digest)
    assert decide(newsroom, browser, newest, newsroom.legal).status_code == 302


def test_a_stale_page_whose_covered_words_are_the_same_shows_what_changed_round_them(newsroom, as_):
    seen = newsroom.submitted()
    newsroom.edit(seen.story, summary="The bridge saves walkers three miles.")
    answer = decide(newsroom, as_(newsroom.secretary), seen, newsroom.private_office)
    assert answer.status_code == 409
    assert "Nothing that you cover changed. Elsewhere 1 word put in, 1 taken out, by Marta Feld:" in words_of(
        answer
    )
    assert not Decision.objects.exists()


def refused(answer: Any, status: int, said: str) -> None:
    """The answer has that status and says so on the page, and nothing was signed."""
    assert answer.status_code == status
    assert said in words_of(answer)
    assert not Decision.objects.exists()


def test_ones_own_words_are_not_cleared(newsroom, as_):
    newsroom.legal.members.add(newsroom.drafter)
    answer = decide(newsroom, as_(newsroom.drafter), newsroom.submitted(), newsroom.legal)
    refused(answer, 403, "Nothing was signed: you wrote words in this story.")


def test_ones_own_words_are_not_cleared_through_a_second_desk(newsroom, as_):
    newsroom.legal.members.add(newsroom.drafter)
    newsroom.private_office.members.add(newsroom.drafter)
    answer = decide(newsroom, as_(newsroom.drafter), newsroom.submitted(), newsroom.private_office)
    refused(answer, 403, "Nothing was signed: you wrote words in this story.")


def test_a_superuser_does_not_clear_their_own_words(newsroom, as_):
    newsroom.legal.members.add(newsroom.administrator)
    revision = newsroom.submitted()
    newest = newsroom.edit(revision.story, by=newsroom.administrator, headline="Another")
    refused(decide(newsroom, as_(newsroom.administrator), newest, newsroom.legal), 403, "you wrote words")


def test_a_desk_that_one_is_not_on_is_not_decided_for(newsroom, as_):
    answer = decide(newsroom, as_(newsroom.secretary), newsroom.submitted(), newsroom.legal)
    refused(answer, 403, "Nothing was signed: only somebody on the desk can decide for it.")


def test_drafters_duty_officers_and_administrators_decide_nothing(newsroom, as_):
    revision = newsroom.submitted()
    for user in (newsroom.other_drafter, newsroom.officer, newsroom.administrator, newsroom.nobody):
        assert decide(newsroom, as_(user), revision, newsroom.legal).status_code == 403
    assert not Decision.objects.exists()


def test_a_deactivated_clearer_is_signed_out(newsroom, as_):
    revision, browser = newsroom.submitted(), as_(newsroom.lawyer)
    newsroom.lawyer.is_active = False
    newsroom.lawyer.save()
    answer = decide(newsroom, browser, revision, newsroom.legal)
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))
    assert not Decision.objects.exists()


@pytest.mark.parametrize("sent", ["0" * 64, "f" * 64])
def test_another_digest_signs_nothing(newsroom, as_, sent):
    answer = decide(newsroom, as_(newsroom.lawyer), newsroom.submitted(), newsroom.legal, covered=sent)
    refused(answer, 409, "these are not the words of revision 1")


BROKEN = [
    {"covered": ""},
    {"covered": "x"},
    {"verdict": "maybe"},
    {"verdict": ""},
    {"revision": "x"},
    {"reason": "\0"},
]


@pytest.mark.parametrize("sent", [*BROKEN, {"reason": "x" * 10_001}], ids=str)
def test_what_no_page_sends_signs_nothing(newsroom, as_, sent):
    answer = decide(newsroom, as_(newsroom.lawyer), newsroom.submitted(), newsroom.legal, **sent)
    assert answer.status_code == 422
    assert not Decision.objects.exists()


def test_the_revision_and_the_step_are_of_this_story(newsroom, as_):
    revision = newsroom.submitted()
    other = newsroom.submitted(headline="Another", slug="another")
    browser = as_(newsroom.lawyer)
    assert decide(newsroom, browser, revision, newsroom.legal, revision=other.pk).status_code == 404
    step = newsroom.step(other.story, newsroom.legal)
    sent = {"revision": revision.pk, "covered": revision.digest, "verdict": "cleared"}
    path = reverse("story_decide", args=[revision.story.uid, step.pk])
    assert browser.post(path, sent).status_code == 404
    assert not Decision.objects.exists()


def test_a_desk_that_is_not_asked_any_more_signs_nothing(newsroom, as_):
    from approvals import clearing

    revision = newsroom.submitted()
    step = newsroom.step(revision.story, newsroom.legal)
    route = Route.objects.create(name="Another")
    Step.objects.create(route=route, desk=newsroom.private_office)
    clearing.request(revision=revision, by=newsroom.drafter, route=route)
    sent = {"revision": revision.pk, "covered": revision.digest, "verdict": "cleared"}
    answer = as_(newsroom.lawyer).post(reverse("story_decide", args=[revision.story.uid, step.pk]), sent)
    refused(answer, 409, "this desk is not asked to clear the story any more")


def test_no_request_edits_and_clears_at_once(newsroom, as_):
    """Words sent along with a decision are not saved; a verdict sent along with words decides nothing."""
    newsroom.legal.members.add(newsroom.other_drafter)
    revision, browser = newsroom.submitted(), as_(newsroom.other_drafter)
    more = {"headline": "Slipped in", "body": "<p>Slipped in.</p>", "base": revision.pk, "type": "statement"}
    assert decide(newsroom, browser, revision, newsroom.legal, **more).status_code == 302
    assert Revision.objects.count() == 1
    assert Decision.objects.get().covered == covered(revision, newsroom.legal)

    second = newsroom.submitted(slug="second")
    both = {**more, "base": second.pk, "verdict": "cleared", "covered": second.digest, "revision": second.pk}
    browser.post(reverse("story_save", args=[second.story.uid]), both)
    assert second.story.latest.headline == "Slipped in"
    assert not Decision.objects.filter(story=second.story).exists()
    newest = second.story.latest
    assert decide(newsroom, browser, newest, newsroom.legal).status_code == 403


def test_a_story_of_another_team_is_not_there(newsroom, as_):
    team = Team.objects.create(name="Coasts")
    revision = newsroom.draft(team=team, headline="Marmalade canary")
    uid = revision.story.uid
    browser = as_(newsroom.officer)
    sent = {"revision": revision.pk}
    pages = [browser.get(reverse("story_clearing", args=[uid]))]
    pages += [
        browser.post(reverse("story_submit", args=[uid]), sent),
        browser.get(reverse("story_submit", args=[uid])),
    ]
    for answer in pages:
        assert answer.status_code == 404
        assert b"Marmalade" not in answer.content
    assert as_(newsroom.lawyer).post(reverse("story_decide", args=[uid, 1])).status_code == 404


def test_an_address_that_takes_only_forms_leads_back_to_the_page(newsroom, as_):
    revision = newsroom.submitted()
    step = newsroom.step(revision.story, newsroom.legal)
    browser = as_(newsroom.lawyer)
    page = reverse("story_clearing", args=[revision.story.uid])
    assert browser.get(reverse("story_decide", args=[revision.story.uid, step.pk]))["Location"] == page
    drafter = as_(newsroom.drafter)
    assert drafter.get(reverse("story_submit", args=[revision.story.uid]))["Location"] == page


def test_a_form_from_elsewhere_signs_nothing(newsroom):
    revision = newsroom.submitted()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(newsroom.lawyer)
    assert decide(newsroom, browser, revision, newsroom.legal).status_code == 403
    assert not Decision.objects.exists()


def test_as_many_queries_for_three_steps_and_ten_revisions_as_for_one(newsroom, as_):
    browser = as_(newsroom.lawyer)

    def count(revision: Revision) -> int:
        with CaptureQueriesContext(connection) as caught:
            assert look(browser, revision).status_code == 200
        contents = sum('"stories_revision"."content"' in query["sql"] for query in caught.captured_queries)
        assert contents == 3, "the newest, what is out, and what it is held against"
        return len(caught)

    Step.objects.filter(desk=newsroom.private_office).delete()
    with_one = newsroom.submitted(slug="one")
    newsroom.sign(with_one, newsroom.legal, newsroom.lawyer)
    newsroom.edit(with_one.story, summary="Another.")
    count(with_one)
    for name in ("Statistics", "Pictures"):
        desk = Desk.objects.create(name=name)
        desk.members.add(newsroom.nobody)
        Step.objects.create(route=newsroom.route, desk=desk)
    with_three = newsroom.submitted(slug="three")
    newsroom.sign(with_three, newsroom.legal, newsroom.lawyer)
    for number in range(10):
        newsroom.edit(with_three.story, summary=f"Another {number}.")
    assert count(with_three) == count(with_one) <= 45


def test_what_is_cleared_is_shown_in_the_widths_that_the_public_gets(newsroom, as_):
    """For whoever clears it, from where they may fetch it."""
    asset = pictures.store(made(size=(600, 300)), newsroom.drafter)
    revision = newsroom.submitted(picture=pictured(asset))
    browser = as_(newsroom.lawyer)
    for path in ("story_clearing", "story_revision"):
        number = [1] if path == "story_revision" else []
        page = browser.get(reverse(path, args=[revision.story.uid, *number])).content.decode()
        assert f'<img src="/desk/media/{asset.name}" width="600"' in page
    renditions.draw(asset)
    for path in ("story_clearing", "story_revision"):
        number = [1] if path == "story_revision" else []
        page = browser.get(reverse(path, args=[revision.story.uid, *number])).content.decode()
        for rendition in asset.renditions.all():
            assert f"/desk/media/{rendition.name} {rendition.width}w" in page
            assert b"".join(browser.get(f"/desk/media/{rendition.name}"))
