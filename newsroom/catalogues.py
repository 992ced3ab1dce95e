"""The words of the public pages in each language: found in the source, kept as .po, and compiled to .mo.

What GNU gettext does, as far as it is needed here: a bare machine has none, and the .mo beside each .po is in
the repository. `manage.py catalogues` brings both up to date; a test holds them against the source.
"""

import ast
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

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
_LINE = re.compile(r'(?:(msgid|msgid_plural|msgstr(?:\[\d\])?) )?("(?:[^"\\]|\\.)*")')


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

    @property
    def header(self) -> str:
        kind = "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n"
        return f"Language: {self.language}\n{kind}Plural-Forms: {PLURALS[self.language][1]}\n"

    def read(self) -> "Catalogue":
        """With what its .po says."""
        if self.po.exists():
            self.said = dict(_entries(self.po.read_text("utf-8")))
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

    def as_po(self) -> str:
        """The catalogue as translators read and write it."""
        blocks = [f'msgid ""\nmsgstr {_quoted(self.header)}']
        for message, said in self.said.items():
            if message.plural:
                forms = [f"msgstr[{number}] {_quoted(form)}" for number, form in enumerate(said)]
                lines = [f"msgid_plural {_quoted(message.plural)}", *forms]
            else:
                lines = [f"msgstr {_quoted(said[0])}"]
            blocks.append("\n".join([f"msgid {_quoted(message.words)}", *lines]))
        return "\n\n".join(blocks) + "\n"

    def as_mo(self) -> bytes:
        """The catalogue as `gettext` reads it: the GNU MO format, without a table of hashes."""
        pairs = {"": self.header}
        pairs |= {
            "\0".join(filter(None, message)): "\0".join(said)
            for message, said in self.said.items()
            if all(said)
        }
        encoded = sorted((key.encode(), value.encode()) for key, value in pairs.items())
        count, header = len(encoded), 7 * 4
        offset = header + 2 * 8 * count
        tables, texts = [], b""
        for column in (0, 1):
            for pair in encoded:
                tables.append(struct.pack("<2I", len(pair[column]), offset + len(texts)))
                texts += pair[column] + b"\0"
        head = struct.pack("<7I", 0x950412DE, 0, count, header, header + 8 * count, 0, offset)
        return head + b"".join(tables) + texts

    def missing(self) -> list[str]:
        """The messages that nobody has said in this language."""
        return [message.words for message, said in self.said.items() if not all(said)]


def catalogues() -> list[Catalogue]:
    """One for each language, as it is kept."""
    return [Catalogue(tag).read() for tag in LANGUAGES]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _unquoted(text: str) -> str:
    known = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}
    return re.sub(r"\\.", lambda found: known[found[0]], text[1:-1])


def _entries(po: str) -> Iterator[tuple[Message, tuple[str, ...]]]:
    for block in po.split("\n\n"):
        parts: dict[str, str] = {}
        key = ""
        for line in block.splitlines():
            if found := _LINE.fullmatch(line):
                key = found[1] or key
                parts[key] = parts.get(key, "") + _unquoted(found[2])
        if parts.get("msgid"):
            said = tuple(value for key, value in parts.items() if key.startswith("msgstr"))
            yield Message(parts["msgid"], parts.get("msgid_plural", "")), said


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
