"""How the newsroom presents itself to the public, as it was set each time."""

from typing import Any

from django.db import models

from stories import guards
from stories.models import Asset, NewsroomFact, Words


class House(NewsroomFact):
    """The name, strapline, logo, colours, text about and press contacts of the newsroom. The newest counts.

    `about` is canonical HTML, `contacts` a list of objects (see `house.Contact`). Nothing here is a story's:
    it frames what was cleared, and is no part of it.
    """

    #: What was in force when it was set. Whoever set it had seen that, and nothing newer.
    follows = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="followed_by")
    name = models.CharField(max_length=100)
    strapline = models.CharField(max_length=150, blank=True)
    about = models.TextField(blank=True)
    contacts = models.JSONField(default=list)
    accent = models.CharField(max_length=7)
    accent_dark = models.CharField(max_length=7)
    logo = models.ForeignKey(Asset, on_delete=models.PROTECT, null=True, related_name="+")
    logo_alt = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(name__regex=r"\S"), name="house_has_a_name"),
            # They become part of a style sheet.
            models.CheckConstraint(
                condition=models.Q(accent__regex=r"^#[0-9a-f]{6}$")
                & models.Q(accent_dark__regex=r"^#[0-9a-f]{6}$"),
                name="house_has_colours",
            ),
        ]
        triggers = guards.newsroom_fact(
            """
                IF NEW.follows_id IS DISTINCT FROM (SELECT max(id) FROM newsroom_house) THEN
                    RAISE EXCEPTION 'Other settings were saved meanwhile.'
                        USING ERRCODE = 'restrict_violation', HINT = 'stale';
                END IF;
                IF jsonb_typeof(NEW.contacts) <> 'array' THEN
                    RAISE EXCEPTION 'Contacts are a list.'
                        USING ERRCODE = 'restrict_violation', HINT = 'no_list';
                END IF;
                IF NEW.logo_id IS NOT NULL AND NOT EXISTS (
                    SELECT 1 FROM stories_asset WHERE id = NEW.logo_id AND media_type LIKE 'image/%'
                ) THEN
                    RAISE EXCEPTION 'A logo is a picture.'
                        USING ERRCODE = 'restrict_violation', HINT = 'no_picture';
                END IF;
                RETURN NEW;
                """,
        )

    def __str__(self) -> str:
        return f"house settings: {self.name}"

    @classmethod
    def in_words(cls, payload: dict[str, Any]) -> Words:
        contacts = len(payload["contacts"])
        told = [
            f"“{payload['name']}”",
            payload["strapline"] and f"strapline “{payload['strapline']}”",
            f"{contacts} press contact{'' if contacts == 1 else 's'}",
            f"colours {payload['accent']} and {payload['accent_dark']}",
            "with a logo" if payload["logo_id"] else "without a logo",
        ]
        return Words("House settings saved", ", ".join(filter(None, told)))
