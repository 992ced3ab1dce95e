"""House settings for the tests, all invented."""

from io import BytesIO
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from PIL import Image

from newsroom import house, showing
from newsroom.models import House
from tests.newsroom.pages import fields_of

SETTINGS: dict[str, Any] = {
    "name": "Office for Tides",
    "strapline": "What the sea does next",
    "about": "<p>It measures the sea.</p>",
    "contacts": [
        showing.Contact("Ines Okoro", "press officer", "020 7946 0155", "press@tides.example", "By day")
    ],
    "accent": "#14487a",
    "accent_dark": "#8fbdea",
    "logo": None,
    "logo_alt": "",
}


def shown(**changes: Any) -> house.Shown:
    """What would be shown."""
    return showing.propose(**{**SETTINGS, **changes})


def saved(newsroom: Any, **changes: Any) -> House:
    """Settings that follow the newest."""
    before = house.newest()
    return house.save(by=newsroom.administrator, follows=before and before.pk, shown=shown(**changes))


def picture(colour: str = "#14487a", size: tuple[int, int] = (960, 240)) -> BytesIO:
    """A picture to be a logo, as a browser sends it."""
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    out.seek(0)
    out.name = "logo.png"
    return out


def send(
    browser: Client, page: HttpResponse | None = None, to: str = "house", **changes: Any
) -> HttpResponse:
    """Send the form of a page, the newest unless one is given, with `changes`."""
    page = page or browser.get(reverse("house"))
    fields = fields_of(page, reverse("house"))
    return browser.post(reverse(to), {**fields, **changes})
