"""What changed since this person's last look: what it is counted from, and how it is shown."""

import json
from typing import Any

import pytest
from django.urls import reverse

from approvals import clearing
from approvals.models import Decision, Seen
from stories.models import Team
from tests.approvals.doing import ask
from tests.approvals.test_binding import decide, deputy
from tests.approvals.test_views import look, words_of
from tests.people import WORDS

pytestmark = pytest.mark.django_db


def seen_by(user) -> list[int]:
    """The numbers of the revisions that somebody had on their screen."""
    return list(Seen.objects.filter(person=user).order_by("pk").values_list("revision__number", flat=True))


def test_a_page_that_is_shown_is_noted_once(newsroom, as_):
    revision, browser = newsroom.submitted(), as_(newsroom.lawyer)
    for _ in range(2):
        look(browser, revision)
    assert seen_by(newsroom.lawyer) == [1]
    newsroom.edit(revision.story, summary="Another.")
    look(browser, revision)
    assert seen_by(newsroom.lawyer) == [1, 2]


@pytest.mark.parametrize("header", ["Sec-Purpose", "Purpose"])
def test_a_page_that_nobody_asked_to_see_is_not_noted(newsroom, as_, header):
    revision = newsroom.submitted()
    path = reverse("story_clearing", args=[revision.story.uid])
    assert as_(newsroom.lawyer).get(path, headers={header: "prefetch;prerender"}).status_code == 200
    assert not Seen.objects.exists()


def test_whoever_covers_nothing_has_no_looks(newsroom, as_):
    revision = newsroom.submitted()
    for user in (newsroom.drafter, newsroom.officer, newsroom.nobody):
        look(as_(user), revision)
    other = newsroom.step(revision.story, newsroom.private_office)
    look(as_(newsroom.lawyer), revision, step=other.pk)
    assert not Seen.objects.exists()


def test_without_a_decision_it_counts_from_the_last_look(newsroom, as_):
    revision, browser = newsroom.submitted(), as_(newsroom.lawyer)
    assert "All of it is new to you. You cover everything: " in words_of(look(browser, revision))
    newsroom.edit(revision.story, summary="Second.")
    newsroom.edit(revision.story, summary="Third.")
    for _ in range(2):
        text = words_of(look(browser, revision))
        assert "Changed since you last looked" in text
        assert "revision 1, " in text
        assert "All of it is new" not in text


def test_what_is_signed_counts_from_the_decision_and_the_later_look_is_offered(newsroom, as_):
    revision, browser = newsroom.cleared(), as_(newsroom.lawyer)
    newsroom.edit(revision.story, summary="Second.")
    look(browser, revision)
    newsroom.edit(revision.story, headline="Third headline")
    page = look(browser, revision)
    assert "Changed since you cleared it" in words_of(page)
    assert "your sign-off (revision 1)you last looked (revision 2)" in words_of(page)
    assert "put in: Second" in words_of(page)
    later = words_of(look(browser, revision, since="look"))
    assert "Changed since you last looked" in later
    assert "put in: Third" in later
    assert "put in: Second" not in later


def test_words_that_were_decided_on_have_no_difference(newsroom, as_):
    first, browser = newsroom.submitted(), as_(newsroom.lawyer)
    look(browser, first)
    second = newsroom.edit(first.story, summary="Second.")
    newsroom.sign(second, newsroom.legal, newsroom.lawyer)
    assert "Changed since" not in words_of(look(browser, first))


def test_where_nothing_changed_that_one_covers_that_is_said(newsroom, as_):
    revision, browser = newsroom.cleared(), as_(newsroom.secretary)
    newsroom.edit(revision.story, summary="Second.")
    page = look(browser, revision)
    assert "Nothing that you cover has changed since you cleared it." in words_of(page)
    assert b"What changed around it" in page.content
    around = words_of(look(browser, revision, show="around"))
    assert "put in: Second" in around
    assert "In all of the story " in around


def test_a_sign_off_that_was_taken_back_was_read_all_the_same(newsroom, as_):
    revision, browser = newsroom.cleared(), as_(newsroom.lawyer)
    given = Decision.objects.get(by=newsroom.lawyer)
    clearing.take_back(decision=given, by=newsroom.lawyer)
    newsroom.edit(revision.story, summary="Second.")
    assert "Changed since your sign-off, which you took back" in words_of(look(browser, revision))


@pytest.mark.parametrize(
    ("show", "there", "absent"),
    [
        ("new", ["Nobody will ever wade here."], ["put in:", "taken out:"]),
        ("old", ["Nobody will have to wade here again."], ["put in:", "taken out:"]),
        ("difference", ["put in: ever", "taken out: have to"], []),
        ("nonsense", ["put in: ever"], []),
    ],
)
def test_the_words_are_shown_as_they_were_and_as_they_are(newsroom, as_, show, there, absent):
    revision = newsroom.cleared()
    body = [WORDS["body"][0], {**WORDS["body"][1], "html": "<p>Nobody will ever wade here.</p>"}]
    newsroom.edit(revision.story, body=body)
    page = look(as_(newsroom.secretary), revision, show=show).content.decode()
    panel = page.partition('id="change"')[2].partition("</section>")[0]
    text = words_of(type("Page", (), {"content": f"<main>{panel}</main>".encode()}))
    assert all(words in text for words in there)
    assert not any(words in text for words in absent)


def test_a_deputy_has_looks_of_their_own_and_reads_what_their_principal_decided(newsroom, as_):
    revision = newsroom.cleared()
    dora = deputy(newsroom, newsroom.secretary)
    text = words_of(look(as_(dora), revision))
    assert "You stand in for Sunita Rao: cleared, " in text
    assert "None yet: all of it is new to you" in text
    assert seen_by(dora) == [1]
    newsroom.edit(revision.story, body=[{**WORDS["body"][1], "html": "<p>Never again.</p>"}])
    assert "Changed since you last looked" in words_of(look(as_(dora), revision))


# What happens meanwhile


def news(browser, revision, known: str) -> Any:
    return browser.get(reverse("story_clearing", args=[revision.story.uid]), {"newest": known})


def known_to(page: Any) -> str:
    return page.content.decode().partition("?newest=")[2].partition('"')[0]


def test_a_page_is_told_of_new_words_and_of_others_decisions(newsroom, as_):
    revision, browser = newsroom.submitted(), as_(newsroom.lawyer)
    known = known_to(look(browser, revision))
    assert news(browser, revision, known).status_code == 204
    ask(newsroom, revision, newsroom.legal, newsroom.second_lawyer)
    told = json.loads(news(browser, revision, known).content)
    assert told["words"] == "Hugh Penrose asked for changes to everything for Legal."
    assert not told["moved"]
    newsroom.edit(revision.story, summary="Another.")
    told = json.loads(news(browser, revision, known).content)
    assert told["words"] == "Marta Feld saved revision 2 while you were reading."
    assert told["moved"]
    assert seen_by(newsroom.lawyer) == [1], "asking is not looking"


def test_ones_own_decision_is_no_news(newsroom, as_):
    revision, browser = newsroom.submitted(), as_(newsroom.lawyer)
    known = known_to(look(browser, revision))
    decide(clearing.clear, revision, newsroom.legal, newsroom.lawyer)
    assert news(browser, revision, known).status_code == 204


@pytest.mark.parametrize("known", ["", "x", "1", "-", "1-x", "²-1"])
def test_an_odd_question_has_no_answer(newsroom, as_, known):
    assert news(as_(newsroom.lawyer), newsroom.submitted(), known).status_code == 204


def test_a_limited_story_tells_nothing(newsroom, as_):
    revision = newsroom.draft(team=Team.objects.create(name="Coasts"))
    answer = news(as_(newsroom.officer), revision, "1-0")
    assert answer.status_code == 404
    assert b"Marta" not in answer.content
