"""The types of story: the code that is stored and scripted against, and what people call it."""

TYPES: dict[str, str] = {
    "news-story": "News story",
    "press-release": "Press release",
    "statement": "Statement",
    "speech": "Speech",
    "government-response": "Government response",
    "statistics": "Statistics",
    "consultation": "Consultation",
    "report": "Report",
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
