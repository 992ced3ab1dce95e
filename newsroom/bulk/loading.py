"""Stores the invented newsroom as the owner of the tables, and has the database derive what guards would.

Everything happens in one transaction, in which the guards are switched off: nobody else ever sees the tables
without them, and whatever stops it on the way, a `kill -9` too, leaves them on and the newsroom empty.
"""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from django.apps import apps
from django.db import connections, models, transaction

from approvals.models import Decision, Desk, Route
from stories import record
from stories.models import Entry, Organisation, Revision, Story, Team, Topic

from .furnishing import Furnisher
from .lives import COLUMNS, LINKS, PACE, UNRECORDED, Historian, Rows
from .words import Writer

#: Stories at a time: few enough that what belongs together lies together, and many enough for one statement.
CHUNK = 500
#: What there must be none of. Accounts may be there, to administer the newsroom with.
EMPTY: tuple[type[models.Model], ...] = (Story, Desk, Route, Team, Organisation, Topic)
#: What the database writes after a fact, with the fact's table and the column that names it.
FOLLOWS = {
    "approvals_pinnedstep": ("approvals_submission", "submission_id"),
    "newsroom_releasesignoff": ("newsroom_release", "release_id"),
}
#: Tables whose rows need something that the database computes, and wait for it beside their place.
STAGED = {
    "stories_revision": "id bigint, at timestamptz, story_id bigint, by_id bigint, number integer, "
    "based_on_id bigint, content jsonb",
    "approvals_decision": "id bigint, at timestamptz, story_id bigint, by_id bigint, revision_id bigint, "
    "submission_id bigint, desk_id bigint, covers text, whom text, condition text, value text, "
    "stage integer, verdict text, reason text, takes_back_id bigint, waited interval",
}

# As the guard of `Revision` does.
REVISIONS = """
INSERT INTO stories_revision (id, at, story_id, by_id, number, based_on_id, content, parts, digest, origin)
SELECT id, at, story_id, by_id, number, based_on_id, content, parts, digest_of(parts), 'form'
FROM (SELECT *, content_parts(content) AS parts FROM staged_stories_revision OFFSET 0) computed
"""
# As the guard of `Submission` does.
STEPS = """
INSERT INTO approvals_pinnedstep (submission_id, desk_id, covers, whom, condition, value, stage, position,
                                  quorum, before, people)
SELECT b.id, desk_id, covers, whom, condition, value, stage, position,
       quorum, before, quorum_people(desk_id, quorum)
FROM approvals_submission b JOIN approvals_step t ON t.route_id = b.route_id
WHERE b.story_id BETWEEN %s AND %s ORDER BY b.id, stage, position, t.id
"""
PATTERNS = (
    "SELECT count(expand_steps(story_id)::text) FROM approvals_submission WHERE story_id BETWEEN %s AND %s"
)
# As the guard of `Decision` does. A step that has nothing to cover has no digest, which the column refuses.
DECISIONS = """
INSERT INTO approvals_decision (id, at, story_id, by_id, revision_id, step_id, desk_id, covers, whom, verdict,
                                covered, reason, takes_back_id, waited)
SELECT d.id, d.at, d.story_id, d.by_id, d.revision_id, s.id, s.desk_id, s.covers, s.whom, d.verdict,
       step_digest(r, s), d.reason, d.takes_back_id, d.waited
FROM staged_approvals_decision d JOIN stories_revision r ON r.id = d.revision_id
JOIN approvals_pinnedstep s ON (s.submission_id, s.desk_id, s.covers, s.whom, s.condition, s.value, s.stage)
    = (d.submission_id, d.desk_id, d.covers, d.whom, d.condition, d.value, d.stage)
ORDER BY d.id
"""
SEEN = """
INSERT INTO approvals_seen (person_id, story_id, revision_id, at)
SELECT by_id, story_id, revision_id, min(at) - interval '1 second' FROM approvals_decision
WHERE story_id BETWEEN %s AND %s GROUP BY 1, 2, 3
"""
STANDINGS = """
INSERT INTO approvals_standing (step_id, story_id, revision_id, desk_id, covered, decisions, state, barred,
                                is_open, due)
SELECT s.* FROM approvals_submission b CROSS JOIN LATERAL standings_of(b.story_id) s
WHERE b.story_id BETWEEN %s AND %s
"""
# As the guard of `Release` does. Nothing is armed but the newest revision, on which the steps stand.
SIGNOFFS = """
INSERT INTO newsroom_releasesignoff (release_id, decision_id)
SELECT DISTINCT n.id, unnest(s.decisions) FROM newsroom_release n
JOIN approvals_standing s ON s.revision_id = n.revision_id AND s.state = 'cleared'
WHERE n.story_id BETWEEN %s AND %s ORDER BY 1, 2
"""
VISIBILITY = """
INSERT INTO newsroom_visibility
SELECT v.* FROM (SELECT DISTINCT story_id FROM newsroom_release WHERE story_id BETWEEN %s AND %s) n
CROSS JOIN LATERAL visibility_of(n.story_id) v
"""
INDEX = """
SELECT index_releases(ARRAY(SELECT id FROM newsroom_release WHERE story_id BETWEEN %s AND %s))
"""
UNCLEARED = """
SELECT count(*) FROM newsroom_release n JOIN approvals_standing s ON s.story_id = n.story_id
WHERE s.revision_id <> n.revision_id OR s.state NOT IN ('none', 'cleared')
"""
# Accounts, desks and routes keep their guards: they are few, and their record is written by nothing else.
GUARDED = """
SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid
WHERE NOT tgisinternal AND pg_has_role(c.relowner, 'MEMBER') AND c.relname <> 'stories_arrangement'
  AND tgrelid NOT IN (SELECT tgrelid FROM pg_trigger WHERE tgname ~ 'arranged') ORDER BY 1
"""


class Refused(Exception):
    """The newsroom cannot be made here. The message says why."""


@dataclass(frozen=True)
class Wanted:
    """How large a newsroom, and which of all possible ones; revisions and decisions are means a story."""

    stories: int
    revisions: int = 5
    decisions: int = 5
    seed: int = 1
    password: str | None = None


def make(wanted: Wanted, using: str, tell: Callable[[int], None] = lambda stories: None) -> dict[str, int]:
    """Make it, over the connection `using` of the owner; `tell` is given the number of stories so far.

    Gives the number of rows of the largest tables.

    Raises:
        Refused: the newsroom is not empty, or the connection is not the owner's.
    """
    loader = Loader(using)
    with transaction.atomic(using=using):
        loader.refuse()
        with loader.unguarded():
            loader.load(wanted, tell)
    # Not in a transaction: what was stored is marked as visible to all, and the planner gets to know it.
    loader.execute(f"VACUUM (ANALYZE) {loader.tables}")
    return {
        str(model._meta.verbose_name_plural): model._default_manager.using(using).count()
        for model in (Story, Revision, Decision, Entry)
    }


class Loader:
    """Rows into tables, a few hundred stories at a time."""

    def __init__(self, using: str) -> None:
        self.using = using
        ours = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]
        self.tables = ", ".join(sorted(model._meta.db_table for model in ours))

    def execute(self, statement: str, *params: Any) -> int:
        """Run a statement; the number of its rows."""
        with connections[self.using].cursor() as cursor:
            cursor.execute(statement, params or None)
            return int(cursor.rowcount)

    def ask(self, statement: str, *params: Any) -> list[Any]:
        """The first column of what a statement gives."""
        with connections[self.using].cursor() as cursor:
            cursor.execute(statement, params or None)
            return [row[0] for row in cursor.fetchall()]

    def refuse(self) -> None:
        """Raises `Refused` where something is there already, or where nothing may be done."""
        for model in EMPTY:
            if count := model._default_manager.using(self.using).count():
                what = model._meta.verbose_name if count == 1 else model._meta.verbose_name_plural
                raise Refused(f"This newsroom is not empty: it has {count} {what}. Nothing was changed.")
        if self.ask(
            "SELECT NOT pg_has_role(relowner, 'MEMBER') FROM pg_class WHERE relname = 'stories_story'"
        )[0]:
            raise Refused("Only the database's owner can do that: set DATABASE_OWNER_URL for this command.")

    @contextmanager
    def unguarded(self) -> Iterator[None]:
        """The tables without their guards; foreign keys and constraints are checked all the same.

        Where the block fails, the end of the transaction brings the guards back.
        """
        # A table with checks that are put off could not be altered.
        self.execute("SET CONSTRAINTS ALL IMMEDIATE")
        guarded = self.ask(GUARDED)
        for table in guarded:
            self.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        for table in guarded:
            self.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        self.execute("SET CONSTRAINTS ALL DEFERRED")

    def load(self, wanted: Wanted, tell: Callable[[int], None]) -> None:
        """Everything, chunk by chunk: while the database stores one, the next is invented."""
        # As a guard's function has it, so that a fact reads the same in the record.
        self.execute("SET LOCAL timezone = 'UTC'")
        # Compiling and planning the statements in functions anew each time would cost more than it saves.
        self.execute("SET LOCAL jit = off")
        self.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        self.execute("SET LOCAL work_mem = '64MB'")
        for table, columns in STAGED.items():
            self.execute(f"CREATE TEMPORARY TABLE staged_{table} ({columns}) ON COMMIT DROP")
        self.execute(
            "CREATE TEMPORARY TABLE staged_link (story_id bigint, number integer, source text, fact bigint)"
            " ON COMMIT DROP"
        )
        next_analysis = 1
        for number, (first, last, rows) in enumerate(self._chunks(wanted), start=1):
            self._store(first, last, rows)
            tell(last)
            # Knowing nothing of the tables, the database would go on as if they were empty.
            if number == next_analysis:
                self.execute(f"ANALYZE {self.tables}")
                next_analysis *= 4
        if self.ask(UNCLEARED)[0]:
            raise AssertionError("A story was released without its sign-offs.")
        for table in COLUMNS.keys() - {UNRECORDED}:
            sequence = f"pg_get_serial_sequence('{table}', 'id')"
            self.execute(f"SELECT setval({sequence}, max(id)) FROM {table} HAVING max(id) > 0")  # noqa: S608

    def _chunks(self, wanted: Wanted) -> Iterator[tuple[int, int, Rows]]:
        """The rows of the stories from one number to another, invented one chunk ahead."""
        random = Random(wanted.seed)  # noqa: S311 - nothing here is a secret
        now = self.ask("SELECT now()")[0]
        writer = Writer(random)
        begun = now - PACE * (wanted.stories + 40)
        self.execute("SELECT set_config('newsroom.at', %s, true)", begun.isoformat())
        house = Furnisher(self.using, random, begun, wanted.password).furnish(writer.speakers)
        self.execute("SELECT set_config('newsroom.at', '', true)")
        historian = Historian(
            house,
            writer,
            random,
            now,
            total=wanted.stories,
            revisions=wanted.revisions,
            decisions=wanted.decisions,
        )
        spans = [
            (first, min(first + CHUNK - 1, wanted.stories)) for first in range(1, wanted.stories + 1, CHUNK)
        ]
        with ThreadPoolExecutor(1) as pool:
            ahead = pool.submit(historian.tell, *spans[0])
            for place, (first, last) in enumerate(spans):
                rows = ahead.result()
                if place + 1 < len(spans):
                    ahead = pool.submit(historian.tell, *spans[place + 1])
                yield first, last, rows

    def _store(self, first: int, last: int, rows: Rows) -> None:
        """Store a chunk and have the database derive the rest of it."""
        for table, columns in COLUMNS.items():
            if table in STAGED:
                self._copy(f"staged_{table}", columns, rows.tables[table])
            if table == "stories_revision":
                self.execute(REVISIONS)
            elif table == "approvals_decision":
                self.execute(STEPS, first, last)
                self.execute(PATTERNS, first, last)
                if self.execute(DECISIONS) != len(rows.tables[table]):
                    raise AssertionError("A decision is about a step that was never asked.")
            else:
                self._copy(table, columns, rows.tables[table])
        for statement in (SEEN, STANDINGS, SIGNOFFS, VISIBILITY, INDEX):
            self.execute(statement, first, last)
        self._copy("staged_link", LINKS, rows.links)
        self.execute(self._chain)
        self.execute(f"TRUNCATE staged_link, {', '.join(f'staged_{table}' for table in STAGED)}")

    def _copy(self, table: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
        with (
            connections[self.using].cursor() as cursor,
            cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)

    @property
    def _chain(self) -> str:
        """The statement that writes the record of a chunk: the first link of each story, then the second."""
        facts = " UNION ALL ".join(
            [
                f"SELECT l.*, t.by_id, t.at, to_jsonb(t) AS payload FROM staged_link l "  # noqa: S608 - ours
                f"JOIN (SELECT {_kept(model)} FROM {table}) t ON t.id = l.fact WHERE l.source = '{table}'"
                for table, model in record.sources().items()
                if table in COLUMNS
            ]
            + [
                f"SELECT l.story_id, l.number, '{table}', t.id, NULL, f.at, to_jsonb(t) "  # noqa: S608 - ours
                f"FROM staged_link l JOIN {fact} f ON f.id = l.fact JOIN {table} t ON t.{key} = f.id "
                f"WHERE l.source = '{fact}'"
                for table, (fact, key) in FOLLOWS.items()
            ]
        )
        columns = self.ask(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'stories_entry'::regclass AND attnum > 0"
            " AND NOT attisdropped ORDER BY attnum"
        )

        def hashed(previous: str) -> str:
            given = {"id": "NULL", "previous": previous, "hash": "NULL"}
            row = ", ".join(given.get(name, f"f.{name}") for name in columns)
            return f"entry_hash(ROW({row})::stories_entry)"

        follow = ", ".join(f"'{table}'" for table in FOLLOWS)
        names = ", ".join(name for name in columns if name != "id")
        none = "repeat('0', 64)"
        return f"""
            WITH RECURSIVE link AS ({facts}),
            -- What follows from a fact comes after it.
            fact AS MATERIALIZED (SELECT story_id, source, fact, by_id, at, payload, row_number() OVER (
                PARTITION BY story_id ORDER BY number, source IN ({follow}), fact) AS number
                FROM link),
            chain AS (
                SELECT f.*, {none} AS previous, {hashed(none)} AS hash FROM fact f WHERE f.number = 1
                UNION ALL
                SELECT f.*, c.hash, {hashed("c.hash")} FROM chain c
                JOIN fact f ON f.story_id = c.story_id AND f.number = c.number + 1
            )
            INSERT INTO stories_entry ({names}) SELECT {names} FROM chain ORDER BY at, number
        """  # noqa: S608 - names of ours


def _kept(model: type[models.Model]) -> str:
    """The columns of a fact that the record keeps: all but those that its guard leaves out."""
    guard = next(trigger for trigger in model._meta.triggers if trigger.name == "recorded")  # type: ignore[attr-defined]
    left_out = set(re.findall(r"- '(\w+)'", guard.func))
    return ", ".join(field.column for field in model._meta.local_fields if field.column not in left_out)
