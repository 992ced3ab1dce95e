"""The mailing list and the pages of deliveries in a browser: axe finds nothing, nothing is too wide."""

import re

import pytest
from django.db.models.functions import Now
from django.urls import reverse
from playwright.sync_api import expect

from newsroom import choosing, delivering, receivers, subscribing
from newsroom.choosing import Choice
from newsroom.models import Delivery, Receiver, Subscriber
from stories.models import Topic
from tests.browsing import SIZES, faults, follow, signed_in
from tests.newsroom.test_choosing import subscribed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_subscribing_choosing_and_leaving(live_newsroom, live_server, chromium, width, scheme):
    """By what the pages say; there is no script on them."""
    long = f"Wendmouth-{'and-' * 12}Harbour"
    Topic.objects.create(name=long, slug="harbour")
    topics = [{"slug": "bridges", "name": "Bridges"}, {"slug": "harbour", "name": long}]
    live_newsroom.public(
        topics=topics, organisation={"slug": "rivers", "name": "Department for Rivers and Coasts"}
    )
    address = f"reader-{'and-' * 12}reader@paper.example"
    size = {"width": width, "height": 900}
    context = chromium.new_context(viewport=size, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    found: dict[str, list[str]] = {}

    def look(name: str, title: str) -> None:
        expect(page).to_have_title(re.compile(f"^{title}"))
        found[name] = faults(page)

    page.goto(f"{live_server.url}/topics/bridges/")
    follow(page.get_by_role("link", name="Get these by mail"))
    look("form", "News by mail")
    expect(page.get_by_role("checkbox", name="Bridges")).to_be_checked()
    page.get_by_role("radio", name="Everything").check()
    follow(page.get_by_role("button", name="Subscribe"))
    look("two faults", "Error: ")
    page.get_by_role("link", name="Enter an email address").click()
    expect(page).to_have_url(re.compile("#email$"))
    page.get_by_role("link", name="You have asked for everything").click()
    expect(page).to_have_url(re.compile("#what$"))
    page.get_by_label("Email address").fill(address)
    page.get_by_role("radio", name="Only what I tick below").check()
    page.get_by_role("radio", name="One mail a day, at five").check()
    follow(page.get_by_role("button", name="Subscribe"))
    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
    look("sent", "Look into your mailbox")
    choice = Choice(True, (("topic", "bridges"), ("topic", "harbour")))
    page.goto(live_server.url + subscribing.confirm_path(address, choice))
    look("confirm", "Confirm your subscription")
    follow(page.get_by_role("button", name="Yes, subscribe"))
    look("confirmed", "You are on the list")
    follow(page.get_by_role("link", name="change your choice"))
    look("choices", "What you get by mail")
    expect(page.get_by_role("radio", name="One mail a day, at five")).to_be_checked()
    page.get_by_role("checkbox", name="Bridges").uncheck()
    page.get_by_role("checkbox", name=long).uncheck()
    follow(page.get_by_role("button", name="Save my choice"))
    look("nothing ticked", "Error: ")
    page.get_by_role("group", name="Organisations").get_by_role("checkbox").check()
    follow(page.get_by_role("button", name="Save my choice"))
    look("saved", "Saved: ")
    expect(page.get_by_role("status")).to_contain_text("Department for Rivers and Coasts")
    follow(page.get_by_role("button", name="Leave the list"))
    look("left", "You are off the list")
    page.goto(live_server.url + subscribing.unsubscribe_path(Subscriber.objects.get()))
    look("leave", "Leave the list")
    page.goto(f"{live_server.url}/subscribe/nonsense/")
    look("stale", "News by mail")
    assert {name: fault for name, fault in found.items() if fault} == {}
    someone = Subscriber.objects.get()
    assert (someone.active, choosing.of(someone)) == (False, Choice(True, (("organisation", "rivers"),)))
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
    subscribed("chooser@paper.example", ("topic", f"long-{'and-' * 12}long"), daily=True)
    paths = [reverse(name) for name in ("deliveries", "mailing_list", "receivers")]
    for path in (*paths, reverse("receiver", args=[wire.pk])):
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
