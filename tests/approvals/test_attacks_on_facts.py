"""What happened stays: against the models, the admin, SQL, the owner, and sessions set up to fool."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import Error, connection, connections, models, transaction
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse

from approvals import clearing, rules
from approvals.models import (
    Covers,
    Decision,
    Deputyship,
    Desk,
    PrivateOffice,
    Route,
    Step,
)
from newsroom import bundling, embargo, preflight, probing, releasing
from newsroom.models import Release
from stories import drafting, pictures, record, renditions, translating
from stories.models import Organisation, Topic, User
from stories.moments import Moment
from stories.refusals import hint_of
from tests.approvals.arming import NOT_CLEARED, arm_by_a_model, arm_by_sql
from tests.approvals.attacks import (
    FAR,
    FORGED,
    HOUR,
    KEPT,
    QUOTE,
    READ_MODELS,
    REFUSALS,
    STAYS,
    by_the_owner,
    everything,
    nothing_changes,
    run,
    sent,
    stands_in,
)
from tests.newsroom.copying import acknowledged, given
from tests.newsroom.housing import saved
from tests.newsroom.racing import race
from tests.people import Newsroom, furnish

pytestmark = pytest.mark.django_db

# What happened is never changed


def of_each_kind(newsroom: Newsroom) -> None:
    """A row in every table of facts."""
    from tests.newsroom.test_nothing_early import noise

    stands_in(newsroom.nobody, newsroom.lawyer)
    renditions.draw(pictures.store(noise(), newsroom.drafter))
    revision = newsroom.cleared()
    story, by = revision.story, newsroom.drafter
    drafting.plan_embargo(story=story, by=by, moment=Moment(datetime.now(UTC) + HOUR, "UTC"))
    drafting.limit(story=story, by=by, team=None)
    welsh = newsroom.draft(slug="yn-gymraeg", language="cy")
    linked = translating.link(story=welsh.story, original=story.uid, by=by)
    translating.unlink(story=welsh.story, translation=linked.pk, by=by)
    step = newsroom.step(story, newsroom.legal)
    for model in record.sources().values():
        name, row = model.__name__, {"story": story, "by": by}
        if name == "Intake":
            model.objects.create(**row, text="Begun.")
        elif name in ("Comment", "Suggestion"):
            told = {"text": "Why?"} if name == "Comment" else {"replacement": "x", "anchor": {"exact": "y"}}
            thing = model.objects.create(**row, revision=revision, **told)
            other = {
                "Comment": ("CommentResolution", "comment"),
                "Suggestion": ("SuggestionDecline", "suggestion"),
            }
            answer, field = other[name]
            apps.get_model("stories", answer).objects.create(**row, **{field: thing})
        elif name == "Claim":
            claim = model.objects.create(**{**row, "by": newsroom.lawyer}, step=step)
            apps.get_model("approvals", "ClaimRelease").objects.create(
                **{**row, "by": newsroom.lawyer}, claim=claim
            )
    disarmed = newsroom.armed(slug="disarmed")
    later = Moment(disarmed.embargo + timedelta(hours=1), disarmed.zone)
    releasing.move(
        story=disarmed.story,
        by=newsroom.officer,
        moment=later,
        reason="Later.",
        seen=(disarmed.pk, disarmed.moment),
    )
    preflight.check_now(story=disarmed.story, by=newsroom.officer)
    bundle = bundling.make(by=newsroom.officer, name="Report")
    joined = bundling.join(story=disarmed.story, bundle=bundle, by=newsroom.officer)
    bundling.leave(story=disarmed.story, by=newsroom.officer, reason="Alone.", bundling=joined.pk)
    grant = given(newsroom, disarmed)
    embargo.open_copy(acknowledgement=acknowledged(grant))
    embargo.revoke(grant=grant, by=newsroom.officer, reason="Wrong address.")
    releasing.disarm(story=disarmed.story, by=newsroom.officer, reason="Wrong day.")
    withdrawn = newsroom.public(slug="withdrawn")
    releasing.withdraw(story=withdrawn.story, by=newsroom.officer, reason="Wrong.")
    soon = datetime.now(UTC) + timedelta(days=1)
    frozen = releasing.freeze(
        by=newsroom.officer, organisation=None, since=soon, until=soon + timedelta(days=1), reason="Election."
    )
    releasing.exempt(story=story, freeze=frozen, by=newsroom.officer, reason="Lives.")
    releasing.end_freeze(freeze=frozen, by=newsroom.officer, reason="Called off.")
    saved(newsroom)
    releasing.hold_everything(by=newsroom.officer, reason="Wait.")
    releasing.lift_everything(by=newsroom.officer)
    releasing.hold(story=story, by=newsroom.officer, reason="Wait.")
    releasing.unhold(story=story, by=newsroom.officer)
    release = releasing.arm(revision=revision, by=newsroom.officer, moment=None)
    releasing.announce(release_id=release.pk, worker="test")
    probing.note(release=release, look=probing.Look(200), worker="test")


def column_of(model: type[models.Model]) -> str:
    """A column whose change would matter."""
    return next(
        field.column
        for field in model._meta.concrete_fields
        if not field.primary_key and field.column != "until"
    )


def tampering(model: type[models.Model]) -> dict[str, Callable[[], Any]]:
    """Each way to change or delete a row."""
    manager, table, key = model._default_manager, model._meta.db_table, model._meta.pk.column
    column = column_of(model)

    def sql(statement: str) -> Callable[[], Any]:
        return lambda: run(statement.replace("{}", table))

    return {
        "save": lambda: manager.first().save(force_update=True),
        "delete": lambda: manager.first().delete(),
        "raw delete": lambda: manager.all()._raw_delete("default"),
        "update": lambda: manager.update(**{model._meta.pk.attname: 7}),
        "UPDATE": sql(f"UPDATE {{}} SET {column} = {column}"),
        "UPDATE of its id": sql(f"UPDATE {{}} SET {key} = {key} + 1000"),
        "DELETE": sql("DELETE FROM {}"),
        "TRUNCATE": sql("TRUNCATE {} CASCADE"),
        "ON CONFLICT": sql(
            f"INSERT INTO {{}} SELECT * FROM {{}} LIMIT 1 ON CONFLICT ({key}) "
            f"DO UPDATE SET {column} = excluded.{column}"
        ),
        "MERGE": sql(f"MERGE INTO {{}} t USING {{}} s ON t.{key} = s.{key} WHEN MATCHED THEN DELETE"),
        "DROP": sql("DROP TABLE {} CASCADE"),
        "no triggers": sql("ALTER TABLE {} DISABLE TRIGGER ALL"),
        "a rule": sql("CREATE RULE mine AS ON INSERT TO {} DO INSTEAD NOTHING"),
        "a column": sql("ALTER TABLE {} ADD COLUMN mine integer"),
        "a policy": sql("ALTER TABLE {} ENABLE ROW LEVEL SECURITY"),
        "a partition": sql("CREATE TEMP TABLE mine () INHERITS ({})"),
    }


def test_nothing_that_happened_is_changed_or_deleted(newsroom):
    """Each table of facts and of what follows from them, in each way."""
    of_each_kind(newsroom)
    empty = [model._meta.label for model in KEPT if not model._default_manager.exists()]
    assert empty == []
    changed = []
    for model in KEPT:
        before = everything()
        for way, act in tampering(model).items():
            try:
                with transaction.atomic():
                    act()
                    changed.append((model._meta.label, way))
            except REFUSALS:
                pass
        if everything() != before:
            changed.append((model._meta.label, "changed"))
    assert changed == []


@pytest.mark.django_db(transaction=True)
def test_not_even_the_owner_changes_or_deletes_what_happened(live_newsroom):
    of_each_kind(live_newsroom)
    facts = [model for model in KEPT if model not in READ_MODELS]
    changed = []
    for model in facts:
        table, key, column = model._meta.db_table, model._meta.pk.column, column_of(model)
        before = everything()
        for statement in (
            f"UPDATE {table} SET {key} = {key} + 1000",
            f"UPDATE {table} SET {column} = {column}",
            f"DELETE FROM {table}",
            f"MERGE INTO {table} t USING {table} s ON t.{key} = s.{key} WHEN MATCHED THEN DELETE",
        ):
            with suppress(Error), transaction.atomic("owner"), connections["owner"].cursor() as cursor:
                cursor.execute(statement)
                changed.append(statement)
                transaction.set_rollback(True, using="owner")
        assert everything() == before, table
    # A story takes an update that changes nothing: that is how its row is locked.
    assert [statement for statement in changed if "stories_story" not in statement] == []


def test_the_admin_changes_nothing_that_happened(newsroom, as_):
    of_each_kind(newsroom)
    browser, before = as_(newsroom.administrator), everything()
    for model in KEPT:
        if not admin.site.is_registered(model):
            continue
        name, thing = (
            f"admin:{model._meta.app_label}_{model._meta.model_name}",
            model._default_manager.first(),
        )
        form = {"reason": "another", "verdict": "cleared", "_save": "Save", "post": "yes"}
        for path in (
            reverse(f"{name}_change", args=[thing.pk]),
            reverse(f"{name}_delete", args=[thing.pk]),
            reverse(f"{name}_add"),
        ):
            assert browser.post(path, form).status_code == 403, path
        act = {"action": "delete_selected", "_selected_action": thing.pk, "post": "yes"}
        browser.post(reverse(f"{name}_changelist"), act)
    assert everything() == before


# Who and what a decision names goes, and the decision stays


def things(newsroom: Newsroom) -> dict[str, models.Model]:
    """What a decision names, or hangs on."""
    return {
        "user": newsroom.lawyer,
        "desk": newsroom.legal,
        "route": newsroom.route,
        "step": Step.objects.get(desk=newsroom.legal),
        "member": Desk.members.through.objects.get(desk=newsroom.legal, user=newsroom.lawyer),
        "group": newsroom.officer.groups.get(),
    }


def gone_by_the_admin(newsroom: Newsroom, thing: models.Model) -> None:
    browser = Client()
    browser.force_login(newsroom.administrator)
    if not admin.site.is_registered(type(thing)):
        browser.post(reverse("admin:approvals_desk_change", args=[newsroom.legal.pk]), {"name": "Legal"})
        return
    name = f"admin:{thing._meta.app_label}_{thing._meta.model_name}"
    browser.post(reverse(f"{name}_delete", args=[thing.pk]), {"post": "yes"})
    act = {"action": "delete_selected", "_selected_action": thing.pk, "post": "yes"}
    browser.post(reverse(f"{name}_changelist"), act)


def gone_by_a_model(newsroom: Newsroom, thing: models.Model) -> None:
    thing.delete()


def gone_by_a_raw_delete(newsroom: Newsroom, thing: models.Model) -> None:
    type(thing)._default_manager.filter(pk=thing.pk)._raw_delete("default")
    run("SET CONSTRAINTS ALL IMMEDIATE")


def gone_by_sql(newsroom: Newsroom, thing: models.Model) -> None:
    run(f"DELETE FROM {thing._meta.db_table} WHERE id = {thing.pk}")
    run("SET CONSTRAINTS ALL IMMEDIATE")


def gone_by_truncation(newsroom: Newsroom, thing: models.Model) -> None:
    run(f"TRUNCATE {thing._meta.db_table} CASCADE")


def renumbered(newsroom: Newsroom, thing: models.Model) -> None:
    run(f"UPDATE {thing._meta.db_table} SET id = id + 1000 WHERE id = {thing.pk}")
    run("SET CONSTRAINTS ALL IMMEDIATE")


def all_at_once(newsroom: Newsroom, thing: models.Model) -> None:
    """Everything that hangs on it first."""
    Step.objects.all().delete()
    for desk in Desk.objects.all():
        desk.members.clear()
    newsroom.lawyer.groups.clear()
    with suppress(ProtectedError):
        thing.delete()


GOING = [
    gone_by_the_admin,
    gone_by_a_model,
    gone_by_a_raw_delete,
    gone_by_sql,
    gone_by_truncation,
    renumbered,
    all_at_once,
]


@pytest.mark.parametrize("way", GOING, ids=lambda way: way.__name__)
@pytest.mark.parametrize("what", ["user", "desk", "route", "step", "member", "group"])
def test_nobody_and_nothing_that_goes_takes_a_decision_along(newsroom, what, way):
    """Configuration may go, facts and what follows from them stay."""
    armed, revision = newsroom.armed(slug="armed"), newsroom.cleared()
    thing = things(newsroom)[what]
    with nothing_changes(refused=False):
        way(newsroom, thing)
    assert rules.progress(revision).cleared
    assert Release.objects.public(at=FAR).get() == armed
    if what in ("user", "desk", "route"):
        assert type(thing)._default_manager.filter(pk=thing.pk).exists()
    assert list(record.verify()) == []


def change_a_private_office(newsroom: Newsroom) -> None:
    PrivateOffice.objects.all().delete()


def give_it_to_another_desk(newsroom: Newsroom) -> None:
    PrivateOffice.objects.update(desk=newsroom.legal)


def make_the_step_cover_less(newsroom: Newsroom) -> None:
    Step.objects.update(covers=Covers.NOTES, whom="", quorum=1)


def ask_it_never(newsroom: Newsroom) -> None:
    Step.objects.filter(desk__isnull=False).update(condition="topic", value="none")


def empty_the_desks(newsroom: Newsroom) -> None:
    for desk in Desk.objects.all():
        desk.members.clear()


def deactivate_everybody(newsroom: Newsroom) -> None:
    User.objects.update(is_active=False)


BETWEEN = [
    change_a_private_office,
    give_it_to_another_desk,
    make_the_step_cover_less,
    ask_it_never,
    empty_the_desks,
    deactivate_everybody,
]


@pytest.mark.parametrize("change", BETWEEN, ids=lambda change: change.__name__)
def test_what_was_asked_is_asked_however_the_newsroom_is_set_up_since(newsroom, change):
    office = Desk.objects.create(name="Rivers office")
    PrivateOffice.objects.create(match="speaker", name=QUOTE["speaker"], desk=office)
    Step.objects.create(
        route=newsroom.route, desk=None, covers=Covers.SPEAKER, condition="private_office", stage=2
    )
    Step.objects.filter(desk=newsroom.legal).update(quorum=2)
    revision = newsroom.cleared()
    with nothing_changes(refused=False):
        change(newsroom)
    missing = {(step.desk, step.covers, step.step.quorum) for step in rules.progress(revision).missing}
    assert missing == {("Legal", "everything", 2), ("Rivers office", "speaker", 1)}
    with nothing_changes():
        arm_by_a_model(newsroom, revision)


# Sessions that are set up to be fooled

SETTINGS = [
    "SET LOCAL session_replication_role = replica",
    "SET LOCAL ROLE newsroom_owner",
    "SET SESSION AUTHORIZATION newsroom_owner",
    "ALTER ROLE CURRENT_USER SET newsroom.at = '2001-01-01'",
    "UPDATE newsroom_visibility SET visible_from = now()",
    "UPDATE approvals_standing SET state = 'cleared', barred = '{}'",
    "INSERT INTO newsroom_releasesignoff (release_id, decision_id) SELECT 1, max(id) FROM approvals_decision",
    "UPDATE approvals_pinnedstep SET quorum = 1, stage = 1",
    "DELETE FROM approvals_pinnedstep",
    "DROP TRIGGER keep_public_signoffs ON approvals_decision",
    "DROP TRIGGER disarm_uncleared ON approvals_decision",
    "SELECT setval('newsroom_release_id_seq', 1000000)",
    "ALTER SEQUENCE approvals_decision_id_seq RESTART",
    "CREATE FUNCTION public.barred(bigint) RETURNS bigint[] LANGUAGE sql AS $$ SELECT '{}'::bigint[] $$",
    "CREATE OR REPLACE FUNCTION refuse(words text, hint text) RETURNS void LANGUAGE sql AS $$ SELECT $$",
    "CREATE SCHEMA mine",
    "CREATE EXTENSION plpython3u",
    "LOCK TABLE approvals_decision IN ACCESS EXCLUSIVE MODE",
    "COMMENT ON TABLE approvals_decision IS 'mine'",
    "COPY approvals_decision TO PROGRAM 'cat'",
    "DO $$ BEGIN EXECUTE 'ALTER TABLE approvals_decision DISABLE TRIGGER ALL'; END $$",
]


@pytest.mark.parametrize("statement", SETTINGS)
def test_the_application_has_no_right_to(newsroom, statement):
    newsroom.armed()
    with nothing_changes():
        run(statement)


#: Functions of one's own, under the names and with the arguments of those that the guards call.
SHADOWS = [
    (
        "barred(public.stories_revision, public.approvals_pinnedstep, text) RETURNS bigint[] "
        "LANGUAGE sql AS $$ SELECT '{}'::bigint[] $$"
    ),
    "refuse(text, text) RETURNS void LANGUAGE sql AS $$ SELECT $$",
    (
        "decision_allowed(public.approvals_decision) RETURNS public.approvals_decision "
        "LANGUAGE sql AS $$ SELECT $1 $$"
    ),
    "applies(jsonb, text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT false $$",
    "covered_content(jsonb, text, text) RETURNS jsonb LANGUAGE sql AS $$ SELECT NULL::jsonb $$",
    "is_cleared(bigint) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$",
    "on_desk(bigint, bigint) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$",
    "stands_in(bigint, bigint, bigint) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$",
    "facts_now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT '2001-01-01'::timestamptz $$",
    "lock_story(bigint) RETURNS void LANGUAGE sql AS $$ SELECT $$",
    (
        "quorum_met(integer, bigint[], bigint[], bigint[], bigint[]) RETURNS boolean "
        "LANGUAGE sql AS $$ SELECT true $$"
    ),
    (
        "step_digest(public.stories_revision, public.approvals_pinnedstep) RETURNS text "
        "LANGUAGE sql AS $$ SELECT NULL::text $$"
    ),
    (
        "signoffs(bigint) RETURNS TABLE (step_id bigint, story_id bigint, revision_id bigint, "
        "desk_id bigint, "
        "covered text, decisions bigint[], state text, barred bigint[], is_open boolean, due timestamptz) "
        "LANGUAGE sql AS $$ SELECT step_id, story_id, revision_id, desk_id, covered::text, decisions, "
        "'cleared', "
        "'{}'::bigint[], true, due FROM public.approvals_standing $$"
    ),
    (
        "tally(bigint, public.approvals_pinnedstep, bigint[]) RETURNS TABLE (covered text, "
        "decisions bigint[], "
        "met boolean, refused boolean, asked boolean, upto bigint) "
        "LANGUAGE sql AS $$ SELECT '', '{}'::bigint[], true, false, false, 1::bigint $$"
    ),
]
TABLES = [
    "stories_revision", "approvals_decision", "approvals_pinnedstep", "approvals_standing",
    "approvals_submission", "approvals_desk_members", "approvals_deputyship", "stories_user",
    "newsroom_visibility", "newsroom_hold",
]  # fmt: skip


@pytest.mark.parametrize("attack", ["own words", "refused by a colleague", "a stage that is not open"])
def test_functions_and_tables_of_ones_own_fool_nobody(newsroom, attack):
    """In the schema for temporary things, which a session can put first."""
    forged = FORGED[attack](newsroom)
    for shadow in SHADOWS:
        run(f"CREATE FUNCTION pg_temp.{shadow}")
    for table in TABLES:
        run(f"CREATE TEMP TABLE {table} AS SELECT * FROM public.{table} WHERE false")
    run("SET LOCAL search_path = pg_temp, public")
    run("CREATE TEMP TABLE before AS SELECT count(*) AS decisions FROM public.approvals_decision")
    columns = forged.columns
    with pytest.raises(Error) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO public.approvals_decision ({', '.join(columns)}) "
            f"SELECT {', '.join(['%s'] * len(columns))}",
            list(columns.values()),
        )
    assert hint_of(caught.value) in ("four_eyes", "refused", "not_open")
    with pytest.raises(Error) as caught, transaction.atomic():
        run(
            "INSERT INTO public.newsroom_release (story_id, by_id, revision_id, zone) "
            "VALUES ({story}, {by}, {revision}, 'UTC')",
            story=forged.revision.story_id,
            by=newsroom.officer.pk,
            revision=forged.revision.pk,
        )
    assert hint_of(caught.value) == "not_cleared"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT decisions = (SELECT count(*) FROM public.approvals_decision), "
            "NOT EXISTS (SELECT 1 FROM public.newsroom_release) FROM before"
        )
        assert cursor.fetchone() == (True, True)


def test_no_function_that_the_application_may_call_has_more_rights_than_it(newsroom):
    """Nor does one that has them look for things where the caller says."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef "
            "AND (has_function_privilege(oid, 'EXECUTE') "
            "     OR NOT coalesce('search_path=public, pg_temp' = ANY (proconfig), false))"
        )
        assert cursor.fetchall() == []


@pytest.mark.parametrize(
    "call",
    [
        "refresh_standings({story})",
        "refresh_visibility({story})",
        "expand_steps({story})",
        "lock_story({story})",
        "record_append({story}, 'approvals_decision', 1, NULL, now(), '{}')",
    ],
)
def test_what_writes_is_not_called_by_hand(newsroom, call):
    story = newsroom.armed().story
    with nothing_changes():
        run(f"SELECT {call}", story=story.pk)


@pytest.mark.parametrize(
    "call",
    [
        "(decision_allowed(d)).id FROM approvals_decision d",
        "signoffs({revision})",
        "standings_of({story})",
        "is_cleared({revision})",
        "visibility_of({story})",
        "acts_for_desk({by}, 1)",
        "refuse('Mine.', 'mine')",
    ],
)
def test_what_only_answers_writes_nothing(newsroom, call):
    release = newsroom.armed()
    values = {"story": release.story_id, "revision": release.revision_id, "by": newsroom.lawyer.pk}
    with nothing_changes(refused=False):
        run(f"SELECT {call}", **values)


# The owner of the tables, and transactions that see an older time


@pytest.mark.django_db(transaction=True)
def test_not_even_the_owner_takes_a_decision_or_arms_against_the_rules(live_newsroom):
    """A cell each of the matrices above, in one database: the owner has a connection of its own."""
    taken = []
    for name, attack in {**FORGED, **STAYS}.items():
        with in_a_newsroom_of_its_own() as newsroom:
            forged, before = attack(newsroom), everything()
            with suppress(Error):
                by_the_owner(forged)
                taken.append(name)
            assert everything() == before, name
    for name, scene in NOT_CLEARED.items():
        with in_a_newsroom_of_its_own() as newsroom:
            revision, before = scene(newsroom), everything()
            with suppress(Error):
                arm_by_sql(newsroom, revision, "owner")
                taken.append(name)
            assert everything() == before, name
    assert taken == []


_numbers = count(1)


@contextmanager
def in_a_newsroom_of_its_own() -> Iterator[Newsroom]:
    """Committed, beside those that are there already, with the addresses of its stories free again."""
    number = next(_numbers)
    User.objects.filter(username="root").update(username=f"root-{number}")
    for model, field in ((User, "username"), (Desk, "name"), (Route, "name"), (Organisation, "slug")):
        for thing in model.objects.exclude(**{f"{field}__contains": "~"}):
            setattr(thing, field, f"{getattr(thing, field)}~{number}")
            if model is Organisation:
                thing.name = thing.slug
            thing.save()
    Route.objects.update(default=False)
    Topic.objects.all().delete()
    PrivateOffice.objects.all().delete()
    Deputyship.objects.filter(until__gt=datetime.now(UTC)).update(until=datetime.now(UTC))
    for release in Release.objects.filter(visibility__visible_from__gt=datetime.now(UTC)):
        releasing.disarm(story=release.story, by=release.by, reason="The scene is over.")
    yield furnish()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "level", ["REPEATABLE READ", "SERIALIZABLE", "SERIALIZABLE READ WRITE NOT DEFERRABLE"]
)
@pytest.mark.parametrize("what", ["a sign-off", "a release", "a revision"])
def test_an_old_view_of_the_story_signs_and_arms_nothing(live_newsroom, level, what):
    """Its checks could not see what was committed meanwhile."""
    newsroom = live_newsroom
    revision = newsroom.cleared()
    decision = Decision.objects.get(story=revision.story, by=newsroom.lawyer)
    with pytest.raises(Error) as caught, transaction.atomic():  # noqa: PT012
        run(f"SET TRANSACTION ISOLATION LEVEL {level}")
        run("SELECT count(*) FROM approvals_decision")
        race(1, lambda _: clearing.take_back(decision=decision, by=newsroom.lawyer))
        if what == "a release":
            arm_by_a_model(newsroom, revision)
        elif what == "a sign-off":
            Decision.objects.create(**sent(newsroom, revision, by=newsroom.second_lawyer).row)
        else:
            newsroom.edit(revision.story, summary="Another.")
    assert hint_of(caught.value) == "isolation"
    assert not Release.objects.exists()
    assert not rules.progress(revision).cleared


@pytest.mark.django_db(transaction=True)
def test_a_savepoint_and_deferred_constraints_keep_nothing_that_was_refused(live_newsroom):
    """Half of what was done in a transaction is rolled back; the rest stands by itself."""
    newsroom = live_newsroom
    revision = newsroom.cleared()
    with transaction.atomic():
        run("SET CONSTRAINTS ALL DEFERRED")
        run("SAVEPOINT before")
        newest = newsroom.edit(revision.story, by=newsroom.second_lawyer, headline="Another")
        run("ROLLBACK TO SAVEPOINT before")
        with nothing_changes():
            arm_by_a_model(newsroom, newest)
        release = releasing.arm(revision=revision, by=newsroom.officer, moment=None)
    assert Release.objects.public().get() == release
    assert list(record.verify()) == []
    assert release.signoffs.count() == 2
