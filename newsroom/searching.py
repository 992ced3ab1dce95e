"""The search: full text over what is public, in the order of how well it fits.

Each query asks the one predicate, so that nothing is found before its moment or after its withdrawal, though
its words are indexed from arming on.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from typing import Any

from django.contrib.postgres.search import SearchHeadline, SearchQuery, SearchRank
from django.db import connection, transaction
from django.db.models import Count, Exists, F, Func, OuterRef, QuerySet, TextField, Value, Window
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Concat, Left
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from .gathering import day_begins, tagged
from .listing import WORDS, Listed, of_row
from .models import Release, TagKind, Word
from .places import ORDER

PAGE_SIZE = 20
#: Of what fits, the newest so many are put in order. More nobody turns pages for, and each costs a look.
MOST = 1000
#: How alike two words have to be, by their triples of letters, for one to be taken for the other.
LIKENESS = 0.25
#: And how much of them has to be the same, letter by letter.
CLOSE = 0.7
#: Of how many like words it is asked at once whether they are public.
AT_A_LOOK = 10
#: How many words of a question are held against those of headlines.
WORDS_MENDED = 6
#: How much of a story an extract is looked for in: reading all of a long one takes long.
READ = 20_000
# Round what was found, in texts that are rid of them: no such sign stands in a text for any other reason.
_START, _STOP = "\x02", "\x03"
_A_WORD = re.compile(r"[^\W_]{3,40}")


@dataclass(frozen=True)
class Question:
    """What is looked for. Whatever is empty does not narrow it."""

    words: str = ""
    kind: str = ""
    topic: str = ""
    organisation: str = ""
    #: Days by the press office's clocks, both of them included.
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Found:
    """A story that was found, with what was looked for marked in its headline and in an extract."""

    story: Listed
    headline: SafeString
    extract: SafeString


@dataclass(frozen=True)
class Finding:
    """A page of what was found, and of how many it is."""

    stories: list[Found]
    total: int

    @property
    def is_cut(self) -> bool:
        """Whether there may be more than are counted."""
        return self.total >= MOST


def narrowed(question: Question) -> QuerySet[Release]:
    """The public releases of the type, the topic, the organisation and the days that are asked for."""
    releases = Release.objects.public()
    asked = {
        TagKind.TYPE: question.kind,
        TagKind.TOPIC: question.topic,
        TagKind.ORGANISATION: question.organisation,
    }
    for kind, slug in asked.items():
        if slug:
            releases = releases.filter(tagged(kind, slug))
    if question.since:
        releases = releases.filter(visibility__first_from__gte=day_begins(question.since))
    if question.until:
        releases = releases.filter(visibility__first_from__lt=day_begins(question.until, 1))
    return releases


def find(question: Question, start: int, stop: int) -> Finding:
    """The public stories that fit, from place `start` to before place `stop`: those first that fit best."""
    query = SearchQuery(question.words, config="english", search_type="websearch")
    fitting = narrowed(question).filter(indexed__words=query).order_by(*ORDER)
    ranked = (
        Release.objects.filter(pk__in=fitting.values("pk")[:MOST])
        .annotate(rank=SearchRank(F("indexed__words"), query), total=Window(Count("pk")))
        .order_by("-rank", *ORDER)
        .values_list("pk", "total")[start:stop]
    )
    places = {pk: (place, total) for place, (pk, total) in enumerate(ranked)}
    if not places:
        return Finding([], 0)
    rows = _words_of(places, query)
    rows.sort(key=lambda row: places[row["pk"]][0])
    total = next(iter(places.values()))[1]
    return Finding([_found(row) for row in rows], total)


def _words_of(releases: Iterable[int], query: SearchQuery) -> list[dict[str, Any]]:
    """The words of releases with marks round what was looked for."""
    body = Func(F("revision__content"), function="body_words", output_field=TextField())
    summary = KeyTextTransform("summary", "revision__content")
    text = Left(Concat(summary, Value(" "), body, output_field=TextField()), READ)
    marks: dict[str, Any] = {"config": "english", "start_sel": _START, "stop_sel": _STOP}
    extract = SearchHeadline(_plain(text), query, max_words=36, min_words=18, max_fragments=2, **marks)
    headline = KeyTextTransform("headline", "revision__content")
    # Asked once more: one may have been withdrawn since it was found.
    rows: Iterable[Any] = (
        Release.objects.public()
        .filter(pk__in=releases)
        .values(
            "pk",
            "zone",
            **WORDS,
            marked_headline=SearchHeadline(_plain(headline), query, highlight_all=True, **marks),
            extract=extract,
        )
    )
    return list(rows)


def _plain(text: Any) -> Func:
    """A text without the signs that the marks are made of."""
    return Func(text, Value(_START + _STOP), Value(""), function="translate", output_field=TextField())


def _found(row: dict[str, Any]) -> Found:
    extract, headline = row.pop("extract"), row.pop("marked_headline")
    return Found(of_row(row), marked(headline), marked(extract.replace(" ... ", " … ")))


def marked(text: str) -> SafeString:
    """A text for a page, with its marks as elements and everything else as the signs that it is made of."""
    safe = escape(text).replace(_START, "<mark>").replace(_STOP, "</mark>")
    return mark_safe(safe)  # noqa: S308 - escaped in the line above


def unmarked(story: Listed) -> tuple[SafeString, SafeString]:
    """The headline and the summary of a story for which no words were looked for."""
    return marked(story.headline), marked(story.summary)


def meant(question: Question) -> str:
    """The words as they may have been meant: with each that no public headline has replaced by its likest.

    Empty where nothing is alike, or nothing would be found by it either.
    """
    given = list(dict.fromkeys(word.lower() for word in _A_WORD.findall(question.words)))[:WORDS_MENDED]
    known = set(_public_words(given))
    likest = {word: _likest(word) for word in given if word not in known}
    if not any(likest.values()):
        return ""
    mended = _A_WORD.sub(lambda word: likest.get(word[0].lower()) or word[0], question.words)
    query = SearchQuery(mended, config="english", search_type="websearch")
    return mended if narrowed(question).filter(indexed__words=query).exists() else ""


def _public_words(words: Iterable[str]) -> list[str]:
    """Those of `words` that stand in a public headline."""
    showing = Release.objects.public().filter(indexed__vocabulary__contains=[OuterRef("word")])
    rows = Word.objects.filter(Exists(showing), word__in=list(words))
    return list(rows.values_list("word", flat=True).distinct())


def _likest(given: str) -> str:
    """The word of a public headline that is most like `given`; empty where none is."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pg_trgm.similarity_threshold', %s, true)", [str(LIKENESS)])
        alike = list(
            Word.objects.filter(word__trigram_similar=given).values_list("word", flat=True).distinct()
        )
    close = {word: SequenceMatcher(None, given, word).ratio() for word in alike}
    alike = sorted((word for word in alike if close[word] >= CLOSE), key=lambda word: (-close[word], word))
    # Mostly the first look is enough. What is not public takes no place from what is, and changes no answer.
    for first in range(0, len(alike), AT_A_LOOK):
        some = alike[first : first + AT_A_LOOK]
        public = set(_public_words(some))
        if found := next((word for word in some if word in public), ""):
            return found
    return ""
