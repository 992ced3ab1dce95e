"""Every address that anybody may open, asked for what nobody would: no error, and not too many queries.

The addresses are those of the permission matrix, the parameters those that the code asks for, so that what is
new is asked too.
"""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from django.db import connection, transaction
from django.forms import Form
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import newsroom
from newsroom import subscribing
from newsroom.access import PAGES
from newsroom.models import Subscriber
from newsroom.search_views import SearchForm
from newsroom.subscribe_forms import ChoiceForm, SubscribeForm
from tests.checkers.stage import FULL, Stage, furnish
from tests.newsroom.test_canary import ARGUMENT
from tests.newsroom.test_nothing_early import ROUTES

pytestmark = pytest.mark.django_db

PUBLIC = sorted(route for name, route in ROUTES if PAGES.get(name, frozenset()) is None)
#: How many queries a page may take, whatever is asked.
MOST_QUERIES = 16

HOSTILE = [
    "",
    "\x00",
    "a\x00b",
    "\ud800",
    "\ufffe\u202e\u2028",
    "9" * 400,
    "-1",
    "0",
    "1e9",
    "\u0661",
    "²",
    "'",
    "' OR 1=1 --",
    '"' * 50,
    "(" * 200,
    "%",
    "_%\\",
    "& | ! :* <-> \\",
    "../../etc/passwd",
    "{{7*7}}${7*7}",
    "<script>alert(1)</script>",
    "a" * 5000,
    "ab " * 2000,
    "\r\nSet-Cookie: a=b",
    "0000-00-00",
    "9999-12-31",
    "2026-02-30",
    "http://[::1",
    "//elsewhere.example",
    "=" * 300,
]
TEXT = st.sampled_from(HOSTILE) | st.text(max_size=60) | st.text("ab -\"'():*&|!<>%_\\", max_size=60)
BYTES = TEXT.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=40)
HEADERS = {
    "Accept": ["", "*/*;q=x", "application/json", "text/" + "x" * 3000, ',;,;="', "text/html;q=0, */*;q=9"],
    "Accept-Encoding": ["br;q=nan", "gzip;q=1e9", "identity;q=0, *;q=0", "x" * 3000],
    "Accept-Language": ["cy", "zz-" * 500, "en;q=x,*", "\xff"],
    "If-None-Match": ["*", '"', 'W/"', '"a", ' * 500, "\xff", "W/" * 900, '"\\'],
    "If-Match": ["*", '"a"', "\xff"],
    "If-Modified-Since": ["x", "Thu, 01 Jan 1970 00:00:00 GMT", "Mon, 99 Foo 99999 99:99:99 GMT", "9" * 400],
    "If-Unmodified-Since": ["Thu, 01 Jan 1970 00:00:00 GMT", "Sun, 31 Dec 9999 23:59:59 GMT"],
    "Range": ["bytes=0-", "bytes=-0", "bytes=9-1", "bytes=" + "0-1," * 500, "bytes=" + "9" * 400 + "-", "x"],
    "Cookie": ["sessionid=" + "a" * 3000, "sessionid=\x00", "csrftoken=x; =; ;", "messages=x", "\xff"],
    "Content-Type": ["application/json", "multipart/form-data", "text/html; charset=utf-99", "x"],
    "Content-Length": ["x", "-1", "0"],
    "X-Forwarded-For": ["x", "::1, " * 100, "\xff"],
    "Host": ["elsewhere.example", "testserver:99999", "[::1", "a b"],
    "HX-Request": ["true"],
    "Transfer-Encoding": ["chunked"],
}
METHODS = ["GET"] * 6 + ["HEAD", "POST", "POST", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "NONSENSE"]


def parameters() -> list[str]:
    """All that the code of any page, and the forms of public ones, look for in a request."""
    code = "".join(path.read_text() for path in Path(newsroom.__path__[0]).glob("*.py"))
    named = set(re.findall(r"""request\.(?:GET|POST)(?:\.get(?:list)?\(|\[)"(\w+)\"""", code))
    forms: list[type[Form]] = [SearchForm, SubscribeForm, ChoiceForm]
    return sorted(named.union(*(form.base_fields for form in forms), SEEN_OTHERWISE))


#: What is asked for by a name that is not written out beside the request.
SEEN_OTHERWISE = {"topic", "organisation", "type", "cursor", "page", "maxwidth", "maxheight"}
PARAMETERS = parameters()


#: What looks like an error and is what has to be said: no worker is there; no such format (oEmbed's own).
SAID = {"/readyz": 503, "/oembed": 501}
#: How many requests to each address; NEWSROOM_EXAMPLES asks more.
EXAMPLES = int(os.environ.get("NEWSROOM_EXAMPLES", "12"))
ASKED = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
#: Where a parameter is looked at that is not the search's.
PLACES = {
    "cursor": "/feed.atom",
    "page_size": "/api/stories/",
    "after": "/people/",
    **dict.fromkeys(("url", "format", "maxwidth", "maxheight"), "/oembed"),
}


@pytest.fixture
def stage(newsroom, settings) -> Stage:
    settings.CELERY_BROKER_URL = "memory://"
    return furnish(newsroom)


@pytest.fixture
def right(stage) -> dict[str, list[str]]:
    """What there is under each argument of an address."""
    someone = Subscriber.objects.create(email="someone@paper.example")
    content = stage.full.revision.content
    tokens = [subscribing.choices_path(someone), subscribing.unsubscribe_path(someone)]
    tokens.append(subscribing.confirm_path("another@paper.example"))
    return {
        "slug": [FULL, "bare", "gone", "killed", "bridges", "rivers", "press-release", "mara-ellingham"],
        "uid": [str(stage.full.story.uid), str(stage.gone.story.uid)],
        "digest": ["0" * 32],
        "name": [content["picture"]["name"], content["attachments"][0]["name"]],
        "year": ["2026", "0000", "9999"],
        "month": ["01", "00", "13"],
        "form": ["txt", "md"],
        "token": [path.rstrip("/").rpartition("/")[2] for path in tokens],
        "uidb36": ["1", "z" * 13],
        "key": ["set-password", "a-b"],
    }


@st.composite
def requests(draw: st.DrawFn, route: str, right: dict[str, list[str]]) -> dict[str, Any]:
    """A request for a route: each part as it should be, or not."""
    path = route
    for name in ARGUMENT.findall(route):
        good = st.sampled_from(right[name]).map(str.encode)
        path = path.replace(f"{{{name}}}", quote_from_bytes(draw(good | good | good | BYTES), safe=""), 1)
    pair = st.tuples(st.sampled_from(PARAMETERS) | st.text(max_size=5), BYTES)
    pairs = draw(st.lists(pair, max_size=5))
    query = "&".join(
        f"{quote_from_bytes(name.encode('utf-8', 'surrogatepass'))}={quote_from_bytes(value)}"
        for name, value in pairs
    )
    names = draw(st.lists(st.sampled_from(sorted(HEADERS)), max_size=3, unique=True))
    return {
        "method": draw(st.sampled_from(METHODS)),
        "path": f"/{path}",
        "query": query,
        "headers": {name: draw(st.sampled_from(HEADERS[name])) for name in names},
    }


def check(client: Client, method: str, path: str, query: str, headers: dict[str, str]) -> None:
    """Ask, with the query as the body too where something is sent: there is an answer, and it cost little."""
    kind = headers.get("Content-Type", "application/x-www-form-urlencoded")
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    with transaction.atomic(), CaptureQueriesContext(connection) as asked:
        response = client.generic(method, path, query, kind, QUERY_STRING=query, **environ)
        for part in response.streaming_content if response.streaming else ():
            assert part
        transaction.set_rollback(True)
    assert response.status_code < 500 or response.status_code == SAID.get(path), path
    assert len(asked) <= MOST_QUERIES, path


@pytest.fixture
def reader(stage) -> Client:
    """Somebody who is answered as everybody is, also when something breaks."""
    return Client(raise_request_exception=False)


def test_what_is_asked_is_all_that_there_is(right):
    assert {"", "search/", "subscribe/", "oembed", "api/stories/{uid}/", "media/{name}"} <= set(PUBLIC)
    assert {"q", "page", "cursor", "page_size", "url", "format", "after", "email", "topic"} <= set(PARAMETERS)
    missing = {name for route in PUBLIC for name in ARGUMENT.findall(route)} - right.keys()
    assert missing == set(), "say in `right` what there is under each argument"


def test_whatever_is_asked_is_answered(reader, right):
    for route in PUBLIC:
        asked = given(requests(route, right))(lambda request: check(reader, **request))
        ASKED(asked)()


def test_each_parameter_takes_anything(reader):
    """Each hostile value of each parameter, alone and among others, where it is looked at."""
    for parameter in PARAMETERS:
        sent = parameter in SubscribeForm.base_fields
        path = PLACES.get(parameter, "/subscribe/" if sent else "/search/")
        for number, value in enumerate(HOSTILE):
            text = quote_from_bytes(value.encode("utf-8", "surrogatepass"))
            again = f"&{parameter}=x&{parameter}={text}" if number % 2 else ""
            check(reader, "POST" if sent else "GET", path, f"{parameter}={text}{again}", {})
