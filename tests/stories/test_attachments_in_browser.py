"""Attachments in a browser: with scripts and without, and when the browser is lost in between."""

import pytest
from playwright.sync_api import Page

from stories.models import Revision
from tests.browsing import faults, signed_in
from tests.stories.documents import CSV, pdf

pytestmark = pytest.mark.django_db(transaction=True)
FILES = [
    {"name": "gates.pdf", "mimeType": "application/pdf", "buffer": pdf()},
    {"name": "homes.csv", "mimeType": "text/csv", "buffer": CSV},
]
TITLES = ".attached input[type=text]"


def upload(page: Page) -> None:
    page.goto("/desk/stories/new/")
    page.fill("#id_headline", "Typed before")
    page.set_input_files("#id_attachment_files", FILES)
    page.get_by_role("button", name="Upload").click()
    page.wait_for_selector(TITLES)
    assert page.input_value("#id_headline") == "Typed before"


def titles() -> list[str]:
    return [one["title"] for one in Revision.objects.latest("id").content["attachments"]]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (375, "dark")])
def test_documents_are_uploaded_and_given_titles(live_newsroom, live_server, chromium, width, scheme):
    size = {"width": width, "height": 900}
    context = signed_in(
        chromium, live_newsroom.drafter, live_server.url, viewport=size, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    upload(page)
    first, second = page.locator(TITLES).all()
    assert first.evaluate("field => field === document.activeElement")
    assert faults(page) == []
    first.fill("The gates")
    second.fill("Homes by parish")
    page.get_by_role("button", name="Save as revision 1").click()
    page.wait_for_url("**/stories/*-*/")
    assert titles() == ["The gates", "Homes by parish"]
    assert page.locator(".note").count() == 0
    page.get_by_label("Take it out (document 1)").check()
    page.get_by_role("button", name="Save as revision 2").click()
    page.get_by_text("Saved as revision 2").wait_for()
    assert titles() == ["Homes by parish"]
    assert page.locator(".note").count() == 0
    assert faults(page) == []
    context.close()


def test_an_uploaded_document_and_its_title_outlive_the_browser(live_newsroom, live_server, chromium):
    context = signed_in(chromium, live_newsroom.drafter, live_server.url)
    page = context.new_page()
    upload(page)
    page.locator(TITLES).nth(1).fill("Homes by parish")
    page.locator("[data-kept-words]", has_text="are kept in this browser (").wait_for()
    page.goto("/desk/stories/new/")
    assert page.locator(TITLES).count() == 0
    page.get_by_role("button", name="Put them back").click()
    assert [field.input_value() for field in page.locator(TITLES).all()] == ["", "Homes by parish"]
    with page.expect_download() as saved:
        page.locator(".attached a").nth(1).click()
    assert saved.value.suggested_filename.endswith(".csv")
    page.get_by_role("button", name="Save as revision 1").click()
    page.wait_for_url("**/stories/*-*/")
    assert titles() == ["", "Homes by parish"]
    assert page.locator(".note").count() == 0
    page.goto("/desk/stories/new/")
    assert page.locator(".note").count() == 0
    context.close()


def test_without_scripts(live_newsroom, live_server, chromium):
    context = signed_in(chromium, live_newsroom.drafter, live_server.url, java_script_enabled=False)
    page = context.new_page()
    upload(page)
    page.locator(TITLES).first.fill("The gates")
    page.get_by_role("button", name="Save as revision 1").click()
    assert titles() == ["The gates", ""]
    context.close()
