"""Write the read models behind "public", and those of the search, anew from the facts."""

from itertools import chain
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, Error, connections, transaction

from newsroom import indexing, visibility

NO_RIGHT = "42501"


class Command(BaseCommand):
    help = (
        "Write the read models behind “public”, and those of the search, anew from the facts. Run it as the"
        " database's owner."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--database", default="owner" if "owner" in connections else DEFAULT_DB_ALIAS, choices=connections
        )

    def handle(self, *args: Any, database: str, **options: Any) -> None:
        for sentence in chain(visibility.differences(), indexing.differences()):
            self.stdout.write(f"Mended: {sentence}")
        try:
            rebuild(database)
            # Afterwards and by itself: it takes longer, and only whoever arms has to wait for it.
            indexing.rebuild(database)
        except Error as error:
            if getattr(error.__cause__, "sqlstate", "") != NO_RIGHT:
                raise
            raise CommandError(
                "Only the database's owner may do that: set DATABASE_OWNER_URL for this command."
            ) from error
        self.stdout.write(
            self.style.SUCCESS("What is visible, and what is found, follows from the facts again.")
        )


def rebuild(database: str) -> None:
    """Write every row anew, in one transaction; who reads meanwhile sees the rows as they were."""
    with transaction.atomic(using=database), connections[database].cursor() as cursor:
        # Whoever arms, holds or announces waits until this is done.
        cursor.execute("LOCK TABLE newsroom_visibility IN EXCLUSIVE MODE")
        cursor.execute("LOCK TABLE newsroom_bundlemoment IN EXCLUSIVE MODE")
        cursor.execute("DELETE FROM newsroom_visibility")
        cursor.execute("DELETE FROM newsroom_bundlemoment")
        # What goes out with a bundle asks for its moment.
        cursor.execute(
            """
            INSERT INTO newsroom_bundlemoment
            SELECT b.bundle_id, bundle_moment_of(b.bundle_id)
            FROM (SELECT DISTINCT bundle_id FROM newsroom_bundling) b
            """
        )
        # All at once: story by story each address would take a lock of its own.
        cursor.execute(
            """
            INSERT INTO newsroom_visibility
            SELECT v.* FROM (SELECT DISTINCT story_id FROM newsroom_release) n
            CROSS JOIN LATERAL visibility_of(n.story_id) v
            """
        )
