"""The words of the public pages in English and in Welsh: complete, as the source has them, and compiled."""

import gettext
import re
from html.parser import HTMLParser
from io import BytesIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from newsroom import catalogues
from newsroom.catalogues import Catalogue, Message
from stories.languages import DEFAULT, LANGUAGES

BLANK = re.compile(r"%\((\w+)\)[sd]")
TAGS = re.compile(r"<[^>]+>")
#: For people with a link in a mail of ours, which is in English: see docs/architecture.md.
IN_ENGLISH = {
    "public/_embargo.html",
    "public/_mine.html",
    "public/embargoed.html",
    "public/embargoed_closed.html",
    "public/embargoed_copy.html",
}
#: What stands in attributes and is read by machines.
FOR_MACHINES = re.compile(
    r"website|article|noindex|light dark|width=device-width, initial-scale=1|summary\w*|[\w-]+=\"\w+\"|"
)
CHOICES = [pytest.param(catalogue, id=catalogue.language) for catalogue in catalogues.catalogues()]


@pytest.fixture(scope="module")
def said() -> set[Message]:
    return catalogues.in_source()


def test_there_is_a_catalogue_for_each_language_that_the_settings_name():
    assert [code for code, _ in settings.LANGUAGES] == [tag.lower() for tag in LANGUAGES]
    assert all(kept.said for kept in catalogues.catalogues())


@pytest.mark.parametrize("kept", CHOICES)
def test_it_says_exactly_what_the_source_says_and_leaves_nothing_out(kept, said):
    assert kept.for_source(said).said == kept.said, "run `manage.py catalogues`"
    assert kept.missing() == []
    assert "fuzzy" not in kept.po.read_text("utf-8")


@pytest.mark.parametrize("kept", CHOICES)
def test_what_is_compiled_is_what_is_written(kept):
    assert str(kept.as_file()) == kept.po.read_text("utf-8")
    assert kept.as_file().to_binary() == kept.mo.read_bytes(), "run `manage.py catalogues`"
    compiled = gettext.GNUTranslations(BytesIO(kept.mo.read_bytes()))
    for message, forms in kept.said.items():
        if not message.plural:
            assert compiled.gettext(message.words) == forms[0]
            continue
        told = {compiled.ngettext(*message, number) for number in range(30)}
        assert told == set(forms)


@pytest.mark.parametrize("kept", CHOICES)
def test_each_says_it_with_the_same_elements_and_with_nothing_that_is_not_given(kept):
    for message, forms in kept.said.items():
        for form in forms:
            assert set(BLANK.findall(form)) <= set(BLANK.findall("".join(message))), message
            assert TAGS.findall(form) == TAGS.findall(message.words), message
            assert form[:1].isspace() == message.words[:1].isspace()
            # In an attribute it would end it.
            assert '"' not in TAGS.sub("", form)


def test_nothing_is_in_english_in_the_welsh_one():
    welsh = next(kept for kept in catalogues.catalogues() if kept.language == "cy")
    same = {message.words for message, forms in welsh.said.items() if message.words in forms}
    assert same == {"Person"}


def test_welsh_counts_as_welsh_does():
    """CLDR: nought, one, two, three, six, and all others."""
    path = Catalogue("cy").mo
    compiled = gettext.GNUTranslations(BytesIO(path.read_bytes()))
    told = [
        compiled.ngettext("%(number)s document", "%(number)s documents", number) % {"number": number}
        for number in (1, 2, 3, 5, 6)
    ]
    assert told == ["1 ddogfen", "2 ddogfen", "3 dogfen", "5 dogfen", "6 dogfen"]
    sizes = [
        compiled.ngettext("%(size)d byte", "%(size)d bytes", size) % {"size": size} for size in (1, 2, 640)
    ]
    assert sizes == ["1 beit", "2 feit", "640 beit"]


class Unsaid(HTMLParser):
    """Hears what a template says to people by itself, without asking a catalogue."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"aria-label", "title", "alt", "placeholder", "content"} and value:
                self.handle_data(value)

    def handle_data(self, data: str) -> None:
        if re.search("[A-Za-z]{2}", data) and not FOR_MACHINES.fullmatch(data.strip()):
            self.words.append(data.strip())


@pytest.mark.parametrize("name", sorted(set(catalogues.template_names()) - IN_ENGLISH))
def test_a_public_template_says_nothing_past_the_catalogues(name):
    source = (settings.BASE_DIR / "templates" / name).read_text("utf-8")
    source = re.sub(r"{#.*?#}|{% blocktranslate.*?{% endblocktranslate %}", "", source, flags=re.DOTALL)
    heard = Unsaid()
    heard.feed(re.sub(r"{%.*?%}|{{.*?}}", "", source))
    assert heard.words == []


def test_what_nobody_has_said_is_named_and_shown_in_english(said, tmp_path, monkeypatch):
    monkeypatch.setattr(catalogues, "FOLDER", tmp_path)
    with pytest.raises(CommandError, match="cy: Page not found"):
        call_command("catalogues")
    compiled = gettext.GNUTranslations(BytesIO(Catalogue("cy").mo.read_bytes()))
    assert compiled.gettext("Page not found") == "Page not found"
    assert Catalogue(DEFAULT).read().missing() == []
