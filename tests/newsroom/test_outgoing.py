"""Requests to other people's machines: hostile ones harm nobody, and nothing goes where it must not."""

import socket
import ssl
from collections.abc import Iterator
from ipaddress import ip_network
from threading import Event, active_count

import pytest
import trustme

from newsroom import outgoing
from tests.newsroom import receiving as how
from tests.newsroom.receiving import Receiving, receiving

LOCAL = (ip_network("127.0.0.0/8"),)
ANY_PORT = (range(1, 65536),)


@pytest.fixture(autouse=True)
def _allowed(settings) -> None:
    settings.OUTGOING_ALLOW, settings.OUTGOING_PORTS = LOCAL, ANY_PORT


@pytest.fixture
def receiver() -> Iterator[Receiving]:
    with receiving() as found:
        yield found


def post(url: str) -> outgoing.Answer:
    with outgoing.Line(url) as line:
        return line.post(b"{}", {"Content-Type": "application/json"})


def test_a_request_and_its_answer(receiver, settings):
    settings.SITE_URL = "https://rivers.example"
    assert post(receiver.url) == outgoing.Answer(204, None)
    (request,) = receiver.requests
    assert (request.path, request.body) == ("/hook?x=1", b"{}")
    assert request.headers["Host"] == f"127.0.0.1:{receiver.port}"
    assert request.headers["User-Agent"] == "Newsroom (https://rivers.example)"
    assert "Authorization" not in request.headers


def test_one_connection_for_many_requests(receiver):
    with outgoing.Line(receiver.url) as line:
        for _ in range(5):
            line.post(b"", {})
    assert (len(receiver.requests), receiver.connections) == (5, 1)


def test_a_connection_that_was_closed_meanwhile_is_made_anew(receiver):
    with outgoing.Line(receiver.url) as line:
        receiver.headers = {"Connection": "close"}
        for _ in range(2):
            line.post(b"", {})
    assert (len(receiver.requests), receiver.connections) == (2, 2)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "168.63.129.16",
        "192.88.99.1",
        "198.18.0.1",
        "203.0.113.5",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::1",
        "2001:0:7f00:1::1",
        "fec0::1",
    ],
)
def test_addresses_that_are_not_everybodys(settings, address):
    settings.OUTGOING_ALLOW = ()
    assert not outgoing.is_allowed(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111"])
def test_addresses_that_anybody_can_reach(settings, address):
    settings.OUTGOING_ALLOW = ()
    assert outgoing.is_allowed(address)


def test_a_network_of_the_settings_is_allowed_and_no_other(settings):
    settings.OUTGOING_ALLOW = (ip_network("10.1.0.0/16"), ip_network("fd00:1::/64"))
    assert outgoing.is_allowed("10.1.2.3")
    assert outgoing.is_allowed("fd00:1::5")
    assert not outgoing.is_allowed("10.2.2.3")
    assert not outgoing.is_allowed("fd00:2::5")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "0177.0.0.1", "[::ffff:127.0.0.1]", "0"]
)
def test_nothing_is_sent_to_ourselves_however_it_is_written(receiver, settings, host):
    settings.OUTGOING_ALLOW = ()
    with pytest.raises(outgoing.Refused, match="private or special network"):
        post(f"http://{host}:{receiver.port}/")
    assert receiver.connections == 0


def test_a_name_that_points_inside_is_refused(receiver, settings, monkeypatch):
    """The resolver is not ours: this stands for a name that somebody else points where they like."""
    settings.OUTGOING_ALLOW = ()
    inside = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", receiver.port))
    outside = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", receiver.port))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [outside, inside])
    with pytest.raises(outgoing.Refused, match=r"hooks\.example is an address of a private"):
        post(f"http://hooks.example:{receiver.port}/")
    assert receiver.connections == 0


def test_a_name_is_asked_for_once_and_the_connection_goes_to_what_was_checked(receiver, monkeypatch):
    asked = []

    def answer(host: str, *_: object, **__: object) -> list[object]:
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "10.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, receiver.port))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    post(f"http://hooks.example:{receiver.port}/")
    assert asked == ["hooks.example"]
    assert receiver.requests[0].headers["Host"] == f"hooks.example:{receiver.port}"


def test_a_resolver_that_does_not_answer_is_left_behind(monkeypatch):
    over = Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [over.wait(30)][:0])
    monkeypatch.setattr(outgoing, "CONNECT", 0.2)
    with pytest.raises(outgoing.Unreached, match=r"hooks\.example was not found in 0\.2 seconds"):
        post("http://hooks.example/")
    over.set()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://hooks.example/", "begin with https"),
        ("file:///etc/passwd", "begin with https"),
        ("gopher://hooks.example/", "begin with https"),
        ("hooks.example/x", "begin with https"),
        ("https:///x", "name a host"),
        ("https://user:secret@hooks.example/", "a password in it"),
        ("https://user@hooks.example/", "a name or a password"),
        ("https://hooks.example/#part", "behind|after|#"),
        ("https://hooks.example:22/", "Port 22"),
        ("https://hooks.example:99999/", "cannot be|can be read|read"),
        ("https://hooks.example/a b", "spaces"),
        ("https://hooks.example/\r\nX: y", "spaces"),
        ("https://hooks.example\\@127.0.0.1/", "spaces|not an address"),
        ("https://[::1", "can be read"),
        ("https://hooks.example/" + "a" * 500, "too long"),
        ("https://hooks.example/ü", "ASCII"),
    ],
)
def test_addresses_that_we_do_not_send_to(settings, url, why):
    settings.OUTGOING_PORTS = (range(443, 444),)
    with pytest.raises(outgoing.Refused, match=why):
        outgoing.target(url)


def test_a_host_of_another_alphabet():
    assert outgoing.target("https://bücher.example/").host == "xn--bcher-kva.example"


@pytest.mark.parametrize("instead", [how.hang, how.trickle, how.continue_for_ever])
def test_whoever_keeps_us_waiting_is_cut_off(receiver, monkeypatch, instead):
    monkeypatch.setattr(outgoing, "TOTAL", 0.5)
    receiver.instead = instead
    with pytest.raises(outgoing.Unreached, match=r"longer than 0\.5 seconds"):
        post(receiver.url)


def test_of_ten_gigabytes_no_more_is_taken_than_fits_into_a_buffer(receiver):
    poured: list[int] = []
    receiver.instead = lambda wire, over: how.pour(wire, over, poured)
    assert post(receiver.url).status == 200
    receiver.over.set()
    assert sum(poured) < 64 * 1024 * 1024


def test_what_is_no_http_is_said_in_words_of_ours(receiver):
    receiver.instead = how.babble
    with pytest.raises(outgoing.Unreached) as refusal:
        post(receiver.url)
    assert "script" not in str(refusal.value)
    assert str(refusal.value).startswith("The connection broke")


def test_a_redirect_is_not_followed(receiver):
    with receiving() as other:
        receiver.status, receiver.headers = 302, {"Location": other.url}
        assert post(receiver.url).status == 302
        assert other.connections == 0


def test_no_proxy_of_the_environment_is_asked(receiver, monkeypatch):
    with receiving() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        post(receiver.url)
        assert proxy.connections == 0
    assert len(receiver.requests) == 1


def test_nobody_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(outgoing.Unreached, match="refused"):
            post(f"http://127.0.0.1:{taken.getsockname()[1]}/")


def test_there_is_no_such_host():
    with pytest.raises(outgoing.Unreached, match="no host called"):
        post("http://nowhere.invalid/")


def test_no_thread_is_left(receiver):
    post(receiver.url)
    before = active_count()
    for _ in range(5):
        post(receiver.url)
    # The receiver has a thread for each connection while it closes it.
    assert active_count() <= before + 5


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120), (" 5 ", 5), ("-5", None), ("soon", None), ("", None), ("9" * 30, None)],
)
def test_how_long_to_wait(value, seconds):
    assert outgoing.retry_after(value) == seconds


def test_until_when_to_wait():
    assert outgoing.retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert (outgoing.retry_after("Wed, 21 Oct 2099 07:28:00 GMT") or 0) > 1e6


# TLS


def serving(*names: str) -> tuple[trustme.CA, ssl.SSLContext]:
    """An authority, and a server's context with a certificate of it for some names."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return authority, context


@pytest.fixture
def trusting(monkeypatch, tmp_path):
    """Trust an authority, as an operator would."""

    def trust(authority: trustme.CA) -> None:
        authority.cert_pem.write_to_path(tmp_path / "authority.pem")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        outgoing._tls.cache_clear()

    yield trust
    outgoing._tls.cache_clear()


def test_a_certificate_that_is_trusted(trusting):
    authority, context = serving("127.0.0.1")
    trusting(authority)
    with receiving(context) as receiver:
        assert post(receiver.url).status == 204


def test_a_certificate_of_nobody(trusting):
    with receiving(serving("127.0.0.1")[1]) as receiver:
        with pytest.raises(outgoing.Unreached, match="certificate is not accepted"):
            post(receiver.url)
        assert receiver.requests == []


def test_a_certificate_of_another_host(trusting):
    authority, context = serving("other.example")
    trusting(authority)
    with receiving(context) as receiver, pytest.raises(outgoing.Unreached, match="certificate"):
        post(receiver.url)


def test_the_certificate_has_to_be_the_hosts_not_the_addresses(trusting, monkeypatch):
    authority, context = serving("hooks.example")
    trusting(authority)
    with receiving(context) as receiver:
        address = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", receiver.port))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [address])
        assert post(f"https://hooks.example:{receiver.port}/").status == 204
        with pytest.raises(outgoing.Unreached, match="certificate"):
            post(f"https://elsewhere.example:{receiver.port}/")


def test_whoever_takes_for_ever_to_begin_tls_is_cut_off(monkeypatch):
    monkeypatch.setattr(outgoing, "TOTAL", 0.5)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(outgoing.Unreached, match=r"longer than 0\.5 seconds"):
            post(f"https://127.0.0.1:{silent.getsockname()[1]}/")


def test_plain_http_where_tls_was_meant(receiver):
    with pytest.raises(outgoing.Unreached, match=r"TLS|broke"):
        post(receiver.url.replace("http://", "https://"))
