"""What goes out after an announcement: once to each, whatever the mail server or one address does."""

from collections import Counter
from collections.abc import Iterator

import pytest
from django.db.models.functions import Now

from newsroom import delivering, lanes, mailbox, releasing, subscribing
from newsroom.models import Announcement, Delivery, Subscriber
from stories import outbox
from tests.newsroom.racing import race
from tests.newsroom.smtp import MailServer, mail_server

pytestmark = pytest.mark.django_db

EDITOR, DESK, WIRE = "editor@paper.example", "desk@radio.example", "copy@wire.example"


# Mail


def announced(newsroom, *emails: str) -> Announcement:
    """The receipt of a public release with a delivery to each address."""
    Subscriber.objects.bulk_create(Subscriber(email=email) for email in emails)
    receipt = releasing.announce(release_id=newsroom.public().pk, worker="test")
    assert receipt is not None
    return receipt


def send_all() -> int:
    """Send until nothing is due. The number of tries."""
    return delivering.run(60)


def make_due() -> None:
    """Let the waiting time of every delivery that is waiting have passed."""
    Delivery.objects.filter(next_attempt__isnull=False).update(next_attempt=Now())


@pytest.fixture
def server(settings) -> Iterator[MailServer]:
    """A mail server to which everything goes."""
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.port, 5
        yield server


def test_each_subscriber_gets_one_mail(newsroom, server):
    announced(newsroom, EDITOR, DESK)
    assert send_all() == 2
    assert server.recipients == [DESK, EDITOR]
    assert Delivery.objects.filter(sent_at=None).count() == 0
    assert send_all() == 0


def test_the_mail(newsroom, settings):
    settings.SITE_URL, settings.DEFAULT_FROM_EMAIL = "https://rivers.example", "Rivers <news@rivers.example>"
    receipt = announced(newsroom, EDITOR)
    send_all()
    (path,) = mailbox.messages()
    message = mailbox.read(path)
    delivery = Delivery.objects.get()
    someone = Subscriber.objects.get()
    leave = f"https://rivers.example{subscribing.unsubscribe_path(someone)}"
    choose = f"https://rivers.example{subscribing.choices_path(someone)}"
    assert message["Subject"] == "New footbridge opens at Harrow Weir"
    assert message["To"] == EDITOR
    assert message["From"] == "Rivers <news@rivers.example>"
    assert message["Message-ID"] == f"<{delivery.key[:32]}@rivers.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().strip().split("\n\n") == [
        f"News story. {receipt.release.moment.public}",
        "The bridge saves walkers two miles.",
        "A footbridge opened at Harrow Weir today.",
        "“Nobody will have to wade here again.”\nMara Ellingham, Secretary of State for Rivers",
        "It is open day and night.",
        "https://rivers.example/news/footbridge-harrow-weir/",
        (
            f"-- \nYou get this because you subscribed. To choose what you get: {choose}\n"
            f"To leave the list: {leave}"
        ),
    ]


def test_mail_programs_can_leave_the_list_with_one_click(newsroom, settings):
    settings.SITE_URL, settings.DEFAULT_FROM_EMAIL = "https://rivers.example", "Rivers <news@rivers.example>"
    settings.ORGANISATION = "Department for Rivers"
    announced(newsroom, EDITOR)
    send_all()
    message = mailbox.read(mailbox.messages()[0])
    path = subscribing.unsubscribe_path(Subscriber.objects.get())
    assert message["List-Unsubscribe"].strip() == f"<https://rivers.example{path}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Id"] == "Department for Rivers news <news.rivers.example>"


def test_a_headline_of_several_lines_makes_no_header(newsroom):
    Subscriber.objects.create(email=EDITOR)
    release = newsroom.public(headline="New bridge\r\nBcc: all@paper.example")
    releasing.announce(release_id=release.pk, worker="test")
    send_all()
    message = mailbox.read(mailbox.messages()[0])
    assert message["Subject"] == "New bridge Bcc: all@paper.example"
    assert message["Bcc"] is None


def test_a_dead_mail_server_loses_nothing(newsroom, server, settings):
    announced(newsroom, EDITOR, DESK)
    settings.EMAIL_PORT = 1
    assert send_all() == 2
    for delivery in Delivery.objects.all():
        assert (delivery.attempts, delivery.sent_at) == (1, None)
        assert delivery.error.startswith("ConnectionRefusedError")
        assert delivery.next_attempt is not None
    assert not delivering.outstanding()
    settings.EMAIL_PORT = server.port
    make_due()
    assert send_all() == 2
    assert server.recipients == [DESK, EDITOR]
    assert not Delivery.objects.exclude(error="").exists()


def test_a_server_that_hangs_up_is_tried_again_under_the_same_key(newsroom, server):
    announced(newsroom, EDITOR)
    server.hangs_up = True
    send_all()
    server.hangs_up = False
    make_due()
    send_all()
    assert [message["Message-ID"] for _, message in server.messages] == [
        f"<{Delivery.objects.get().key[:32]}@newsroom.example>"
    ]


def test_a_refused_address_holds_up_nobody(newsroom, server):
    server.refused = {DESK}
    announced(newsroom, DESK, EDITOR, WIRE)
    send_all()
    assert server.recipients == [WIRE, EDITOR]
    assert "550" in Delivery.objects.get(recipient=DESK).error


def test_an_address_that_no_mail_can_carry_holds_up_nobody(newsroom, server):
    announced(newsroom, "two\nlines@paper.example", "nul\x01@paper.example", EDITOR)
    send_all()
    assert EDITOR in server.recipients
    poisoned = Delivery.objects.get(recipient__startswith="two")
    assert poisoned.error.startswith("BadHeaderError: Header values can't contain newlines")
    assert poisoned.sent_at is None


def test_waiting_times_grow_until_a_person_has_to_look(newsroom, server):
    server.refused = {EDITOR}
    announced(newsroom, EDITOR)
    waits = []
    for _ in outbox.BACK_OFF:
        assert send_all() == 1
        delivery = Delivery.objects.annotate(now=Now()).get()
        assert delivery.next_attempt is not None
        waits.append((delivery.next_attempt - delivery.now).total_seconds())
        make_due()
    for wait, meant in zip(waits, outbox.BACK_OFF, strict=True):
        assert meant * 0.8 - 2 < wait < meant * 1.2
    assert send_all() == 1
    delivery = Delivery.objects.get()
    assert (delivery.next_attempt, delivery.attempts) == (None, len(outbox.BACK_OFF) + 1)
    assert delivery.given_up_at is not None
    assert "550" in delivery.error
    assert send_all() == 0


def test_the_one_that_failed_waits_behind_the_others(newsroom, server):
    server.refused = {DESK}
    announced(newsroom, DESK)
    send_all()
    assert send_all() == 0
    release = newsroom.public(slug="second")
    Subscriber.objects.create(email=EDITOR)
    releasing.announce(release_id=release.pk, worker="test")
    assert send_all() == 2
    assert server.recipients == [EDITOR]
    assert Delivery.objects.filter(recipient=DESK, attempts=1, sent_at=None).count() == 2


def claimed(receiver=None) -> list[Delivery]:
    return lanes.claim(lanes.Lane(receiver))


def lose_workers() -> None:
    """Let the claims of workers that died have run out."""
    Delivery.objects.filter(lease__isnull=False).update(lease=Now())


def test_a_worker_that_dies_while_sending_leaves_it_to_another(newsroom, server):
    announced(newsroom, EDITOR)
    assert len(claimed()) == 1
    assert send_all() == 0, "the claim keeps others away"
    lose_workers()
    assert len(claimed()) == 1
    assert Delivery.objects.get().error == "The worker that was sending it has not come back."
    lose_workers()
    assert send_all() == 1
    assert server.recipients == [EDITOR]
    assert (Delivery.objects.get().attempts, Delivery.objects.get().error) == (3, "")


def test_a_worker_that_is_slow_keeps_what_it_has(newsroom):
    announced(newsroom, EDITOR)
    (row,) = claimed()
    lose_workers()
    lanes.still_at_work([row.claim])
    assert claimed() == []
    lanes.sent([row])
    lanes.still_at_work([row.claim])
    assert Delivery.objects.get().lease is None


def test_a_worker_that_comes_back_too_late_changes_nothing(newsroom):
    announced(newsroom, EDITOR)
    (first,) = claimed()
    lose_workers()
    (second,) = claimed()
    lanes.failed(first, "too late")
    lanes.sent([first])
    assert Delivery.objects.get().claim == second.claim
    lanes.sent([second])
    assert Delivery.objects.get().sent_at is not None


def test_one_that_kills_every_worker_is_not_tried_for_ever(newsroom, server):
    announced(newsroom, EDITOR)
    tries = 0
    while claimed():
        tries += 1
        lose_workers()
        lanes.give_up_lost()
    assert tries == len(outbox.BACK_OFF) + 1
    delivery = Delivery.objects.get()
    assert (delivery.next_attempt, delivery.given_up_at is None) == (None, False)
    assert delivery.error == lanes.NOT_BACK


def test_a_folder_that_cannot_be_written_is_a_failure_like_any_other(newsroom, settings, tmp_path):
    announced(newsroom, EDITOR)
    settings.MAIL_FOLDER = tmp_path / "file" / "mail"
    (tmp_path / "file").write_text("")
    send_all()
    assert Delivery.objects.get().error.startswith("NotADirectoryError")


@pytest.mark.django_db(transaction=True)
def test_twenty_senders_send_each_once(live_newsroom, server):
    emails = [f"{number}@paper.example" for number in range(300)]
    announced(live_newsroom, *emails)
    tries = race(6, lambda _: send_all())
    assert sum(tries) + send_all() == 300
    assert Counter(server.recipients) == Counter(emails)
    assert Delivery.objects.filter(sent_at=None).count() == 0


def test_who_has_left_the_list_meanwhile_gets_nothing(newsroom, server):
    announced(newsroom, EDITOR, DESK)
    Subscriber.objects.filter(email=EDITOR).update(active=False)
    assert send_all() == 1
    assert server.recipients == [DESK]
    delivery = Delivery.objects.get(recipient=EDITOR)
    assert (delivery.sent_at, delivery.next_attempt, delivery.given_up_at) == (None, None, None)
    assert (delivery.attempts, delivery.error) == (0, "Not sent: they are not on the list any more.")


def test_many_mails_go_over_one_connection(newsroom, server):
    announced(newsroom, *(f"{number}@paper.example" for number in range(40)))
    assert send_all() == 40
    assert server.connections == 1


def test_what_is_written_twice_for_a_cause_is_there_once(newsroom):
    Subscriber.objects.create(email=EDITOR)
    release = newsroom.public()
    assert delivering.write(event="release", release=release, cause="announcement:1") == 1
    assert delivering.write(event="release", release=release, cause="announcement:1") == 0
    assert delivering.write(event="correction", release=release, cause="correction:1") == 1
    assert len(set(Delivery.objects.values_list("key", flat=True))) == 2


def test_nobody_to_tell(newsroom):
    assert delivering.write(event="release", release=newsroom.public(), cause="announcement:1") == 0


def test_writing_takes_as_many_queries_for_many_as_for_one(newsroom, django_assert_num_queries):
    release = newsroom.public()
    Subscriber.objects.create(email=EDITOR)
    with django_assert_num_queries(5):
        delivering.write(event="release", release=release, cause="announcement:1")
    Subscriber.objects.bulk_create(Subscriber(email=f"{n}@paper.example") for n in range(2000))
    with django_assert_num_queries(5):
        assert delivering.write(event="release", release=release, cause="announcement:2") == 2001
