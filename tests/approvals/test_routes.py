"""What a route asks: stages in order, conditions, quorums, private offices, partners and deadlines."""

from datetime import UTC, datetime, timedelta

import pytest

from approvals import clearing, rules, standings
from approvals.models import ALL, Covers, Desk, PrivateOffice, Route, Step
from stories import drafting
from stories.models import Organisation, Revision
from stories.moments import Moment
from tests.people import WORDS, Newsroom, person

pytestmark = pytest.mark.django_db

PARAGRAPH, QUOTE, LAST = WORDS["body"]
FIGURE = {"kind": "paragraph", "html": "<p>It cost £4 million.</p>"}


def desk(name: str, *people) -> Desk:
    found = Desk.objects.create(name=name)
    found.members.add(*people)
    return found


def add(newsroom: Newsroom, desk: Desk | None, **more) -> Step:
    """One more step of the tests' route."""
    return Step.objects.create(route=newsroom.route, desk=desk, position=9, **more)


def states(revision: Revision) -> dict[str, str]:
    """How each desk's step stands."""
    return {step.desk: step.state for step in rules.progress(revision).steps}


def sign(newsroom: Newsroom, revision: Revision, desk: Desk, by, **more):
    step = next(step for step in rules.progress(revision).steps if step.desk_id == desk.pk)
    return clearing.clear(step=step.step, revision=revision, covered=step.covered or "", by=by, **more)


def test_a_condition_adds_its_step_at_once_and_takes_it_away(newsroom):
    checker = person("ada", "Ada Count")
    add(newsroom, desk("Statistics", checker), covers=Covers.FIGURES, condition="figure")
    first = newsroom.submitted(notes="", summary="It saves walkers a detour.")
    assert states(first)["Statistics"] == "none"
    second = newsroom.edit(first.story, body=[PARAGRAPH, FIGURE])
    assert states(second)["Statistics"] == "waiting"
    sign(newsroom, second, Desk.objects.get(name="Statistics"), checker)
    third = newsroom.edit(first.story, body=[PARAGRAPH])
    assert states(third)["Statistics"] == "none"
    fourth = newsroom.edit(first.story, body=[LAST, FIGURE])
    assert states(fourth)["Statistics"] == "cleared"


@pytest.mark.parametrize(
    ("condition", "value", "change"),
    [
        ("type", "statement", {"type": "statement"}),
        ("topic", "bridges", {"topics": [{"slug": "bridges", "name": "Bridges"}]}),
        ("partner", "harbours", {"partners": [{"slug": "harbours", "name": "Harbour Trust"}]}),
        ("speaker", "Tom Reed", {"body": [{**QUOTE, "speaker": "Tom Reed"}]}),
        ("role", "Mayor of Wend", {"body": [{**QUOTE, "role": "Mayor of Wend"}]}),
    ],
)
def test_a_step_with_a_condition_is_needed_only_where_it_holds(newsroom, condition, value, change):
    add(newsroom, desk("Extra"), condition=condition, value=value)
    first = newsroom.submitted()
    assert states(first)["Extra"] == "none"
    assert states(newsroom.edit(first.story, **change))["Extra"] == "waiting"


def test_each_speakers_private_office_is_asked_for_their_own_quotes(newsroom):
    rivers, harbours = person("rio", "Rio Office"), person("hal", "Hal Office")
    PrivateOffice.objects.create(match="speaker", name="Mara  ellingham", desk=desk("Rivers office", rivers))
    PrivateOffice.objects.create(
        match="role", name="Harbour Master", desk=desk("Harbour office", hal := harbours)
    )
    add(newsroom, None, covers=Covers.SPEAKER, condition="private_office", stage=2)
    first = newsroom.submitted()
    assert {name: state for name, state in states(first).items() if "office" in name} == {
        "Rivers office": "waiting"
    }
    sign(newsroom, first, newsroom.legal, newsroom.lawyer)
    sign(newsroom, first, newsroom.private_office, newsroom.secretary)
    sign(newsroom, first, Desk.objects.get(name="Rivers office"), rivers)
    other = {**QUOTE, "html": "<p>Boats pass.</p>", "speaker": "Piotr Zielak", "role": "Harbour Master"}
    second = newsroom.edit(first.story, body=[PARAGRAPH, QUOTE, other])
    assert states(second) == {
        "Legal": "again",
        "Private Office": "again",
        "Rivers office": "cleared",
        "Harbour office": "waiting",
    }
    assert not rules.progress(second).cleared
    assert hal.pk
    assert list(standings.differences()) == []


def test_each_partner_named_is_asked_and_one_without_a_desk_is_the_fallbacks(newsroom):
    trust = Organisation.objects.create(name="Harbour Trust", slug="harbour-trust")
    Organisation.objects.create(name="Eel Society", slug="eels")
    Desk.objects.create(name="Trust desk", organisation=trust)
    add(newsroom, desk("Partnerships"), condition="partner")
    first = newsroom.submitted()
    assert "Trust desk" not in states(first)
    named = [{"slug": "harbour-trust", "name": "Harbour Trust"}, {"slug": "eels", "name": "Eel Society"}]
    second = newsroom.edit(first.story, partners=named)
    assert {"Trust desk": "waiting", "Partnerships": "waiting"}.items() <= states(second).items()
    third = newsroom.edit(first.story, partners=[])
    assert {"Trust desk": "none", "Partnerships": "none"}.items() <= states(third).items()


def test_a_changed_route_changes_nothing_that_is_under_way_until_it_is_asked_anew(newsroom):
    first = newsroom.cleared()
    extra = desk("Extra", person("eve", "Eve Extra"))
    add(newsroom, extra)
    assert rules.progress(first).cleared
    # The same route as it was pinned cannot be asked twice; as it is now it can.
    Step.objects.filter(desk=extra).delete()
    with pytest.raises(clearing.AlreadyRequested):
        clearing.request(revision=first, by=newsroom.drafter)
    add(newsroom, extra)
    clearing.request(revision=first, by=newsroom.drafter)
    assert states(first) == {"Legal": "cleared", "Private Office": "cleared", "Extra": "waiting"}


@pytest.mark.parametrize("verb", ["ask_for_changes", "refuse"])
def test_a_desk_that_objected_is_not_got_rid_of_by_another_route(newsroom, verb):
    first = newsroom.submitted()
    step = rules.progress(first).steps[1]
    objection = getattr(clearing, verb)(
        step=step.step, revision=first, covered=step.covered or "", by=newsroom.secretary, reason="No."
    )
    quick = Route.objects.create(name="Quick")
    Step.objects.create(route=quick, desk=newsroom.legal)
    other = newsroom.edit(first.story, body=[PARAGRAPH])
    with pytest.raises(clearing.Objection):
        clearing.request(revision=other, by=newsroom.drafter, route=quick)
    clearing.take_back(decision=objection, by=newsroom.secretary)
    clearing.request(revision=other, by=newsroom.drafter, route=quick)
    assert states(other) == {"Legal": "waiting"}


# Stages


def test_a_stage_opens_when_the_one_before_is_met(newsroom):
    Step.objects.filter(desk=newsroom.private_office).update(stage=2)
    revision = newsroom.submitted()
    with pytest.raises(clearing.NotOpen):
        sign(newsroom, revision, newsroom.private_office, newsroom.secretary)
    sign(newsroom, revision, newsroom.legal, newsroom.lawyer)
    sign(newsroom, revision, newsroom.private_office, newsroom.secretary)
    assert rules.progress(revision).cleared


def test_changes_can_be_asked_before_a_stage_opens(newsroom):
    Step.objects.filter(desk=newsroom.private_office).update(stage=2)
    revision = newsroom.submitted()
    step = rules.progress(revision).steps[1]
    clearing.ask_for_changes(
        step=step.step,
        revision=revision,
        covered=step.covered or "",
        by=newsroom.secretary,
        reason="Not now.",
    )
    assert states(revision)["Private Office"] == "asked"


def test_a_sign_off_of_a_later_stage_stays_when_an_earlier_one_falls(newsroom):
    Step.objects.filter(desk=newsroom.private_office).update(stage=2)
    first = newsroom.cleared()
    second = newsroom.edit(first.story, summary="Another summary.")
    assert states(second) == {"Legal": "again", "Private Office": "cleared"}
    assert not rules.progress(second).cleared


# Quorum


def test_two_of_a_desk_have_to_sign(newsroom):
    Step.objects.filter(desk=newsroom.legal).update(quorum=2)
    revision = newsroom.submitted()
    sign(newsroom, revision, newsroom.legal, newsroom.lawyer)
    sign(newsroom, revision, newsroom.legal, newsroom.lawyer, remark="Again, and it is still one.")
    state = rules.progress(revision).steps[0]
    assert (state.state, state.quorum_words) == ("waiting", "1 of 2 signed")
    sign(newsroom, revision, newsroom.legal, newsroom.second_lawyer)
    assert states(revision)["Legal"] == "cleared"


def test_all_of_a_desk_have_to_sign_but_those_who_wrote(newsroom):
    Step.objects.filter(desk=newsroom.legal).update(quorum=ALL)
    newsroom.legal.members.add(newsroom.drafter)
    revision = newsroom.submitted()
    sign(newsroom, revision, newsroom.legal, newsroom.lawyer)
    assert states(revision)["Legal"] == "waiting"
    newsroom.legal.members.add(person("new", "New Lawyer"))
    sign(newsroom, revision, newsroom.legal, newsroom.second_lawyer)
    assert states(revision)["Legal"] == "cleared"


def test_where_all_have_to_sign_and_all_wrote_nobody_has_signed(newsroom):
    newsroom.legal.members.set([newsroom.drafter])
    Step.objects.filter(desk=newsroom.legal).update(quorum=ALL)
    assert states(newsroom.submitted())["Legal"] == "waiting"


# Deadlines


def test_a_deadline_counts_back_from_the_planned_embargo_and_moves_with_it(newsroom):
    Step.objects.filter(desk=newsroom.legal).update(before=timedelta(hours=6))
    revision = newsroom.submitted()
    assert [step.due for step in rules.progress(revision).steps] == [None, None]
    for hour in (12, 15):
        instant = datetime(2031, 3, 1, hour, tzinfo=UTC)
        drafting.plan_embargo(story=revision.story, by=newsroom.drafter, moment=Moment(instant, "UTC"))
        assert [step.due for step in rules.newest_progress([revision.story_id])[revision.story_id].steps] == [
            instant - timedelta(hours=6),
            None,
        ]
    assert list(standings.differences()) == []
