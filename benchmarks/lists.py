"""The lists at two sizes of a newsroom, side by side: does a page take longer where there is more?

For each size a PostgreSQL of its own is filled by `manage.py make_newsroom` and put behind the web server as
`script/server` starts it. Each page is then asked for over HTTP, one request after the other, each time by
another person or for another story. Queries are counted, and their time added up, inside the process.
"""

import argparse
import http.client
import json
import os
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from benchmarks.stack import ROOT, free_port, table
from newsroom.embedded.account import tied_to_us

SIZES = (1_000, 100_000)
REQUESTS = 200
#: Seconds after which a page is asked for no more, once this many answers are in.
PATIENCE, AT_LEAST = 60, 20
COUNTED = 10
#: Before it is measured: each of the eight threads has a connection of its own, which plans what it is asked.
WARM = 40

#: Who asks (the id of a person, None for the public), and what for.
Ask = tuple[int | None, str]


def main(arguments: list[str] | None = None) -> str:
    """Run it; the table. With `--measure`, only what one size gives, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--stories", type=int, action="append", help="A size; twice for two (1000 and 100000)"
    )
    parser.add_argument("--requests", type=int, default=REQUESTS, help=f"A page ({REQUESTS})")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.measure:
        return json.dumps(measure(options.measure, options.requests))
    sizes = options.stories or list(SIZES)
    return written([one_size(size, options.requests) for size in sizes])


def one_size(size: int, requests: int) -> Any:
    """The figures of one size."""
    return apart(["benchmarks.lists", f"--measure={size}", f"--requests={requests}"])


def apart(module: list[str]) -> Any:
    """What a module prints, as JSON, below a database that is gone afterwards."""
    command = [sys.executable, "-m", "newsroom.embedded.throwaway", sys.executable, "-m", *module]
    environment = {
        **os.environ,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "ALLOWED_HOSTS": "127.0.0.1",
        "NEWSROOM_DEMO": "0",
        "DEBUG": "0",
        "LOG_LEVEL": "WARNING",
        "PYTHONPATH": str(ROOT),
    }
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
    return json.loads(out.splitlines()[-1])


def measure(size: int, requests: int) -> dict[str, Any]:
    """Fill the database, start the web server, and ask for each page."""
    made, seconds = fill(size)
    pages = Pages(Random(size))
    figures = {}
    with web() as port:
        for name, choose in pages.kinds.items():
            figures[name] = {**timed(port, pages, choose, requests), **counted(pages, choose)}
            print(f"{size:,}: {name}: {figures[name]}", file=sys.stderr, flush=True)
    return {"stories": size, "made": made, "seconds": seconds, "waiting": pages.waiting, "pages": figures}


def fill(size: int) -> tuple[dict[str, int], float]:
    """Migrate, collect the static files, make the newsroom; its rows, and how long that took."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "newsroom.settings"
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    from newsroom.bulk.loading import Wanted, make
    from newsroom.bulk.progress import Progress

    call_command("migrate", database="owner", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    progress, begun = Progress(sys.stderr, size, "stories"), time.monotonic()
    made = make(Wanted(size), "owner", progress.tell)
    progress.end()
    connections["owner"].close()
    return made, time.monotonic() - begun


class Pages:
    """The pages that are measured; each time they are chosen for, for somebody else."""

    def __init__(self, random: Random) -> None:
        from approvals.models import Desk, Standing
        from approvals.rules import MISSING
        from newsroom import people
        from newsroom.bulk.words import PLACES
        from newsroom.models import Visibility
        from stories.models import Story, User

        self.random, self.places = random, PLACES
        legal = Desk.objects.get(name="Legal")
        missing = Standing.objects.filter(desk=legal, state__in=MISSING, story__team=None)
        self.waiting = missing.count()
        self.clearers = list(legal.members.values_list("pk", flat=True))
        self.people = list(User.objects.values_list("pk", flat=True))
        self.to_clear = list(missing.values_list("story__uid", flat=True)[:2000])
        self.slugs = list(Visibility.objects.filter(announced=True).values_list("slug", flat=True)[:2000])
        self.quoted = [person.slug for person in people.quoted("", 2000)]
        old = Story.objects.filter(team=None, pk__lte=Story.objects.count() // 2)
        self.old = list(old.values_list("uid", flat=True)[:2000])
        self.kinds: dict[str, Callable[[], Ask]] = {
            "inbox of a busy desk": lambda: (self.clearer, "/desk/clearances/"),
            "inbox, second page of a group": lambda: (self.clearer, "/desk/clearances/?group=undated&page=2"),
            "story list": lambda: (self.anybody, "/desk/stories/"),
            "story list, a page far back": lambda: (
                self.anybody,
                f"/desk/stories/?before={random.choice(self.old)}",
            ),
            "story list, a search": lambda: (self.anybody, f"/desk/stories/?q={self.word}"),
            "clearing page": lambda: (
                self.clearer,
                f"/desk/stories/{random.choice(self.to_clear)}/clearing/",
            ),
            "desk": lambda: (self.anybody, "/desk/"),
            "public home page": lambda: (None, "/"),
            "public story page": lambda: (None, f"/news/{random.choice(self.slugs)}/"),
            "public page of a person": lambda: (None, f"/people/{random.choice(self.quoted)}/"),
            "public log of corrections": lambda: (None, "/corrections/"),
        }

    @property
    def clearer(self) -> int:
        return self.random.choice(self.clearers)

    @property
    def anybody(self) -> int:
        return self.random.choice(self.people)

    @property
    def word(self) -> str:
        """Words that one headline in sixteen has."""
        return self.random.choice(self.places).replace(" ", "+")

    def session(self, person: int) -> str:
        """A session in which somebody is signed in, by its key; the same each time."""
        from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
        from django.contrib.sessions.backends.db import SessionStore

        from stories.models import User

        sessions: dict[int, str] = self.__dict__.setdefault("sessions", {})
        if person not in sessions:
            store = SessionStore()
            store[SESSION_KEY] = str(person)
            store[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
            store[HASH_SESSION_KEY] = User.objects.get(pk=person).get_session_auth_hash()
            store.create()
            sessions[person] = str(store.session_key)
        return sessions[person]


@contextmanager
def web() -> Iterator[int]:
    """The web server on the database, as `script/server` starts it; its port."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "newsroom.wsgi:application", f"--bind=127.0.0.1:{port}"]
    command += ["--workers=2", "--threads=4", "--no-control-socket", "--log-level=warning"]
    server = subprocess.Popen(tied_to_us(command, death_signal="TERM"), cwd=ROOT, stdout=sys.stderr)
    try:
        for _ in range(300):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", "/healthz")
                connection.getresponse().read()
                break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(20)


def timed(port: int, pages: Any, choose: Callable[[], Ask], requests: int) -> dict[str, float]:
    """Milliseconds from the request to the last byte, over one connection after the other."""
    found: list[float] = []
    for number in range(-WARM, requests):
        person, path = choose()
        headers = {"Cookie": f"sessionid={pages.session(person)}"} if person else {}
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        begun = time.perf_counter()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        took = time.perf_counter() - begun
        connection.close()
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status} to person {person}.")
        if number >= 0 or took > 1:
            found.append(took * 1000)
        if len(found) >= AT_LEAST and sum(found) > PATIENCE * 1000:
            break
    return {
        "requests": len(found),
        "median": statistics.median(found),
        "p95": statistics.quantiles(found, n=20)[-1],
        "max": max(found),
    }


def counted(pages: Any, choose: Callable[[], Ask]) -> dict[str, float]:
    """The most queries that the page took, and the median of the time that was spent on them."""
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    queries, spent = [], []
    for _ in range(COUNTED):
        person, path = choose()
        client = Client(headers={"host": "127.0.0.1"})
        if person:
            client.cookies[settings.SESSION_COOKIE_NAME] = pages.session(person)
        with CaptureQueriesContext(connection) as captured:
            client.get(path)
        queries.append(len(captured))
        spent.append(sum(float(query["time"]) for query in captured.captured_queries) * 1000)
    return {"queries": max(queries), "sql": statistics.median(spent)}


def written(sizes: list[dict[str, Any]]) -> str:
    """The table, and what it was measured on."""
    headings = ["page, " + " → ".join(f"{size['stories']:,}" for size in sizes) + " stories", *HEADINGS]
    return table(headings, rows(sizes)) + "\n\n" + "\n".join(_about(size) for size in sizes) + "\n\n" + NOTES


def rows(sizes: list[dict[str, Any]]) -> list[list[object]]:
    """A line for each page, with its figures at each size."""
    arrow, rows = " → ".join, list[list[object]]()
    for name in sizes[0]["pages"]:
        pages = [size["pages"][name] for size in sizes]
        row: list[object] = [name, arrow(dict.fromkeys(f"{page['queries']:.0f}" for page in pages))]
        row += [arrow(f"{page[key]:.1f}" for page in pages) for key in ("sql", "median", "p95", "max")]
        rows.append([*row, f"{pages[-1]['median'] / pages[0]['median']:.2f}"])
    return rows


def _about(size: dict[str, Any]) -> str:
    """What one size holds, in a line."""
    rows = ", ".join(f"{count:,} {name}" for name, count in size["made"].items())
    requests = sorted(page["requests"] for page in size["pages"].values())
    often = f"{requests[0]} to {requests[-1]}" if requests[0] != requests[-1] else str(requests[0])
    return (
        f"- {rows}, made in {size['seconds']:.0f} s; {size['waiting']:,} sign-offs missing at the busy desk; "
        f"{often} requests a page."
    )


HEADINGS = ["queries", "SQL ms", "median ms", "95% ms", "max ms", "growth"]
NOTES = """One request at a time, over HTTP, signed in where the page asks for it, each time by somebody else
or for another story. SQL is the time in the database of those queries; growth is that of the median."""


if __name__ == "__main__":
    print(main())
