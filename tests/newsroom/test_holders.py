"""What those who hold a copy under embargo are mailed: once of each fact, and no word of a story."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import transaction

from newsroom import bundling, embargo, holders, mailbox, releasing, tasks
from newsroom.models import CopyNotice
from newsroom.releasing import Moved
from stories import outbox
from tests.newsroom.copying import acknowledged, given, mailed, move, stage, token_of
from tests.newsroom.racing import race
from tests.newsroom.test_after_release import ahead, let_pass
from tests.newsroom.test_tasks import broker

pytestmark = pytest.mark.django_db


def subjects() -> list[str]:
    return [message["Subject"].partition(":")[0] for message in mailed()]


def kinds() -> list[str]:
    return list(CopyNotice.objects.order_by("pk").values_list("kind", flat=True))


def errors() -> list[str]:
    return list(CopyNotice.objects.order_by("pk").values_list("error", flat=True))


@pytest.fixture
def release(newsroom):
    return newsroom.armed()


@pytest.fixture
def held_by(newsroom, release):
    """The copy of somebody who has the mail with the link."""
    grant = given(newsroom, release)
    assert subjects() == ["A copy under embargo"]
    return grant


def test_the_mail_with_the_link(newsroom, release, settings):
    settings.SITE_URL, settings.DEFAULT_FROM_EMAIL = "https://rivers.example", "Rivers <news@rivers.example>"
    settings.ORGANISATION = "Department for Rivers"
    grant = given(newsroom, release, terms="Interviews from noon.")
    (message,) = mailed()
    text = message.get_content()
    assert message["Subject"] == "A copy under embargo: Department for Rivers"
    assert message["To"] == "quill@ledger.example"
    assert message["Message-ID"].endswith("@rivers.example>")
    assert f"https://rivers.example/embargoed/{token_of(grant)}/\n" in text
    for said in (
        "Nora Quill, The Evening Ledger",
        "Ines Okoro",
        release.moment.in_full,
        "Interviews from noon.",
    ):
        assert said in text
    content = release.revision.content
    for word in (
        content["headline"],
        content["slug"],
        content["summary"],
        "footbridge",
        str(release.story.uid),
    ):
        assert word not in str(message)


def test_it_is_sent_once_and_at_each_try_the_same(newsroom, release, settings):
    given(newsroom, release)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert holders.send_next()
    notice = CopyNotice.objects.get()
    assert (notice.sent_at, notice.attempts) == (None, 1)
    assert not holders.outstanding()
    grant = embargo.find(token_of(notice.grant))
    first, second = (holders.mail(notice, embargo.look(grant)) for _ in range(2))
    assert first.message()["Message-ID"] == second.message()["Message-ID"]
    assert first.body == second.body
    settings.EMAIL_BACKEND = "newsroom.mailbox.FolderBackend"
    CopyNotice.objects.update(next_attempt="2000-01-01T00:00Z")
    assert len(mailed()) == 1
    assert len(mailed()) == 0


def test_what_is_not_committed_is_not_mailed(newsroom, release):
    with transaction.atomic():
        given(newsroom, release)
        transaction.set_rollback(True)
    assert not CopyNotice.objects.exists()


def test_before_it_goes_out_it_is_asked_again(newsroom, release):
    revoked = given(newsroom, release)
    embargo.revoke(grant=revoked, by=newsroom.officer, reason="Wrong address")
    assert (mailed(), errors()) == ([], ["Not sent: the copy was revoked."])
    given(newsroom, release)
    releasing.disarm(story=release.story, by=newsroom.officer, reason="Not today")
    assert mailed() == []
    assert errors()[1:] == [f"Not sent: {holders.GONE}"] * 2
    releasing.arm(revision=release.revision, by=newsroom.officer, moment=ahead(hours=2))
    assert subjects() == ["A copy under embargo"], "they have never heard of it, and get the link now"


def test_a_link_that_another_secret_key_cannot_make_is_not_sent(newsroom, release, settings):
    given(newsroom, release)
    settings.SECRET_KEY = "another"
    assert mailed() == []
    assert "Revoke the copy and give it anew" in CopyNotice.objects.get().error


def test_each_holder_is_told_of_a_move_with_old_and_new(newsroom, release, held_by):
    given(newsroom, release, email="other@post.example", name="Ola Brandt")
    given(newsroom, newsroom.armed(slug="not-theirs"), email="third@post.example")
    assert len(mailed()) == 2
    was, new = release.visibility.moment, ahead(hours=5)
    move(newsroom, release, new)
    found = mailed()
    assert sorted(message["To"] for message in found) == ["other@post.example", "quill@ledger.example"]
    for message in found:
        text = message.get_content()
        assert message["Subject"].startswith("Embargo changed")
        assert text.index(was.in_full) < text.index(new.in_full)
        assert "/embargoed/" in text
        assert "footbridge" not in text
    assert mailed() == []


def test_the_rows_are_written_with_the_move_and_not_with_one_that_is_refused(newsroom, release, held_by):
    there = release.visibility.moment
    with pytest.raises(Moved):
        releasing.move(
            story=release.story,
            by=newsroom.officer,
            moment=ahead(hours=2),
            reason="x",
            seen=(release.pk, ahead(hours=9)),
        )
    assert kinds() == ["given"]
    with transaction.atomic():
        move(newsroom, release, ahead(hours=2))
        assert kinds() == ["given", "moved"]
        transaction.set_rollback(True)
    assert kinds() == ["given"]
    moved = move(newsroom, release, ahead(hours=2))
    notice = CopyNotice.objects.get(kind="moved")
    assert (notice.cause, notice.before) == (f"move:{moved.pk}", there)


def test_of_two_moves_the_last_is_told_from_the_moment_that_they_knew(newsroom, release, held_by):
    there = release.visibility.moment
    move(newsroom, release, ahead(hours=5))
    last = ahead(hours=7)
    move(newsroom, release, last)
    (message,) = mailed()
    text = message.get_content()
    assert text.index(there.in_full) < text.index(last.in_full)
    assert errors() == ["", f"Not sent: {holders.LATER}", ""]


def test_with_another_secret_key_they_are_still_told(newsroom, release, held_by, settings):
    settings.SECRET_KEY = "another"
    move(newsroom, release, ahead(hours=5))
    (message,) = mailed()
    assert "Use the link that we have sent you." in message.get_content()


def test_a_link_that_is_late_says_the_moment_that_counts(newsroom, release):
    given(newsroom, release)
    last = ahead(hours=7)
    move(newsroom, release, last)
    first, second = mailed()
    assert last.in_full in first.get_content()
    assert second["Subject"].startswith("Embargo changed")


def test_nothing_overtakes_the_link(newsroom, release, settings):
    given(newsroom, release)
    CopyNotice.objects.update(next_attempt="2100-01-01T00:00Z")
    move(newsroom, release, ahead(hours=7))
    assert mailed() == []
    assert not holders.outstanding()


def test_a_move_that_could_not_be_told_keeps_no_hold_back(newsroom, release, held_by, settings):
    was, new = release.visibility.moment, ahead(hours=6)
    move(newsroom, release, new)
    CopyNotice.objects.filter(kind="moved").update(
        next_attempt="2100-01-01T00:00Z", error="OSError", attempts=3
    )
    releasing.hold(story=release.story, by=newsroom.officer, reason="Wait")
    (message,) = mailed()
    text = message.get_content()
    assert text.index(was.in_full) < text.index(new.in_full)
    CopyNotice.objects.filter(kind="moved").update(next_attempt="2000-01-01T00:00Z")
    assert mailed() == []
    assert CopyNotice.objects.get(kind="moved").error == f"Not sent: {holders.LATER}"


def test_what_is_on_its_way_is_not_overtaken(newsroom, release, held_by):
    move(newsroom, release, ahead(hours=6))
    CopyNotice.objects.filter(kind="moved").update(
        next_attempt="2100-01-01T00:00Z", error=outbox.IN_HAND, attempts=1
    )
    releasing.hold(story=release.story, by=newsroom.officer, reason="Wait")
    assert mailed() == []


def test_armed_with_other_words(newsroom, release, held_by):
    revision = newsroom.edit(release.story, summary="Newer words.")
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    new = ahead(hours=9)
    releasing.arm(revision=revision, by=newsroom.officer, moment=new)
    (message,) = mailed()
    text = message.get_content()
    assert "its words may have changed" in text
    assert text.index(release.moment.in_full) < text.index(new.in_full)


def test_called_off_and_armed_again(newsroom, release, held_by):
    releasing.disarm(story=release.story, by=newsroom.officer, reason="Not today")
    (message,) = mailed()
    assert message["Subject"].startswith("Release called off")
    assert "The embargo stays in force" in message.get_content()
    assert "Not today" not in message.get_content()
    releasing.arm(revision=release.revision, by=newsroom.officer, moment=ahead(hours=3))
    assert subjects() == ["Embargo changed"]


def test_held_and_lifted(newsroom, release, held_by):
    releasing.hold(story=release.story, by=newsroom.officer, reason="Wait")
    (message,) = mailed()
    assert message["Subject"].startswith("On hold")
    assert f"does not go out at its moment, {release.moment.in_full}" in message.get_content()
    releasing.unhold(story=release.story, by=newsroom.officer)
    (message,) = mailed()
    assert message["Subject"].startswith("Hold lifted")
    assert release.moment.in_full in message.get_content()


def test_moved_and_held_at_once_both_are_told(newsroom, release, held_by):
    was, new = release.visibility.moment, ahead(hours=6)
    move(newsroom, release, new)
    releasing.hold(story=release.story, by=newsroom.officer, reason="Wait")
    (message,) = mailed()
    text = message.get_content()
    assert message["Subject"].startswith("On hold")
    assert text.index(was.in_full) < text.index(new.in_full)
    move(newsroom, release, ahead(hours=8))
    releasing.unhold(story=release.story, by=newsroom.officer)
    (message,) = mailed()
    assert message["Subject"].startswith("Embargo changed")
    assert new.in_full in message.get_content()


def test_everything_held_lifted_and_frozen(newsroom, release, held_by):
    newsroom.armed(slug="nobody-has-it")
    releasing.hold_everything(by=newsroom.officer, reason="Wait")
    assert subjects() == ["On hold"]
    releasing.lift_everything(by=newsroom.officer)
    assert subjects() == ["Hold lifted"]
    frozen = releasing.freeze(
        by=newsroom.officer,
        organisation=None,
        since=ahead(seconds=-60).instant,
        until=ahead(days=1).instant,
        reason="Election",
    )
    assert subjects() == ["On hold"]
    releasing.exempt(story=release.story, freeze=frozen, by=newsroom.officer, reason="Lives")
    assert subjects() == ["Hold lifted"]


def test_lifted_past_its_moment_it_is_said_that_it_is_public(newsroom):
    release = newsroom.armed(ahead=timedelta(seconds=3))
    given(newsroom, release)
    mailed()
    releasing.hold_everything(by=newsroom.officer, reason="Wait")
    let_pass(release)
    assert subjects() == ["On hold"]
    releasing.lift_everything(by=newsroom.officer)
    (message,) = mailed()
    assert message["Subject"].startswith("Embargo lifted")
    assert "/news/footbridge-harrow-weir/" in message.get_content()


def test_released_before_its_moment(newsroom, release, held_by):
    """Who keeps an embargo has to know that there is none any more."""
    releasing.arm(revision=release.revision, by=newsroom.officer, moment=None)
    (message,) = mailed()
    assert message["Subject"].startswith("Embargo lifted")
    assert f"It was:\n\n{release.moment.in_full}" in message.get_content()


def test_after_the_release_nothing_is_told_but_that_it_was_taken_back(newsroom, release, held_by):
    acknowledged(held_by)
    releasing.arm(revision=release.revision, by=newsroom.officer, moment=None)
    mailed()
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Wrong")
    (message,) = mailed()
    assert message["Subject"].startswith("Withdrawn")
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Wrong", kill=True)
    (message,) = mailed()
    assert message["Subject"].startswith("Recall")
    assert "delete your copies" in message.get_content()
    assert "/news/footbridge-harrow-weir/" in message.get_content()
    assert "New footbridge" not in message.get_content()


def test_a_recall_goes_to_each_address_that_had_something_also_if_it_was_revoked(newsroom, release, held_by):
    acknowledged(held_by)
    embargo.revoke(grant=held_by, by=newsroom.officer, reason="Wrong address")
    given(newsroom, release, email="QUILL@ledger.example")
    mailed()
    never = given(newsroom, release, email="never@post.example")
    releasing.arm(revision=release.revision, by=newsroom.officer, moment=None)
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Wrong", kill=True)
    (message,) = mailed()
    assert message["To"].lower() == "quill@ledger.example"
    assert message["Subject"].startswith("Recall")
    assert CopyNotice.objects.get(grant=never, kind="given").error == "Not sent: the story was taken back."


def test_the_sweep_sends_for_it(newsroom, release):
    cache.delete(tasks.TURN)
    given(newsroom, release)
    with broker("memory://"):
        tasks.sweep()
        assert tasks.deliver() == 1
        assert tasks.deliver() == 0
    assert len(mailbox.messages()) == 1


def test_a_mail_server_that_fails_keeps_no_token_in_what_is_written_down(newsroom, release, settings, caplog):
    grant = given(newsroom, release)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    holders.send_next()
    assert token_of(grant) not in caplog.text + CopyNotice.objects.get().error
    assert "ConnectionRefusedError" in caplog.text


class TestAtOnce:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_many_workers_send_one_mail(self, live_newsroom):
        given(live_newsroom, live_newsroom.armed())
        assert sum(race(6, lambda _: holders.send_next())) == 1
        assert len(mailbox.messages()) == 1


def test_who_holds_a_copy_of_what_is_in_a_bundle_keeps_it_until_the_bundle_goes_out(newsroom, release):
    """What is done to another story of the bundle changes their embargo, by no fact of their own."""
    grant = given(newsroom, release)
    acknowledged(grant)
    mailed()
    bundle = bundling.make(by=newsroom.officer, name="Report")
    other = newsroom.cleared(slug="other").story
    bundling.join(story=release.story, bundle=bundle, by=newsroom.officer)
    assert subjects() == []
    bundling.join(story=other, bundle=bundle, by=newsroom.officer)
    assert subjects() == ["On hold"]
    assert stage(grant) != embargo.Stage.OPEN
    late = releasing.arm(revision=other.latest, by=newsroom.officer, moment=ahead(hours=9))
    assert late.moment.in_full in mailed()[0].get_content()
    # Said for the story's own moment, which is not the one that counts any more.
    assert stage(grant) == embargo.Stage.ASK
    assert acknowledged(grant).until.instant == late.embargo
    assert stage(grant) == embargo.Stage.OPEN
    later = move(newsroom, late, ahead(hours=11))
    (message,) = mailed()
    assert late.moment.instant.strftime("%H:%M") in message.get_content()
    assert later.moment.in_full in message.get_content()
    assert stage(grant) == embargo.Stage.ASK
    # By itself again: its own moment counts.
    there = bundling.open_bundling(release.story)
    assert there
    bundling.leave(story=release.story, by=newsroom.officer, reason="Alone", bundling=there.pk)
    assert acknowledged(grant).until == release.moment
