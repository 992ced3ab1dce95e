"""A story as a Wagtail page: rich text and quotes in a stream."""

from django.db import models
from wagtail.blocks import CharBlock, RichTextBlock, StructBlock
from wagtail.fields import RichTextField, StreamField
from wagtail.models import Page


class NewsPage(Page):
    """What the stories stand below."""


class StoryPage(Page):
    """A story."""

    label = models.CharField(max_length=60)
    summary = models.TextField(blank=True)
    published = models.DateTimeField()
    organisation = models.CharField(max_length=200, blank=True)
    body = StreamField(
        [
            ("words", RichTextBlock()),
            (
                "quote",
                StructBlock([("words", RichTextBlock()), ("speaker", CharBlock()), ("role", CharBlock())]),
            ),
        ]
    )
    notes = RichTextField(blank=True)
    contacts = models.TextField(blank=True)
    topics = models.JSONField(default=list, blank=True)
