"""Mail about deadlines: the right people, each once, and not a word of any story."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from django.core.cache import cache
from django.db.models.functions import Now

from approvals import claiming, clearing, reminding, tasks
from approvals.models import Deputyship, Desk, Reminder, Step
from newsroom import mailbox
from stories import drafting, outbox
from stories.models import Revision, Team, User
from stories.moments import Moment
from tests.approvals.doing import ask
from tests.newsroom.racing import race

pytestmark = pytest.mark.django_db

ADAEZE, HUGH, NEMO, INES = (f"{name}@newsroom.example" for name in ("adaeze", "hugh", "nemo", "ines"))


@pytest.fixture(autouse=True)
def _turn_is_free(db: None) -> None:
    cache.delete(tasks.TURN)


@pytest.fixture(autouse=True)
def _only_legal_has_deadlines(request) -> None:
    """An hour before the embargo."""
    name = "live_newsroom" if "live_newsroom" in request.fixturenames else "newsroom"
    newsroom = request.getfixturevalue(name)
    Step.objects.filter(desk=newsroom.legal).update(before=timedelta(hours=1))


def due(newsroom, slug: str = "bridge", **ahead: float) -> Revision:
    """A story that Legal has to clear within `ahead`."""
    revision = newsroom.submitted(slug=slug, headline="Secret headline")
    move(newsroom, revision, **ahead)
    return revision


def move(newsroom, revision: Revision, **ahead: float) -> None:
    moment = Moment(datetime.now(UTC) + timedelta(hours=1) + timedelta(**ahead), "Europe/London")
    drafting.plan_embargo(story=revision.story, by=newsroom.drafter, moment=moment)


def at(newsroom, *minutes: int) -> None:
    """So many minutes before a deadline Legal is reminded."""
    newsroom.legal.reminders = list(minutes)
    newsroom.legal.save()


def escalate(newsroom, after: int = 30) -> Desk:
    """Who is told when Legal is late: the duty officer."""
    desk = Desk.objects.create(name="Duty")
    desk.members.add(newsroom.officer)
    newsroom.legal.escalates_to, newsroom.legal.escalates_after = desk, after
    newsroom.legal.save()
    return desk


def stand_in(newsroom, deputy: User, whom: User, **more: datetime) -> None:
    now = datetime.now(UTC)
    times = {"since": now - timedelta(hours=1), "until": now + timedelta(days=1), **more}
    Deputyship.objects.create(person=whom, deputy=deputy, by=whom, **times)


def sent() -> list[EmailMessage]:
    """Everything that was mailed, once reminding has run."""
    tasks.remind()
    return [mailbox.read(path) for path in mailbox.messages()]


def to() -> Counter[str]:
    return Counter(str(message["To"]) for message in sent())


# When


def test_at_each_time_that_the_desk_sets_and_at_the_deadline(newsroom):
    at(newsroom, 60, 15)
    revision = due(newsroom, minutes=61)
    assert to() == {}
    move(newsroom, revision, minutes=59)
    assert to() == {ADAEZE: 1, HUGH: 1}
    move(newsroom, revision, minutes=14)
    assert to() == {ADAEZE: 2, HUGH: 2}
    move(newsroom, revision, minutes=-1)
    assert to() == {ADAEZE: 3, HUGH: 3}
    assert Counter(Reminder.objects.values_list("kind", flat=True)) == {"ahead": 4, "due": 2}


def test_each_is_sent_once_however_often_it_is_looked(newsroom):
    at(newsroom, 60)
    due(newsroom, minutes=59)
    for _ in range(3):
        found = to()
    assert found == {ADAEZE: 1, HUGH: 1}
    assert reminding.write() == 0


def test_without_a_deadline_nobody_is_reminded(newsroom):
    at(newsroom, 60)
    newsroom.submitted()
    Step.objects.update(before=None)
    due(newsroom, minutes=-5)
    assert to() == {}


def test_of_what_an_outage_missed_only_the_last_is_sent(newsroom):
    at(newsroom, 240, 60, 30)
    due(newsroom, minutes=10)
    assert to() == {ADAEZE: 1, HUGH: 1}
    reminder = Reminder.objects.first()
    assert reminder.deadline - reminder.due == timedelta(minutes=30)


def test_what_was_missed_by_hours_is_sent_where_nothing_later_is_due(newsroom):
    due(newsroom, minutes=-300)
    assert to() == {ADAEZE: 1, HUGH: 1}


def test_what_was_missed_by_days_is_not_told_any_more(newsroom):
    escalate(newsroom)
    due(newsroom, days=-2)
    assert to() == {}


def test_escalation_goes_to_the_other_desk_once_and_after_its_time(newsroom):
    escalate(newsroom, after=30)
    revision = due(newsroom, minutes=-29)
    assert to() == {ADAEZE: 1, HUGH: 1}
    move(newsroom, revision, minutes=-31)
    assert to() == {ADAEZE: 2, HUGH: 2, INES: 1}
    assert to() == {ADAEZE: 2, HUGH: 2, INES: 1}


def test_a_deadline_that_is_moved_is_told_anew_and_one_that_comes_back_is_not(newsroom):
    revision = due(newsroom, minutes=-1)
    planned = revision.story.embargos.latest("id")
    assert to() == {ADAEZE: 1, HUGH: 1}
    move(newsroom, revision, hours=9)
    assert to() == {ADAEZE: 1, HUGH: 1}
    moment = Moment(planned.instant, planned.zone)
    drafting.plan_embargo(story=revision.story, by=newsroom.drafter, moment=moment)
    assert to() == {ADAEZE: 1, HUGH: 1}


# Whom


def test_who_has_taken_it_is_reminded_alone(newsroom):
    revision = due(newsroom, minutes=-1)
    claiming.take(step=newsroom.step(revision.story, newsroom.legal), by=newsroom.lawyer)
    assert to() == {ADAEZE: 1}


def test_who_has_taken_it_and_is_not_on_the_desk_any_more_leaves_it_to_the_others(newsroom):
    revision = due(newsroom, minutes=-1)
    claiming.take(step=newsroom.step(revision.story, newsroom.legal), by=newsroom.lawyer)
    newsroom.legal.members.remove(newsroom.lawyer)
    assert to() == {HUGH: 1}


def test_what_was_let_go_is_everybodys(newsroom):
    revision = due(newsroom, minutes=-1)
    claim = claiming.take(step=newsroom.step(revision.story, newsroom.legal), by=newsroom.lawyer)
    claiming.let_go(claim=claim, by=newsroom.lawyer)
    assert to() == {ADAEZE: 1, HUGH: 1}


def test_who_wrote_words_is_not_reminded_nor_is_who_cannot_sign_in(newsroom):
    newsroom.legal.members.add(newsroom.officer)
    User.objects.filter(pk=newsroom.officer.pk).update(is_active=False)
    revision = due(newsroom, minutes=-1)
    newsroom.edit(revision.story, by=newsroom.lawyer, summary="By the lawyer.")
    assert to() == {HUGH: 1}


def test_deputies_are_reminded_while_they_stand_in(newsroom):
    stand_in(newsroom, newsroom.nobody, newsroom.lawyer)
    stand_in(newsroom, newsroom.officer, newsroom.lawyer, until=datetime.now(UTC) - timedelta(minutes=1))
    due(newsroom, minutes=-1)
    assert to() == {ADAEZE: 1, HUGH: 1, NEMO: 1}


def test_a_deputy_is_not_reminded_of_what_the_person_wrote(newsroom):
    stand_in(newsroom, newsroom.nobody, newsroom.lawyer)
    revision = due(newsroom, minutes=-1)
    newsroom.edit(revision.story, by=newsroom.lawyer, summary="By the lawyer.")
    assert to() == {HUGH: 1}


def test_what_waits_for_the_drafter_or_for_an_earlier_stage_reminds_nobody(newsroom):
    asked = due(newsroom, "asked", minutes=-1)
    ask(newsroom, asked, newsroom.legal, newsroom.lawyer)
    newsroom.sign(due(newsroom, "cleared", minutes=-1), newsroom.legal, newsroom.lawyer)
    Step.objects.filter(desk=newsroom.legal).update(stage=2)
    staged = due(newsroom, "staged", minutes=-1)
    assert to() == {}
    newsroom.sign(staged, newsroom.private_office, newsroom.secretary)
    assert to() == {ADAEZE: 1, HUGH: 1}


def test_a_desk_without_people_keeps_nobody_elses_mail_back(newsroom, monkeypatch):
    monkeypatch.setattr(reminding, "BATCH", 1)
    empty = Desk.objects.create(name="Empty")
    Step.objects.create(route=newsroom.route, desk=empty, covers="notes", before=timedelta(hours=2))
    due(newsroom, minutes=-1)
    assert to() == {ADAEZE: 1, HUGH: 1}


def test_more_than_a_batch_is_written_by_and_by(newsroom, monkeypatch):
    monkeypatch.setattr(reminding, "BATCH", 2)
    for number in range(5):
        due(newsroom, f"s-{number}", minutes=-1 - number)
    assert [reminding.write() for _ in range(4)] == [4, 4, 2, 0]


# What was written and is of no use any more


def test_what_was_cleared_meanwhile_is_not_sent(newsroom):
    revision = due(newsroom, minutes=-1)
    assert reminding.write() == 2
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    assert to() == {}
    assert {reminder.error for reminder in Reminder.objects.all()} == {
        "Not sent: there is nothing for the desk to decide now."
    }
    assert not reminding.outstanding()


def test_what_has_moved_meanwhile_is_not_sent(newsroom):
    revision = due(newsroom, minutes=-1)
    reminding.write()
    move(newsroom, revision, hours=5)
    assert to() == {}
    assert Reminder.objects.filter(error="Not sent: the deadline has moved.").count() == 2


def test_who_left_the_desk_meanwhile_gets_none(newsroom):
    due(newsroom, minutes=-1)
    reminding.write()
    newsroom.legal.members.remove(newsroom.lawyer)
    User.objects.filter(pk=newsroom.second_lawyer.pk).update(email="")
    assert to() == {}


def test_what_could_not_be_sent_for_an_hour_is_left_out_where_a_later_one_is_due(newsroom):
    at(newsroom, 90)
    revision = due(newsroom, minutes=-1)
    step = newsroom.step(revision.story, newsroom.legal)
    deadline = step.standing.due
    values = {"step": step, "deadline": deadline, "recipient": newsroom.lawyer, "next_attempt": Now()}
    early = Reminder.objects.create(kind="ahead", due=deadline - timedelta(minutes=90), **values)
    reminding.write()
    assert to() == {ADAEZE: 1, HUGH: 1}
    early.refresh_from_db()
    assert (early.sent_at, early.error) == (None, "Not sent: it is too late for it.")


# Sending


def test_the_mail_says_the_deadline_and_the_way_and_nothing_of_the_story(newsroom, settings):
    settings.SITE_URL, settings.DEFAULT_FROM_EMAIL = "https://rivers.example", "Rivers <news@rivers.example>"
    at(newsroom, 60)
    revision = due(newsroom, minutes=59)
    step = newsroom.step(revision.story, newsroom.legal)
    deadline = reminding.office(step.standing.due)
    message = next(message for message in sent() if message["To"] == ADAEZE)
    reminder = Reminder.objects.get(recipient=newsroom.lawyer)
    assert message["Subject"] == f"Legal: a sign-off is due {deadline.public}"
    assert message["Message-ID"] == reminding.message_id(reminder)
    assert message["Message-ID"].endswith("@rivers.example>")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().strip().split("\n\n") == [
        f"A sign-off of Legal is missing. It is due {deadline.in_full}.",
        f"Read it and decide: https://rivers.example/desk/stories/{revision.story.uid}/clearing/?step={step.pk}",
        "All that waits for you: https://rivers.example/desk/clearances/",
        "Away? Say who stands in for you: https://rivers.example/desk/deputies/",
        "No mail says what a story is about.",
    ]


def test_no_mail_has_a_word_of_the_story(newsroom):
    at(newsroom, 60)
    escalate(newsroom)
    ahead, over = due(newsroom, "secret-slug", minutes=59), due(newsroom, "secret-too", minutes=-31)
    messages = sent()
    assert len(messages) == 5
    content = ahead.content
    words = [content["headline"], content["summary"], "secret", "Ellingham", "Harrow", "Marta"]
    for message in messages:
        whole = message.as_string().lower()
        assert [word for word in words if word.lower() in whole] == []
    assert over.content["headline"] == "Secret headline"


def test_who_is_told_of_a_limited_story_learns_that_a_desk_is_late_and_no_more(newsroom):
    escalate(newsroom)
    team = Team.objects.create(name="Coasts")
    team.members.add(newsroom.drafter)
    revision = newsroom.draft(team=team)
    clearing.request(revision=revision, by=newsroom.drafter)
    move(newsroom, revision, minutes=-31)
    message = next(message for message in sent() if message["To"] == INES)
    assert "you cannot open it: ask Legal" in message.get_content()
    assert str(revision.story.uid) not in message.as_string()


def test_a_name_of_several_lines_makes_no_header(newsroom):
    Desk.objects.filter(pk=newsroom.legal.pk).update(name="Legal\r\nBcc: all@paper.example")
    due(newsroom, minutes=-1)
    assert {message["Bcc"] for message in sent()} == {None}


def test_a_dead_mail_server_loses_nothing_and_the_key_stays_the_same(newsroom, settings):
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND, settings.EMAIL_PORT = "django.core.mail.backends.smtp.EmailBackend", 1
    settings.EMAIL_HOST = "127.0.0.1"
    due(newsroom, minutes=-1)
    assert to() == {}
    for reminder in Reminder.objects.all():
        assert (reminder.attempts, reminder.sent_at) == (1, None)
        assert reminder.error.startswith("ConnectionRefusedError")
        assert reminder.next_attempt is not None
    before = {reminding.message_id(reminder) for reminder in Reminder.objects.all()}
    settings.EMAIL_BACKEND = backend
    assert to() == {}
    Reminder.objects.update(next_attempt=Now())
    assert {message["Message-ID"] for message in sent()} == before
    assert set(Reminder.objects.values_list("attempts", "error")) == {(2, "")}


def test_after_the_last_try_it_is_left_for_a_person(newsroom, settings):
    settings.EMAIL_BACKEND, settings.EMAIL_PORT = "django.core.mail.backends.smtp.EmailBackend", 1
    settings.EMAIL_HOST = "127.0.0.1"
    due(newsroom, minutes=-1)
    reminding.write()
    Reminder.objects.update(attempts=len(outbox.BACK_OFF))
    while reminding.send_next():
        pass
    assert not reminding.outstanding()
    assert set(Reminder.objects.values_list("next_attempt", "sent_at")) == {(None, None)}


def test_what_a_dead_worker_was_sending_is_sent_after_its_lease_under_the_same_key(newsroom):
    due(newsroom, minutes=-1)
    reminding.write()
    claimed = outbox.claim(reminding.reminders())
    assert to() == {(HUGH if claimed.recipient == newsroom.lawyer else ADAEZE): 1}
    claimed.refresh_from_db()
    assert claimed.next_attempt - datetime.now(UTC) > timedelta(minutes=2)
    key = reminding.message_id(claimed)
    Reminder.objects.filter(pk=claimed.pk).update(next_attempt=Now())
    assert key in {message["Message-ID"] for message in sent()}
    assert Reminder.objects.filter(sent_at=None).count() == 0


def test_while_another_has_the_turn_nothing_is_sent(newsroom):
    due(newsroom, minutes=-1)
    cache.add(tasks.TURN, "somebody", 60)
    assert to() == {}
    cache.delete(tasks.TURN)
    assert to() == {ADAEZE: 1, HUGH: 1}


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_one_mail_each(live_newsroom):
    at(live_newsroom, 60)
    for number in range(3):
        due(live_newsroom, f"s-{number}", minutes=30 + number)

    def work(_: int) -> int:
        written = reminding.write()
        while reminding.send_next():
            pass
        return written

    assert sum(race(4, work)) == 6
    assert to() == {ADAEZE: 3, HUGH: 3}
    assert set(Reminder.objects.values_list("attempts", flat=True)) == {1}
