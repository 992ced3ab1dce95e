"""The main job, from a pasted text to a page that the public reads, in a real browser on a real newsroom.

Everything runs as `script/server` starts it: web server, Celery worker, beat, broker and database.
"""

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from .conftest import Server

pytestmark = pytest.mark.xdist_group("script/server")

SLUG = "ferry-returns-to-lowen-sound"
TEXT = """\
Press release: Ferry returns to Lowen Sound

The ferry sails again on Monday, after a winter in dry dock.

Minister for Small Harbours Dame Joss Amberley said:

She looks ten years younger, and she can smell the open sea.

Tickets are sold on board and in every post office on the sound.

The first sailing is at six in the morning.
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def server(folder: Path, start: Callable[..., Server]) -> Server:
    running = start(folder)
    running.until_ready()
    return running


@pytest.fixture
def sign_in(browser: Browser, server: Server) -> Callable[[str], Page]:
    """A browser of its own for each person, signed in with the button of the demo."""

    def signed_in(name: str) -> Page:
        page = browser.new_context(base_url=f"http://127.0.0.1:{server.port}").new_page()
        page.goto("/accounts/login/")
        page.get_by_role("button", name=re.compile(name)).click()
        expect(page).to_have_url(re.compile("/desk/$"))
        return page

    return signed_in


def write(page: Page) -> str:
    """Paste the text, correct nothing, make the draft; the path of the story."""
    page.goto("/desk/stories/from-text/")
    page.get_by_label(re.compile("Paste the release")).fill(TEXT)
    page.get_by_role("button", name="Read the text").click()
    expect(page.get_by_role("button", name=re.compile("the words of Dame Joss Amberley"))).to_be_visible()
    page.get_by_role("button", name="Make the draft").click()
    expect(page).to_have_url(re.compile(r"/desk/stories/[0-9a-f-]{36}/$"))
    return page.url.split("/desk/")[1]


def clear(page: Page, story: str) -> None:
    page.goto(f"/desk/{story}clearing/")
    page.get_by_role("button", name=re.compile("Clear these words")).click()
    done = page.get_by_role("status").filter(has_text=re.compile("cleared|signed", re.I))
    expect(done.first).to_be_visible()


def arm(page: Page, story: str, instant: datetime) -> None:
    local = instant.astimezone(ZoneInfo("Europe/London"))
    page.goto(f"/desk/{story}release/")
    page.get_by_label(re.compile("Day")).fill(f"{local:%Y-%m-%d}")
    page.get_by_label(re.compile("Time, 24 hours")).fill(f"{local:%H:%M:%S}")
    page.get_by_label(re.compile("Zone")).fill("Europe/London")
    page.get_by_role("button", name="Read it back").click()
    page.get_by_label(re.compile("I have read")).check()
    page.get_by_role("button", name=re.compile("arm", re.I)).last.click()
    expect(page.locator(".st.is-armed").first).to_be_visible()


def status(server: Server) -> int | None:
    return server.get(f"/news/{SLUG}/")


def receipts(server: Server) -> list[float]:
    """How late each receipt for the story says that it is, in seconds."""
    with psycopg.connect(server.database()) as connection:
        rows = connection.execute(
            "SELECT extract(epoch FROM a.at - a.due)::float FROM newsroom_announcement a "
            "JOIN newsroom_visibility v ON v.release_id = a.release_id WHERE v.slug = %s",
            [SLUG],
        ).fetchall()
    return [late for (late,) in rows]


def subjects(server: Server) -> list[str]:
    """What the mails that were sent are about."""
    mails = [path.read_bytes() for path in (server.folder / "mail").glob("*.eml")]
    return [str(message_from_bytes(mail, policy=default)["Subject"]) for mail in mails]


def test_the_main_job(
    server: Server, sign_in: Callable[[str], Page], browser: Browser, tmp_path: Path
) -> None:
    drafter = sign_in("Marta Feld")
    story = write(drafter)
    drafter.get_by_role("button", name="Request clearance").click()
    drafter.get_by_role("button", name="Request clearance").click()
    clear(sign_in("Adaeze Nwosu"), story)
    clear(sign_in("Sunita Rao"), story)
    officer = sign_in("Ines Okoro")
    instant = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=20)
    arm(officer, story, instant)
    assert datetime.now(UTC) < instant, "it took too long to arm for this test to say anything"
    before = []
    while (now := datetime.now(UTC)) < instant - timedelta(milliseconds=20):
        before.append(status(server))
        assert datetime.now(UTC) >= instant or before[-1] == 404, now
    assert len(before) > 3
    time.sleep(max(0, (instant - datetime.now(UTC)).total_seconds()))
    reader = browser.new_context(
        base_url=f"http://127.0.0.1:{server.port}", java_script_enabled=False
    ).new_page()
    answer = reader.goto(f"/news/{SLUG}/")
    assert answer
    assert answer.status == 200
    expect(reader.locator("h1")).to_have_text("Ferry returns to Lowen Sound")
    expect(reader.locator("figure blockquote")).to_contain_text("she can smell the open sea")
    assert reader.context.cookies() == []
    server.until(lambda: len(receipts(server)) == 1)
    officer.goto(f"/desk/{story}release/")
    expect(officer.get_by_text(re.compile("Announced")).first).to_be_visible()
    # The duty officer may be written to meanwhile, about a release of the demo.
    server.until(lambda: subjects(server).count("Ferry returns to Lowen Sound") == 2)
    officer.goto("/desk/mail/")
    expect(officer.get_by_text("Ferry returns to Lowen Sound").first).to_be_visible()
