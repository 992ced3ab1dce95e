"""The types of story: the code that is stored and scripted against, and what people call it."""

from django.utils.translation import gettext_noop

TYPES: dict[str, str] = {
    "news-story": gettext_noop("News story"),
    "press-release": gettext_noop("Press release"),
    "statement": gettext_noop("Statement"),
    "speech": gettext_noop("Speech"),
    "government-response": gettext_noop("Government response"),
    "statistics": gettext_noop("Statistics"),
    "consultation": gettext_noop("Consultation"),
    "report": gettext_noop("Report"),
}

# What a text is taken to be when it does not say.
DEFAULT_TYPE = "news-story"

# Other words that press offices put before a headline for the same things.
ALSO_CALLED: dict[str, str] = {
    "news release": "press-release",
    "press notice": "press-release",
    "media release": "press-release",
    "press statement": "statement",
    "media statement": "statement",
    "written statement": "statement",
    "oral statement": "statement",
    "ministerial statement": "statement",
    "official statistics": "statistics",
    "national statistics": "statistics",
    "statistical release": "statistics",
}

#: The files that can be stored, and how their names end.
ENDINGS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/avif": "avif",
    "application/pdf": "pdf",
    "text/csv": "csv",
}
