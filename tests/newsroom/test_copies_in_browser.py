"""Copies under embargo in a browser: the link in each of its states, and the page of the staff."""

import re
from io import BytesIO

import pikepdf
import pytest
from playwright.sync_api import expect

from newsroom import embargo, holders, releasing
from newsroom.models import Acknowledgement
from stories import pictures
from tests.browsing import SIZES, faults, signed_in
from tests.newsroom.copying import given, move
from tests.newsroom.test_after_release import ahead
from tests.newsroom.test_copy_views import page_of
from tests.newsroom.test_nothing_early import arm, noise, words_with

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def release(live_newsroom):
    asset = pictures.store(noise(), live_newsroom.drafter)
    return arm(
        live_newsroom, words_with(live_newsroom, asset), within=ahead(hours=1).instant - ahead().instant
    )


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_the_link(live_newsroom, live_server, chromium, release, width, scheme):
    grant = given(
        live_newsroom, release, outlet="The Evening " + "Ledger" * 20, terms="Interviews from noon."
    )
    link = live_server.url + embargo.path(grant)
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: asked.append(request.headers.get("referer", "")))
    found: dict[str, list[str]] = {}

    page.goto(link)
    found["question"] = faults(page)
    button = page.get_by_role("button", name=f"I keep the embargo until {release.moment.public}")
    button.click()
    expect(page.get_by_role("heading", name="Canaryheadline")).to_be_visible()
    found["copy"] = faults(page)
    assert page.locator("figure.picture img").evaluate("image => image.complete && image.naturalWidth") == 64
    for media in ("screen", "print"):
        page.emulate_media(media=media)
        expect(page.get_by_text("Copy of Nora Quill, The Evening Ledger").first).to_be_visible()
        expect(page.get_by_text(f"Under embargo until {release.moment.clock}").first).to_be_visible()
    page.emulate_media(media="screen")
    with page.expect_download() as download:
        page.get_by_role("link", name="Canarytitle").click()
    assert download.value.suggested_filename == "canarytitle.pdf"
    move(live_newsroom, release, ahead(hours=4))
    page.reload()
    expect(page.get_by_role("heading", name="The embargo has changed")).to_be_visible()
    found["moved"] = faults(page)
    move(live_newsroom, release, ahead(hours=5))
    page.get_by_role("button", name="I keep the embargo until").click()
    expect(page.get_by_role("alert")).to_be_visible()
    found["stale"] = faults(page)
    releasing.hold(story=release.story, by=live_newsroom.officer, reason="Wait")
    page.goto(link)
    expect(page.get_by_role("heading", name="This copy is on hold")).to_be_visible()
    found["held"] = faults(page)
    releasing.disarm(story=release.story, by=live_newsroom.officer, reason="Not today")
    page.goto(link)
    expect(page.get_by_role("heading", name="The release was called off")).to_be_visible()
    found["called off"] = faults(page)
    assert {name: fault for name, fault in found.items() if fault} == {}
    assert context.cookies() == []
    assert [address for address in asked if "/embargoed/" in address] == []
    assert [text for text in complaints if "409" not in text] == []
    context.close()


def test_on_paper_each_page_says_whose_copy_it_is(live_newsroom, live_server, chromium):
    paragraph = {"kind": "paragraph", "html": f"<p>{'The bridge is open. ' * 120}</p>"}
    release = live_newsroom.armed(body=[paragraph] * 8)
    grant = given(live_newsroom, release, terms="Interviews from noon. " * 80)
    page = chromium.new_page()
    page.goto(live_server.url + embargo.path(grant))
    page.get_by_role("button", name="I keep the embargo until").click()
    expect(page.get_by_role("heading", name="New footbridge")).to_be_visible()
    with pikepdf.open(BytesIO(page.pdf(format="A4"))) as document:
        pages = [sheet.Contents.read_bytes() for sheet in document.pages]
    # The colour of the frame, and of nothing else.
    framed = [bool(re.search(rb"\.63\d* \.08\d* \.11\d* rg", drawn, re.IGNORECASE)) for drawn in pages]
    assert framed == [True] * len(pages)
    assert len(pages) > 2
    page.close()


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_the_page_of_the_staff(live_newsroom, live_server, chromium, release, width, scheme):
    size = {"width": width, "height": 900}
    context = signed_in(
        chromium, live_newsroom.officer, live_server.url, viewport=size, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    found: dict[str, list[str]] = {}
    page.goto(page_of(release.story))
    found["empty"] = faults(page)
    page.get_by_role("button", name="Give a copy").click()
    expect(page.get_by_role("link", name="Say whom it is for")).to_be_visible()
    found["nothing typed"] = faults(page)
    page.get_by_label("Name").fill("Nora Quill")
    page.get_by_label("Outlet").fill("The Evening " + "Ledger" * 20)
    page.get_by_label("Mail address").fill("quill@ledger.example")
    page.get_by_role("button", name="Give a copy").click()
    expect(page.get_by_text("the link goes to quill@ledger.example by mail")).to_be_visible()
    holders.send_next()
    kept = given(live_newsroom, release, name="Ola Brandt", email="brandt@post.example", terms="From noon.")
    token = embargo.path(kept).split("/")[2]
    embargo.acknowledge(token=token, seen=embargo.look(embargo.find(token)).seen)
    embargo.open_copy(acknowledgement=Acknowledgement.objects.get())
    page.goto(page_of(release.story))
    found["copies"] = faults(page)
    move(live_newsroom, release, ahead(hours=4))
    page.goto(page_of(release.story))
    expect(page.get_by_text("must acknowledge again")).to_be_visible()
    page.locator("summary", has_text="Ola Brandt").click()
    page.get_by_role("button", name=re.compile("Revoke it now.*Ola Brandt")).click()
    expect(page.get_by_role("link", name="Give a reason")).to_be_visible()
    found["no reason"] = faults(page)
    page.get_by_label("Reason").first.fill("Wrong address")
    page.get_by_role("button", name=re.compile("Revoke it now.*Ola Brandt")).click()
    expect(page.get_by_text("Revoked by Ines Okoro")).to_be_visible()
    found["revoked"] = faults(page)
    assert {name: fault for name, fault in found.items() if fault} == {}
    context.close()
