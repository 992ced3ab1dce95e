"""Triggers that cannot be switched off by the role the application runs as.

django-pgtrigger's own template lets any session skip a trigger by setting `pgtrigger.ignore`; ours
does not. The functions run with the owner's rights, so that a trigger can write what the application
may only read (the record, the read models), and with the session's zone fixed, so that a fact reads
the same in the chain wherever it was inserted from.
"""

from collections.abc import Sequence
from typing import Any

import pgtrigger
from django.db import models
from pgtrigger import compiler


class GuardSql(compiler.UpsertTriggerSql):
    """SQL that installs a guard. Migrations refer to it: a changed template needs a new class."""

    def get_template(self) -> str:
        return """
            CREATE OR REPLACE FUNCTION {pgid}()
            RETURNS TRIGGER
            LANGUAGE plpgsql SECURITY DEFINER
            SET search_path = public, pg_temp
            SET timezone = 'UTC'
            AS $guard$
                {declare}
                BEGIN
                    {func}
                END;
            $guard$;
            -- Whoever may execute it could hang it on a table of their own and feed it rows.
            REVOKE EXECUTE ON FUNCTION {pgid}() FROM PUBLIC;

            DROP TRIGGER IF EXISTS {pgid} ON {table};
            CREATE {constraint} TRIGGER {pgid}
                {when} {operation} ON {table}
                {timing}
                {referencing}
                FOR EACH {level} {condition}
                EXECUTE PROCEDURE {execute};

            COMMENT ON TRIGGER {pgid} ON {table} IS '{hash}';
        """


class Guard(pgtrigger.Trigger):
    """A trigger whose function has no way round it."""

    def compile(self, model: models.Model) -> compiler.Trigger:
        compiled = super().compile(model)
        kwargs: dict[str, Any] = {k: v for k, v in compiled.sql.kwargs.items() if k != "ignore_func_name"}
        return compiler.Trigger(name=self.name, sql=GuardSql(**kwargs))


#: How the guard of a fact begins. The id is drawn only now that the story is locked: of two facts that
#: come at once the later one has the higher id, and nobody can choose an id that stays the newest for ever.
STAMP = """
PERFORM lock_story(NEW.story_id);
NEW.id := nextval(pg_get_serial_sequence(TG_TABLE_NAME::text, 'id'));
NEW.at := facts_now();
"""


#: The same for a fact about the newsroom as a whole.
NEWSROOM_STAMP = STAMP.replace("lock_story(NEW.story_id)", "lock_newsroom()")


def check(name: str, func: str, declare: list[tuple[str, str]] | None = None) -> Guard:
    """A guard that looks at each new row before it is inserted; `func` raises or returns NEW."""
    return Guard(
        name=name, when=pgtrigger.Before, operation=pgtrigger.Insert, func=func, declare=declare or []
    )


def after(name: str, func: str, operation: pgtrigger.Operation = pgtrigger.Insert) -> Guard:
    """A guard that writes what follows from a new row, in the same transaction."""
    return Guard(name=name, when=pgtrigger.After, operation=operation, func=func + " RETURN NULL;")


def stamped(also: str = "") -> Guard:
    """Gives each new fact its id and the instant by the database's clock, once its story is locked."""
    return check("stamped", f"{STAMP}{also}RETURN NEW;")


def append_only() -> Guard:
    """Refuses every change of a row that is there, whoever asks.

    The grants already keep the application's role from trying; this also stops the owner.
    """
    return Guard(
        name="append_only",
        when=pgtrigger.Before,
        operation=pgtrigger.Update | pgtrigger.Delete,
        func="RAISE EXCEPTION 'A fact is never changed or deleted (% on %).', TG_OP, TG_TABLE_NAME "
        "USING ERRCODE = 'restrict_violation', HINT = 'append_only';",
    )


def recorded_of(story: str) -> Guard:
    """Chains each row that a trigger wrote into the record of the story whose id the SQL `story` gives."""
    return after(
        "recorded",
        f"PERFORM record_append(({story}), TG_TABLE_NAME::text, NEW.id, NULL, facts_now(), to_jsonb(NEW));",
    )


def recorded(*without: str) -> Guard:
    """Chains each new row into the record of its story, leaving out the columns named."""
    left_out = "".join(f" - '{column}'" for column in without)
    return after(
        "recorded",
        "PERFORM record_append(NEW.story_id, TG_TABLE_NAME::text, NEW.id, NEW.by_id, NEW.at, "
        f"to_jsonb(NEW){left_out});",
    )


def fact(func: str, then: str = "", *, before: str = "") -> list[Guard]:
    """The guards of a fact about a story: what it has to be, what follows, that it stays and is recorded.

    `func` looks at the new row once it has its id and its instant, and raises or returns NEW; `then` writes
    what follows, in the same transaction. `before` takes the locks that come before that of the story.
    """
    return _fact(before + STAMP + func, then, recorded())


def newsroom_fact(func: str, then: str = "") -> list[Guard]:
    """The same for a fact about the newsroom as a whole, which is a link of its own record."""
    append = "PERFORM record_append(NULL, TG_TABLE_NAME::text, NEW.id, NEW.by_id, NEW.at, to_jsonb(NEW));"
    return _fact(NEWSROOM_STAMP + func, then, after("recorded", append))


def _fact(func: str, then: str, chained: Guard) -> list[Guard]:
    follows = [after("refresh", then)] if then else []
    return [check("allowed", func), *follows, append_only(), chained]


def arranged(*, of: Sequence[str] = (), without: Sequence[str] = ()) -> list[Guard]:
    """The guards of rows that say who may do what: each row made, changed or removed is an `Arrangement`.

    A change of the columns `without` alone is none; `of` names those that count, where others change often.
    """
    update = pgtrigger.UpdateOf(*of) if of else pgtrigger.Update  # type: ignore[no-untyped-call]
    operation = pgtrigger.Insert | update | pgtrigger.Delete
    left_out = ", ".join(f"'{column}'" for column in without)
    return [
        # Before any row is locked: else two who change the same rows could wait for each other for ever.
        Guard(
            name="in_turn",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=operation,
            func="PERFORM lock_newsroom(); RETURN NULL;",
        ),
        after(
            "arranged",
            "PERFORM arranged(TG_TABLE_NAME::text, to_jsonb(OLD), to_jsonb(NEW), "
            f"ARRAY[{left_out}]::text[]);",
            operation,
        ),
    ]
