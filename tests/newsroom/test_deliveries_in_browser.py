"""The mailing list and the pages of deliveries in a browser: axe finds nothing, nothing is too wide."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db.models.functions import Now
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect, sync_playwright

from newsroom import choosing, delivering, receivers, subscribing
from newsroom.choosing import Choice
from newsroom.models import Delivery, Receiver, Subscriber
from stories.models import Topic
from tests.newsroom.test_choosing import subscribed
from tests.newsroom.test_release_in_browser import signed_in

pytestmark = pytest.mark.django_db(transaction=True)

SIZES = [(1280, "light"), (375, "dark")]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


def faults(page: Page) -> list[str]:
    """What axe finds, and whether the page is wider than the screen."""
    found = [fault["id"] for fault in Axe().run(page).response["violations"]]
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return found + ["too wide"] * wide


def press(page: Page, name: str) -> None:
    """Press a button that leads to another page, and wait for that."""
    with page.expect_navigation():
        page.get_by_role("button", name=name).click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_subscribing_choosing_and_leaving(live_newsroom, live_server, chromium, width, scheme):
    """Without a script, by what the page says."""
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
    with page.expect_navigation():
        page.get_by_role("link", name="Get these by mail").click()
    look("form", "News by mail")
    expect(page.get_by_role("checkbox", name="Bridges")).to_be_checked()
    page.get_by_role("radio", name="Everything").check()
    press(page, "Subscribe")
    look("two faults", "Error: ")
    page.get_by_role("link", name="Enter an email address").click()
    expect(page).to_have_url(re.compile("#email$"))
    page.get_by_role("link", name="You have asked for everything").click()
    expect(page).to_have_url(re.compile("#what$"))
    page.get_by_label("Email address").fill(address)
    page.get_by_role("radio", name="Only what I tick below").check()
    page.get_by_role("radio", name="One mail a day, at five").check()
    press(page, "Subscribe")
    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
    look("sent", "Look into your mailbox")
    choice = Choice(True, (("topic", "bridges"), ("topic", "harbour")))
    page.goto(live_server.url + subscribing.confirm_path(address, choice))
    look("confirm", "Confirm your subscription")
    press(page, "Yes, subscribe")
    look("confirmed", "You are on the list")
    with page.expect_navigation():
        page.get_by_role("link", name="change your choice").click()
    look("choices", "What you get by mail")
    expect(page.get_by_role("radio", name="One mail a day, at five")).to_be_checked()
    page.get_by_role("checkbox", name="Bridges").uncheck()
    page.get_by_role("checkbox", name=long).uncheck()
    press(page, "Save my choice")
    look("nothing ticked", "Error: ")
    page.get_by_role("group", name="Organisations").get_by_role("checkbox").check()
    press(page, "Save my choice")
    look("saved", "Saved: ")
    expect(page.get_by_role("status")).to_contain_text("Department for Rivers and Coasts")
    press(page, "Leave the list")
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
    assert page.get_by_role("heading", name="Its secret, which is shown this once").is_visible()
    found["secret"] = faults(page)
    page.goto(reverse("receivers"))
    page.get_by_role("button", name="Make the receiver").click()
    found["nothing typed"] = faults(page)
    page.goto(reverse("deliveries"))
    page.get_by_role("button", name=re.compile("release to Press wire")).click()
    assert page.get_by_text("It is tried again: release to Press wire.").is_visible()
    found["again"] = faults(page)
    assert {path: fault for path, fault in found.items() if fault} == {}
    context.close()
