"""What the role that the application runs as may do: nothing to a fact but to insert it."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections, models, transaction

from stories.models import READ_ONLY

ALL = "SELECT, INSERT, UPDATE, DELETE"


def privileges(model: type[models.Model]) -> str:
    """The privileges of the application's role on a model's table, as `GRANT` names them."""
    return str(getattr(model, "app_privileges", ALL))


def after_migrate(sender: Any, using: str, **kwargs: Any) -> None:
    """Grant after each `migrate`, as the owner; a test's flush, which has no plan, changes no grants."""
    if "plan" in kwargs:
        call_command("createcachetable", database=using, verbosity=0)
        grant(using)


def grant(using: str) -> None:
    """Give the application's role exactly the privileges that the models name.

    A database where it is the owner itself (which `check --deploy` warns of) is left alone.
    """
    role = settings.DATABASES[DEFAULT_DB_ALIAS]["USER"]
    connection = connections[using]
    # In one transaction: nobody who is at work loses a right in between.
    with transaction.atomic(using=using), connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        if cursor.fetchone()[0] == role:
            return
        quoted = connection.ops.quote_name(role)
        cursor.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {quoted}")
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {quoted}")
        cursor.execute(f"GRANT {READ_ONLY} ON django_migrations TO {quoted}")
        cursor.execute(f"GRANT {ALL} ON {settings.CACHES['default']['LOCATION']} TO {quoted}")
        for model in apps.get_models(include_auto_created=True):
            if model._meta.managed and not model._meta.proxy:
                table = connection.ops.quote_name(model._meta.db_table)
                cursor.execute(f"GRANT {privileges(model)} ON {table} TO {quoted}")
