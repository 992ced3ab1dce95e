"""What `manage.py check --deploy` looks at beyond Django's own."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Tags, register


@register(Tags.security, deploy=True)
def two_roles(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The application must not run as the role that owns the tables: an owner can switch guards off."""
    return one_role(settings.DATABASES)


def one_role(databases: dict[str, Any]) -> list[CheckMessage]:
    """A warning where the two databases of the settings are reached as the same role."""
    owner = databases.get("owner")
    if owner and owner["USER"] == databases["default"]["USER"]:
        return [
            checks.Warning(
                "DATABASE_URL and DATABASE_OWNER_URL name the same role.",
                hint="Let the application run as a role of its own: an owner of the tables can switch off "
                "the triggers that keep facts from being changed.",
                id="newsroom.W001",
            )
        ]
    return []
