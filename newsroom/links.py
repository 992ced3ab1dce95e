"""Whether what a story links to answers. Each link is asked once a run, few at a time, none for long.

All that goes out goes through `ask`.
"""

import http.client
import socket
import ssl
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from html.parser import HTMLParser
from time import monotonic
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from django.conf import settings

from stories import rendering

from . import outside
from .models import Finding
from .outgoing_guard import PrivateAddress, cut_off, guarded

#: For one request, for all links of a story, in seconds; how many are asked at a time, and of one story.
ONE, ALL, AT_A_TIME, MOST = 3.0, 6.0, 4, 40
REDIRECTS = 4
#: For all links of a run, in seconds.
BUDGET = 20.0
#: What stands for itself in the path and the query of an address.
KEPT = "%/:=&?~#+!$,;'@()*[]"
#: They refuse machines, or whoever is not signed in: that says nothing about the link.
REFUSES = {401, 403, 405, 407, 408, 425, 429, 451}


@dataclass(frozen=True)
class Answer:
    """What came of asking for one link, and in a few words why it is not in order."""

    state: str
    words: str = ""


LATE = Answer(Finding.UNKNOWN, "no answer in time")
SPENT = Answer(Finding.UNKNOWN, "not asked: too many other links are slow")


@dataclass
class Asking:
    """What a run knows of links, and for how many more seconds it may wait for any."""

    answers: dict[str, Answer] = field(default_factory=dict)
    left: float = BUDGET


class _Hrefs(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]


def of(content: dict[str, Any]) -> list[str]:
    """The web addresses that a content links to, in the order of the page, each once."""
    parser = _Hrefs()
    for block in content["body"]:
        parser.feed(str(rendering.sanitised(block["html"])))
    parser.feed(str(rendering.sanitised(content["notes"])))
    lines = rendering.contact_lines(content["contacts"])
    parser.found += [piece.href for group in lines for line in group for piece in line]
    return list(dict.fromkeys(url for url in parser.found if url.startswith(("http://", "https://"))))


def check(urls: Iterable[str], asking: Asking) -> dict[str, Answer]:
    """What came of asking for some links, a few at a time, within a few seconds.

    What the run knows is not asked again, a host that did not answer in time is not asked for more, and a run
    that has waited for long asks nobody: thousands of stories with a dead link each keep nothing waiting.
    """
    wanted = list(urls)[:MOST]
    silent = {_host(url) for url, answer in asking.answers.items() if answer == LATE}
    new = [url for url in wanted if url not in asking.answers]
    asked = [url for url in new if _host(url) not in silent] if asking.left > 0 else []
    began = monotonic()
    found = _ask_some(asked, min(ALL, max(asking.left, 0)))
    asking.left -= monotonic() - began
    asking.answers |= found
    for url in new:
        if url in asked or _host(url) in silent:
            asking.answers.setdefault(url, LATE)
    return {url: asking.answers.get(url, SPENT) for url in wanted}


def _ask_some(urls: list[str], seconds: float) -> dict[str, Answer]:
    """What came of those links that answered in time."""
    if not urls:
        return {}
    # Whoever hangs in a name server is left behind: nobody waits for it.
    pool = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="link")
    futures = {pool.submit(ask, url): url for url in urls}
    done = wait(futures, timeout=seconds).done
    pool.shutdown(wait=False, cancel_futures=True)
    return {futures[future]: future.result() for future in done}


def _host(url: str) -> str:
    return urlsplit(url).netloc


def ask(url: str) -> Answer:
    """Ask for one link, as little as says whether it is there. What is wrong is said; nothing is raised."""
    try:
        return _ask(url)
    except PrivateAddress:
        return Answer(Finding.UNKNOWN, "inside a private network: not asked")
    except socket.gaierror as error:
        if error.errno in {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}:
            return Answer(Finding.WRONG, "there is no such host")
        return Answer(Finding.UNKNOWN, "the name server does not answer")
    except ssl.SSLCertVerificationError:
        return Answer(Finding.WRONG, "its certificate is not valid")
    except ConnectionRefusedError:
        return Answer(Finding.WRONG, "nobody listens there")
    except TimeoutError:
        return LATE
    except outside.Unanswered as error:
        return Answer(Finding.UNKNOWN, str(error))
    # An address that is none, half an answer, a network that is down: what matters is that it is said.
    except (OSError, ValueError, http.client.HTTPException) as error:
        return Answer(Finding.UNKNOWN, f"no answer ({type(error).__name__})")


def _ask(url: str) -> Answer:
    status = 0
    for _ in range(REDIRECTS):
        status, onwards = _request("HEAD", url)
        if status >= 400:
            # Not everybody knows HEAD.
            status, onwards = _request("GET", url)
        if not (300 <= status < 400 and onwards):
            break
        url = urljoin(url, onwards)
        if urlsplit(url).scheme not in {"http", "https"}:
            return Answer(Finding.WRONG, "it leads to no web address")
    else:
        return Answer(Finding.WRONG, "it goes from one address to the next without an end")
    if status < 400:
        return Answer(Finding.OK)
    return Answer(Finding.UNKNOWN if status in REFUSES else Finding.WRONG, f"it answers {status}")


def _request(method: str, url: str) -> tuple[int, str]:
    """The status of an address, and where it leads on to. Nothing of its body is read."""
    parts = urlsplit(url)
    path = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=KEPT)
    if url.startswith(f"{settings.SITE_URL}/"):
        # Our own pages, which a private address in front of them must not hide.
        return outside.fetch(path).status, ""
    connection = guarded(parts.scheme, parts.hostname or "", parts.port, ONE)
    with cut_off(connection, ONE):
        connection.request(method, path, headers={"User-Agent": "Newsroom link check"})
        response = connection.getresponse()
        return response.status, response.headers.get("Location", "")
