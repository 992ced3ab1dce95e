"""Desks, routes and deputies: whoever changes them, by whichever way, it is on the record once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from approvals import deputies, routing, staffing
from approvals.models import Condition, Covers, Deputyship, Desk, PrivateOffice, Route, Step
from approvals.routing import Ask, Where
from newsroom import releasing
from stories import record
from stories.access import Role
from stories.arranging import acting
from stories.models import Organisation, User
from tests.newsroom.racing import race
from tests.people import Newsroom, person
from tests.since import Since

pytestmark = pytest.mark.django_db


def raw(sql: str, *params: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


# By the verbs

VERBS: dict[str, Callable[[Newsroom, User], Any]] = {
    "Desk Policy made": lambda room, by: staffing.create_desk(name="Policy", by=by),
    "Desk Law changed": lambda room, by: staffing.change_desk(
        desk=room.legal, terms=staffing.Terms("Law"), by=by
    ),
    "Tom Ashdown put on the desk Legal": lambda room, by: staffing.add_person(
        desk=room.legal, person=room.other_drafter, by=by
    ),
    "Adaeze Nwosu taken off the desk Legal": lambda room, by: staffing.remove_person(
        desk=room.legal, person=room.lawyer, by=by
    ),
    "Private office of Mara Ellingham made": lambda room, by: staffing.add_office(
        desk=room.legal, match="speaker", name="Mara Ellingham", by=by
    ),
    "Route Quick made": lambda room, by: routing.create_route(name="Quick", by=by),
    "Route Usual changed": lambda room, by: routing.rename_route(route=room.route, name="Usual", by=by),
    "Step added to the route Standard: Legal, notes to editors": lambda room, by: routing.add_step(
        route=room.route, ask=Ask(room.legal, Covers.NOTES), by=by
    ),
    "Step of the route Standard changed: Legal, everything": lambda room, by: routing.change_step(
        step=room.route.steps.get(desk=room.legal), ask=Ask(room.legal, quorum=2), by=by
    ),
    "Step of the route Standard changed: Private Office, all quotes": lambda room, by: routing.move_step(
        step=room.route.steps.get(desk=room.private_office), where=Where.LATER, by=by
    ),
    "Step taken out of the route Standard: Private Office, all quotes": lambda room, by: routing.remove_step(
        step=room.route.steps.get(desk=room.private_office), by=by
    ),
}


@pytest.mark.parametrize("title", VERBS)
def test_each_verb_leaves_one_link_in_the_name_of_who_called_it(newsroom, title):
    since = Since()
    VERBS[title](newsroom, newsroom.administrator)
    assert since.told == [(title, newsroom.administrator)]
    assert list(record.verify()) == []


def test_a_verb_that_refuses_leaves_nothing(newsroom):
    since = Since()
    with pytest.raises(routing.NotWhole):
        routing.remove_step(step=newsroom.route.steps.get(desk=newsroom.legal), by=newsroom.administrator)
    with pytest.raises(staffing.InUse):
        staffing.remove_desk(desk=newsroom.legal, by=newsroom.administrator)
    assert since.rows == []


def test_what_is_made_and_removed_can_be_read_when_it_is_gone(newsroom):
    since, by = Since(), newsroom.administrator
    desk = staffing.create_desk(name="Policy", by=by)
    office = staffing.add_office(desk=desk, match="role", name="Mayor", by=by)
    staffing.remove_office(office=office, by=by)
    staffing.add_person(desk=desk, person=newsroom.nobody, by=by)
    staffing.remove_person(desk=desk, person=newsroom.nobody, by=by)
    route = routing.create_route(name="Quick", by=by)
    routing.add_step(route=route, ask=Ask(desk), by=by)
    routing.remove_route(route=route, by=by)
    staffing.remove_desk(desk=desk, by=by)
    assert since.told == [
        (title, by)
        for title in (
            "Desk Policy made",
            "Private office of Mayor made",
            "Private office of Mayor removed",
            "Nemo Outis put on the desk Policy",
            "Nemo Outis taken off the desk Policy",
            "Route Quick made",
            "Step added to the route Quick: Policy, everything",
            "Step taken out of the route Quick: Policy, everything",
            "Route Quick removed",
            "Desk Policy removed",
        )
    ]


def test_what_changed_is_said_with_what_it_was(newsroom):
    rivers = Organisation.objects.get()
    since, by = Since(), newsroom.administrator
    terms = staffing.Terms("Law", rivers, (120, 30), newsroom.private_office)
    staffing.change_desk(desk=newsroom.legal, terms=terms, by=by)
    assert since.detail == (
        "name: Legal → Law; clears for: none → Department for Rivers and Coasts; "
        "reminders, in minutes before a deadline: none → 120, 30; "
        "told when it is late: none → Private Office"
    )
    step = newsroom.route.steps.get(desk=newsroom.legal)
    routing.change_step(step=step, ask=Ask(newsroom.private_office, before=timedelta(hours=6)), by=by)
    assert since.detail == "desk: Law → Private Office; deadline before the embargo: none → 06:00:00"


def test_another_default_is_two_links_the_one_before_and_the_one_now(newsroom):
    by = newsroom.administrator
    other = routing.create_route(name="Other", by=by)
    routing.add_step(route=other, ask=Ask(newsroom.legal), by=by)
    since = Since()
    routing.make_default(route=other, by=by)
    assert [title for title, _ in since.told] == [
        "Route Standard not the default any more",
        "Route Other made the default",
    ]


def test_a_stage_before_the_others_is_on_the_record_with_each_step_that_moved_on(newsroom):
    since, by = Since(), newsroom.administrator
    ask = Ask(newsroom.legal, Covers.NOTES)
    routing.add_step(route=newsroom.route, ask=ask, stage=1, opens=True, by=by)
    *moved, added = since.told
    assert {title for title, _ in moved} == {
        "Step of the route Standard changed: Legal, everything",
        "Step of the route Standard changed: Private Office, all quotes",
    }
    assert added == ("Step added to the route Standard: Legal, notes to editors", by)
    assert [(row.before, row.after) for row in since.rows[:2]] == [({"stage": 1}, {"stage": 2})] * 2


def test_the_order_in_which_a_stage_is_drawn_is_no_matter_of_the_record(newsroom):
    since = Since()
    step = newsroom.route.steps.get(desk=newsroom.private_office)
    routing.move_step(step=step, where=Where.UP, by=newsroom.administrator)
    assert [str(step.desk) for step in newsroom.route.steps.all()] == ["Private Office", "Legal"]
    assert since.rows == []


def test_a_deputy_is_on_the_record_when_appointed_and_when_it_ends(newsroom):
    since, now = Since(), datetime.now(UTC)
    appointed = deputies.appoint(
        person=newsroom.lawyer,
        deputy=newsroom.nobody,
        desk=newsroom.legal,
        since=now,
        until=now + timedelta(days=2),
        by=newsroom.lawyer,
    )
    assert since.detail.startswith("On the desk Legal, until ")
    deputies.end(deputyship=appointed, by=newsroom.nobody)
    assert since.told == [
        ("Deputy appointed: Nemo Outis for Adaeze Nwosu", newsroom.lawyer),
        ("Deputyship ended early: Nemo Outis for Adaeze Nwosu", newsroom.nobody),
    ]
    assert since.rows[1].after.keys() == {"until"}


# By the pages


@pytest.fixture
def manager(newsroom) -> User:
    return person("priya", "Priya Anand", Role.MANAGER)


PAGES: dict[str, Callable[[Newsroom], tuple[str, dict[str, Any]]]] = {
    "Desk Policy made": lambda room: (reverse("desk_new"), {"new-name": "Policy"}),
    "Tom Ashdown put on the desk Legal": lambda room: (
        reverse("desk_person_add", args=[room.legal.pk, room.other_drafter.pk]),
        {},
    ),
    "Adaeze Nwosu taken off the desk Legal": lambda room: (
        reverse("desk_person_remove", args=[room.legal.pk, room.lawyer.pk]),
        {},
    ),
    "Private office of Mayor made": lambda room: (
        reverse("office_add", args=[room.legal.pk]),
        {"office-match": "role", "office-name": "Mayor"},
    ),
    "Route Quick made": lambda room: (reverse("route_new"), {"new-name": "Quick"}),
    "Route Usual changed": lambda room: (
        reverse("route_rename", args=[room.route.pk]),
        {"route-name": "Usual"},
    ),
    "Step taken out of the route Standard: Private Office, all quotes": lambda room: (
        reverse("step_remove", args=[room.route.pk, room.route.steps.get(desk=room.private_office).pk]),
        {},
    ),
    "Step of the route Standard changed: Private Office, all quotes": lambda room: (
        reverse("step_move", args=[room.route.pk, room.route.steps.get(desk=room.private_office).pk]),
        {"where": "later"},
    ),
}


@pytest.mark.parametrize("title", PAGES)
def test_each_page_leaves_one_link_in_the_name_of_who_pressed_the_button(newsroom, manager, as_, title):
    path, sent = PAGES[title](newsroom)
    browser, since = as_(manager), Since()
    assert browser.post(path, sent).status_code == 302
    assert since.told == [(title, manager)]


def test_a_deputy_is_appointed_on_the_page_in_the_name_of_who_did(newsroom, as_):
    appointed = Deputyship.objects.create(
        person=newsroom.lawyer,
        deputy=newsroom.nobody,
        by=newsroom.lawyer,
        since=datetime.now(UTC),
        until=datetime.now(UTC) + timedelta(days=1),
    )
    since = Since()
    assert as_(newsroom.nobody).post(reverse("deputy_end", args=[appointed.pk])).status_code == 302
    assert since.told == [("Deputyship ended early: Nemo Outis for Adaeze Nwosu", newsroom.nobody)]


# By a shell, and by raw SQL


def test_what_a_shell_and_raw_sql_change_names_nobody(newsroom):
    since = Since()
    newsroom.legal.members.add(newsroom.drafter)
    newsroom.legal.members.set([newsroom.lawyer])
    raw("DELETE FROM approvals_desk_members WHERE desk_id = %s", newsroom.legal.pk)
    raw(
        "INSERT INTO approvals_desk_members (desk_id, user_id) VALUES (%s, %s)",
        newsroom.legal.pk,
        newsroom.drafter.pk,
    )
    raw("UPDATE approvals_step SET quorum = 2 WHERE desk_id = %s", newsroom.legal.pk)
    raw('UPDATE approvals_route SET "default" = false')
    raw("UPDATE approvals_desk SET name = 'Law' WHERE id = %s", newsroom.legal.pk)
    PrivateOffice.objects.create(match="speaker", name="Mara Ellingham", desk=newsroom.legal)
    told = since.told
    assert {by for _, by in told} == {None}
    titles = [title for title, _ in told]
    assert titles[0] == "Marta Feld put on the desk Legal"
    assert set(titles[1:3]) == {
        "Marta Feld taken off the desk Legal",
        "Hugh Penrose taken off the desk Legal",
    }
    assert titles[3:] == [
        "Adaeze Nwosu taken off the desk Legal",
        "Marta Feld put on the desk Legal",
        "Step of the route Standard changed: Legal, everything",
        "Route Standard not the default any more",
        "Desk Law changed",
        "Private office of Mara Ellingham made",
    ]
    assert list(record.verify()) == []


def test_rows_that_name_what_went_first_can_still_be_told(newsroom):
    """Foreign keys are looked at when the transaction ends: raw SQL can take the desk before its people."""
    since = Since()
    newsroom.legal.steps.all().delete()
    raw("DELETE FROM approvals_desk WHERE id = %s", newsroom.legal.pk)
    raw("DELETE FROM approvals_desk_members WHERE desk_id = %s", newsroom.legal.pk)
    _, removed, *left = (title for title, _ in since.told)
    assert removed == "Desk Legal removed"
    # Which of them goes first is the database's matter.
    assert sorted(left) == [
        "Adaeze Nwosu taken off the desk somebody or something that was gone already",
        "Hugh Penrose taken off the desk somebody or something that was gone already",
    ]


@pytest.mark.parametrize(
    "table",
    [
        "approvals_desk",
        "approvals_desk_members",
        "approvals_privateoffice",
        "approvals_route",
        "approvals_step",
        "approvals_deputyship",
        "stories_user",
        "stories_user_groups",
        "auth_group",
    ],
)
def test_every_table_that_says_who_clears_is_guarded_whatever_is_done_to_it(newsroom, table):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgtype & 1, tgtype & 28 FROM pg_trigger WHERE tgrelid = %s::regclass "
            "AND tgname ~ 'in_turn|arranged' AND tgenabled = 'O' ORDER BY 1",
            [table],
        )
        # By statement and by row; each for INSERT (4), DELETE (8) and UPDATE (16).
        assert cursor.fetchall() == [(0, 28), (1, 28)]


# On the page


def test_the_page_takes_as_many_queries_for_three_of_each_as_for_one(newsroom, as_):
    by, browser = newsroom.administrator, as_(newsroom.drafter)
    made = [0]

    def queries(rows: int) -> int:
        while made[0] < rows:
            made[0] += 1
            number, now = made[0], datetime.now(UTC)
            someone = person(f"somebody{number}", f"Some Body{number}", Role.DRAFTER)
            desk = staffing.create_desk(name=f"Desk {number}", by=by)
            staffing.add_person(desk=desk, person=someone, by=by)
            staffing.add_office(desk=desk, match="role", name=f"Mayor {number}", by=by)
            route = routing.create_route(name=f"Route {number}", by=by)
            routing.add_step(route=route, ask=Ask(desk), by=by)
            deputies.appoint(
                person=someone,
                deputy=newsroom.nobody,
                desk=desk,
                since=now,
                until=now + timedelta(days=1),
                by=someone,
            )
        with CaptureQueriesContext(connection) as found:
            page = browser.get(reverse("newsroom_record"))
        assert f"Deputy appointed: Nemo Outis for Some Body{rows}" in page.content.decode()
        return len(found)

    queries(1)
    assert queries(1) == queries(3)


# At once


@pytest.mark.django_db(transaction=True)
def test_people_who_arrange_and_sign_in_at_once_wait_for_one_another_and_never_for_ever(live_newsroom):
    room, by = live_newsroom, live_newsroom.administrator
    desks = [Desk.objects.create(name=f"Desk {number}") for number in range(3)]
    people = list(User.objects.order_by("pk"))
    since = Since()

    def act(who: int) -> Any:
        for turn in range(10):
            match who:
                case 0:
                    # Several rows in one transaction, upwards and downwards.
                    with acting(by):
                        for someone in people if turn % 2 else people[::-1]:
                            someone.first_name = f"{someone.first_name[:20]}{turn}"
                            someone.save(update_fields=["first_name"])
                case 1:
                    User.objects.exclude(pk=by.pk).update(is_staff=turn % 2 == 0)
                case 2:
                    # Signing in writes the account and waits for nobody but who has that row.
                    User.objects.filter(pk=people[turn % 3].pk).update(last_login=datetime.now(UTC))
                case 3:
                    desk = desks[turn % 3]
                    staffing.add_person(desk=desk, person=room.lawyer, by=by)
                    staffing.change_desk(desk=desk, terms=staffing.Terms(f"Desk {turn % 3}"), by=by)
                    staffing.remove_person(desk=desk, person=room.lawyer, by=by)
                case 4:
                    desks[turn % 3].members.set([room.secretary] if turn % 2 else [])
                case 5:
                    releasing.hold_everything(by=room.officer, reason="Wait")
                    releasing.lift_everything(by=room.officer)
        return "done"

    assert race(6, act) == ["done"] * 6
    assert len(since.told) > 100
    assert list(record.verify()) == []


@pytest.mark.django_db(transaction=True)
def test_signing_in_waits_for_no_change_of_anybody_else(live_newsroom):
    """While somebody has the lock of the newsroom's record, others sign in, save and clear."""
    room = live_newsroom
    with acting(room.administrator):
        room.legal.members.add(room.nobody)

        def act(who: int) -> Any:
            raw("SET lock_timeout = '2s'")
            if who == 0:
                return User.objects.filter(pk=room.drafter.pk).update(last_login=datetime.now(UTC))
            return room.submitted().number

        assert race(2, act) == [1, 1]


def test_a_step_twice_in_a_stage_is_still_refused(newsroom):
    with pytest.raises(Exception, match="step_once_a_route"):
        Step.objects.create(route=Route.objects.get(), desk=newsroom.legal)


def test_patterns_are_told_as_what_they_ask(newsroom):
    since, by = Since(), newsroom.administrator
    offices = Ask(None, Covers.SPEAKER, condition=Condition.PRIVATE_OFFICE)
    routing.add_step(route=newsroom.route, ask=offices, by=by)
    assert since.detail == "Stage 2, when somebody with a private office is quoted"
    routing.add_step(route=newsroom.route, ask=Ask(newsroom.legal, condition=Condition.PARTNER), by=by)
    assert since.detail == "Stage 3, when a partner organisation is named"
    assert [title for title, _ in since.told] == [
        "Step added to the route Standard: each private office, their own quotes",
        "Step added to the route Standard: Legal, everything",
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("table", "sql", "fault"),
    [
        (
            "approvals_desk_members",
            "DELETE FROM approvals_desk_members WHERE user_id = {lawyer}",
            "is missing",
        ),
        (
            "approvals_desk_members",
            "INSERT INTO approvals_desk_members (desk_id, user_id) VALUES ({legal}, {drafter})",
            "is not in the record",
        ),
        ("approvals_step", "UPDATE approvals_step SET quorum = 2", "was changed past the record"),
        (
            "stories_user",
            "UPDATE stories_user SET is_superuser = true WHERE id = {drafter}",
            "was changed past the record",
        ),
    ],
)
def test_what_the_owner_changes_with_the_guards_off_is_found(live_newsroom, table, sql, fault):
    room = live_newsroom
    staffing.change_desk(desk=room.legal, terms=staffing.Terms("Law"), by=room.administrator)
    assert list(record.verify()) == []
    named = {"lawyer": room.lawyer.pk, "drafter": room.drafter.pk, "legal": room.legal.pk}
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(sql.format(**named))
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    assert any(found.startswith(table) and found.endswith(fault) for found in record.verify())
