"""The public pages at two sizes of a newsroom, side by side: the smaller, and the same many times over.

A PostgreSQL of its own is filled by `manage.py make_newsroom`, and each page that finds stories is asked for
over HTTP, one request after the other. Then what is public is copied until there are as many stories as are
wanted (other addresses, instants spread over ten years, the same words), and each is asked for again.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from random import Random
from typing import Any

from benchmarks import lists
from benchmarks.stack import table

SMALL, LARGE, REQUESTS = 3_000, 1_000_000, 100
#: Each statement copies what is public so many times, less once; `base` is what is copied.
COPIES = (
    """CREATE TEMPORARY TABLE base AS SELECT n.id, n.story_id, n.revision_id FROM newsroom_release n
    JOIN newsroom_visibility v ON v.release_id = n.id AND is_visible(v, release_clock())
    WHERE n.follows_id IS NULL""",
    """CREATE TEMPORARY TABLE copy AS SELECT k, k * interval '3650 days' / {times} AS earlier,
    k * (SELECT max(id) FROM stories_story) AS story, k * (SELECT max(id) FROM stories_revision) AS revision,
    k * (SELECT max(id) FROM newsroom_release) AS release FROM generate_series(1, {times} - 1) k""",
    """INSERT INTO stories_story (id, uid, at, by_id, team_id)
    SELECT id + story, gen_random_uuid(), at - earlier, by_id, team_id
    FROM copy, stories_story WHERE id IN (SELECT story_id FROM base)""",
    """INSERT INTO stories_revision (id, at, number, content, parts, digest, origin, by_id, story_id)
    SELECT id + revision, at - earlier, number,
        content || jsonb_build_object('slug', concat(content ->> 'slug', '-', k)), parts, digest, origin,
        by_id, story_id + story
    FROM copy, stories_revision WHERE id IN (SELECT revision_id FROM base)""",
    """INSERT INTO newsroom_release (id, at, embargo, zone, by_id, revision_id, story_id, kind, note)
    SELECT id + release, at - earlier, embargo - earlier, zone, by_id, revision_id + revision,
        story_id + story, kind, note
    FROM copy, newsroom_release WHERE id IN (SELECT id FROM base)""",
    """INSERT INTO newsroom_visibility (release_id, slug, embargo, zone, visible_from, first_from, updated_at,
        announced, story_id)
    SELECT release_id + release, concat(slug, '-', k), embargo - earlier, zone, visible_from - earlier,
        first_from - earlier, updated_at - earlier, announced, story_id + story
    FROM copy, newsroom_visibility WHERE release_id IN (SELECT id FROM base)""",
    """INSERT INTO newsroom_tag (kind, slug, name, release_id)
    SELECT kind, slug, name, release_id + release
    FROM copy, newsroom_tag WHERE release_id IN (SELECT id FROM base)""",
    """INSERT INTO newsroom_indexed (release_id, words, vocabulary)
    SELECT release_id + release, words, vocabulary
    FROM copy, newsroom_indexed WHERE release_id IN (SELECT id FROM base)""",
)
#: Indexes that are made anew afterwards, in a fraction of the time that adding to them takes.
INVERTED = """SELECT indexdef, indexname FROM pg_indexes WHERE indexdef LIKE '%USING gin%'
    AND tablename IN ('stories_revision', 'newsroom_indexed')"""


def main(arguments: list[str] | None = None) -> str:
    """Run it; the table. With `--measure`, only the figures, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stories", type=int, default=LARGE, help=f"Released, of the larger ({LARGE:,})")
    parser.add_argument("--requests", type=int, default=REQUESTS, help=f"A page ({REQUESTS})")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.measure:
        return json.dumps(measure(options.stories, options.requests))
    inner = ["benchmarks.public", "--measure", f"--stories={options.stories}"]
    return written(lists.apart([*inner, f"--requests={options.requests}"]))


def measure(stories: int, requests: int) -> list[dict[str, Any]]:
    """The figures of both sizes."""
    lists.fill(SMALL)
    found = [asked(requests)]
    begun = time.monotonic()
    grow(stories)
    return [*found, {**asked(requests), "seconds": time.monotonic() - begun}]


def grow(stories: int) -> None:
    """Copy what is public until it is so many stories."""
    from django.db import connections, transaction

    from newsroom.bulk.loading import Loader

    loader = Loader("owner")
    with transaction.atomic(using="owner"), loader.unguarded():
        loader.execute("SET LOCAL maintenance_work_mem = '1GB'")
        loader.execute("SET LOCAL work_mem = '256MB'")
        with connections["owner"].cursor() as cursor:
            cursor.execute(INVERTED)
            inverted = cursor.fetchall()
        for _, name in inverted:
            loader.execute(f"DROP INDEX {name}")
        loader.execute(COPIES[0])
        (public,) = loader.ask("SELECT count(*) FROM base")
        for statement in COPIES[1:]:
            begun = time.monotonic()
            rows = loader.execute(statement.format(times=round(stories / public)))
            tell(f"{statement.split('(')[0].strip()}: {rows:,} rows in {time.monotonic() - begun:.0f} s")
        for definition, name in inverted:
            begun = time.monotonic()
            loader.execute(definition)
            tell(f"{name}: {time.monotonic() - begun:.0f} s")
    begun = time.monotonic()
    loader.execute(f"VACUUM (ANALYZE) {loader.tables}")
    tell(f"vacuum: {time.monotonic() - begun:.0f} s")


def tell(words: str) -> None:
    """Say how far it is."""
    print(words, file=sys.stderr, flush=True)


def asked(requests: int) -> dict[str, Any]:
    """The figures of each page as the newsroom is now."""
    pages = Pages()
    figures = {}
    with lists.web() as port:
        for name, choose in pages.kinds.items():
            figures[name] = {
                **lists.timed(port, pages, choose, requests),
                **lists.counted(pages, choose),
            }
            tell(f"{pages.released:,}: {name}: {figures[name]}")
    return {"stories": pages.released, "pages": figures}


class Pages:
    """The pages that are measured, each time for something else."""

    def __init__(self) -> None:
        from newsroom import gathering, people
        from newsroom.bulk.words import PLACES
        from newsroom.models import Release, TagKind, Visibility

        random = Random(1)
        self.released = Release.objects.public().count()
        slugs = list(Visibility.objects.public().order_by("?").values_list("slug", flat=True)[:1000])
        uids = list(Release.objects.public().order_by("?").values_list("story__uid", flat=True)[:1000])
        published = Visibility.objects.public().order_by("?").values_list("first_from", flat=True)[:1000]
        # By the press office's clocks it may be the next month: not in the middle of one.
        months = [f"{at:%Y/%m}" for at in published if 1 < at.day < 28]
        topics = [each.slug for each in gathering.known(TagKind.TOPIC)]
        organisations = [each.slug for each in gathering.known(TagKind.ORGANISATION)]
        quoted = [person.slug for person in people.quoted("", 500)]
        years = list(gathering.years())

        def place() -> str:
            return random.choice(PLACES).replace(" ", "+")

        def misspelt() -> str:
            word = random.choice([word for name in PLACES for word in name.split() if len(word) > 4])
            cut = random.randrange(1, len(word) - 1)
            return word[:cut] + word[cut + 1 :]

        paths: dict[str, Callable[[], str]] = {
            "home": lambda: "/",
            "home, tenth page": lambda: "/?page=10",
            "story": lambda: f"/news/{random.choice(slugs)}/",
            "search, a place": lambda: f"/search/?q={place()}",
            "search, a phrase": lambda: f"/search/?q=%22{place()}%22",
            "search, two places": lambda: f"/search/?q={place()}+{place()}",
            "search, a word in nearly all": lambda: "/search/?q=water",
            "search, a place about a topic": lambda: f"/search/?q={place()}&topic={random.choice(topics)}",
            "search, a place in a year": lambda: (
                f"/search/?q={place()}&since={(year := random.choice(years))}-01-01&until={year}-12-31"
            ),
            "search, misspelt": lambda: f"/search/?q={misspelt()}",
            "search, no such word": lambda: "/search/?q=zzyzx",
            "topic": lambda: f"/topics/{random.choice(topics)}/",
            "organisation": lambda: f"/organisations/{random.choice(organisations)}/",
            "people": lambda: "/people/",
            "person": lambda: f"/people/{random.choice(quoted)}/",
            "archive": lambda: "/archive/",
            "archive of a year": lambda: f"/archive/{random.choice(years):04}/",
            "archive of a month": lambda: f"/archive/{random.choice(months)}/",
            "corrections": lambda: "/corrections/",
            "Atom feed": lambda: "/feed.atom",
            "Atom feed of a topic": lambda: f"/topics/{random.choice(topics)}/feed.atom",
            "API, stories": lambda: "/api/stories/",
            "API, a story": lambda: f"/api/stories/{random.choice(uids)}/",
            "sitemap": lambda: "/sitemap.xml",
            "sitemap, pages": lambda: "/sitemap.xml?part=pages",
            "sitemap, a month": lambda: f"/sitemap.xml?part={random.choice(months).replace('/', '-')}",
            "sitemap of news": lambda: "/news-sitemap.xml",
        }
        self.kinds: dict[str, Callable[[], lists.Ask]] = {
            name: lambda path=path: (None, path()) for name, path in paths.items()
        }


def written(sizes: list[dict[str, Any]]) -> str:
    """The table, and what it was measured on."""
    headings = ["page, " + " → ".join(f"{size['stories']:,}" for size in sizes) + " public stories"]
    rows = lists.rows(sizes)
    slow = max(page["sql"] for page in sizes[-1]["pages"].values())
    about = (
        f"- The most that a page's queries took together, as a median, is {slow:.0f} ms at the larger size.\n"
        f"- The larger newsroom was made and measured in {sizes[-1]['seconds'] / 60:.0f} minutes.\n\n"
    )
    return table(headings + lists.HEADINGS, rows) + "\n\n" + about + lists.NOTES


if __name__ == "__main__":
    print(main())
