"""A story's record, told to the naive model fact by fact: each has to be one that it would have taken."""

from datetime import timedelta
from typing import Any

from approvals.models import Decision as DecisionRow
from approvals.models import Submission
from newsroom.models import Disarm, Hold, HoldLift, Release
from stories.models import Entry
from stories.models import Revision as RevisionRow

from .model import Decision, Model, Revision, Story

#: What lies between the instant of a decision and that of the disarming which it brings, at most.
MOMENT = timedelta(seconds=1)


def replay(model: Model, story_id: int) -> Story:
    """The story as the model has it after all that is on its record, in the order in which it happened.

    Raises:
        AssertionError: a fact is there that the model would have refused, or one is missing.
    """
    story = Story(model, story_id)
    rows = {
        kind._meta.db_table: {row.pk: row for row in kind._default_manager.filter(story=story_id)}
        for kind in (RevisionRow, Submission, DecisionRow, Release, Disarm, Hold, HoldLift)
    }
    # A disarming that a decision brought is written down before it.
    for entry in sorted(Entry.objects.filter(story=story_id), key=lambda one: (one.at, one.number)):
        row = rows.get(entry.source, {}).get(entry.fact)
        if row is not None:
            take(story, row)
    return story


def take(story: Story, row: Any) -> None:
    """One fact."""
    match row:
        case RevisionRow():
            newest = story.revisions[-1].id if story.revisions else None
            assert row.based_on_id == newest, "words were saved over newer ones"
            story.save(Revision(row.pk, row.by_id, row.content))
        case Submission():
            story.request(row.route_id)
        case DecisionRow():
            take_decision(story, row)
        case Release():
            number = place_of(story, row.revision_id)
            why = story.may_arm(number, row.embargo, row.at)
            assert not why, f"armed, and the model has {why}"
            assert not story.unread(number), "words went out that nobody but their writer signed"
            story.arm(row.pk, row.embargo, row.at)
            signed = frozenset(row.signoffs.values_list("decision", flat=True))
            assert signed == story.releases[-1].signed, "it was armed on other sign-offs"
        case Disarm():
            assert not story.may_disarm(row.at)
            assert story.armed
            assert story.armed.id == row.release_id
            story.disarmed.add(row.release_id)
        case Hold():
            assert not story.may_hold(row.at)
            story.hold = row.pk
        case HoldLift():
            assert story.hold == row.hold_id
            story.hold = None
            story.lifts.append(row.at)


def place_of(story: Story, revision_id: int) -> int:
    return next(place for place, one in enumerate(story.revisions) if one.id == revision_id)


def take_decision(story: Story, row: DecisionRow) -> None:
    number = place_of(story, row.revision_id)
    identity = (row.desk_id, row.covers, row.whom)
    step = next(step for step in story.steps if step.identity == identity)
    if row.verdict == "taken_back":
        back = next(one for one in story.decisions if one.id == row.takes_back_id)
        why, words = story.may_take_back(back, row.by_id, row.at), back.words
    else:
        words = story.words(step, number)
        why = story.may_decide(
            step, row.verdict, by=row.by_id, behalf=row.on_behalf_id, number=number, words=words, at=row.at
        )
    assert not why, f"{row.verdict} was taken, and the model has {why}"
    armed, visible_from = story.armed, story.visible_from
    story.decide(Decision(row.pk, identity, words, row.verdict, row.by_id, row.on_behalf_id, number))
    if row.verdict != "cleared" and armed and not Disarm.objects.filter(release=armed.id).exists():
        # It became public at that very instant, or was already.
        assert visible_from is not None
        assert visible_from < row.at + MOMENT, "a decision against the words left the release armed"
        assert row.verdict != "taken_back" or row.takes_back_id not in armed.signed
