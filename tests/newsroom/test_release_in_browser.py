"""The release page in a browser: with and without scripts, readable by everybody, wide and narrow."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from newsroom import preflight, probing, releasing
from newsroom.models import Release, Subscriber
from stories.models import Story, User
from stories.moments import Moment
from tests.newsroom.test_release_views import tomorrow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield chromium
        chromium.close()


def signed_in(browser: Browser, person: User, server: str, **options: object) -> BrowserContext:
    """A window in which somebody is signed in."""
    client = Client()
    client.force_login(person)
    context = browser.new_context(**options, base_url=server)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": server}])
    return context


def address(story: Story, query: str = "") -> str:
    return reverse("story_release", args=[story.uid]) + query


@pytest.fixture
def pages(live_newsroom) -> list[str]:
    """The page in each of its states."""
    Subscriber.objects.create(email="editor@paper.example")
    cleared = live_newsroom.cleared(slug="cleared").story
    changed = live_newsroom.cleared(slug="changed").story
    live_newsroom.edit(changed, summary="Newer words.")
    held = live_newsroom.armed(slug="held").story
    releasing.hold(story=held, by=live_newsroom.officer, reason="Wait for the engineer.")
    for _ in range(2):
        preflight.check_now(story=held, by=live_newsroom.officer)
    public = live_newsroom.public(slug="public")
    releasing.announce(release_id=public.pk, worker="worker 2")
    # The banner is on every page.
    wrong = probing.Look(404, "the page answered 404, not 200")
    probing.note(release=public, look=wrong, worker="worker 2")
    return [
        address(live_newsroom.draft(slug="draft").story),
        address(cleared),
        address(cleared, "?now"),
        address(cleared, "?day=2030-10-27&time=01:30&zone=Europe/London"),
        address(cleared, "?day=2030-03-31&time=01:30&zone=Europe/London"),
        address(changed),
        address(live_newsroom.armed(slug="armed").story),
        address(held),
        address(public.story),
        reverse("mail_list"),
    ]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (375, "dark")])
def test_every_state_of_the_page_is_accessible(
    browser, live_newsroom, live_server, settings, pages, width, scheme
):
    settings.DEMO = True
    size = {"width": width, "height": 800}
    context = signed_in(browser, live_newsroom.officer, live_server.url, viewport=size, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    for path in pages:
        page.goto(path)
        page.evaluate("document.querySelectorAll('details.quiet').forEach(each => each.open = true)")
        assert [found["id"] for found in Axe().run(page).response["violations"]] == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert page.locator(".btn-primary").count() <= 1, path
    assert complaints == []
    context.close()


def test_read_back_and_armed_without_a_script(browser, live_newsroom, live_server):
    story, moment = live_newsroom.cleared().story, tomorrow()
    context = signed_in(browser, live_newsroom.officer, live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(address(story))
    page.get_by_label("Day").fill(f"{moment.local:%Y-%m-%d}")
    page.get_by_label("Time, 24 hours").fill("09:30:15")
    page.get_by_label("Zone").fill("UTC")
    page.get_by_label("Zone").press("Enter")
    assert page.locator(".read").inner_text() == (
        f"half past nine and fifteen seconds in the morning on {moment.local:%A}"
    )
    page.get_by_label("I have read the headline").check()
    page.get_by_role("button", name="Check again and arm").click()
    assert "Armed for 09:30:15 UTC" in page.inner_text("main")
    assert Release.objects.get().moment == Moment(moment.instant + timedelta(seconds=15), "UTC")
    context.close()
