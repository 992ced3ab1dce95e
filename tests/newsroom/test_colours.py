"""The colours of the public pages: what is measured is what their style sheet sets."""

import re

import pytest

from newsroom import colours


def test_the_grounds_are_those_of_the_style_sheet(settings):
    sheet = (settings.BASE_DIR / "static/public/tokens.css").read_text("utf-8")
    light, dark = sheet.split("@media (prefers-color-scheme: dark)")[:2]
    for name, scheme, part in (
        ("paper", "light", light),
        ("wash", "dark", dark),
        ("stop-wash", "dark", dark),
    ):
        assert colours.tokens(scheme)[name] == re.search(rf"--{name}: (#\w+);", part)[1]
    # What is the same in both is said once.
    assert colours.tokens("dark")["measure"] == colours.tokens("light")["measure"] == "38rem"


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.48),
        ("#767676", "#fff", 4.54),
        ("#fff", "#fff", 1),
    ],
)
def test_contrast_is_that_of_wcag(one, other, ratio):
    assert colours.contrast(one, other) == pytest.approx(ratio, abs=0.005)
    assert colours.contrast(other, one) == colours.contrast(one, other)


def test_a_ratio_is_never_rounded_up():
    assert colours.ratio(4.4999) == "4.49 to 1"


@pytest.mark.parametrize("scheme", colours.SCHEMES)
def test_the_colours_of_the_pages_themselves_can_be_read(scheme):
    assert colours.fault(colours.own(scheme), scheme) == ""


def test_what_cannot_be_read_is_refused_with_the_ratio_and_the_ground():
    assert colours.fault("#777777", "light") == (
        "#777777 cannot be read well: against the light ground of the page (#fff) its contrast is 4.47 to 1,"
        " and text needs 4.5 to 1. Choose a darker colour."
    )
    # On white it is just enough, on the grey of the foot not.
    assert "the foot of the page" in colours.fault("#767676", "light")
    assert "Choose a lighter colour" in colours.fault("#0b5d6b", "dark")


def test_the_pages_own_colours_need_no_sheet():
    assert colours.sheet(colours.own("light"), colours.own("dark")) == ""


def test_a_sheet_for_a_preview_sets_every_colour_of_its_scheme():
    sheet = colours.forced("dark", "#8fbdea")
    assert "color-scheme: dark;" in sheet
    assert f"--paper: {colours.tokens('dark')['paper']};" in sheet
    assert "--accent: #8fbdea;" in sheet
    assert "@media screen and" not in sheet
