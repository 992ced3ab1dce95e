"""From words to HTML: everything escaped, and the links that the words themselves give."""

import re
from html import escape

EMAIL = re.compile(
    r"(?<![\w.+%-])[\w.+%-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}\.){1,8}[A-Za-z]{2,24}(?![\w-])", re.ASCII
)
# What ends an address: white space, angle brackets, quotation marks, and the invisible marks that turn
# the direction of text and make one address look like another.
_NOT_URL = r"\s<>\"“”«»\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
_LINK = re.compile(
    rf"<(?P<angled>(?:https?://|mailto:)[^{_NOT_URL}]+)>"
    rf"|\[(?P<label>[^\[\]\n]{{1,300}})\]\((?P<target>(?:https?://|mailto:)[^{_NOT_URL}()]+)\)"
    rf"|(?P<bare>https?://[^{_NOT_URL}]+)"
    rf"|(?P<email>{EMAIL.pattern})",
    re.IGNORECASE | re.ASCII,
)
_AFTER_URL = ".,;:!?)]}'’*"


def html(words: str) -> str:
    """The words as HTML, with `<br>` where a line was ended on purpose."""
    out, at = [], 0
    for found in _LINK.finditer(words):
        if found.start() < at:
            continue
        link, end = _link(found)
        out += [escape(words[at : found.start()]), link]
        at = end
    out.append(escape(words[at:]))
    return "".join(out).replace("\n", "<br>")


def without_link_markup(words: str) -> str:
    """The words as a reader sees them: of `[label](address)` the label."""
    return _LINK.sub(lambda found: found["label"] or found["angled"] or found[0], words)


def _link(found: re.Match[str]) -> tuple[str, int]:
    if found["bare"]:
        url = _without_what_follows(found["bare"])
        return _anchor(url, url), found.start() + len(url)
    if found["email"]:
        return _anchor(f"mailto:{found['email']}", found["email"]), found.end()
    target = found["angled"] or found["target"]
    return _anchor(target, found["label"] or target.removeprefix("mailto:")), found.end()


def _anchor(target: str, label: str) -> str:
    return f'<a href="{escape(target)}">{escape(label)}</a>'


def _without_what_follows(url: str) -> str:
    """Without the full stop, or the closing bracket of a bracket that opened before the address."""
    unopened = url.count(")") - url.count("(")
    end = len(url)
    while url[end - 1] in _AFTER_URL and (url[end - 1] != ")" or unopened > 0):
        unopened -= url[end - 1] == ")"
        end -= 1
    return url[:end]
