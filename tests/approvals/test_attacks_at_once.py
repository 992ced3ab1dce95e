"""Several things in one request, one transaction or one statement, none of which would be taken by itself."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from approvals import clearing, rules
from approvals.models import (
    Covers,
    Decision,
    Desk,
    PrivateOffice,
    Route,
    Step,
    Submission,
)
from newsroom import releasing
from newsroom.models import Announcement, Release
from stories import record
from stories.models import Revision
from stories.moments import Moment
from tests.approvals.arming import arm_by_the_verb, of_an_older_revision, unmet
from tests.approvals.attacks import (
    FAR,
    PARAGRAPH,
    QUOTE,
    REFUSALS,
    nothing_changes,
    refused_before,
    run,
    sent,
    submitted,
)
from tests.people import Newsroom

pytestmark = pytest.mark.django_db

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


def one_statement(newsroom: Newsroom, revision: Revision) -> None:
    """The words are inserted and decided on by one command, which sees the tables as they were before it."""
    run(
        f"WITH r AS ({REVISION}) {DECISION} SELECT {{story}}, {{by}}, {{step}}, r.id, 'cleared', r.digest, "
        "'', '' FROM r",
        story=revision.story_id,
        by=newsroom.lawyer.pk,
        base=revision.pk,
        change='{"headline": "Slipped in"}',
        step=newsroom.step(revision.story, newsroom.legal).pk,
    )


def one_statement_the_decision_first(newsroom: Newsroom, revision: Revision) -> None:
    run(
        f"WITH d AS ({DECISION} VALUES ({{story}}, {{by}}, {{step}}, {{base}}, 'cleared', '{{digest}}', '', '') "  # noqa: E501
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


REVISION = (
    "INSERT INTO stories_revision (story_id, by_id, number, based_on_id, content, origin) "
    "SELECT {story}, {by}, 0, {base}, content || '{change}'::jsonb, 'form' FROM stories_revision "
    "WHERE id = {base} "
    "RETURNING id, digest"
)
DECISION = (
    "INSERT INTO approvals_decision (story_id, by_id, step_id, revision_id, verdict, covered, whom, reason) "
)
RELEASE = "INSERT INTO newsroom_release (story_id, by_id, revision_id, embargo, zone) SELECT {story}, {by}, "


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
        "({story}, {lawyer}, {step}, {base}, 'taken_back', '{digest}', '', '', {decision}) "
        "RETURNING story_id) "
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


def armed_and_changes_asked(newsroom: Newsroom) -> tuple[str, dict[str, Any]]:
    """What the release stood on is written down when the statement is over, and is not there any more."""
    statement, values = armed_and_taken_back(newsroom)
    statement = statement.replace(", takes_back_id)", ")").replace("'', '', {decision}", "'', 'Wait.'")
    return statement.replace("'taken_back'", "'changes'"), values


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
        f"({revision.story_id}, {one.by.pk}, {one.step.pk}, {revision.pk}, 'cleared', '{one.covered}', "
        "'', '')"
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
    "armed and changes asked": armed_and_changes_asked,
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
    if attack not in ("armed and taken back", "armed and changes asked", "armed, and older words too"):
        assert not public.exists()
    if attack in ("a later stage with the first", "cleared, and the refusal taken back"):
        assert Decision.objects.filter(verdict="cleared").count() == 0


@pytest.mark.parametrize("verdict", ["taken_back", "changes"])
def test_a_statement_that_begins_before_the_instant_and_ends_after_it(newsroom, verdict):
    """Either the sign-off stays, or the story does not go out; what is asked too late changes nothing."""
    revision, other = newsroom.cleared(), newsroom.submitted(slug="another")
    signed_ = Decision.objects.get(story=revision.story, by=newsroom.lawyer)
    moment = Moment(datetime.now(UTC) + timedelta(seconds=2), "UTC")
    release = releasing.arm(revision=revision, by=newsroom.officer, moment=moment)
    columns = "story_id, by_id, step_id, revision_id, verdict, covered, whom, reason, takes_back_id"
    step = newsroom.step(other.story, newsroom.legal)
    back_ = signed_.pk if verdict == "taken_back" else "NULL"
    with suppress(*REFUSALS), transaction.atomic():
        run(
            f"INSERT INTO approvals_decision ({columns}) SELECT v.* FROM (VALUES "
            f"({revision.story_id}, {newsroom.lawyer.pk}, {signed_.step_id}, {revision.pk}, '{verdict}', "
            f"'{revision.digest}', '', 'Wait.', {back_}), "
            f"({other.story_id}, {newsroom.lawyer.pk}, {step.pk}, {other.pk}, 'changes', '{other.digest}', "
            "'', 'Wait.', NULL)) AS v (story) CROSS JOIN LATERAL "
            f"(SELECT pg_sleep(CASE WHEN story = {other.story_id} THEN 2.2 ELSE 0 END)) AS slept"
        )
    standing = rules.progress(revision).cleared
    if Release.objects.public(at=FAR).filter(pk=release.pk).exists():
        assert standing or verdict == "changes"
        assert release.signoffs.count() == 2
    assert list(record.verify()) == []


def test_a_hold_and_a_receipt_in_one_statement(newsroom):
    """Held in time, and announced when it would have been public."""
    moment = Moment(datetime.now(UTC) + timedelta(seconds=2), "UTC")
    release = releasing.arm(revision=newsroom.cleared(), by=newsroom.officer, moment=moment)
    with suppress(*REFUSALS), transaction.atomic():
        run(
            "WITH h AS (INSERT INTO newsroom_hold (story_id, by_id, reason) VALUES ({story}, {by}, 'Wait.') "
            "RETURNING story_id) INSERT INTO newsroom_announcement (story_id, release_id, worker) "
            "SELECT h.story_id, {release}, 'me' FROM h, pg_sleep(2.2)",
            story=release.story_id,
            by=newsroom.officer.pk,
            release=release.pk,
        )
    announced = Announcement.objects.exists()
    assert announced <= Release.objects.public().exists()
    assert list(record.verify()) == []


def test_an_objection_is_not_got_rid_of_by_another_route(newsroom, subtests):
    """Nor where a colleague said something since, and took that back."""
    lax = Route.objects.create(name="Lax")
    Step.objects.create(route=lax, desk=newsroom.private_office)
    asked = refused_before(newsroom)
    later = clearing.ask_for_changes(
        step=asked.step,
        revision=asked.revision,
        covered=asked.covered,
        by=newsroom.second_lawyer,
        reason="Wait.",
    )
    clearing.take_back(decision=later, by=newsroom.second_lawyer)
    row = {"story": asked.revision.story, "by": newsroom.drafter, "revision": asked.revision, "route": lax}
    for channel, act in {
        "a verb": lambda: clearing.request(revision=asked.revision, by=newsroom.drafter, route=lax),
        "a model": lambda: Submission.objects.create(**row),
        "in bulk": lambda: Submission.objects.bulk_create([Submission(**row)]),
        "SQL": lambda: run(
            "INSERT INTO approvals_submission (story_id, by_id, revision_id, route_id) "
            "VALUES ({story}, {by}, {revision}, {route})",
            **{key: value.pk for key, value in row.items()},
        ),
    }.items():
        with subtests.test(channel), nothing_changes():
            act()
