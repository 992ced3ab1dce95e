"""Bring the words of the public pages, in each language, up to date with the source."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from newsroom import catalogues
from stories.languages import LANGUAGES


class Command(BaseCommand):
    help = "Write each language's .po with exactly what the public pages say, and the .mo that is made of it."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = catalogues.in_source()
        missing = []
        for kept in catalogues.catalogues():
            catalogue = kept.for_source(wanted)
            catalogue.po.parent.mkdir(parents=True, exist_ok=True)
            file = catalogue.as_file()
            file.save(str(catalogue.po))
            file.save_as_mofile(str(catalogue.mo))
            missing += [f"{catalogue.language}: {words}" for words in catalogue.missing()]
        if missing:
            raise CommandError("Not said yet, so shown in English:\n" + "\n".join(missing))
        self.stdout.write(f"{len(wanted)} messages in {', '.join(LANGUAGES)}.")
