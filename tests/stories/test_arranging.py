"""Accounts and roles: whoever changes them, by whichever way, it is on the record, and in whose name."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import DatabaseError, connection, connections, transaction
from django.urls import reverse

from stories import record
from stories.access import Role
from stories.arranging import acting
from stories.models import Arrangement, Entry, Team, User
from tests.people import person
from tests.since import Since
from tests.stories.test_record import as_owner

pytestmark = pytest.mark.django_db


def raw(sql: str, *params: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def fields(user: User, **changes: Any) -> dict[str, Any]:
    """The form of an account in the admin, as a browser sends it back."""
    form: dict[str, Any] = {
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        "groups": list(user.groups.values_list("pk", flat=True)),
        "date_joined_0": user.date_joined.date().isoformat(),
        "date_joined_1": user.date_joined.time().isoformat("seconds"),
    }
    for flag in ("is_active", "is_staff", "is_superuser"):
        if getattr(user, flag):
            form[flag] = "on"
    form |= changes
    return {key: value for key, value in form.items() if value is not None}


def change_page(user: User) -> str:
    return reverse("admin:stories_user_change", args=[user.pk])


# By the admin


def test_an_administrator_who_gives_another_a_role_is_named(newsroom, as_):
    officers = Group.objects.get(name=Role.DUTY_OFFICER.value)
    browser, since = as_(newsroom.administrator), Since()
    sent = fields(newsroom.lawyer, groups=[officers.pk])
    assert browser.post(change_page(newsroom.lawyer), sent).status_code == 302
    assert since.told == [("Role Duty officer given to Adaeze Nwosu", newsroom.administrator)]
    browser.post(change_page(newsroom.lawyer), fields(newsroom.lawyer, groups=[]))
    assert since.told[1:] == [("Role Duty officer taken from Adaeze Nwosu", newsroom.administrator)]


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"is_superuser": "on"}, "Rights of an administrator given to Adaeze Nwosu"),
        ({"is_active": None}, "Account of Adaeze Nwosu switched off"),
        ({"email": "a@elsewhere.example"}, "Account of Adaeze Nwosu changed"),
    ],
)
def test_what_an_administrator_changes_of_an_account_is_one_link(newsroom, as_, changes, title):
    browser, since = as_(newsroom.administrator), Since()
    assert browser.post(change_page(newsroom.lawyer), fields(newsroom.lawyer, **changes)).status_code == 302
    assert since.told == [(title, newsroom.administrator)]
    (row,) = since.rows
    assert row.before.keys() == row.after.keys() == changes.keys()
    assert (row.table_name, row.row_id) == ("stories_user", newsroom.lawyer.pk)


def test_another_mail_address_is_told_with_the_old_one(newsroom, as_):
    since = Since()
    sent = fields(newsroom.lawyer, email="a@elsewhere.example")
    as_(newsroom.administrator).post(change_page(newsroom.lawyer), sent)
    assert since.detail == "mail address: adaeze@newsroom.example → a@elsewhere.example"


def test_a_form_that_is_sent_unchanged_leaves_nothing(newsroom, as_):
    since = Since()
    sent = fields(newsroom.lawyer)
    assert as_(newsroom.administrator).post(change_page(newsroom.lawyer), sent).status_code == 302
    assert since.rows == []


def test_an_account_that_an_administrator_makes(newsroom, as_):
    since = Since()
    sent = {
        "username": "new",
        "usable_password": "true",
        "password1": "correct horse battery",
        "password2": "correct horse battery",
    }
    assert as_(newsroom.administrator).post(reverse("admin:stories_user_add"), sent).status_code == 302
    assert since.told == [("Account of new made", newsroom.administrator)]


def test_a_password_that_an_administrator_gives_to_another(newsroom, as_):
    since = Since()
    page = reverse("admin:auth_user_password_change", args=[newsroom.lawyer.pk])
    sent = {
        "usable_password": "true",
        "set-password": "1",
        "password1": "another horse battery",
        "password2": "another horse battery",
    }
    assert as_(newsroom.administrator).post(page, sent).status_code == 302
    assert since.told == [("Password of Adaeze Nwosu changed", newsroom.administrator)]
    (row,) = since.rows
    assert (row.before, row.after) == ({}, {"password": "changed"})


def test_a_role_that_is_renamed_in_the_admin(newsroom, as_):
    since, drafters = Since(), Group.objects.get(name=Role.DRAFTER.value)
    page = reverse("admin:auth_group_change", args=[drafters.pk])
    assert as_(newsroom.administrator).post(page, {"name": "Writer"}).status_code == 302
    assert since.told == [("Role Writer renamed", newsroom.administrator)]
    assert since.detail == "name: Drafter → Writer"
    gone = reverse("admin:auth_group_delete", args=[drafters.pk])
    assert as_(newsroom.administrator).post(gone, {"post": "yes"}).status_code == 302
    assert since.told[-1] == ("Role Writer removed", newsroom.administrator)
    assert {by for _, by in since.told} == {newsroom.administrator}


def test_the_record_of_arrangements_is_only_looked_at_in_the_admin(newsroom, as_):
    browser, row = as_(newsroom.administrator), Arrangement.objects.latest("pk")
    assert browser.get(reverse("admin:stories_arrangement_changelist")).status_code == 200
    shown = reverse("admin:stories_arrangement_change", args=[row.pk])
    assert browser.get(shown).status_code == 200
    assert browser.post(shown, {"happened": "made"}).status_code == 403


# By people themselves


def test_a_password_that_somebody_changes_themself(newsroom, as_):
    since = Since()
    sent = {
        "oldpassword": "correct horse battery",
        "password1": "another horse battery",
        "password2": "another horse battery",
    }
    assert as_(newsroom.drafter).post(reverse("account_change_password"), sent).status_code == 302
    assert since.told == [("Password of Marta Feld changed", newsroom.drafter)]


def test_signing_in_is_no_change(newsroom, client):
    since = Since()
    sent = {"login": "marta", "password": "correct horse battery"}
    assert client.post(reverse("account_login"), sent).status_code == 302
    newsroom.drafter.refresh_from_db()
    assert newsroom.drafter.last_login is not None
    assert since.rows == []


def test_a_password_that_is_kept_in_a_better_way_is_kept_in_the_name_of_its_owner(newsroom, client, settings):
    since = Since()
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.ScryptPasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]
    sent = {"login": "marta", "password": "correct horse battery"}
    assert client.post(reverse("account_login"), sent).status_code == 302
    newsroom.drafter.refresh_from_db()
    assert newsroom.drafter.password.startswith("scrypt")
    assert since.told == [("Password of Marta Feld changed", newsroom.drafter)]


# By a shell, and by raw SQL


def test_what_a_shell_changes_names_nobody_but_the_role_of_the_database(newsroom):
    since = Since()
    newsroom.lawyer.is_superuser = True
    newsroom.lawyer.save()
    assert since.told == [("Rights of an administrator given to Adaeze Nwosu", None)]
    (row,) = since.rows
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user")
        assert row.database_role == cursor.fetchone()[0]
    assert since.detail == f"Nobody is named: done outside the pages, as {row.database_role}."


def test_what_a_shell_changes_in_somebodys_name_names_them(newsroom):
    since = Since()
    with acting(newsroom.administrator):
        newsroom.lawyer.groups.add(Group.objects.get(name=Role.DRAFTER.value))
    newsroom.lawyer.groups.clear()
    assert since.told == [
        ("Role Drafter given to Adaeze Nwosu", newsroom.administrator),
        ("Role Drafter taken from Adaeze Nwosu", None),
    ]


def test_raw_sql_is_on_the_record_too(newsroom):
    since = Since()
    lawyer, officers = newsroom.lawyer.pk, Group.objects.get(name=Role.DUTY_OFFICER.value).pk
    raw("INSERT INTO stories_user_groups (user_id, group_id) VALUES (%s, %s)", lawyer, officers)
    raw("UPDATE stories_user SET password = 'x' WHERE id = %s", lawyer)
    raw("UPDATE stories_user SET is_superuser = true, is_active = false WHERE id = %s", lawyer)
    raw("DELETE FROM stories_user_groups WHERE user_id = %s", lawyer)
    raw("DELETE FROM stories_user WHERE id = %s", newsroom.nobody.pk)
    assert since.told == [
        ("Role Duty officer given to Adaeze Nwosu", None),
        ("Password of Adaeze Nwosu changed", None),
        ("Account of Adaeze Nwosu changed", None),
        ("Role Duty officer taken from Adaeze Nwosu", None),
        ("Account of Nemo Outis removed", None),
    ]
    assert list(record.verify()) == []


def test_one_statement_that_changes_several_rows_is_a_link_each(newsroom):
    since = Since()
    everybody = User.objects.exclude(pk=newsroom.administrator.pk)
    everybody.update(is_active=False)
    assert len(since.told) == everybody.count()
    User.objects.bulk_create(User(username=f"bulk{number}") for number in range(3))
    assert [title for title, _ in since.told[-3:]] == [f"Account of bulk{number} made" for number in range(3)]


def test_whom_the_setting_names_has_to_be_somebody(newsroom):
    for named in ("0", "nobody", "1; DROP TABLE stories_user"):
        since = Since()
        raw("SELECT set_config('newsroom.by', %s, true)", named)
        newsroom.lawyer.groups.add(Group.objects.get(name=Role.DRAFTER.value))
        newsroom.lawyer.groups.clear()
        assert [by for _, by in since.told] == [None, None]


def test_every_column_of_an_account_counts_or_is_left_out_on_purpose(newsroom):
    left_out = {"last_login", "date_joined"}
    others = {
        bool: "NOT {}",
        str: "{} || 'x'",
    }
    for field in User._meta.concrete_fields:
        if field.column in left_out or field.primary_key:
            continue
        since = Since()
        value = others[type(getattr(newsroom.nobody, field.attname))].format(field.column)
        raw(f"UPDATE stories_user SET {field.column} = {value} WHERE id = %s", newsroom.nobody.pk)
        assert len(since.rows) == 1, field


def test_no_password_is_ever_written_down(newsroom):
    hashes = list(User.objects.values_list("password", flat=True))
    with acting(newsroom.administrator):
        newsroom.lawyer.set_password("quite another one")
        newsroom.lawyer.save()
    hashes += list(User.objects.values_list("password", flat=True))
    raw("DELETE FROM stories_user WHERE id = %s", newsroom.nobody.pk)
    assert all(len(kept) > 20 for kept in hashes)
    written = json.dumps(
        [
            *Entry.objects.values_list("payload", flat=True),
            *Arrangement.objects.values_list("before", "after", "about"),
        ]
    )
    assert "Nemo Outis" in written
    assert not [kept for kept in hashes if json.dumps(kept)[1:-1] in written]
    assert not [kept for kept in hashes if kept.rpartition("$")[2] in written]


def test_nobody_is_named_outside_of_a_transaction_or_after_it(newsroom):
    since = Since()
    with acting(newsroom.administrator), acting(newsroom.officer):
        newsroom.lawyer.groups.add(Group.objects.get(name=Role.DRAFTER.value))
    with acting(newsroom.administrator):
        with acting(newsroom.officer):
            pass
        newsroom.lawyer.groups.clear()
    with pytest.raises(DatabaseError), acting(newsroom.administrator):
        raw("SELECT 1 / 0")
    newsroom.lawyer.groups.add(Group.objects.get(name=Role.DRAFTER.value))
    assert [by for _, by in since.told] == [newsroom.officer, newsroom.administrator, None]


# What cannot be done to it


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("role", ["default", "owner"])
def test_no_arrangement_can_be_changed_or_deleted(live_newsroom, role):
    for sql in ("UPDATE stories_arrangement SET by_id = NULL", "DELETE FROM stories_arrangement"):
        with (
            pytest.raises(DatabaseError),
            transaction.atomic(role),
            connections[role].cursor() as cursor,
        ):
            cursor.execute(sql)


@pytest.mark.parametrize(
    "sql",
    [
        """INSERT INTO stories_arrangement (table_name, row_id, happened, about, before, after, database_role)
        VALUES ('stories_user', 1, 'made', '{}', '{}', '{}', 'x')""",
        "SELECT arranged('stories_user', NULL, '{\"id\": 1}', '{}')",
        "ALTER TABLE stories_user DISABLE TRIGGER USER",
        "ALTER TABLE stories_user_groups DISABLE TRIGGER USER",
        "DROP TRIGGER arranged ON stories_user_groups",
        "TRUNCATE stories_user CASCADE",
        "SET session_replication_role = replica",
    ],
)
def test_the_application_cannot_write_or_silence_it(newsroom, sql):
    with pytest.raises(DatabaseError), transaction.atomic():
        raw(sql)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("UPDATE stories_arrangement SET by_id = (SELECT min(id) FROM stories_user)", "was changed"),
        ("UPDATE stories_arrangement SET after = '{}' WHERE happened = 'changed'", "was changed"),
        ("DELETE FROM stories_arrangement WHERE happened = 'changed'", "is missing"),
        (
            "DELETE FROM stories_entry WHERE source = 'stories_arrangement' AND number = 5",
            "the newsroom, link 6: link 5 is missing",
        ),
        (
            "UPDATE stories_entry SET by_id = NULL WHERE story_id IS NULL AND by_id IS NOT NULL",
            "does not have its hash",
        ),
    ],
)
def test_one_that_was_tampered_with_is_found(live_newsroom, sql, fault):
    with acting(live_newsroom.administrator):
        User.objects.filter(pk=live_newsroom.nobody.pk).update(is_superuser=True)
    assert list(record.verify()) == []
    as_owner(sql)
    assert any(fault in found for found in record.verify()), list(record.verify())


@pytest.mark.django_db(transaction=True)
def test_somebody_who_arranged_something_cannot_be_deleted(live_newsroom):
    with acting(live_newsroom.administrator):
        person("new", "New Person")
    with pytest.raises(DatabaseError), transaction.atomic():
        raw("DELETE FROM stories_user WHERE id = %s", live_newsroom.administrator.pk)


def test_teams_are_no_part_of_it(newsroom):
    since = Since()
    Team.objects.create(name="Budget").members.add(newsroom.drafter)
    assert since.rows == []
    call_command("verify_record")
