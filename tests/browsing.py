"""A real browser in tests: who sits at it, what is wrong with a page, and pages that follow one another."""

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Locator, Page

from stories.models import User

SIZES = [(1280, "light"), (375, "dark")]


def signed_in(browser: Browser, person: User, server: str, **options: object) -> BrowserContext:
    """A window in which somebody is signed in, without the form, which has tests of its own."""
    client = Client()
    client.force_login(person)
    context = browser.new_context(**options, base_url=server)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": server}])
    return context


def faults(page: Page) -> list[str]:
    """What axe finds, and whether the page is wider than the screen."""
    found = [fault["id"] for fault in Axe().run(page).response["violations"]]
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return found + ["too wide"] * wide


def follow(lead: Locator) -> None:
    """Press what leads to another page, and wait until that page is there: a press alone does not wait."""
    with lead.page.expect_navigation():
        lead.click()
