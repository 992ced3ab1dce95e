"""The six promises, held against a naive model after every step of whatever people may think of.

Several people write, sign, refuse, take back, arm, hold, correct, withdraw and let time pass at random, in
stories of their own, on the real PostgreSQL with all its guards and its own clock. `model` says what has to
be accepted and what refused, and what anybody may read; whatever differs fails, with all the moves that led
there.

`NEWSROOM_STEPS` says how many steps to take: see CONTRIBUTING.md.
"""

import os
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from time import sleep
from typing import Any, ClassVar

import pytest
from django.db import connection, transaction
from django.db.models import Q
from django.test import Client
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from lxml import etree

from approvals import clearing
from approvals.models import ALL, Deputyship, Desk, PinnedStep, Standing
from approvals.models import Decision as DecisionRow
from approvals.models import Step as RouteStep
from newsroom import releasing
from newsroom.models import Disarm, Kind, Release
from stories import drafting, record, remarks
from stories.clocks import database_now
from stories.models import Entry, Intake, User, WorkingCopy
from stories.models import Revision as RevisionRow
from stories.models import Story as StoryRow
from stories.moments import Moment

from . import model as told
from . import wording
from .model import Decision, Revision, Shown, Step, Story
from .model import Deputyship as Stands
from .world import FILES, World, build

STEPS = int(os.environ.get("NEWSROOM_STEPS", "1000"))
#: As many more as that, and at least so many in all, for what is rare to happen.
STEPS_FOR_WHAT_IS_RARE = 4000
STEPS_A_STORY = 50
NEVER = "/news/never-was-written/"
ATOM = "{http://www.w3.org/2005/Atom}"
INSTANT = timedelta(microseconds=1)
#: What is sent in the place of an instant: how far ahead it lies.
AHEAD = {"now": None, "soon": 0.03, "in a moment": 0.15, "later": 3600.0, "past": -1.0, "far": 4e8}
#: What has to have happened, or the machine has proved little. What is rarer has tests of its own.
SEEN = [
    "saved", "restored", "kept", "requested", "cleared", "clear: FourEyes", "clear: NotDeputy",
    "clear: Moved", "clear: NotAsked", "changes asked", "refused", "taken back",
    "take back: NotYours", "take back: NotStanding", "disarmed by a decision", "armed", "released now",
    "armed again", "arm: NotCleared", "arm: PastEmbargo", "held", "lifted", "disarmed", "announced",
    "not announced", "public", "public after a correction was tried", "corrected now", "correction armed",
    "correction armed again", "arm: NotPublic", "arm: NoteMissing", "arm: SameWords",
    "armed to come back", "a correction came out",
    "a correction disarmed by a decision", "a correction died with a withdrawal", "public again",
    "withdrawn", "withdraw: NotPublic", "moved",
    "a correction moved", "move: NotArmed", "move: Moved", "move: PastEmbargo", "move: FarEmbargo",
    "everything held", "everything lifted", "hold all: AlreadyHeld", "lift all: NotHeld",
    "a moment passed while everything was held", "elsewhere", "withdrawn page",
]  # fmt: skip

#: Where stories begin, and where others may move to.
STARTS = ("first", "second", "third", "fourth")
ADDRESSES = (*STARTS, "fifth", "sixth", "seventh")
#: All that people do, and what they do most often when they are about something.
DRAFTING = ["edit", "edit", "restore", "bring_back", "type_without_saving"]
CLEARING = ["decide"] * 4 + ["edit", "all_sign", "take_back"]
STANDING_IN = ["appoint", "decide", "decide", "decide", "take_back", "edit"]
RELEASING = [
    "rush",
    "all_sign",
    "arm",
    "arm",
    "let_time_pass",
    "hold",
    "lift",
    "take_back",
    "decide",
    "announce",
    "move",
]
AFTERWARDS = [
    "rush", "correct", "correct", "correct", "correct", "correct_nothing", "let_time_pass", "let_time_pass",
    "withdraw", "come_back", "move", "move", "arm", "hold", "lift", "disarm", "object", "announce",
]  # fmt: skip
STOPPING = [
    "miss_the_moment", "miss_the_moment", "lift_everything", "lift_everything", "lift_everything",
    "hold_everything", "correct", "correct", "move", "withdraw", "let_time_pass",
]  # fmt: skip
MOODS = {
    "after release": AFTERWARDS,
    "clearing": CLEARING,
    "drafting": DRAFTING + CLEARING,
    "releasing": RELEASING,
    "standing in": STANDING_IN,
    "stopping": STOPPING,
    "the whole": DRAFTING + CLEARING + RELEASING + AFTERWARDS,
}
MOVES = [
    "draft", "edit", "readdress", "restore", "bring_back", "save_over_newer_words",
    "type_without_saving", "plan", "request", "request", "readdress", "decide",
    "decide_on_a_step_of_before", "take_back", "all_sign", "join_or_leave", "go_or_come_back", "appoint",
    "end_deputyships", "change_a_route", "arm", "rush", "arm_the_same_again", "hold", "lift", "disarm",
    "announce", "let_time_pass", "correct", "correct_nothing", "withdraw", "come_back", "move", "object",
    "hold_everything", "miss_the_moment", "lift_everything", "lift_everything",
]  # fmt: skip

# Dice are thrown from it, so that all numbers come up alike.
Number = st.integers(0, 2**64)
REASONS: dict[type[Exception], str] = {
    clearing.FourEyes: "four_eyes",
    clearing.NotOnDesk: "not_on_desk",
    clearing.NotDeputy: "not_deputy",
    clearing.NotOpen: "not_open",
    clearing.RefusedByDesk: "refused",
    clearing.NotYours: "not_yours",
    clearing.NotStanding: "not_standing",
    clearing.AlreadyPublic: "public",
    releasing.AlreadyPublic: "public",
    releasing.NotCleared: "not_cleared",
    releasing.PastEmbargo: "past",
    releasing.FarEmbargo: "far",
    releasing.Unfit: "unfit",
    releasing.AddressTaken: "taken",
    releasing.Moved: "stale",
    releasing.AlreadyHeld: "held",
    releasing.NotArmed: "not_armed",
    releasing.NotHeld: "not_held",
    releasing.NotPublic: "not_public",
    releasing.NoteMissing: "no_note",
    releasing.SameWords: "same",
    releasing.Killed: "killed",
}
#: What each event of the model is on the record.
FACTS: dict[str, type] = {
    "newsroom_release": told.Release,
    "newsroom_move": told.Move,
    "newsroom_disarm": told.Disarm,
    "newsroom_hold": told.Hold,
    "newsroom_holdlift": told.Lift,
    "newsroom_withdrawal": told.Withdrawal,
    "newsroom_holdall": told.HoldAll,
    "newsroom_holdalllift": told.LiftAll,
}
REFUSED = (clearing.Refused, releasing.Refused, drafting.Refused)


def name_of(refusal: Exception) -> set[str]:
    """The model's names for what a refusal says."""
    if isinstance(refusal, clearing.Moved):
        return {"stale", "digest"}
    if isinstance(refusal, clearing.NotAsked):
        # Nothing to cover is no digest to name, too.
        return {"not_asked", "digest"}
    return {REASONS[type(refusal)]}


def pick(things: Any, number: int) -> Any:
    """One of them."""
    found = list(things)
    return found[number % len(found)]


class Newsroom(RuleBasedStateMachine):
    """Whatever people do, in any order."""

    world: ClassVar[World]
    happened: ClassVar[Counter[str]]

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.words = wording.Words()
        self.model = self.world.model()
        self.rows: dict[int, StoryRow] = {}
        self.pinned: dict[tuple[Any, ...], PinnedStep] = {}
        self.decided: dict[int, DecisionRow] = {}
        self.asked_by: dict[int, tuple[int, list[Step]]] = {}
        self.copies: dict[tuple[int, int], dict[str, Any]] = {}
        self.digests: dict[tuple[str, str], str] = {}
        self.chain: list[tuple[int, int, str]] = []
        self.addresses: set[str] = set()
        self.told: tuple[Any, ...] = ()
        self.browser = Client()
        self.turn = 0

    def teardown(self) -> None:
        try:
            with connection.cursor() as cursor:
                # What would be checked at the commit.
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        finally:
            transaction.set_rollback(True)
            self.undo.__exit__(None, None, None)

    def did(self, what: str) -> None:
        self.happened[what] += 1

    def user(self, pk: int) -> User:
        return self.world.by_id[pk]

    def anybody(self, number: int) -> User:
        """Somebody."""
        return pick(self.world.people, number)

    def writer(self, number: int) -> User:
        """Mostly one of three, or nobody is left to clear what they wrote."""
        return pick(self.world.people if number % 8 == 0 else self.world.people[:3], number // 8)

    def story(self, n: int) -> Story:
        """One of the stories; mostly one with which something can still be done."""
        now = database_now()
        public = self.mood == "after release" and n % 3 == 0
        here = [
            one
            for one in self.model.stories
            if bool(one.public(now)) == public and not one.course(now).killed
        ]
        return pick(here if here and n % 4 else self.model.stories, n // 4)

    def among(self, n: int, wanted: Callable[[told.Course], Any]) -> Story:
        """Mostly a story of which this is so now, if there is one."""
        now = database_now()
        here = [story for story in self.model.stories if wanted(story.course(now))]
        return pick(here if here and n % 6 else self.model.stories, n // 6)

    def waiting(self, n: int) -> Story:
        """Mostly a story that is armed; where there is none, one is, if it can be."""
        if n % 6 and not any(story.armed(database_now()) for story in self.model.stories):
            self.do_rush(self.among(n // 2, lambda course: course.public), "later", n)
        return self.among(n, lambda course: course.armed)

    def attempt(self, what: str, why: Callable[[datetime], set[str]], verb: Callable[[], Any]) -> Any:
        """What a verb gave: None where it was refused, for a reason that the model has too."""
        before, refused, row = why(database_now()), None, None
        try:
            row = verb()
        except REFUSED as refusal:
            refused = refusal
        if refused is None:
            found = why(row.at)
            assert not found, f"{what} was accepted, the model has {found}"
            return row
        found = before | why(database_now())
        assert name_of(refused) & found, f"{what}: {refused!r}, the model knows of {found or 'no reason'}"
        self.did(f"{what}: {type(refused).__name__}")
        return None

    # Drafting

    def begun(self, by: User, content: dict[str, Any], started_from: User | None = None) -> Story:
        row = drafting.begin(by=by, content=content)
        story = Story(self.model, row.story_id)
        self.rows[row.story_id] = row.story
        if started_from:
            Intake.objects.create(story=row.story, by=started_from, text=self.words.new())
            story.started_from = started_from.pk
        self.took(story, row)
        return story

    def took(self, story: Story, row: RevisionRow, restored_from: int | None = None) -> None:
        """Take note of a revision."""
        story.save(Revision(row.pk, row.by_id, row.content, restored_from))
        self.addresses.add(row.content["slug"])
        self.copies.pop((story.id, row.by_id), None)
        self.repin(story)

    def repin(self, story: Story) -> None:
        """The steps that are asked: the same as the model's."""
        rows = PinnedStep.objects.filter(submission__story=story.id).order_by("-submission", "id")
        newest = [row for row in rows if row.submission_id == rows[0].submission_id]
        for row in newest:
            key = (row.desk_id, row.covers, row.whom, row.condition, row.value, row.stage)
            self.pinned[(story.id, *key)] = row
        found = {
            Step(
                row.desk_id, row.covers, row.whom, row.condition, row.value, row.stage, row.quorum,
                frozenset(row.people),
            )
            for row in newest
        }  # fmt: skip
        assert found == set(story.asked or [])
        digests = dict(Standing.objects.filter(story=story.id).values_list("step", "covered"))
        for step in story.steps:
            if words := story.words(step, story.newest):
                self.digests.setdefault((words, step.covers), digests[self.pinned[(story.id, *step.key)].pk])

    @initialize(mood=st.sampled_from(sorted(MOODS)), seed=Number)
    def a_story_is_under_way(self, mood: str, seed: int) -> None:
        self.mood, dice = mood, Random(seed)
        story = self.begun(
            dice.choice(self.world.people[:3]), wording.first(self.words, "first", dice.randrange(99))
        )
        self.do_request(story, dice.choice(self.world.routes).pk)

    @rule(seed=Number)
    def somebody(self, seed: int) -> None:
        """One of the moves, those of the mood most often."""
        dice = Random(f"{self.turn} {seed}")
        before = self.happened.total()
        while self.happened.total() == before:
            name = dice.choice([*MOVES, *MOODS[self.mood] * 4])
            n, who, number = (dice.randrange(2**16) for _ in range(3))
            note(f"    # {name}")
            getattr(self, name)(n, who, number)

    def draft(self, n: int, who: int, number: int) -> None:
        if len(self.model.stories) == len(STARTS):
            return
        slug = STARTS[len(self.model.stories)]
        source = self.anybody(number) if number % 4 == 0 else None
        self.begun(self.writer(who), wording.first(self.words, slug, number), source)
        self.did("begun")

    def edit(self, n: int, who: int, number: int) -> None:
        story = self.story(n)
        change = pick(wording.CHANGES.values(), number)
        content = {**story.content, **change(self.words, story.content, number // 7)}
        self.do_save(story, self.writer(who), content)

    def readdress(self, n: int, who: int, number: int) -> None:
        story = self.story(n)
        self.do_save(story, self.writer(who), {**story.content, "slug": pick(ADDRESSES, number)})

    def do_save(self, story: Story, by: User, content: dict[str, Any]) -> None:
        try:
            row = drafting.save(
                story=self.rows[story.id], by=by, content=content, based_on=story.revisions[-1].id
            )
        except drafting.NothingChanged:
            assert content == story.content
            return
        assert content != story.content
        self.took(story, row)
        self.did("saved")

    def restore(self, n: int, who: int, number: int) -> None:
        """Earlier words, as a revision that says so or typed anew."""
        story, by = self.story(n), self.writer(who)
        earlier = pick(story.revisions, number)
        if who % 2 or earlier.content == story.content:
            self.do_save(story, by, earlier.content)
            return
        row = remarks.restore(
            story=self.rows[story.id],
            revision=RevisionRow.objects.get(pk=earlier.id),
            by=by,
            based_on=story.revisions[-1].id,
        )
        copy = self.copies.get((story.id, by.pk))
        self.took(story, row, earlier.by)
        if copy:
            self.copies[story.id, by.pk] = copy
        self.did("restored")

    def bring_back(self, n: int, who: int, number: int) -> None:
        """A block that was cut, or stands in another revision, by another hand."""
        story = self.story(n)
        block = pick(pick(story.revisions, number).content["body"], number // 3)
        body = [*story.content["body"][-3:], block]
        self.do_save(story, self.writer(who), {**story.content, "body": body})

    def save_over_newer_words(self, n: int, who: int, number: int) -> None:
        story, by = self.story(n), self.anybody(who)
        old = story.revisions[number % max(len(story.revisions) - 1, 1)]
        if old is story.revisions[-1]:
            return
        content = {**old.content, "summary": f"{self.words.new()}."}
        with pytest.raises(drafting.Stale):
            drafting.save(story=self.rows[story.id], by=by, content=content, based_on=old.id)
        self.did("stale save")

    def type_without_saving(self, n: int, who: int, number: int) -> None:
        story, by = self.story(n), self.anybody(who)
        fields = {"headline": self.words.new()}
        drafting.keep(story=self.rows[story.id], by=by, base=story.revisions[-1].id, fields=fields)
        self.copies[story.id, by.pk] = fields
        self.did("kept")

    def plan(self, n: int, who: int, number: int) -> None:
        """A plan binds nobody."""
        seconds = pick([0.1, 60.0, 7200.0], number)
        moment = Moment(database_now().astimezone(UTC) + timedelta(seconds=seconds), "UTC")
        drafting.plan_embargo(story=self.rows[self.story(n).id], by=self.anybody(n), moment=moment)

    # Clearance

    def request(self, n: int, who: int, number: int) -> None:
        story, wrong, route = self.story(n), who % 12, number
        number = 0 if wrong == 0 else story.newest
        if wrong == 1:
            with pytest.raises(clearing.NoRoute):
                clearing.request(
                    revision=self.revision(story, number), by=self.user(story.revisions[0].by),
                    route=self.world.lax,
                )  # fmt: skip
            self.did("request: NoRoute")
            return
        self.do_request(story, pick(self.world.routes, route).pk, number)

    def revision(self, story: Story, number: int) -> RevisionRow:
        row = RevisionRow(pk=story.revisions[number].id, story=self.rows[story.id], number=number + 1)
        row.content = story.revisions[number].content
        row.by = self.user(story.revisions[number].by)
        return row

    def do_request(self, story: Story, route: int, number: int | None = None) -> None:
        number = story.newest if number is None else number
        asks = self.model.routes[route]
        again = self.asked_by.get(story.id) == (route, asks) and all(
            step == self.model.pinned(step) for step in story.steps
        )
        try:
            clearing.request(
                revision=self.revision(story, number),
                by=self.user(story.revisions[0].by),
                route=next(one for one in self.world.routes if one.pk == route),
            )
        except clearing.AlreadyRequested:
            assert again
            self.did("request: AlreadyRequested")
        except clearing.Moved:
            assert number != story.newest
            self.did("request: Moved")
        except clearing.Objection:
            assert story.objections(route)
            self.did("request: Objection")
        else:
            assert not again
            assert not story.objections(route)
            assert number == story.newest
            story.request(route)
            self.asked_by[story.id] = route, list(asks)
            self.repin(story)
            self.did("requested")

    def decide(self, n: int, who: int, number: int) -> None:
        """Mostly as it has to be: what is missing, by who may, about what is there."""
        story = self.story(n)
        if not story.steps:
            return
        missing = [step for step in story.needed(story.newest) if not story.stands(step, story.newest)]
        step = pick(missing if missing and number % 4 else story.steps, number // 4)
        verdict = pick(["cleared"] * 5 + ["changes", "refused"], number)
        how = pick(["right"] * 4 + ["of the desk", "anybody", "for another", "for another"], who)
        wrong = pick([""] * 9 + ["an old revision", "other words"], number // 7)
        place, behalf = story.newest, None
        if wrong == "an old revision":
            place = number % len(story.revisions)
        words = story.words(step, place)
        if wrong == "other words":
            words = story.words(pick(story.steps, who), number % len(story.revisions))
        by = self.clearer(story, step, how, who // 8)
        if how == "for another":
            behalf, by = self.pair(story, step, who // 8)
        self.do_decide(story, step, verdict, by=by, behalf=behalf, number=place, words=words)

    def clearer(self, story: Story, step: Step, how: str, who: int) -> int:
        """Somebody who may decide, is on the desk, or just somebody."""
        people = sorted(self.model.desks[step.identity[0]])
        if how == "right":
            barred = story.barred(step, story.newest) | self.model.gone
            people = [person for person in people if person not in barred] or people
        if how == "anybody" or not people:
            return self.anybody(who).pk
        return int(pick(people, who))

    def pair(self, story: Story, step: Step, who: int) -> tuple[int, int]:
        """For whom and by whom: mostly as somebody agreed to, now or once, for a desk that is asked."""
        now, barred = database_now(), story.barred(step, story.newest)
        agreed = [(one.person, one.deputy) for one in self.model.deputyships]
        valid = [
            (person, deputy)
            for person, deputy in agreed
            if self.model.stands_in(deputy, person, step.identity[0], now) and not {person, deputy} & barred
        ]
        anybody = [(self.anybody(who + 1).pk, self.anybody(who).pk)]
        found: tuple[int, int] = pick((valid if who % 3 else agreed) or agreed or anybody, who // 3)
        return found

    def decide_on_a_step_of_before(self, n: int, who: int, number: int) -> None:
        """What was asked before the last request, or is a pattern, is not asked."""
        story = self.story(n)
        rows = list(PinnedStep.objects.filter(submission__story=story.id).order_by("id"))
        if not rows:
            return
        newest = rows[-1].submission_id
        old = [row for row in rows if row.submission_id != newest or row.desk_id is None]
        patterns = [row for row in rows if row.condition == "partner" and not row.value]
        if not old + patterns:
            return
        row = pick(old + patterns, number)
        people = sorted(self.model.desks.get(row.desk_id or 0, set())) or [self.anybody(who).pk]
        with pytest.raises((clearing.NotAsked, clearing.Moved)):
            clearing.clear(
                step=row,
                revision=self.revision(story, story.newest),
                covered=RevisionRow.objects.get(pk=story.revisions[-1].id).digest,
                by=self.user(pick(people, who)),
            )
        self.did("clear: NotAsked")

    def do_decide(
        self, story: Story, step: Step, verdict: str, *, by: int, behalf: int | None, number: int, words: str
    ) -> None:
        row, revision = self.pinned[(story.id, *step.key)], self.revision(story, number)
        verb = {
            "cleared": clearing.clear,
            "changes": clearing.ask_for_changes,
            "refused": clearing.refuse,
        }[verdict]
        more: dict[str, Any] = {} if verdict == "cleared" else {"reason": "Say when."}
        digest = self.digests.get((words, step.covers), "0" * 64)

        def why(at: datetime) -> set[str]:
            if self.given_already(story, step, verdict, (by, behalf, number), words):
                return set()
            return story.may_decide(step, verdict, by=by, behalf=behalf, number=number, words=words, at=at)

        on_behalf = self.user(behalf) if behalf else None
        decision = self.attempt(
            {"cleared": "clear", "changes": "ask", "refused": "refuse"}[verdict],
            why,
            lambda: verb(
                step=row, revision=revision, covered=digest, by=self.user(by), on_behalf=on_behalf, **more
            ),
        )
        if decision is None:
            return
        if decision.pk in self.decided:
            assert self.given_already(story, step, verdict, (by, behalf, number), words)
            return
        self.took_decision(
            story, decision, Decision(decision.pk, step.identity, words, verdict, by, behalf, number)
        )
        self.did({"cleared": "cleared", "changes": "changes asked", "refused": "refused"}[verdict])
        if behalf:
            self.did(f"{verdict} for another")

    def given_already(
        self, story: Story, step: Step, verdict: str, said: tuple[Any, ...], words: str
    ) -> bool:
        """Whether the very decision stands already: sending it again gives that one."""
        by, behalf, _ = said
        _, last = story.latest(step.identity, words).get(behalf or by, (0, None))
        if last is None or (last.verdict, last.by, last.behalf, last.revision) != (verdict, *said):
            return False
        same_step = self.decided[last.id].step_id == self.pinned[(story.id, *step.key)].pk
        return same_step and (verdict != "cleared" or last in story.counted(step.identity, words))

    def took_decision(self, story: Story, row: DecisionRow, decision: Decision) -> None:
        """Take note of a decision: anything but a sign-off disarms, if the story is not public yet."""
        course = story.course(row.at)
        self.decided[row.pk] = row
        story.decide(decision)
        if decision.verdict == "cleared":
            return
        called_off = Disarm.objects.filter(story=story.id, at__gte=row.at).first()
        if called_off:
            assert course.armed, "what is public was called off"
            assert called_off.release_id == course.armed.id
            story.events.append(told.Disarm(called_off.at))
            self.did("disarmed by a decision")
            if course.public:
                self.did("a correction disarmed by a decision")
        else:
            # It came out at that very instant, or was never armed.
            assert not story.armed(database_now()), "a decision against the words left the release armed"
        if decision.verdict == "taken_back":
            taken = next(one for one in story.decisions if one.id == row.takes_back_id)
            public = story.public(row.at)
            assert not (public and taken.id in public.release.signed), "what is public is not signed any more"

    def take_back(self, n: int, who: int, number: int) -> None:
        story = self.story(n)
        if not story.decisions:
            return
        decision = pick(reversed(story.decisions[-6:]), number)
        by = self.anybody(who).pk if who % 3 == 0 else pick([decision.by, decision.authority], who)
        self.do_take_back(story, decision, by)

    def do_take_back(self, story: Story, decision: Decision, by: int) -> None:
        gone = {"not_yours"} if by in self.model.gone else set()
        row = self.attempt(
            "take back",
            lambda at: story.may_take_back(decision, by, at) | gone,
            lambda: clearing.take_back(decision=self.decided[decision.id], by=self.user(by)),
        )
        if row:
            behalf = decision.behalf if by != decision.authority else None
            back = Decision(
                row.pk, decision.identity, decision.words, "taken_back", by, behalf, decision.revision
            )
            self.took_decision(story, row, back)
            self.did("taken back")

    def all_sign(self, n: int, who: int, number: int) -> None:
        """Whoever may sign does so, desk by desk, until nothing is missing or nobody is left."""
        self.do_sign(self.story(n))

    def do_sign(self, story: Story) -> None:
        for step in story.steps:
            people = sorted(self.model.desks[step.identity[0]] - self.model.gone)
            for person in people:
                words = story.words(step, story.newest)
                if words and not story.stands(step, story.newest):
                    self.do_decide(
                        story, step, "cleared", by=person, behalf=None, number=story.newest, words=words
                    )

    # People come and go, routes change

    def join_or_leave(self, n: int, who: int, number: int) -> None:
        person, pk = self.anybody(who), pick(sorted(self.model.desks), number)
        members = Desk.objects.get(pk=pk).members
        if person.pk in self.model.desks[pk]:
            members.remove(person)
            self.model.desks[pk].discard(person.pk)
        else:
            members.add(person)
            self.model.desks[pk].add(person.pk)
        self.did("joined or left")

    def go_or_come_back(self, n: int, who: int, number: int) -> None:
        back, gone = number % 2 == 1, sorted(self.model.gone)
        person = pick(gone, who) if back and gone else pick(self.world.people, who).pk
        User.objects.filter(pk=person).update(is_active=back)
        (self.model.gone.discard if back else self.model.gone.add)(person)
        self.did("went or came back")

    def appoint(self, n: int, who: int, number: int) -> None:
        """Mostly somebody of a desk, so that it matters."""
        on, when = pick(sorted(self.model.desks), number), pick(["now"] * 3 + ["over", "not yet"], number)
        person, deputy = pick(sorted(self.model.desks[on]) or [self.anybody(n).pk], n), self.anybody(who).pk
        if person == deputy:
            return
        now, hour = database_now(), timedelta(hours=1)
        since, until = {
            "now": (now - hour, now + hour),
            "over": (now - 2 * hour, now - hour),
            "not yet": (now + hour, now + 2 * hour),
        }[when]
        only = on if n % 2 else None
        Deputyship.objects.create(
            person_id=person, deputy_id=deputy, desk_id=only, since=since, until=until, by_id=person
        )
        self.model.deputyships.append(Stands(person, deputy, only, since, until))
        self.did("appointed")

    def end_deputyships(self, n: int, who: int, number: int) -> None:
        Deputyship.objects.filter(until__gt=database_now()).update(until=database_now())
        self.model.deputyships = [
            Stands(row.person_id, row.deputy_id, row.desk_id, row.since, row.until)
            for row in Deputyship.objects.order_by("id")
        ]

    def change_a_route(self, n: int, who: int, number: int) -> None:
        """It changes nothing for a story that is under way, until clearance is requested anew."""
        quorum, stage = pick([1, 2, ALL], number), 1 + number // 3 % 3
        row = pick(self.world.routes, n)
        steps = self.model.routes[row.pk]
        place = who % len(steps)
        asked = pick(RouteStep.objects.filter(route=row).order_by("position"), place)
        RouteStep.objects.filter(pk=asked.pk).update(quorum=quorum, stage=stage)
        changed = Step(**{**vars(steps[place]), "quorum": quorum, "stage": stage})
        self.model.routes[row.pk] = [*steps[:place], changed, *steps[place + 1 :]]

    # Release

    def arm(self, n: int, who: int, number: int) -> None:
        story, ahead = self.story(n), pick([*AHEAD, *["later"] * 3], number)
        place = who % len(story.revisions) if who % 7 == 0 else story.newest
        kind = pick([self.fitting(story, n), self.fitting(story, n), *Kind.values], n)
        self.do_arm(story, place, ahead, self.anybody(who), kind)

    def fitting(self, story: Story, n: int) -> str:
        """The kind of release that can be armed now."""
        kinds = [Kind.CORRECTION, Kind.MAJOR, Kind.MINOR]
        return pick(kinds, n // 5).value if story.public(database_now()) else Kind.NEW.value

    def do_arm(self, story: Story, number: int, ahead: str, by: User, kind: str = Kind.NEW) -> None:
        seconds = AHEAD[ahead]
        embargo = None if seconds is None else database_now().astimezone(UTC) + timedelta(seconds=seconds)
        word = self.words.new()
        note = "" if kind == Kind.NEW else pick([f"{word}."] * 7 + [" \n"], len(self.chain))
        before = story.course(database_now())
        row = self.attempt(
            "arm",
            lambda at: story.may_arm(number, embargo, at, kind, note),
            lambda: releasing.arm(
                revision=self.revision(story, number),
                by=by,
                moment=embargo and Moment(embargo, "UTC"),
                kind=kind,
                note=note,
            ),
        )
        if row is None:
            return
        assert row.embargo == (embargo or row.at)
        public = story.public(row.at)
        assert row.follows_id == (public and public.release.id)
        assert (row.kind, row.note) == (kind, note)
        story.arm(row.pk, row.embargo, row.at, kind, note)
        if public:
            again = "correction armed again" if before.armed else "correction armed"
            self.did("corrected now" if embargo is None else again)
        else:
            self.did("released now" if embargo is None else "armed again" if before.armed else "armed")
            if before.withdrawals:
                self.did("armed to come back")
        self.read_by_others(story)

    def read_by_others(self, story: Story) -> None:
        """Nobody cleared their own words: each text was signed by somebody who did not write it."""
        unread = story.unread(story.newest)
        assert not unread, f"nobody but their writers signed {unread}"

    def rush(self, n: int, who: int, number: int) -> None:
        """Requested, signed and armed, as far as it goes."""
        story, ahead = self.story(n), pick([*AHEAD, *["later"] * 6], number + 1)
        self.do_rush(story, ahead, n)

    def do_rush(self, story: Story, ahead: str, n: int) -> None:
        if not story.steps:
            self.do_request(story, pick(self.world.routes, n).pk)
        self.do_sign(story)
        self.do_arm(story, story.newest, ahead, self.world.people[5], self.fitting(story, n))

    def arm_the_same_again(self, n: int, who: int, number: int) -> None:
        course = (story := self.among(n, lambda course: course.armed)).course(database_now())
        armed, moment = course.armed, course.moment
        if armed is None or moment is None or moment < database_now() + timedelta(minutes=1):
            return
        zone = Release.objects.get(pk=armed.id).visibility.zone
        same = releasing.arm(
            revision=self.revision(story, armed.revision),
            by=self.world.people[5],
            moment=Moment(moment.astimezone(UTC), zone),
            kind=armed.kind,
            note=armed.note,
        )
        assert same.pk == armed.id

    def correct(self, n: int, who: int, number: int) -> None:
        """Other words of what is public, at times at another address, signed and armed as far as it goes."""
        story, ahead = (
            self.among(n, lambda course: course.public),
            pick([*AHEAD, "now", "now", "soon", "soon", "later"], number),
        )
        change = pick(wording.CHANGES.values(), number // 7)
        content = {**story.content, **change(self.words, story.content, number // 49)}
        if who % 3 == 0:
            content["slug"] = pick(ADDRESSES, who // 4)
        self.do_save(story, self.writer(who), content)
        self.do_rush(story, ahead, n)

    def correct_nothing(self, n: int, who: int, number: int) -> None:
        """The words that the public reads, put back."""
        story = self.among(n, lambda course: course.public)
        public = story.public(database_now())
        if public:
            self.do_save(story, self.writer(who), story.revisions[public.release.revision].content)
            self.do_rush(story, "now", n)

    def come_back(self, n: int, who: int, number: int) -> None:
        """What was withdrawn, or killed, is armed once more, with the same words or others."""
        story = self.among(n, lambda course: course.withdrawals and not course.public)
        if number % 2:
            changed = wording.CHANGES["headline"](self.words, story.content, number)
            self.do_save(story, self.writer(who), {**story.content, **changed})
        self.do_rush(story, pick([*AHEAD, "now", "now", "later"], number // 2), n)

    def object(self, n: int, who: int, number: int) -> None:
        """Somebody asks for changes, or takes a sign-off back, while something is armed."""
        story = self.waiting(n)
        signed = [one for one in story.decisions if one.verdict == "cleared"]
        if number % 2 and signed:
            decision = pick(reversed(signed), number // 2)
            self.do_take_back(story, decision, decision.by)
            return
        steps = story.needed(story.newest)
        if steps:
            step = pick(steps, number // 2)
            by, words = self.clearer(story, step, "of the desk", who), story.words(step, story.newest)
            self.do_decide(story, step, "changes", by=by, behalf=None, number=story.newest, words=words)

    def hold(self, n: int, who: int, number: int) -> None:
        story = self.waiting(n) if who % 2 else self.story(n)
        row = self.attempt(
            "hold",
            story.may_hold,
            lambda: releasing.hold(story=self.rows[story.id], by=self.world.people[5], reason="Wait."),
        )
        if row:
            story.events.append(told.Hold(row.pk, row.at))
            self.did("held")
            if story.public(row.at):
                self.did("a correction held")

    def lift(self, n: int, who: int, number: int) -> None:
        story = self.among(n, lambda course: course.hold)
        hold = story.course(database_now()).hold
        row = self.attempt(
            "lift",
            story.may_lift,
            lambda: releasing.unhold(story=self.rows[story.id], by=self.world.people[5]),
        )
        if row:
            assert hold
            assert row.hold_id == hold.id
            story.events.append(told.Lift(row.at))
            self.did("lifted")

    def disarm(self, n: int, who: int, number: int) -> None:
        story = self.waiting(n)
        row = self.attempt(
            "disarm",
            story.may_disarm,
            lambda: releasing.disarm(story=self.rows[story.id], by=self.world.people[5], reason="No."),
        )
        if row:
            armed = story.armed(row.at)
            assert armed
            assert row.release_id == armed.id
            story.events.append(told.Disarm(row.at))
            self.did("disarmed")
            if story.public(row.at):
                self.did("a correction disarmed")

    def move(self, n: int, who: int, number: int) -> None:
        """Once, or twice at once: the newest counts."""
        story = self.waiting(n)
        for turn in range(1 + (number % 4 > 0)):
            self.do_move(story, who // 8**turn, number // 8**turn)

    def do_move(self, story: Story, who: int, number: int) -> None:
        """Earlier or later, mostly by somebody who sees for when it is armed."""
        seconds = AHEAD[pick([*AHEAD, "now", "in a moment"], number // 4)] or 3600.0 + number
        moment = database_now().astimezone(UTC) + timedelta(seconds=seconds)
        armed = story.armed(database_now())
        row = Release.objects.filter(pk=armed.id).select_related("visibility").first() if armed else None
        seen = (armed.id, story.course(database_now()).moment or moment) if armed else (0, moment)
        if who % 8 == 0:
            seen = (seen[0], seen[1] - INSTANT)
        elif who % 8 == 1:
            seen = (story.releases()[0].id if story.releases() else 0, seen[1])
        zone = row.visibility.zone if row else "UTC"
        done = self.attempt(
            "move",
            lambda at: story.may_move(seen, moment, at),
            lambda: releasing.move(
                story=self.rows[story.id],
                by=self.anybody(who),
                moment=Moment(moment, "UTC"),
                reason="They asked.",
                seen=(seen[0], Moment(seen[1].astimezone(UTC), zone)),
            ),
        )
        if done:
            assert armed
            assert done.release_id == armed.id
            story.events.append(told.Move(moment, done.at))
            self.did("moved")
            if story.public(done.at):
                self.did("a correction moved")

    def withdraw(self, n: int, who: int, number: int) -> None:
        """Taken back or killed; at times by somebody who saw other words."""
        kill, word = number % 4 == 0, self.words.new()
        if kill:
            story = self.among(n, lambda course: course.withdrawals)
        else:
            story = self.among(n, lambda course: course.public)
        seen = pick(story.releases(), who // 4).id if who % 4 == 0 and story.releases() else None
        before = story.course(database_now())
        row = self.attempt(
            "kill" if kill else "withdraw",
            lambda at: story.may_withdraw(seen, kill, at),
            lambda: releasing.withdraw(
                story=self.rows[story.id],
                by=self.anybody(who),
                reason=f"{word}.",
                kill=kill,
                release=releasing.ANY if seen is None else seen,
            ),
        )
        if row is None:
            return
        course = story.course(row.at)
        last = course.public.release.id if course.public else course.withdrawals[-1].release
        assert row.release_id == last, "another release was taken back than what was public"
        story.events.append(told.Withdrawal(last, kill, row.reason, row.at))
        self.did("killed" if kill else "withdrawn")
        if kill and before.withdrawals and not before.public:
            self.did("killed after a withdrawal")
        if course.public and course.armed:
            self.did("a correction died with a withdrawal")
        if self.model.held():
            self.did("withdrawn while everything was held")

    def hold_everything(self, n: int, who: int, number: int) -> None:
        row = self.attempt(
            "hold all",
            lambda at: {"held"} if self.model.held() else set(),
            lambda: releasing.hold_everything(by=self.anybody(who), reason="Stop."),
        )
        if row:
            self.model.stops.append(told.HoldAll(row.pk, row.at))
            self.did("everything held")

    def miss_the_moment(self, n: int, who: int, number: int) -> None:
        """Everything is held, and a moment that was to come passes."""
        if not self.model.held():
            self.hold_everything(n, who, number)
        self.do_rush(self.story(n), pick(["now", "soon"], number), n)
        self.let_time_pass(n, who, number)

    def lift_everything(self, n: int, who: int, number: int) -> None:
        held, before = self.model.held(), database_now()
        row = self.attempt(
            "lift all",
            lambda at: set() if self.model.held() else {"not_held"},
            lambda: releasing.lift_everything(by=self.anybody(who)),
        )
        if row:
            assert held
            assert row.hold_id == held.id
            courses = [story.course(before) for story in self.model.stories]
            if any(course.armed and course.moment and course.moment <= before for course in courses):
                self.did("a moment passed while everything was held")
            self.model.stops.append(told.LiftAll(row.at))
            self.did("everything lifted")

    def announce(self, n: int, who: int, number: int) -> None:
        released = [story for story in self.model.stories if story.releases()]
        if not released:
            return
        story = self.among(n, lambda course: course.shown)
        story = story if story.releases() else pick(released, n)
        release = pick(reversed(story.releases()), number).id
        if together := who % 2 == 0:
            # Of a story only the first that has no receipt is among those that are announced together.
            out = [one.release.id for one in story.course(database_now()).shown if not one.withdrawn]
            release = min(set(out) - story.announced, default=release)
        before = story.may_announce(release, database_now())
        if together:
            receipts = releasing.announce_together(release_ids=[release], worker="the machine")
            receipt = receipts[0] if receipts else None
        else:
            receipt = releasing.announce(release_id=release, worker="the machine")
        after = story.may_announce(release, database_now())
        assert before <= (receipt is not None) <= after
        course = story.course(database_now())
        shown = [one for one in course.shown if one.release.id == release]
        if receipt:
            assert receipt.due == shown[0].since
            # With it, what came out before it.
            out = [one.release.id for one in course.shown if not one.withdrawn]
            story.announced |= {other for other in out if other <= release}
        elif shown and shown[0].withdrawn and release not in story.announced:
            self.did("not announced: withdrawn")
        self.did("announced" if receipt else "not announced")

    def let_time_pass(self, n: int, who: int, number: int) -> None:
        """Until the next embargo, if one is near."""
        now = database_now()
        courses = [story.course(now) for story in self.model.stories]
        coming = [course.moment for course in courses if course.armed and course.moment]
        near = [at for at in coming if timedelta() < at - now < timedelta(seconds=1)]
        if near:
            sleep((min(near) - now).total_seconds() + 0.001)
            self.did("time passed")

    # What has to be so after each step

    @invariant()
    def the_promises_hold(self) -> None:
        self.turn += 1
        self.did("step")
        self.nothing_is_lost()
        self.steps_stand_as_they_should()
        self.public_now_is_what_should_be()
        # What was refused, or only written or signed, changes nothing for the public: then every fourth time.
        if self.is_for_the_public() or self.turn % 4 == 0:
            self.public_around_each_instant_is_what_should_be()
            self.pages_show_what_was_cleared()
            self.lists_show_what_is_public()

    def is_for_the_public(self) -> bool:
        """Whether anything happened to what the public reads, or is going to."""
        shown = {pk: one.release.id for pk, one in self.public_now(database_now()).items()}
        events = sum(len(story.events) for story in self.model.stories)
        before, self.told = self.told, (shown, events, len(self.model.stops))
        return before != self.told

    def steps_stand_as_they_should(self) -> None:
        rows = Standing.objects.filter(story__in=list(self.rows)).select_related("step")
        found = {row.step_id: row for row in rows}
        expected = {}
        for story in self.model.stories:
            for step in story.steps:
                pinned = self.pinned[(story.id, *step.key)].pk
                words = story.words(step, story.newest)
                expected[pinned] = step, story, words
        assert found.keys() == expected.keys()
        for pk, (step, story, words) in expected.items():
            row, number = found[pk], story.newest
            assert row.revision_id == story.revisions[-1].id
            assert (row.state == "none") == (not words)
            assert (row.state == "cleared") == story.stands(step, number), (row.state, step)
            assert row.is_open == story.is_open(step, number)
            if words:
                assert set(row.barred) == story.barred(step, number), step
                assert self.digests.setdefault((words, step.covers), row.covered) == row.covered
            else:
                assert row.covered == ""
        by_digest = {(digest, covers): words for (words, covers), digest in self.digests.items()}
        assert len(by_digest) == len(self.digests), "other words, the same digest"

    def public_now(self, at: datetime) -> dict[int, Shown]:
        """What anybody may read of each story, by the model."""
        return {story.id: shown for story in self.model.stories if (shown := story.public(at))}

    def public_around_each_instant_is_what_should_be(self) -> None:
        """The predicate, around each instant that counts: neither early nor late."""
        instants = self.instants()
        around = [at + off for at in instants for off in (-INSTANT, INSTANT * 0)]
        for at in [*around, datetime(2999, 1, 1, tzinfo=UTC)]:
            should = {shown.release.id for shown in self.public_now(at).values()}
            assert set(Release.objects.public(at=at).values_list("pk", flat=True)) == should, at

    def public_now_is_what_should_be(self) -> None:
        """The predicate, at the present moment."""
        before = self.public_now(database_now())
        rows = list(Release.objects.public().values_list("story", "pk"))
        now = dict(rows)
        after = self.public_now(database_now())
        assert len(rows) == len(now), "two releases of one story"
        for story in self.model.stories:
            expected = [shown and shown.release.id for shown in (before.get(story.id), after.get(story.id))]
            assert now.get(story.id) in expected
            if story.id in before and before[story.id].release.kind != Kind.NEW:
                self.did("a correction came out")
            if story.id in before and story.course(database_now()).withdrawals:
                self.did("public again")

    def instants(self) -> set[datetime]:
        """Each at which something comes out, would come out, went, was held or was lifted."""
        now, found = database_now(), {stop.at for stop in self.model.stops[-2:]}
        for story in self.model.stories:
            course = story.course(now)
            found |= {shown.since for shown in course.shown[-3:]}
            found |= {event.at for event in story.events[-2:]}
            if course.armed and course.moment:
                found |= {course.moment, course.armed.embargo}
        return found

    def pages_show_what_was_cleared(self) -> None:
        before = database_now()
        answers = {address: self.browser.get(f"/news/{address}/") for address in sorted(self.addresses)}
        never = self.browser.get(NEVER)
        after = database_now()
        for address, answer in answers.items():
            what, thing = self.model.reader_finds(address, before)
            if (what, thing) != self.model.reader_finds(address, after):
                continue
            found, body = set(wording.WORD.findall(answer.content.decode())), answer.content.decode()
            if what == "nothing":
                same = (answer.status_code, answer.content, dict(answer.headers))
                assert same == (never.status_code, never.content, dict(never.headers)), address
            elif what == "story":
                assert answer.status_code == 200, address
                story = next(one for one in self.model.stories if thing in one.course(after).shown)
                self.page_shows(story, thing, body)
            elif what == "elsewhere":
                assert (answer.status_code, answer["Location"]) == (301, f"/news/{thing}/"), address
                assert not found
                self.did("elsewhere")
            elif what == "withdrawn":
                assert answer.status_code == 200, address
                assert found == set(wording.WORD.findall(thing.reason + self.headline(thing.release)))
                self.did("withdrawn page")
            else:
                assert (answer.status_code, found) == (410, set()), address
                self.did("killed page")

    def headline(self, release: int) -> str:
        return next(
            str(story.revisions[one.revision].content["headline"])
            for story in self.model.stories
            for one in story.releases()
            if one.id == release
        )

    def page_shows(self, story: Story, shown: Shown, body: str) -> None:
        """Every word that is public, with what was corrected, and no other."""
        content, found = story.revisions[shown.release.revision].content, set(wording.WORD.findall(body))
        notes = set(wording.WORD.findall(" ".join(shown.notes)))
        assert wording.shown(content) | notes <= found
        assert found <= set(wording.WORD.findall(str(content))) | notes
        for block in content["body"]:
            assert block["html"] in body
        self.did("public")
        if story.newest > shown.release.revision:
            self.did("public after a correction was tried")

    def lists_show_what_is_public(self) -> None:
        """Each list has every public story once, and nothing else; a file is there while a story shows it."""
        before = self.public_now(database_now())
        listing = pick(("/", "/feed.atom", "/sitemap.xml"), self.turn)
        text = self.browser.get(listing).content.decode()
        file = pick(FILES, self.turn)
        answer = self.browser.get(f"/media/{file}.png")
        # Read to the end, or the file stays open.
        digest = sha256(answer.getvalue()).hexdigest()
        if before != self.public_now(database_now()):
            return
        stories = {story.id: story for story in self.model.stories}
        public = {
            stories[pk].slug(shown.release): stories[pk].revisions[shown.release.revision].content
            for pk, shown in before.items()
        }
        there = any(file in told.files(content) for content in public.values())
        assert (answer.status_code, digest == file) == ((200, True) if there else (404, False))
        linked = set(re.findall(r"/news/([^/<\"]+)/", text))
        assert linked == public.keys(), listing
        words = {word for content in public.values() for word in wording.WORD.findall(str(content))}
        found = set(wording.WORD.findall(text))
        assert found <= words
        if listing != "/sitemap.xml":
            for content in public.values():
                assert set(wording.WORD.findall(content["headline"])) <= found
        if listing == "/feed.atom":
            self.feed_tells_when(text, before)

    def feed_tells_when(self, text: str, public: dict[int, Shown]) -> None:
        """Since when each is public, and its last change of weight: small updates are not told."""
        entries = {}
        for entry in etree.fromstring(text.encode()).iter(f"{ATOM}entry"):
            instants = (entry.findtext(f"{ATOM}published"), entry.findtext(f"{ATOM}updated"))
            entries[entry.findtext(f"{ATOM}id")] = tuple(datetime.fromisoformat(one) for one in instants)
        assert entries == {
            f"urn:uuid:{self.rows[pk].uid}": tuple(
                at.replace(microsecond=0) for at in (shown.first, shown.updated)
            )
            for pk, shown in public.items()
        }

    def nothing_is_lost(self) -> None:
        """The record only grows, every draft and every fact is there."""
        chain = list(
            Entry.objects.filter(Q(story__in=list(self.rows)) | Q(story=None))
            .order_by("pk")
            .values_list("story", "number", "hash")
        )
        assert chain[: len(self.chain)] == self.chain
        self.chain = chain
        # All of it, link by link; what was broken in between stays so.
        if self.turn % 10 == 0:
            assert list(record.verify()) == []
        sources = Entry.objects.filter(Q(story__in=list(self.rows)) | Q(story=None))
        counts = Counter(sources.values_list("source", flat=True))
        stories = self.model.stories
        happened = Counter(type(event) for story in stories for event in story.events)
        happened.update(type(stop) for stop in self.model.stops)
        for source, kind in FACTS.items():
            assert counts[source] == happened[kind], source
        assert counts["stories_revision"] == sum(len(story.revisions) for story in stories)
        assert counts["approvals_decision"] == sum(len(story.decisions) for story in stories)
        assert counts["newsroom_announcement"] == sum(len(story.announced) for story in stories)
        signed = sum(len(release.signed) for story in stories for release in story.releases())
        assert counts["newsroom_releasesignoff"] == signed
        copies = {
            (copy.story_id, copy.by_id): copy.fields
            for copy in WorkingCopy.objects.filter(story__in=list(self.rows))
        }
        assert copies == self.copies


def unseen() -> list[str]:
    """What has to happen and has not."""
    return [what for what in SEEN if not Newsroom.happened[what]]


@pytest.mark.django_db(transaction=True)
def test_whatever_people_do(transactional_db) -> None:
    """`NEWSROOM_STEPS` steps of everybody, and the six promises after each."""
    Newsroom.world = build()
    Newsroom.happened = Counter()
    try:
        # What is rare has to have happened too; that is so after 2,000 steps as a rule, or soon after.
        limit = max(2 * STEPS, STEPS_FOR_WHAT_IS_RARE)
        while (missing := STEPS - Newsroom.happened["step"]) > 0 or (unseen() and STEPS - missing < limit):
            profile = settings(
                max_examples=1 + max(4, -(-missing // STEPS_A_STORY)),
                stateful_step_count=STEPS_A_STORY,
                deadline=None,
                database=None,
                print_blob=True,
                suppress_health_check=list(HealthCheck),
                # What fails is at most a day's work long, and time does not pass twice in the same way.
                phases=[Phase.generate],
                report_multiple_bugs=False,
            )
            run_state_machine_as_test(Newsroom, settings=profile)
    finally:
        print(f"{Newsroom.happened['step']} steps: {dict(sorted(Newsroom.happened.items()))}")
    assert Newsroom.happened["step"] >= STEPS
    assert unseen() == []
