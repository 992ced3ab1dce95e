"""The pages on which routes and desks are set up, as somebody meets them in a browser."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from approvals import clearing, coverage, routing, rules
from approvals.models import ALL, Condition, Covers, Deputyship, Desk, PrivateOffice, Route, Step, Submission
from approvals.routing import Ask
from stories.access import Role
from stories.models import Team, Topic
from tests.approvals.test_views import hidden, words_of
from tests.people import Newsroom, person

pytestmark = pytest.mark.django_db

STEP = {
    "step-stage": "",
    "step-covers": "everything",
    "step-condition": "always",
    "step-quorum": "1",
    "step-before": "",
}


@pytest.fixture
def manager(newsroom, as_):
    return as_(person("priya", "Priya Anand", Role.MANAGER))


def add(browser: Any, route: Route, **fields: Any) -> Any:
    sent = {**STEP, **{f"step-{name}": value for name, value in fields.items()}}
    return browser.post(reverse("step_add", args=[route.pk]), sent, follow=True)


def queries(browser: Any, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert browser.get(path).status_code == 200
    return len(found)


# Routes


def test_a_route_is_made_filled_and_made_the_default(newsroom, manager):
    answer = manager.post(reverse("route_new"), {"new-name": "Ministerial"}, follow=True)
    route = Route.objects.get(name="Ministerial")
    assert "“Ministerial” was made. Add its first step." in words_of(answer)
    add(manager, route, desk=newsroom.legal.pk, before="6 h", quorum="2")
    answer = add(manager, route, desk=newsroom.private_office.pk, covers="speaker", whom=" Mara  Ellingham ")
    text = words_of(answer)
    assert f"Private Office · {coverage.in_words('speaker', 'Mara Ellingham')}" in text
    assert "Stage 1 due 6 h before the embargo" in text
    assert "two of the desk sign" in text
    answer = manager.post(reverse("route_default", args=[route.pk]), follow=True)
    assert "“Ministerial” is the default now." in words_of(answer)
    newsroom.route.refresh_from_db()
    assert not newsroom.route.default


def test_the_drawing_is_on_the_page_with_its_words(newsroom, manager):
    Step.objects.filter(desk=newsroom.private_office).update(stage=2, condition="figure")
    page = manager.get(reverse("route", args=[newsroom.route.pk])).content.decode()
    assert 'role="img" aria-labelledby="route-drawn"' in page
    assert "The route, 2 stages. stage 1: Legal. stage 2: Private Office." in page
    assert page.count('<rect class="box') == 2
    assert '<rect class="box is-maybe"' in page


@pytest.mark.parametrize(
    ("condition", "field", "value", "stored"),
    [
        ("speaker", "named", " Tom  Reed ", "Tom Reed"),
        ("role", "named", "Mayor", "Mayor"),
        ("type", "type", "statement", "statement"),
        ("topic", "topic", "bridges", "bridges"),
        ("partner", "partner", "rivers", "rivers"),
        ("partner", "partner", "", ""),
        ("figure", "named", "left over from another choice", ""),
    ],
)
def test_each_condition_has_a_field_of_its_own(newsroom, manager, condition, field, value, stored):
    add(manager, newsroom.route, desk=newsroom.legal.pk, condition=condition, **{field: value})
    step = newsroom.route.steps.get(stage=2)
    assert (step.condition, step.value) == (condition, stored)
    page = manager.get(reverse("step_change", args=[newsroom.route.pk, step.pk]))
    answer = manager.post(
        reverse("step_change", args=[newsroom.route.pk, step.pk]),
        {
            f"step-{name}": "" if found is None else found
            for name, found in page.context["form"].initial.items()
        },
    )
    assert answer.status_code == 302
    again = Step.objects.get(pk=step.pk)
    assert (again.condition, again.value, again.desk) == (condition, stored, newsroom.legal)


def test_private_offices_are_asked_without_a_desk(newsroom, manager):
    answer = add(
        manager,
        newsroom.route,
        desk=newsroom.legal.pk,
        covers="speaker",
        condition="private_office",
        whom="x",
    )
    step = newsroom.route.steps.get(condition="private_office")
    assert (step.desk, step.whom) == (None, "")
    assert "Private offices · their own quotes" in words_of(answer)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"desk": ""}, "Desk: Choose the desk that is asked."),
        ({"desk": "999999"}, "Desk: "),
        ({"before": "soon"}, "Deadline: “soon” does not say how long. Write it as 6 h, 90 min or 1 d 2 h."),
        ({"before": "0 min"}, "Deadline: That is no time at all."),
        ({"before": "99 d"}, "Deadline: Nothing can be more than 60 days ahead."),
        ({"covers": "speaker"}, "Whose quotes: Say whose quotes it covers"),
        ({"condition": "role"}, "Speaker or role: Say which"),
        ({"condition": "topic"}, "Topic: Choose the topic."),
        ({"condition": "type"}, "Type of story: Choose the type of story."),
        ({"quorum": "7"}, "How many have to sign: "),
        ({"stage": "1"}, "Stage 1 asks that already"),
        ({"stage": "77"}, "Stage: "),
    ],
)
def test_what_cannot_be_asked_is_said_with_all_that_was_typed(newsroom, manager, fields, said):
    sent = {"desk": newsroom.legal.pk, "before": "", **fields}
    answer = add(manager, newsroom.route, **sent)
    assert answer.status_code == 422
    text = words_of(answer)
    assert "No step was added: 1 thing to mend" in text
    assert said in text
    assert newsroom.route.steps.count() == 2
    assert f'value="{fields.get("before", "")}"'.encode() in answer.content


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90 min", timedelta(minutes=90)),
        ("1 d 2 h", timedelta(hours=26)),
        ("2 hours, 5 minutes", timedelta(minutes=125)),
    ],
)
def test_a_deadline_is_typed_as_people_say_it(newsroom, manager, text, span):
    add(manager, newsroom.route, desk=newsroom.legal.pk, before=text)
    assert newsroom.route.steps.get(stage=2).before == span


def test_steps_are_moved_and_removed_with_plain_buttons(newsroom, manager):
    office = newsroom.route.steps.get(desk=newsroom.private_office)
    move = reverse("step_move", args=[newsroom.route.pk, office.pk])
    answer = manager.post(move, {"where": "later"}, follow=True)
    assert "Private Office is asked in stage 2 now." in words_of(answer)
    assert answer.redirect_chain[0][0].endswith(f"#step-{office.pk}")
    answer = manager.post(move, {"where": "later"})
    assert answer.status_code == 409
    assert "It is alone in the last stage already." in words_of(answer)
    assert manager.post(move, {"where": "out of the window"}).status_code == 302
    legal = newsroom.route.steps.get(desk=newsroom.legal)
    answer = manager.post(reverse("step_remove", args=[newsroom.route.pk, legal.pk]))
    assert answer.status_code == 409
    assert "“Standard” is the default, and one of its steps has to cover everything" in words_of(answer)
    answer = manager.post(reverse("step_remove", args=[newsroom.route.pk, office.pk]), follow=True)
    assert "Private Office is not asked by this route any more." in words_of(answer)
    # A tab in which the step still stands says what became of it.
    for stale in (move, reverse("step_remove", args=[newsroom.route.pk, office.pk])):
        answer = manager.post(stale, {"where": "up"}, follow=True)
        assert answer.redirect_chain == [(reverse("route", args=[newsroom.route.pk]), 302)]
        assert "That step is not there any more: somebody removed it." in words_of(answer)
    answer = manager.get(reverse("step_change", args=[newsroom.route.pk, office.pk]), follow=True)
    assert "That step is not there any more: somebody removed it." in words_of(answer)
    assert manager.post(reverse("step_move", args=[0, office.pk]), {"where": "up"}).status_code == 404


def test_a_route_that_was_used_is_not_removed(newsroom, manager):
    newsroom.submitted()
    other = routing.create_route(name="Other", by=newsroom.administrator)
    path = reverse("route_remove", args=[newsroom.route.pk])
    assert "it is the default" in words_of(manager.post(path))
    routing.add_step(route=other, ask=Ask(newsroom.legal), by=newsroom.administrator)
    routing.make_default(route=other, by=newsroom.administrator)
    answer = manager.post(path)
    assert answer.status_code == 409
    assert "stories were sent by it" in words_of(answer)
    routing.make_default(route=newsroom.route, by=newsroom.administrator)
    assert "“Other” was removed." in words_of(
        manager.post(reverse("route_remove", args=[other.pk]), follow=True)
    )


def test_a_name_that_is_taken_is_refused_at_its_field(newsroom, manager):
    for path, field in (("route_new", "new-name"), ("desk_new", "new-name")):
        name = "standard" if path == "route_new" else "legal"
        answer = manager.post(reverse(path), {field: name})
        assert answer.status_code == 422
        assert f"Name: There is a {path.partition('_')[0]} called “{name}” already." in words_of(answer)
        assert manager.post(reverse(path), {field: " "}).status_code == 422
    other = routing.create_route(name="Other", by=newsroom.administrator)
    answer = manager.post(reverse("route_rename", args=[other.pk]), {"route-name": "Standard"})
    assert answer.status_code == 422
    assert "The name was not changed: 1 thing to mend" in words_of(answer)
    manager.post(reverse("route_rename", args=[other.pk]), {"route-name": "Another"})
    other.refresh_from_db()
    assert other.name == "Another"


def test_a_preview_says_what_a_story_would_be_asked_and_why(newsroom, manager):
    Topic.objects.create(name="Eels", slug="eels")
    routing.add_step(
        route=newsroom.route,
        ask=Ask(newsroom.legal, condition=Condition.TOPIC, value="eels"),
        by=newsroom.administrator,
    )
    story = newsroom.draft(headline="Previewed").story
    path = reverse("route", args=[newsroom.route.pk])
    chosen = words_of(manager.get(path, {"story": story.uid}))
    typed = words_of(manager.get(path, {"address": f"https://x.example/desk/stories/{story.uid}/clearing/"}))
    for text in (chosen, typed):
        assert "Previewed revision 1, as it is today" in text
        assert "always asked" in text
        assert f"not needed: it is asked only {coverage.when_in_words('topic', 'Eels')}" in text
    for wanted in ("nonsense", "00000000-0000-4000-8000-000000000000", "\0"):
        assert "Previewed revision 1" not in words_of(manager.get(path, {"address": wanted}))
    hers = newsroom.draft(headline="Secret", team=Team.objects.create(name="Coasts"))
    page = manager.get(path, {"story": hers.story.uid})
    assert "Secret" not in words_of(page)
    assert "No story that you may know of has this address." in words_of(page)


def test_what_is_better_mended_is_on_the_page(newsroom, manager):
    newsroom.legal.members.clear()
    text = words_of(manager.get(reverse("route", args=[newsroom.route.pk])))
    assert "Better mended Nobody is on the desk Legal: nobody could sign." in text


def test_what_somebody_else_removed_meanwhile_is_said(newsroom, manager, monkeypatch):
    def gone(**kwargs: Any) -> None:
        raise routing.Gone("That step is not there any more: somebody removed it.")

    monkeypatch.setattr(routing, "move_step", gone)
    step = newsroom.route.steps.all()[0]
    answer = manager.post(
        reverse("step_move", args=[newsroom.route.pk, step.pk]), {"where": "up"}, follow=True
    )
    assert "That step is not there any more" in words_of(answer)


def test_lists_take_as_many_queries_for_three_rows_as_for_one(newsroom, manager):
    path, one = reverse("route", args=[newsroom.route.pk]), reverse("desk_page", args=[newsroom.legal.pk])
    paths = (reverse("routes"), reverse("desks"), path, one)
    Route.objects.exclude(pk=newsroom.route.pk).delete()
    topics = [Topic.objects.create(name=name, slug=name) for name in ("one", "two", "three")]

    def fill(number: int) -> None:
        """One more of everything that is listed."""
        desk = Desk.objects.create(name=f"Desk {number}")
        desk.members.add(user := person(f"user{number}", f"User {number}"))
        newsroom.legal.members.add(user)
        PrivateOffice.objects.create(match="speaker", name=f"Speaker {number}", desk=newsroom.legal)
        now = datetime.now(UTC)
        Deputyship.objects.create(
            person=user,
            deputy=newsroom.nobody,
            since=now - timedelta(hours=1),
            until=now + timedelta(hours=1),
            by=user,
        )
        route = routing.create_route(name=f"Route {number}", by=newsroom.administrator)
        routing.add_step(route=route, ask=Ask(newsroom.legal), by=newsroom.administrator)
        routing.add_step(
            route=newsroom.route,
            ask=Ask(desk, condition=Condition.TOPIC, value=topics[number].slug),
            by=newsroom.administrator,
        )
        newsroom.draft(slug=f"story-{number}")

    fill(0)
    first = [queries(manager, path) for path in paths]
    fill(1)
    fill(2)
    assert [queries(manager, path) for path in paths] == first


def test_lists_have_pages(newsroom, manager, monkeypatch):
    monkeypatch.setattr("approvals.route_views.ROWS_A_PAGE", 1)
    routing.create_route(name="Zebra", by=newsroom.administrator)
    first, second = (words_of(manager.get(reverse("routes"), {"page": page})) for page in (1, 2))
    assert "Standard" in first
    assert "Zebra" not in first
    assert "Zebra" in second
    assert "page 1 of 2" in words_of(manager.get(reverse("desks")))
    assert "page 1 of 2" in words_of(manager.get(reverse("desk_page", args=[newsroom.legal.pk])))


# Desks


def test_a_desk_is_made_and_its_people_are_chosen(newsroom, manager):
    answer = manager.post(reverse("desk_new"), {"new-name": "Picture desk"}, follow=True)
    desk = Desk.objects.get(name="Picture desk")
    assert "Nobody: whatever is laid before this desk waits." in words_of(answer)
    page = words_of(manager.get(reverse("desk_page", args=[desk.pk]), {"q": "out nem"}))
    assert "1 person found" in page
    assert "Nemo Outis" in page
    answer = manager.post(reverse("desk_person_add", args=[desk.pk, newsroom.nobody.pk]), follow=True)
    assert "Nemo Outis can clear for Picture desk now." in words_of(answer)
    assert Role.CLEARER in {*map(Role, newsroom_roles(newsroom.nobody))}
    answer = manager.post(reverse("desk_person_remove", args=[desk.pk, newsroom.nobody.pk]), follow=True)
    assert "is not on the desk Picture desk any more" in words_of(answer)
    answer = manager.post(reverse("desk_remove", args=[desk.pk]), follow=True)
    assert "The desk Picture desk was removed." in words_of(answer)


def newsroom_roles(user: Any) -> set[str]:
    from stories.access import roles_of

    return set(roles_of(type(user).objects.get(pk=user.pk)))


def test_the_terms_of_a_desk(newsroom, manager):
    path = reverse("desk_save", args=[newsroom.legal.pk])
    sent = {
        "desk-name": "Legal advice",
        "desk-organisation": "",
        "desk-reminders": "2 h, 30",
        "desk-escalates_to": newsroom.private_office.pk,
        "desk-escalates_after": "1 h",
    }
    text = words_of(manager.post(path, sent, follow=True))
    newsroom.legal.refresh_from_db()
    assert (newsroom.legal.name, newsroom.legal.reminders) == ("Legal advice", [120, 30])
    assert (newsroom.legal.escalates_to, newsroom.legal.escalates_after) == (newsroom.private_office, 60)
    assert "reminded 2 h, 30 min before a deadline · Private Office is told when it is late" in text
    for field, value, said in (
        ("reminders", "soon", "Reminders: “soon” does not say how long."),
        ("escalates_after", "x", "How long after the deadline: “x” does not say how long."),
        ("name", "private office", "Name: There is a desk called “private office” already."),
        ("escalates_to", str(newsroom.legal.pk), "Told when it is late: "),
    ):
        answer = manager.post(path, {**sent, f"desk-{field}": value})
        assert answer.status_code == 422
        assert said in words_of(answer)


def test_private_offices_deputies_and_where_it_is_asked(newsroom, manager):
    now = datetime.now(UTC)
    Deputyship.objects.create(
        person=newsroom.lawyer,
        deputy=newsroom.nobody,
        since=now - timedelta(hours=1),
        until=now + timedelta(hours=1),
        by=newsroom.lawyer,
    )
    path = reverse("office_add", args=[newsroom.legal.pk])
    text = words_of(manager.post(path, {"office-match": "role", "office-name": "Mayor"}, follow=True))
    for said in (
        "Legal is the private office of Mayor now.",
        "Adaeze Nwosu adaeze",
        "Nemo Outis stands in for Adaeze Nwosu until",
        "Standard · stage 1 · everything",
    ):
        assert said in text
    answer = manager.post(path, {"office-match": "role", "office-name": "mayor"})
    assert answer.status_code == 422
    assert "Mayor has a private office already: Legal." in words_of(answer)
    office = PrivateOffice.objects.get()
    assert (
        manager.post(reverse("office_remove", args=[newsroom.private_office.pk, office.pk])).status_code
        == 404
    )
    manager.post(reverse("office_remove", args=[newsroom.legal.pk, office.pk]))
    assert not PrivateOffice.objects.exists()


def test_a_desk_that_was_asked_is_not_removed(newsroom, manager):
    newsroom.submitted()
    answer = manager.post(reverse("desk_remove", args=[newsroom.legal.pk]))
    assert answer.status_code == 409
    assert "Legal was not removed: stories were laid before it" in words_of(answer)


def test_who_leaves_where_all_have_to_sign_is_told_of(newsroom, manager):
    Step.objects.filter(desk=newsroom.legal).update(quorum=ALL)
    newsroom.submitted()
    path = reverse("desk_person_remove", args=[newsroom.legal.pk, newsroom.lawyer.pk])
    assert "1 sign-off still wait for Adaeze Nwosu" in words_of(manager.post(path, follow=True))


def test_managers_and_administrators_have_the_link_and_nobody_else(newsroom, as_, manager):
    for browser, there in (
        (manager, True),
        (as_(newsroom.administrator), True),
        (as_(newsroom.drafter), False),
    ):
        page = browser.get("/desk/").content
        assert (b'href="/desk/routes/"' in page) is there
    assert b"/desk/admin/" in as_(newsroom.administrator).get("/desk/").content
    assert b"/desk/admin/" not in manager.get("/desk/routes/").content


# Requesting by a route


def second_route(newsroom: Newsroom) -> Route:
    route = routing.create_route(name="Ministerial", by=newsroom.administrator)
    routing.add_step(route=route, ask=Ask(newsroom.legal), by=newsroom.administrator)
    routing.add_step(route=route, ask=Ask(newsroom.private_office, Covers.NOTES), by=newsroom.administrator)
    return route


def test_a_drafter_chooses_among_routes_and_reads_what_each_would_ask(newsroom, as_):
    route, revision, browser = second_route(newsroom), newsroom.draft(), as_(newsroom.drafter)
    page = browser.get(reverse("story_clearing", args=[revision.story.uid]))
    text = words_of(page)
    assert "goes by the route that is chosen under Who will be asked" in text
    assert f"Legal (everything) and Private Office ({coverage.in_words('notes')})" in text
    assert f'value="{newsroom.route.pk}" id="by-{newsroom.route.pk}" checked'.encode() in page.content
    sent = {"revision": hidden(page, "revision"), "route": route.pk}
    answer = browser.post(reverse("story_submit", args=[revision.story.uid]), sent, follow=True)
    assert "by the route “Ministerial”" in words_of(answer)
    assert Submission.objects.get().route == route


def test_a_route_that_is_not_offered_any_more_is_not_taken(newsroom, as_):
    route, revision = second_route(newsroom), newsroom.draft()
    route.steps.filter(covers="everything").delete()
    path = reverse("story_submit", args=[revision.story.uid])
    for wanted in (route.pk, 10**30, "x"):
        answer = as_(newsroom.drafter).post(path, {"revision": revision.pk, "route": wanted})
        assert answer.status_code == 409
        assert "that route is not offered any more" in words_of(answer)
    assert not Submission.objects.exists()


def test_a_route_that_changed_since_can_be_asked_again_as_it_is_now(newsroom, as_):
    revision, browser = newsroom.cleared(), as_(newsroom.drafter)
    path = reverse("story_clearing", args=[revision.story.uid])
    assert "The route has changed since" not in words_of(browser.get(path))
    extra = Desk.objects.create(name="Extra")
    routing.add_step(route=newsroom.route, ask=Ask(extra), by=newsroom.administrator)
    assert "The route has changed since" not in words_of(as_(newsroom.lawyer).get(path))
    text = words_of(browser.get(path))
    assert "The route has changed since." in text
    assert "Ask again by the route as it is now" in text
    answer = browser.post(
        reverse("story_submit", args=[revision.story.uid]),
        {"revision": revision.pk, "route": newsroom.route.pk},
        follow=True,
    )
    assert "The route has changed since" not in words_of(answer)
    states = {step.desk: step.state for step in rules.progress(revision).steps}
    assert states == {"Legal": "cleared", "Private Office": "cleared", "Extra": "waiting"}


def test_the_route_in_words_says_stage_deadline_quorum_and_who(newsroom, as_):
    Step.objects.filter(desk=newsroom.legal).update(quorum=2)
    Step.objects.filter(desk=newsroom.private_office).update(stage=2)
    revision = newsroom.submitted()
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    now = datetime.now(UTC)
    Deputyship.objects.create(
        person=newsroom.second_lawyer,
        deputy=newsroom.nobody,
        since=now - timedelta(hours=1),
        until=now + timedelta(hours=1),
        by=newsroom.second_lawyer,
    )
    page = as_(newsroom.drafter).get(reverse("story_clearing", args=[revision.story.uid]))
    text = words_of(page)
    for said in ("Stage 1", "1 of 2 signed", "cleared by Adaeze Nwosu, ", "Stage 2", "opens after stage 1"):
        assert said in text
    state = next(step for step in rules.progress(revision).steps if step.desk == "Legal")
    clearing.clear(
        step=state.step,
        revision=revision,
        covered=state.covered or "",
        by=newsroom.nobody,
        on_behalf=newsroom.second_lawyer,
    )
    release = words_of(as_(newsroom.officer).get(reverse("story_release", args=[revision.story.uid])))
    for found in (words_of(as_(newsroom.drafter).get(page.request["PATH_INFO"])), release):
        assert "Nemo Outis, on behalf of Hugh Penrose" in found
    assert "2 of 2 signed" in release
