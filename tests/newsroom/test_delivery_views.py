"""The staff pages of deliveries and receivers."""

import re
from datetime import timedelta
from ipaddress import ip_network

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from newsroom import delivering, receivers
from newsroom.models import Delivery, Receiver, Subscriber
from stories import drafting
from stories.models import Team

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _outgoing(settings) -> None:
    settings.OUTGOING_ALLOW = (ip_network("127.0.0.0/8"),)


def words(response) -> str:
    text = re.sub(r"<[^>]*>", " ", response.content.decode())
    return re.sub(r"\s+([.,:;])", r"\1", re.sub(r"\s+", " ", text))


def made(number: int = 1, kind: str = "webhook") -> Receiver:
    return receivers.add(name=f"Wire {number}", kind=kind, url=f"https://hooks.example/{number}")


def dead_letter(newsroom, number: int = 1, receiver: Receiver | None = None) -> Delivery:
    """A delivery that was given up."""
    release = newsroom.public(slug=f"story-{number}", headline=f"Story {number}")
    delivering.write(event="release", release=release, cause=f"announcement:{number}")
    rows = Delivery.objects.filter(release=release)
    rows = rows.filter(receiver=receiver) if receiver else rows
    rows.update(next_attempt=None, given_up_at=Now(), attempts=7, error="It answered 500 <b>.")
    found = rows.first()
    assert found is not None
    return found


def queries(browser, path: str) -> int:
    with CaptureQueriesContext(connection) as found:
        assert browser.get(path).status_code == 200
    return len(found)


# Deliveries


def test_who_is_told_and_what_was_given_up(newsroom, as_):
    Subscriber.objects.create(email="reader@paper.example")
    made()
    dead_letter(newsroom)
    page = words(as_(newsroom.officer).get(reverse("deliveries")))
    assert "Mailing list" in page
    assert "Wire 1" in page
    assert "2 deliveries, the newest first" in page
    assert "Story 1" in page
    assert "It answered 500 &lt;b&gt;." in page
    assert "7 tries" in page


def test_a_dead_letter_is_tried_again(newsroom, as_):
    made()
    delivery = dead_letter(newsroom)
    browser = as_(newsroom.officer)
    page = browser.post(reverse("delivery_again", args=[delivery.pk]), follow=True)
    assert "It is tried again: release to Wire 1." in words(page)
    delivery.refresh_from_db()
    assert (delivery.given_up_at, delivery.attempts) == (None, 0)
    page = browser.post(reverse("delivery_again", args=[delivery.pk]), follow=True)
    assert "it is being tried again already" in words(page)


def test_all_of_a_receiver_are_tried_again(newsroom, as_):
    one, two = made(1), made(2)
    Subscriber.objects.create(email="reader@paper.example")
    for number in range(3):
        dead_letter(newsroom, number)
    browser = as_(newsroom.administrator)
    page = browser.post(reverse("deliveries_again"), {"receiver": one.pk}, follow=True)
    assert "3 to Wire 1 are tried again." in words(page)
    assert set(Delivery.objects.given_up().values_list("receiver", flat=True)) == {two.pk, None}
    page = browser.post(reverse("deliveries_again"), {"receiver": ""}, follow=True)
    assert "3 to the mailing list are tried again." in words(page)
    page = browser.post(reverse("deliveries_again"), {"receiver": ""}, follow=True)
    assert "Nothing of the mailing list can be tried again." in words(page)
    assert browser.post(reverse("deliveries_again"), {"receiver": "x"}).status_code == 404
    assert browser.post(reverse("deliveries_again"), {"receiver": "9" * 30}).status_code == 404


def test_what_was_overtaken_has_no_button(newsroom, as_):
    made()
    delivery = dead_letter(newsroom)
    delivering.write(event="correction", release=delivery.release, cause="correction:1")
    Delivery.objects.filter(event="correction").update(sent_at=Now(), next_attempt=None)
    browser = as_(newsroom.officer)
    page = browser.get(reverse("deliveries"))
    assert "something later about it was sent" in words(page)
    assert reverse("delivery_again", args=[delivery.pk]) not in page.content.decode()
    page = browser.post(reverse("delivery_again", args=[delivery.pk]), follow=True)
    assert "must not overtake" in words(page)


def test_a_story_of_another_team_is_not_named(newsroom, as_):
    made()
    delivery = dead_letter(newsroom)
    newsroom.drafter.teams.add(team := Team.objects.create(name="Budget"))
    drafting.limit(story=delivery.story, by=newsroom.drafter, team=team)
    page = as_(newsroom.officer).get(reverse("deliveries")).content.decode()
    assert "A story limited to another team" in page
    assert "Story 1" not in page
    assert str(delivery.story.uid) not in page


def test_lists_take_as_many_queries_for_thirty_rows_as_for_three(newsroom, as_):
    Subscriber.objects.create(email="reader@paper.example")
    for number in range(3):
        made(number)
    release = newsroom.public()
    paths = [reverse("deliveries"), reverse("receivers")]
    browser = as_(newsroom.administrator)

    def give_up(number: int) -> None:
        delivering.write(event="release", release=release, cause=f"announcement:{number}")
        Delivery.objects.update(next_attempt=None, given_up_at=Now())

    give_up(0)
    first = [queries(browser, path) for path in paths]
    for number in range(3, 30):
        made(number)
    for number in range(1, 10):
        give_up(number)
    assert [queries(browser, path) for path in paths] == first


def test_lists_have_pages(newsroom, as_, monkeypatch):
    monkeypatch.setattr("newsroom.delivery_views.ROWS_A_PAGE", 1)
    made(1), made(2)
    dead_letter(newsroom)
    page = words(as_(newsroom.officer).get(reverse("deliveries"), {"page": 2, "receivers": 2}))
    assert page.count("page 2 of 2") == 2


# Receivers


def test_a_receiver_is_made_and_its_secret_is_shown_once(newsroom, as_):
    browser = as_(newsroom.administrator)
    typed = {"new-name": " Press  wire ", "new-kind": "webhook", "new-url": "https://hooks.example/in"}
    page = browser.post(reverse("receivers"), typed)
    receiver = Receiver.objects.get()
    assert (receiver.name, receiver.url) == ("Press wire", "https://hooks.example/in")
    assert receiver.secret.startswith("nrs_")
    assert receiver.secret in page.content.decode()
    assert page["Cache-Control"] == "no-store"
    for path in (reverse("receiver", args=[receiver.pk]), reverse("receivers"), reverse("deliveries")):
        assert receiver.secret not in browser.get(path).content.decode()


def test_a_hub_has_no_secret(newsroom, as_):
    typed = {"new-name": "Hub", "new-kind": "websub", "new-url": "https://hub.example/"}
    page = as_(newsroom.administrator).post(reverse("receivers"), typed)
    assert Receiver.objects.get().secret == ""
    assert "Its secret" not in words(page)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", " ", "Give it a name"),
        ("name", "wire 1", "There is a receiver called wire 1 already"),
        ("url", "", "Give the address"),
        ("url", "ftp://hooks.example/", "Only addresses that begin with https://"),
        ("url", "https://me:secret@hooks.example/", "a password in it"),
        ("url", "https://hooks.example:22/", "Port 22 is not sent to"),
        ("kind", "pigeon", "Select a valid choice"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(newsroom, as_, field, value, said):
    made()
    typed = {"new-name": "Other", "new-kind": "webhook", "new-url": "https://hooks.example/in"}
    page = as_(newsroom.administrator).post(reverse("receivers"), {**typed, f"new-{field}": value})
    assert page.status_code == 422
    assert said in words(page)
    assert Receiver.objects.count() == 1


def test_a_receiver_is_changed(newsroom, as_):
    receiver, _ = made(1), made(2)
    secret, browser = receiver.secret, as_(newsroom.administrator)
    path = reverse("receiver", args=[receiver.pk])
    typed = {"receiver-name": "New wire", "receiver-url": "https://other.example/"}
    assert "New wire: saved." in words(browser.post(path, typed, follow=True))
    receiver.refresh_from_db()
    assert (receiver.name, receiver.url, receiver.secret) == ("New wire", "https://other.example/", secret)
    taken = browser.post(path, {**typed, "receiver-name": "Wire 2"})
    assert taken.status_code == 422
    assert "There is a receiver called Wire 2 already" in words(taken)


def test_a_secret_is_rotated_once_a_click(newsroom, as_):
    receiver, browser = made(), as_(newsroom.administrator)
    path, first = reverse("receiver_rotate", args=[receiver.pk]), receiver.secret
    page = browser.post(path, {"rotation": "0"})
    receiver.refresh_from_db()
    assert receiver.secret != first
    assert receiver.previous_secret == first
    assert receiver.secret in page.content.decode()
    again = browser.post(path, {"rotation": "0"})
    assert again.status_code == 409
    assert "somebody has made a new one meanwhile" in words(again)
    for odd in ("", "x", "9" * 30):
        assert browser.post(path, {"rotation": odd}).status_code == 409
    page = words(browser.get(reverse("receiver", args=[receiver.pk])))
    assert f"ending in {first[-4:]}" in page
    Receiver.objects.update(previous_until=Now() - timedelta(seconds=1))
    assert "ending in" not in words(browser.get(reverse("receiver", args=[receiver.pk])))


def test_the_secret_of_a_hub(newsroom, as_):
    hub = made(kind="websub")
    page = as_(newsroom.administrator).post(reverse("receiver_rotate", args=[hub.pk]), {"rotation": "0"})
    assert page.status_code == 409
    assert "is not signed" in words(page)


def test_switched_off_what_waits_is_not_sent_and_nothing_new_is_written(newsroom, as_):
    receiver, browser = made(), as_(newsroom.administrator)
    release = newsroom.public()
    delivering.write(event="release", release=release, cause="announcement:1")
    path = reverse("receiver_switch", args=[receiver.pk])
    assert "Wire 1 is off. 1 that waited for it is not sent." in words(browser.post(path, follow=True))
    delivery = Delivery.objects.get()
    assert delivery.error == "Not sent: the receiver was switched off."
    assert (delivery.next_attempt, delivery.given_up_at) == (None, None)
    assert delivering.write(event="update", release=release, cause="update:1") == 0
    Delivery.objects.update(next_attempt=Now())
    assert "Wire 1 is on" in words(browser.post(path, {"on": "1"}, follow=True))
    assert Delivery.objects.get().next_attempt is None, "what waited while it was off is not sent later"
    assert delivering.write(event="update", release=release, cause="update:1") == 1


def test_who_has_the_links(newsroom, as_):
    links = {"deliveries": reverse("deliveries"), "receivers": reverse("receivers")}
    drafter = as_(newsroom.drafter).get("/desk/").content.decode()
    assert links["deliveries"] not in drafter
    officer = as_(newsroom.officer).get(links["deliveries"]).content.decode()
    assert links["receivers"] not in officer
    administrator = as_(newsroom.administrator).get(links["deliveries"]).content.decode()
    assert links["receivers"] in administrator


def test_a_page_that_only_acts_sends_back_who_opens_it(newsroom, as_):
    receiver = made()
    delivery = dead_letter(newsroom)
    browser = as_(newsroom.administrator)
    for path, to in (
        (reverse("delivery_again", args=[delivery.pk]), reverse("deliveries")),
        (reverse("deliveries_again"), reverse("deliveries")),
        (reverse("receiver_switch", args=[receiver.pk]), reverse("receiver", args=[receiver.pk])),
        (reverse("receiver_rotate", args=[receiver.pk]), reverse("receiver", args=[receiver.pk])),
    ):
        assert browser.get(path)["Location"] == to
