"""What must not be possible, whichever way somebody tries: attack by attack, channel by channel.

An attack is a function that sets the scene and gives what somebody sends; the channels are the ways to send it:
the pages, the admin, the verbs and the models from a shell, SQL as the application's role and as the owner of the
tables. Each cell asserts that it is refused, and that no fact, no sign-off that counts and nothing public changed.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.contrib import admin
from django.db import Error, connection, connections, models, transaction
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse

from approvals import clearing, rules
from approvals.models import (
    Covers,
    Decision,
    Deputyship,
    Desk,
    PinnedStep,
    PrivateOffice,
    Route,
    Standing,
    Step,
    Submission,
    Verdict,
)
from newsroom import releasing
from newsroom.models import Release, ReleaseSignoff, Visibility
from stories import drafting, pictures, record
from stories.models import Asset, Entry, Intake, Organisation, Revision, Suggestion, Topic, User
from stories.moments import Moment
from stories.refusals import hint_of
from tests.newsroom.racing import race
from tests.people import WORDS, Newsroom, furnish

pytestmark = pytest.mark.django_db

PARAGRAPH, QUOTE, LAST = WORDS["body"]
FAR = datetime(2999, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
REFUSALS = (Error, psycopg.Error, ProtectedError, clearing.Refused, releasing.Refused, drafting.Refused)


def everything() -> dict[str, Any]:
    """All facts, all that was derived from them, and what is public now and ever will be as things stand."""
    tables: list[type[models.Model]] = [
        *record.sources().values(),
        Entry,
        PinnedStep,
        Standing,
        ReleaseSignoff,
        Visibility,
        Deputyship,
        Asset,
    ]
    rows = {table._meta.label: list(table._default_manager.order_by("pk").values_list()) for table in tables}
    public = [list(Release.objects.public(at=at).values_list("pk", flat=True)) for at in (None, FAR)]
    cleared = [progress.cleared for progress in rules.newest_progress(stories()).values()]
    return {**rows, "public": public, "cleared": cleared}


def stories() -> list[int]:
    return list(Submission.objects.order_by("story").values_list("story", flat=True).distinct())


@contextmanager
def nothing_changes(refused: bool = True) -> Iterator[None]:
    """Within it something is refused (or, if not `refused`, has no effect), and nothing changes."""
    before = everything()
    try:
        with transaction.atomic():
            yield
            if refused:
                pytest.fail("it was not refused")
    except REFUSALS:
        pass
    after = everything()
    assert [name for name in before if before[name] != after[name]] == []


# Decisions that nobody may take


@dataclass(frozen=True)
class Sent:
    """A decision, as somebody sends it."""

    by: User
    step: PinnedStep
    revision: Revision
    covered: str
    behalf: User | None = None
    verdict: str = Verdict.CLEARED
    takes_back: Decision | None = None

    @property
    def row(self) -> dict[str, Any]:
        """The row that it would be."""
        return {
            "story": self.revision.story,
            "by": self.by,
            "step": self.step,
            "revision": self.revision,
            "desk": self.step.desk,
            "covers": self.step.covers,
            "whom": self.step.whom,
            "verdict": self.verdict,
            "covered": self.covered,
            "on_behalf": self.behalf,
            "takes_back": self.takes_back,
        }

    @property
    def columns(self) -> dict[str, Any]:
        """The same by columns."""
        ids = ("story", "by", "step", "revision", "desk", "on_behalf", "takes_back")
        columns = {f"{key}_id" if key in ids else key: value for key, value in self.row.items()}
        return {
            **{key: getattr(value, "pk", value) for key, value in columns.items()},
            "verdict": str(self.verdict),
            "covers": str(self.step.covers),
            "reason": "",
        }


def sent(newsroom: Newsroom, revision: Revision, **changes: Any) -> Sent:
    """The sign-off by a lawyer that would be accepted, with changes."""
    desk = changes.pop("desk", newsroom.legal)
    step = newsroom.step(revision.story, desk)
    state = next(one for one in rules.progress(revision).steps if one.step_id == step.pk)
    return replace(Sent(newsroom.lawyer, step, revision, state.covered or ""), **changes)


def stands_in(deputy: User, of: User, **more: Any) -> Deputyship:
    now = datetime.now(UTC)
    given = {"since": now - HOUR, "until": now + HOUR, "by": of}
    return Deputyship.objects.create(person=of, deputy=deputy, **{**given, **more})


def submitted(newsroom: Newsroom, **changes: Any) -> Revision:
    """A story whose drafter is on each desk, where everybody has a deputy who stands in and wrote nothing."""
    newsroom.legal.members.add(newsroom.drafter)
    newsroom.private_office.members.add(newsroom.drafter)
    return newsroom.submitted(**changes)


def own_words(newsroom: Newsroom) -> Sent:
    return sent(newsroom, submitted(newsroom), by=newsroom.drafter)


def own_words_as_a_superuser(newsroom: Newsroom) -> Sent:
    forged = own_words(newsroom)
    User.objects.update(is_superuser=True, is_staff=True)
    return replace(forged, by=User.objects.get(pk=forged.by.pk))


def through_a_second_desk(newsroom: Newsroom) -> Sent:
    return sent(newsroom, submitted(newsroom), by=newsroom.drafter, desk=newsroom.private_office)


def through_a_deputy(newsroom: Newsroom) -> Sent:
    stands_in(newsroom.nobody, newsroom.drafter)
    return sent(newsroom, submitted(newsroom), by=newsroom.nobody, behalf=newsroom.drafter)


def as_the_deputy_of_a_colleague(newsroom: Newsroom) -> Sent:
    stands_in(newsroom.drafter, newsroom.lawyer)
    return sent(newsroom, submitted(newsroom), by=newsroom.drafter, behalf=newsroom.lawyer)


def one_word_of_it(newsroom: Newsroom) -> Sent:
    """Somebody else wrote all the rest, before and since."""
    first = submitted(newsroom)
    newsroom.edit(first.story, by=newsroom.lawyer, contacts="River desk\n020 7946 0001")
    return sent(newsroom, newsroom.edit(first.story, summary="Another summary."))


def after_their_words_were_cut_and_put_back(newsroom: Newsroom) -> Sent:
    newsroom.legal.members.add(newsroom.other_drafter)
    first = newsroom.draft()
    mine = {"kind": "paragraph", "html": "<p>The bridge is safe.</p>"}
    newsroom.edit(first.story, by=newsroom.other_drafter, body=[PARAGRAPH, mine])
    third = newsroom.edit(first.story, body=[PARAGRAPH])
    clearing.request(revision=third, by=newsroom.drafter)
    newsroom.sign(third, newsroom.legal, newsroom.lawyer)
    return sent(newsroom, newsroom.edit(first.story, body=[mine, PARAGRAPH]), by=newsroom.other_drafter)


def figures_that_were_cut_and_put_back(newsroom: Newsroom) -> Sent:
    """The desk covers the sentences with a number, and cleared the story without this one."""
    desk = Desk.objects.create(name="Statistics")
    desk.members.add(newsroom.other_drafter, newsroom.nobody)
    Step.objects.create(route=newsroom.route, desk=desk, covers=Covers.FIGURES)
    first = newsroom.draft(notes="")
    mine, theirs = ({"kind": "paragraph", "html": f"<p>It cost {sum_} million.</p>"} for sum_ in (4, 5))
    newsroom.edit(first.story, by=newsroom.other_drafter, body=[mine, theirs])
    third = newsroom.edit(first.story, body=[theirs])
    clearing.request(revision=third, by=newsroom.drafter)
    cleared = sent(newsroom, third, by=newsroom.nobody, desk=desk)
    Decision.objects.create(**cleared.row)
    return sent(
        newsroom, newsroom.edit(first.story, body=[mine, theirs]), by=newsroom.other_drafter, desk=desk
    )


def restored_by_themself(newsroom: Newsroom) -> Sent:
    first = submitted(newsroom)
    newsroom.edit(first.story, summary="Another summary.")
    row = Revision.objects.create(
        story=first.story, by=newsroom.lawyer, number=0, content=first.content,
        based_on=first.story.latest, restores=first,
    )  # fmt: skip
    return sent(newsroom, row)


def restored_by_another(newsroom: Newsroom) -> Sent:
    """Their own words, brought back under another's name."""
    newsroom.legal.members.add(newsroom.other_drafter)
    first = newsroom.draft(by=newsroom.other_drafter)
    second = newsroom.edit(first.story, summary="Another summary.")
    clearing.request(revision=second, by=newsroom.drafter)
    newsroom.sign(second, newsroom.legal, newsroom.lawyer)
    row = Revision.objects.create(
        story=first.story, by=newsroom.drafter, number=0, content=first.content,
        based_on=second, restores=first,
    )  # fmt: skip
    return sent(newsroom, row, by=newsroom.other_drafter)


def a_picture_they_uploaded(newsroom: Newsroom) -> Sent:
    from tests.newsroom.test_nothing_early import noise

    asset = pictures.store(noise(), newsroom.lawyer)
    size = {"width": asset.width, "height": asset.height}
    told = {"alt": "A bridge", "caption": "", "credit": ""}
    picture = {"sha256": asset.sha256, "name": asset.name, **size, **told}
    return sent(newsroom, submitted(newsroom, picture=picture))


def the_text_it_was_started_from(newsroom: Newsroom) -> Sent:
    revision = submitted(newsroom)
    Intake.objects.create(story=revision.story, by=newsroom.lawyer, text="A footbridge opened.")
    return sent(newsroom, revision)


def a_wording_they_suggested(newsroom: Newsroom) -> Sent:
    first = submitted(newsroom)
    suggestion = Suggestion.objects.create(
        story=first.story, by=newsroom.lawyer, revision=first, anchor={"exact": "two"}, replacement="three"
    )
    content = {**first.content, "summary": "The bridge saves walkers three miles."}
    row = Revision.objects.create(
        story=first.story, by=newsroom.drafter, number=0, content=content, based_on=first, takes=suggestion
    )
    return sent(newsroom, row)


def a_stale_page(newsroom: Newsroom) -> Sent:
    seen = sent(newsroom, submitted(newsroom))
    newsroom.edit(seen.revision.story, summary="Another summary.")
    return seen


def a_stale_page_whose_part_is_the_same(newsroom: Newsroom) -> Sent:
    seen = sent(newsroom, submitted(newsroom), by=newsroom.secretary, desk=newsroom.private_office)
    newsroom.edit(seen.revision.story, summary="Another summary.")
    return seen


def the_old_revision_with_the_new_digest(newsroom: Newsroom) -> Sent:
    seen = a_stale_page(newsroom)
    return replace(seen, covered=seen.revision.story.latest.digest)


def the_new_revision_with_the_old_digest(newsroom: Newsroom) -> Sent:
    seen = a_stale_page(newsroom)
    return replace(seen, revision=seen.revision.story.latest)


def a_step_of_another_story(newsroom: Newsroom) -> Sent:
    other = submitted(newsroom, slug="another")
    return sent(newsroom, submitted(newsroom), step=newsroom.step(other.story, newsroom.legal))


def a_revision_of_another_story(newsroom: Newsroom) -> Sent:
    other = submitted(newsroom, slug="another", summary="Another.")
    mine = sent(newsroom, submitted(newsroom))
    return replace(mine, step=sent(newsroom, other).step)


def partner_route(newsroom: Newsroom) -> Desk:
    desk = Desk.objects.create(name="Partnerships")
    desk.members.add(newsroom.nobody)
    Step.objects.create(route=newsroom.route, desk=desk, condition="partner")
    Organisation.objects.create(name="Eel Society", slug="eels")
    return desk


def a_pattern(newsroom: Newsroom) -> Sent:
    """What is asked is the step of the partner that is named, never the pattern from which it was made."""
    desk = partner_route(newsroom)
    revision = submitted(newsroom, partners=[{"slug": "eels", "name": "Eel Society"}])
    pattern = PinnedStep.objects.get(submission__story=revision.story, desk=desk, value="")
    return Sent(newsroom.nobody, pattern, revision, revision.digest)


def a_request_of_before(newsroom: Newsroom) -> Sent:
    asked = sent(newsroom, submitted(newsroom))
    Step.objects.filter(desk=newsroom.legal).update(quorum=2)
    clearing.request(revision=asked.revision, by=newsroom.drafter)
    return asked


def who_left_the_desk(newsroom: Newsroom) -> Sent:
    asked = sent(newsroom, submitted(newsroom))
    newsroom.legal.members.remove(newsroom.lawyer)
    return asked


def deactivated(newsroom: Newsroom) -> Sent:
    asked = sent(newsroom, submitted(newsroom))
    User.objects.filter(pk=newsroom.lawyer.pk).update(is_active=False)
    return asked


def a_superuser_on_no_desk(newsroom: Newsroom) -> Sent:
    return sent(newsroom, submitted(newsroom), by=newsroom.administrator)


def for_somebody_who_never_agreed(newsroom: Newsroom) -> Sent:
    return sent(newsroom, submitted(newsroom), by=newsroom.nobody, behalf=newsroom.lawyer)


def for_somebody_and_on_the_desk_oneself(newsroom: Newsroom) -> Sent:
    return sent(newsroom, submitted(newsroom), by=newsroom.second_lawyer, behalf=newsroom.lawyer)


def a_deputy(newsroom: Newsroom, **more: Any) -> Sent:
    stands_in(newsroom.nobody, newsroom.lawyer, **more)
    return sent(newsroom, submitted(newsroom), by=newsroom.nobody, behalf=newsroom.lawyer)


def a_deputy_whose_time_is_over(newsroom: Newsroom) -> Sent:
    now = datetime.now(UTC)
    return a_deputy(newsroom, since=now - 2 * HOUR, until=now - HOUR)


def a_deputy_whose_time_has_not_come(newsroom: Newsroom) -> Sent:
    return a_deputy(newsroom, since=datetime.now(UTC) + HOUR, until=datetime.now(UTC) + 2 * HOUR)


def a_deputy_who_was_sent_away(newsroom: Newsroom) -> Sent:
    asked = a_deputy(newsroom)
    Deputyship.objects.update(until=datetime.now(UTC))
    return asked


def a_deputy_on_another_desk(newsroom: Newsroom) -> Sent:
    newsroom.private_office.members.add(newsroom.lawyer)
    return a_deputy(newsroom, desk=newsroom.private_office)


def a_deputy_of_somebody_who_left_the_desk(newsroom: Newsroom) -> Sent:
    asked = a_deputy(newsroom)
    newsroom.legal.members.remove(newsroom.lawyer)
    return asked


def a_deputy_of_somebody_deactivated(newsroom: Newsroom) -> Sent:
    asked = a_deputy(newsroom)
    User.objects.filter(pk=newsroom.lawyer.pk).update(is_active=False)
    return asked


def a_deactivated_deputy(newsroom: Newsroom) -> Sent:
    asked = a_deputy(newsroom)
    User.objects.filter(pk=newsroom.nobody.pk).update(is_active=False)
    return asked


def a_deputy_of_a_deputy(newsroom: Newsroom) -> Sent:
    stands_in(newsroom.officer, newsroom.nobody)
    return replace(a_deputy(newsroom), by=newsroom.officer)


def a_stage_that_is_not_open(newsroom: Newsroom) -> Sent:
    Step.objects.filter(desk=newsroom.private_office).update(stage=2)
    return sent(newsroom, submitted(newsroom), by=newsroom.secretary, desk=newsroom.private_office)


def a_stage_that_closed_again(newsroom: Newsroom) -> Sent:
    Step.objects.filter(desk=newsroom.private_office).update(stage=2)
    first = submitted(newsroom)
    newsroom.sign(first, newsroom.legal, newsroom.lawyer)
    newest = newsroom.edit(first.story, summary="Another summary.")
    return sent(newsroom, newest, by=newsroom.secretary, desk=newsroom.private_office)


def refused_before(newsroom: Newsroom) -> Sent:
    asked = sent(newsroom, submitted(newsroom))
    clearing.refuse(
        step=asked.step, revision=asked.revision, covered=asked.covered, by=newsroom.lawyer, reason="Libel."
    )
    return asked


def refused_by_a_colleague(newsroom: Newsroom) -> Sent:
    return replace(refused_before(newsroom), by=newsroom.second_lawyer)


def refused_by_a_colleague_who_left(newsroom: Newsroom) -> Sent:
    asked = refused_by_a_colleague(newsroom)
    newsroom.legal.members.remove(newsroom.lawyer)
    return asked


def refused_by_a_colleague_through_a_deputy(newsroom: Newsroom) -> Sent:
    stands_in(newsroom.nobody, newsroom.second_lawyer)
    return replace(refused_before(newsroom), by=newsroom.nobody, behalf=newsroom.second_lawyer)


def refused_and_the_deputyship_is_over(newsroom: Newsroom) -> Sent:
    """Whoever stood in for the one who refused does not speak for them any more."""
    asked = replace(refused_before(newsroom), by=newsroom.nobody, behalf=newsroom.lawyer)
    now = datetime.now(UTC)
    stands_in(newsroom.nobody, newsroom.lawyer, since=now - 2 * HOUR, until=now - HOUR)
    return asked


FORGED: dict[str, Callable[[Newsroom], Sent]] = {
    "own words": own_words,
    "own words, as a superuser": own_words_as_a_superuser,
    "own words, through a second desk": through_a_second_desk,
    "own words, through a deputy": through_a_deputy,
    "own words, as a colleague's deputy": as_the_deputy_of_a_colleague,
    "own words, one in the contacts": one_word_of_it,
    "own words, cut and put back by another": after_their_words_were_cut_and_put_back,
    "own figures, cut and put back by another": figures_that_were_cut_and_put_back,
    "own words, restored by oneself": restored_by_themself,
    "own words, restored by another": restored_by_another,
    "own picture": a_picture_they_uploaded,
    "own text that it was started from": the_text_it_was_started_from,
    "own wording that was suggested": a_wording_they_suggested,
    "a stale page": a_stale_page,
    "a stale page, the part unchanged": a_stale_page_whose_part_is_the_same,
    "the old revision, the new digest": the_old_revision_with_the_new_digest,
    "the new revision, the old digest": the_new_revision_with_the_old_digest,
    "a digest of nothing": lambda n: sent(n, submitted(n), covered="0" * 64),
    "an empty digest": lambda n: sent(n, submitted(n), covered=""),
    "a step of another story": a_step_of_another_story,
    "a revision of another story": a_revision_of_another_story,
    "a pattern": a_pattern,
    "a request of before": a_request_of_before,
    "who is not on the desk": lambda n: sent(n, submitted(n), by=n.secretary),
    "who left the desk": who_left_the_desk,
    "who was deactivated": deactivated,
    "a superuser on no desk": a_superuser_on_no_desk,
    "for somebody who never agreed": for_somebody_who_never_agreed,
    "for a colleague who never agreed": for_somebody_and_on_the_desk_oneself,
    "a deputy whose time is over": a_deputy_whose_time_is_over,
    "a deputy whose time has not come": a_deputy_whose_time_has_not_come,
    "a deputy who was sent away": a_deputy_who_was_sent_away,
    "a deputy on another desk": a_deputy_on_another_desk,
    "a deputy of who left the desk": a_deputy_of_somebody_who_left_the_desk,
    "a deputy of who was deactivated": a_deputy_of_somebody_deactivated,
    "a deactivated deputy": a_deactivated_deputy,
    "a deputy's deputy": a_deputy_of_a_deputy,
    "a stage that is not open": a_stage_that_is_not_open,
    "a stage that closed again": a_stage_that_closed_again,
    "refused by a colleague": refused_by_a_colleague,
    "refused by a colleague who left": refused_by_a_colleague_who_left,
    "refused by a colleague, through a deputy": refused_by_a_colleague_through_a_deputy,
    "refused, the deputyship over": refused_and_the_deputyship_is_over,
}


def by_the_page(forged: Sent) -> None:
    """What a browser could send, and what nobody's browser would."""
    browser = Client()
    browser.force_login(forged.by)
    form = {
        "revision": forged.revision.pk,
        "covered": forged.covered,
        "verdict": forged.verdict,
        "reason": "",
        "on_behalf": forged.behalf.pk if forged.behalf else "",
        "takes_back": forged.takes_back.pk if forged.takes_back else "",
    }
    path = reverse("story_decide", args=[forged.revision.story.uid, forged.step.pk])
    answer = browser.post(path, form)
    # A deactivated person is shown the way to sign in.
    assert answer.status_code >= 400 or answer["Location"].startswith("/accounts/"), answer.status_code
    raise clearing.Refused


def by_the_admin(forged: Sent) -> None:
    """As somebody who may do everything there is to do in the admin."""
    root = User.objects.get(username="root")
    browser = Client()
    browser.force_login(root)
    form = {key.removesuffix("_id"): value or "" for key, value in forged.columns.items()}
    for path in ("admin:approvals_decision_add", "admin:approvals_decision_changelist"):
        assert browser.post(reverse(path), {**form, "_save": "Save"}).status_code in (302, 403)
    raise clearing.Refused


def by_the_verb(forged: Sent) -> None:
    if forged.takes_back:
        clearing.take_back(decision=forged.takes_back, by=forged.by)
        return
    clearing.clear(
        step=forged.step,
        revision=forged.revision,
        covered=forged.covered,
        by=forged.by,
        on_behalf=forged.behalf,
    )


def by_a_model(forged: Sent) -> None:
    Decision.objects.create(**forged.row)


def by_a_raw_save(forged: Sent) -> None:
    Decision(**forged.row, pk=10**12, at="2001-01-01T00:00Z").save_base(raw=True)


def in_bulk(forged: Sent) -> None:
    Decision.objects.bulk_create([Decision(**forged.row)], ignore_conflicts=True)


def insertion(forged: Sent, using: str = "default", tail: str = "") -> None:
    columns = forged.columns
    with connections[using].cursor() as cursor:
        cursor.execute(
            f"INSERT INTO approvals_decision ({', '.join(columns)}, id, at) OVERRIDING SYSTEM VALUE "
            f"SELECT {', '.join(['%s'] * len(columns))}, 1000000000, now() - interval '1 year' {tail}",
            list(columns.values()),
        )


def by_sql(forged: Sent) -> None:
    insertion(forged)


def by_sql_that_ignores_conflicts(forged: Sent) -> None:
    insertion(forged, tail="ON CONFLICT DO NOTHING")


def by_the_owner(forged: Sent) -> None:
    insertion(forged, "owner")


def by_copy(forged: Sent) -> None:
    columns = forged.columns
    statement = f"COPY approvals_decision ({', '.join(columns)}, at) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write_row([*columns.values(), datetime.now(UTC)])


def by_merge(forged: Sent) -> None:
    columns = forged.columns
    with connection.cursor() as cursor:
        cursor.execute(
            "MERGE INTO approvals_decision d USING (SELECT 1) s ON d.id < 0 "
            f"WHEN NOT MATCHED THEN INSERT ({', '.join(columns)}, at) "
            f"VALUES ({', '.join(['%s'] * len(columns))}, now())",
            list(columns.values()),
        )


def with_triggers_ignored(forged: Sent) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL pgtrigger.ignore = '{approvals_decision:allowed,approvals_decision:refresh}'"
        )
        cursor.execute("SET LOCAL search_path = pg_temp, public")
        cursor.execute("SET LOCAL newsroom.at = '2001-01-01T00:00Z'")
    insertion(forged)


CHANNELS: dict[str, Callable[[Sent], None]] = {
    "a page": by_the_page,
    "the admin": by_the_admin,
    "a verb": by_the_verb,
    "a model": by_a_model,
    "a raw save": by_a_raw_save,
    "in bulk": in_bulk,
    "SQL": by_sql,
    "SQL, conflicts ignored": by_sql_that_ignores_conflicts,
    "COPY": by_copy,
    "MERGE": by_merge,
    "SQL, triggers ignored": with_triggers_ignored,
}


@pytest.mark.parametrize("attack", FORGED)
def test_a_decision_that_nobody_may_take(newsroom, subtests, attack):
    forged = FORGED[attack](newsroom)
    for channel, send in CHANNELS.items():
        with subtests.test(channel), nothing_changes():
            send(forged)


@pytest.mark.parametrize("channel", [name for name in CHANNELS if name != "the admin"])
def test_the_same_with_nothing_wrong_about_it_is_taken(newsroom, channel):
    """Else each of these could be refused for a slip of the test."""
    revision = submitted(newsroom)
    with pytest.raises((clearing.Refused, AssertionError)) if channel == "a page" else transaction.atomic():
        CHANNELS[channel](sent(newsroom, revision))
    assert Decision.objects.get().by == newsroom.lawyer
    assert rules.progress(revision).steps[0].state == "cleared"


# Decisions taken back that have to stay


def signed(newsroom: Newsroom, **more: Any) -> Decision:
    revision = submitted(newsroom, **more)
    return newsroom.sign(revision, newsroom.legal, newsroom.lawyer)


def back(decision: Decision, by: User) -> Sent:
    return Sent(
        by,
        decision.step,
        decision.revision,
        decision.covered,
        verdict=Verdict.TAKEN_BACK,
        takes_back=decision,
    )


def twice(newsroom: Newsroom) -> Sent:
    decision = signed(newsroom)
    clearing.take_back(decision=decision, by=newsroom.lawyer)
    return back(decision, newsroom.lawyer)


def an_older_one(newsroom: Newsroom) -> Sent:
    decision = signed(newsroom)
    Decision.objects.create(**sent(newsroom, decision.revision).row, reason="Once more.")
    return back(decision, newsroom.lawyer)


def of_a_public_story(newsroom: Newsroom) -> Sent:
    release = newsroom.public()
    return back(Decision.objects.get(story=release.story, by=newsroom.lawyer), newsroom.lawyer)


def by_the_drafter_whose_refusal_it_is_not(newsroom: Newsroom) -> Sent:
    refused_before(newsroom)
    return back(Decision.objects.get(), newsroom.drafter)


def refused_by_somebody_deactivated(newsroom: Newsroom) -> Sent:
    refused_before(newsroom)
    User.objects.filter(pk=newsroom.lawyer.pk).update(is_active=False)
    return back(Decision.objects.get(), newsroom.lawyer)


def what_was_taken_back(newsroom: Newsroom) -> Sent:
    decision = signed(newsroom)
    return back(clearing.take_back(decision=decision, by=newsroom.lawyer), newsroom.lawyer)


def of_another_story(newsroom: Newsroom) -> Sent:
    decision, other = signed(newsroom), submitted(newsroom, slug="another")
    mine = back(decision, newsroom.lawyer)
    return replace(mine, revision=other, step=newsroom.step(other.story, newsroom.legal))


STAYS: dict[str, Callable[[Newsroom], Sent]] = {
    "by a colleague": lambda n: back(signed(n), n.second_lawyer),
    "by the drafter": lambda n: back(signed(n), n.drafter),
    "by a superuser": lambda n: back(signed(n), n.administrator),
    "by the duty officer": lambda n: back(signed(n), n.officer),
    "a refusal, by the drafter": by_the_drafter_whose_refusal_it_is_not,
    "a refusal, by whom was deactivated": refused_by_somebody_deactivated,
    "twice": twice,
    "an older one": an_older_one,
    "of a public story": of_a_public_story,
    "what was taken back": what_was_taken_back,
}


@pytest.mark.parametrize("attack", STAYS)
def test_a_decision_that_has_to_stay(newsroom, subtests, attack):
    forged = STAYS[attack](newsroom)
    for channel, send in CHANNELS.items():
        with subtests.test(channel), nothing_changes():
            send(forged)


def test_a_decision_of_another_story_is_not_taken_back(newsroom, subtests):
    forged = of_another_story(newsroom)
    for channel, send in CHANNELS.items():
        if channel not in ("a page", "a verb"):
            with subtests.test(channel), nothing_changes():
                send(forged)


# Words and a decision on them at once


def page_with_words_and_a_verdict(newsroom: Newsroom, revision: Revision) -> None:
    newsroom.legal.members.add(newsroom.other_drafter)
    browser = Client()
    browser.force_login(newsroom.other_drafter)
    both = {
        "headline": "Slipped in", "body": "<p>Slipped in.</p>", "type": "statement", "base": revision.pk,
        "verdict": "cleared", "covered": revision.digest, "revision": revision.pk, "reason": "",
    }  # fmt: skip
    step = newsroom.step(revision.story, newsroom.legal)
    browser.post(reverse("story_save", args=[revision.story.uid]), both)
    newest = revision.story.latest
    for digest, number in ((revision.digest, revision.pk), (newest.digest, newest.pk)):
        sent_ = {**both, "covered": digest, "revision": number}
        browser.post(reverse("story_decide", args=[revision.story.uid, step.pk]), sent_)


def verbs_in_one_transaction(newsroom: Newsroom, revision: Revision) -> None:
    with transaction.atomic():
        newest = newsroom.edit(revision.story, by=newsroom.lawyer, headline="Slipped in")
        newsroom.sign(newest, newsroom.legal, newsroom.lawyer)


def the_decision_first(newsroom: Newsroom, revision: Revision) -> None:
    with transaction.atomic():
        newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
        newsroom.edit(revision.story, by=newsroom.lawyer, headline="Slipped in")


REVISION = (
    "INSERT INTO stories_revision (story_id, by_id, number, based_on_id, content, origin) "
    "SELECT {story}, {by}, 0, {base}, content || '{change}'::jsonb, 'form' FROM stories_revision WHERE id = {base} "
    "RETURNING id, digest"
)
DECISION = (
    "INSERT INTO approvals_decision (story_id, by_id, step_id, revision_id, verdict, covered, whom, reason) "
)
RELEASE = "INSERT INTO newsroom_release (story_id, by_id, revision_id, embargo, zone) SELECT {story}, {by}, "


def run(statement: str, **values: Any) -> None:
    with connection.cursor() as cursor:
        for name, value in values.items():
            statement = statement.replace(f"{{{name}}}", str(value))
        cursor.execute(statement.replace("%", "%%"))


def one_statement(newsroom: Newsroom, revision: Revision) -> None:
    """The words are inserted and decided on by one command, which sees the tables as they were before it."""
    run(
        f"WITH r AS ({REVISION}) {DECISION} SELECT {{story}}, {{by}}, {{step}}, r.id, 'cleared', r.digest, '', '' FROM r",
        story=revision.story_id,
        by=newsroom.lawyer.pk,
        base=revision.pk,
        change='{"headline": "Slipped in"}',
        step=newsroom.step(revision.story, newsroom.legal).pk,
    )


def one_statement_the_decision_first(newsroom: Newsroom, revision: Revision) -> None:
    run(
        f"WITH d AS ({DECISION} SELECT {{story}}, {{by}}, {{step}}, {{base}}, 'cleared', '{{digest}}', '', '' "
        "RETURNING story_id) " + REVISION.replace("SELECT {story}", "SELECT (SELECT story_id FROM d)"),
        story=revision.story_id,
        by=newsroom.lawyer.pk,
        base=revision.pk,
        digest=revision.digest,
        change='{"headline": "Slipped in"}',
        step=newsroom.step(revision.story, newsroom.legal).pk,
    )


AT_ONCE = [
    page_with_words_and_a_verdict,
    verbs_in_one_transaction,
    the_decision_first,
    one_statement,
    one_statement_the_decision_first,
]


@pytest.mark.parametrize("way", AT_ONCE, ids=lambda way: way.__name__)
def test_words_and_a_decision_on_them_at_once(newsroom, way):
    """Whatever of it is taken, the words that were slipped in are cleared by nobody."""
    revision = submitted(newsroom)
    newsroom.sign(revision, newsroom.private_office, newsroom.secretary)
    with suppress(*REFUSALS), transaction.atomic():
        way(newsroom, revision)
    newest = revision.story.latest
    assert not Decision.objects.filter(desk=newsroom.legal, revision__content__headline="Slipped in").exists()
    assert newest.headline == "Slipped in" or not Decision.objects.filter(desk=newsroom.legal).exists()
    assert not rules.progress(newest).cleared
    with nothing_changes():
        arm_by_the_verb(newsroom, newest)
    assert list(record.verify()) == []


# Releases without the sign-offs


def arm_row(newsroom: Newsroom, revision: Revision, **more: Any) -> dict[str, Any]:
    return {"story": revision.story, "by": newsroom.officer, "revision": revision, "zone": "UTC", **more}


def unmet(newsroom: Newsroom) -> Revision:
    revision = submitted(newsroom)
    newsroom.sign(revision, newsroom.private_office, newsroom.secretary)
    return revision


def changed_after(newsroom: Newsroom, **changes: Any) -> Revision:
    return newsroom.edit(newsroom.cleared().story, **changes)


def of_an_older_revision(newsroom: Newsroom) -> Revision:
    """It was cleared, and there are newer words."""
    revision = newsroom.cleared()
    newsroom.edit(revision.story, summary="Another summary.")
    return revision


def asked_after(newsroom: Newsroom) -> Revision:
    revision = newsroom.cleared()
    state = sent(newsroom, revision)
    clearing.ask_for_changes(
        step=state.step, revision=revision, covered=state.covered, by=newsroom.second_lawyer, reason="Wait."
    )
    return revision


def refused_after(newsroom: Newsroom) -> Revision:
    revision = newsroom.cleared()
    state = sent(newsroom, revision)
    clearing.refuse(
        step=state.step, revision=revision, covered=state.covered, by=newsroom.second_lawyer, reason="Libel."
    )
    return revision


def taken_back(newsroom: Newsroom) -> Revision:
    revision = newsroom.cleared()
    clearing.take_back(
        decision=Decision.objects.get(story=revision.story, by=newsroom.lawyer), by=newsroom.lawyer
    )
    return revision


def one_person_twice(newsroom: Newsroom) -> Revision:
    Step.objects.filter(desk=newsroom.legal).update(quorum=2)
    revision = newsroom.submitted()
    newsroom.sign(revision, newsroom.private_office, newsroom.secretary)
    for remark in ("", "Again."):
        Decision.objects.create(**sent(newsroom, revision).row, reason=remark)
    return revision


def one_person_and_for_a_colleague(newsroom: Newsroom) -> Revision:
    revision = one_person_twice(newsroom)
    stands_in(newsroom.lawyer, newsroom.second_lawyer)
    Decision.objects.create(**sent(newsroom, revision, behalf=newsroom.second_lawyer).row)
    return revision


def one_person_for_both(newsroom: Newsroom) -> Revision:
    Step.objects.filter(desk=newsroom.legal).update(quorum=2)
    revision = newsroom.submitted()
    newsroom.sign(revision, newsroom.private_office, newsroom.secretary)
    for of in (newsroom.lawyer, newsroom.second_lawyer):
        stands_in(newsroom.nobody, of)
        Decision.objects.create(**sent(newsroom, revision, by=newsroom.nobody, behalf=of).row)
    return revision


def two_deputies_of_one(newsroom: Newsroom) -> Revision:
    Step.objects.filter(desk=newsroom.legal).update(quorum=2)
    revision = newsroom.submitted()
    newsroom.sign(revision, newsroom.private_office, newsroom.secretary)
    for deputy in (newsroom.nobody, newsroom.officer):
        stands_in(deputy, newsroom.lawyer)
        Decision.objects.create(**sent(newsroom, revision, by=deputy, behalf=newsroom.lawyer).row)
    return revision


def all_but_one(newsroom: Newsroom) -> Revision:
    Step.objects.filter(desk=newsroom.legal).update(quorum=0)
    revision = newsroom.submitted()
    newsroom.sign(revision, newsroom.private_office, newsroom.secretary)
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    newsroom.legal.members.remove(newsroom.second_lawyer)
    return revision


def an_office_named_since(newsroom: Newsroom) -> Revision:
    office = Desk.objects.create(name="Harbour office")
    PrivateOffice.objects.create(match="speaker", name="Piotr Zielak", desk=office)
    Step.objects.create(
        route=newsroom.route, desk=None, covers=Covers.SPEAKER, condition="private_office", stage=2
    )
    first = newsroom.cleared()
    other = {**QUOTE, "html": "<p>Boats pass.</p>", "speaker": "Piotr Zielak"}
    second = newsroom.edit(first.story, body=[PARAGRAPH, QUOTE, other])
    newsroom.sign(second, newsroom.legal, newsroom.lawyer)
    newsroom.sign(second, newsroom.private_office, newsroom.secretary)
    return second


def a_partner_named_since(newsroom: Newsroom) -> Revision:
    partner_route(newsroom)
    second = newsroom.edit(newsroom.cleared().story, partners=[{"slug": "eels", "name": "Eel Society"}])
    newsroom.sign(second, newsroom.legal, newsroom.lawyer)
    return second


def by_nobody_for_the_whole(newsroom: Newsroom) -> Revision:
    revision = newsroom.draft()
    route = Route.objects.create(name="Quotes alone")
    Step.objects.create(route=route, desk=newsroom.private_office, covers=Covers.QUOTES)
    Submission.objects.create(story=revision.story, by=newsroom.drafter, revision=revision, route=route)
    newsroom.sign(revision, newsroom.private_office, newsroom.secretary)
    return revision


def asked_anew(newsroom: Newsroom) -> Revision:
    """By a route with one desk more."""
    revision = newsroom.cleared()
    Step.objects.create(route=newsroom.route, desk=Desk.objects.create(name="Extra"))
    clearing.request(revision=revision, by=newsroom.drafter)
    return revision


def a_correction(newsroom: Newsroom) -> Revision:
    """Cleared to the last word, and the story is public: correcting it is another thing."""
    release = newsroom.public()
    second = newsroom.edit(release.story, summary="The bridge saves walkers three miles.")
    newsroom.sign(second, newsroom.legal, newsroom.lawyer)
    return second


def at_the_address_of_another(newsroom: Newsroom) -> Revision:
    newsroom.public()
    return newsroom.cleared()


NOT_CLEARED: dict[str, Callable[[Newsroom], Revision]] = {
    "never requested": lambda n: n.draft(),
    "a step unmet": unmet,
    "the headline changed": lambda n: changed_after(n, headline="Another"),
    "the address changed": lambda n: changed_after(n, slug="another"),
    "the notes changed": lambda n: changed_after(n, notes="<p>Another.</p>"),
    "the contacts changed": lambda n: changed_after(n, contacts="Another"),
    "a topic more": lambda n: changed_after(n, topics=[{"slug": "bridges", "name": "Bridges"}]),
    "a quote's speaker changed": lambda n: changed_after(n, body=[{**QUOTE, "speaker": "Ana Weir"}]),
    "an older revision": of_an_older_revision,
    "changes asked": asked_after,
    "refused": refused_after,
    "a sign-off taken back": taken_back,
    "one person, twice": one_person_twice,
    "one person, and for a colleague": one_person_and_for_a_colleague,
    "one person, for two": one_person_for_both,
    "two, for one": two_deputies_of_one,
    "all but one, who left": all_but_one,
    "an office named since": an_office_named_since,
    "a partner named since": a_partner_named_since,
    "nobody for the whole": by_nobody_for_the_whole,
    "asked anew": asked_anew,
    "a public story": a_correction,
    "another's address": at_the_address_of_another,
}


def arm_by_the_page(newsroom: Newsroom, revision: Revision) -> None:
    browser = Client()
    browser.force_login(newsroom.officer)
    armed = Visibility.objects.filter(story=revision.story).first()
    form = {"now": "now", "confirm": "on", "revision": revision.pk}
    form |= {"release": armed.release_id} if armed else {}
    answer = browser.post(reverse("story_arm", args=[revision.story.uid]), form)
    assert answer.status_code == 409, answer.status_code
    raise releasing.Refused


def arm_by_a_superuser(newsroom: Newsroom, revision: Revision) -> None:
    """Who is in every group, and on every desk."""
    root = User.objects.get(username="root")
    root.groups.set(newsroom.officer.groups.all() | newsroom.drafter.groups.all())
    for desk in Desk.objects.all():
        desk.members.add(root)
    arm_by_the_page(replace(newsroom, officer=root), revision)


def arm_by_the_admin(newsroom: Newsroom, revision: Revision) -> None:
    browser = Client()
    browser.force_login(newsroom.administrator)
    row = {key: getattr(value, "pk", value) for key, value in arm_row(newsroom, revision).items()}
    for name in ("release", "visibility", "releasesignoff"):
        form = {**row, "embargo_0": "2031-01-01", "embargo_1": "00:00", "slug": "x", "_save": "Save"}
        assert browser.post(reverse(f"admin:newsroom_{name}_add"), form).status_code == 403
    raise releasing.Refused


def arm_by_the_verb(newsroom: Newsroom, revision: Revision) -> None:
    releasing.arm(revision=revision, by=newsroom.officer, moment=None)


def arm_for_later(newsroom: Newsroom, revision: Revision) -> None:
    moment = Moment(datetime.now(UTC) + HOUR, "UTC")
    releasing.arm(revision=revision, by=newsroom.officer, moment=moment)


def arm_by_a_model(newsroom: Newsroom, revision: Revision) -> None:
    Release.objects.create(**arm_row(newsroom, revision, embargo=None))


def arm_in_bulk(newsroom: Newsroom, revision: Revision) -> None:
    Release.objects.bulk_create([Release(**arm_row(newsroom, revision, embargo=FAR - timedelta(days=1)))])


def arm_by_sql(newsroom: Newsroom, revision: Revision, using: str = "default") -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(
            "INSERT INTO newsroom_release (story_id, by_id, revision_id, embargo, zone) "
            "VALUES (%s, %s, %s, NULL, 'UTC')",
            [revision.story_id, newsroom.officer.pk, revision.pk],
        )


def arm_by_copy(newsroom: Newsroom, revision: Revision) -> None:
    statement = "COPY newsroom_release (story_id, by_id, revision_id, embargo, zone) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        row = [revision.story_id, newsroom.officer.pk, revision.pk, datetime.now(UTC) + HOUR, "UTC"]
        copy.write_row(row)


def arm_the_read_model(newsroom: Newsroom, revision: Revision) -> None:
    """Without a release of one's own: any other story's would do."""
    run(
        "INSERT INTO newsroom_visibility (story_id, release_id, slug, visible_from, announced) "
        "VALUES ({story}, 1, 'slipped-in', now(), false)",
        story=revision.story_id,
    )


def arm_what_stands(newsroom: Newsroom, revision: Revision) -> None:
    """The list of what stands is no way round either."""
    run("UPDATE approvals_standing SET state = 'cleared'")


ARMING: dict[str, Callable[[Newsroom, Revision], None]] = {
    "a page": arm_by_the_page,
    "a superuser": arm_by_a_superuser,
    "the admin": arm_by_the_admin,
    "a verb": arm_by_the_verb,
    "a verb, for later": arm_for_later,
    "a model": arm_by_a_model,
    "in bulk": arm_in_bulk,
    "SQL": arm_by_sql,
    "COPY": arm_by_copy,
    "the read model": arm_the_read_model,
    "the list of what stands": arm_what_stands,
}


@pytest.mark.parametrize("attack", NOT_CLEARED)
def test_a_release_that_must_not_be(newsroom, subtests, attack):
    revision = NOT_CLEARED[attack](newsroom)
    for channel, arm in ARMING.items():
        with subtests.test(channel), nothing_changes():
            arm(newsroom, revision)


@pytest.mark.parametrize("channel", ["a page", "a verb", "a verb, for later", "a model", "SQL", "COPY"])
def test_the_same_with_nothing_missing_is_armed(newsroom, channel):
    revision = newsroom.cleared()
    with pytest.raises((releasing.Refused, AssertionError)) if channel == "a page" else transaction.atomic():
        ARMING[channel](newsroom, revision)
    assert Release.objects.public(at=FAR).get().revision == revision


# One statement that does two things, each of which would be refused after the other


def armed_before_the_office_is_asked(newsroom: Newsroom) -> tuple[str, dict[str, Any]]:
    """The words name somebody whose office is asked for it only when the statement is over."""
    office = Desk.objects.create(name="Harbour office")
    PrivateOffice.objects.create(match="speaker", name="Piotr Zielak", desk=office)
    Step.objects.create(
        route=newsroom.route, desk=None, covers=Covers.SPEAKER, condition="private_office", stage=2
    )
    Step.objects.filter(desk=newsroom.private_office).delete()
    revision = newsroom.submitted(body=[PARAGRAPH])
    change = json.dumps({"body": [PARAGRAPH, {**QUOTE, "speaker": "Piotr Zielak"}]})
    statement = (
        f"WITH r AS ({REVISION}), d AS ({DECISION} SELECT {{story}}, {{lawyer}}, {{step}}, r.id, 'cleared', "
        f"r.digest, '', '' FROM r RETURNING revision_id) {RELEASE} d.revision_id, {{embargo}}, 'UTC' FROM d"
    )
    return statement, {
        "story": revision.story_id,
        "by": newsroom.drafter.pk,
        "lawyer": newsroom.lawyer.pk,
        "base": revision.pk,
        "change": change,
        "step": newsroom.step(revision.story, newsroom.legal).pk,
    }


def armed_and_taken_back(newsroom: Newsroom) -> tuple[str, dict[str, Any]]:
    """Armed for now, and a sign-off taken back before anybody could know that it is public."""
    revision = newsroom.cleared()
    signed_ = Decision.objects.get(story=revision.story, by=newsroom.lawyer)
    columns = "story_id, by_id, step_id, revision_id, verdict, covered, whom, reason, takes_back_id"
    statement = (
        f"WITH r AS ({RELEASE} {{base}}, {{embargo}}, 'UTC' RETURNING id, story_id) "
        f"INSERT INTO approvals_decision ({columns}) "
        "SELECT r.story_id, {lawyer}, {step}, {base}, 'taken_back', '{digest}', '', '', {decision} FROM r"
    )
    return statement, {
        "story": revision.story_id,
        "by": newsroom.officer.pk,
        "lawyer": newsroom.lawyer.pk,
        "base": revision.pk,
        "digest": revision.digest,
        "decision": signed_.pk,
        "step": signed_.step_id,
    }


def taken_back_and_armed(newsroom: Newsroom) -> tuple[str, dict[str, Any]]:
    _, values = armed_and_taken_back(newsroom)
    columns = "story_id, by_id, step_id, revision_id, verdict, covered, whom, reason, takes_back_id"
    statement = (
        f"WITH d AS (INSERT INTO approvals_decision ({columns}) VALUES "
        "({story}, {lawyer}, {step}, {base}, 'taken_back', '{digest}', '', '', {decision}) RETURNING story_id) "
        + RELEASE.replace("SELECT {story}", "SELECT d.story_id")
        + "{base}, {embargo}, 'UTC' FROM d"
    )
    return statement, values


def requested_by_a_lax_route_and_armed(newsroom: Newsroom) -> tuple[str, dict[str, Any]]:
    revision = unmet(newsroom)
    route = Route.objects.create(name="Quotes alone")
    Step.objects.create(route=route, desk=newsroom.private_office, covers=Covers.QUOTES)
    statement = (
        "WITH b AS (INSERT INTO approvals_submission (story_id, by_id, revision_id, route_id) "
        "VALUES ({story}, {by}, {base}, {route}) RETURNING story_id) "
        + RELEASE.replace("SELECT {story}", "SELECT b.story_id")
        + "{base}, {embargo}, 'UTC' FROM b"
    )
    values = {"story": revision.story_id, "by": newsroom.officer.pk, "base": revision.pk, "route": route.pk}
    return statement, values


def armed_twice(newsroom: Newsroom) -> tuple[str, dict[str, Any]]:
    """Cleared words, and older ones with them."""
    revision = of_an_older_revision(newsroom)
    newest = revision.story.latest
    newsroom.sign(newest, newsroom.legal, newsroom.lawyer)
    statement = (
        "INSERT INTO newsroom_release (story_id, by_id, revision_id, embargo, zone) VALUES "
        "({story}, {by}, {newest}, {embargo}, 'UTC'), ({story}, {by}, {base}, {embargo}, 'UTC')"
    )
    values = {"story": revision.story_id, "by": newsroom.officer.pk, "base": revision.pk, "newest": newest.pk}
    return statement, values


def armed_and_new_words(newsroom: Newsroom) -> tuple[str, dict[str, Any]]:
    """The release is for the words that were there: the newer ones are nobody's to read."""
    revision = unmet(newsroom)
    statement = f"WITH r AS ({REVISION}) {RELEASE} r.id, {{embargo}}, 'UTC' FROM r"
    values = {"story": revision.story_id, "by": newsroom.officer.pk, "base": revision.pk}
    return statement, {**values, "change": '{"headline": "Slipped in"}'}


def a_later_stage_with_the_first(newsroom: Newsroom) -> tuple[str, dict[str, Any]]:
    """The rows of one insertion, the later stage's before the earlier one's."""
    Step.objects.filter(desk=newsroom.private_office).update(stage=2)
    revision = newsroom.submitted()
    later = sent(newsroom, revision, by=newsroom.secretary, desk=newsroom.private_office)
    first = sent(newsroom, revision)
    rows = ", ".join(
        f"({revision.story_id}, {one.by.pk}, {one.step.pk}, {revision.pk}, 'cleared', '{one.covered}', '', '')"
        for one in (later, first)
    )
    return f"{DECISION} VALUES {rows}", {}


def taken_back_and_cleared_by_another(newsroom: Newsroom) -> tuple[str, dict[str, Any]]:
    """A refusal, and a colleague's sign-off in the row before the one that takes it back."""
    asked = refused_before(newsroom)
    refusal = Decision.objects.get()
    columns = "story_id, by_id, step_id, revision_id, verdict, covered, whom, reason, takes_back_id"
    rows = ", ".join(
        f"({asked.revision.story_id}, {by.pk}, {asked.step.pk}, {asked.revision.pk}, '{verdict}', "
        f"'{asked.covered}', '', '', {takes})"
        for by, verdict, takes in (
            (newsroom.second_lawyer, "cleared", "NULL"),
            (newsroom.lawyer, "taken_back", refusal.pk),
        )
    )
    return f"INSERT INTO approvals_decision ({columns}) VALUES {rows}", {}


WHILE: dict[str, Callable[[Newsroom], tuple[str, dict[str, Any]]]] = {
    "armed before the office is asked": armed_before_the_office_is_asked,
    "armed and taken back": armed_and_taken_back,
    "taken back and armed": taken_back_and_armed,
    "requested by a lax route and armed": requested_by_a_lax_route_and_armed,
    "armed, and older words too": armed_twice,
    "armed and new words": armed_and_new_words,
    "a later stage with the first": a_later_stage_with_the_first,
    "cleared, and the refusal taken back": taken_back_and_cleared_by_another,
}


@pytest.mark.parametrize("embargo", ["NULL", "clock_timestamp() + interval '1 hour'"], ids=["now", "later"])
@pytest.mark.parametrize("attack", WHILE)
def test_two_things_in_one_statement(newsroom, attack, embargo):
    """Their checks run while the statement does, and what follows from them is written when it is over."""
    statement, values = WHILE[attack](newsroom)
    with suppress(*REFUSALS), transaction.atomic():
        run(statement, **values, embargo=embargo)
    public = Release.objects.public(at=FAR)
    assert [release for release in public if not rules.progress(release.revision).cleared] == []
    assert [release for release in public if release.signoffs.count() == 0] == []
    assert list(record.verify()) == []
    if attack not in ("armed and taken back", "armed, and older words too"):
        assert not public.exists()
    if attack in ("a later stage with the first", "cleared, and the refusal taken back"):
        assert Decision.objects.filter(verdict="cleared").count() == 0


def test_what_is_public_at_the_end_of_a_statement_was_signed_all_along(newsroom):
    """A statement that begins before the instant and ends after it."""
    statement, values = armed_and_taken_back(newsroom)
    statement = statement.replace("FROM r", "FROM r, pg_sleep(0.2)")
    with suppress(*REFUSALS), transaction.atomic():
        run(statement, **values, embargo="clock_timestamp() + interval '0.1 seconds'")
    public = Release.objects.public(at=FAR)
    assert [release for release in public if not rules.progress(release.revision).cleared] == []


# What happened is never changed


def of_each_kind(newsroom: Newsroom) -> None:
    """A row in every table of facts."""
    from tests.newsroom.test_nothing_early import noise

    stands_in(newsroom.nobody, newsroom.lawyer)
    pictures.store(noise(), newsroom.drafter)
    revision = newsroom.cleared()
    story, by = revision.story, newsroom.drafter
    drafting.plan_embargo(story=story, by=by, moment=Moment(datetime.now(UTC) + HOUR, "UTC"))
    drafting.limit(story=story, by=by, team=None)
    step = newsroom.step(story, newsroom.legal)
    for model in record.sources().values():
        name, row = model.__name__, {"story": story, "by": by}
        if name == "Intake":
            model.objects.create(**row, text="Begun.")
        elif name in ("Comment", "Suggestion"):
            told = {"text": "Why?"} if name == "Comment" else {"replacement": "x", "anchor": {"exact": "y"}}
            thing = model.objects.create(**row, revision=revision, **told)
            other = {
                "Comment": ("CommentResolution", "comment"),
                "Suggestion": ("SuggestionDecline", "suggestion"),
            }
            answer, field = other[name]
            apps.get_model("stories", answer).objects.create(**row, **{field: thing})
        elif name == "Claim":
            claim = model.objects.create(**{**row, "by": newsroom.lawyer}, step=step)
            apps.get_model("approvals", "ClaimRelease").objects.create(
                **{**row, "by": newsroom.lawyer}, claim=claim
            )
    disarmed = newsroom.armed(slug="disarmed")
    releasing.disarm(story=disarmed.story, by=newsroom.officer, reason="Wrong day.")
    releasing.hold(story=story, by=newsroom.officer, reason="Wait.")
    releasing.unhold(story=story, by=newsroom.officer)
    release = releasing.arm(revision=revision, by=newsroom.officer, moment=None)
    releasing.announce(release_id=release.pk, worker="test")


KEPT = sorted(
    [*record.sources().values(), Entry, PinnedStep, Standing, ReleaseSignoff, Visibility, Deputyship, Asset],
    key=lambda model: model._meta.label,
)


def column_of(model: type[models.Model]) -> str:
    """A column whose change would matter."""
    return next(
        field.column
        for field in model._meta.concrete_fields
        if not field.primary_key and field.column != "until"
    )


def tampering(model: type[models.Model]) -> dict[str, Callable[[], Any]]:
    """Each way to change or delete a row."""
    manager, table, key = model._default_manager, model._meta.db_table, model._meta.pk.column
    column = column_of(model)

    def sql(statement: str) -> Callable[[], Any]:
        return lambda: run(statement.replace("{}", table))

    return {
        "save": lambda: manager.first().save(force_update=True),
        "delete": lambda: manager.first().delete(),
        "raw delete": lambda: manager.all()._raw_delete("default"),
        "update": lambda: manager.update(**{model._meta.pk.attname: 7}),
        "UPDATE": sql(f"UPDATE {{}} SET {column} = {column}"),
        "UPDATE of its id": sql(f"UPDATE {{}} SET {key} = {key} + 1000"),
        "DELETE": sql("DELETE FROM {}"),
        "TRUNCATE": sql("TRUNCATE {} CASCADE"),
        "ON CONFLICT": sql(
            f"INSERT INTO {{}} SELECT * FROM {{}} LIMIT 1 ON CONFLICT ({key}) DO UPDATE SET {column} = excluded.{column}"
        ),
        "MERGE": sql(f"MERGE INTO {{}} t USING {{}} s ON t.{key} = s.{key} WHEN MATCHED THEN DELETE"),
        "DROP": sql("DROP TABLE {} CASCADE"),
        "no triggers": sql("ALTER TABLE {} DISABLE TRIGGER ALL"),
        "a rule": sql("CREATE RULE mine AS ON INSERT TO {} DO INSTEAD NOTHING"),
        "a column": sql("ALTER TABLE {} ADD COLUMN mine integer"),
        "a policy": sql("ALTER TABLE {} ENABLE ROW LEVEL SECURITY"),
        "a partition": sql("CREATE TEMP TABLE mine () INHERITS ({})"),
    }


def test_nothing_that_happened_is_changed_or_deleted(newsroom):
    """Each table of facts and of what follows from them, in each way."""
    of_each_kind(newsroom)
    empty = [model._meta.label for model in KEPT if not model._default_manager.exists()]
    assert empty == []
    changed = []
    for model in KEPT:
        for way, act in tampering(model).items():
            before = everything()
            try:
                with transaction.atomic():
                    act()
                    changed.append((model._meta.label, way))
            except REFUSALS:
                pass
            if everything() != before:
                changed.append((model._meta.label, way, "changed"))
    assert changed == []


@pytest.mark.django_db(transaction=True)
def test_not_even_the_owner_changes_or_deletes_what_happened(live_newsroom):
    of_each_kind(live_newsroom)
    facts = [model for model in KEPT if model not in (Standing, Visibility)]
    changed = []
    for model in facts:
        table, key, column = model._meta.db_table, model._meta.pk.column, column_of(model)
        for statement in (
            f"UPDATE {table} SET {key} = {key} + 1000",
            f"UPDATE {table} SET {column} = {column}",
            f"DELETE FROM {table}",
            f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM {table} LIMIT 1 "
            f"ON CONFLICT ({key}) DO UPDATE SET {column} = excluded.{column}",
            f"MERGE INTO {table} t USING {table} s ON t.{key} = s.{key} WHEN MATCHED THEN DELETE",
        ):
            before = everything()
            with suppress(Error), transaction.atomic("owner"), connections["owner"].cursor() as cursor:
                cursor.execute(statement)
                changed.append(statement)
                transaction.set_rollback(True, using="owner")
            assert everything() == before, statement
    # A story takes an update that changes nothing: that is how its row is locked.
    assert [statement for statement in changed if "stories_story" not in statement] == []


def test_the_admin_changes_nothing_that_happened(newsroom, as_):
    of_each_kind(newsroom)
    browser, before = as_(newsroom.administrator), everything()
    for model in KEPT:
        if not admin.site.is_registered(model):
            continue
        name, thing = (
            f"admin:{model._meta.app_label}_{model._meta.model_name}",
            model._default_manager.first(),
        )
        form = {"reason": "another", "verdict": "cleared", "_save": "Save", "post": "yes"}
        for path in (
            reverse(f"{name}_change", args=[thing.pk]),
            reverse(f"{name}_delete", args=[thing.pk]),
            reverse(f"{name}_add"),
        ):
            assert browser.post(path, form).status_code == 403, path
        act = {"action": "delete_selected", "_selected_action": thing.pk, "post": "yes"}
        browser.post(reverse(f"{name}_changelist"), act)
    assert everything() == before


# Who and what a decision names goes, and the decision stays


def things(newsroom: Newsroom) -> dict[str, models.Model]:
    """What a decision names, or hangs on."""
    return {
        "user": newsroom.lawyer,
        "desk": newsroom.legal,
        "route": newsroom.route,
        "step": Step.objects.get(desk=newsroom.legal),
        "member": Desk.members.through.objects.get(desk=newsroom.legal, user=newsroom.lawyer),
        "group": newsroom.officer.groups.get(),
    }


def gone_by_the_admin(newsroom: Newsroom, thing: models.Model) -> None:
    browser = Client()
    browser.force_login(newsroom.administrator)
    if not admin.site.is_registered(type(thing)):
        browser.post(reverse("admin:approvals_desk_change", args=[newsroom.legal.pk]), {"name": "Legal"})
        return
    name = f"admin:{thing._meta.app_label}_{thing._meta.model_name}"
    browser.post(reverse(f"{name}_delete", args=[thing.pk]), {"post": "yes"})
    act = {"action": "delete_selected", "_selected_action": thing.pk, "post": "yes"}
    browser.post(reverse(f"{name}_changelist"), act)


def gone_by_a_model(newsroom: Newsroom, thing: models.Model) -> None:
    thing.delete()


def gone_by_a_raw_delete(newsroom: Newsroom, thing: models.Model) -> None:
    type(thing)._default_manager.filter(pk=thing.pk)._raw_delete("default")


def gone_by_sql(newsroom: Newsroom, thing: models.Model) -> None:
    run(f"DELETE FROM {thing._meta.db_table} WHERE id = {thing.pk}")
    run("SET CONSTRAINTS ALL IMMEDIATE")


def gone_by_truncation(newsroom: Newsroom, thing: models.Model) -> None:
    run(f"TRUNCATE {thing._meta.db_table} CASCADE")


def renumbered(newsroom: Newsroom, thing: models.Model) -> None:
    run(f"UPDATE {thing._meta.db_table} SET id = id + 1000 WHERE id = {thing.pk}")
    run("SET CONSTRAINTS ALL IMMEDIATE")


def all_at_once(newsroom: Newsroom, thing: models.Model) -> None:
    """Everything that hangs on it first."""
    Step.objects.all().delete()
    for desk in Desk.objects.all():
        desk.members.clear()
    newsroom.lawyer.groups.clear()
    with suppress(ProtectedError):
        thing.delete()


GOING = [
    gone_by_the_admin,
    gone_by_a_model,
    gone_by_a_raw_delete,
    gone_by_sql,
    gone_by_truncation,
    renumbered,
    all_at_once,
]


@pytest.mark.parametrize("way", GOING, ids=lambda way: way.__name__)
@pytest.mark.parametrize("what", ["user", "desk", "route", "step", "member", "group"])
def test_nobody_and_nothing_that_goes_takes_a_decision_along(newsroom, what, way):
    """Configuration may go, facts and what follows from them stay."""
    armed, revision = newsroom.armed(slug="armed"), newsroom.cleared()
    thing = things(newsroom)[what]
    with nothing_changes(refused=False):
        way(newsroom, thing)
    assert rules.progress(revision).cleared
    assert Release.objects.public(at=FAR).get() == armed
    if what in ("user", "desk", "route"):
        assert type(thing)._default_manager.filter(pk=thing.pk).exists()
    assert list(record.verify()) == []


def change_a_private_office(newsroom: Newsroom) -> None:
    PrivateOffice.objects.all().delete()


def give_it_to_another_desk(newsroom: Newsroom) -> None:
    PrivateOffice.objects.update(desk=newsroom.legal)


def make_the_step_cover_less(newsroom: Newsroom) -> None:
    Step.objects.update(covers=Covers.NOTES, whom="", quorum=1)


def ask_it_never(newsroom: Newsroom) -> None:
    Step.objects.filter(desk__isnull=False).update(condition="topic", value="none")


def empty_the_desks(newsroom: Newsroom) -> None:
    for desk in Desk.objects.all():
        desk.members.clear()


def deactivate_everybody(newsroom: Newsroom) -> None:
    User.objects.update(is_active=False)


BETWEEN = [
    change_a_private_office,
    give_it_to_another_desk,
    make_the_step_cover_less,
    ask_it_never,
    empty_the_desks,
    deactivate_everybody,
]


@pytest.mark.parametrize("change", BETWEEN, ids=lambda change: change.__name__)
def test_what_was_asked_is_asked_however_the_newsroom_is_set_up_since(newsroom, change):
    office = Desk.objects.create(name="Rivers office")
    PrivateOffice.objects.create(match="speaker", name=QUOTE["speaker"], desk=office)
    Step.objects.create(
        route=newsroom.route, desk=None, covers=Covers.SPEAKER, condition="private_office", stage=2
    )
    Step.objects.filter(desk=newsroom.legal).update(quorum=2)
    revision = newsroom.cleared()
    with nothing_changes(refused=False):
        change(newsroom)
    missing = {(step.desk, step.covers, step.step.quorum) for step in rules.progress(revision).missing}
    assert missing == {("Legal", "everything", 2), ("Rivers office", "speaker", 1)}
    with nothing_changes():
        arm_by_a_model(newsroom, revision)


# Sessions that are set up to be fooled

SETTINGS = [
    "SET LOCAL session_replication_role = replica",
    "SET LOCAL ROLE newsroom_owner",
    "SET SESSION AUTHORIZATION newsroom_owner",
    "ALTER ROLE CURRENT_USER SET newsroom.at = '2001-01-01'",
    "SET LOCAL row_security = off",
    "UPDATE newsroom_visibility SET visible_from = now()",
    "UPDATE approvals_standing SET state = 'cleared', barred = '{}'",
    "INSERT INTO newsroom_releasesignoff (release_id, decision_id) SELECT 1, max(id) FROM approvals_decision",
    "UPDATE approvals_pinnedstep SET quorum = 1, stage = 1",
    "DELETE FROM approvals_pinnedstep",
    "DROP TRIGGER keep_public_signoffs ON approvals_decision",
    "DROP TRIGGER disarm_uncleared ON approvals_decision",
    "SELECT setval('newsroom_release_id_seq', 1000000)",
    "ALTER SEQUENCE approvals_decision_id_seq RESTART",
    "CREATE FUNCTION public.barred(bigint) RETURNS bigint[] LANGUAGE sql AS $$ SELECT '{}'::bigint[] $$",
    "CREATE OR REPLACE FUNCTION refuse(words text, hint text) RETURNS void LANGUAGE sql AS $$ SELECT $$",
    "CREATE SCHEMA mine",
    "CREATE EXTENSION plpython3u",
    "LOCK TABLE approvals_decision IN ACCESS EXCLUSIVE MODE",
    "COMMENT ON TABLE approvals_decision IS 'mine'",
    "COPY approvals_decision TO PROGRAM 'cat'",
    "DO $$ BEGIN EXECUTE 'ALTER TABLE approvals_decision DISABLE TRIGGER ALL'; END $$",
]


@pytest.mark.parametrize("statement", SETTINGS)
def test_the_application_has_no_right_to(newsroom, statement):
    newsroom.armed()
    with nothing_changes():
        run(statement)


#: Functions of one's own, under the names and with the arguments of those that the guards call.
SHADOWS = [
    "barred(public.stories_revision, public.approvals_pinnedstep, text) RETURNS bigint[] "
    "LANGUAGE sql AS $$ SELECT '{}'::bigint[] $$",
    "refuse(text, text) RETURNS void LANGUAGE sql AS $$ SELECT $$",
    "decision_allowed(public.approvals_decision) RETURNS public.approvals_decision "
    "LANGUAGE sql AS $$ SELECT $1 $$",
    "applies(jsonb, text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT false $$",
    "covered_content(jsonb, text, text) RETURNS jsonb LANGUAGE sql AS $$ SELECT NULL::jsonb $$",
    "is_cleared(bigint) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$",
    "on_desk(bigint, bigint) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$",
    "stands_in(bigint, bigint, bigint) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$",
    "facts_now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT '2001-01-01'::timestamptz $$",
    "lock_story(bigint) RETURNS void LANGUAGE sql AS $$ SELECT $$",
    "quorum_met(integer, bigint[], bigint[], bigint[], bigint[]) RETURNS boolean "
    "LANGUAGE sql AS $$ SELECT true $$",
    "step_digest(public.stories_revision, public.approvals_pinnedstep) RETURNS text "
    "LANGUAGE sql AS $$ SELECT NULL::text $$",
    "signoffs(bigint) RETURNS TABLE (step_id bigint, story_id bigint, revision_id bigint, desk_id bigint, "
    "covered text, decisions bigint[], state text, barred bigint[], is_open boolean, due timestamptz) "
    "LANGUAGE sql AS $$ SELECT step_id, story_id, revision_id, desk_id, covered::text, decisions, 'cleared', "
    "'{}'::bigint[], true, due FROM public.approvals_standing $$",
    "tally(bigint, public.approvals_pinnedstep, bigint[]) RETURNS TABLE (covered text, decisions bigint[], "
    "met boolean, refused boolean, asked boolean, upto bigint) "
    "LANGUAGE sql AS $$ SELECT '', '{}'::bigint[], true, false, false, 1::bigint $$",
]
TABLES = [
    "stories_revision", "approvals_decision", "approvals_pinnedstep", "approvals_standing", "approvals_submission",
    "approvals_desk_members", "approvals_deputyship", "stories_user", "newsroom_visibility", "newsroom_hold",
]  # fmt: skip


@pytest.mark.parametrize("attack", ["own words", "refused by a colleague", "a stage that is not open"])
def test_functions_and_tables_of_ones_own_fool_nobody(newsroom, attack):
    """In the schema for temporary things, which a session can put first."""
    forged = FORGED[attack](newsroom)
    for shadow in SHADOWS:
        run(f"CREATE FUNCTION pg_temp.{shadow}")
    for table in TABLES:
        run(f"CREATE TEMP TABLE {table} AS SELECT * FROM public.{table} WHERE false")
    run("SET LOCAL search_path = pg_temp, public")
    run("CREATE TEMP TABLE before AS SELECT count(*) AS decisions FROM public.approvals_decision")
    columns = forged.columns
    with pytest.raises(Error) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO public.approvals_decision ({', '.join(columns)}) "
            f"SELECT {', '.join(['%s'] * len(columns))}",
            list(columns.values()),
        )
    assert hint_of(caught.value) in ("four_eyes", "refused", "not_open")
    with pytest.raises(Error) as caught, transaction.atomic():
        run(
            "INSERT INTO public.newsroom_release (story_id, by_id, revision_id, zone) "
            "VALUES ({story}, {by}, {revision}, 'UTC')",
            story=forged.revision.story_id,
            by=newsroom.officer.pk,
            revision=forged.revision.pk,
        )
    assert hint_of(caught.value) == "not_cleared"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT decisions = (SELECT count(*) FROM public.approvals_decision), "
            "NOT EXISTS (SELECT 1 FROM public.newsroom_release) FROM before"
        )
        assert cursor.fetchone() == (True, True)


def test_no_function_that_the_application_may_call_has_more_rights_than_it(newsroom):
    """Nor does one that has them look for things where the caller says."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef "
            "AND (has_function_privilege(oid, 'EXECUTE') "
            "     OR NOT coalesce('search_path=public, pg_temp' = ANY (proconfig), false))"
        )
        assert cursor.fetchall() == []


@pytest.mark.parametrize(
    "call",
    [
        "refresh_standings({story})",
        "refresh_visibility({story})",
        "expand_steps({story})",
        "lock_story({story})",
        "record_append({story}, 'approvals_decision', 1, NULL, now(), '{}')",
    ],
)
def test_what_writes_is_not_called_by_hand(newsroom, call):
    story = newsroom.armed().story
    with nothing_changes():
        run(f"SELECT {call}", story=story.pk)


@pytest.mark.parametrize(
    "call",
    [
        "(decision_allowed(d)).id FROM approvals_decision d",
        "signoffs({revision})",
        "standings_of({story})",
        "is_cleared({revision})",
        "visibility_of({story})",
        "acts_for_desk({by}, 1)",
        "refuse('Mine.', 'mine')",
    ],
)
def test_what_only_answers_writes_nothing(newsroom, call):
    release = newsroom.armed()
    values = {"story": release.story_id, "revision": release.revision_id, "by": newsroom.lawyer.pk}
    with nothing_changes(refused=False):
        run(f"SELECT {call}", **values)


# The owner of the tables, and transactions that see an older time


@pytest.mark.django_db(transaction=True)
def test_not_even_the_owner_takes_a_decision_or_arms_against_the_rules(live_newsroom):
    """A cell each of the matrices above, in one database: the owner has a connection of its own."""
    taken = []
    for name, attack in {**FORGED, **STAYS}.items():
        with in_a_newsroom_of_its_own() as newsroom:
            forged, before = attack(newsroom), everything()
            with suppress(Error):
                by_the_owner(forged)
                taken.append(name)
            assert everything() == before, name
    for name, scene in NOT_CLEARED.items():
        with in_a_newsroom_of_its_own() as newsroom:
            revision, before = scene(newsroom), everything()
            with suppress(Error):
                arm_by_sql(newsroom, revision, "owner")
                taken.append(name)
            assert everything() == before, name
    assert taken == []


_numbers = count(1)


@contextmanager
def in_a_newsroom_of_its_own() -> Iterator[Newsroom]:
    """Committed, beside those that are there already, with the addresses of its stories free again."""
    number = next(_numbers)
    User.objects.filter(username="root").update(username=f"root-{number}")
    for model, field in ((User, "username"), (Desk, "name"), (Route, "name"), (Organisation, "slug")):
        for thing in model.objects.exclude(**{f"{field}__contains": "~"}):
            setattr(thing, field, f"{getattr(thing, field)}~{number}")
            if model is Organisation:
                thing.name = thing.slug
            thing.save()
    Route.objects.update(default=False)
    Topic.objects.all().delete()
    PrivateOffice.objects.all().delete()
    Deputyship.objects.update(until=datetime(2000, 1, 1, tzinfo=UTC))
    for release in Release.objects.filter(visibility__visible_from__gt=datetime.now(UTC)):
        releasing.disarm(story=release.story, by=release.by, reason="The scene is over.")
    yield furnish()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "level", ["REPEATABLE READ", "SERIALIZABLE", "SERIALIZABLE READ WRITE NOT DEFERRABLE"]
)
@pytest.mark.parametrize("what", ["a sign-off", "a release", "a revision"])
def test_an_old_view_of_the_story_signs_and_arms_nothing(live_newsroom, level, what):
    """Its checks could not see what was committed meanwhile."""
    newsroom = live_newsroom
    revision = newsroom.cleared()
    decision = Decision.objects.get(story=revision.story, by=newsroom.lawyer)
    with pytest.raises(Error) as caught, transaction.atomic():  # noqa: PT012
        run(f"SET TRANSACTION ISOLATION LEVEL {level}")
        run("SELECT count(*) FROM approvals_decision")
        race(1, lambda _: clearing.take_back(decision=decision, by=newsroom.lawyer))
        if what == "a release":
            arm_by_a_model(newsroom, revision)
        elif what == "a sign-off":
            Decision.objects.create(**sent(newsroom, revision, by=newsroom.second_lawyer).row)
        else:
            newsroom.edit(revision.story, summary="Another.")
    assert hint_of(caught.value) == "isolation"
    assert not Release.objects.exists()
    assert not rules.progress(revision).cleared


@pytest.mark.django_db(transaction=True)
def test_a_savepoint_and_deferred_constraints_keep_nothing_that_was_refused(live_newsroom):
    """Half of what was done in a transaction is rolled back; the rest stands by itself."""
    newsroom = live_newsroom
    revision = newsroom.cleared()
    with transaction.atomic():
        run("SET CONSTRAINTS ALL DEFERRED")
        run("SAVEPOINT before")
        newest = newsroom.edit(revision.story, by=newsroom.second_lawyer, headline="Another")
        run("ROLLBACK TO SAVEPOINT before")
        with nothing_changes():
            arm_by_a_model(newsroom, newest)
        release = releasing.arm(revision=revision, by=newsroom.officer, moment=None)
    assert Release.objects.public().get() == release
    assert list(record.verify()) == []
    assert release.signoffs.count() == 2
