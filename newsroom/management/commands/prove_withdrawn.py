"""Prove that what was withdrawn is gone from every surface."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from newsroom import proving
from stories.models import Story


class Command(BaseCommand):
    help = "Fetch every public surface, and name each at which a withdrawn story is still to be seen."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("story", type=UUID, help="The id of the story, as in the address of its pages")
        parser.add_argument("--base", default=settings.SITE_URL, help="Where the public newsroom answers")

    def handle(self, *args: Any, story: UUID, base: str, **options: Any) -> None:
        wanted = Story.objects.filter(uid=story).first()
        if wanted is None:
            raise CommandError(f"There is no story {story}.")
        faults = 0
        try:
            for answer in proving.prove(wanted, base):
                faults += bool(answer.fault)
                self.stdout.write(f"{answer.status} {answer.path} {answer.fault or 'nothing of it'}")
        except proving.NotWithdrawn as refusal:
            raise CommandError(str(refusal)) from refusal
        except OSError as error:
            raise CommandError(f"{base} does not answer: {error}") from error
        if faults:
            raise CommandError(f"It is still to be seen at {faults} of these addresses.")
        self.stdout.write(self.style.SUCCESS("It is gone from every one of these addresses."))
