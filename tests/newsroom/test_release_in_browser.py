"""The release page in a browser: with and without scripts, readable by everybody, wide and narrow."""

from datetime import timedelta

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from newsroom import preflight, probing, releasing
from newsroom.models import Release, Subscriber
from stories.models import Story
from stories.moments import Moment
from tests.browsing import faults, follow, signed_in
from tests.newsroom.test_release_views import tomorrow

pytestmark = pytest.mark.django_db(transaction=True)


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
    chromium, live_newsroom, live_server, settings, pages, width, scheme
):
    settings.DEMO = True
    size = {"width": width, "height": 800}
    context = signed_in(chromium, live_newsroom.officer, live_server.url, viewport=size, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    for path in pages:
        page.goto(path)
        page.evaluate("document.querySelectorAll('details.quiet').forEach(each => each.open = true)")
        assert faults(page) == [], path
        assert page.locator(".btn-primary").count() <= 1, path
    assert complaints == []
    context.close()


def test_read_back_and_armed_without_a_script(chromium, live_newsroom, live_server):
    story, moment = live_newsroom.cleared().story, tomorrow()
    context = signed_in(chromium, live_newsroom.officer, live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(address(story))
    page.get_by_label("Day").fill(f"{moment.local:%Y-%m-%d}")
    page.get_by_label("Time, 24 hours").fill("09:30:15")
    page.get_by_label("Zone").fill("UTC")
    page.get_by_label("Zone").press("Enter")
    expect(page.locator(".read")).to_have_text(
        f"half past nine and fifteen seconds in the morning on {moment.local:%A}"
    )
    page.get_by_label("I have read the headline").check()
    follow(page.get_by_role("button", name="Check again and arm"))
    assert "Armed for 09:30:15 UTC" in page.inner_text("main")
    assert Release.objects.get().moment == Moment(moment.instant + timedelta(seconds=15), "UTC")
    context.close()
