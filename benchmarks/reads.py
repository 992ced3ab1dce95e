"""Reads of public pages beside their peers: nginx with the same bytes in a file, and Wagtail.

All in one run, in turns, with wrk: a thousand released stories in an order that chance decides, asked of
the application; the home page through the cache of `deploy/nginx.conf`; files of the same bytes; the same
stories in Wagtail, which has a database of its own in the same PostgreSQL, without a cache and with
Django's in Redis. For each size of a newsroom a PostgreSQL of its own is filled as by `manage.py
make_newsroom`; the peers stand beside the first.

Needs wrk, nginx and redis-server (Debian packages wrk, nginx-light, redis-server), and PyPI the first time.
"""

import argparse
import json
import os
import re
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import unquote, urlsplit

from benchmarks.lists import fill
from benchmarks.processes import memory, spent, tree
from benchmarks.stack import ROOT, free_port, table
from newsroom.embedded.account import tied_to_us

SIZES = (1_500, 135_000)
STORIES = 1_000
ROUNDS, SECONDS, CONNECTIONS = 3, 8, 32
#: Lines of `deploy/nginx.conf` before which something is put.
DOWN, NEWEST = "        location @down {", "    # Asks Newsroom each time"
PEERS = ROOT / "benchmarks" / "peers"
#: Seconds: at a time before it is measured, and after which that has to do.
WARM, PATIENCE = 3, 120
#: Which page is asked for next.
WALK, CHANCE = "place % #paths + 1", "math.random(#paths)"
#: As a proxy in front would say it, so that one server answers both what goes through one and what does not.
HEADERS = {"Host": "news.example.gov", "X-Forwarded-Proto": "https"}

STORY, DRAWN, HOME = "story page", "story page, any of all", "home page through the micro-cache"
FILE, TLS_FILE = (
    "nginx: the same bytes of each story as a file",
    "nginx: the same bytes of the home page as a file",
)
WAGTAIL, CACHED = "Wagtail: its page", "Wagtail: its page out of Django's cache in Redis"


@dataclass
class Server:
    """What is asked, and whose time is counted: its own processes, and those that it makes work."""

    url: str
    paths: Sequence[str]
    pids: list[int]
    #: How often all its pages are asked for before it is measured. Each process keeps its own, and chance
    #: decides which of them is asked.
    walks: int = 0
    #: The process whose children serve pages, where their memory is of interest.
    master: int | None = None
    runs: list[dict[str, float]] = field(default_factory=list)
    sizes: list[tuple[float, float]] = field(default_factory=list)


def main(arguments: list[str] | None = None) -> str:
    """Run it; the tables. With `--measure`, only what one size gives, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--stories",
        type=int,
        action="append",
        help="Of a newsroom, three quarters of them released; twice "
        f"for two sizes ({' and '.join(map(str, SIZES))})",
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"Of each, in turns ({ROUNDS})")
    parser.add_argument("--seconds", type=int, default=SECONDS, help=f"Of each in a round ({SECONDS})")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--with-peers", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.measure:
        return json.dumps(measure(options.measure, options))
    missing = [tool for tool in ("wrk", "nginx", "redis-server") if not _found(tool)]
    if missing:
        sys.exit(f"This benchmark needs {' and '.join(missing)}: install the Debian packages of these names.")
    sizes, load = options.stories or list(SIZES), os.getloadavg()[0]
    about = NOTES.format(rounds=options.rounds, seconds=options.seconds, load=load)
    return written([one_size(size, place == 0, options) for place, size in enumerate(sizes)], about)


def one_size(size: int, with_peers: bool, options: Any) -> dict[str, Any]:
    """The figures of one size, measured below a database that is gone afterwards."""
    inner = [sys.executable, "-m", "benchmarks.reads", f"--measure={size}"]
    inner += [f"--rounds={options.rounds}", f"--seconds={options.seconds}"]
    inner += ["--with-peers"] if with_peers else []
    environment = {
        **os.environ,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "SITE_URL": "https://news.example.gov",
        "ALLOWED_HOSTS": "news.example.gov",
        "BEHIND_PROXY": "1",
        "NEWSROOM_FILES_BY_PROXY": "1",
        "NEWSROOM_DEMO": "0",
        "DEBUG": "0",
        "LOG_LEVEL": "WARNING",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "newsroom.embedded.throwaway", *inner]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def measure(size: int, options: Any) -> dict[str, Any]:
    """Fill the database, start all the servers, and ask each in turns."""
    _, seconds = fill(size)
    from newsroom.models import Release

    slugs = list(Release.objects.public().order_by("pk").values_list("visibility__slug", flat=True))
    some = Random(size).sample(slugs, min(STORIES, len(slugs)))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="newsroom-reads-")))
        folder.chmod(0o755)
        servers = _servers(stack, folder, some, slugs, options.with_peers)
        for server in servers.values():
            _warm(server, folder)
        for number in range(options.rounds):
            for name, server in servers.items():
                server.runs.append(load(server, folder, options.seconds))
                print(f"{size:,}, round {number + 1}: {name}: {server.runs[-1]}", file=sys.stderr, flush=True)
                if server.master:
                    workers = [pid for pid in tree(server.master) if pid != server.master]
                    server.sizes.append(max(memory(pid) for pid in workers))
    return {
        "stories": size,
        "released": len(slugs),
        "some": len(some),
        "seconds": seconds,
        **_about(some),
        "servers": {name: {"runs": server.runs, "sizes": server.sizes} for name, server in servers.items()},
    }


def _servers(
    stack: ExitStack, folder: Path, some: list[str], slugs: list[str], with_peers: bool
) -> dict[str, Server]:
    """What is measured, by name, each answering until the end of `stack`."""
    database = _database_server()
    paths = [f"/news/{slug}/" for slug in some]
    edge = stack.enter_context(_edge(folder))
    web = stack.enter_context(_gunicorn(sys.executable, "newsroom.wsgi:application", edge.behind, os.environ))
    ours = f"http://127.0.0.1:{edge.behind}"
    servers = {STORY: Server(ours, paths, [web, database], walks=6, master=web)}
    if not with_peers:
        # Far more of them than are kept.
        servers[DRAWN] = Server(ours, [f"/news/{slug}/" for slug in slugs], [web, database], master=web)
    root = folder / "root"
    for path in paths:
        (root / path.strip("/")).mkdir(parents=True)
        (root / path.strip("/") / "index.html").write_bytes(_read(ours + path))
    (root / "index.html").write_bytes(_read(ours + "/"))
    servers[FILE] = Server(f"http://127.0.0.1:{edge.files}", paths, [edge.pid])
    if not with_peers:
        return servers
    servers[HOME] = Server(f"https://127.0.0.1:{edge.tls}", ["/"], [edge.pid, web, database])
    servers[TLS_FILE] = Server(f"https://127.0.0.1:{edge.tls}", ["/as-a-file/"], [edge.pid])
    redis, address = stack.enter_context(_redis(folder))
    for name, variables in ((WAGTAIL, {}), (CACHED, {"PEER_REDIS": address})):
        environment = {**_peer(folder, some), **variables}
        port = free_port()
        peer = stack.enter_context(_gunicorn(_python(), "wagtail_site.wsgi:application", port, environment))
        pids = [peer, database, *([redis] if variables else [])]
        walks = 2 if variables else 0
        servers[name] = Server(f"http://127.0.0.1:{port}", paths, pids, walks=walks, master=peer)
    return servers


@dataclass(frozen=True)
class Edge:
    """Where nginx answers, as `deploy/` has it and with plain files, and where it expects the application."""

    pid: int
    tls: int
    files: int
    behind: int


@contextmanager
def _edge(folder: Path) -> Iterator[Edge]:
    """nginx as the tests start it, with no limit to how often one reader may ask, and files beside."""
    from tests.edge import edge

    with edge.edge(folder) as there:
        files = free_port()
        configuration = folder / "nginx.conf"
        text = configuration.read_text()
        changes = {
            "rate=50r/s": "rate=1000000r/s",
            # The home page as a file, over the same connections as the one out of the cache.
            DOWN: f"        location /as-a-file/ {{ alias {folder}/root/; }}\n{DOWN}",
            NEWEST: f"server {{ listen 127.0.0.1:{files}; root {folder}/root; access_log off; }}\n{NEWEST}",
        }
        for old, new in changes.items():
            assert old in text, old
            text = text.replace(old, new)
        configuration.write_text(text)
        pid = int((folder / "run" / "nginx.pid").read_text())
        subprocess.run(
            [edge.nginx(), "-c", configuration, "-p", folder, "-s", "reload"],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        (folder / "root").mkdir()
        (folder / "root" / "index.html").touch()
        edge.waited_for(lambda: urllib.request.urlopen(f"http://127.0.0.1:{files}/").close())
        yield Edge(pid, there.tls, files, there.behind)


@contextmanager
def _gunicorn(python: str, application: str, port: int, environment: Any) -> Iterator[int]:
    """An application as `script/server` has ours served; the id of its process."""
    command = [python, "-m", "gunicorn", application, f"--bind=127.0.0.1:{port}"]
    command += ["--workers=2", "--threads=4", "--no-control-socket", "--log-level=warning"]
    with _running(command, cwd=ROOT, env=environment) as pid:
        for _ in range(300):
            try:
                _read(f"http://127.0.0.1:{port}/")
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                time.sleep(0.1)
        yield pid


@contextmanager
def _redis(folder: Path) -> Iterator[tuple[int, str]]:
    """A Redis that keeps nothing on the disk; the id of its process, and its address."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with _running(command, stdout=subprocess.DEVNULL) as pid:
        yield pid, f"redis://127.0.0.1:{port}/0"


@contextmanager
def _running(command: list[str], **how: Any) -> Iterator[int]:
    """A process, for as long as the block lasts."""
    process = subprocess.Popen(tied_to_us(command, death_signal="TERM"), **{"stdout": sys.stderr, **how})
    try:
        time.sleep(1)
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


def _environment() -> Path:
    """Where the peers are installed: beside what the development server keeps, and never in .venv."""
    return Path(os.environ.get("NEWSROOM_PEERS", ROOT / "var" / "peers"))


def _python() -> str:
    """The Python of the peers."""
    return str(_environment() / "bin" / "python")


def _peer(folder: Path, slugs: list[str]) -> dict[str, str]:
    """The variables that Wagtail runs with; it is installed and has the stories, the first time."""
    owner = os.environ["DATABASE_OWNER_URL"]
    url = owner.rpartition("/")[0] + "/wagtail"
    environment = {**os.environ, "PEER_DATABASE_URL": url, "PYTHONPATH": str(PEERS)}
    environment["DJANGO_SETTINGS_MODULE"] = "wagtail_site.settings"
    told = folder / "stories.json"
    if not told.exists():
        subprocess.run(
            [PEERS / "install", _environment()], check=True, env={**os.environ, "PYTHON": sys.executable}
        )
        told.write_text(json.dumps(_stories(slugs)))
        from django.db import connections

        with connections["owner"].cursor() as cursor:
            cursor.execute("CREATE DATABASE wagtail")
        load = [_python(), "-m", "wagtail_site.load", told]
        subprocess.run(load, check=True, env=environment, cwd=ROOT, stdout=sys.stderr)
        with connections["owner"].cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")
    return environment


def _stories(slugs: list[str]) -> list[dict[str, Any]]:
    """The stories as their pages show them."""
    from newsroom.models import Release
    from stories import rendering

    found = []
    releases = (
        Release.objects.public().filter(visibility__slug__in=slugs).select_related("revision", "visibility")
    )
    for release in releases:
        content = release.revision.content
        found.append(
            {
                "slug": release.visibility.slug,
                "headline": content["headline"],
                "summary": content["summary"],
                "label": release.revision.type_label,
                "published": release.visibility.first_from.isoformat(),
                "organisation": (content["organisation"] or {}).get("name", ""),
                "body": [
                    {"kind": block["kind"], "html": str(rendering.sanitised(block["html"]))}
                    | {key: block.get(key, "") for key in ("speaker", "role")}
                    for block in content["body"]
                ],
                "notes": str(rendering.sanitised(content["notes"])),
                "contacts": content["contacts"],
                "topics": [topic["name"] for topic in content["topics"]],
            }
        )
    return found


def _about(slugs: list[str]) -> dict[str, float]:
    """How long the stories are, in words."""
    from newsroom.models import Release
    from stories import richtext

    contents = (
        Release.objects.public()
        .filter(visibility__slug__in=slugs)
        .values_list("revision__content", flat=True)
    )
    words = [
        len(f"{content['headline']} {content['summary']} {richtext.plain(content['body'])}".split())
        + len(re.sub(r"<[^>]*>", " ", content["notes"]).split())
        for content in contents
    ]
    return {"words": statistics.median(words)}


def _database_server() -> int:
    """The first process of the PostgreSQL that we are given."""
    socket = unquote(urlsplit(os.environ["DATABASE_URL"]).netloc.rpartition("@")[2])
    (file,) = Path(socket).parent.rglob("postmaster.pid")
    return int(file.read_text().split()[0])


def _warm(server: Server, folder: Path) -> None:
    """Ask for each page in its turn, so that it is planned, cached and kept, wherever that is done."""
    asked, until = 0, time.monotonic() + PATIENCE
    while True:
        asked += _requests(_wrk(server, folder, WARM, WALK, asked // 2))
        if asked >= server.walks * len(server.paths) or time.monotonic() > until:
            break


def _read(url: str) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, headers=HEADERS)) as response:
        page: bytes = response.read()
    return page


def load(server: Server, folder: Path, seconds: int) -> dict[str, float]:
    """Ask for `seconds`: requests a second, the median and the 99th percentile of their time, CPU of each.

    All but the first in milliseconds.
    """
    before = spent(server.pids)
    out = _wrk(server, folder, seconds, CHANCE)
    after = spent(server.pids)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", out)
    times = {percent: _milliseconds(value) for percent, value in re.findall(r"(50|99)%\s+([\d.]+\w+)", out)}
    if not rate or len(times) != 2:
        sys.exit(f"wrk said something else:\n{out}")
    return {
        "rate": float(rate[1]),
        "median": times["50"],
        "p99": times["99"],
        "cpu": (after - before) * 1000 / _requests(out),
    }


def _wrk(server: Server, folder: Path, seconds: int, choose: str, start: int = 0) -> str:
    """What wrk says after asking for `seconds`; which page comes next is said by `choose`, in Lua."""
    script = folder / "paths.lua"
    listed = ",".join(f'"{path}"' for path in server.paths)
    script.write_text(
        f"local paths = {{{listed}}}\nlocal threads = 0\n"
        "function setup(thread) threads = threads + 1; thread:set('number', threads) end\n"
        # Each thread begins elsewhere.
        "function init(args) math.randomseed(number)\n"
        f"place = (math.floor(number * #paths / 2) + {start}) % #paths end\n"
        f"function request() place = {choose}; return wrk.format('GET', paths[place]) end\n"
    )
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "--timeout=30s"]
    command += [f"--script={script}", *(f"--header={name}: {value}" for name, value in HEADERS.items())]
    out = subprocess.run([*command, server.url], check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        sys.exit(f"Some answers were no pages:\n{server.url}{server.paths[0]}\n{out}")
    return out


def _requests(out: str) -> int:
    """How many requests wrk says that it made."""
    count = re.search(r"(\d+) requests in", out)
    return int(count[1]) if count else 0


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def _found(tool: str) -> bool:
    return bool(shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/usr/local/sbin"))


class Figures:
    """The medians of one size."""

    def __init__(self, size: dict[str, Any]) -> None:
        self.size, self.names = size, list(size["servers"])

    def of(self, name: str, key: str) -> float:
        return statistics.median(run[key] for run in self.size["servers"][name]["runs"])

    def memory(self, name: str) -> tuple[float, float] | None:
        sizes = self.size["servers"][name]["sizes"]
        return max(tuple(each) for each in sizes) if sizes else None


def written(sizes: list[dict[str, Any]], about: str) -> str:
    """The tables, and what they say of the aims."""
    figures = [Figures(size) for size in sizes]
    first, last = figures[0], figures[-1]
    rows: list[list[object]] = []
    for each in figures:
        for name in each.names:
            if each is not first and name == FILE:
                continue
            of_how_many = f"{name}, of {each.size['released']:,} released" if name in (STORY, DRAWN) else name
            taken = each.memory(name)
            row: list[object] = [of_how_many, f"{each.of(name, 'rate'):,.0f}"]
            row += [f"{each.of(name, key):.2f}" for key in ("median", "p99")]
            row += [f"{each.of(name, 'cpu'):.3f}"]
            row += [f"{taken[0]:.0f} / {taken[1]:.0f}" if taken else ""]
            rows.append(row)
    heading = (
        f"{first.size['some']:,} stories of about {first.size['words']:.0f} words, {CONNECTIONS} connections"
    )
    headings = [heading, "requests/s", "50% ms", "99% ms", "CPU ms a request", "worker MB (RSS / PSS)"]
    cost, wagtail, cached = (first.of(name, "cpu") for name in (STORY, WAGTAIL, CACHED))
    home = first.of(HOME, "rate") / first.of(TLS_FILE, "rate")
    lines = [f"- A story page costs 1/{wagtail / cost:.0f} of Wagtail's CPU (aim: 1/30)."]
    lines.append(f"- It costs {cost / cached:.2f} of what Wagtail costs with its cache (aim: below 1).")
    lines.append(
        f"- The home page through the micro-cache gives {home:.2f} of the requests a second of the "
        "same bytes as a file, over the same TLS (aim: 0.7)."
    )
    if last is not first:
        grown = last.of(STORY, "cpu") / cost
        files = last.of(FILE, "cpu") / first.of(FILE, "cpu")
        lines.append(
            f"- From {first.size['released']:,} to {last.size['released']:,} released stories its CPU is "
            f"{grown:.2f} of what it was; that of nginx's files, which says what the machine did meanwhile, "
            f"{files:.2f}. The larger newsroom was made in {last.size['seconds']:.0f} s."
        )
    return table(headings, rows) + "\n\n" + "\n".join(lines) + "\n\n" + about


NOTES = """\
Medians of {rounds} rounds of {seconds} s in turns; memory is the most that a worker had after a round. CPU is
what all processes spend that the request makes work: the server (two processes of four threads), PostgreSQL,
and nginx or Redis where they take part. wrk runs on the same processors and is not counted. The stories are
the same in Newsroom, in the files and in Wagtail. “Any of all” asks for more stories than are kept, so that
most are drawn anew. Before it began the load of the machine was {load:.1f}: it should be near 0."""


if __name__ == "__main__":
    print(main())
