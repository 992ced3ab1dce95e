"""The types of story: the slug that machines see, and the label that people read."""

TYPES = {
    "news-story": "News story",
    "press-release": "Press release",
    "statement": "Statement",
    "speech": "Speech",
    "government-response": "Government response",
    "statistics": "Statistics",
    "consultation": "Consultation",
    "report": "Report",
}
