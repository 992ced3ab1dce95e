"""A story's record, told to the naive model fact by fact: each has to be one that it would have taken."""

from datetime import timedelta
from typing import Any

from approvals.models import Decision as DecisionRow
from approvals.models import Submission
from newsroom.models import Disarm, Hold, HoldAll, HoldAllLift, HoldLift, Move, Release, Withdrawal
from stories.models import Entry
from stories.models import Revision as RevisionRow

from . import model as told
from .model import Decision, Model, Revision, Story

#: What lies between the instant of a decision and that of the disarming which it brings, at most.
MOMENT = timedelta(seconds=1)


def replay(model: Model, story_id: int) -> Story:
    """The story as the model has it after all that is on its record, in the order in which it happened.

    Raises:
        AssertionError: a fact is there that the model would have refused, or one is missing.
    """
    story = Story(model, story_id)
    model.stops.clear()
    kinds = (RevisionRow, Submission, DecisionRow, Release, Move, Disarm, Hold, HoldLift, Withdrawal)
    rows: dict[str, dict[int, Any]] = {
        kind._meta.db_table: {row.pk: row for row in kind._default_manager.filter(story=story_id)}
        for kind in kinds
    }
    of_all = {
        kind._meta.db_table: {row.pk: row for row in kind._default_manager.all()}
        for kind in (HoldAll, HoldAllLift)
    }
    entries = [*Entry.objects.filter(story=story_id), *Entry.objects.filter(source__in=of_all)]
    # A disarming that a decision brought is written down before it.
    for entry in sorted(entries, key=lambda one: (one.at, one.number)):
        row = {**rows, **of_all}.get(entry.source, {}).get(entry.fact)
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
            number, asked = place_of(story, row.revision_id), (row.kind, row.note)
            why = story.may_arm(number, row.embargo, row.at, *asked)
            assert not why, f"armed, and the model has {why}"
            assert not story.unread(number), "words went out that nobody but their writer signed"
            public = story.public(row.at)
            assert row.follows_id == (public and public.release.id), "it is to take the place of another"
            story.arm(row.pk, row.embargo, row.at, *asked)
            signed = frozenset(row.signoffs.values_list("decision", flat=True))
            assert signed == story.releases()[-1].signed, "it was armed on other sign-offs"
        case Move():
            course = story.course(row.at)
            assert course.moment
            assert not story.may_move((row.release_id, course.moment), row.embargo, row.at)
            story.events.append(told.Move(row.embargo, row.at))
        case Disarm():
            armed = story.armed(row.at)
            assert armed
            assert armed.id == row.release_id
            story.events.append(told.Disarm(row.at))
        case Hold():
            assert not story.may_hold(row.at)
            story.events.append(told.Hold(row.pk, row.at))
        case HoldLift():
            hold = story.course(row.at).hold
            assert hold
            assert hold.id == row.hold_id
            story.events.append(told.Lift(row.at))
        case Withdrawal():
            assert not story.may_withdraw(None, row.kill, row.at)
            course = story.course(row.at)
            public_id = course.public.release.id if course.public else course.withdrawals[-1].release
            assert row.release_id == public_id, "another release was taken back than what was public"
            story.events.append(told.Withdrawal(public_id, row.kill, row.reason, row.at))
        case HoldAll():
            assert story.model.held() is None
            story.model.stops.append(told.HoldAll(row.pk, row.at))
        case HoldAllLift():
            held = story.model.held()
            assert held
            assert held.id == row.hold_id
            story.model.stops.append(told.LiftAll(row.at))


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
    armed = story.armed(row.at)
    story.decide(Decision(row.pk, identity, words, row.verdict, row.by_id, row.on_behalf_id, number))
    if row.verdict != "cleared" and armed and not Disarm.objects.filter(release=armed.id).exists():
        # It came out at that very instant.
        assert story.public(row.at + MOMENT), "a decision against the words left the release armed"
        assert row.verdict != "taken_back" or row.takes_back_id not in armed.signed
