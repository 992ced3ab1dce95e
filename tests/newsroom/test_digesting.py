"""The digests: once a day to each who asked for that, of what is public when they are sent."""

import re
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from django.db import Error, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from newsroom import (
    choosing,
    delivering,
    digest_tasks,
    digesting,
    lanes,
    mailbox,
    releasing,
    subscribing,
    telling,
)
from newsroom.choosing import Choice
from newsroom.models import Delivery, Digest, DigestDay, Release, Subscriber
from stories import outbox
from stories.clocks import database_now, office
from tests.newsroom.racing import race
from tests.newsroom.smtp import mail_server
from tests.newsroom.test_choosing import BRIDGES, FERRIES, RIVERS, corrected, subscribed
from tests.newsroom.test_tasks import broker

pytestmark = pytest.mark.django_db

READER = "reader@paper.example"


@pytest.fixture(autouse=True)
def _organisation(settings) -> None:
    settings.ORGANISATION = "Department for Rivers"
    settings.SITE_URL = "https://rivers.example"


@pytest.fixture
def fall_due(settings):
    """Let the digests of today be due at this very instant, so that what is public now is in them."""

    def due() -> None:
        settings.DIGEST_AT = office(database_now()).local.time()

    return due


def today() -> date:
    return office(database_now()).local.date()


def public(newsroom, slug: str, **changes):
    """A public story, announced."""
    release = newsroom.public(slug=slug, headline=f"About the {slug}", **changes)
    releasing.announce(release_id=release.pk, worker="test")
    return release


def send() -> list:
    """The mails that go out by digests now."""
    before = set(mailbox.messages())
    while digesting.send_next():
        pass
    return [mailbox.read(path) for path in mailbox.messages() if path not in before]


def test_one_mail_with_all_that_is_new(newsroom, fall_due):
    someone = subscribed(READER, daily=True)
    first = public(newsroom, "bridge")
    public(newsroom, "ferry")
    delivering.run(60)
    assert mailbox.messages() == [], "nothing goes to them at once"
    fall_due()
    assert digesting.write() == 1
    (message,) = send()
    assert message["To"] == READER
    assert message["Subject"] == f"Department for Rivers: 2 stories, {office(database_now()).day}"
    assert message["List-Id"] == "Department for Rivers news <news.newsroom.example>"
    leave = f"https://rivers.example{subscribing.unsubscribe_path(someone)}"
    assert message["List-Unsubscribe"].strip() == f"<{leave}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    until = office(DigestDay.objects.get().until)
    text = message.get_content()
    assert text.startswith(
        f"What we have published up to {until.public}, the newest first:\n\n\nAbout the ferry\n"
    )
    began = telling.public(telling.with_words(Release.objects.all()).get(pk=first.pk)).began
    assert (
        f"\n\n\nAbout the bridge\n\n{began}\n\nThe bridge saves walkers two miles.\n\n"
        "https://rivers.example/news/bridge/\n"
    ) in text
    assert f"To leave the list: {leave}" in text
    assert f"https://rivers.example{subscribing.choices_path(someone)}" in text
    assert send() == []


def test_only_what_they_chose(newsroom, fall_due):
    subscribed(READER, ("topic", "bridges"), daily=True)
    subscribed("other@paper.example", ("topic", "ferries"), daily=True)
    subscribed("rivers@paper.example", ("organisation", "rivers"), ("topic", "bridges"), daily=True)
    subscribed("gone@paper.example", daily=True, active=False)
    public(newsroom, "bridge", topics=[BRIDGES])
    public(newsroom, "weir", organisation=RIVERS)
    fall_due()
    assert digesting.write() == 2
    found = {message["To"]: message.get_content() for message in send()}
    assert set(found) == {READER, "rivers@paper.example"}
    assert "About the weir" not in found[READER]
    assert "About the bridge" in found["rivers@paper.example"]
    assert "About the weir" in found["rivers@paper.example"]


def test_none_when_there_is_nothing_and_none_before_its_time(newsroom, fall_due, settings):
    subscribed(READER, daily=True)
    later = office(database_now() + timedelta(minutes=5))
    settings.DIGEST_AT = later.local.time()
    public(newsroom, "bridge")
    if later.local.date() == today():
        assert digesting.write() == 0
        assert not DigestDay.objects.exists()
    settings.DIGEST_AT = (office(database_now()).local - timedelta(seconds=20)).time()
    assert digesting.write() == 0, "what came out after its time is for the next day"
    assert DigestDay.objects.count() == 1
    assert not Digest.objects.exists()


def test_once_a_day_however_often_it_is_asked(newsroom, fall_due):
    subscribed(READER, daily=True)
    public(newsroom, "bridge")
    fall_due()
    assert [digesting.write() for _ in range(3)] == [1, 0, 0]
    assert len(send()) == 1
    public(newsroom, "ferry")
    fall_due()
    assert digesting.write() == 0
    assert send() == []


def test_a_day_that_was_missed_is_told_with_the_next(newsroom, fall_due):
    """The last digests ended three days ago; nobody was there since."""
    subscribed(READER, daily=True)
    public(newsroom, "bridge")
    past = database_now() - timedelta(days=3)
    DigestDay.objects.create(day=office(past).local.date(), since=past - timedelta(days=1), until=past)
    fall_due()
    assert digesting.write() == 1
    day = DigestDay.objects.get(day=today())
    assert day.since == past
    assert len(send()) == 1


def test_what_was_told_the_day_before_is_not_told_again(newsroom, fall_due):
    subscribed(READER, daily=True)
    public(newsroom, "bridge")
    yesterday = today() - timedelta(days=1)
    now = database_now()
    DigestDay.objects.create(day=yesterday, since=now - timedelta(days=1), until=now)
    public(newsroom, "ferry")
    fall_due()
    digesting.write()
    (message,) = send()
    assert "About the ferry" in message.get_content()
    assert "About the bridge" not in message.get_content()


@pytest.mark.parametrize("kill", [True, False])
def test_what_was_taken_back_meanwhile_is_not_in_it(newsroom, fall_due, kill):
    subscribed(READER, daily=True)
    gone, stays = public(newsroom, "bridge"), public(newsroom, "ferry")
    fall_due()
    assert digesting.write() == 1
    releasing.withdraw(story=gone.story, by=newsroom.officer, reason="Wrong.", kill=kill)
    (message,) = send()
    assert "About the bridge" not in message.get_content()
    assert "About the ferry" in message.get_content()
    assert [row.release_id for row in Delivery.objects.filter(digest__isnull=False)] == [stays.pk]
    assert not Delivery.objects.filter(event__in=["kill", "withdrawal"]).exists()


def test_nothing_is_sent_when_all_of_it_was_taken_back(newsroom, fall_due):
    subscribed(READER, daily=True)
    gone = public(newsroom, "bridge")
    fall_due()
    digesting.write()
    releasing.withdraw(story=gone.story, by=newsroom.officer, reason="Wrong.")
    assert send() == []
    digest = Digest.objects.get()
    assert (digest.sent_at, digest.next_attempt) == (None, None)
    assert digest.error == f"Not sent: {digesting.NOTHING}"


def test_what_is_armed_or_held_is_not_in_it(newsroom, fall_due):
    subscribed(READER, daily=True)
    public(newsroom, "bridge")
    newsroom.armed(slug="secret", headline="Canaryheadline")
    held = newsroom.armed(slug="held", headline="Canaryheadline")
    releasing.hold(story=held.story, by=newsroom.officer, reason="Wait.")
    fall_due()
    digesting.write()
    (message,) = send()
    assert "anary" not in message.as_string()


def test_a_correction_of_the_same_day_is_shown_as_such(newsroom, fall_due):
    subscribed(READER, daily=True)
    release = public(newsroom, "bridge")
    corrected(newsroom, release.story, headline="About the new bridge")
    fall_due()
    digesting.write()
    (message,) = send()
    text = message.get_content()
    assert "Correction: About the new bridge" in text
    assert "Correction: The date was wrong." in text
    assert "1 story" in message["Subject"]
    assert Delivery.objects.get(digest__isnull=False).event == "correction"
    assert Delivery.objects.filter(digest=None).count() == 0


def test_a_digest_that_waits_shows_what_is_public_when_it_is_sent(newsroom, fall_due):
    subscribed(READER, daily=True)
    release = public(newsroom, "bridge")
    fall_due()
    digesting.write()
    corrected(newsroom, release.story, headline="About the new bridge")
    (message,) = send()
    assert "Correction: About the new bridge" in message.get_content()
    assert not Delivery.objects.filter(digest=None).exists(), "they were not sent what was wrong"


def digested(newsroom, **changes):
    """A story that the digest of yesterday has brought to the reader, just now."""
    subscribed(READER, daily=True)
    release = public(newsroom, "bridge", **changes)
    now = database_now()
    day = DigestDay.objects.create(day=today() - timedelta(days=1), since=now - timedelta(days=1), until=now)
    Digest.objects.create(day=day, recipient=READER)
    assert len(send()) == 1
    return release


def one_by_one() -> list:
    """The mails that go out by themselves now."""
    before = set(mailbox.messages())
    delivering.run(60)
    return [mailbox.read(path) for path in mailbox.messages() if path not in before]


@pytest.mark.parametrize(("kill", "subject"), [(True, "Recall: a story"), (False, "Withdrawn: a story")])
def test_a_recall_goes_to_whoever_got_the_digest(newsroom, kill, subject):
    release = digested(newsroom)
    Subscriber.objects.update(active=False)
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Wrong.", kill=kill)
    (message,) = one_by_one()
    assert message["To"] == READER
    assert message["Subject"].startswith(subject)


def test_a_correction_goes_at_once_to_whoever_got_the_digest(newsroom, fall_due):
    """And is not told again in the next one, whatever they chose since."""
    release = digested(newsroom)
    choosing.store(
        subscriber=Subscriber.objects.get(), choice=Choice(True, (("topic", "ferries"),)), offers=[]
    )
    corrected(newsroom, release.story, headline="About the new bridge", topics=[FERRIES])
    (message,) = one_by_one()
    assert message["Subject"] == "Correction: About the new bridge"
    Subscriber.objects.update(everything=True)
    fall_due()
    assert digesting.write() == 1
    assert send() == []


def test_an_update_is_in_the_next_digest(newsroom, fall_due):
    release = digested(newsroom)
    revision = newsroom.edit(release.story, headline="About the larger bridge")
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    newsroom.sign(revision, newsroom.private_office, newsroom.secretary)
    larger = releasing.arm(
        revision=revision, by=newsroom.officer, moment=None, kind="major", note="It is larger."
    )
    releasing.announce(release_id=larger.pk, worker="test")
    assert one_by_one() == []
    fall_due()
    assert digesting.write() == 1
    (message,) = send()
    assert "Updated: About the larger bridge" in message.get_content()
    assert "Updated: It is larger." in message.get_content()


def test_who_was_sent_a_story_by_itself_does_not_get_it_again(newsroom, fall_due):
    someone = subscribed(READER)
    public(newsroom, "bridge")
    delivering.run(60)
    Subscriber.objects.filter(pk=someone.pk).update(daily=True)
    public(newsroom, "ferry")
    fall_due()
    digesting.write()
    (message,) = send()
    assert "About the bridge" not in message.get_content()
    assert "About the ferry" in message.get_content()


@pytest.mark.parametrize(
    ("change", "reason"), [({"active": False}, telling.LEFT), ({"daily": False}, digesting.AT_ONCE)]
)
def test_who_left_or_changed_meanwhile_gets_none(newsroom, fall_due, change, reason):
    subscribed(READER, daily=True)
    public(newsroom, "bridge")
    fall_due()
    digesting.write()
    Subscriber.objects.update(**change)
    assert send() == []
    assert Digest.objects.get().error == f"Not sent: {reason}"
    assert not Delivery.objects.filter(digest__isnull=False).exists()


def test_what_a_digest_carries_is_never_sent_by_itself(newsroom, fall_due):
    """Not while it is being sent, and not after its worker was lost."""
    subscribed(READER, daily=True)
    release = public(newsroom, "bridge")
    fall_due()
    digesting.write()
    digesting._composed(Digest.objects.get())
    carried = Delivery.objects.get(release=release)
    assert carried.lease is not None
    assert lanes.waiting() == []
    assert one_by_one() == []
    Delivery.objects.update(lease=database_now())
    assert lanes.waiting() == []
    assert one_by_one() == []
    # The next try has it settled.
    assert len(send()) == 1
    carried.refresh_from_db()
    assert (carried.sent_at is not None, carried.next_attempt, carried.lease) == (True, None, None)


def test_a_recall_does_not_overtake_the_digest_that_is_being_sent(newsroom, fall_due):
    subscribed(READER, daily=True)
    release = public(newsroom, "bridge")
    fall_due()
    digesting.write()
    digest = Digest.objects.get()
    digesting._composed(digest)
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Wrong.", kill=True)
    assert one_by_one() == [], "it is being sent"
    delivering.carried(digest)
    (message,) = one_by_one()
    assert message["Subject"].startswith("Recall")


def test_a_recall_waits_no_longer_than_a_lost_worker_is_waited_for(newsroom, fall_due):
    subscribed(READER, daily=True)
    release = public(newsroom, "bridge")
    fall_due()
    digesting.write()
    digesting._composed(Digest.objects.get())
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Wrong.", kill=True)
    Delivery.objects.filter(digest__isnull=False).update(lease=database_now())
    (message,) = one_by_one()
    assert message["Subject"].startswith("Recall")
    assert send() == []
    assert not Delivery.objects.open().exists()


def test_a_mail_server_that_refuses_is_tried_again_with_what_is_public_then(newsroom, fall_due, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    subscribed(READER, daily=True)
    gone = public(newsroom, "bridge")
    public(newsroom, "ferry")
    fall_due()
    digesting.write()
    with mail_server() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.port, 5
        server.refused = {READER}
        assert digesting.send_next()
        digest = Digest.objects.get()
        assert "550" in digest.error
        assert (digest.sent_at, digest.attempts) == (None, 1)
        assert not Delivery.objects.open().exists()
        assert not digesting.outstanding()
        releasing.withdraw(story=gone.story, by=newsroom.officer, reason="Wrong.")
        server.refused = set()
        Digest.objects.update(next_attempt=database_now())
        assert digesting.send_next()
        ((_, message),) = server.messages
    assert "About the bridge" not in str(message)
    key = message["Message-ID"]
    assert re.fullmatch("<[0-9a-f]{32}@newsroom.example>", key)
    assert Delivery.objects.get(event="release", sent_at__isnull=False).release.revision.slug == "ferry"


def test_a_digest_that_is_tried_twice_has_one_message_id(newsroom, fall_due):
    subscribed(READER, daily=True)
    public(newsroom, "bridge")
    fall_due()
    digesting.write()
    digest = Digest.objects.get()
    first, second = (digesting._composed(digest).extra_headers["Message-ID"] for _ in range(2))
    assert first == second
    assert Delivery.objects.count() == 1


def test_no_more_stories_than_a_mail_can_hold(newsroom, fall_due, monkeypatch):
    monkeypatch.setattr(digesting, "MOST", 2)
    subscribed(READER, daily=True)
    for slug in ("one", "two", "three"):
        public(newsroom, slug)
    fall_due()
    digesting.write()
    (message,) = send()
    assert "At least 2 stories" in message["Subject"]
    assert "There is more: https://rivers.example/" in message.get_content()
    assert Delivery.objects.count() == 2


def test_a_digest_takes_as_many_queries_for_many_stories_as_for_one(newsroom, fall_due):
    subscribed("a@paper.example", ("topic", "ferries"), daily=True)
    subscribed("b@paper.example", ("topic", "bridges"), ("topic", "ferries"), daily=True)
    for slug, topic in (("one", FERRIES), ("two", BRIDGES), ("three", BRIDGES)):
        release = public(newsroom, slug, topics=[topic])
        corrected(newsroom, release.story, summary="It opens in May.")
    fall_due()
    assert digesting.write() == 2
    asked = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert digesting.send_next()
        asked.append(len(queries))
    assert asked[0] == asked[1]
    assert sorted(Delivery.objects.values_list("recipient", flat=True)) == [
        "a@paper.example",
        *["b@paper.example"] * 3,
    ]


# When


@pytest.mark.parametrize(
    ("day", "at", "zone", "due"),
    [
        (date(2026, 7, 1), time(17), "Europe/London", datetime(2026, 7, 1, 16, tzinfo=UTC)),
        (date(2026, 12, 1), time(17), "Europe/London", datetime(2026, 12, 1, 17, tzinfo=UTC)),
        # The clocks skip it, and show it twice.
        (date(2026, 3, 29), time(1, 30), "Europe/London", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        (date(2026, 10, 25), time(1, 30), "Europe/London", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (date(2026, 1, 1), time(0), "Asia/Kathmandu", datetime(2025, 12, 31, 18, 15, tzinfo=UTC)),
    ],
)
def test_when_they_are_due(settings, day, at, zone, due):
    settings.DIGEST_AT, settings.PRESS_OFFICE_ZONE = at, zone
    assert digesting.due(day) == due


def test_every_day_has_one_instant_after_that_of_the_day_before(settings):
    for zone in ("Europe/London", "America/New_York", "Australia/Lord_Howe", "UTC"):
        for at in (time(0), time(1, 30), time(2, 15), time(17), time(23, 59)):
            settings.DIGEST_AT, settings.PRESS_OFFICE_ZONE = at, zone
            instants = [digesting.due(date(2026, 1, 1) + timedelta(days=n)) for n in range(366)]
            gaps = {later - sooner for sooner, later in pairwise(instants)}
            assert timedelta(hours=22) < min(gaps)
            assert max(gaps) < timedelta(hours=26)


@pytest.mark.parametrize(
    ("at", "zone", "words"),
    [
        (time(17), "Europe/London", "at five o’clock in the afternoon (17:00, London time)"),
        (time(7, 30), "America/New_York", "at half past seven in the morning (07:30, New York time)"),
        (time(12), "UTC", "at noon (12:00, UTC time)"),
        (time(0), "Europe/London", "at midnight (00:00, London time)"),
        (time(0, 15), "Europe/London", "at a quarter past twelve after midnight (00:15, London time)"),
    ],
)
def test_the_time_in_words(settings, at, zone, words):
    settings.DIGEST_AT, settings.PRESS_OFFICE_ZONE = at, zone
    assert digesting.time_in_words() == words
    assert words in Client().get("/subscribe/").content.decode()


# The database


def test_the_database_takes_a_day_and_an_address_once():
    now = database_now()
    day = DigestDay.objects.create(day=today(), since=now - timedelta(days=1), until=now)
    Digest.objects.create(day=day, recipient=READER)
    with pytest.raises(Error), transaction.atomic():
        Digest.objects.create(day=day, recipient=READER.upper())
    with pytest.raises(Error), transaction.atomic():
        DigestDay.objects.create(day=today() + timedelta(days=1), since=now, until=now)
    with pytest.raises(Error), transaction.atomic():
        DigestDay.objects.update(until=now + timedelta(days=1))
    with pytest.raises(Error), transaction.atomic():
        day.delete()


# The tasks


def test_the_task_writes_and_sends(newsroom, fall_due):
    subscribed(READER, daily=True)
    public(newsroom, "bridge")
    fall_due()
    with broker("memory://"):
        assert digest_tasks.digests() == 1
        assert digest_tasks.digests() == 0
        assert digest_tasks.send_digests() == 1
        assert digest_tasks.send_digests() == 0
    assert len(mailbox.messages()) == 1


def test_they_are_in_the_queue_that_keeps_no_announcement_waiting():
    for task in ("digests", "send_digests"):
        assert (
            digest_tasks.app.amqp.router.route({}, f"newsroom.digest_tasks.{task}")["queue"].name
            == "watching"
        )


class TestAtOnce:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_two_beats_write_each_once(self, live_newsroom, fall_due):
        for number in range(5):
            subscribed(f"{number}@paper.example", daily=True)
        public(live_newsroom, "bridge")
        fall_due()
        assert sorted(race(6, lambda _: digesting.write())) == [0, 0, 0, 0, 0, 5]
        results = race(4, lambda _: len(list(iter(digesting.send_next, False))))
        assert sum(results) == 5
        assert sorted(mailbox.read(path)["To"] for path in mailbox.messages()) == [
            f"{number}@paper.example" for number in range(5)
        ]
        assert set(Digest.objects.values_list("attempts", flat=True)) == {1}

    def test_who_is_sent_a_story_while_it_is_withdrawn_is_told_or_not_sent_it(self, live_newsroom, fall_due):
        """Whichever comes first: nobody has it and is not told."""
        for number in range(6):
            subscribed(f"{number}@paper.example", daily=True)
        release = public(live_newsroom, "bridge")
        fall_due()
        digesting.write()

        def act(number: int) -> object:
            if number:
                return len(list(iter(digesting.send_next, False)))
            return releasing.withdraw(
                story=release.story, by=live_newsroom.officer, reason="Wrong.", kill=True
            )

        results = race(4, act)
        assert not [result for result in results if isinstance(result, Exception)]
        delivering.run(60)
        rows = Delivery.objects.filter(sent_at__isnull=False)
        had = set(rows.filter(event="release").values_list("recipient", flat=True))
        assert set(rows.filter(event="kill").values_list("recipient", flat=True)) == had
        assert len(mailbox.messages()) == 2 * len(had)
        assert not outbox.is_due(Digest.objects.all())
