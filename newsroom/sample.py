"""A story that is not: what there is to look at, and to try pages with, while none is public."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.template.loader import get_template, render_to_string

from stories import content as shape
from stories import languages, rendering
from stories.clocks import office
from stories.moments import Moment

from . import house, public

CONTENT = {
    "headline": "A headline as the public would read it",
    "slug": "a-story",
    "summary": "The summary says in a sentence or two what is new.",
    "body": [
        {
            "kind": "paragraph",
            "html": '<p>The text, with <a href="https://example.org/">a link</a> in it.</p>',
        },
        {
            "kind": "quote",
            "html": "<p>The words of somebody who is quoted.</p>",
            "speaker": "Whoever says it",
            "role": "their role at the time",
        },
    ],
    "notes": "<ol><li>A note to editors.</li></ol>",
}


def page(published: Moment) -> dict[str, Any]:
    """What its page shows, as if it had come out at this moment."""
    article = rendering.article({**shape.blank(), **CONTENT}, published=published)
    return public.of_article(article, str(CONTENT["slug"]))


def rehearse() -> None:
    """Read what public pages are drawn from, draw a story's for nobody, put together what it asks. No query.

    What a process reads and works out once (templates, zones, patterns, the words of queries) takes several
    times as long as the page itself: the first reader of a story would wait for it, at its very moment.
    """
    public.make_ready()
    for path in (settings.BASE_DIR / "templates" / "public").glob("*.html"):
        get_template(f"public/{path.name}")
    # As if it had been asked for: the database may not be there yet.
    house.keep(None)
    try:
        for language in languages.LANGUAGES:
            with languages.speaking(language):
                shown = {"site": public.site(), **page(office(datetime.now(UTC)))}
                render_to_string("public/story.html", shown)
    finally:
        house.forget()
