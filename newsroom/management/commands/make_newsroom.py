"""Make an invented newsroom of any size in an empty database, run as its owner."""

import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from newsroom.bulk.loading import Refused, Wanted, make
from newsroom.bulk.progress import Progress


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--stories", type=int, required=True, help="How many stories")
        parser.add_argument("--revisions", type=int, default=5, help="A story, on average (5)")
        parser.add_argument("--decisions", type=int, default=5, help="A story, on average, at least (5)")
        parser.add_argument("--seed", type=int, default=1, help="Another number, another newsroom (1)")
        parser.add_argument("--password", help="Everybody's; without it nobody can sign in")
        parser.add_argument(
            "--database", default="owner" if "owner" in connections else DEFAULT_DB_ALIAS, choices=connections
        )

    def handle(
        self,
        *args: Any,
        stories: int,
        revisions: int,
        decisions: int,
        seed: int,
        password: str | None,
        database: str,
        **options: Any,
    ) -> None:
        if min(stories, revisions) < 1 or decisions < 0:
            raise CommandError("There is at least one story, with at least one revision.")
        progress = Progress(sys.stderr, stories, "stories")
        begun = time.monotonic()
        try:
            counts = make(Wanted(stories, revisions, decisions, seed, password), database, progress.tell)
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        finally:
            progress.end()
        made = ", ".join(f"{count:,} {name}" for name, count in counts.items())
        self.stdout.write(f"The newsroom is there: {made}, in {time.monotonic() - begun:.0f} s.")
