"""The pages of the desk and of drafting in a browser: axe finds nothing, nothing is wider than the screen."""

import pytest
from django.urls import reverse

from tests.browsing import faults, follow, signed_in
from tests.stories.test_importing import TEXT

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (375, "dark")])
def test_the_pages_are_accessible(live_newsroom, live_server, chromium, width, scheme):
    story = live_newsroom.submitted().story
    live_newsroom.armed(slug="armed")
    of_story = [reverse(name, args=[story.uid]) for name in ("story_draft", "story_record")]
    lists = [reverse(name) for name in ("desk", "story_list", "story_new", "story_from_text")]
    preview = reverse("story_revision", args=[story.uid, 1])
    size = {"width": width, "height": 900}
    context = signed_in(
        chromium, live_newsroom.drafter, live_server.url, viewport=size, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    found = {}
    for path in [*lists, *of_story, preview]:
        page.goto(path)
        found[path] = faults(page)
    page.goto(reverse("story_from_text"))
    follow(page.get_by_role("button", name="Read the text"))
    found["nothing pasted"] = faults(page)
    page.locator("#text").fill(TEXT)
    follow(page.get_by_role("button", name="Read the text"))
    found["recognised"] = faults(page)
    page.goto(of_story[0])
    page.locator("[name=embargo-day]").fill("2030-10-27")
    page.locator("[name=embargo-time]").fill("01:30:00")
    follow(page.get_by_role("button", name="Set the embargo"))
    found["which of the two"] = faults(page)
    assert {path: fault for path, fault in found.items() if fault} == {}
    context.close()
