"""Clearance binds below Python too: what the application's role tries in SQL, in the ORM, in the admin."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib import admin
from django.db import Error, connection, connections, models, transaction
from django.db.models import ProtectedError
from django.urls import reverse

from approvals import clearing, rules
from approvals.models import Covers, Decision, Desk, PinnedStep, Route, Standing, Step, Submission, Verdict
from newsroom import releasing
from newsroom.models import Release
from stories import record
from stories.models import Entry, Fact, Revision, Topic, User
from stories.refusals import hint_of
from tests.approvals.doing import ask, covered

pytestmark = pytest.mark.django_db

#: PostgreSQL's code for a missing right.
NOT_ALLOWED = "42501"
FACTS = [Submission, PinnedStep, Decision, Standing]


def sql(statement: str, *values: Any) -> None:
    """Run a statement as the application's role, with deferred constraints checked at once."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def everything() -> list[Any]:
    """All rows that an attack could have changed."""
    tables: list[type[models.Model]] = [
        Revision,
        Submission,
        PinnedStep,
        Decision,
        Standing,
        Entry,
        Release,
    ]
    return [list(table._default_manager.order_by("pk").values()) for table in tables]


@contextmanager
def refusal(kind: type[Exception] = Error) -> Iterator[Any]:
    """Within it something is refused, and nothing changes."""
    before = everything()
    with pytest.raises(kind) as caught, transaction.atomic():
        yield caught
    assert everything() == before


def row(newsroom, newest: Revision, **changes: Any) -> dict[str, Any]:
    """A sign-off by Legal that would be accepted, with changes."""
    return {
        "story": newest.story,
        "by": newsroom.lawyer,
        "step": newsroom.step(newest.story, newsroom.legal),
        "revision": newest,
        "desk": newsroom.legal,
        "covers": Covers.EVERYTHING,
        "verdict": Verdict.CLEARED,
        "covered": covered(newest, newsroom.legal),
        **changes,
    }


def test_the_tests_run_as_a_role_that_owns_nothing():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, session_user, (SELECT tableowner FROM pg_tables WHERE tablename = %s)",
            [Decision._meta.db_table],
        )
        current, session, owner = cursor.fetchone()
    assert current == session != owner


# A decision that no verb would write


def test_a_row_that_says_what_a_verb_says_is_accepted(newsroom):
    revision = newsroom.submitted()
    Decision.objects.create(**row(newsroom, revision))
    assert rules.progress(revision).steps[0].state == "cleared"


def by_the_drafter(newsroom, revision: Revision) -> dict[str, Any]:
    newsroom.legal.members.add(newsroom.drafter)
    return {"by": newsroom.drafter}


def by_a_superuser_who_wrote(newsroom, revision: Revision) -> dict[str, Any]:
    User.objects.filter(pk=newsroom.drafter.pk).update(is_superuser=True)
    return by_the_drafter(newsroom, revision)


def for_a_second_desk(newsroom, revision: Revision) -> dict[str, Any]:
    newsroom.private_office.members.add(newsroom.drafter)
    step = newsroom.step(revision.story, newsroom.private_office)
    return {"by": newsroom.drafter, "step": step, "covered": covered(revision, newsroom.private_office)}


def deactivated(newsroom, revision: Revision) -> dict[str, Any]:
    User.objects.filter(pk=newsroom.lawyer.pk).update(is_active=False)
    return {}


def of_another_story(newsroom, revision: Revision) -> dict[str, Any]:
    other = newsroom.submitted(headline="Another", slug="another")
    return {"step": newsroom.step(other.story, newsroom.legal)}


def on_a_revision_of_another_story(newsroom, revision: Revision) -> dict[str, Any]:
    other = newsroom.submitted(headline="Another", slug="another")
    return {"revision": other, "covered": covered(other, newsroom.legal)}


def on_an_old_revision(newsroom, revision: Revision) -> dict[str, Any]:
    newsroom.edit(revision.story, headline="Another")
    return {}


FORGED: dict[str, tuple[Callable[..., dict[str, Any]], str]] = {
    "own words": (by_the_drafter, "four_eyes"),
    "own words, a superuser": (by_a_superuser_who_wrote, "four_eyes"),
    "own words, through a second desk": (for_a_second_desk, "four_eyes"),
    "a desk one is not on": (lambda n, r: {"by": n.secretary}, "not_on_desk"),
    "a superuser on no desk": (lambda n, r: {"by": n.administrator}, "not_on_desk"),
    "deactivated": (deactivated, "not_on_desk"),
    "nobody": (lambda n, r: {"by": None}, "not_on_desk"),
    "another digest": (lambda n, r: {"covered": "0" * 64}, "digest"),
    "the digest of another step": (lambda n, r: {"covered": covered(r, n.private_office)}, "digest"),
    "another story's step": (of_another_story, "not_asked"),
    "another story's revision": (on_a_revision_of_another_story, "stale"),
    "an old revision": (on_an_old_revision, "stale"),
    "changes without a reason": (lambda n, r: {"verdict": Verdict.CHANGES, "reason": " \n"}, ""),
}


@pytest.mark.parametrize("forged", FORGED)
def test_a_forged_decision_is_refused(newsroom, forged):
    revision = newsroom.submitted()
    changes, hint = FORGED[forged]
    changed = changes(newsroom, revision)
    with refusal() as caught:
        Decision.objects.create(**row(newsroom, revision, **changed))
    assert hint_of(caught.value) == hint


def test_a_forged_decision_is_refused_in_bulk_too(newsroom):
    revision = newsroom.submitted()
    newsroom.legal.members.add(newsroom.drafter)
    with refusal():
        Decision.objects.bulk_create([Decision(**row(newsroom, revision, by=newsroom.drafter))])


def test_desk_coverage_time_and_id_are_the_databases(newsroom):
    """Whatever is sent: an id above all later ones would make a sign-off the newest for ever."""
    revision = newsroom.submitted()
    sent = row(newsroom, revision, desk=newsroom.private_office, covers=Covers.QUOTES)
    decision = Decision.objects.create(**sent, pk=10**12, at="2001-01-01T00:00Z")
    kept = Decision.objects.get()
    assert (decision.pk, kept.desk, kept.covers) == (kept.pk, newsroom.legal, Covers.EVERYTHING)
    assert kept.pk < 10**12
    assert kept.at.year > 2001
    ask(newsroom, revision, newsroom.legal, newsroom.second_lawyer)
    assert rules.progress(revision).steps[0].state == "asked"


def test_the_id_of_a_request_is_the_databases_too(newsroom):
    revision = newsroom.draft()
    Submission.objects.create(
        pk=10**12, story=revision.story, by=newsroom.drafter, revision=revision, route=newsroom.route
    )
    assert Submission.objects.get().pk < 10**12


# What was asked and decided stays


@pytest.mark.parametrize("model", FACTS)
@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_facts_and_read_models_are_not_changed_in_sql(newsroom, model, statement):
    newsroom.sign(newsroom.submitted(), newsroom.private_office, newsroom.secretary)
    table, column = model._meta.db_table, model._meta.pk.column
    with refusal():
        sql(statement.format(table, column, column))


@pytest.mark.parametrize("model", FACTS)
def test_facts_and_read_models_are_not_changed_in_the_orm(newsroom, model):
    newsroom.sign(newsroom.submitted(), newsroom.private_office, newsroom.secretary)
    thing = model.objects.first()
    with refusal():
        thing.save(force_update=True)
    with refusal():
        thing.delete()
    with refusal():
        model.objects.all()._raw_delete("default")
    with refusal():
        model.objects.update(**{model._meta.pk.attname: 7})


@pytest.mark.parametrize("model", [Submission, PinnedStep, Decision])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_not_even_the_owner_changes_a_fact(live_newsroom, model, statement):
    live_newsroom.sign(live_newsroom.submitted(), live_newsroom.legal, live_newsroom.lawyer)
    table, column = model._meta.db_table, model._meta.pk.column
    with pytest.raises(Error) as caught, connections["owner"].cursor() as cursor:
        cursor.execute(statement.format(table, column, column))
    assert hint_of(caught.value) == "append_only"


INSERTS = {
    "a pinned step": "INSERT INTO approvals_pinnedstep (submission_id, desk_id, covers, position) "
    "SELECT submission_id, desk_id, 'quotes', 9 FROM approvals_pinnedstep LIMIT 1",
    "a step that stands": "INSERT INTO approvals_standing "
    "(step_id, story_id, desk_id, revision_id, covered, decisions, state, barred, is_open) "
    "SELECT s.id, b.story_id, s.desk_id, b.revision_id, '', '{}', 'cleared', '{}', true "
    "FROM approvals_pinnedstep s JOIN approvals_submission b ON b.id = s.submission_id LIMIT 1",
    "an entry of the record": "INSERT INTO stories_entry "
    "(story_id, number, source, fact, at, payload, previous, hash) "
    "SELECT story_id, 9, 'approvals_decision', 1, now(), '{}', hash, hash FROM stories_entry LIMIT 1",
    "an entry, by the guards' function": "SELECT record_append("
    "(SELECT id FROM stories_story LIMIT 1), 'approvals_decision', 1, NULL, now(), '{}')",
    "a read model, by the guards' function": "SELECT refresh_standings(id) FROM stories_story",
}


@pytest.mark.parametrize("what", INSERTS)
def test_what_guards_write_is_not_written_by_hand(newsroom, what):
    newsroom.submitted()
    with refusal() as caught:
        sql(INSERTS[what])
    assert caught.value.__cause__.sqlstate == NOT_ALLOWED


@pytest.mark.parametrize("table", ["approvals_submission", "approvals_decision"])
def test_no_guard_is_hung_on_a_table_of_ones_own(newsroom, table):
    """A temporary table with a guard on it would write, with the owner's rights, what nobody decided."""
    revision = newsroom.submitted()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT tgfoid::regproc::text FROM pg_trigger WHERE tgrelid = %s::regclass "
            "AND tgname ~ '^pgtrigger'",
            [table],
        )
        guards = [name for (name,) in cursor.fetchall()]
    assert len(guards) >= 4
    for guard in guards:
        with refusal():
            sql(f"CREATE TEMP TABLE {table} AS SELECT * FROM public.{table} WHERE false")
            sql(f"CREATE TRIGGER mine AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {guard}()")
            sql(
                f"INSERT INTO {table} (id, story_id, revision_id) VALUES (1, %s, %s)",
                revision.story_id,
                revision.pk,
            )


SWITCHES = {
    "pgtrigger.ignore": "SET LOCAL pgtrigger.ignore = "
    "'{approvals_decision:allowed,approvals_decision:append_only}'",
    "newsroom.at": "SET LOCAL newsroom.at = '2001-01-01T00:00Z'",
    "a search path of one's own": "SET LOCAL search_path = pg_temp, public",
    "another zone": "SET LOCAL timezone = 'Pacific/Auckland'",
}


@pytest.mark.parametrize("switch", SWITCHES)
def test_no_setting_of_a_session_gets_round_a_guard(newsroom, switch):
    revision = newsroom.submitted()
    newsroom.legal.members.add(newsroom.drafter)
    decision = newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    sql(SWITCHES[switch])
    with refusal() as caught:
        Decision.objects.create(**row(newsroom, revision, by=newsroom.drafter))
    assert hint_of(caught.value) == "four_eyes"
    with refusal():
        Decision.objects.filter(pk=decision.pk).update(reason="another")
    asked = ask(newsroom, revision, newsroom.private_office, newsroom.secretary)
    asked.refresh_from_db()
    assert abs((asked.at - clock()).total_seconds()) < 60
    sql("SET LOCAL timezone = 'UTC'")
    assert list(record.verify()) == []


def clock() -> Any:
    """The database's clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


TAMPERING = [
    "SET session_replication_role = replica",
    "SET ROLE newsroom_owner",
    "ALTER TABLE approvals_decision DISABLE TRIGGER ALL",
    "DROP TRIGGER standings_changed ON stories_revision",
    "ALTER FUNCTION is_cleared RENAME TO was_cleared",
    "CREATE FUNCTION public.digest_of(text) RETURNS text LANGUAGE sql AS $$ SELECT '' $$",
    "CREATE OR REPLACE FUNCTION is_cleared(bigint) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$",
    "DROP TABLE approvals_decision CASCADE",
    "SELECT setval('approvals_decision_id_seq', 1)",
    "UPDATE pg_trigger SET tgenabled = 'D'",
]


@pytest.mark.parametrize("statement", TAMPERING)
def test_the_guards_themselves_are_out_of_reach(newsroom, statement):
    newsroom.submitted()
    with refusal() as caught:
        sql(statement)
    assert caught.value.__cause__.sqlstate == NOT_ALLOWED


def test_a_role_grants_itself_nothing(newsroom):
    """PostgreSQL only warns where a role grants what it may not."""
    before = grants()
    with connection.cursor() as cursor:
        cursor.execute("GRANT UPDATE, DELETE, TRUNCATE ON approvals_submission TO CURRENT_USER")
    assert grants() == before


def grants() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, privilege_type FROM information_schema.role_table_grants "
            "WHERE grantee = CURRENT_USER ORDER BY 1, 2"
        )
        return list(cursor.fetchall())


def test_functions_of_ones_own_in_a_temporary_schema_are_not_called(newsroom):
    revision = newsroom.submitted()
    newsroom.legal.members.add(newsroom.drafter)
    sql(
        "CREATE FUNCTION pg_temp.barred(public.stories_revision, public.approvals_pinnedstep, text) "
        "RETURNS bigint[] LANGUAGE sql AS $$ SELECT ARRAY[]::bigint[] $$"
    )
    sql("CREATE TEMP TABLE stories_revision AS SELECT * FROM public.stories_revision WHERE false")
    with pytest.raises(Error) as caught, transaction.atomic():
        sql(
            "INSERT INTO public.approvals_decision "
            "(story_id, by_id, step_id, revision_id, verdict, covered, whom, reason) "
            "SELECT %s, %s, %s, %s, 'cleared', %s, '', ''",
            revision.story_id,
            newsroom.drafter.pk,
            newsroom.step(revision.story, newsroom.legal).pk,
            revision.pk,
            revision.digest,
        )
    assert "four_eyes" in str(caught.value.__cause__.diag.message_hint)


# What was asked stays, whoever goes


@pytest.mark.parametrize(
    ("gone", "statement"),
    [
        ("desk", "DELETE FROM approvals_desk WHERE id = %s"),
        ("route", "DELETE FROM approvals_route WHERE id = %s"),
        ("user", "DELETE FROM stories_user WHERE id = %s"),
    ],
)
def test_what_a_fact_names_is_not_deleted(newsroom, gone, statement):
    newsroom.cleared()
    thing = {"desk": newsroom.legal, "route": newsroom.route, "user": newsroom.lawyer}[gone]
    newsroom.legal.members.clear()
    Step.objects.all().delete()
    thing.groups.clear() if gone == "user" else None
    with refusal(ProtectedError):
        thing.delete()
    with refusal():
        sql(statement, thing.pk)
    with refusal():
        sql(statement.replace("DELETE FROM", "UPDATE").replace("WHERE", "SET id = id + 1000 WHERE"), thing.pk)
    assert type(thing).objects.filter(pk=thing.pk).exists()


def test_a_desk_without_people_and_a_changed_route_keep_what_was_decided(newsroom):
    revision = newsroom.cleared()
    newsroom.legal.members.clear()
    newsroom.route.steps.all().delete()
    User.objects.filter(pk=newsroom.lawyer.pk).update(is_active=False)
    assert rules.progress(revision).cleared


# Nothing goes out on less


def test_a_request_by_a_route_without_a_desk_for_everything_leads_to_no_release(newsroom):
    revision = newsroom.draft()
    route = Route.objects.create(name="Quotes alone")
    Step.objects.create(route=route, desk=newsroom.private_office, covers=Covers.QUOTES)
    Submission.objects.create(story=revision.story, by=newsroom.drafter, revision=revision, route=route)
    newsroom.sign(revision, newsroom.private_office, newsroom.secretary)
    progress = rules.progress(revision)
    assert (progress.missing, progress.cleared) == ([], False)
    cannot_be_armed(newsroom, revision)


def test_a_request_by_a_route_without_steps_leads_to_no_release(newsroom):
    revision = newsroom.draft()
    route = Route.objects.create(name="Nobody")
    Submission.objects.create(story=revision.story, by=newsroom.drafter, revision=revision, route=route)
    cannot_be_armed(newsroom, revision)


def test_a_step_that_covers_what_nobody_knows_is_not_set_up(newsroom):
    with refusal():
        Step.objects.create(route=newsroom.route, desk=newsroom.private_office, covers="nothing at all")


def cannot_be_armed(newsroom, revision: Revision) -> None:
    with refusal(releasing.NotCleared):
        releasing.arm(revision=revision, by=newsroom.officer, moment=None)
    with refusal() as caught:
        Release.objects.create(
            story=revision.story, by=newsroom.officer, revision=revision, embargo=None, zone="UTC"
        )
    assert hint_of(caught.value) == "not_cleared"


# In the admin


@pytest.mark.parametrize(
    "model", [model for model in admin.site._registry if issubclass(model, Fact)] + FACTS
)
def test_the_admin_shows_facts_and_offers_nothing_more(newsroom, as_, model):
    newsroom.sign(newsroom.submitted(), newsroom.private_office, newsroom.secretary)
    browser = as_(newsroom.administrator)
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    assert browser.get(reverse(f"{name}_changelist")).status_code == 200
    assert browser.get(reverse(f"{name}_add")).status_code == 403
    thing = model._default_manager.first()
    if thing is None:
        return
    before = everything()
    change = reverse(f"{name}_change", args=[thing.pk])
    assert browser.get(change).status_code == 200
    for path in (change, reverse(f"{name}_delete", args=[thing.pk])):
        assert (
            browser.post(path, {"post": "yes", "reason": "another", "verdict": "cleared"}).status_code == 403
        )
    act = {"action": "delete_selected", "_selected_action": thing.pk, "post": "yes"}
    browser.post(reverse(f"{name}_changelist"), act)
    assert everything() == before


def test_the_admin_goes_round_no_rule_of_routes(newsroom, as_):
    """They are set up on pages of the product, whose verbs keep a route whole."""
    browser = as_(newsroom.administrator)
    for model, thing in (
        ("desk", newsroom.legal),
        ("route", newsroom.route),
        ("step", newsroom.route.steps.first()),
    ):
        assert browser.get(reverse(f"admin:approvals_{model}_change", args=[thing.pk])).status_code == 200
        assert browser.post(reverse(f"admin:approvals_{model}_add"), {"name": "Mine"}).status_code == 403
        changed = browser.post(reverse(f"admin:approvals_{model}_change", args=[thing.pk]), {"name": "Mine"})
        assert changed.status_code == 403
    assert not Desk.objects.filter(name="Mine").exists()


def test_a_slug_that_contents_know_stays(newsroom, as_):
    topic = Topic.objects.get(slug="bridges")
    change = reverse("admin:stories_topic_change", args=[topic.pk])
    sent = as_(newsroom.administrator).post(change, {"name": "Bridges and fords", "slug": "fords"})
    topic.refresh_from_db()
    assert (sent.status_code, topic.name, topic.slug) == (302, "Bridges and fords", "bridges")


@pytest.mark.parametrize("kind", ["desk", "route", "user"])
def test_the_admin_deletes_nothing_that_a_fact_names(newsroom, as_, kind):
    newsroom.cleared()
    thing = {"desk": newsroom.legal, "route": newsroom.route, "user": newsroom.lawyer}[kind]
    name = f"admin:{thing._meta.app_label}_{thing._meta.model_name}_delete"
    as_(newsroom.administrator).post(reverse(name, args=[thing.pk]), {"post": "yes"})
    assert type(thing).objects.filter(pk=thing.pk).exists()


def test_only_administrators_come_into_the_admin(newsroom, as_):
    for user in (newsroom.drafter, newsroom.lawyer, newsroom.officer):
        assert as_(user).get(reverse("admin:approvals_route_changelist")).status_code == 403


# From a shell


def test_a_shell_meets_the_same_guards(newsroom):
    revision = newsroom.submitted()
    newsroom.legal.members.add(newsroom.drafter)
    with refusal(clearing.FourEyes):
        newsroom.sign(revision, newsroom.legal, newsroom.drafter)
    with refusal():
        Decision(**row(newsroom, revision, by=newsroom.drafter)).save()
    with refusal():
        Decision(**row(newsroom, revision, by=newsroom.drafter)).save_base(raw=True)
    decision = newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    decision.covered = "0" * 64
    with refusal():
        decision.save()
