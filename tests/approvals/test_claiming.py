"""Taking a step up and letting it go: one person at a time, whoever presses at the same moment."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from approvals import claiming, clearing
from approvals.models import Claim, ClaimRelease, Deputyship, PinnedStep
from stories import record
from stories.models import Revision, Team
from tests.approvals.doing import ask
from tests.newsroom.racing import race

pytestmark = pytest.mark.django_db


def step_of(newsroom, revision: Revision) -> PinnedStep:
    return newsroom.step(revision.story, newsroom.legal)


def holder(step: PinnedStep) -> object:
    claim = claiming.open_claims([step.pk]).get(step.pk)
    return claim and claim.by


def test_taken_and_let_go_and_both_on_the_record(newsroom):
    revision = newsroom.submitted()
    step = step_of(newsroom, revision)
    claim = claiming.take(step=step, by=newsroom.lawyer)
    assert holder(step) == newsroom.lawyer
    claiming.let_go(claim=claim, by=newsroom.lawyer)
    assert holder(step) is None
    titles = [record.words(entry).title for entry in record.lines(revision.story)]
    assert titles[:2] == ["Let go of it", "Took it up for Legal"]
    assert list(record.verify()) == []


def test_taking_what_one_has_changes_nothing(newsroom):
    step = step_of(newsroom, newsroom.submitted())
    first = claiming.take(step=step, by=newsroom.lawyer)
    assert claiming.take(step=step, by=newsroom.lawyer) == first
    assert Claim.objects.count() == 1


def test_what_somebody_has_is_taken_over_and_not_taken(newsroom):
    step = step_of(newsroom, newsroom.submitted())
    first = claiming.take(step=step, by=newsroom.lawyer)
    with pytest.raises(claiming.Claimed, match="Adaeze Nwosu has it already") as caught:
        claiming.take(step=step, by=newsroom.second_lawyer)
    assert caught.value.claim == first
    claiming.take_over(step=step, by=newsroom.second_lawyer, claim=first.pk)
    assert holder(step) == newsroom.second_lawyer
    # Whoever acts on an old page takes nothing from who has it now.
    third = newsroom.nobody
    newsroom.legal.members.add(third)
    with pytest.raises(claiming.Claimed, match="Hugh Penrose"):
        claiming.take_over(step=step, by=third, claim=first.pk)
    assert ClaimRelease.objects.count() == 1


def test_only_who_decides_for_the_desk_takes_it(newsroom):
    step = step_of(newsroom, newsroom.submitted())
    for user in (newsroom.secretary, newsroom.officer, newsroom.administrator):
        with pytest.raises(claiming.NotOnDesk):
            claiming.take(step=step, by=user)
    claim = claiming.take(step=step, by=newsroom.lawyer)
    with pytest.raises(claiming.NotOnDesk):
        claiming.let_go(claim=claim, by=newsroom.secretary)
    now = datetime.now(UTC)
    Deputyship.objects.create(
        person=newsroom.second_lawyer,
        deputy=newsroom.secretary,
        since=now - timedelta(hours=1),
        until=now + timedelta(hours=1),
        by=newsroom.second_lawyer,
    )
    claiming.take_over(step=step, by=newsroom.secretary, claim=claim.pk)
    assert holder(step) == newsroom.secretary


def test_who_wrote_the_words_does_not_take_them(newsroom):
    revision = newsroom.submitted()
    newsroom.edit(revision.story, by=newsroom.lawyer, summary="By the lawyer.")
    with pytest.raises(claiming.FourEyes):
        claiming.take(step=step_of(newsroom, revision), by=newsroom.lawyer)


def test_a_claim_ends_with_the_sign_off(newsroom):
    revision = newsroom.submitted()
    step = step_of(newsroom, revision)
    claim = claiming.take(step=step, by=newsroom.lawyer)
    newsroom.sign(revision, newsroom.legal, newsroom.second_lawyer)
    assert holder(step) is None
    with pytest.raises(claiming.NotMissing):
        claiming.take(step=step, by=newsroom.lawyer)
    # The words change: it is for anybody of the desk to take, though nobody ever let go of it.
    newsroom.edit(revision.story, summary="Another.")
    assert holder(step) is None
    claiming.take(step=step, by=newsroom.second_lawyer)
    assert holder(step) == newsroom.second_lawyer
    with pytest.raises(claiming.NotHeld):
        claiming.let_go(claim=claim, by=newsroom.lawyer)


def test_a_claim_ends_with_changes_asked_and_new_words_leave_it(newsroom):
    revision = newsroom.submitted()
    step = step_of(newsroom, revision)
    claiming.take(step=step, by=newsroom.lawyer)
    second = newsroom.edit(revision.story, summary="Another.")
    assert holder(step) == newsroom.lawyer
    ask(newsroom, second, newsroom.legal, newsroom.lawyer)
    assert holder(step) is None


def test_what_was_let_go_is_let_go_once(newsroom):
    step = step_of(newsroom, newsroom.submitted())
    claim = claiming.take(step=step, by=newsroom.lawyer)
    claiming.let_go(claim=claim, by=newsroom.lawyer)
    with pytest.raises(claiming.NotHeld):
        claiming.let_go(claim=claim, by=newsroom.lawyer)


def test_a_claim_binds_nobody(newsroom):
    revision = newsroom.submitted()
    claiming.take(step=step_of(newsroom, revision), by=newsroom.lawyer)
    newsroom.sign(revision, newsroom.legal, newsroom.second_lawyer)


def test_all_claims_of_a_list_are_one_query(newsroom, django_assert_num_queries):
    steps = [step_of(newsroom, newsroom.submitted(slug=f"s-{number}")) for number in range(3)]
    for step in steps[:2]:
        claiming.take(step=step, by=newsroom.lawyer)
    with django_assert_num_queries(1):
        found = claiming.open_claims(step.pk for step in steps)
        assert {str(claim.by) for claim in found.values()} == {"Adaeze Nwosu"}
    assert found.keys() == {step.pk for step in steps[:2]}


@pytest.mark.django_db(transaction=True)
def test_of_those_who_press_at_once_one_has_it(live_newsroom):
    step = step_of(live_newsroom, live_newsroom.submitted())
    people = [live_newsroom.lawyer, live_newsroom.second_lawyer] * 3
    found = race(6, lambda number: claiming.take(step=step, by=people[number]))
    taken = {claim.by_id for claim in found if isinstance(claim, Claim)}
    assert len(taken) == 1
    assert sum(isinstance(one, claiming.Claimed) for one in found) == 3
    assert Claim.objects.count() == 1


# The buttons


def test_take_it_and_let_go_from_the_inbox(newsroom, as_):
    revision = newsroom.submitted()
    step = step_of(newsroom, revision)
    browser = as_(newsroom.lawyer)
    back = f"{reverse('inbox')}?mine=1"
    sent = browser.post(reverse("story_take", args=[revision.story.uid, step.pk]), {"next": back})
    assert sent["Location"] == f"{back}#step-{step.pk}"
    claim = claiming.open_claims([step.pk])[step.pk]
    text = as_(newsroom.second_lawyer).get(reverse("inbox")).content.decode()
    assert "Adaeze Nwosu took it at " in text
    assert "Take over" in text
    address = reverse("story_let_go", args=[revision.story.uid, step.pk])
    browser.post(address, {"next": "https://evil.example/desk/clearances/", "claim": claim.pk})
    assert holder(step) is None
    again = browser.post(address, {"next": back, "claim": claim.pk}, follow=True)
    assert "Nothing was let go" in again.content.decode()


def test_a_refusal_is_said_on_the_page(newsroom, as_):
    revision = newsroom.submitted()
    step = step_of(newsroom, revision)
    first = claiming.take(step=step, by=newsroom.lawyer)
    address = reverse("story_take", args=[revision.story.uid, step.pk])
    browser = as_(newsroom.second_lawyer)
    page = browser.post(address, {"next": reverse("inbox")}, follow=True)
    assert "Adaeze Nwosu has it already" in page.content.decode()
    browser.post(address, {"next": reverse("inbox"), "over": first.pk})
    assert holder(step) == newsroom.second_lawyer
    for odd in ("x", "²", "9" * 40):
        assert browser.post(address, {"over": odd}).status_code == 302


def test_a_story_that_does_not_exist_for_somebody_cannot_be_taken(newsroom, as_):
    team = Team.objects.create(name="Coasts")
    team.members.add(newsroom.drafter)
    revision = newsroom.draft(team=team)
    clearing.request(revision=revision, by=newsroom.drafter)
    step = step_of(newsroom, revision)
    other = newsroom.submitted(slug="other")
    newsroom.legal.members.remove(newsroom.second_lawyer)
    newsroom.second_lawyer.desks.create(name="Elsewhere")
    browser = as_(newsroom.second_lawyer)
    for name in ("story_take", "story_let_go"):
        assert browser.post(reverse(name, args=[revision.story.uid, step.pk])).status_code == 404
        # Nor through another story's address.
        assert browser.post(reverse(name, args=[other.story.uid, step.pk])).status_code == 404
        assert as_(newsroom.lawyer).get(reverse(name, args=[revision.story.uid, step.pk])).status_code == 302
    assert not Claim.objects.exists()
