"""How the record tells of changed desks, routes and deputies."""

from datetime import datetime

from stories.arranging import Change, Told, told_by
from stories.clocks import office

from . import asking, coverage
from .models import Condition

DESK = {
    "name": "name",
    "organisation": "clears for",
    "reminders": "reminders, in minutes before a deadline",
    "escalates_to": "told when it is late",
    "escalates_after": "after how many minutes",
}
ROUTE = {"name": "name", "default": "the default"}
STEP = {
    "route": "route",
    "desk": "desk",
    "stage": "stage",
    "covers": "covers",
    "whom": "whose quotes",
    "condition": "asked when",
    "value": "for which",
    "quorum": "how many sign (0 is all)",
    "before": "deadline before the embargo",
}


def desk(change: Change) -> Told:
    """A desk was made, changed or removed."""
    what = change.chosen("made", "changed", "removed")
    return f"Desk {change.name('desk')} {what}", change.of(DESK) if change.happened == "changed" else ""


def member(change: Change) -> Told:
    """Somebody was put on a desk, or taken off it."""
    person, desk = change.name("person"), change.name("desk")
    made, removed = f"{person} put on the desk {desk}", f"{person} taken off the desk {desk}"
    return change.chosen(made, f"{made} instead of another", removed), ""


def private_office(change: Change) -> Told:
    """A desk became the private office of somebody, or is it no more."""
    title = f"Private office of {change.name('name')} {change.chosen('made', 'changed', 'removed')}"
    if change.happened == "changed":
        return title, change.of({"name": "whose", "match": "known by", "desk": "desk"})
    how = "role" if change.about["match"] == "role" else "name"
    return title, f"Desk {change.name('desk')}, for the speaker’s {how}."


def route(change: Change) -> Told:
    """A route was made, changed or removed."""
    name = change.name("route")
    if change.happened == "changed":
        if set(change.after) == {"default"}:
            return f"Route {name} made the default" if change.after[
                "default"
            ] else f"Route {name} not the default any more", ""
        return f"Route {name} changed", change.of(ROUTE)
    what = change.chosen("made", "", "removed")
    return f"Route {name} {what}", "The default." if change.after.get("default") else ""


def step(change: Change) -> Told:
    """A desk is asked by a route, is asked something else, or is asked no more."""
    asked = f"{change.about.get('desk') or 'each private office'}, {_covers(change)}"
    if change.happened == "changed":
        return f"Step of the route {change.name('route')} changed: {asked}", change.of(STEP)
    what = change.chosen("added to", "", "taken out of")
    row = change.before if change.happened == "removed" else change.after
    terms = [
        f"stage {row['stage']}",
        _when(row["condition"], row["value"]),
        asking.quorum_words(row["quorum"]),
    ]
    detail = ", ".join(filter(None, terms))
    return f"Step {what} the route {change.name('route')}: {asked}", detail[:1].upper() + detail[1:]


def _covers(change: Change) -> str:
    whom = str(change.about.get("whom") or "")
    if change.about.get("covers") in asking.NAMED and not whom:
        return "their own quotes"
    return coverage.in_words(change.name("covers"), whom)


def _when(condition: str, value: str) -> str:
    if condition == Condition.PARTNER and not value:
        return f"when {Condition.PARTNER.label}"
    return coverage.when_in_words(condition, value)


def deputy(change: Change) -> Told:
    """Somebody was appointed to stand in for somebody, or the time was cut short."""
    who = f"{change.name('deputy')} for {change.name('person')}"
    if change.happened == "changed":
        return f"Deputyship ended early: {who}", f"At {_moment(change.after['until'])}."
    if change.happened == "removed":
        return f"Deputyship removed: {who}", ""
    where = f"On the desk {change.name('desk')}" if change.about.get("desk") else "On all their desks"
    return f"Deputy appointed: {who}", f"{where}, until {_moment(change.after['until'])}."


def _moment(text: str) -> str:
    return office(datetime.fromisoformat(text)).public


def register() -> None:
    """Let the record tell of what this room owns."""
    told_by("approvals_desk", desk)
    told_by("approvals_desk_members", member)
    told_by("approvals_privateoffice", private_office)
    told_by("approvals_route", route)
    told_by("approvals_step", step)
    told_by("approvals_deputyship", deputy)
