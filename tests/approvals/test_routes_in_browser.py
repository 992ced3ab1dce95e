"""A route of three stages is built in a browser, with and without scripts: axe finds nothing on the way."""

import re

import pytest
from playwright.sync_api import expect

from approvals.models import Desk, Route
from stories.access import Role
from tests.approvals.test_in_browser import at  # noqa: F401 - fixture
from tests.browsing import follow
from tests.people import person

pytestmark = pytest.mark.django_db(transaction=True)


def choose(page, **fields: str) -> None:
    """Fill the form of a step, by the names of its fields."""
    for name, value in fields.items():
        field = page.locator(f"#id_step-{name}")
        if field.evaluate("element => element.tagName") == "SELECT":
            field.select_option(label=value)
        else:
            field.fill(value)
    follow(page.get_by_role("button", name="Add the step"))


@pytest.mark.parametrize(
    ("size", "theme", "scripts"),
    [("desktop", "light", True), ("phone", "dark", True), ("desktop", "dark", False)],
)
def test_a_route_of_three_stages_is_built(live_newsroom, at, size, theme, scripts):  # noqa: F811
    Desk.objects.create(name="Statistics").members.add(live_newsroom.nobody)
    manager = person("priya", "Priya Anand", Role.MANAGER)
    story = live_newsroom.draft().story
    # axe needs a script of its own.
    desk = at(manager, size, theme, java_script_enabled=scripts)
    faults = desk.faults if scripts else list
    page = desk.open("/desk/routes/")
    assert faults() == []
    page.get_by_label("Name").fill("Ministerial")
    follow(page.get_by_role("button", name="Make the route"))
    assert faults() == []
    choose(page, desk="Statistics", covers="figures", condition="a figure appears", before="9 h")
    choose(page, desk="Legal", before="6 h", quorum="two of the desk")
    if scripts:
        expect(page.locator("#id_step-whom")).to_be_hidden()
        page.locator("#id_step-covers").select_option("speaker")
        expect(page.locator("#id_step-whom")).to_be_visible()
    choose(page, desk="Private Office", covers="the quotes of a speaker", whom="", before="tomorrow")
    expect(page.get_by_role("alert")).to_contain_text("No step was added")
    expect(page.locator("#id_step-before")).to_have_value("tomorrow")
    assert faults() == []
    page.locator("#id_step-before").fill("3 h")
    page.locator("#id_step-whom").fill("Mara Ellingham")
    follow(page.get_by_role("button", name="Add the step"))
    expect(page.get_by_role("status").first).to_contain_text("Private Office is asked in stage 3 now.")
    route = Route.objects.get(name="Ministerial")
    assert [(step.stage, str(step.desk)) for step in route.steps.all()] == [
        (1, "Statistics"),
        (2, "Legal"),
        (3, "Private Office"),
    ]
    drawing = page.locator("svg[aria-labelledby=route-drawn]")
    expect(drawing).to_be_visible(visible=size != "phone")
    assert drawing.locator("rect").count() == 3
    follow(page.get_by_role("button", name=re.compile(r"To stage 2\s?: Private Office")))
    assert page.locator("svg[aria-labelledby=route-drawn] rect").count() == 3
    assert [(step.stage, str(step.desk)) for step in route.steps.all()] == [
        (1, "Statistics"),
        (2, "Legal"),
        (2, "Private Office"),
    ]
    assert faults() == []
    follow(page.get_by_role("button", name="Make it the default"))
    page.get_by_label("One of the newest stories").select_option(str(story.uid))
    page.get_by_role("button", name="Show what it would ask").click()
    expect(page.locator("#try")).to_contain_text("would be asked")
    assert faults() == []
    follow(page.get_by_role("link", name="Change the step of Legal"))
    assert faults() == []
    page.get_by_role("button", name="Save the step").click()
    expect(page.get_by_role("status").first).to_contain_text("Legal: saved.")
    follow(page.get_by_role("link", name="Desks"))
    assert faults() == []
    follow(page.get_by_role("link", name="Statistics"))
    assert faults() == []
    page.get_by_role("button", name=re.compile(r"Add\s?: Tom Ashdown")).click()
    expect(page.get_by_role("status").first).to_contain_text("Tom Ashdown can clear for Statistics now.")
    # The drafter is asked which of the two, and reads what each would ask.
    drafter = at(live_newsroom.drafter, size, theme, java_script_enabled=scripts)
    drafter.open(f"/desk/stories/{story.uid}/clearing/")
    drafter.page.get_by_label("Standard").check()
    if scripts:
        assert drafter.faults() == []
    drafter.page.get_by_label("Ministerial").check()
    drafter.page.get_by_role("button", name="Request clearance").click()
    expect(drafter.page.get_by_text("by the route “Ministerial”")).to_be_visible()
    if scripts:
        assert drafter.faults() == []
    if not scripts:
        # What axe itself is refused by the Content-Security-Policy is no complaint about us; the form that
        # came back is.
        assert [complaint for complaint in desk.complaints if "422" not in complaint] == []
        assert drafter.complaints == []
