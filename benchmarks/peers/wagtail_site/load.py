"""`python -m wagtail_site.load FILE`: tables, and a page for each story of a JSON file."""

import json
import os
import sys
from datetime import datetime
from pathlib import Path


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "wagtail_site.settings"
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import transaction
    from wagtail.models import Page, Site
    from wagtail_site.models import NewsPage

    call_command("migrate", verbosity=0)
    stories = json.loads(Path(sys.argv[1]).read_text())
    with transaction.atomic():
        home = Page.objects.get(depth=2)
        news = home.add_child(instance=NewsPage(title="News", slug="news"))
        for story in stories:
            news.add_child(instance=page_of(story))
        Site.objects.update(site_name="Newsroom", hostname="127.0.0.1")
    call_command("rebuild_references_index", verbosity=0)


def page_of(story):
    """A story of Newsroom as a page."""
    from wagtail_site.models import StoryPage

    return StoryPage(
        title=story["headline"],
        slug=story["slug"],
        label=story["label"],
        summary=story["summary"],
        search_description=story["summary"],
        published=datetime.fromisoformat(story["published"]),
        organisation=story["organisation"],
        body=json.dumps(
            [
                {
                    "type": "quote",
                    "value": {key: block[key] or "-" for key in ("speaker", "role")}
                    | {"words": block["html"]},
                }
                if block["kind"] == "quote"
                else {"type": "words", "value": block["html"]}
                for block in story["body"]
            ]
        ),
        notes=story["notes"],
        contacts=story["contacts"],
        topics=story["topics"],
    )


if __name__ == "__main__":
    main()
