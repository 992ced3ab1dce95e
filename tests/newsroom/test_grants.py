"""Two roles: what the application's may do is what the models name, and one role for both is warned of."""

import pytest
from django.apps import apps
from django.db import connection

from newsroom import checks, grants
from stories.models import INSERT_ONLY, READ_ONLY, Fact


@pytest.mark.django_db
def test_the_application_has_exactly_the_rights_that_the_models_name():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, string_agg(privilege_type, ', ' ORDER BY privilege_type) "
            "FROM information_schema.role_table_grants WHERE grantee = current_user GROUP BY 1"
        )
        held = dict(cursor.fetchall())
    for model in apps.get_models(include_auto_created=True):
        named = grants.privileges(model)
        rights = {right for right in ("SELECT", "INSERT", "UPDATE", "DELETE") if right in named.split("(")[0]}
        whole_table = rights - ({"UPDATE"} if "UPDATE (" in named else set())
        assert set(held[model._meta.db_table].split(", ")) == whole_table, model


@pytest.mark.django_db
def test_no_guard_can_be_hung_on_a_table_of_the_applications_own():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
            "AND prorettype = 'trigger'::regtype AND has_function_privilege(current_user, oid, 'EXECUTE')"
        )
        assert cursor.fetchall() == []
        cursor.execute("SELECT count(*) FROM pg_proc WHERE prorettype = 'trigger'::regtype AND prosecdef")
        assert cursor.fetchone()[0] > 20


def test_no_fact_can_be_changed_by_the_application():
    for model in apps.get_models():
        if issubclass(model, Fact):
            assert grants.privileges(model) in {INSERT_ONLY, READ_ONLY}


def test_one_role_for_both_is_warned_of(settings):
    assert checks.two_roles(None) == []
    same = {"default": settings.DATABASES["owner"], "owner": settings.DATABASES["owner"]}
    assert [warning.id for warning in checks.one_role(same)] == ["newsroom.W001"]
