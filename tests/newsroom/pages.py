"""What a browser without JavaScript would send: the fields of the forms of a page."""

from html.parser import HTMLParser

from django.http import HttpResponse


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, str]] = {}
        self.buttons: dict[str, dict[str, str]] = {}
        self._form = ""
        #: The field whose words come next, if any.
        self._typing = ""

    def handle_data(self, data: str) -> None:
        if self._typing:
            # HTML does not count the line break that a browser expects after the tag.
            self.forms[self._form][self._typing] += data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._typing = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        if tag == "form":
            self._form = held["action"] or ""
            self.forms[self._form] = {}
        if tag == "input" and held.get("name") and _is_sent(held):
            self.forms[self._form][held["name"] or ""] = held.get("value") or ""
        if tag == "textarea":
            self._typing = held["name"] or ""
            self.forms[self._form][self._typing] = ""
        if tag == "button" and held.get("formaction"):
            self.buttons[held["formaction"] or ""] = {
                **self.forms[self._form],
                held["name"] or "": held["value"] or "",
            }


def _is_sent(held: dict[str, str | None]) -> bool:
    return held.get("type") not in {"checkbox", "radio"} or "checked" in held


def fields_of(response: HttpResponse, action: str) -> dict[str, str]:
    """What the page's form (or button) that goes to `action` would send, as the page stands."""
    parser = _Forms()
    parser.feed(response.content.decode())
    return parser.buttons.get(action) or parser.forms[action]
