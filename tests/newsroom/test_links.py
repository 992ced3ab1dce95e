"""What a story links to, and what is said of a link that is asked for."""

from ipaddress import ip_network
from time import sleep

import pytest

from newsroom import links, outgoing_guard
from newsroom.models import Finding
from tests.newsroom.web import dripping, serving
from tests.people import words

OK, WRONG, UNKNOWN = Finding.OK, Finding.WRONG, Finding.UNKNOWN


@pytest.fixture
def private(settings) -> None:
    """Links may lead to this machine."""
    settings.OUTGOING_ALLOW = [ip_network("127.0.0.0/8")]


def test_links_of_body_notes_and_contacts_each_once():
    content = words(
        body=[
            {"kind": "paragraph", "html": '<p><a href="https://one.example/?a=1&amp;b=2">One</a></p>'},
            {"kind": "list", "html": '<ul><li><a href="mailto:a@b.example">Mail</a></li></ul>'},
            {"kind": "paragraph", "html": '<p><a href="https://one.example/?a=1&amp;b=2">One again</a></p>'},
        ],
        notes='<ol><li><p><a href="http://two.example/">Two</a></p></li></ol>',
        contacts="Press\n020 7946 0000\nhttps://three.example/press",
    )
    assert links.of(content) == [
        "https://one.example/?a=1&b=2",
        "http://two.example/",
        "https://three.example/press",
    ]


@pytest.mark.parametrize(("status", "state"), [
    (200, OK), (204, OK), (304, OK), (404, WRONG), (410, WRONG), (500, WRONG), (401, UNKNOWN), (429, UNKNOWN),
])  # fmt: skip
def test_the_status_says_whether_it_is_there(private, status, state):
    with serving(lambda method, path: (status, {}, b"")) as web:
        answer = links.ask(f"{web.url}/page")
    assert (answer.state, answer.words) == (state, "" if state == OK else f"it answers {status}")


def test_who_does_not_know_head_is_asked_by_get(private):
    with serving(lambda method, path: (200 if method == "GET" else 501, {}, b"page")) as web:
        assert links.ask(f"{web.url}/").state == OK
    assert [method for method, _ in web.asked] == ["HEAD", "GET"]


def test_an_address_with_signs_that_have_to_be_quoted(private):
    with serving(lambda method, path: (200, {}, b"")) as web:
        assert links.ask(f"{web.url}/straße und weg?q=ä%20").state == OK
    assert web.asked == [("HEAD", "/stra%C3%9Fe%20und%20weg?q=%C3%A4%20")]


def test_it_follows_where_a_link_leads_on_to_but_not_for_ever(private):
    def lead(method: str, path: str):
        return (
            (302, {"Location": "/end"}, b"")
            if path == "/begin"
            else (404 if path == "/end" else 301, {"Location": path}, b"")
        )

    with serving(lead) as web:
        assert links.ask(f"{web.url}/begin").words == "it answers 404"
        assert links.ask(f"{web.url}/round").words == "it goes from one address to the next without an end"


def test_no_redirect_leads_into_a_private_network(settings):
    settings.OUTGOING_ALLOW = [ip_network("127.0.0.1/32")]
    with serving(lambda method, path: (302, {"Location": "http://127.0.0.2:9/admin"}, b"")) as web:
        answer = links.ask(web.url)
    assert (answer.state, answer.words) == (UNKNOWN, "inside a private network: not asked")


@pytest.mark.parametrize("host", [
    "127.0.0.1", "localhost", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "0.0.0.0",
    "[::1]", "[fd00::1]", "[fe80::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "100.64.0.1",
    "224.0.0.1", "2130706433",
])  # fmt: skip
def test_private_addresses_are_not_asked(settings, host):
    settings.OUTGOING_ALLOW = []
    assert links.ask(f"http://{host}:9/").words == "inside a private network: not asked"


def test_public_addresses_are(settings):
    settings.OUTGOING_ALLOW = []
    assert outgoing_guard.address_of("8.8.8.8", 80) == "8.8.8.8"


def test_who_does_not_listen_is_dead_and_who_drips_is_late(private, monkeypatch):
    assert links.ask("http://127.0.0.1:1/") == links.Answer(WRONG, "nobody listens there")
    monkeypatch.setattr(links, "ONE", 0.3)
    with dripping() as web:
        assert links.ask(web.url).state == UNKNOWN


@pytest.mark.parametrize(
    "url", ["http://", "http:///path", "https://[", "http://a:b/", "http://\x00/", "http://ä" * 30]
)
def test_what_is_no_address_is_said_and_raises_nothing(private, url):
    assert links.ask(url).state in {WRONG, UNKNOWN}


def test_of_many_links_a_few_are_asked_at_a_time_and_a_silent_host_once(private, monkeypatch):
    monkeypatch.setattr(links, "ONE", 0.3)
    monkeypatch.setattr(links, "ALL", 0.6)
    asking = links.Asking()
    with dripping() as web:
        answers = links.check([f"{web.url}/{number}" for number in range(60)], asking)
        assert len(answers) == links.MOST
        assert {answer.state for answer in answers.values()} == {UNKNOWN}
        # What began is over within its time.
        sleep(links.ONE * 2)
        before = len(web.asked)
        # Another story that links to it does not ask again.
        assert links.check([f"{web.url}/other"], asking) == {f"{web.url}/other": links.LATE}
        assert len(web.asked) == before < links.MOST


def test_a_run_that_has_waited_for_long_asks_nobody(private, monkeypatch):
    monkeypatch.setattr(links, "ONE", 0.3)
    monkeypatch.setattr(links, "ALL", 0.6)
    asking = links.Asking(left=0.1)
    with dripping() as slow, serving(lambda method, path: (200, {}, b"")) as web:
        known, url = f"{web.url}/known", f"{web.url}/"
        links.check([known], asking)
        links.check([slow.url], asking)
        assert asking.left <= 0
        assert links.check([url, known], asking) == {url: links.SPENT, known: links.Answer(OK)}
        # What was not asked is asked by the next run.
        assert links.check([url], links.Asking()) == {url: links.Answer(OK)}


def test_our_own_pages_are_asked_where_the_probe_looks(settings):
    settings.SITE_URL, settings.OUTGOING_ALLOW = "https://news.example", []
    with serving(lambda method, path: (200, {}, b"")) as web:
        settings.PROBE_URL = web.url
        assert links.ask("https://news.example/news/bridge/").state == OK
    assert web.headers[0]["Host"] == "news.example"
