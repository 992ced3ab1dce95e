"""The mailing list: confirmed by mail, left with one click, and telling nobody who is on it."""

import re
from datetime import timedelta

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse

from newsroom import delivering, mailbox, releasing, subscribing, tasks
from newsroom.models import Delivery, Subscriber, SubscriptionRequest
from tests.newsroom.racing import race
from tests.newsroom.test_tasks import broker

pytestmark = pytest.mark.django_db

EDITOR = "Editor@Paper.example"


@pytest.fixture
def reader() -> Client:
    """Somebody's browser, with the check of forged forms switched on as it is in production."""
    return Client(enforce_csrf_checks=True)


def ask(reader: Client, email: str = EDITOR, **more: str):
    return reader.post("/subscribe/", {"email": email, "what": "everything", "often": "at-once"}, **more)


def sent() -> list[str]:
    """The texts of the mails that go out now."""
    before = set(mailbox.messages())
    while subscribing.send_next():
        pass
    return [mailbox.shown(path).text for path in mailbox.messages() if path not in before]


def let_pass(span: timedelta) -> None:
    """Let the requests be older by `span`: the application cannot change when one was made."""
    rows = list(SubscriptionRequest.objects.all())
    SubscriptionRequest.objects.all().delete()
    for row in rows:
        row.at -= span
    SubscriptionRequest.objects.bulk_create(rows)


def link_in(text: str) -> str:
    found = re.search(r"https?://[^/\s]+(/subscribe/\S+)", text)
    assert found is not None
    return found[1]


def words(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", response.content.decode()))


def test_from_the_page_to_the_list(newsroom, reader):
    assert "News by mail" in words(reader.get("/subscribe/"))
    assert "Look into your mailbox" in words(ask(reader))
    assert not Subscriber.objects.exists()
    (text,) = sent()
    page = reader.get(link_in(text))
    assert EDITOR in words(page)
    assert not Subscriber.objects.exists(), "a scanner that follows the link confirms nothing"
    assert "You are on the list" in words(reader.post(link_in(text)))
    subscriber = Subscriber.objects.get()
    assert (subscriber.email, subscriber.active) == (EDITOR, True)
    reader.post(link_in(text))
    assert Subscriber.objects.count() == 1
    releasing.announce(release_id=newsroom.public().pk, worker="test")
    assert delivering.run(60) == 1


def test_the_mail_that_asks(newsroom, reader, settings):
    settings.SITE_URL, settings.DEFAULT_FROM_EMAIL = "https://rivers.example", "Rivers <news@rivers.example>"
    settings.ORGANISATION = "Department for Rivers"
    ask(reader)
    sent()
    message = mailbox.read(mailbox.messages()[0])
    assert message["Subject"] == "Confirm your subscription: Department for Rivers"
    assert message["To"] == EDITOR
    assert "https://rivers.example/subscribe/" in message.get_content()


def test_no_cookie_is_set_and_none_is_asked_for(reader):
    for response in (reader.get("/subscribe/"), ask(reader), ask(reader, "nonsense")):
        assert response.cookies == {}
        assert "Cookie" not in response.headers.get("Vary", "")
        assert response["Cache-Control"] == "no-store"


def test_nobody_learns_who_is_on_the_list(reader):
    Subscriber.objects.create(email="known@paper.example")
    Subscriber.objects.create(email="gone@paper.example", active=False)
    found = [
        (response.status_code, response.content, dict(response.headers))
        for response in (ask(reader, f"{who}@paper.example") for who in ("known", "gone", "unknown", "known"))
    ]
    assert found == found[:1] * 4
    texts = sent()
    assert len(texts) == 3
    strangers = {re.sub(r"/subscribe/\S+", "", text) for text in texts}
    assert len(strangers) == 1


def test_an_address_is_not_written_to_again_and_again(reader):
    for email in (EDITOR, EDITOR.upper(), EDITOR):
        assert ask(reader, email).status_code == 200
    assert len(sent()) == 1
    for _ in range(6):
        let_pass(timedelta(minutes=11))
        ask(reader)
        sent()
    assert SubscriptionRequest.objects.filter(sent_at__isnull=False).count() < 5


def test_a_network_does_not_ask_for_everybody(reader):
    answers = [ask(reader, f"{n}@paper.example").status_code for n in range(22)]
    assert answers == [200] * 20 + [429] * 2
    assert ask(reader, "other@paper.example", REMOTE_ADDR="198.51.100.7").status_code == 200
    assert "again in an hour" in words(ask(reader, "23@paper.example"))


@pytest.mark.parametrize(
    ("address", "forwarded", "proxies", "network"),
    [
        ("198.51.100.7", "", 0, "198.51.100.7"),
        ("198.51.100.7", "203.0.113.9", 0, "198.51.100.7"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.7", 1, "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "", 0, "2001:db8:1:2::/64"),
        ("", "", 0, ""),
        ("127.0.0.1", "nonsense", 1, ""),
    ],
)
def test_from_which_network(rf, settings, address, forwarded, proxies, network):
    from newsroom.subscribe_views import network_of

    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert network_of(rf.get("/", REMOTE_ADDR=address, headers=headers)) == network


@pytest.mark.parametrize(
    "typed", ["", "nonsense", "a@b", "x" * 300 + "@paper.example", "a@b.example\nBcc: c"]
)
def test_what_is_no_address_is_said_at_its_field(reader, typed):
    response = ask(reader, typed)
    assert response.status_code == 422
    assert b'aria-invalid="true"' in response.content
    assert not SubscriptionRequest.objects.exists()


def test_what_was_typed_comes_back_escaped(reader):
    assert b"&quot;&gt;&lt;script&gt;" in ask(reader, '"><script>').content


def test_a_link_that_is_old_or_forged(reader, monkeypatch):
    forged = signing.dumps(EDITOR, salt="another")
    old = subscribing.confirm_path(EDITOR)
    monkeypatch.setattr(subscribing, "LINK_LASTS", timedelta(0))
    for path in (f"/subscribe/{forged}/", "/subscribe/nonsense/", old):
        for response in (reader.get(path), reader.post(path)):
            assert response.status_code == 410
            assert "Subscribe again" in words(response)
    assert not Subscriber.objects.exists()


def test_who_had_left_is_on_the_list_again_by_confirming(reader):
    Subscriber.objects.create(email=EDITOR.lower(), active=False)
    reader.post(subscribing.confirm_path(EDITOR))
    assert Subscriber.objects.get().active


def test_leaving_by_the_button_of_the_page(newsroom, reader):
    path = subscribing.unsubscribe_path(Subscriber.objects.create(email=EDITOR))
    page = reader.get(path)
    assert "Yes, unsubscribe" in words(page)
    assert Subscriber.objects.get().active, "a scanner that follows the link takes nobody off"
    assert "You are off the list" in words(reader.post(path))
    assert not Subscriber.objects.get().active
    assert reader.post(path).status_code == 200
    releasing.announce(release_id=newsroom.public().pk, worker="test")
    assert not Delivery.objects.exists()


def test_leaving_by_the_button_of_a_mail_program(newsroom, reader):
    """RFC 8058: the address of the header, asked with exactly this body and nothing else."""
    Subscriber.objects.create(email=EDITOR)
    releasing.announce(release_id=newsroom.public().pk, worker="test")
    delivering.run(60)
    message = mailbox.read(mailbox.messages()[0])
    path = re.sub(r"^<https?://[^/]+|>$", "", message["List-Unsubscribe"].strip())
    name, value = message["List-Unsubscribe-Post"].split("=")
    assert reader.post(path, {name: value}).status_code == 200
    assert not Subscriber.objects.get().active


def test_a_link_to_leave_is_good_for_one_person(reader):
    one, two = (Subscriber.objects.create(email=f"{n}@paper.example") for n in range(2))
    mark = subscribing.unsubscribe_path(one).rpartition("-")[2]
    for token in (f"{two.pk}-{mark}", f"{one.pk}-{'0' * 32}/", f"{one.pk}", "-", f"{'9' * 30}-{mark}", "x-y"):
        path = reverse("unsubscribe", args=[token.strip("/")])
        assert reader.post(path).status_code == reader.get(path).status_code == 404
    assert Subscriber.objects.filter(active=True).count() == 2


def test_requests_are_forgotten(reader):
    ask(reader)
    assert subscribing.forget() == 0
    let_pass(timedelta(days=2))
    assert subscribing.forget() == 1


def test_the_sweep_sends_for_the_mail(reader):
    ask(reader)
    with broker("memory://"):
        tasks.sweep()
        assert tasks.deliver() == 1
        assert tasks.deliver() == 0
    assert len(mailbox.messages()) == 1


def test_the_public_pages_name_it(client):
    assert reverse("subscribe").encode() in client.get("/").content


class TestAtOnce:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_many_who_ask_for_one_address_get_it_one_mail(self):
        race(8, lambda number: subscribing.ask(email=EDITOR, source=str(number)))
        assert len(sent()) == 1

    def test_many_who_confirm_at_once_are_on_the_list_once(self):
        token = subscribing.confirm_path(EDITOR).split("/")[2]
        results = race(8, lambda _: subscribing.confirm(token=token))
        assert {result.pk for result in results} == {Subscriber.objects.get().pk}
