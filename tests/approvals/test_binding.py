"""Decisions that bind: refusals, decisions taken back, deputies, and four eyes since the last clearance."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import Error, connection, transaction

from approvals import clearing, rules, standings
from approvals.models import Covers, Decision, Deputyship, Desk, Step
from newsroom import releasing
from newsroom.demo import drawing
from newsroom.models import Disarm
from stories import pictures, record, remarks
from stories.models import Revision, User
from stories.moments import Moment
from stories.refusals import hint_of
from tests.people import WORDS, Newsroom, person

pytestmark = pytest.mark.django_db

PARAGRAPH, QUOTE, LAST = WORDS["body"]


def step_of(revision: Revision, desk: Desk) -> rules.StepState:
    return next(step for step in rules.progress(revision).steps if step.desk_id == desk.pk)


def decide(verb, revision: Revision, desk: Desk, by: User, **more) -> Decision:
    step = step_of(revision, desk)
    return verb(step=step.step, revision=revision, covered=step.covered or "", by=by, **more)


def state(revision: Revision, desk: Desk) -> str:
    return step_of(revision, desk).state


def deputy(newsroom: Newsroom, of: User, **more) -> User:
    """Somebody who stands in for `of` for an hour."""
    user = person("dora", "Dora Deputy")
    now = datetime.now(UTC)
    given = {"since": now - timedelta(hours=1), "until": now + timedelta(hours=1), "by": of}
    Deputyship.objects.create(person=of, deputy=user, **{**given, **more})
    return user


# Refusals


def test_a_refusal_is_overridden_by_nobody_else_of_the_desk(newsroom):
    revision = newsroom.submitted()
    refusal = decide(clearing.refuse, revision, newsroom.legal, newsroom.lawyer, reason="Libel.")
    assert state(revision, newsroom.legal) == "refused"
    with pytest.raises(clearing.RefusedByDesk):
        decide(clearing.clear, revision, newsroom.legal, newsroom.second_lawyer)
    clearing.take_back(decision=refusal, by=newsroom.lawyer)
    decide(clearing.clear, revision, newsroom.legal, newsroom.second_lawyer)
    assert state(revision, newsroom.legal) == "cleared"


def test_a_refusal_voids_the_sign_offs_of_others_while_it_stands(newsroom):
    revision = newsroom.submitted()
    decide(clearing.clear, revision, newsroom.legal, newsroom.second_lawyer)
    refusal = decide(clearing.refuse, revision, newsroom.legal, newsroom.lawyer, reason="Libel.")
    assert state(revision, newsroom.legal) == "refused"
    clearing.take_back(decision=refusal, by=newsroom.lawyer, reason="I misread it.")
    assert state(revision, newsroom.legal) == "cleared"


def test_other_words_are_not_refused(newsroom):
    revision = newsroom.submitted()
    decide(clearing.refuse, revision, newsroom.legal, newsroom.lawyer, reason="Libel.")
    other = newsroom.edit(revision.story, summary="Another summary.")
    decide(clearing.clear, other, newsroom.legal, newsroom.second_lawyer)
    assert state(other, newsroom.legal) == "cleared"


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_refusal_needs_a_reason(newsroom, reason):
    with pytest.raises(clearing.ReasonMissing):
        decide(clearing.refuse, newsroom.submitted(), newsroom.legal, newsroom.lawyer, reason=reason)


def test_a_remark_goes_with_a_sign_off(newsroom):
    revision = newsroom.submitted()
    decide(clearing.clear, revision, newsroom.legal, newsroom.lawyer, remark=" Keep the letter on file. ")
    assert step_of(revision, newsroom.legal).last.reason == "Keep the letter on file."
    assert state(revision, newsroom.legal) == "cleared"


# Taken back


def test_a_sign_off_taken_back_no_longer_counts_and_others_do(newsroom):
    Step.objects.filter(desk=newsroom.legal).update(quorum=2)
    revision = newsroom.submitted()
    first = decide(clearing.clear, revision, newsroom.legal, newsroom.lawyer)
    decide(clearing.clear, revision, newsroom.legal, newsroom.second_lawyer)
    clearing.take_back(decision=first, by=newsroom.lawyer)
    assert step_of(revision, newsroom.legal).quorum_words == "1 of 2 signed"
    decide(clearing.clear, revision, newsroom.legal, newsroom.lawyer)
    assert state(revision, newsroom.legal) == "cleared"


def test_a_sign_off_taken_back_disarms_at_once_also_on_an_older_revision(newsroom):
    release = newsroom.armed()
    newsroom.edit(release.story, summary="Written after it was armed.")
    signed = Decision.objects.get(story=release.story, by=newsroom.lawyer)
    clearing.take_back(decision=signed, by=newsroom.lawyer, reason="The letter was forged.")
    assert Disarm.objects.get().reason == "A decision was taken back. The letter was forged."
    assert not type(release).objects.public(at=datetime.now(UTC) + timedelta(days=9)).exists()
    with pytest.raises(releasing.NotCleared):
        releasing.arm(
            revision=release.story.latest,
            by=newsroom.officer,
            moment=Moment(datetime.now(UTC) + timedelta(hours=1), "UTC"),
        )


def test_what_is_public_is_not_taken_back(newsroom):
    release = newsroom.public()
    signed = Decision.objects.filter(story=release.story, by=newsroom.lawyer).get()
    with pytest.raises(clearing.AlreadyPublic):
        clearing.take_back(decision=signed, by=newsroom.lawyer)
    assert type(release).objects.public().exists()


def test_only_who_decided_takes_it_back_and_once(newsroom):
    revision = newsroom.submitted()
    signed = decide(clearing.clear, revision, newsroom.legal, newsroom.lawyer)
    for other in (newsroom.second_lawyer, newsroom.administrator, newsroom.officer):
        with pytest.raises(clearing.NotYours):
            clearing.take_back(decision=signed, by=other)
    back = clearing.take_back(decision=signed, by=newsroom.lawyer)
    with pytest.raises(clearing.NotStanding):
        clearing.take_back(decision=signed, by=newsroom.lawyer)
    with pytest.raises(clearing.NotYours):
        clearing.take_back(decision=back, by=newsroom.lawyer)


# Deputies


def test_a_deputy_clears_on_behalf_and_it_is_on_the_record(newsroom):
    revision = newsroom.submitted()
    dora = deputy(newsroom, newsroom.lawyer)
    decide(clearing.clear, revision, newsroom.legal, dora, on_behalf=newsroom.lawyer)
    assert state(revision, newsroom.legal) == "cleared"
    titles = [record.words(entry).title for entry in record.lines(revision.story)]
    assert titles[0] == "Legal cleared everything, on behalf of Adaeze Nwosu"
    with pytest.raises(clearing.NotOnDesk):
        decide(clearing.clear, revision, newsroom.legal, dora)


@pytest.mark.parametrize(
    "more",
    [
        {"until": timedelta(minutes=-1)},
        {"since": timedelta(minutes=30)},
        {"desk": "private"},
    ],
    ids=["over", "not yet", "another desk"],
)
def test_a_deputy_clears_only_in_the_time_and_on_the_desk_agreed(newsroom, more):
    if "desk" in more:
        more = {"desk": newsroom.private_office}
    # Counted from now, not from when the tests were collected, which may be long ago.
    now = datetime.now(UTC)
    more = {key: now + value if isinstance(value, timedelta) else value for key, value in more.items()}
    dora = deputy(newsroom, newsroom.lawyer, **more)
    with pytest.raises(clearing.NotDeputy):
        decide(clearing.clear, newsroom.submitted(), newsroom.legal, dora, on_behalf=newsroom.lawyer)


def test_a_deputyship_that_was_ended_is_over(newsroom):
    dora = deputy(newsroom, newsroom.lawyer)
    revision = newsroom.submitted()
    Deputyship.objects.update(until=datetime.now(UTC) - timedelta(days=3))
    ended = Deputyship.objects.get()
    assert abs(ended.until - datetime.now(UTC)) < timedelta(seconds=60)
    with pytest.raises(clearing.NotDeputy):
        decide(clearing.clear, revision, newsroom.legal, dora, on_behalf=newsroom.lawyer)


def test_a_deputyship_is_never_made_longer_or_deleted(newsroom):
    deputy(newsroom, newsroom.lawyer)
    with pytest.raises(Error) as caught, transaction.atomic():
        Deputyship.objects.update(until=datetime.now(UTC) + timedelta(days=3))
    assert hint_of(caught.value) == "append_only"
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM approvals_deputyship")


def test_nobody_makes_themself_a_deputy(newsroom):
    now = datetime.now(UTC)
    for by in (newsroom.nobody, newsroom.administrator):
        with pytest.raises(Error) as caught, transaction.atomic():
            Deputyship.objects.create(
                person=newsroom.lawyer, deputy=by, since=now, until=now + timedelta(hours=1), by=by
            )
        assert hint_of(caught.value) == "not_yours"


def test_who_wrote_words_does_not_clear_through_a_deputy_nor_the_deputy_who_did(newsroom):
    newsroom.legal.members.add(newsroom.drafter)
    revision = newsroom.submitted()
    dora = deputy(newsroom, newsroom.drafter)
    with pytest.raises(clearing.FourEyes) as caught:
        decide(clearing.clear, revision, newsroom.legal, dora, on_behalf=newsroom.drafter)
    assert "you or Marta Feld wrote words" in str(caught.value)
    Deputyship.objects.create(
        person=newsroom.lawyer,
        deputy=newsroom.drafter,
        since=datetime.now(UTC) - timedelta(hours=1),
        until=datetime.now(UTC) + timedelta(hours=1),
        by=newsroom.lawyer,
    )
    with pytest.raises(clearing.FourEyes):
        decide(clearing.clear, revision, newsroom.legal, newsroom.drafter, on_behalf=newsroom.lawyer)


def test_a_quorum_of_two_is_not_met_by_one_person_and_their_deputyship(newsroom):
    Step.objects.filter(desk=newsroom.legal).update(quorum=2)
    revision = newsroom.submitted()
    now = datetime.now(UTC)
    Deputyship.objects.create(
        person=newsroom.lawyer,
        deputy=newsroom.second_lawyer,
        since=now - timedelta(hours=1),
        until=now + timedelta(hours=1),
        by=newsroom.lawyer,
    )
    decide(clearing.clear, revision, newsroom.legal, newsroom.second_lawyer)
    decide(clearing.clear, revision, newsroom.legal, newsroom.second_lawyer, on_behalf=newsroom.lawyer)
    assert state(revision, newsroom.legal) == "waiting"
    decide(clearing.clear, revision, newsroom.legal, newsroom.lawyer)
    assert state(revision, newsroom.legal) == "cleared"


# Four eyes since the last full clearance


def test_who_wrote_before_the_last_clearance_may_clear_what_others_wrote_since(newsroom):
    newsroom.legal.members.add(newsroom.other_drafter)
    first = newsroom.draft(by=newsroom.other_drafter)
    clearing.request(revision=first, by=newsroom.drafter)
    with pytest.raises(clearing.FourEyes):
        decide(clearing.clear, first, newsroom.legal, newsroom.other_drafter)
    decide(clearing.clear, first, newsroom.legal, newsroom.lawyer)
    second = newsroom.edit(first.story, by=newsroom.lawyer, summary="By the lawyer.")
    with pytest.raises(clearing.FourEyes):
        decide(clearing.clear, second, newsroom.legal, newsroom.lawyer)
    decide(clearing.clear, second, newsroom.legal, newsroom.other_drafter)
    assert state(second, newsroom.legal) == "cleared"


def test_the_author_of_cleared_words_does_not_sign_them_as_well(newsroom):
    """Their sign-off would be the only one left when the other is taken back."""
    newsroom.legal.members.add(newsroom.drafter)
    revision = newsroom.submitted()
    decide(clearing.clear, revision, newsroom.legal, newsroom.lawyer)
    with pytest.raises(clearing.FourEyes):
        decide(clearing.clear, revision, newsroom.legal, newsroom.drafter)


def test_words_that_somebody_else_brings_back_are_still_their_authors(newsroom):
    """Written, cut, cleared without them, and put back by another hand."""
    newsroom.legal.members.add(newsroom.other_drafter)
    first = newsroom.draft()
    mine = {"kind": "paragraph", "html": "<p>The bridge is safe.</p>"}
    newsroom.edit(first.story, by=newsroom.other_drafter, body=[PARAGRAPH, mine])
    third = newsroom.edit(first.story, body=[PARAGRAPH])
    clearing.request(revision=third, by=newsroom.drafter)
    decide(clearing.clear, third, newsroom.legal, newsroom.lawyer)
    fourth = newsroom.edit(first.story, body=[mine, PARAGRAPH])
    with pytest.raises(clearing.FourEyes):
        decide(clearing.clear, fourth, newsroom.legal, newsroom.other_drafter)
    fifth = newsroom.edit(first.story, body=[PARAGRAPH], notes="<p>The bridge is safe.</p>")
    with pytest.raises(clearing.FourEyes):
        decide(clearing.clear, fifth, newsroom.legal, newsroom.other_drafter)


def test_a_quote_given_to_another_speaker_is_still_its_writers(newsroom):
    """It was outside of what the office covered when the office last cleared."""
    newsroom.private_office.members.add(newsroom.other_drafter)
    Step.objects.filter(desk=newsroom.private_office).update(covers=Covers.SPEAKER, whom="Mara Ellingham")
    other = {**QUOTE, "html": "<p>It was my idea.</p>", "speaker": "Tom Reed"}
    first = newsroom.draft(by=newsroom.other_drafter, body=[PARAGRAPH, QUOTE, other])
    second = newsroom.edit(first.story, notes="")
    clearing.request(revision=second, by=newsroom.drafter)
    decide(clearing.clear, second, newsroom.private_office, newsroom.secretary)
    third = newsroom.edit(first.story, body=[PARAGRAPH, QUOTE, {**other, "speaker": "Mara Ellingham"}])
    with pytest.raises(clearing.FourEyes):
        decide(clearing.clear, third, newsroom.private_office, newsroom.other_drafter)
    decide(clearing.clear, third, newsroom.private_office, newsroom.secretary)


def test_whoever_suggested_a_wording_that_was_taken_wrote_it(newsroom):
    revision = newsroom.submitted()
    anchor = {"part": "summary", "block": None, "exact": "two miles", "prefix": "walkers ", "suffix": "."}
    wording = remarks.suggest(
        revision=revision, by=newsroom.lawyer, anchor=anchor, replacement="a long detour"
    )
    decide(clearing.clear, revision, newsroom.legal, newsroom.lawyer)
    taken = remarks.take(suggestion=wording, by=newsroom.drafter, based_on=revision.pk)
    with pytest.raises(clearing.FourEyes):
        decide(clearing.clear, taken, newsroom.legal, newsroom.lawyer)
    decide(clearing.clear, taken, newsroom.legal, newsroom.second_lawyer)


def test_who_restores_words_and_who_wrote_them_both_wrote_them(newsroom):
    newsroom.legal.members.add(newsroom.other_drafter)
    first = newsroom.draft()
    second = newsroom.edit(first.story, by=newsroom.other_drafter, summary="It saves a detour.")
    third = newsroom.edit(first.story, summary="Another.")
    clearing.request(revision=third, by=newsroom.drafter)
    decide(clearing.clear, third, newsroom.legal, newsroom.lawyer)
    restored = remarks.restore(
        story=first.story, revision=second, by=newsroom.second_lawyer, based_on=third.pk
    )
    for writer in (newsroom.other_drafter, newsroom.second_lawyer):
        with pytest.raises(clearing.FourEyes):
            decide(clearing.clear, restored, newsroom.legal, writer)
    decide(clearing.clear, restored, newsroom.legal, newsroom.lawyer)


def test_whoever_uploaded_the_picture_contributed_it(newsroom):
    asset = pictures.store(drawing("a"), newsroom.lawyer)
    picture = {"sha256": asset.sha256, "name": asset.name, "width": asset.width, "height": asset.height}
    revision = newsroom.submitted(picture={**picture, "alt": "A bridge", "caption": "", "credit": ""})
    with pytest.raises(clearing.FourEyes):
        decide(clearing.clear, revision, newsroom.legal, newsroom.lawyer)
    decide(clearing.clear, revision, newsroom.legal, newsroom.second_lawyer)
    # What was shown when the desk cleared it was cleared.
    second = newsroom.edit(revision.story, summary="Another.")
    decide(clearing.clear, second, newsroom.legal, newsroom.lawyer)


def test_a_clearance_that_was_taken_back_frees_nobody(newsroom):
    newsroom.legal.members.add(newsroom.other_drafter)
    first = newsroom.draft(by=newsroom.other_drafter)
    clearing.request(revision=first, by=newsroom.drafter)
    signed = decide(clearing.clear, first, newsroom.legal, newsroom.lawyer)
    second = newsroom.edit(first.story, summary="Another summary.")
    clearing.take_back(decision=signed, by=newsroom.lawyer)
    with pytest.raises(clearing.FourEyes):
        decide(clearing.clear, second, newsroom.legal, newsroom.other_drafter)


def test_the_list_and_the_record_hold_after_all_of_it(newsroom):
    revision = newsroom.submitted()
    refusal = decide(clearing.refuse, revision, newsroom.legal, newsroom.lawyer, reason="Libel.")
    clearing.take_back(decision=refusal, by=newsroom.lawyer)
    decide(clearing.clear, revision, newsroom.legal, newsroom.second_lawyer)
    newsroom.edit(revision.story, summary="Another.")
    assert list(standings.differences()) == []
    assert list(record.verify()) == []


def test_how_long_the_words_had_waited_is_kept_with_the_decision(newsroom):
    revision = newsroom.submitted()
    decision = decide(clearing.clear, revision, newsroom.legal, newsroom.lawyer)
    decision.refresh_from_db()
    assert timedelta(0) < decision.waited < timedelta(minutes=1)
    assert decision.waited <= decision.at - revision.at


def test_who_wrote_words_can_object_to_them(newsroom):
    """Else a drafter would silence a lawyer by taking a wording of theirs."""
    revision = newsroom.submitted()
    anchor = {"part": "summary", "block": None, "exact": "two miles", "prefix": "walkers ", "suffix": "."}
    wording = remarks.suggest(
        revision=revision, by=newsroom.lawyer, anchor=anchor, replacement="a long detour"
    )
    taken = remarks.take(suggestion=wording, by=newsroom.drafter, based_on=revision.pk)
    decide(clearing.refuse, taken, newsroom.legal, newsroom.lawyer, reason="The rest is libel.")
    assert state(taken, newsroom.legal) == "refused"
    with pytest.raises(clearing.RefusedByDesk):
        decide(clearing.clear, taken, newsroom.legal, newsroom.second_lawyer)


def test_waiting_is_counted_from_when_the_words_became_these(newsroom):
    first = newsroom.submitted()
    newsroom.edit(first.story, summary="Another summary.")
    last = newsroom.edit(first.story, contacts="River desk")
    decision = decide(clearing.clear, last, newsroom.legal, newsroom.lawyer)
    quotes = decide(clearing.clear, last, newsroom.private_office, newsroom.secretary)
    for made in (decision, quotes):
        made.refresh_from_db()
    asked = first.story.submissions.get()
    assert decision.waited == decision.at - Revision.objects.get(pk=last.pk).at
    # The quote was the same all along: it was laid before them with the request.
    assert quotes.waited == quotes.at - asked.at
