"""The languages in which stories are written and the public pages speak. Staff pages are in English."""

from django.utils import translation

#: By their tags (BCP 47): what each is called in itself.
LANGUAGES = {"en-GB": "English", "cy": "Cymraeg"}
DEFAULT = "en-GB"


#: How the addresses of pages begin that speak another language than most.
PREFIXES = frozenset(LANGUAGES) - {DEFAULT}
#: By which others know them that want a country, too.
LOCALES = {"en-GB": "en_GB", "cy": "cy_GB"}


def spoken(tag: str) -> str:
    """The language of the words that pages put round a story in language `tag`: that, or English."""
    return tag if tag in LANGUAGES else DEFAULT


def current() -> str:
    """The language of the words that are put together now."""
    code = translation.get_language()
    return next((tag for tag in LANGUAGES if tag.lower() == code), DEFAULT)


def other(tag: str) -> str:
    """The language of a story, where it is not that of the page around; else empty."""
    return "" if tag == current() else tag


def speaking(tag: str) -> translation.override:
    """A context in which words are put together in a language, or in English where pages do not speak it."""
    return translation.override(spoken(tag).lower())
