"""The colours of the public pages: their tokens, how well they can be read, what sets the accent."""

import re
from functools import cache
from hashlib import sha256
from typing import Literal

from django.conf import settings

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
COLOUR = re.compile(r"#[0-9a-f]{6}")
#: What text needs (WCAG 2.2, success criterion 1.4.3).
ENOUGH = 4.5
#: The grounds on which the accent is read, by their tokens, in words.
GROUNDS = {
    "paper": "the page",
    "wash": "the foot of the page",
    "notice-wash": "a correction",
    "stop-wash": "a withdrawal",
}
_BLOCK = re.compile(r"\.newsroom \{([^{}]*)\}")
_TOKEN = re.compile(r"--([\w-]+):\s*([^;]+);")


@cache
def tokens(scheme: Scheme) -> dict[str, str]:
    """The design tokens of the public pages for a scheme, by name, as their style sheet sets them."""
    sheet = (settings.BASE_DIR / "static/public/tokens.css").read_text("utf-8")
    light, dark = (dict(_TOKEN.findall(block)) for block in _BLOCK.findall(sheet)[:2])
    return light if scheme == "light" else {**light, **dark}


def own(scheme: Scheme) -> str:
    """The accent that pages have where nobody has set one."""
    found = tokens(scheme)
    return found["org"] if found["accent"] == "var(--org)" else found["accent"]


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21, as WCAG 2.2 has it."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    # A style sheet may say #fff for #ffffff.
    colour = "#" + "".join(2 * figure for figure in colour[1:]) if len(colour) == len("#fff") else colour
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def least_contrast(accent: str, scheme: Scheme) -> float:
    """The contrast that an accent has with that of its grounds on which it is read worst."""
    return min(contrast(accent, tokens(scheme)[ground]) for ground in GROUNDS)


def ratio(number: float) -> str:
    """A contrast in words, never rounded up: "4.49 to 1"."""
    return f"{int(number * 100) / 100:.2f} to 1"


def fault(accent: str, scheme: Scheme) -> str:
    """Why an accent cannot be read in a scheme, and what to do; empty where it can."""
    grounds = {ground: contrast(accent, tokens(scheme)[ground]) for ground in GROUNDS}
    ground = next((ground for ground, found in grounds.items() if found < ENOUGH), "")
    if not ground:
        return ""
    advice = "a darker colour" if scheme == "light" else "a lighter colour"
    return (
        f"{accent} cannot be read well: against the {scheme} ground of {GROUNDS[ground]}"
        f" ({tokens(scheme)[ground]}) its contrast is {ratio(grounds[ground])}, and text needs {ENOUGH} to 1."
        f" Choose {advice}."
    )


def sheet(accent: str, accent_dark: str) -> str:
    """The style sheet that sets the accent of the public pages; empty where it is their own.

    For the screen alone: what is printed is black on white.
    """
    if (accent, accent_dark) == (own("light"), own("dark")):
        return ""
    return (
        f"@media screen {{ .newsroom {{ --org: {accent}; --accent: {accent}; }} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ .newsroom {{ --accent: {accent_dark}; }} }}\n"
    )


def name_of(text: str) -> str:
    """What a style sheet is called: a digest of what it says."""
    return sha256(text.encode()).hexdigest()[:32]


def forced(scheme: Scheme, accent: str) -> str:
    """The style sheet that shows the public pages in one scheme, whatever the reader's own is."""
    lines = [f"--{name}: {value};" for name, value in tokens(scheme).items() if name not in {"org", "accent"}]
    return (
        f"@media screen {{ .newsroom {{ color-scheme: {scheme}; --org: {accent}; --accent: {accent};"
        f" {' '.join(lines)} }} }}\n"
    )
