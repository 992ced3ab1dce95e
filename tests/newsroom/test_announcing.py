"""Announcing many in one go: those that can be, each once, and none where one of them cannot be."""

from datetime import timedelta
from threading import Event

import pytest
from django.db import DatabaseError, connections, transaction

from newsroom import bundling, delivering, releasing, tasks, visibility
from newsroom.models import Announcement, Chosen, Delivery, Kind, Release, Subscriber, TagKind
from stories import record
from stories.models import Story
from tests.newsroom.racing import race
from tests.newsroom.test_after_release import correct, let_pass

pytestmark = pytest.mark.django_db


def announce(*releases: Release, worker: str = "test") -> set[int]:
    receipts = releasing.announce_together(release_ids=[release.pk for release in releases], worker=worker)
    return {receipt.release_id for receipt in receipts}


def whole() -> bool:
    return list(record.verify()) == list(visibility.differences()) == []


@pytest.fixture
def reader(db: None) -> Subscriber:
    return Subscriber.objects.create(email="editor@paper.example")


def test_each_gets_its_receipt_and_its_deliveries(newsroom, reader):
    releases = [newsroom.public(slug=f"story-{number}") for number in range(3)]
    assert announce(*releases, worker="worker 2") == {release.pk for release in releases}
    for release in releases:
        receipt = Announcement.objects.get(release=release)
        assert (receipt.due, receipt.worker, receipt.story) == (release.embargo, "worker 2", release.story)
        assert [delivery.recipient for delivery in release.deliveries.all()] == [reader.email]
    assert whole()


def test_what_is_not_to_be_announced_is_left(newsroom, reader):
    public, later = newsroom.public(slug="public"), newsroom.armed(slug="later")
    done, held = newsroom.public(slug="done"), newsroom.armed(slug="held")
    releasing.announce(release_id=done.pk, worker="test")
    releasing.hold(story=held.story, by=newsroom.officer, reason="Wait.")
    assert announce(public, later, done, held) == {public.pk}
    assert announce(public, later, done, held) == announce() == set()
    assert Announcement.objects.count() == 2
    assert whole()


def test_nothing_is_while_everything_is_held(newsroom):
    release = newsroom.armed(ahead=timedelta(seconds=0.5))
    releasing.hold_everything(by=newsroom.officer, reason="A fire.")
    let_pass(release)
    assert announce(release) == set()
    releasing.lift_everything(by=newsroom.officer)
    assert announce(release) == {release.pk}


def test_a_bundle_is_left_to_those_who_announce_one_by_one(newsroom):
    bundle = bundling.make(by=newsroom.officer, name="The rivers report")
    revisions = [newsroom.cleared(slug=slug) for slug in ("one", "two")]
    for revision in revisions:
        bundling.join(story=revision.story, bundle=bundle, by=newsroom.officer)
    releases = [releasing.arm(revision=revision, by=newsroom.officer, moment=None) for revision in revisions]
    ids = [release.pk for release in releases]
    assert announce(*releases) == set()
    assert tasks.announce(*ids)
    assert set(Announcement.objects.values_list("release_id", flat=True)) == set(ids)


def test_nobody_is_told_of_a_small_update(newsroom, reader):
    first = newsroom.public()
    announce(first)
    second = correct(newsroom, first, kind=Kind.MINOR, summary="Another comma.")
    assert announce(second) == {second.pk}
    assert not second.deliveries.exists()


def test_each_is_told_of_what_they_chose(newsroom, reader):
    chooser = Subscriber.objects.create(email="chooser@paper.example", everything=False)
    Chosen.objects.create(subscriber=chooser, kind=TagKind.TOPIC, slug="rivers", name="Rivers")
    rivers = {"topics": [{"slug": "rivers", "name": "Rivers"}]}
    about, other = newsroom.public(slug="about", **rivers), newsroom.public(slug="other")
    announce(about, other)
    assert {d.recipient for d in about.deliveries.all()} == {reader.email, chooser.email}
    assert {d.recipient for d in other.deliveries.all()} == {reader.email}


def test_with_a_long_list_there_are_fewer_at_once(newsroom, monkeypatch):
    Subscriber.objects.bulk_create(Subscriber(email=f"{number}@paper.example") for number in range(3))
    monkeypatch.setattr(delivering, "ROWS", 6)
    assert delivering.at_once() == 2
    ids = [newsroom.public(slug=f"story-{number}").pk for number in range(5)]
    assert tasks.announce(*ids)
    assert Announcement.objects.count() == 5
    assert Delivery.objects.count() == 15


def test_of_a_story_that_is_two_releases_behind_the_earlier_is_announced_first(newsroom, reader):
    first = newsroom.public()
    second = correct(newsroom, first)
    assert announce(second) == set()
    assert announce(first, second) == {first.pk}
    assert announce(first, second) == {second.pk}


def test_who_announces_a_correction_announces_its_release_first(newsroom, reader):
    first = newsroom.public()
    second = correct(newsroom, first)
    receipt = releasing.announce(release_id=second.pk, worker="test")
    assert list(Announcement.objects.order_by("pk").values_list("release", flat=True)) == [
        first.pk,
        second.pk,
    ]
    assert receipt == Announcement.objects.get(release=second)
    assert list(Delivery.objects.order_by("pk").values_list("event", flat=True)) == ["release", "correction"]


def test_where_one_cannot_be_announced_none_is_until_they_are_one_by_one(
    newsroom, reader, monkeypatch, caplog
):
    releases = [newsroom.public(slug=f"story-{number}") for number in range(3)]
    write_all = delivering.write_all

    def broken(news: list[delivering.News]) -> int:
        if releases[1] in [each.release for each in news]:
            raise DatabaseError("nothing is prepared for this")
        return write_all(news)

    monkeypatch.setattr(delivering, "write_all", broken)
    with pytest.raises(DatabaseError):
        announce(*releases)
    assert not Announcement.objects.exists()
    assert tasks.announce(*[release.pk for release in releases])
    announced = set(Announcement.objects.values_list("release_id", flat=True))
    assert announced == {releases[0].pk, releases[2].pk}
    assert "are announced one by one: nothing is prepared for this" in caplog.text
    assert f"release {releases[1].pk} could not be announced" in caplog.text
    assert whole()


class TestAtOnce:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_twenty_workers_with_the_same_releases_announce_each_once(self, live_newsroom, reader):
        releases = [live_newsroom.public(slug=f"story-{number}") for number in range(20)]
        found = race(20, lambda number: announce(*releases, worker=f"worker {number}"))
        announced = [release_id for one in found for release_id in one]
        assert sorted(announced) == sorted(release.pk for release in releases)
        assert Announcement.objects.count() == Delivery.objects.count() == 20
        assert whole()

    def test_who_is_busy_with_one_story_keeps_no_other_waiting(self, live_newsroom):
        releases = [live_newsroom.public(slug=f"story-{number}") for number in range(3)]
        busy, done = Event(), Event()

        def act(number: int) -> set[int]:
            if number:
                assert busy.wait(20)
                found = announce(*releases)
                done.set()
                return found
            with transaction.atomic():
                Story.objects.select_for_update().get(pk=releases[1].story_id)
                busy.set()
                assert done.wait(20)
            connections.close_all()
            return set()

        assert race(2, act) == [set(), {releases[0].pk, releases[2].pk}]
        assert announce(*releases) == {releases[1].pk}
