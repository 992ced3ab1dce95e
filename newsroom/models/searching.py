"""What stories are found by: their words, and what they are about. Read models of releases.

Whether anybody may find one is no matter of these rows, which are there from the moment of arming: it is
asked of the one predicate, in the same query.
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from stories.models import READ_ONLY

from .releases import Release


class Indexed(models.Model):
    """The words of a release, as they are searched for, and those of its headline, as they are spelt.

    Written by a trigger alone, rebuilt by `manage.py rebuild_visibility`, compared with what was released by
    `manage.py verify_record`.
    """

    app_privileges = READ_ONLY

    release = models.OneToOneField(Release, on_delete=models.PROTECT, primary_key=True)
    #: Headline A, summary B, body and quotes C, notes and what it is about D.
    words = SearchVectorField()
    vocabulary: ArrayField[list[str], list[str]] = ArrayField(models.TextField())

    class Meta:
        verbose_name_plural = "indexed"
        indexes = [
            GinIndex(fields=["words"], name="indexed_words"),
            GinIndex(fields=["vocabulary"], name="indexed_vocabulary"),
        ]

    def __str__(self) -> str:
        return f"words of {self.release_id}"


class TagKind(models.TextChoices):
    """By what stories are gathered on a page of their own."""

    TYPE = "type"
    TOPIC = "topic"
    ORGANISATION = "organisation"
    PERSON = "person"


class Tag(models.Model):
    """What a release is of, about and from, and whom it quotes: type, topics, organisations, people.

    Written, rebuilt and compared as `Indexed` is.
    """

    app_privileges = READ_ONLY

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="tags", db_index=False)
    kind = models.CharField(max_length=20, choices=TagKind.choices)
    slug = models.TextField()
    name = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "slug", "release"], name="tag_once_a_release"),
        ]
        # Of a release, for whoever asks what it is about.
        indexes = [models.Index(fields=["release"], name="tags_of_release")]

    def __str__(self) -> str:
        return f"{self.kind} {self.slug}: {self.release_id}"


class Word(models.Model):
    """A word of some headline, released or not, so that a word that is spelt wrongly can be held against it.

    Nobody is shown one that is in no public headline. Twice the same does no harm: it can come of two
    releases at once, which must not wait for each other.
    """

    app_privileges = READ_ONLY

    word = models.TextField()

    class Meta:
        indexes = [
            models.Index(fields=["word"], name="word_itself"),
            GinIndex(fields=["word"], opclasses=["gin_trgm_ops"], name="word_likeness"),
        ]

    def __str__(self) -> str:
        return self.word
