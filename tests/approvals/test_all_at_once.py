"""Two clearers, two drafters and a releaser at the same instant, two hundred times.

Whatever comes first, the record has to be a history that the naive model of `tests.machine` would have taken
fact by fact: never a public story whose every word was not cleared, and never a deadlock.
"""

import os
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, timedelta
from random import Random
from threading import Barrier
from time import sleep
from typing import Any

import pytest
from django.db import Error, connections
from django.test import Client

from approvals import clearing, rules, standings
from approvals.models import Covers, Decision, Desk
from approvals.models import Step as RouteStep
from newsroom import releasing, visibility
from newsroom.models import Release
from stories import drafting, record
from stories.clocks import database_now
from stories.models import Story, User
from stories.moments import Moment
from tests.machine.model import Model, Step
from tests.machine.replay import replay
from tests.newsroom.racing import race
from tests.people import WORDS, Newsroom

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = int(os.environ.get("NEWSROOM_ROUNDS", "200"))
REFUSED = (clearing.Refused, drafting.Refused, releasing.Refused)
DEADLOCK = "40P01"
PARAGRAPH, QUOTE, LAST = WORDS["body"]


@dataclass
class Actor(ABC):
    """Somebody who does a few things, one after the other, with dice of their own."""

    room: Newsroom
    story: Story
    dice: Random

    @abstractmethod
    def moves(self) -> list[Callable[[], Any]]:
        """What they may do next."""

    def act(self) -> list[str]:
        """What became of each: the verb and what it gave, or how it was refused."""
        found = []
        for _ in range(self.dice.randrange(1, 4)):
            move = self.dice.choice(self.moves())
            sleep(self.dice.choice([0, 0, 0.001, 0.003]))
            try:
                done = move()
                found.append(f"{move.__name__}{'' if done else ': nothing to do'}")
            except REFUSED as refusal:
                found.append(f"{move.__name__}: {type(refusal).__name__}")
            except Error as error:
                state = getattr(error.__cause__, "sqlstate", "")
                found.append("deadlock" if state == DEADLOCK else f"{move.__name__}: {error!r}")
        return found


class Drafter(Actor):
    def writer(self) -> User:
        return self.room.drafter

    def moves(self) -> list[Callable[[], Any]]:
        return [self.edit, self.edit, self.edit_the_quote, self.restore, self.clear_own_words]

    def save(self, **changes: Any) -> Any:
        latest = Story.objects.get(pk=self.story.pk).latest
        content = {**latest.content, **changes}
        sleep(self.dice.choice([0, 0.002]))
        return drafting.save(story=self.story, by=self.writer(), content=content, based_on=latest.pk)

    def edit(self) -> Any:
        return self.save(summary=f"Summary {self.dice.random()}.")

    def edit_the_quote(self) -> Any:
        return self.save(body=[PARAGRAPH, {**QUOTE, "html": f"<p>Nobody, {self.dice.random()}.</p>"}])

    def restore(self) -> Any:
        """The words with which the story began, on which there may be sign-offs."""
        return self.save(**self.story.revisions.earliest("number").content)

    def clear_own_words(self) -> Any:
        return sign(self, self.room.drafter, self.room.legal)


class OtherDrafter(Drafter):
    def writer(self) -> User:
        return self.room.other_drafter

    def moves(self) -> list[Callable[[], Any]]:
        return [self.edit, self.restore, self.keep]

    def keep(self) -> Any:
        """What is typed is kept while others save."""
        fields = {"headline": str(self.dice.random())}
        return drafting.keep(story=self.story, by=self.writer(), base=None, fields=fields)


def sign(actor: Actor, by: User, desk: Desk, verb: Any = clearing.clear, **more: Any) -> Any:
    """Decide on what is there now; it may be there no more when the decision comes."""
    revision = Story.objects.get(pk=actor.story.pk).latest
    step = next((one for one in rules.progress(revision).steps if one.desk_id == desk.pk), None)
    if step is None or step.covered is None:
        return None
    sleep(actor.dice.choice([0, 0, 0.002]))
    return verb(step=step.step, revision=revision, covered=step.covered, by=by, **more)


class Lawyer(Actor):
    """The whole is theirs, and either of two may sign."""

    def desk(self) -> Desk:
        return self.room.legal

    def people(self) -> list[User]:
        return [self.room.lawyer, self.room.second_lawyer]

    def moves(self) -> list[Callable[[], Any]]:
        return [self.clear, self.clear, self.clear, self.ask, self.refuse, self.take_back]

    def clear(self) -> Any:
        return sign(self, self.dice.choice(self.people()), self.desk())

    def ask(self) -> Any:
        return sign(
            self, self.dice.choice(self.people()), self.desk(), clearing.ask_for_changes, reason="Why?"
        )

    def refuse(self) -> Any:
        return sign(self, self.dice.choice(self.people()), self.desk(), clearing.refuse, reason="No.")

    def take_back(self) -> Any:
        given = Decision.objects.filter(story=self.story, desk=self.desk()).exclude(verdict="taken_back")
        last = given.select_related("by").order_by("-id").first()
        return last and clearing.take_back(decision=last, by=last.by)


class Secretary(Lawyer):
    """The quotes are theirs."""

    def desk(self) -> Desk:
        return self.room.private_office

    def people(self) -> list[User]:
        return [self.room.secretary]


class Officer(Actor):
    def moves(self) -> list[Callable[[], Any]]:
        return [self.release_now, self.arm, self.arm, self.arm, self.hold, self.lift, self.lift, self.disarm]

    def release_now(self) -> Any:
        newest = Story.objects.get(pk=self.story.pk).latest
        return releasing.arm(revision=newest, by=self.room.officer, moment=None)

    def arm(self) -> Any:
        newest = Story.objects.get(pk=self.story.pk).latest
        instant = database_now().astimezone(UTC) + timedelta(seconds=self.dice.uniform(0.01, 0.15))
        return releasing.arm(revision=newest, by=self.room.officer, moment=Moment(instant, "UTC"))

    def hold(self) -> Any:
        return releasing.hold(story=self.story, by=self.room.officer, reason="Wait.")

    def lift(self) -> Any:
        return releasing.unhold(story=self.story, by=self.room.officer)

    def disarm(self) -> Any:
        return releasing.disarm(story=self.story, by=self.room.officer, reason="Not today.")


class Crew:
    """Threads that stay from round to round, each with a connection of its own."""

    def __init__(self, size: int) -> None:
        self.pool, self.gate = ThreadPoolExecutor(size), Barrier(size)

    def start(self, actor: Actor) -> list[str]:
        connections["default"].ensure_connection()
        self.gate.wait(timeout=60)
        return actor.act()

    def together(self, actors: list[Actor]) -> list[list[str]]:
        """What became of what each of them did, begun at one instant."""
        return list(self.pool.map(self.start, actors))

    def go_home(self) -> None:
        """Close every thread's connection."""
        gate = self.gate

        def close(_: int) -> None:
            gate.wait(timeout=60)
            connections.close_all()

        list(self.pool.map(close, range(gate.parties)))
        self.pool.shutdown()


def set_up(room: Newsroom, quorum: int) -> Model:
    """The drafter is on a desk too; the model is told of all."""
    room.legal.members.set([room.lawyer, room.second_lawyer, room.drafter])
    RouteStep.objects.filter(desk=room.legal).update(quorum=quorum)
    return Model(
        desks={
            room.legal.pk: {room.lawyer.pk, room.second_lawyer.pk, room.drafter.pk},
            room.private_office.pk: {room.secretary.pk},
        },
        routes={
            room.route.pk: [
                Step(room.legal.pk, Covers.EVERYTHING.value, quorum=quorum),
                Step(room.private_office.pk, Covers.QUOTES.value),
            ]
        },
    )


def test_never_a_story_that_was_not_cleared_and_never_a_deadlock(live_newsroom):
    room, seed = live_newsroom, int(os.environ.get("NEWSROOM_SEED", "0")) or Random().randrange(10**6)
    print(f"NEWSROOM_SEED={seed}")
    dice, happened, browser = Random(seed), Counter[str](), Client()
    kinds = (Drafter, OtherDrafter, Lawyer, Secretary, Officer)
    crew = Crew(len(kinds))
    try:
        for number in range(ROUNDS):
            model = set_up(room, quorum=dice.choice([1, 1, 2]))
            slug = f"round-{number}"
            # Most rounds begin where the last sign-off, or the release, is next.
            begin = dice.choice([room.cleared, room.cleared, room.submitted])
            revision = begin(slug=slug)
            story = revision.story
            if dice.random() < 0.25:
                with suppress(releasing.Refused):
                    Officer(room, story, dice).arm()
            actors = [kind(room, story, Random(dice.random())) for kind in kinds]
            for found in crew.together(actors):
                happened.update(found)
            settle(story)
            hold_against_the_model(model, story, browser, slug, happened)
    finally:
        crew.go_home()
        print(dict(sorted(happened.items())))
    assert happened["deadlock"] == 0
    assert [what for what in happened if "Error(" in what] == []
    assert list(record.verify()) == []
    assert [*standings.differences(), *visibility.differences()] == []
    enough(happened)


def settle(story: Story) -> None:
    """Until no embargo lies ahead."""
    for at in Release.objects.filter(story=story).values_list("embargo", flat=True):
        sleep(max(0, (at - database_now()).total_seconds() + 0.001))


def hold_against_the_model(
    model: Model, story: Story, browser: Client, slug: str, happened: Counter[str]
) -> None:
    told = replay(model, story.pk)
    public = Release.objects.public().filter(story=story).first()
    page = browser.get(f"/news/{slug}/")
    now = database_now()
    course, shown = told.course(now), told.public(now)
    ended = "public" if public else "held" if course.hold else "armed" if course.armed else "in"
    happened[f"ended {ended}"] += 1
    assert (public and public.pk) == (shown and shown.release.id)
    assert page.status_code == (200 if public else 404)
    if public:
        assert shown
        content = told.revisions[shown.release.revision].content
        for words in (content["headline"], content["summary"], *(block["html"] for block in content["body"])):
            assert words in page.content.decode()
        if told.revisions[-1].content != content:
            happened["public, with newer words that are not"] += 1


def enough(happened: Counter[str]) -> None:
    """Much of it has really come in between: else nothing was shown."""
    if ROUNDS < 200:
        return
    least = {
        "ended public": 3,
        "ended in": 3,
        "clear": 10,
        "clear: Moved": 1,
        "edit": 10,
        "clear_own_words: FourEyes": 5,
        "arm": 1,
        "arm: NotCleared": 3,
        "take_back": 3,
        "public, with newer words that are not": 1,
    }
    assert {what: happened[what] for what, count in least.items() if happened[what] < count} == {}
    assert sum(count for what, count in happened.items() if what.endswith("AlreadyPublic")) >= 1


def test_two_stories_that_take_each_others_address_at_once_wait_for_nobody_for_ever(live_newsroom):
    """Each is armed, and armed anew for the address of the other."""
    room = live_newsroom
    for number in range(20):
        slugs = [f"one-{number}", f"two-{number}"]
        armed = [room.armed(slug=slug) for slug in slugs]
        newest = [
            room.edit(release.story, slug=slug) for release, slug in zip(armed, slugs[::-1], strict=True)
        ]
        for revision in newest:
            room.sign(revision, room.legal, room.lawyer)
        moment = armed[0].moment
        found = race(2, lambda who, newest=newest, moment=moment: releasing.arm(
            revision=newest[who], by=room.officer, moment=moment))  # fmt: skip
        assert [one for one in found if not isinstance(one, Release | releasing.AddressTaken)] == []
    assert list(visibility.differences()) == []
