from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import DEFAULT_DB_ALIAS

from approvals import standings


class Command(BaseCommand):
    help = "Write how sign-offs stand anew, from the facts. Needs the owner's connection."

    def add_arguments(self, parser: CommandParser) -> None:
        owner = "owner" if "owner" in settings.DATABASES else DEFAULT_DB_ALIAS
        parser.add_argument("--database", default=owner, help="The connection of the owner")

    def handle(self, *args: Any, **options: Any) -> None:
        count = standings.rebuild(options["database"])
        stories = "story" if count == 1 else "stories"
        self.stdout.write(f"How the sign-offs of {count} {stories} stand was listed anew.")
