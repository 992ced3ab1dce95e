"""Setting routes and desks up: what is refused, what is kept in order, and what a route would ask."""

from datetime import timedelta

import pytest

from approvals import clearing, routing, rules, staffing
from approvals.cautions import cautions
from approvals.models import ALL, Condition, Covers, Decision, Desk, PrivateOffice, Route, Standing, Step
from approvals.routing import Ask, Where
from stories.access import Role
from stories.models import Organisation, Topic
from tests.people import WORDS, Newsroom, person

pytestmark = pytest.mark.django_db

PARAGRAPH, QUOTE, _ = WORDS["body"]


@pytest.fixture
def route(newsroom) -> Route:
    return routing.create_route(name="Ministerial", by=newsroom.administrator)


@pytest.fixture
def desks(db) -> list[Desk]:
    return [Desk.objects.create(name=name) for name in ("Policy", "Statistics", "Security")]


def asked(route: Route) -> list[list[str]]:
    """The names of the desks, by stage; the numbers of stages and positions have no gaps."""
    found: dict[int, list[str]] = {}
    for step in route.steps.select_related("desk"):
        found.setdefault(step.stage, []).append(str(step.desk))
        assert step.position == len(found[step.stage])
    assert list(found) == list(range(1, len(found) + 1))
    return list(found.values())


# Routes


def test_a_route_has_a_name_of_its_own(newsroom, route):
    for name in ("", "  ", "ministerial", " Standard ", "x" * 101):
        with pytest.raises(routing.Invalid):
            routing.create_route(name=name, by=newsroom.administrator)
        with pytest.raises(routing.Invalid):
            routing.rename_route(
                route=newsroom.route,
                name=name if name != " Standard " else "Ministerial",
                by=newsroom.administrator,
            )
    assert (
        routing.rename_route(route=route, name="  For  ministers ", by=newsroom.administrator).name
        == "For ministers"
    )
    assert (
        routing.rename_route(route=route, name="for ministers", by=newsroom.administrator).name
        == "for ministers"
    )


def test_only_a_route_that_always_asks_somebody_for_everything_can_be_the_default(newsroom, route, desks):
    conditional = Ask(desks[0], condition=Condition.FIGURE)
    for ask in (conditional, Ask(desks[1], Covers.QUOTES)):
        routing.add_step(route=route, ask=ask, by=newsroom.administrator)
        with pytest.raises(routing.NotWhole):
            routing.make_default(route=route, by=newsroom.administrator)
    routing.add_step(route=route, ask=Ask(desks[2]), by=newsroom.administrator)
    routing.make_default(route=route, by=newsroom.administrator)
    routing.make_default(route=route, by=newsroom.administrator)
    assert list(Route.objects.filter(default=True)) == [route]


def test_the_default_route_keeps_a_step_that_covers_everything(newsroom):
    step = newsroom.route.steps.get(desk=newsroom.legal)
    with pytest.raises(routing.NotWhole):
        routing.remove_step(step=step, by=newsroom.administrator)
    with pytest.raises(routing.NotWhole):
        routing.change_step(step=step, ask=Ask(newsroom.legal, Covers.NOTES), by=newsroom.administrator)
    with pytest.raises(routing.NotWhole):
        routing.change_step(
            step=step, ask=Ask(newsroom.legal, condition=Condition.PICTURE), by=newsroom.administrator
        )
    assert asked(newsroom.route) == [["Legal", "Private Office"]]
    routing.add_step(route=newsroom.route, ask=Ask(newsroom.private_office), by=newsroom.administrator)
    routing.remove_step(step=step, by=newsroom.administrator)
    assert asked(newsroom.route) == [["Private Office"], ["Private Office"]]


def test_a_route_is_removed_only_where_nothing_refers_to_it(newsroom, route, desks):
    with pytest.raises(routing.InUse, match="default"):
        routing.remove_route(route=newsroom.route, by=newsroom.administrator)
    routing.add_step(route=route, ask=Ask(newsroom.legal), by=newsroom.administrator)
    clearing.request(revision=newsroom.draft(), by=newsroom.drafter, route=route)
    with pytest.raises(routing.InUse, match="stories were sent by it"):
        routing.remove_route(route=route, by=newsroom.administrator)
    unused = routing.create_route(name="Unused", by=newsroom.administrator)
    routing.add_step(route=unused, ask=Ask(desks[0]), by=newsroom.administrator)
    routing.remove_route(route=unused, by=newsroom.administrator)
    assert not Route.objects.filter(pk=unused.pk).exists()
    with pytest.raises(routing.Gone):
        routing.add_step(route=unused, ask=Ask(desks[0]), by=newsroom.administrator)
    with pytest.raises(routing.Gone):
        routing.make_default(route=unused, by=newsroom.administrator)


def test_drafters_are_offered_whole_routes_the_default_first(newsroom, route, desks):
    routing.add_step(route=route, ask=Ask(desks[0], condition=Condition.FIGURE), by=newsroom.administrator)
    assert list(routing.offered()) == [newsroom.route]
    routing.add_step(route=route, ask=Ask(desks[0]), by=newsroom.administrator)
    routing.add_step(route=route, ask=Ask(desks[1]), by=newsroom.administrator)
    assert list(routing.offered()) == [newsroom.route, route]
    partial = Step.objects.filter(route=route).exclude(condition="figure")
    partial.delete()
    with pytest.raises(clearing.NoRoute):
        clearing.request(revision=newsroom.draft(), by=newsroom.drafter, route=route)


# Steps


def test_steps_are_added_to_stages_and_open_new_ones(newsroom, route, desks):
    one, two, three = desks
    routing.add_step(route=route, ask=Ask(one), by=newsroom.administrator)
    routing.add_step(route=route, ask=Ask(two), stage=1, by=newsroom.administrator)
    routing.add_step(route=route, ask=Ask(three), by=newsroom.administrator)
    assert asked(route) == [["Policy", "Statistics"], ["Security"]]
    routing.add_step(
        route=route, ask=Ask(three, Covers.PICTURES), stage=1, opens=True, by=newsroom.administrator
    )
    assert asked(route) == [["Security"], ["Policy", "Statistics"], ["Security"]]
    routing.add_step(route=route, ask=Ask(one), stage=99, by=newsroom.administrator)
    assert asked(route)[3] == ["Policy"]


def test_steps_move_within_a_stage_and_between_stages(newsroom, route, desks):
    one, two, three = (
        routing.add_step(route=route, ask=Ask(desk), stage=1, by=newsroom.administrator) for desk in desks
    )
    moves = [
        (two, Where.UP, [["Statistics", "Policy", "Security"]]),
        (two, Where.DOWN, [["Policy", "Statistics", "Security"]]),
        (three, Where.LATER, [["Policy", "Statistics"], ["Security"]]),
        (one, Where.LATER, [["Statistics"], ["Security", "Policy"]]),
        (one, Where.UP, [["Statistics"], ["Policy", "Security"]]),
        (three, Where.EARLIER, [["Statistics", "Security"], ["Policy"]]),
        (two, Where.EARLIER, [["Statistics"], ["Security"], ["Policy"]]),
        # A stage that is left by its last step falls away.
        (three, Where.LATER, [["Statistics"], ["Policy", "Security"]]),
    ]
    for step, where, expected in moves:
        routing.move_step(step=step, where=where, by=newsroom.administrator)
        assert asked(route) == expected
    for step, where in [(one, Where.UP), (three, Where.DOWN), (two, Where.EARLIER), (two, Where.UP)]:
        with pytest.raises(routing.NowhereToGo):
            routing.move_step(step=step, where=where, by=newsroom.administrator)
    assert asked(route) == [["Statistics"], ["Policy", "Security"]]


def test_a_stage_asks_nothing_twice_and_stages_that_ask_the_same_can_change_places(newsroom, route, desks):
    routing.add_step(route=route, ask=Ask(desks[0]), by=newsroom.administrator)
    with pytest.raises(routing.Twice):
        routing.add_step(route=route, ask=Ask(desks[0]), stage=1, by=newsroom.administrator)
    second = routing.add_step(route=route, ask=Ask(desks[0]), by=newsroom.administrator)
    with pytest.raises(routing.Twice):
        routing.move_step(step=second, where=Where.EARLIER, by=newsroom.administrator)
    other = routing.add_step(route=route, ask=Ask(desks[0]), stage=1, opens=True, by=newsroom.administrator)
    with pytest.raises(routing.Twice):
        routing.move_step(step=other, where=Where.LATER, by=newsroom.administrator)
    routing.remove_step(step=other, by=newsroom.administrator)
    assert asked(route) == [["Policy"], ["Policy"]]
    with pytest.raises(routing.Gone):
        routing.remove_step(step=other, by=newsroom.administrator)


def test_a_route_stays_what_can_be_taken_in(newsroom, route, desks):
    for _ in range(routing.MOST_STAGES):
        routing.add_step(route=route, ask=Ask(desks[0]), by=newsroom.administrator)
    with pytest.raises(routing.Full, match="stages"):
        routing.add_step(route=route, ask=Ask(desks[0]), by=newsroom.administrator)
    for number in range(1, routing.MOST_STEPS):
        routing.add_step(
            route=route,
            ask=Ask(desks[0], Covers.SPEAKER, whom=f"Speaker {number}"),
            stage=1,
            by=newsroom.administrator,
        )
    with pytest.raises(routing.Full, match="steps"):
        routing.add_step(route=route, ask=Ask(desks[1]), stage=1, by=newsroom.administrator)


@pytest.mark.parametrize(
    ("ask", "field"),
    [
        ({"desk": None}, "desk"),
        ({"covers": "nothing at all"}, "covers"),
        ({"covers": Covers.SPEAKER, "whom": "  "}, "whom"),
        ({"covers": Covers.ROLE}, "whom"),
        ({"covers": Covers.QUOTES, "whom": "Mara Ellingham"}, "whom"),
        ({"condition": "full moon"}, "condition"),
        ({"condition": Condition.SPEAKER}, "value"),
        ({"condition": Condition.ROLE, "value": " "}, "value"),
        ({"condition": Condition.TYPE}, "value"),
        ({"condition": Condition.TYPE, "value": "novel"}, "value"),
        ({"condition": Condition.TOPIC, "value": "no-such-topic"}, "value"),
        ({"condition": Condition.PARTNER, "value": "no-such-partner"}, "value"),
        ({"condition": Condition.FIGURE, "value": "7"}, "value"),
        ({"condition": Condition.PRIVATE_OFFICE}, "desk"),
        (
            {"condition": Condition.PRIVATE_OFFICE, "desk": None, "covers": Covers.SPEAKER, "whom": "M."},
            "whom",
        ),
        ({"quorum": 3}, "quorum"),
        ({"before": timedelta()}, "before"),
        ({"before": timedelta(days=61)}, "before"),
    ],
)
def test_what_cannot_be_asked_is_refused_at_its_field(newsroom, route, ask, field):
    with pytest.raises(routing.Invalid) as refusal:
        routing.add_step(route=route, ask=Ask(**{"desk": newsroom.legal, **ask}), by=newsroom.administrator)
    assert list(refusal.value.problems) == [field]
    assert not route.steps.exists()


@pytest.mark.parametrize(
    "ask",
    [
        {
            "covers": Covers.SPEAKER,
            "whom": "Mara Ellingham",
            "condition": Condition.SPEAKER,
            "value": "M. E.",
        },
        {"condition": Condition.TYPE, "value": "statement", "quorum": 2, "before": timedelta(hours=6)},
        {"condition": Condition.TOPIC, "value": "bridges", "quorum": ALL},
        {"condition": Condition.PARTNER},
        {"condition": Condition.PARTNER, "value": "rivers"},
        {"desk": None, "covers": Covers.SPEAKER, "condition": Condition.PRIVATE_OFFICE},
        {"desk": None, "covers": Covers.EVERYTHING, "condition": Condition.PRIVATE_OFFICE},
        *(
            {"covers": covers}
            for covers in (Covers.FIGURES, Covers.PICTURES, Covers.NOTES, Covers.ATTACHMENTS)
        ),
        *({"condition": condition} for condition in ("quote", "figure", "picture", "attachment")),
    ],
)
def test_what_can_be_asked_is_stored_as_it_was_chosen(newsroom, route, ask):
    wanted = Ask(**{"desk": newsroom.legal, **ask})
    step = routing.add_step(route=route, ask=wanted, by=newsroom.administrator)
    stored = Step.objects.get(pk=step.pk)
    assert {name: getattr(stored, name) for name in wanted.fields} == wanted.fields


def test_a_desk_that_went_meanwhile_is_not_asked(newsroom, route, desks):
    gone = desks[0]
    Desk.objects.filter(pk=gone.pk).delete()
    with pytest.raises(routing.Invalid) as refusal:
        routing.add_step(route=route, ask=Ask(gone), by=newsroom.administrator)
    assert list(refusal.value.problems) == ["desk"]


# What a route would ask


def conditional(newsroom: Newsroom) -> None:
    """Private offices, partners, figures and a topic, on top of the tests' route."""
    trust = Organisation.objects.create(name="Harbour Trust", slug="harbour-trust")
    Organisation.objects.create(name="Eel Society", slug="eels")
    Topic.objects.create(name="Eels", slug="eels")
    office = Desk.objects.create(name="Rivers office")
    Desk.objects.create(name="Trust desk", organisation=trust)
    fallback = Desk.objects.create(name="Partnerships")
    PrivateOffice.objects.create(match="speaker", name="Mara Ellingham", desk=office)
    PrivateOffice.objects.create(match="role", name="Mayor", desk=fallback)
    for ask in (
        Ask(None, Covers.SPEAKER, condition=Condition.PRIVATE_OFFICE),
        Ask(fallback, condition=Condition.PARTNER),
        Ask(newsroom.legal, Covers.FIGURES, condition=Condition.FIGURE),
        Ask(newsroom.legal, Covers.PICTURES),
        Ask(fallback, condition=Condition.TOPIC, value="eels"),
        Ask(newsroom.private_office, Covers.NOTES, condition=Condition.TYPE, value="statement"),
    ):
        routing.add_step(route=newsroom.route, ask=ask, by=newsroom.administrator)


NAMED = [{"slug": "harbour-trust", "name": "Harbour Trust"}, {"slug": "eels", "name": "Eel Society"}]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"body": [PARAGRAPH], "notes": "", "summary": "No number here."},
        {"partners": NAMED, "body": [PARAGRAPH, QUOTE, {**QUOTE, "speaker": "Tom Reed", "role": "Mayor"}]},
        {"type": "statement", "topics": [{"slug": "eels", "name": "Eels"}]},
        {"body": [QUOTE, QUOTE, {**QUOTE, "speaker": "mara  ELLINGHAM"}], "partners": NAMED[:1] * 2},
    ],
)
def test_what_it_would_ask_is_what_it_asks(newsroom, changes):
    conditional(newsroom)
    revision = newsroom.draft(**changes)
    would = routing.would_ask(newsroom.route, revision.content)
    clearing.request(revision=revision, by=newsroom.drafter)
    assert {
        (one.desk_id, one.covers, one.whom, one.condition, one.value, one.stage) for one in would if one.asked
    } == {
        (s.desk_id, s.step.covers, s.step.whom, s.step.condition, s.step.value, s.stage)
        for s in rules.progress(revision).needed
    }


def test_why_it_is_asked_is_said_in_words(newsroom):
    conditional(newsroom)
    would = routing.would_ask(newsroom.route, newsroom.draft(partners=NAMED[:1], topics=[]).content)
    why = {(one.desk_name, one.condition): one.why for one in would}
    assert why["Legal", "always"].startswith("not needed: there is nothing in it")
    assert "Mara Ellingham" in why["Rivers office", "speaker"]
    assert "Harbour Trust" in why["Trust desk", "partner"]
    assert "Eels" in why["Partnerships", "topic"]
    assert why["Partnerships", "topic"].startswith("not needed: it is asked only")
    assert ("Private offices", "private_office") not in why


def test_as_many_queries_for_three_routes_as_for_one(newsroom, django_assert_num_queries):
    conditional(newsroom)
    content = newsroom.draft(partners=NAMED).content
    routes = [newsroom.route]
    for wanted in (1, 3):
        while len(routes) < wanted:
            routes.append(routing.create_route(name=f"Route {len(routes)}", by=newsroom.administrator))
            routing.add_step(
                route=routes[-1],
                ask=Ask(newsroom.legal, condition="topic", value="bridges"),
                by=newsroom.administrator,
            )
        with django_assert_num_queries(5):
            routing.would_ask_each(routes, content)


def test_what_is_better_mended_is_told(newsroom, route, desks):
    steps = [
        routing.add_step(
            route=route,
            ask=Ask(desks[0], condition=Condition.FIGURE, before=timedelta(hours=2)),
            by=newsroom.administrator,
        ),
        routing.add_step(
            route=route,
            ask=Ask(newsroom.private_office, quorum=2, before=timedelta(hours=9)),
            by=newsroom.administrator,
        ),
        routing.add_step(
            route=route,
            ask=Ask(None, Covers.SPEAKER, condition=Condition.PRIVATE_OFFICE),
            by=newsroom.administrator,
        ),
    ]
    told = " ".join(caution.words for caution in cautions(steps[:1]))
    assert "No step always covers everything" in told
    assert "Nobody is on the desk Policy" in told
    told = " ".join(caution.words for caution in cautions(steps))
    assert "only one person" in told
    assert "No speaker has a private office yet" in told
    assert "The deadline of Private Office in stage 2 (9 h before) comes before one of stage 1" in told
    assert cautions(list(newsroom.route.steps.select_related("desk"))) == []


# Nobody gets round a rule by setting routes up


def test_who_builds_a_route_clears_no_words_of_their_own_and_skips_nothing_that_was_asked(newsroom):
    manager = person("priya", "Priya Anand", Role.MANAGER, Role.DRAFTER)
    for builder in (manager, newsroom.administrator):
        revision = newsroom.draft(by=builder)
        clearing.request(revision=revision, by=newsroom.drafter)
        staffing.add_person(desk=newsroom.legal, person=builder, by=newsroom.administrator)
        with pytest.raises(clearing.FourEyes):
            newsroom.sign(revision, newsroom.legal, builder)
        # Not by taking the step out, nor by putting a desk of one's own in its place.
        own = staffing.create_desk(name=f"Desk of {builder}", by=newsroom.administrator)
        staffing.add_person(desk=own, person=builder, by=newsroom.administrator)
        routing.add_step(route=newsroom.route, ask=Ask(own), by=newsroom.administrator)
        routing.remove_step(step=newsroom.route.steps.get(desk=newsroom.legal), by=newsroom.administrator)
        assert {step.desk for step in rules.progress(revision).needed} == {"Legal", "Private Office"}
        clearing.request(revision=revision, by=builder)
        with pytest.raises(clearing.FourEyes):
            newsroom.sign(revision, own, builder)
        assert not rules.progress(revision).cleared
        routing.add_step(
            route=newsroom.route, ask=Ask(newsroom.legal), stage=1, opens=True, by=newsroom.administrator
        )
        routing.remove_step(step=newsroom.route.steps.get(desk=own), by=newsroom.administrator)
    assert not Decision.objects.exists()


# Desks


def test_a_desk_has_a_name_of_its_own(newsroom):
    for name in ("", "legal", "x" * 101):
        with pytest.raises(staffing.Invalid):
            staffing.create_desk(name=name, by=newsroom.administrator)
    assert str(staffing.create_desk(name="  Picture   desk ", by=newsroom.administrator)) == "Picture desk"


def test_a_desk_is_removed_only_where_nothing_names_it(newsroom, desks):
    one, two, three = desks
    newsroom.submitted()
    with pytest.raises(staffing.InUse, match="stories were laid before it"):
        staffing.remove_desk(desk=newsroom.legal, by=newsroom.administrator)
    routing.add_step(
        route=newsroom.route, ask=Ask(one, condition=Condition.FIGURE), by=newsroom.administrator
    )
    with pytest.raises(staffing.InUse, match="the route “Standard” asks it"):
        staffing.remove_desk(desk=one, by=newsroom.administrator)
    office = staffing.add_office(desk=two, match="role", name="Mayor", by=newsroom.administrator)
    with pytest.raises(staffing.InUse, match="Mayor"):
        staffing.remove_desk(desk=two, by=newsroom.administrator)
    staffing.remove_office(office=office, by=newsroom.administrator)
    staffing.change_desk(
        desk=three, terms=staffing.Terms("Security", escalates_to=two), by=newsroom.administrator
    )
    with pytest.raises(staffing.InUse, match="Security is late"):
        staffing.remove_desk(desk=two, by=newsroom.administrator)
    staffing.remove_desk(desk=three, by=newsroom.administrator)
    staffing.remove_desk(desk=two, by=newsroom.administrator)
    with pytest.raises(staffing.Gone):
        staffing.remove_desk(desk=two, by=newsroom.administrator)


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"name": "Private office"}, "name"),
        ({"reminders": (0,)}, "reminders"),
        ({"reminders": tuple(range(1, 9))}, "reminders"),
        ({"escalates_after": -1}, "escalates_after"),
    ],
)
def test_terms_that_cannot_be_are_refused_at_their_field(newsroom, terms, field):
    with pytest.raises(staffing.Invalid) as refusal:
        staffing.change_desk(
            desk=newsroom.legal, terms=staffing.Terms(**{"name": "Legal", **terms}), by=newsroom.administrator
        )
    assert list(refusal.value.problems) == [field]


def test_a_partner_has_one_desk_and_no_desk_is_told_of_itself(newsroom):
    rivers = Organisation.objects.get(slug="rivers")
    staffing.change_desk(
        desk=newsroom.legal, terms=staffing.Terms("Legal", rivers, (30, 120, 30)), by=newsroom.administrator
    )
    newsroom.legal.refresh_from_db()
    assert newsroom.legal.reminders == [120, 30]
    with pytest.raises(staffing.Invalid, match="one desk each"):
        staffing.change_desk(
            desk=newsroom.private_office, terms=staffing.Terms("PO", rivers), by=newsroom.administrator
        )
    with pytest.raises(staffing.Invalid, match="another desk"):
        staffing.change_desk(
            desk=newsroom.legal,
            terms=staffing.Terms("Legal", escalates_to=newsroom.legal),
            by=newsroom.administrator,
        )


def test_nobody_has_two_private_offices_and_only_who_can_sign_in_is_added(newsroom):
    staffing.add_office(
        desk=newsroom.legal, match="speaker", name=" Mara  Ellingham ", by=newsroom.administrator
    )
    with pytest.raises(staffing.Invalid, match="already: Legal"):
        staffing.add_office(
            desk=newsroom.private_office, match="speaker", name="mara ellingham", by=newsroom.administrator
        )
    for match, name in (("speaker", " "), ("mood", "Mara")):
        with pytest.raises(staffing.Invalid):
            staffing.add_office(desk=newsroom.legal, match=match, name=name, by=newsroom.administrator)
    gone = person("gone", "Gone Away", is_active=False)
    with pytest.raises(staffing.Invalid):
        staffing.add_person(desk=newsroom.legal, person=gone, by=newsroom.administrator)


def test_who_leaves_a_desk_where_all_have_to_sign_is_told_of(newsroom):
    Step.objects.filter(desk=newsroom.legal).update(quorum=ALL)
    newsroom.submitted()
    assert staffing.remove_person(desk=newsroom.legal, person=newsroom.lawyer, by=newsroom.administrator) == 1
    assert (
        staffing.remove_person(
            desk=newsroom.private_office, person=newsroom.secretary, by=newsroom.administrator
        )
        == 0
    )
    assert Standing.objects.get(desk=newsroom.legal).state == "waiting"
