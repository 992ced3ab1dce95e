"""The inbox and the page of deputies in a browser: by keyboard alone, small and large, light and dark."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from approvals import claiming, clearing, deputies
from approvals.models import Step
from stories import drafting
from stories.models import Revision
from stories.moments import Moment
from tests.approvals.doing import ask
from tests.browsing import faults, follow, signed_in

pytestmark = pytest.mark.django_db(transaction=True)


def story(newsroom, slug: str, **ahead: float) -> Revision:
    revision = newsroom.submitted(slug=slug, headline=f"Story {slug} of the Saltmarsh coast")
    if ahead:
        moment = Moment(datetime.now(UTC) + timedelta(**ahead), "Europe/London")
        drafting.plan_embargo(story=revision.story, by=newsroom.drafter, moment=moment)
    return revision


@pytest.fixture
def furnished(live_newsroom):
    """Something in every group, of several desks and for somebody who is away."""
    newsroom = live_newsroom
    Step.objects.update(before=timedelta(hours=1))
    late, soon, later = (
        story(newsroom, "late", minutes=30),
        story(newsroom, "soon", hours=1.8),
        story(newsroom, "later", days=3),
    )
    newsroom.sign(late, newsroom.legal, newsroom.second_lawyer)
    newsroom.edit(late.story, summary="The engineer’s report replaces “is being looked into”.")
    clearing.seen(revision=soon, by=newsroom.lawyer)
    newsroom.edit(soon.story, summary="Another summary.")
    claiming.take(step=newsroom.step(soon.story, newsroom.legal), by=newsroom.lawyer)
    claiming.take(step=newsroom.step(later.story, newsroom.legal), by=newsroom.second_lawyer)
    ask(newsroom, story(newsroom, "asked", hours=9), newsroom.legal, newsroom.second_lawyer)
    story(newsroom, "undated")
    mine = story(newsroom, "mine", hours=9)
    newsroom.edit(mine.story, by=newsroom.lawyer, summary="By the lawyer.")
    now = datetime.now(UTC)
    for person in (newsroom.secretary, newsroom.second_lawyer):
        deputies.appoint(
            person=person,
            deputy=newsroom.lawyer,
            desk=None,
            since=now,
            until=now + timedelta(days=2),
            by=person,
        )
    return newsroom


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (1280, "dark"), (375, "light"), (375, "dark")]
)
def test_the_pages_are_accessible(furnished, live_server, chromium, width, scheme):
    size = {"width": width, "height": 900}
    context = signed_in(
        chromium, furnished.lawyer, live_server.url, viewport=size, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    found = {}
    clearing_page = reverse("story_clearing", args=[furnished.legal.standings.latest("pk").story.uid])
    for path in (
        reverse("inbox"),
        reverse("inbox") + "?group=undated",
        reverse("inbox") + "?mine=1",
        reverse("deputies"),
        clearing_page,
    ):
        page.goto(path)
        found[path] = faults(page)
    page.goto(reverse("deputies"))
    page.locator("[name=until-time]").fill("")
    follow(page.get_by_role("button", name="Appoint the deputy"))
    found["nobody named"] = faults(page)
    assert page.locator("[data-summary]").count() == 2
    assert {path: fault for path, fault in found.items() if fault} == {}
    context.close()


def test_by_keyboard_alone(furnished, live_server, chromium):
    context = signed_in(chromium, furnished.lawyer, live_server.url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    page.goto(reverse("inbox"))
    links = page.locator("[data-rows] li a.pub")
    page.keyboard.press("j")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("k")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("j")
    wanted = links.nth(1).get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{wanted}")
    # Without a row chosen, Enter opens the one with the least time left.
    page.goto(reverse("inbox"))
    wanted = links.nth(0).get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{wanted}")
    assert complaints == []
    context.close()


def test_taken_and_let_go_without_leaving_the_list(furnished, live_server, chromium):
    context = signed_in(chromium, furnished.lawyer, live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(reverse("inbox"))
    row = page.locator("li", has_text="Story undated").filter(has_text="Legal covers")
    row.get_by_role("button", name="Take it").click()
    expect(row).to_contain_text("You took it at")
    page.get_by_role("link", name="Mine 2").click()
    expect(page.locator("[data-rows] li")).to_have_count(2)
    row.get_by_role("button", name="Let go").click()
    expect(page.locator("[data-rows] li")).to_have_count(1)
    context.close()


def test_the_time_left_runs(furnished, live_server, chromium):
    context = signed_in(chromium, furnished.lawyer, live_server.url)
    page = context.new_page()
    page.goto(reverse("inbox"))
    left = page.locator("[data-due]").nth(0)
    expect(left).to_have_text("30 min late")
    expect(left).to_have_class("left over")
    page.evaluate(
        "document.querySelectorAll('[data-due]')[0].dataset.due = new Date(Date.now() + 5430e3).toISOString()"
    )
    expect(left).to_have_text("1 h 30 min")
    expect(left).to_have_class("left soon")
    context.close()
