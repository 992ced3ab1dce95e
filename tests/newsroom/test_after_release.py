"""What happens to a story that is public: corrections, updates, withdrawals; and what stops every story."""

import json
import re
from datetime import UTC, datetime, timedelta
from time import sleep

import pytest
from django.db import Error, connection, connections, transaction
from lxml import etree

from approvals import clearing
from newsroom import releasing, visibility
from newsroom.models import (
    Delivery,
    Disarm,
    HoldAll,
    HoldAllLift,
    Kind,
    Move,
    Release,
    Subscriber,
    Visibility,
    Withdrawal,
)
from stories import record
from stories.clocks import database_now
from stories.models import Revision, Story
from stories.moments import Moment
from tests.newsroom.racing import race

pytestmark = pytest.mark.django_db

PAGE = "/news/footbridge-harrow-weir/"
ATOM = "{http://www.w3.org/2005/Atom}"
NOTE = "The bridge is 42 metres long, and was given as 40."


def ahead(**length: float) -> Moment:
    """A moment by the database's clock."""
    return Moment(database_now().astimezone(UTC) + timedelta(**length), "Europe/London")


def corrected(newsroom, story: Story, **changes) -> Revision:
    """The next words of a public story, cleared."""
    revision = newsroom.edit(story, **{"headline": "New footbridge is 42 metres long", **changes})
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    if changes.get("body"):
        newsroom.sign(revision, newsroom.private_office, newsroom.secretary)
    return revision


def correct(newsroom, release: Release, *, kind: str = Kind.CORRECTION, moment=None, **changes) -> Release:
    """A correction of what is public, armed."""
    return releasing.arm(
        revision=corrected(newsroom, release.story, **changes),
        by=newsroom.officer,
        moment=moment,
        kind=kind,
        note=NOTE,
    )


def public() -> list[Release]:
    return list(Release.objects.public())


def let_pass(release: Release) -> None:
    """Wait until the moment of a release has gone by."""
    sleep(max(0, (release.embargo - database_now()).total_seconds()) + 0.05)


def whole() -> bool:
    """Whether the record is, and the read model follows from the facts."""
    return list(record.verify()) == list(visibility.differences()) == []


# Corrections and updates


def test_a_correction_takes_the_place_of_what_was_public(newsroom, client):
    first = newsroom.public()
    second = correct(newsroom, first)
    assert public() == [second]
    assert second.follows == first
    text = client.get(PAGE).content.decode()
    assert "New footbridge is 42 metres long" in text
    assert "New footbridge opens" not in text
    assert NOTE in text
    assert "First published" in text
    assert whole()


def test_its_note_is_dated_and_machines_are_told(newsroom, client):
    first = newsroom.public()
    second = correct(newsroom, first)
    page = client.get(PAGE).content.decode()
    data = json.loads(re.search(r'ld\+json">(.*?)</script>', page, re.DOTALL).group(1))
    published = first.embargo.replace(microsecond=0)
    updated = second.embargo.replace(microsecond=0)
    assert datetime.fromisoformat(data["datePublished"]) == published
    assert datetime.fromisoformat(data["dateModified"]) == updated
    assert [one["text"] for one in data["correction"]] == [NOTE]
    entry = etree.fromstring(client.get("/feed.atom").content).find(f"{ATOM}entry")
    assert datetime.fromisoformat(entry.findtext(f"{ATOM}published")) == published
    assert datetime.fromisoformat(entry.findtext(f"{ATOM}updated")) == updated


def test_a_small_update_changes_no_feed(newsroom, client):
    first = newsroom.public()
    correct(newsroom, first, kind=Kind.MINOR)
    entry = etree.fromstring(client.get("/feed.atom").content).find(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}published") == entry.findtext(f"{ATOM}updated")
    page = client.get(PAGE).content.decode()
    assert f"Update: {NOTE}" in page
    assert 'class="notice"' not in page


def test_a_correction_can_wait_for_its_moment(newsroom, client):
    first, moment = newsroom.public(), ahead(hours=1)
    before = client.get(PAGE).content
    second = correct(newsroom, first, moment=moment)
    assert public() == [first]
    assert client.get(PAGE).content == before
    assert list(Release.objects.public(moment.instant - timedelta(microseconds=1))) == [first]
    assert list(Release.objects.public(moment.instant)) == [second]
    assert whole()


def test_the_list_keeps_its_order_when_an_old_story_is_corrected(newsroom, client):
    old = newsroom.public(slug="old", headline="Old")
    newsroom.public(slug="young", headline="Young")
    correct(newsroom, old, headline="Old, mended")
    text = client.get("/").content.decode()
    assert text.index("Young") < text.index("Old, mended")


def test_what_is_public_needs_a_kind_and_a_note(newsroom):
    revision = corrected(newsroom, newsroom.public().story)
    with pytest.raises(releasing.AlreadyPublic, match="as a correction or an update"):
        releasing.arm(revision=revision, by=newsroom.officer, moment=None)
    with pytest.raises(releasing.NoteMissing):
        releasing.arm(revision=revision, by=newsroom.officer, moment=None, kind=Kind.CORRECTION, note=" \n")
    with pytest.raises(releasing.NotPublic):
        releasing.arm(
            revision=newsroom.cleared(slug="b"), by=newsroom.officer, moment=None, kind=Kind.MAJOR, note=NOTE
        )
    assert Release.objects.count() == 1


def test_a_correction_is_cleared_like_anything_else(newsroom):
    story = newsroom.public().story
    revision = newsroom.edit(story, headline="Nobody read this")
    with pytest.raises(releasing.NotCleared):
        releasing.arm(revision=revision, by=newsroom.officer, moment=None, kind=Kind.CORRECTION, note=NOTE)
    own = newsroom.edit(story, by=newsroom.lawyer, headline="Of my own")
    with pytest.raises(clearing.FourEyes):
        newsroom.sign(own, newsroom.legal, newsroom.lawyer)


def test_the_very_same_words_correct_nothing(newsroom):
    release = newsroom.public()
    newsroom.edit(release.story, headline="Something else")
    revision = newsroom.edit(release.story, headline=release.revision.headline)
    with pytest.raises(releasing.SameWords):
        releasing.arm(revision=revision, by=newsroom.officer, moment=None, kind=Kind.MAJOR, note=NOTE)


def test_a_correction_that_is_called_off_or_held_leaves_what_is_public(newsroom):
    first = newsroom.public()
    second = correct(newsroom, first, moment=ahead(hours=1))
    releasing.hold(story=first.story, by=newsroom.officer, reason="Wait")
    assert Visibility.objects.get(release=second).visible_from is None
    assert Visibility.objects.get(release=first).visible_until is None
    assert public() == [first]
    releasing.unhold(story=first.story, by=newsroom.officer)
    releasing.disarm(story=first.story, by=newsroom.officer, reason="No")
    assert public() == [first]
    assert not Visibility.objects.filter(release=second).exists()
    with pytest.raises(releasing.AlreadyPublic):
        releasing.hold(story=first.story, by=newsroom.officer, reason="Too late")
    assert whole()


def test_an_objection_disarms_the_correction_and_nothing_else(newsroom):
    first = newsroom.public()
    second = correct(newsroom, first, moment=ahead(hours=1))
    step = newsroom.step(first.story, newsroom.legal)
    clearing.ask_for_changes(
        step=step,
        revision=second.revision,
        covered=second.revision.digest,
        by=newsroom.second_lawyer,
        reason="Wrong again",
    )
    assert Disarm.objects.get().release == second
    assert public() == [first]


def test_corrections_of_corrections_are_all_told(newsroom, client):
    release = newsroom.public()
    for number in range(3):
        release = correct(newsroom, release, headline=f"Mended {number}")
    assert client.get(PAGE).content.decode().count("Correction: ") == 3
    assert [row.visible_until is None for row in Visibility.objects.order_by("pk")] == [False] * 3 + [True]
    assert len({row.first_from for row in Visibility.objects.all()}) == 1
    assert whole()


# Addresses


def test_an_address_that_was_left_leads_to_the_new_one(newsroom, client):
    first = newsroom.public()
    second = correct(newsroom, first, slug="harrow-weir-bridge")
    answer = client.get(PAGE)
    assert (answer.status_code, answer["Location"]) == (301, "/news/harrow-weir-bridge/")
    assert answer["Cache-Control"] == "no-cache"
    assert client.get("/news/harrow-weir-bridge/").status_code == 200
    correct(newsroom, second, slug="third-address", headline="Third")
    assert client.get(PAGE)["Location"] == "/news/third-address/"


def test_a_new_address_is_not_there_before_its_moment(newsroom, client):
    first = newsroom.public()
    correct(newsroom, first, slug="harrow-weir-bridge", moment=ahead(hours=1))
    soon, never = client.get("/news/harrow-weir-bridge/"), client.get("/news/never/")
    assert (soon.status_code, soon.content) == (404, never.content)
    assert dict(soon.headers) == dict(never.headers)
    assert client.get(PAGE).status_code == 200


def test_an_address_that_the_public_has_seen_is_never_anybody_elses(newsroom):
    first = newsroom.public()
    correct(newsroom, first, slug="harrow-weir-bridge")
    with pytest.raises(releasing.AddressTaken):
        newsroom.armed(headline="Another")
    releasing.withdraw(story=first.story, by=newsroom.officer, reason="Wrong")
    with pytest.raises(releasing.AddressTaken):
        newsroom.armed(headline="Another")


# Withdrawn and killed


def test_what_is_withdrawn_says_so_and_why_and_nothing_else(newsroom, client):
    release = newsroom.public()
    gone = releasing.withdraw(story=release.story, by=newsroom.officer, reason="It was another bridge.")
    assert gone.release == release
    assert public() == []
    answer = client.get(PAGE)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "It was another bridge." in text
    assert "noindex" in text
    assert "Nobody will have to wade" not in text
    for path in ("/", "/feed.atom", "/sitemap.xml"):
        assert "footbridge" not in client.get(path).content.decode()
    assert whole()


def test_what_is_killed_is_gone(newsroom, client):
    release = newsroom.public()
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Leaked names", kill=True)
    answer = client.get(PAGE)
    assert answer.status_code == 410
    assert "footbridge" not in answer.content.decode().lower()
    assert "Leaked names" not in answer.content.decode()
    with pytest.raises(releasing.Killed):
        releasing.withdraw(story=release.story, by=newsroom.officer, reason="Again", kill=True)
    revision = newsroom.edit(release.story, headline="Back")
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    with pytest.raises(releasing.Killed):
        releasing.arm(revision=revision, by=newsroom.officer, moment=None)


def test_what_was_withdrawn_can_be_killed_and_can_come_back(newsroom, client):
    release = newsroom.public()
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Wrong")
    with pytest.raises(releasing.NotPublic):
        releasing.withdraw(story=release.story, by=newsroom.officer, reason="Wrong once more")
    revision = corrected(newsroom, release.story, headline="Right")
    back = releasing.arm(revision=revision, by=newsroom.officer, moment=None)
    assert public() == [back]
    assert back.follows is None
    assert "Right" in client.get(PAGE).content.decode()
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Wrong again")
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Enough", kill=True)
    assert client.get(PAGE).status_code == 410
    assert [one.kill for one in Withdrawal.objects.order_by("pk")] == [False, False, True]
    assert whole()


def test_a_correction_that_waits_dies_with_what_it_corrects(newsroom):
    first = newsroom.public()
    second = correct(newsroom, first, moment=ahead(hours=1))
    releasing.withdraw(story=first.story, by=newsroom.officer, reason="All of it is wrong")
    assert list(Release.objects.public(ahead(hours=2).instant)) == []
    assert not Visibility.objects.filter(release=second).exists()
    with pytest.raises(releasing.NotArmed):
        releasing.disarm(story=first.story, by=newsroom.officer, reason="No")
    assert whole()


def test_what_nobody_can_read_is_not_withdrawn(newsroom):
    story = newsroom.armed().story
    for kill in (False, True):
        with pytest.raises(releasing.NotPublic):
            releasing.withdraw(story=story, by=newsroom.officer, reason="Early", kill=kill)
    with pytest.raises(releasing.ReasonMissing):
        releasing.withdraw(story=newsroom.public(slug="b").story, by=newsroom.officer, reason=" ")
    assert not Withdrawal.objects.exists()


def test_a_newer_release_than_was_on_the_screen_is_not_withdrawn(newsroom):
    first = newsroom.public()
    correct(newsroom, first)
    with pytest.raises(releasing.Moved):
        releasing.withdraw(story=first.story, by=newsroom.officer, reason="Wrong", release=first.pk)


def test_a_withdrawn_story_is_not_announced(newsroom):
    release = newsroom.public()
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Wrong")
    assert releasing.announce(release_id=release.pk, worker="late") is None
    assert releasing.due(database_now()) == []
    assert releasing.waits([release.pk]) == {}


def test_what_was_corrected_before_the_withdrawal_is_not_announced_either(newsroom):
    """No worker was there for the first release: nobody is sent what has been taken back meanwhile."""
    first = newsroom.public()
    correct(newsroom, first)
    releasing.withdraw(story=first.story, by=newsroom.officer, reason="Wrong", kill=True)
    assert releasing.due(database_now()) == []
    assert releasing.announce(release_id=first.pk, worker="late") is None
    assert not Release.objects.public(first.embargo).exists()
    assert whole()


# The moment is moved


def test_a_moment_is_moved_both_ways(newsroom):
    release = newsroom.armed()
    for moment in (ahead(hours=3), ahead(minutes=5)):
        armed = Visibility.objects.get()
        releasing.move(
            story=release.story,
            by=newsroom.officer,
            moment=moment,
            reason="The minister asked",
            seen=(armed.pk, armed.moment),
        )
        assert Visibility.objects.get().visible_from == moment.instant
    assert Release.objects.get().moment == release.moment
    assert Move.objects.count() == 2
    assert record.words(record.lines(release.story)[0]).title.startswith("Embargo moved to")
    assert whole()


def test_a_move_of_what_was_not_on_the_screen_is_refused(newsroom):
    release = newsroom.armed()
    seen = (release.pk, release.moment)
    move = {"story": release.story, "by": newsroom.officer, "reason": "Later"}
    releasing.move(**move, moment=ahead(hours=3), seen=seen)
    with pytest.raises(releasing.Moved):
        releasing.move(**move, moment=ahead(hours=4), seen=seen)
    armed = Visibility.objects.get()
    with pytest.raises(releasing.PastEmbargo):
        releasing.move(**move, moment=ahead(seconds=-1), seen=(armed.pk, armed.moment))
    with pytest.raises(releasing.FarEmbargo):
        releasing.move(**move, moment=ahead(days=4000), seen=(armed.pk, armed.moment))
    with pytest.raises(releasing.ReasonMissing):
        releasing.move(**{**move, "reason": ""}, moment=ahead(hours=4), seen=(armed.pk, armed.moment))
    assert Move.objects.count() == 1


def test_what_is_public_does_not_move(newsroom):
    release = newsroom.public()
    with pytest.raises(releasing.NotArmed):
        releasing.move(
            story=release.story,
            by=newsroom.officer,
            moment=ahead(hours=1),
            reason="Back",
            seen=(release.pk, release.moment),
        )
    with pytest.raises(Error, match="not armed, or public"), transaction.atomic():
        Move.objects.create(
            story=release.story,
            by=newsroom.officer,
            release=release,
            embargo=ahead(hours=1).instant,
            zone="UTC",
            reason="Raw",
        )
    assert public() == [release]


# Everything is held


def test_while_everything_is_held_nothing_goes_out(newsroom, client):
    there = newsroom.public(slug="there", headline="There")
    soon = newsroom.armed(ahead=timedelta(seconds=3))
    releasing.hold_everything(by=newsroom.officer, reason="Something is wrong")
    let_pass(soon)
    now = newsroom.public(slug="now", headline="Now")
    assert public() == [there]
    assert client.get(PAGE).content == client.get("/news/never/").content
    assert releasing.due(database_now() + timedelta(hours=1)) == [(there.pk, there.embargo)]
    assert releasing.announce(release_id=soon.pk, worker="w") is None
    assert releasing.waits([soon.pk]) == {}
    lift = releasing.lift_everything(by=newsroom.officer)
    assert set(public()) == {there, soon, now}
    assert Visibility.objects.get(release=soon).visible_from == lift.at
    assert Visibility.objects.get(release=now).visible_from == lift.at
    assert Visibility.objects.get(release=there).visible_from == there.embargo
    assert whole()


def test_what_is_public_can_still_be_withdrawn_while_everything_is_held(newsroom, client):
    release = newsroom.public()
    releasing.hold_everything(by=newsroom.officer, reason="Stop")
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Wrong")
    assert public() == []
    assert "We have withdrawn this" in client.get(PAGE).content.decode()
    assert whole()


def test_a_correction_waits_as_well_while_everything_is_held(newsroom):
    first = newsroom.public()
    releasing.hold_everything(by=newsroom.officer, reason="Stop")
    second = correct(newsroom, first)
    assert public() == [first]
    assert second.follows == first
    releasing.lift_everything(by=newsroom.officer)
    assert public() == [second]
    assert whole()


def test_two_holds_of_everything_one_after_the_other(newsroom):
    release = newsroom.armed(ahead=timedelta(seconds=3))
    for before in ([], [release]):
        hold = releasing.hold_everything(by=newsroom.officer, reason="Stop")
        let_pass(release)
        assert public() == before
        lift = releasing.lift_everything(by=newsroom.officer, hold=hold.pk)
    # It was public from the first lift on, and stays so.
    assert Visibility.objects.get().visible_from == HoldAllLift.objects.order_by("pk")[0].at < lift.at
    assert public() == [release]
    assert whole()


def test_a_hold_of_everything_is_a_link_of_the_newsrooms_own_record(newsroom):
    story = newsroom.draft().story
    releasing.hold_everything(by=newsroom.officer, reason="Something is wrong")
    releasing.lift_everything(by=newsroom.officer)
    titles = [record.words(entry).title for entry in record.lines(None)[:2]]
    assert titles == ["Hold of everything lifted", "Everything held"]
    assert all(entry.story is None for entry in record.lines(None))
    assert record.lines(story).count() > 0
    assert whole()


def test_everything_is_held_and_lifted_once(newsroom):
    with pytest.raises(releasing.ReasonMissing):
        releasing.hold_everything(by=newsroom.officer, reason="")
    with pytest.raises(releasing.NotHeld):
        releasing.lift_everything(by=newsroom.officer)
    hold = releasing.hold_everything(by=newsroom.officer, reason="Stop")
    with pytest.raises(releasing.AlreadyHeld):
        releasing.hold_everything(by=newsroom.officer, reason="Stop")
    with pytest.raises(releasing.Moved):
        releasing.lift_everything(by=newsroom.officer, hold=hold.pk + 1)
    releasing.lift_everything(by=newsroom.officer, hold=hold.pk)
    with pytest.raises(releasing.NotHeld):
        releasing.lift_everything(by=newsroom.officer, hold=hold.pk)


@pytest.mark.parametrize("model", [HoldAll, HoldAllLift, Move, Withdrawal])
@pytest.mark.django_db(transaction=True)
def test_none_of_these_facts_is_changed_or_deleted(live_newsroom, model):
    release = live_newsroom.armed()
    releasing.move(
        story=release.story,
        by=live_newsroom.officer,
        moment=ahead(hours=2),
        reason="Later",
        seen=(release.pk, release.moment),
    )
    releasing.withdraw(story=live_newsroom.public(slug="b").story, by=live_newsroom.officer, reason="Wrong")
    releasing.hold_everything(by=live_newsroom.officer, reason="Stop")
    releasing.lift_everything(by=live_newsroom.officer)
    table = model._meta.db_table
    for using in ("default", "owner"):
        for sql in (f"DELETE FROM {table}", f"UPDATE {table} SET at = at"):
            with pytest.raises(Error), transaction.atomic(using), connections[using].cursor() as cursor:
                cursor.execute(sql)
    assert model.objects.count() == 1


@pytest.mark.parametrize(
    "sql",
    [
        """INSERT INTO newsroom_withdrawal (story_id, by_id, release_id, kill, reason)
        SELECT story_id, by_id, id, false, 'x' FROM newsroom_release""",
        """INSERT INTO newsroom_release (story_id, by_id, revision_id, embargo, zone, kind, note)
        SELECT story_id, by_id, revision_id, now(), 'UTC', 'correction', 'x' FROM newsroom_release""",
        "INSERT INTO newsroom_holdalllift (by_id, hold_id) SELECT by_id, 1 FROM newsroom_release",
        "SELECT refresh_stopped(1, now())",
        "SELECT lock_newsroom()",
    ],
)
def test_raw_sql_gets_nothing_out_or_away(newsroom, sql):
    release = newsroom.armed()
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert public() == []
    assert Visibility.objects.get().release == release


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_a_withdrawal_and_a_correction_at_once(self, live_newsroom):
        for number in range(5):
            release = live_newsroom.public(slug=f"s-{number}")
            revision = corrected(live_newsroom, release.story)

            def put_right(revision: Revision = revision) -> None:
                releasing.arm(
                    revision=revision, by=live_newsroom.officer, moment=None, kind=Kind.CORRECTION, note=NOTE
                )

            def take_back(story: Story = release.story) -> None:
                releasing.withdraw(story=story, by=live_newsroom.officer, reason="Wrong")

            acts = (put_right, take_back)
            outcomes = race(2, lambda number, acts=acts: acts[number]())
            assert all(one is None or isinstance(one, releasing.Refused) for one in outcomes)
            # Whichever came second knew of the first: what was withdrawn is what was public then.
            assert not Release.objects.public().filter(story=release.story).exists()
            assert whole()

    def test_all_is_held_while_many_arm_and_lift(self, live_newsroom):
        revisions = [live_newsroom.cleared(slug=f"s-{number}") for number in range(6)]

        def release(revision: Revision) -> None:
            releasing.arm(revision=revision, by=live_newsroom.officer, moment=None)

        def stop() -> None:
            releasing.hold_everything(by=live_newsroom.officer, reason="Stop")
            releasing.lift_everything(by=live_newsroom.officer)

        outcomes = race(7, lambda number: release(revisions[number]) if number < 6 else stop())
        assert outcomes == [None] * 7
        assert Release.objects.public().count() == 6
        assert whole()


# Who is told


def test_everybody_is_told_of_what_changed_and_of_what_was_taken_back(newsroom):
    Subscriber.objects.create(email="editor@paper.example")
    release = newsroom.public()
    releasing.announce(release_id=release.pk, worker="w")
    for kind in (Kind.CORRECTION, Kind.MINOR, Kind.MAJOR):
        release = correct(newsroom, release, kind=kind, headline=f"Changed: {kind}")
        receipt = releasing.announce(release_id=release.pk, worker="w")
        assert receipt is not None
    Delivery.objects.update(attempts=1)
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Wrong")
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Worse", kill=True)
    events = list(Delivery.objects.order_by("pk").values_list("event", flat=True))
    assert events == ["release", "correction", "update", "withdrawal", "kill"]
    assert len(set(Delivery.objects.values_list("key", flat=True))) == 5


def test_nobody_is_told_of_what_they_were_never_sent(newsroom):
    Subscriber.objects.create(email="editor@paper.example")
    release = newsroom.public()
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Wrong")
    assert not Delivery.objects.exists()
