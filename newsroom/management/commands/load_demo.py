"""Load the demo newsroom into an empty database, run as its owner; nothing happens where there is one."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from newsroom import demo


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--list", action="store_true", help="Print the sign-ins instead")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["list"]:
            for person in demo.PEOPLE:
                self.stdout.write(f"{person.username:8} {person.password}  {person.name}, {person.role}")
        elif not demo.is_loaded():
            self.stdout.write(f"The demo newsroom is there: {demo.load()} stories.")
