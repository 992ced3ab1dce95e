"""The mailing list and the pages of deliveries in a browser: axe finds nothing, nothing is too wide."""

import re

import pytest
from django.db.models.functions import Now
from django.urls import reverse
from playwright.sync_api import expect

from newsroom import delivering, receivers, subscribing
from newsroom.models import Delivery, Receiver, Subscriber
from tests.browsing import SIZES, faults, follow, signed_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_subscribing_and_leaving(live_server, chromium, width, scheme):
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    found: dict[str, list[str]] = {}

    def look(name: str) -> None:
        found[name] = faults(page)

    page.goto(f"{live_server.url}/subscribe/")
    look("form")
    follow(page.get_by_role("button", name="Subscribe"))
    look("nothing typed")
    assert page.title().startswith("Error: ")
    page.get_by_role("link", name="Enter an email address").click()
    page.get_by_label("Email address").fill("reader@paper.example")
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
    look("sent")
    page.goto(live_server.url + subscribing.confirm_path("reader@paper.example"))
    look("confirm")
    follow(page.get_by_role("button", name="Yes, subscribe"))
    look("confirmed")
    page.goto(live_server.url + subscribing.unsubscribe_path(Subscriber.objects.get()))
    look("leave")
    follow(page.get_by_role("button", name="Yes, unsubscribe"))
    look("left")
    page.goto(f"{live_server.url}/subscribe/nonsense/")
    look("stale")
    assert {name: fault for name, fault in found.items() if fault} == {}
    assert not Subscriber.objects.get().active
    assert context.cookies() == []
    assert [text for text in complaints if "422" not in text and "410" not in text] == []
    context.close()


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_the_staff_pages(live_newsroom, live_server, chromium, width, scheme):
    Subscriber.objects.create(email=f"{'long' * 12}@paper.example")
    wire = receivers.add(name="Press wire", kind="webhook", url="https://hooks.example/" + "long/" * 20)
    receivers.add(name="Hub", kind="websub", url="https://hub.example/")
    off = receivers.add(name="Old archive", kind="ninjs", url="https://archive.example/")
    receivers.switch(receiver=off, on=False)
    delivering.write(event="release", release=live_newsroom.public(), cause="announcement:1")
    error = "It was not reached 7 times in a row. It took longer than 10 seconds."
    Delivery.objects.update(next_attempt=None, given_up_at=Now(), attempts=7, error=error)
    Receiver.objects.filter(name="Hub").update(failures=3, rests_until="2100-01-01T00:00Z")
    size = {"width": width, "height": 900}
    person = live_newsroom.administrator
    context = signed_in(
        chromium, person, live_server.url, viewport=size, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    found = {}
    for path in (reverse("deliveries"), reverse("receivers"), reverse("receiver", args=[wire.pk])):
        page.goto(path)
        found[path] = faults(page)
    page.get_by_role("button", name="Make a new secret").click()
    expect(page.get_by_role("heading", name="Its secret, which is shown this once")).to_be_visible()
    found["secret"] = faults(page)
    page.goto(reverse("receivers"))
    follow(page.get_by_role("button", name="Make the receiver"))
    found["nothing typed"] = faults(page)
    page.goto(reverse("deliveries"))
    page.get_by_role("button", name=re.compile("release to Press wire")).click()
    expect(page.get_by_text("It is tried again: release to Press wire.")).to_be_visible()
    found["again"] = faults(page)
    assert {path: fault for path, fault in found.items() if fault} == {}
    context.close()
