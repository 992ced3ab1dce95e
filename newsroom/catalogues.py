"""The words of the public pages in each language: found in the source, kept as .po, and compiled to .mo.

For developers: the .mo beside each .po is in the repository, because a bare machine has no gettext.
`manage.py catalogues` brings both up to date; a test holds them against the source.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import polib
from django.conf import settings
from django.template.base import Node
from django.template.loader import get_template
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils.translation import to_locale

from stories.languages import LANGUAGES

FOLDER = Path(__file__).parent / "locale"
#: Where public words stand. Whatever else is in a room is staff's, and in English.
TEMPLATES = ("404.html", "public/")
ROOMS = ("newsroom", "stories")
_CALLS = frozenset({"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext"})
#: How many forms a number has, and which of them: as Unicode's CLDR has it.
PLURALS = {
    "en-GB": (2, "nplurals=2; plural=(n != 1);"),
    "cy": (6, "nplurals=6; plural=(n==0) ? 0 : (n==1) ? 1 : (n==2) ? 2 : (n==3) ? 3 : (n==6) ? 4 : 5;"),
}


class Message(NamedTuple):
    """What pages say, and how they say it of several, where they do."""

    words: str
    plural: str = ""


@dataclass
class Catalogue:
    """How a language says each message: once, or once for each form of a number. Empty where nobody knows."""

    language: str
    said: dict[Message, tuple[str, ...]] = field(default_factory=dict)

    @property
    def po(self) -> Path:
        return FOLDER / to_locale(self.language.lower()) / "LC_MESSAGES" / "django.po"

    @property
    def mo(self) -> Path:
        return self.po.with_suffix(".mo")

    def read(self) -> "Catalogue":
        """With what its .po says."""
        if self.po.exists():
            self.said = {_message(entry): _said(entry) for entry in polib.pofile(str(self.po))}
        return self

    def for_source(self, wanted: Iterable[Message]) -> "Catalogue":
        """The same for exactly the messages that are `wanted`: what is new is said by nobody yet.

        English is said as it stands in the source.
        """
        forms = PLURALS[self.language][0]
        said = {}
        for message in sorted(wanted):
            own = (message.words, message.plural) if message.plural else (message.words,)
            unsaid = ("",) * (forms if message.plural else 1)
            said[message] = own if self.language == "en-GB" else self.said.get(message, unsaid)
        return Catalogue(self.language, said)

    def as_file(self) -> polib.POFile:
        """The catalogue as translators read and write it, and as `gettext` does when it is compiled."""
        file = polib.POFile(wrapwidth=110)
        file.metadata = {
            "Language": self.language,
            "Content-Type": "text/plain; charset=UTF-8",
            "Content-Transfer-Encoding": "8bit",
            "Plural-Forms": PLURALS[self.language][1],
        }
        file.extend(_entry(message, said) for message, said in self.said.items())
        return file

    def missing(self) -> list[str]:
        """The messages that nobody has said in this language."""
        return [message.words for message, said in self.said.items() if not all(said)]


def catalogues() -> list[Catalogue]:
    """One for each language, as it is kept."""
    return [Catalogue(tag).read() for tag in LANGUAGES]


def _entry(message: Message, said: tuple[str, ...]) -> polib.POEntry:
    if message.plural:
        return polib.POEntry(
            msgid=message.words, msgid_plural=message.plural, msgstr_plural=dict(enumerate(said))
        )
    return polib.POEntry(msgid=message.words, msgstr=said[0])


def _message(entry: polib.POEntry) -> Message:
    return Message(entry.msgid, entry.msgid_plural)


def _said(entry: polib.POEntry) -> tuple[str, ...]:
    forms = entry.msgstr_plural
    return tuple(forms[number] for number in sorted(forms)) if forms else (entry.msgstr,)


# What there is to say


def in_source() -> set[Message]:
    """All that the public pages say."""
    templates = (message for name in template_names() for message in _in_template(name))
    modules = (path for room in ROOMS for path in sorted((settings.BASE_DIR / room).rglob("*.py")))
    return {*templates, *(message for path in modules for message in _in_module(path.read_text("utf-8")))}


def template_names() -> list[str]:
    """The templates of public pages."""
    folder = settings.BASE_DIR / "templates"
    names = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.html")))
    return [name for name in names if name.startswith(TEMPLATES)]


def _in_template(name: str) -> Iterator[Message]:
    template: Any = get_template(name)
    nodes = template.template.nodelist.get_nodes_by_type(Node)
    for node in nodes:
        if isinstance(node, TranslateNode):
            yield Message(str(node.filter_expression.var.literal))
        elif isinstance(node, BlockTranslateNode):
            words = node.render_token_list(node.singular)[0]
            yield Message(words, node.render_token_list(node.plural)[0] if node.plural else "")


def _in_module(source: str) -> Iterator[Message]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in _CALLS:
            continue
        texts = [
            arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
        ]
        if texts:
            yield Message(*texts)
