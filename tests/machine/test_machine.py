"""The six promises, held against a naive model after every step of whatever people may think of.

Several people write, sign, refuse, take back, arm, hold and let time pass at random, in stories of their own,
on the real PostgreSQL with all its guards and its own clock. `model` says what has to be accepted and what
refused, and what anybody may read; whatever differs fails, with all the moves that led there.

`NEWSROOM_STEPS` says how many steps to take: see CONTRIBUTING.md.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from time import sleep
from typing import Any, ClassVar

import pytest
from django.db import connection, transaction
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

from approvals import clearing
from approvals.models import ALL, Deputyship, Desk, PinnedStep, Standing
from approvals.models import Decision as DecisionRow
from approvals.models import Step as RouteStep
from newsroom import releasing
from newsroom.models import Disarm, Release
from stories import drafting, record, remarks
from stories.clocks import database_now
from stories.models import Entry, Intake, User, WorkingCopy
from stories.models import Revision as RevisionRow
from stories.models import Story as StoryRow
from stories.moments import Moment

from . import wording
from .model import Decision, Revision, Step, Story
from .model import Deputyship as Stands
from .world import World, build

STEPS = int(os.environ.get("NEWSROOM_STEPS", "2000"))
STEPS_A_STORY = 50
NEVER = "/news/never-was-written/"
INSTANT = timedelta(microseconds=1)
#: What is sent in the place of an instant: how far ahead it lies.
AHEAD = {"now": None, "soon": 0.03, "in a moment": 0.15, "later": 3600.0, "past": -1.0}
#: What has to have happened, or the machine has proved little.
SEEN = [
    "saved", "restored", "stale save", "kept", "requested", "cleared", "clear: FourEyes",
    "clear: NotDeputy", "clear: NotOpen", "clear: Moved", "clear: NotAsked", "changes asked", "refused",
    "taken back", "take back: NotYours", "take back: NotStanding", "take back: AlreadyPublic",
    "disarmed by a decision", "armed", "released now", "armed again", "arm: NotCleared",
    "arm: AlreadyPublic", "arm: PastEmbargo", "held", "lifted", "disarmed", "announced", "not announced",
    "public", "public after a correction was tried",
]  # fmt: skip

ADDRESSES = ("first", "second", "third", "fourth")
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
]
MOODS = {
    "clearing": CLEARING,
    "drafting": DRAFTING + CLEARING,
    "releasing": RELEASING,
    "standing in": STANDING_IN,
    "the whole": DRAFTING + CLEARING + RELEASING,
}
MOVES = [
    "draft", "edit", "readdress", "restore", "bring_back", "save_over_newer_words",
    "type_without_saving", "plan", "request", "request", "readdress", "decide",
    "decide_on_a_step_of_before", "take_back", "all_sign", "join_or_leave", "go_or_come_back", "appoint",
    "end_deputyships", "change_a_route", "arm", "rush", "arm_the_same_again", "hold", "lift", "disarm",
    "announce", "let_time_pass",
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
        here = [story for story in self.model.stories if not story.is_public(now)]
        return pick(here if here and n % 4 else self.model.stories, n // 4)

    @contextmanager
    def may_be_refused(self, what: str, why: Callable[[datetime], set[str]]) -> Iterator[None]:
        """Within it a verb is called: refused for a reason that the model has too, accepted where none."""
        before = why(database_now())
        refused: Exception | None = None
        try:
            yield
        except REFUSED as refusal:
            refused = refusal
        if refused is None:
            assert not before, f"{what} was accepted, the model has {before}"
            return
        found = before | why(database_now())
        assert name_of(refused) & found, f"{what}: {refused!r}, the model knows of {found or 'no reason'}"
        self.did(f"{what}: {type(refused).__name__}")

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
        if len(self.model.stories) == len(ADDRESSES):
            return
        slug = ADDRESSES[len(self.model.stories)]
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

        decision = None
        on_behalf = self.user(behalf) if behalf else None
        with self.may_be_refused({"cleared": "clear", "changes": "ask", "refused": "refuse"}[verdict], why):
            decision = verb(
                step=row, revision=revision, covered=digest, by=self.user(by), on_behalf=on_behalf, **more
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
        armed, visible_from = story.armed, story.visible_from
        self.decided[row.pk] = row
        story.decide(decision)
        if decision.verdict == "cleared" or armed is None:
            return
        disarmed = Disarm.objects.filter(release=armed.id).exists()
        if visible_from is None or visible_from > database_now():
            assert disarmed, "a decision against the words left the release armed"
        if visible_from is not None and visible_from <= row.at:
            assert not disarmed, "what is public was called off"
        if disarmed:
            story.disarmed.add(armed.id)
            self.did("disarmed by a decision")
        elif decision.verdict == "taken_back":
            taken = next(one for one in story.decisions if one.id == row.takes_back_id)
            assert taken.id not in armed.signed, "the public reads what is not signed any more"

    def take_back(self, n: int, who: int, number: int) -> None:
        story = self.story(n)
        if not story.decisions:
            return
        decision = pick(reversed(story.decisions[-6:]), number)
        by = self.anybody(who).pk if who % 3 == 0 else pick([decision.by, decision.authority], who)
        self.do_take_back(story, decision, by)

    def do_take_back(self, story: Story, decision: Decision, by: int) -> None:
        row = None
        gone = {"not_yours"} if by in self.model.gone else set()
        with self.may_be_refused("take back", lambda at: story.may_take_back(decision, by, at) | gone):
            row = clearing.take_back(decision=self.decided[decision.id], by=self.user(by))
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
        self.do_arm(story, place, ahead, self.anybody(who))

    def do_arm(self, story: Story, number: int, ahead: str, by: User) -> None:
        seconds, before = AHEAD[ahead], story.armed
        embargo = None if seconds is None else database_now().astimezone(UTC) + timedelta(seconds=seconds)
        row = None
        with self.may_be_refused("arm", lambda at: story.may_arm(number, embargo, at)):
            row = releasing.arm(
                revision=self.revision(story, number),
                by=by,
                moment=embargo and Moment(embargo, "UTC"),
            )
        if row:
            assert row.embargo == (embargo or row.at)
            story.arm(row.pk, row.embargo, row.at)
            self.did("released now" if embargo is None else "armed again" if before else "armed")
            self.read_by_others(story)

    def read_by_others(self, story: Story) -> None:
        """Nobody cleared their own words: each text was signed by somebody who did not write it."""
        unread = story.unread(story.newest)
        assert not unread, f"nobody but their writers signed {unread}"

    def rush(self, n: int, who: int, number: int) -> None:
        """Requested, signed and armed, as far as it goes."""
        story, ahead = self.story(n), pick([*AHEAD, *["later"] * 6], number + 1)
        if not story.steps:
            self.do_request(story, pick(self.world.routes, n).pk)
        self.do_sign(story)
        self.do_arm(story, story.newest, ahead, self.world.people[5])

    def arm_the_same_again(self, n: int, who: int, number: int) -> None:
        story = self.story(n)
        armed = story.armed
        if armed is None:
            return
        same = releasing.arm(
            revision=self.revision(story, armed.revision),
            by=self.world.people[5],
            moment=Moment(armed.embargo.astimezone(UTC), "UTC"),
        ) if Release.objects.get(pk=armed.id).zone == "UTC" else None  # fmt: skip
        assert same is None or same.pk == armed.id

    def hold(self, n: int, who: int, number: int) -> None:
        story, row = self.story(n), None
        with self.may_be_refused("hold", story.may_hold):
            row = releasing.hold(story=self.rows[story.id], by=self.world.people[5], reason="Wait.")
        if row:
            story.hold = row.pk
            self.did("held")

    def lift(self, n: int, who: int, number: int) -> None:
        story = self.story(n)
        try:
            row = releasing.unhold(story=self.rows[story.id], by=self.world.people[5])
        except releasing.NotHeld:
            assert story.hold is None
        else:
            assert row.hold_id == story.hold
            story.hold = None
            story.lifts.append(row.at)
            self.did("lifted")

    def disarm(self, n: int, who: int, number: int) -> None:
        armed = [story for story in self.model.stories if story.armed and not story.is_public(database_now())]
        story, row = pick(armed if armed and who % 3 else self.model.stories, n), None
        with self.may_be_refused("disarm", story.may_disarm):
            row = releasing.disarm(story=self.rows[story.id], by=self.world.people[5], reason="Not today.")
        if row:
            assert story.armed
            assert row.release_id == story.armed.id
            story.disarmed.add(row.release_id)
            self.did("disarmed")

    def announce(self, n: int, who: int, number: int) -> None:
        now = database_now()
        released = [story for story in self.model.stories if story.releases]
        released = [story for story in released if story.is_public(now)] or released
        if not released:
            return
        story = pick(released, n)
        release = pick(reversed(story.releases), number).id
        before = story.may_announce(release, database_now())
        receipt = releasing.announce(release_id=release, worker="the machine")
        after = story.may_announce(release, database_now())
        assert before <= (receipt is not None) <= after
        if receipt:
            assert receipt.due == story.visible_from
            story.announced.add(release)
        self.did("announced" if receipt else "not announced")

    def let_time_pass(self, n: int, who: int, number: int) -> None:
        """Until the next embargo, if one is near."""
        now = database_now()
        coming = [story.visible_from for story in self.model.stories if story.visible_from]
        near = [at for at in coming if timedelta() < at - now < timedelta(seconds=1)]
        if near:
            sleep((min(near) - now).total_seconds() + 0.001)
            self.did("time passed")

    # What has to be so after each step

    @invariant()
    def the_promises_hold(self) -> None:
        self.turn += 1
        self.did("step")
        self.steps_stand_as_they_should()
        self.public_is_what_should_be()
        # What was refused changed nothing: then the pages are looked at every fourth time.
        if self.nothing_is_lost() or self.turn % 4 == 0:
            self.pages_show_what_was_cleared()

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

    def public_is_what_should_be(self) -> None:
        """The predicate, now and around each instant that counts: neither early nor late."""
        instants = {story.visible_from for story in self.model.stories} - {None}
        instants |= {story.armed.embargo for story in self.model.stories if story.armed}
        around = [at + off for at in instants if at for off in (-INSTANT, INSTANT * 0)]
        for at in [*around, datetime(2999, 1, 1, tzinfo=UTC)]:
            should = {story.armed.id for story in self.model.stories if story.armed and story.is_public(at)}
            assert set(Release.objects.public(at=at).values_list("pk", flat=True)) == should, at
        before = database_now()
        now = set(Release.objects.public().values_list("pk", flat=True))
        after = database_now()
        for story in self.model.stories:
            if story.armed and story.is_public(before) == story.is_public(after):
                assert (story.armed.id in now) == story.is_public(before)
        assert now <= {story.armed.id for story in self.model.stories if story.armed}

    def pages_show_what_was_cleared(self) -> None:
        before = database_now()
        answers = {address: self.browser.get(f"/news/{address}/") for address in sorted(self.addresses)}
        never = self.browser.get(NEVER)
        listing = pick(("/", "/feed.atom", "/sitemap.xml"), self.turn)
        listed = set(wording.WORD.findall(self.browser.get(listing).content.decode()))
        after = database_now()
        words: set[str] = set()
        for address, answer in answers.items():
            story = self.model.holder_of(address)
            if story is None or not story.is_public(after):
                found = (answer.status_code, answer.content, dict(answer.headers))
                assert found == (never.status_code, never.content, dict(never.headers)), address
            elif story.is_public(before):
                assert answer.status_code == 200, address
                assert story.armed
                content = story.revisions[story.armed.revision].content
                on_page = set(wording.WORD.findall(answer.content.decode()))
                assert wording.shown(content) <= on_page
                assert on_page <= set(wording.WORD.findall(str(content)))
                for block in content["body"]:
                    assert block["html"] in answer.content.decode()
                self.did("public")
                if len(story.revisions) - 1 > story.armed.revision:
                    self.did("public after a correction was tried")
            if story and story.armed and story.is_public(after):
                words |= set(wording.WORD.findall(str(story.revisions[story.armed.revision].content)))
                headline = wording.WORD.findall(story.revisions[story.armed.revision].content["headline"])
                if story.is_public(before) and listing != "/sitemap.xml":
                    assert set(headline) <= listed
        assert listed <= words

    def nothing_is_lost(self) -> bool:
        """The record only grows, every draft and every fact is there; whether there is a new one."""
        chain = list(
            Entry.objects.filter(story__in=list(self.rows))
            .order_by("pk")
            .values_list("story", "number", "hash")
        )
        assert chain[: len(self.chain)] == self.chain
        grown, self.chain = chain != self.chain, chain
        if grown or self.turn % 10 == 0:
            assert list(record.verify()) == []
        counts = Counter(Entry.objects.filter(story__in=list(self.rows)).values_list("source", flat=True))
        stories = self.model.stories
        assert counts["stories_revision"] == sum(len(story.revisions) for story in stories)
        assert counts["approvals_decision"] == sum(len(story.decisions) for story in stories)
        assert counts["newsroom_release"] == sum(len(story.releases) for story in stories)
        assert counts["newsroom_disarm"] == sum(len(story.disarmed) for story in stories)
        assert counts["newsroom_holdlift"] == sum(len(story.lifts) for story in stories)
        assert counts["newsroom_announcement"] == sum(len(story.announced) for story in stories)
        copies = {
            (copy.story_id, copy.by_id): copy.fields
            for copy in WorkingCopy.objects.filter(story__in=list(self.rows))
        }
        assert copies == self.copies
        return grown


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
        while (missing := STEPS - Newsroom.happened["step"]) > 0 or (unseen() and -missing < STEPS):
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
