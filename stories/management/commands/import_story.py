"""Begin a story from a text file, or from standard input, and say what was recognised."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from stories import importing, intake
from stories.models import User


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="A text file, or - for standard input")
        parser.add_argument("--by", required=True, metavar="USERNAME", help="Whose story it is")
        parser.add_argument("--json", action="store_true", help="Print what was recognised as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            by = User.objects.get(username=options["by"], is_active=True)
        except User.DoesNotExist:
            raise CommandError(f"Nobody active has the user name “{options['by']}”.") from None
        try:
            recognised = intake.recognise(intake.decode(_read(options["file"])))
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from None
        except (intake.NotText, intake.TooLong, intake.Empty) as refusal:
            raise CommandError(str(refusal)) from None
        content = importing.content_of(recognised)
        revision = importing.begin(by=by, recognised=recognised, content=content)
        found = {"id": str(revision.story.uid), **intake.as_json(recognised)}
        if options["json"]:
            self.stdout.write(json.dumps(found, ensure_ascii=False, indent=2))
        else:
            blocks = found["blocks"]
            quotes = sum(block["kind"] == "quote" for block in blocks)
            self.stdout.write(found["headline"])
            self.stdout.write(f"{found['type']}, {len(blocks)} blocks, {quotes} of them quotes")
            self.stdout.write(f"story {found['id']}")


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read(intake.LIMIT + 1)
    with Path(file).open("rb") as opened:
        return opened.read(intake.LIMIT + 1)
