"""The verbs of clearance: what each does, and what each refuses by name."""

import pytest

from approvals import clearing, rules
from approvals.models import Decision, Desk, Route, Step, Submission, Verdict
from stories.models import Revision
from tests.approvals.doing import ask, covered
from tests.people import WORDS, person

pytestmark = pytest.mark.django_db


def state(revision: Revision, desk: Desk) -> str:
    return next(step.state for step in rules.progress(revision).steps if step.desk_id == desk.pk)


# Requesting


def test_a_request_asks_the_desks_of_the_default_route(newsroom):
    revision = newsroom.draft()
    assert not rules.progress(revision).requested
    submission = clearing.request(revision=revision, by=newsroom.drafter)
    assert (submission.by, submission.revision, submission.route) == (
        newsroom.drafter,
        revision,
        newsroom.route,
    )
    steps = [(step.desk, step.covers_words, step.words) for step in rules.progress(revision).steps]
    assert steps == [("Legal", "everything", "waiting"), ("Private Office", "all quotes", "waiting")]


def test_a_second_request_is_refused(newsroom):
    revision = newsroom.submitted()
    with pytest.raises(clearing.AlreadyRequested, match="The desks see the newest revision"):
        clearing.request(revision=revision, by=newsroom.drafter)
    assert Submission.objects.count() == 1


def test_only_the_newest_revision_is_requested(newsroom):
    first = newsroom.draft()
    newsroom.edit(first.story, by=newsroom.other_drafter, headline="Another")
    with pytest.raises(clearing.Moved) as caught:
        clearing.request(revision=first, by=newsroom.drafter)
    assert str(caught.value) == (
        "Clearance was not requested: the words changed while you were reading. Tom Ashdown saved "
        "revision 2; the differences are shown below."
    )


@pytest.mark.parametrize("cover", ["no route", "quotes alone"])
def test_without_a_desk_for_everything_nothing_is_requested(newsroom, cover):
    if cover == "no route":
        Route.objects.update(default=False)
    else:
        Step.objects.filter(covers="everything").delete()
    with pytest.raises(clearing.NoRoute, match="Whoever manages routes can add one"):
        clearing.request(revision=newsroom.draft(), by=newsroom.drafter)
    assert not Submission.objects.exists()


def test_a_route_that_changes_later_changes_nothing_that_was_asked(newsroom):
    revision = newsroom.submitted()
    Step.objects.filter(route=newsroom.route).delete()
    assert [step.desk for step in rules.progress(revision).steps] == ["Legal", "Private Office"]


def test_another_route_keeps_the_sign_offs_that_it_needs_as_well(newsroom):
    revision = newsroom.submitted()
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    other = Route.objects.create(name="Figures")
    statistics = Desk.objects.create(name="Statistics")
    Step.objects.create(route=other, desk=newsroom.legal)
    Step.objects.create(route=other, desk=statistics)
    clearing.request(revision=revision, by=newsroom.drafter, route=other)
    assert (state(revision, newsroom.legal), state(revision, statistics)) == ("cleared", "waiting")


# Deciding


def test_a_sign_off_names_the_words(newsroom):
    revision = newsroom.submitted()
    decision = newsroom.sign(revision, newsroom.private_office, newsroom.secretary)
    decision.refresh_from_db()
    assert (decision.desk, decision.covers) == (newsroom.private_office, "quotes")
    assert decision.covered == covered(revision, newsroom.private_office)
    assert state(revision, newsroom.private_office) == "cleared"


def test_signing_the_same_words_twice_is_one_sign_off(newsroom):
    revision = newsroom.submitted()
    first = newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    assert newsroom.sign(revision, newsroom.legal, newsroom.lawyer) == first
    assert newsroom.sign(revision, newsroom.legal, newsroom.second_lawyer) != first


def test_changes_are_asked_with_a_reason(newsroom):
    revision = newsroom.submitted()
    decision = ask(newsroom, revision, newsroom.legal, newsroom.lawyer, " Who paid? ")
    assert (decision.verdict, decision.reason) == (Verdict.CHANGES, "Who paid?")
    assert state(revision, newsroom.legal) == "asked"
    assert rules.progress(revision).words == "changes asked"


@pytest.mark.parametrize("reason", ["", " ", "\n\t", "\xa0", "\u2003\u2028"])
def test_changes_without_a_reason_are_refused(newsroom, reason):
    revision = newsroom.submitted()
    with pytest.raises(clearing.ReasonMissing, match="say what has to change"):
        ask(newsroom, revision, newsroom.legal, newsroom.lawyer, reason)
    assert not Decision.objects.exists()


def test_asking_for_changes_takes_a_sign_off_back(newsroom):
    revision = newsroom.cleared()
    ask(newsroom, revision, newsroom.legal, newsroom.second_lawyer)
    assert rules.progress(revision).words == "changes asked"
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    assert rules.progress(revision).cleared


def test_words_that_were_cleared_and_changed_are_looked_at_again(newsroom):
    revision = newsroom.edit(newsroom.cleared().story, headline="Another headline")
    assert state(revision, newsroom.legal) == "again"
    assert rules.progress(revision).words == "1 sign-off missing"


# Refusing


def refused(newsroom, kind: type[clearing.Refused], **given) -> str:
    """The words with which a sign-off of Legal is refused. Nothing is signed."""
    revision = given.pop("revision", None) or newsroom.submitted()
    before = Decision.objects.count()
    desk = given.pop("desk", newsroom.legal)
    given = {"by": newsroom.lawyer, "covered": covered(revision, desk), **given}
    with pytest.raises(kind) as caught:
        clearing.clear(step=newsroom.step(revision.story, desk), revision=revision, **given)
    assert Decision.objects.count() == before
    return str(caught.value)


def test_nobody_clears_their_own_words(newsroom):
    newsroom.legal.members.add(newsroom.drafter)
    words = refused(newsroom, clearing.FourEyes, by=newsroom.drafter)
    assert (
        words == "Nothing was signed: you wrote words in this story. Somebody else on the desk can clear it."
    )


def test_nobody_clears_their_own_words_through_a_second_desk(newsroom):
    newsroom.legal.members.add(newsroom.drafter)
    newsroom.private_office.members.add(newsroom.drafter)
    refused(newsroom, clearing.FourEyes, by=newsroom.drafter, desk=newsroom.private_office)


def test_nobody_clears_a_story_in_which_others_wrote_the_newest_words(newsroom):
    newsroom.legal.members.add(newsroom.drafter)
    first = newsroom.submitted()
    second = newsroom.edit(first.story, by=newsroom.other_drafter, headline="Another")
    refused(newsroom, clearing.FourEyes, revision=second, by=newsroom.drafter)


def test_a_superuser_does_not_clear_their_own_words(newsroom):
    newsroom.legal.members.add(newsroom.administrator)
    first = newsroom.submitted()
    second = newsroom.edit(first.story, by=newsroom.administrator, headline="Another")
    refused(newsroom, clearing.FourEyes, revision=second, by=newsroom.administrator)


def test_a_superuser_who_is_not_on_the_desk_clears_nothing(newsroom):
    words = refused(newsroom, clearing.NotOnDesk, by=newsroom.administrator)
    assert words == "Nothing was signed: only somebody on the desk can decide for it."


def test_the_role_of_a_clearer_does_not_open_another_desk(newsroom):
    refused(newsroom, clearing.NotOnDesk, by=newsroom.secretary)


def test_somebody_who_left_the_desk_clears_nothing(newsroom):
    newsroom.legal.members.remove(newsroom.lawyer)
    refused(newsroom, clearing.NotOnDesk)


def test_a_deactivated_clearer_clears_nothing(newsroom):
    newsroom.lawyer.is_active = False
    newsroom.lawyer.save()
    refused(newsroom, clearing.NotOnDesk)


def test_a_sign_off_comes_back_with_its_words_whoever_wrote_others_between(newsroom):
    first = newsroom.cleared()
    second = newsroom.edit(first.story, by=newsroom.lawyer, headline="By the lawyer")
    assert state(second, newsroom.legal) == "again"
    third = newsroom.edit(first.story, headline=first.content["headline"])
    assert state(third, newsroom.legal) == "cleared"
    assert state(third, newsroom.private_office) == "cleared"


def test_the_words_moved(newsroom):
    first = newsroom.submitted()
    newsroom.edit(first.story, headline="Another")
    words = refused(newsroom, clearing.Moved, revision=first)
    assert words == (
        "Nothing was signed: the words changed while you were reading. Marta Feld saved revision 2; the "
        "differences are shown below."
    )


def test_a_page_that_is_stale_signs_nothing_even_where_the_covered_words_are_the_same(newsroom):
    first = newsroom.submitted()
    newsroom.edit(first.story, headline="Another")
    refused(newsroom, clearing.Moved, revision=first, desk=newsroom.private_office, by=newsroom.secretary)


@pytest.mark.parametrize("sent", ["", "0" * 64, "not a digest"])
def test_another_digest_signs_nothing(newsroom, sent):
    words = refused(newsroom, clearing.Moved, covered=sent)
    assert words == "Nothing was signed: these are not the words of revision 1. Look at them once more."


def test_the_digest_of_another_step_signs_nothing(newsroom):
    revision = newsroom.submitted()
    sent = covered(revision, newsroom.private_office)
    refused(newsroom, clearing.Moved, revision=revision, covered=sent)


def test_the_digest_of_another_story_signs_nothing(newsroom):
    other = newsroom.submitted(headline="Another story", slug="another")
    refused(newsroom, clearing.Moved, covered=covered(other, newsroom.legal))


def test_the_step_of_another_story_signs_nothing(newsroom):
    revision = newsroom.submitted()
    other = newsroom.submitted(headline="Another story", slug="another")
    with pytest.raises(clearing.NotAsked):
        clearing.clear(
            step=newsroom.step(other.story, newsroom.legal),
            revision=revision,
            covered=covered(revision, newsroom.legal),
            by=newsroom.lawyer,
        )


def test_a_step_that_is_not_asked_any_more_signs_nothing(newsroom):
    revision = newsroom.submitted()
    step = newsroom.step(revision.story, newsroom.legal)
    other = Route.objects.create(name="Another")
    Step.objects.create(route=other, desk=newsroom.private_office)
    clearing.request(revision=revision, by=newsroom.drafter, route=other)
    with pytest.raises(clearing.NotAsked, match="not asked to clear the story any more"):
        clearing.clear(step=step, revision=revision, covered=revision.digest, by=newsroom.lawyer)


def test_where_there_is_nothing_to_cover_nothing_is_signed(newsroom):
    revision = newsroom.submitted(body=[WORDS["body"][0]])
    words = refused(
        newsroom, clearing.NotAsked, revision=revision, desk=newsroom.private_office, by=newsroom.secretary
    )
    assert words == "There is nothing to clear: this revision has no words that the desk covers."


def test_those_who_can_decide_wrote_nothing_and_can_sign_in(newsroom):
    revision = newsroom.submitted()
    newsroom.legal.members.add(newsroom.drafter, person("gone", "Gone Away", is_active=False))
    steps = rules.progress(revision).steps
    assert list(rules.who_can(steps).values()) == [
        [newsroom.lawyer, newsroom.second_lawyer],
        [newsroom.secretary],
    ]
