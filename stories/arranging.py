"""Who changes the arrangements of the newsroom (accounts, roles, desks, routes), and how that is told.

The database writes each change into the record itself; what it cannot know is who is at work, because the
application has one role. So the verbs and the admin say it, for as long as their transaction lasts.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction


@contextmanager
def acting(by: Any) -> Iterator[None]:
    """One transaction, in which the record names the user `by` for each arrangement that is changed.

    Those transactions go one after the other. They begin to wait here, before they have locked anything that
    another one needs.
    """
    nested = connection.in_atomic_block
    with transaction.atomic():
        before = _named(str(by.pk))
        yield
        # The setting ends with the transaction; inside another one, that one's goes on.
        if nested:
            _named(before)


def _named(by: str) -> str:
    """Name somebody for the rest of the transaction. Who was named until now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT acting(%s)", [by])
        return str(cursor.fetchone()[0])


@dataclass(frozen=True)
class Change:
    """A row that was found, made, changed or removed: what it is about, and what changed in it."""

    happened: str
    about: Mapping[str, Any]
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    def name(self, key: str) -> str:
        """Whom or what it names, as it was called then."""
        return str(self.about.get(key) or "somebody or something that was gone already")

    def of(self, labels: Mapping[str, str]) -> str:
        """What became of each column in `labels`, in words: "name: Law → Legal"."""
        told = (
            f"{label}: {_value(self.before.get(key))} → {_value(self.after.get(key))}"
            for key, label in labels.items()
            if key in self.before or key in self.after
        )
        return "; ".join(told)

    @property
    def renamed(self) -> str:
        """What became of its name, where that changed."""
        return self.of({"name": "name"}) if self.happened == "changed" else ""

    def chosen(self, made: str, changed: str, removed: str) -> str:
        """The words for what happened; what was found is told as what it is."""
        return {"changed": changed, "removed": removed}.get(self.happened, made)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value in (None, "") else str(value)


#: A title, and a sentence more.
Told = tuple[str, str]
_tellers: dict[str, Callable[[Change], Told]] = {}


def told_by(table: str, teller: Callable[[Change], Told]) -> None:
    """Register how a room tells of the rows of one of its tables."""
    _tellers[table] = teller


def tell(
    table: str, happened: str, about: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> Told:
    """The title and the sentence more for a change of a row of `table`."""
    return _tellers[table](Change(happened, about, before, after))


# What the record tells of each row, held against the row. A password is not there to be compared.
_FAULTS = """
WITH told AS (SELECT row_id, (array_agg(happened ORDER BY id DESC))[1] = 'removed' AS gone
              FROM stories_arrangement WHERE table_name = %s GROUP BY row_id),
newest AS (SELECT a.row_id, jsonb_object_agg(e.key, e.value ORDER BY a.id) - 'password' AS was
           FROM stories_arrangement a CROSS JOIN LATERAL jsonb_each(a.after) e
           WHERE a.table_name = %s GROUP BY a.row_id)
SELECT coalesce(t.id, o.row_id), CASE WHEN t.id IS NULL THEN 'is missing'
                                      WHEN o.row_id IS NULL OR o.gone THEN 'is not in the record'
                                      ELSE 'was changed past the record' END
FROM told o LEFT JOIN newest n ON n.row_id = o.row_id FULL JOIN {table} t ON t.id = o.row_id
WHERE (t.id IS NULL AND NOT o.gone) OR (t.id IS NOT NULL AND (o.row_id IS NULL OR o.gone))
   OR EXISTS (SELECT 1 FROM jsonb_each(to_jsonb(t)) c
              WHERE n.was ? c.key AND n.was -> c.key IS DISTINCT FROM c.value)
ORDER BY 1
"""


def faults() -> Iterator[str]:
    """Each row that is not what the record of its changes says: somebody had switched its guards off."""
    with connection.cursor() as cursor:
        for table in _tellers:
            # Names of tables that the rooms give, never anything that was sent.
            cursor.execute(_FAULTS.replace("{table}", table), [table, table])
            for row, fault in cursor.fetchall():
                yield f"{table} {row} {fault}"


ACCOUNT = {
    "username": "user name",
    "first_name": "first name",
    "last_name": "last name",
    "email": "mail address",
    "is_active": "can sign in",
    "is_staff": "may open the admin",
    "is_superuser": "administrator",
}


def account(change: Change) -> Told:
    """An account was made, changed or removed."""
    person = change.name("person")
    if change.happened == "removed":
        return f"Account of {person} removed", ""
    if change.happened != "changed":
        return f"Account of {person} made", "An administrator." if change.after["is_superuser"] else ""
    if set(change.after) == {"password"}:
        return f"Password of {person} changed", ""
    if set(change.after) == {"is_superuser"}:
        what = "given to" if change.after["is_superuser"] else "taken from"
        return f"Rights of an administrator {what} {person}", ""
    if set(change.after) == {"is_active"}:
        return f"Account of {person} switched {'on' if change.after['is_active'] else 'off'}", ""
    also = " and password" if "password" in change.after else ""
    return f"Account{also} of {person} changed", change.of(ACCOUNT)


def role_of(change: Change) -> Told:
    """Somebody was given a role, or it was taken from them."""
    role, person = change.name("role"), change.name("person")
    made, removed = f"Role {role} given to {person}", f"Role {role} taken from {person}"
    return change.chosen(made, f"{made} instead of another", removed), ""


def role(change: Change) -> Told:
    """A role was made, renamed or removed."""
    what = change.chosen("made", "renamed", "removed")
    return f"Role {change.name('role')} {what}", change.renamed


told_by("stories_user", account)
told_by("stories_user_groups", role_of)
told_by("auth_group", role)
