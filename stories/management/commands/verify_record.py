"""Verify every chain of the record, every fact and every digest, and what is kept from the facts."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from stories import record
from stories.models import Entry


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        faults = list(record.verify())
        for fault in faults:
            self.stderr.write(fault)
        if faults:
            raise CommandError(f"The record is broken: {len(faults)} faults. The first: {faults[0]}")
        chains = Entry.objects.values("story").distinct().count()
        self.stdout.write(f"The record is whole: {Entry.objects.count()} facts in {chains} chains.")
