"""The bar of decisions: what it offers in each state, what it sends, and taking back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from approvals import clearing, rules
from approvals.models import Covers, Decision, Step
from newsroom.models import Disarm, Release
from stories.models import Revision, Team
from tests.approvals.doing import ask
from tests.approvals.test_binding import decide as decided
from tests.approvals.test_binding import deputy
from tests.approvals.test_views import decide, look, words_of

pytestmark = pytest.mark.django_db


def take_back(browser: Client, decision: Decision, back: str = "", **more: Any) -> Any:
    path = reverse("story_take_back", args=[decision.story.uid, decision.pk])
    return browser.post(path, {"back": back}, **more)


def state(revision: Revision, number: int = 0) -> str:
    return rules.progress(revision).steps[number].state


# Refusing, and a remark


def test_words_are_refused_with_a_reason(newsroom, as_):
    revision, browser = newsroom.submitted(), as_(newsroom.lawyer)
    answer = decide(
        newsroom, browser, revision, newsroom.legal, "refused", refusal="The court has not decided."
    )
    assert answer.status_code == 302
    assert (state(revision), Decision.objects.get().reason) == ("refused", "The court has not decided.")
    text = words_of(look(browser, revision))
    assert "Sent: Legal refused everything of revision 1" in text
    assert "You refused these words at " in text
    assert "Take back your refusal" in text


def test_a_remark_goes_with_a_sign_off_and_is_read_by_all(newsroom, as_):
    revision, browser = newsroom.submitted(), as_(newsroom.lawyer)
    answer = decide(newsroom, browser, revision, newsroom.legal, "remarked", remark=" Letter on file. ")
    assert answer.status_code == 302
    assert Decision.objects.get().reason == "Letter on file."
    assert state(revision) == "cleared"
    text = words_of(look(as_(newsroom.drafter), revision))
    assert "Remarks with sign-offs Adaeze Nwosu, Legal" in text
    assert "Letter on file." in text


@pytest.mark.parametrize(
    ("verdict", "sent", "said"),
    [
        ("refused", {}, "Nothing was sent: say why you refuse"),
        ("remarked", {"remark": " "}, "Nothing was signed: write the remark"),
        ("changes", {}, "Nothing was sent: say what has to change"),
        (
            "cleared",
            {"remark": "Mine."},
            "you wrote a remark, and pressed “Clear these words”. Clear with it, or",
        ),
        (
            "cleared",
            {"refusal": "No."},
            "you wrote why you refuse, and pressed “Clear these words”. Refuse, or",
        ),
        (
            "changes",
            {"reason": "a", "refusal": "b"},
            "you wrote why you refuse, and pressed “Send to the drafter”",
        ),
        ("taken_back", {}, "what this page sent was not whole"),
    ],
)
def test_what_was_typed_for_another_button_is_not_dropped(newsroom, as_, verdict, sent, said):
    revision = newsroom.submitted()
    answer = decide(newsroom, as_(newsroom.lawyer), revision, newsroom.legal, verdict, **sent)
    assert answer.status_code == 422
    assert said in words_of(answer)
    page = answer.content.decode()
    assert all(f">\n{words}</textarea>" in page for words in sent.values() if words.strip())
    assert not Decision.objects.exists()


@pytest.mark.parametrize("verdict", ["refused", "changes", "remarked"])
def test_a_form_that_is_sent_twice_decides_once(newsroom, as_, verdict):
    revision, browser = newsroom.submitted(), as_(newsroom.lawyer)
    field = {"refused": "refusal", "changes": "reason", "remarked": "remark"}[verdict]
    for _ in range(2):
        answer = decide(newsroom, browser, revision, newsroom.legal, verdict, **{field: "Once."})
        assert answer.status_code == 302
    assert Decision.objects.count() == 1


def test_a_stale_refusal_sends_nothing_and_keeps_its_words(newsroom, as_):
    seen = newsroom.submitted()
    newsroom.edit(seen.story, summary="The bridge saves walkers three miles.")
    answer = decide(newsroom, as_(newsroom.lawyer), seen, newsroom.legal, "refused", refusal="The court.")
    assert answer.status_code == 409
    text = words_of(answer)
    assert text.index("Changed while you were reading") < text.index("What the public will see")
    assert "What you typed is kept behind its button below." in text
    assert "Refuseyour words are kept" in text
    assert ">\nThe court.</textarea>" in answer.content.decode()
    assert not Decision.objects.exists()


# What the bar says


def test_a_colleagues_refusal_stands_in_the_way_and_is_said(newsroom, as_):
    revision = newsroom.submitted()
    decided(clearing.refuse, revision, newsroom.legal, newsroom.second_lawyer, reason="Libel.")
    browser = as_(newsroom.lawyer)
    page = look(browser, revision)
    text = words_of(page)
    assert "Legal refused these words Libel." in text
    assert "Hugh Penrose refused these words at " in text
    assert "They can take that back, or the drafter can change the words." in text
    assert b"Clear these words" not in page.content
    answer = decide(newsroom, browser, revision, newsroom.legal)
    assert answer.status_code == 409
    assert "somebody of the desk refused these words" in words_of(answer)


def test_a_stage_that_is_not_open_can_be_read_ahead(newsroom, as_):
    Step.objects.filter(desk=newsroom.private_office).update(stage=2)
    revision, browser = newsroom.submitted(), as_(newsroom.secretary)
    page = look(browser, revision)
    assert "Opens after stage 1 (Legal, waiting)" in words_of(page)
    assert b"Clear these words" not in page.content
    answer = decide(newsroom, browser, revision, newsroom.private_office)
    assert answer.status_code == 409
    assert "an earlier stage is not met yet" in words_of(answer)
    answer = decide(newsroom, browser, revision, newsroom.private_office, "changes", reason="Too early.")
    assert answer.status_code == 302


def test_a_quorum_says_who_has_signed(newsroom, as_):
    Step.objects.filter(desk=newsroom.legal).update(quorum=2)
    revision = newsroom.submitted()
    decided(clearing.clear, revision, newsroom.legal, newsroom.second_lawyer)
    page = look(as_(newsroom.lawyer), revision)
    assert "1 of 2 signed: Hugh Penrose" in words_of(page)
    assert b"Clear these words" in page.content
    page = look(as_(newsroom.second_lawyer), revision)
    assert "You cleared these words at " in words_of(page)
    assert "It counts, and more people have to sign." in words_of(page)
    assert b"Clear these words" not in page.content


def test_what_a_colleague_cleared_needs_nobody_else(newsroom, as_):
    page = look(as_(newsroom.second_lawyer), newsroom.cleared())
    assert "Legal cleared everything of revision 1" in words_of(page)
    assert "The sign-off of Adaeze Nwosu stands." in words_of(page)
    assert b"Take back" not in page.content


@pytest.mark.parametrize(
    ("covers", "said"),
    [
        (Covers.FIGURES, "You decide on 2 sentences with figures"),
        (Covers.NOTES, "You decide on the notes to editors"),
        (Covers.QUOTES, "You decide on the one quote"),
    ],
)
def test_the_bar_names_the_part(newsroom, as_, covers, said):
    Step.objects.filter(desk=newsroom.private_office).update(covers=covers)
    assert said in words_of(look(as_(newsroom.secretary), newsroom.submitted()))


# Taking back


def test_a_sign_off_is_taken_back(newsroom, as_):
    revision, browser = newsroom.cleared(), as_(newsroom.lawyer)
    given = Decision.objects.get(by=newsroom.lawyer)
    assert "Take back your sign-off" in words_of(look(browser, revision))
    answer = take_back(browser, given, "The letter was forged.", follow=True)
    assert "Taken back: the sign-off of Legal on everything of revision 1." in words_of(answer)
    assert state(revision) == "waiting"
    assert Decision.objects.latest("pk").reason == "The letter was forged."
    assert b"Clear these words" in look(browser, revision).content


def test_taking_back_disarms_an_armed_story_at_once(newsroom, as_):
    release = newsroom.armed()
    browser = as_(newsroom.lawyer)
    assert "The story is armed: it is disarmed at once" in words_of(look(browser, release.revision))
    take_back(browser, Decision.objects.get(story=release.story, by=newsroom.lawyer))
    assert Disarm.objects.filter(story=release.story).exists()
    assert not Release.objects.public(at=datetime.now(UTC) + timedelta(days=9)).exists()


def test_a_sign_off_on_the_armed_revision_is_taken_back_after_newer_words(newsroom, as_):
    release = newsroom.armed()
    newsroom.edit(release.story, summary="Written after it was armed.")
    browser = as_(newsroom.lawyer)
    assert "Your decisions each can be taken back Cleared · Legal · everything" in words_of(
        look(browser, release.revision)
    )
    take_back(browser, Decision.objects.get(story=release.story, by=newsroom.lawyer))
    assert Disarm.objects.filter(story=release.story).exists()


@pytest.mark.parametrize("verb", [clearing.ask_for_changes, clearing.refuse])
def test_a_request_and_a_refusal_are_taken_back(newsroom, as_, verb):
    revision = newsroom.submitted()
    given = decided(verb, revision, newsroom.legal, newsroom.lawyer, reason="Hm.")
    assert take_back(as_(newsroom.lawyer), given).status_code == 302
    assert state(revision) == "waiting"


def test_taking_back_twice_is_taking_back_once(newsroom, as_):
    newsroom.cleared()
    given, browser = Decision.objects.get(by=newsroom.lawyer), as_(newsroom.lawyer)
    for _ in range(2):
        assert take_back(browser, given).status_code == 302
    assert Decision.objects.filter(verdict="taken_back").count() == 1


def test_a_decision_that_a_later_one_replaced_is_not_taken_back(newsroom, as_):
    revision = newsroom.cleared()
    given = Decision.objects.get(by=newsroom.lawyer)
    ask(newsroom, revision, newsroom.legal, newsroom.lawyer)
    answer = take_back(as_(newsroom.lawyer), given, "My reason.")
    assert answer.status_code == 409
    assert "a later decision has taken its place" in words_of(answer)
    assert ">My reason.</textarea>" in answer.content.decode()


def test_nobody_takes_back_what_others_decided(newsroom, as_):
    newsroom.cleared()
    given = Decision.objects.get(by=newsroom.lawyer)
    for user in (newsroom.second_lawyer, newsroom.secretary, newsroom.drafter, newsroom.administrator):
        answer = take_back(as_(user), given)
        assert answer.status_code == 403
    assert not Decision.objects.filter(verdict="taken_back").exists()


def test_somebody_who_left_the_desk_takes_back_their_own(newsroom, as_):
    revision = newsroom.cleared()
    newsroom.legal.members.remove(newsroom.lawyer)
    newsroom.private_office.members.add(newsroom.lawyer)
    newsroom.private_office.members.remove(newsroom.lawyer)
    newsroom.administrator.desks.clear()
    browser = as_(newsroom.lawyer)
    given = Decision.objects.get(by=newsroom.lawyer)
    answer = take_back(browser, given)
    # Whoever has no role left at all opens no page here: the matrix says so before the view.
    assert answer.status_code == 403
    newsroom.private_office.members.add(newsroom.lawyer)
    assert "Your decisions" in words_of(look(browser, revision))
    assert take_back(browser, given).status_code == 302
    assert state(revision) == "waiting"


def test_what_is_public_is_not_taken_back(newsroom, as_):
    release = newsroom.public()
    browser = as_(newsroom.lawyer)
    page = look(browser, release.revision)
    assert b"Take back" not in page.content
    assert "The story is public on it: the duty officer can have it corrected." in words_of(page)
    answer = take_back(browser, Decision.objects.get(story=release.story, by=newsroom.lawyer))
    assert answer.status_code == 409
    assert "the story is public on this sign-off" in words_of(answer)


def test_a_deputys_sign_off_is_taken_back_by_either(newsroom, as_):
    dora = deputy(newsroom, newsroom.secretary)
    for who in ("principal", "deputy"):
        revision = newsroom.submitted(slug=who)
        given = decided(clearing.clear, revision, newsroom.private_office, dora, on_behalf=newsroom.secretary)
        user = newsroom.secretary if who == "principal" else dora
        text = words_of(look(as_(user), revision))
        said = (
            "Dora Deputy cleared these words, on behalf of you"
            if who == "principal"
            else "on behalf of Sunita Rao"
        )
        assert said in text
        assert take_back(as_(user), given).status_code == 302
        assert state(revision, 1) == "waiting"


@pytest.mark.parametrize("back", ["\0", "x" * 10_001])
def test_an_odd_reason_takes_nothing_back(newsroom, as_, back):
    newsroom.cleared()
    assert take_back(as_(newsroom.lawyer), Decision.objects.get(by=newsroom.lawyer), back).status_code == 422
    assert not Decision.objects.filter(verdict="taken_back").exists()


def test_a_decision_of_another_story_is_not_there(newsroom, as_):
    first, second = newsroom.cleared(), newsroom.submitted(slug="second")
    given = Decision.objects.get(by=newsroom.lawyer)
    browser = as_(newsroom.lawyer)
    path = reverse("story_take_back", args=[second.story.uid, given.pk])
    assert browser.post(path).status_code == 404
    assert browser.post(reverse("story_take_back", args=[first.story.uid, 2**62])).status_code == 404
    assert state(first) == "cleared"


def test_a_limited_story_is_not_there(newsroom, as_):
    team = Team.objects.create(name="Coasts")
    team.members.add(newsroom.drafter)
    revision = newsroom.draft(team=team, headline="Marmalade canary")
    clearing.request(revision=revision, by=newsroom.drafter)
    given = decided(clearing.clear, revision, newsroom.legal, newsroom.lawyer)
    answer = take_back(as_(newsroom.officer), given)
    assert answer.status_code == 404
    assert b"Marmalade" not in answer.content


def test_the_address_leads_back_to_the_page(newsroom, as_):
    revision = newsroom.cleared()
    given = Decision.objects.get(by=newsroom.lawyer)
    answer = as_(newsroom.lawyer).get(reverse("story_take_back", args=[revision.story.uid, given.pk]))
    assert answer["Location"] == reverse("story_clearing", args=[revision.story.uid])
    assert state(revision) == "cleared"


def test_a_form_from_elsewhere_takes_nothing_back(newsroom):
    newsroom.cleared()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(newsroom.lawyer)
    assert take_back(browser, Decision.objects.get(by=newsroom.lawyer)).status_code == 403
    assert not Decision.objects.filter(verdict="taken_back").exists()
