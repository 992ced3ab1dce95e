"""Decisions that nobody may take, and the ways to send them.

A scene sets the newsroom up and gives what somebody sends; a channel is a way to send it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import Error, connection, connections, transaction
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
    Standing,
    Step,
    Submission,
    Verdict,
)
from newsroom import releasing
from newsroom.models import BundleMoment, Indexed, Release, ReleaseSignoff, Tag, Visibility, Word
from stories import drafting, pictures, record
from stories.clocks import database_now
from stories.models import Asset, Entry, Intake, Organisation, Rendition, Revision, Suggestion, User
from tests.people import WORDS, Newsroom

PARAGRAPH, QUOTE, LAST = WORDS["body"]
FAR = datetime(2999, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
REFUSALS = (Error, psycopg.Error, ProtectedError, clearing.Refused, releasing.Refused, drafting.Refused)

#: The tables of all that happened, and of what follows from it.
#: What follows from facts: the owner may write it anew.
READ_MODELS = (Standing, Visibility, BundleMoment, Indexed, Tag, Word)
KEPT = sorted(
    [
        *record.sources().values(),
        Entry,
        PinnedStep,
        ReleaseSignoff,
        Deputyship,
        Asset,
        Rendition,
        *READ_MODELS,
    ],
    key=lambda model: model._meta.label,
)


def everything(arranged_until: datetime | None = None) -> dict[str, str]:
    """All facts and all that follows from them, and what is public now and ever will be as things stand.

    What was arranged later than `arranged_until`, and so is on the newsroom's own record, is left out.
    """
    tables = {model._meta.db_table: "true" for model in KEPT}
    if arranged_until:
        tables["stories_arrangement"] = f"at <= '{arranged_until}'"
        tables["stories_entry"] = f"(source <> 'stories_arrangement' OR at <= '{arranged_until}')"
    rows = [
        f"SELECT '{table}', md5(coalesce(string_agg(t::text, ' ' ORDER BY t::text), '')) FROM {table} t "
        f"WHERE {counts}"
        for table, counts in tables.items()
    ]
    ids = "coalesce(string_agg(release_id::text, ' ' ORDER BY release_id), '')"
    at = f"SELECT '{{}}', {ids} FROM newsroom_visibility "
    rows += [at.format("public") + "WHERE visible_from <= clock_timestamp()", at.format("ever")]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(rows))
        found = dict(cursor.fetchall())
    public = [list(Release.objects.public(at=at).values_list("pk", flat=True)) for at in (None, FAR)]
    cleared = [progress.cleared for progress in rules.newest_progress(stories()).values()]
    return {**found, "predicate": str(public), "cleared": str(cleared)}


def stories() -> list[int]:
    return list(Submission.objects.order_by("story").values_list("story", flat=True).distinct())


@contextmanager
def nothing_changes(refused: bool = True) -> Iterator[None]:
    """Within it something is refused (or, if not `refused`, has no effect), and nothing changes.

    What was set up differently, where that is allowed, is on the newsroom's own record, and is left out.
    """
    before, begun = everything(), database_now()
    try:
        with transaction.atomic():
            yield
            if refused:
                pytest.fail("it was not refused")
    except REFUSALS:
        pass
    after = everything(None if refused else begun)
    assert [name for name in before if before[name] != after[name]] == []


def run(statement: str, **values: Any) -> None:
    with connection.cursor() as cursor:
        for name, value in values.items():
            statement = statement.replace(f"{{{name}}}", str(value))
        cursor.execute(statement.replace("%", "%%"))


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
    Deputyship.objects.filter(until__gt=datetime.now(UTC)).update(until=datetime.now(UTC))
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
    if forged.takes_back:
        path = reverse("story_take_back", args=[forged.revision.story.uid, forged.takes_back.pk])
    answer = browser.post(path, form)
    if answer.status_code == 302 and not answer["Location"].startswith("/accounts/"):
        return
    # A deactivated person is shown the way to sign in.
    assert answer.status_code in (302, 401, 403, 404, 409, 422), answer.status_code
    raise clearing.Refused("refused")


def by_the_admin(forged: Sent) -> None:
    """As somebody who may do everything there is to do in the admin."""
    root = User.objects.get(username="root")
    browser = Client()
    browser.force_login(root)
    form = {key.removesuffix("_id"): value or "" for key, value in forged.columns.items()}
    for path in ("admin:approvals_decision_add", "admin:approvals_decision_changelist"):
        assert browser.post(reverse(path), {**form, "_save": "Save"}).status_code in (200, 302, 403)
    raise clearing.Refused("refused")


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
    Decision(**forged.row, at=datetime(2001, 1, 1, tzinfo=UTC)).save_base(raw=True)


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
    return back(Decision.objects.latest("pk"), newsroom.drafter)


def refused_by_somebody_deactivated(newsroom: Newsroom) -> Sent:
    refused_before(newsroom)
    User.objects.filter(pk=newsroom.lawyer.pk).update(is_active=False)
    return back(Decision.objects.latest("pk"), newsroom.lawyer)


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
