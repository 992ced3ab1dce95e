"""The record: the facts themselves, chained by hash per story, and the proof that none was changed."""

from collections.abc import Callable, Iterator
from typing import Any

from django.apps import apps
from django.db import connection, models

from .clocks import office
from .digests import content_digest, digest_of
from .models import Consequence, Entry, Fact, Intake, NewsroomFact, Revision, Story, Words

_checks: list[Callable[[], Iterator[str]]] = []


def also_verify(check: Callable[[], Iterator[str]]) -> None:
    """Register a check of a room above: a function that yields a sentence for each fault."""
    if check not in _checks:
        _checks.append(check)


Source = type[Story | Fact | NewsroomFact | Consequence]


def sources() -> dict[str, Source]:
    """The tables whose rows are links of a record, with their models, stories first."""
    linked: list[Source] = [Story]
    linked += [model for model in apps.get_models() if issubclass(model, Fact | NewsroomFact | Consequence)]
    return {model._meta.db_table: model for model in linked}


def words(entry: Entry) -> Words:
    """The line that the record shows for an entry."""
    return sources()[entry.source].in_words(entry.payload)


def entry_hash(entry: Entry) -> str:
    """The hash that an entry has to have, computed here and not by the database."""
    at = entry.at.isoformat(timespec="microseconds")
    return digest_of(
        {
            "story": entry.story_id,
            "number": entry.number,
            "source": entry.source,
            "fact": entry.fact,
            "by": entry.by_id,
            "at": _trimmed(at),
            "payload": entry.payload,
            "previous": entry.previous,
        }
    )


def _trimmed(at: str) -> str:
    # PostgreSQL prints no trailing zeros of a second.
    seconds, offset = at[:-6], at[-6:]
    return seconds.rstrip("0").rstrip(".") + offset


def verify() -> Iterator[str]:
    """A sentence for each fault, the first broken link of a story first. Nothing, when all is whole."""
    yield from story_faults(None)
    for check in _checks:
        yield from check()


def story_faults(story: Story | None) -> Iterator[str]:
    """The faults of one story's own facts, or (None) of all stories'."""
    yield from chain_faults(story)
    yield from fact_faults(story)
    yield from digest_faults(story)


def chain_faults(story: Story | None = None) -> Iterator[str]:
    """The first broken link of each story's chain."""
    entries = Entry.objects.select_related("story").order_by("story_id", "number")
    broken: set[int | None] = set()
    before: Entry | None = None
    for entry in (entries.filter(story=story) if story else entries).iterator():
        first = before is None or before.story_id != entry.story_id
        expected = (1, "0" * 64) if first or before is None else (before.number + 1, before.hash)
        if entry.story_id not in broken:
            fault = _link_fault(entry, *expected)
            if fault:
                broken.add(entry.story_id)
                whose = f"story {entry.story.uid}" if entry.story else "the newsroom"
                yield f"{whose}, link {entry.number}: {fault}"
        before = entry


def _link_fault(entry: Entry, number: int, previous: str) -> str:
    if entry.number != number:
        return f"link {number} is missing"
    if entry.previous != previous:
        return "it does not follow from the link before"
    return "" if entry.hash == entry_hash(entry) else "its content does not have its hash"


def fact_faults(story: Story | None = None) -> Iterator[str]:
    """Each fact that is not what the record says, or is missing, or was never recorded."""
    with connection.cursor() as cursor:
        for table, model in sources().items():
            cursor.execute(
                # Names of tables that the models give, never anything that was sent.
                f"""
                WITH newest AS (SELECT DISTINCT ON (fact) * FROM stories_entry
                                WHERE source = %s AND (%s::bigint IS NULL OR story_id = %s)
                                ORDER BY fact, number DESC)
                SELECT e.number, coalesce(e.fact, t.id),
                       CASE WHEN t.id IS NULL THEN 'is missing'
                            WHEN e.id IS NULL THEN 'is not in the record'
                            ELSE 'was changed' END
                FROM newest e
                FULL JOIN (SELECT * FROM {table} WHERE %s::bigint IS NULL OR {model.of_story} = %s) t
                    ON t.id = e.fact
                WHERE t.id IS NULL OR e.id IS NULL
                   OR EXISTS (SELECT 1 FROM jsonb_each(e.payload) p
                              WHERE to_jsonb(t) -> p.key IS DISTINCT FROM p.value)
                ORDER BY 2
                """,  # noqa: S608
                [table, *[story.pk if story else None] * 4],
            )
            for number, fact, fault in cursor.fetchall():
                where = f"link {number}: " if number else ""
                yield f"{where}{model._meta.verbose_name} {fact} {fault}"


def digest_faults(story: Story | None = None) -> Iterator[str]:
    """Each revision or text begun from whose words do not have the digest that the record holds."""
    revisions = Revision.objects.select_related("story").order_by("pk")
    for revision in (revisions.filter(story=story) if story else revisions).iterator():
        if _digest(revision) != revision.digest:
            yield f"story {revision.story.uid}: the words of revision {revision.number} were changed"
    texts = Intake.objects.select_related("story").order_by("pk")
    for text in (texts.filter(story=story) if story else texts).iterator():
        if digest_of(text.text) != text.digest:
            yield f"story {text.story.uid}: the text that it was started from was changed"


def _digest(revision: Revision) -> str:
    """The digest of a revision's words; empty where they have no shape that one could be made of."""
    try:
        return content_digest(revision.content)
    except (TypeError, KeyError, AttributeError):
        return ""


def line(entry: Entry) -> dict[str, Any]:
    """What the record shows of an entry."""
    return {
        "entry": entry,
        "moment": office(entry.at),
        "words": words(entry),
        "link": short(entry.hash),
    }


def lines(story: Story | None) -> models.QuerySet[Entry]:
    """The entries of a story, or (None) of the newsroom as a whole, newest first, with who did them."""
    return Entry.objects.filter(story=story).select_related("by").order_by("-number")


def short(digest: str) -> str:
    """The first eight digits in two groups."""
    return f"{digest[:4]} {digest[4:8]}"
