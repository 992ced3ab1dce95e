"""Bundles: stories that go out together, at the latest of their moments, or not at all."""

from datetime import UTC, datetime, timedelta
from random import Random
from time import sleep

import pytest
from django.core.management import call_command
from django.db import Error, connection, connections, transaction
from django.urls import reverse

from approvals import clearing
from newsroom import bundling, preflight, releasing, state, tasks, visibility
from newsroom.models import (
    Bundle,
    BundledRelease,
    BundleMoment,
    Bundling,
    Hold,
    HoldLift,
    Kind,
    Release,
    Unbundling,
    Visibility,
)
from stories import record
from stories.clocks import database_now
from stories.models import Organisation, Story, Team
from stories.moments import Moment
from tests.newsroom.racing import race
from tests.newsroom.test_after_release import corrected

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
SLUGS = ("first", "second", "third")
NOTE = "The bridge is 42 metres long, and was given as 40."


def now() -> datetime:
    return database_now().astimezone(UTC)


def ahead(gap: timedelta) -> Moment:
    return Moment(now() + gap, "UTC")


def together(newsroom, *, slugs=SLUGS) -> tuple[Bundle, list[Story]]:
    """A bundle of stories that are cleared, and not armed."""
    bundle = bundling.make(by=newsroom.officer, name="The rivers report")
    stories = [newsroom.cleared(slug=slug).story for slug in slugs]
    for story in stories:
        bundling.join(story=story, bundle=bundle, by=newsroom.officer)
    return bundle, stories


def arm(newsroom, story: Story, gap: timedelta | None = HOUR) -> Release:
    moment = None if gap is None else ahead(gap)
    return releasing.arm(revision=story.latest, by=newsroom.officer, moment=moment)


def goes_out(*stories: Story) -> set[datetime | None]:
    return set(Visibility.objects.filter(story__in=stories).values_list("visible_from", flat=True))


def public(client, *slugs: str) -> list[str]:
    return [slug for slug in slugs if client.get(f"/news/{slug}/").status_code == 200]


def whole() -> bool:
    return list(record.verify()) == list(visibility.differences()) == []


def leave(newsroom, story: Story) -> Unbundling:
    there = bundling.open_bundling(story)
    assert there
    return bundling.leave(story=story, by=newsroom.officer, reason="Not ready", bundling=there.pk)


def test_none_goes_before_each_is_armed_and_all_at_the_latest_moment(newsroom, client):
    bundle, stories = together(newsroom)
    releases = [arm(newsroom, story, gap) for story, gap in zip(stories, (HOUR, 3 * HOUR), strict=False)]
    assert goes_out(*stories) == {None}
    assert bundling.company(bundle).missing == 1
    releases.append(arm(newsroom, stories[2], 2 * HOUR))
    assert goes_out(*stories) == {releases[1].embargo}
    assert Bundle.objects.get(pk=bundle.pk).moment == releases[1].embargo
    assert BundledRelease.objects.count() == 3
    assert public(client, *SLUGS) == []
    assert whole()


def test_they_are_public_at_the_same_instant(newsroom, client):
    _, stories = together(newsroom)
    first = arm(newsroom, stories[0], timedelta(seconds=0.2))
    arm(newsroom, stories[1], HOUR)
    sleep(0.3)
    # The moment of the first has gone by, and it waits.
    assert first.embargo < now()
    assert public(client, *SLUGS) == []
    arm(newsroom, stories[2], None)
    assert public(client, *SLUGS) == []
    seen = Visibility.objects.get(story=stories[1])
    moved = releasing.move(
        story=stories[1],
        by=newsroom.officer,
        moment=ahead(timedelta(seconds=0.4)),
        reason="Earlier",
        seen=(seen.release_id, seen.moment),
    )
    assert goes_out(*stories) == {moved.embargo}
    for at in (moved.embargo - timedelta(microseconds=1), moved.embargo):
        assert Release.objects.public(at).count() == (3 if at == moved.embargo else 0)
    sleep(max(0, (moved.embargo - now()).total_seconds()) + 0.05)
    assert public(client, *SLUGS) == list(SLUGS)
    assert {row[1] for row in releasing.due(now())} == {moved.embargo}
    assert whole()


def hold(newsroom, story: Story) -> None:
    releasing.hold(story=story, by=newsroom.officer, reason="Wait")


def disarm(newsroom, story: Story) -> None:
    releasing.disarm(story=story, by=newsroom.officer, reason="Off")


def object_to(newsroom, story: Story) -> None:
    decision = story.decisions.get(desk=newsroom.legal)
    clearing.take_back(decision=decision, by=newsroom.lawyer, reason="A doubt")


@pytest.mark.parametrize("stop", [hold, disarm, object_to])
def test_what_stops_one_stops_all(newsroom, stop):
    bundle, stories = together(newsroom)
    for story in stories:
        arm(newsroom, story)
    assert None not in goes_out(*stories)
    stop(newsroom, stories[1])
    assert goes_out(*stories) == {None}
    assert BundleMoment.objects.get(bundle=bundle).moment is None
    assert whole()


def test_a_lift_lets_all_go_from_that_instant(newsroom, client):
    _, stories = together(newsroom)
    hold(newsroom, stories[2])
    for story in stories:
        arm(newsroom, story, timedelta(seconds=0.2))
    sleep(0.3)
    assert public(client, *SLUGS) == []
    lift = releasing.unhold(story=stories[2], by=newsroom.officer)
    assert goes_out(*stories) == {HoldLift.objects.get(pk=lift.pk).at}
    assert public(client, *SLUGS) == list(SLUGS)
    assert whole()


def test_who_leaves_goes_by_itself_and_the_others_without_it(newsroom, client):
    _, stories = together(newsroom)
    first = arm(newsroom, stories[0], timedelta(seconds=0.2))
    arm(newsroom, stories[1], timedelta(seconds=0.2))
    sleep(0.3)
    left = leave(newsroom, stories[0])
    left.refresh_from_db()
    # It does not come out in the past.
    assert goes_out(stories[0]) == {left.at}
    assert left.at > first.embargo
    assert public(client, *SLUGS) == ["first"]
    last = leave(newsroom, stories[2])
    last.refresh_from_db()
    assert goes_out(stories[1]) == {last.at}
    assert public(client, *SLUGS) == ["first", "second"]
    assert whole()


def test_what_is_armed_before_it_joins_waits_too(newsroom):
    bundle = bundling.make(by=newsroom.officer, name="Late")
    release = newsroom.armed(slug="first")
    assert goes_out(release.story) == {release.embargo}
    bundling.join(story=release.story, bundle=bundle, by=newsroom.officer)
    assert goes_out(release.story) == {release.embargo}
    other = newsroom.cleared(slug="second").story
    bundling.join(story=other, bundle=bundle, by=newsroom.officer)
    assert goes_out(release.story) == {None}
    assert state.state_of(release.story).chip.words == "armed, waits for others"
    late = arm(newsroom, other, 5 * HOUR)
    assert goes_out(release.story, other) == {late.embargo}
    # The page says when it goes out, and not only when it was meant to.
    shown = state.state_of(release.story).moment
    assert shown
    assert shown.moment.instant == late.embargo
    assert whole()


def test_what_is_armed_anew_stays_in_it(newsroom):
    _, stories = together(newsroom)
    for story in stories:
        arm(newsroom, story)
    again = arm(newsroom, stories[0], 4 * HOUR)
    assert goes_out(*stories) == {again.embargo}
    assert whole()


def test_a_correction_after_it_has_gone_out_goes_by_itself(newsroom, client):
    bundle, stories = together(newsroom)
    for story in stories:
        arm(newsroom, story, None)
    gone = goes_out(*stories)
    assert public(client, *SLUGS) == list(SLUGS)
    revision = corrected(newsroom, stories[0])
    correction = releasing.arm(
        revision=revision, by=newsroom.officer, moment=None, kind=Kind.CORRECTION, note=NOTE
    )
    assert not BundledRelease.objects.filter(release=correction).exists()
    assert correction.pk == Release.objects.public().get(story=stories[0]).pk
    assert goes_out(*stories[1:]) == gone
    releasing.withdraw(story=stories[1], by=newsroom.officer, reason="Wrong")
    assert public(client, *SLUGS) == ["first", "second", "third"]  # One of them says that it was withdrawn.
    assert goes_out(stories[2]) == gone
    assert whole()
    with pytest.raises(releasing.BundleGone):
        bundling.join(story=newsroom.cleared(slug="late").story, bundle=bundle, by=newsroom.officer)
    there = stories[2].bundlings.get()
    with pytest.raises(releasing.NotBundled):
        bundling.leave(story=stories[2], by=newsroom.officer, reason="Too late", bundling=there.pk)
    # A second bundle, of corrections.
    second = bundling.make(by=newsroom.officer, name="Corrections")
    bundling.join(story=stories[0], bundle=second, by=newsroom.officer)
    bundling.join(story=stories[2], bundle=second, by=newsroom.officer)
    for story, headline in (
        (stories[0], "New footbridge is 43 metres long"),
        (stories[2], "It is 44 metres"),
    ):
        newer = corrected(newsroom, story, headline=headline)
        assert (
            Release.objects.public().filter(story__in=(stories[0], stories[2]), revision=newer).count() == 0
        )
        releasing.arm(revision=newer, by=newsroom.officer, moment=None, kind=Kind.MAJOR, note=NOTE)
    newest = [stories[0].latest.pk, stories[2].latest.pk]
    assert Release.objects.public().filter(revision__in=newest).count() == 2
    assert whole()


def test_a_freeze_of_one_organisation_stops_all_and_an_exemption_lets_them_go(newsroom):
    rivers = Organisation.objects.get(slug="rivers")
    bundle = bundling.make(by=newsroom.officer, name="Mixed")
    theirs = newsroom.cleared(
        slug="first", organisation={"slug": "rivers", "name": "Department for Rivers and Coasts"}
    ).story
    other = newsroom.cleared(slug="second", organisation=None).story
    for story in (theirs, other):
        bundling.join(story=story, bundle=bundle, by=newsroom.officer)
    arm(newsroom, theirs, HOUR)
    last = arm(newsroom, other, 3 * HOUR)
    # At its own moment it would not be frozen; at that of the bundle it is.
    frozen = releasing.freeze(
        by=newsroom.officer,
        organisation=rivers,
        since=now() + 2 * HOUR,
        until=now() + 9 * HOUR,
        reason="Vote",
    )
    assert goes_out(theirs, other) == {None}
    assert whole()
    releasing.exempt(story=theirs, freeze=frozen, by=newsroom.officer, reason="Lives")
    assert goes_out(theirs, other) == {last.embargo}
    assert whole()


def test_a_moment_that_passes_while_everything_is_held_is_that_of_the_lifting(newsroom, client):
    _, stories = together(newsroom)
    for story in stories:
        arm(newsroom, story, timedelta(seconds=0.4))
    releasing.hold_everything(by=newsroom.officer, reason="Wait")
    sleep(0.6)
    assert public(client, *SLUGS) == []
    lifted = releasing.lift_everything(by=newsroom.officer)
    lifted.refresh_from_db()
    assert goes_out(*stories) == {lifted.at}
    assert public(client, *SLUGS) == list(SLUGS)
    assert whole()


def test_refusals(newsroom):
    bundle, stories = together(newsroom)
    with pytest.raises(releasing.NameMissing):
        bundling.make(by=newsroom.officer, name=" \n")
    with pytest.raises(releasing.AlreadyBundled):
        bundling.join(story=stories[0], bundle=bundle, by=newsroom.officer)
    with pytest.raises(releasing.ReasonMissing):
        bundling.leave(story=stories[0], by=newsroom.officer, reason=" ", bundling=1)
    there = bundling.open_bundling(stories[1])
    assert there
    with pytest.raises(releasing.NotBundled):
        bundling.leave(story=stories[0], by=newsroom.officer, reason="Other", bundling=there.pk)
    leave(newsroom, stories[1])
    with pytest.raises(releasing.NotBundled):
        bundling.leave(story=stories[1], by=newsroom.officer, reason="Twice", bundling=there.pk)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE newsroom_bundlemoment SET moment = now()",
        "DELETE FROM newsroom_bundling",
        "UPDATE newsroom_bundling SET story_id = story_id",
        "DELETE FROM newsroom_bundledrelease",
        (
            "INSERT INTO newsroom_bundledrelease (bundling_id, release_id)"
            " SELECT min(bundling_id), max(release_id) FROM newsroom_bundledrelease"
        ),
        "DELETE FROM newsroom_unbundling",
        "UPDATE newsroom_bundle SET name = 'x'",
        "SELECT refresh_bundle(1)",
        # Out of a bundle that is another's, and into one for a release that is armed elsewhere.
        (
            "INSERT INTO newsroom_unbundling (story_id, by_id, bundling_id, reason)"
            " SELECT min(story_id), min(by_id), max(id), 'x' FROM newsroom_bundling"
        ),
    ],
)
def test_raw_sql_does_not_get_round_it(newsroom, sql):
    _, stories = together(newsroom)
    for story in stories:
        arm(newsroom, story)
    before = goes_out(*stories)
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert goes_out(*stories) == before
    assert whole()


def test_a_fact_of_another_story_in_the_same_statement_is_seen(newsroom):
    """One statement that holds the one and announces the other does neither."""
    _, stories = together(newsroom, slugs=SLUGS[:2])
    for story in stories:
        arm(newsroom, story)
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            WITH held AS (INSERT INTO newsroom_hold (story_id, by_id, reason) VALUES (%s, %s, 'x'))
            INSERT INTO newsroom_announcement (story_id, release_id, worker)
            SELECT %s, release_id, 'raw' FROM newsroom_visibility WHERE story_id = %s
            """,
            [stories[0].pk, newsroom.officer.pk, stories[1].pk, stories[1].pk],
        )
    assert not Hold.objects.exists()
    assert whole()


@pytest.mark.django_db(transaction=True)
def test_what_was_tampered_with_is_noticed_and_mended(live_newsroom):
    bundle, stories = together(live_newsroom)
    for story in stories:
        arm(live_newsroom, story)
    right = goes_out(*stories)
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE newsroom_bundlemoment SET moment = now() - interval '1 day'")
    assert any(f"bundle {bundle.pk}:" in sentence for sentence in visibility.differences())
    call_command("rebuild_visibility")
    assert goes_out(*stories) == right
    assert whole()


class Naive:
    """What should be visible when, worked out from scratch from what is armed, held, and with whom."""

    def __init__(self, stories: list[Story]) -> None:
        self.moments: dict[Story, datetime | None] = dict.fromkeys(stories)
        self.held: set[Story] = set()
        self.bundle: dict[Story, Bundle | None] = dict.fromkeys(stories)

    def of(self, story: Story) -> datetime | None:
        there = self.bundle[story]
        company = [other for other in self.bundle if there and self.bundle[other] == there] or [story]
        if any(self.moments[other] is None or other in self.held for other in company):
            return None
        return max(moment for other in company if (moment := self.moments[other]))

    def rows(self) -> dict[int, datetime | None]:
        return {story.pk: self.of(story) for story, moment in self.moments.items() if moment}


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_done_it_is_as_a_naive_model_says(newsroom, seed):
    dice = Random(seed)
    stories = [newsroom.cleared(slug=slug).story for slug in SLUGS]
    bundles = [bundling.make(by=newsroom.officer, name=name) for name in ("One", "Two")]
    naive = Naive(stories)
    for _ in range(40):
        story, by = dice.choice(stories), newsroom.officer
        armed, held, there = naive.moments[story], story in naive.held, naive.bundle[story]
        match dice.choice(["arm", "arm", "move", "disarm", "hold", "join", "join", "leave"]):
            case "arm":
                naive.moments[story] = arm(newsroom, story, dice.randint(1, 99) * HOUR).embargo
            case "move" if armed:
                row = Visibility.objects.get(story=story)
                moment = ahead(dice.randint(1, 99) * HOUR)
                seen = (row.release_id, row.moment)
                releasing.move(story=story, by=by, moment=moment, reason="x", seen=seen)
                naive.moments[story] = moment.instant
            case "disarm" if armed:
                disarm(newsroom, story)
                naive.moments[story] = None
            case "hold" if held:
                releasing.unhold(story=story, by=by)
                naive.held.remove(story)
            case "hold":
                hold(newsroom, story)
                naive.held.add(story)
            case "join" if not there:
                naive.bundle[story] = bundle = dice.choice(bundles)
                bundling.join(story=story, bundle=bundle, by=by)
            case "leave" if there:
                leave(newsroom, story)
                naive.bundle[story] = None
        assert dict(Visibility.objects.values_list("story", "visible_from")) == naive.rows()
    assert whole()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_", range(5))
def test_two_at_once_leave_one_answer(live_newsroom, _):
    """What is done to two stories of a bundle at one instant: the second sees what the first did."""
    __, stories = together(live_newsroom)
    hold(live_newsroom, stories[2])
    for story in stories:
        arm(live_newsroom, story, timedelta(seconds=0.1))
    sleep(0.15)
    acts = [
        lambda: hold(live_newsroom, stories[0]),
        lambda: releasing.unhold(story=stories[2], by=live_newsroom.officer),
    ]
    race(len(acts), lambda number: acts[number]())
    # Held first: all wait. Lifted first: all were out, and a public story is not held.
    out = goes_out(*stories)
    assert len(out) == 1
    assert (out == {None}) == Hold.objects.filter(story=stories[0]).exists()
    assert whole()


@pytest.mark.django_db(transaction=True)
def test_all_at_once_without_a_deadlock(live_newsroom):
    _, stories = together(live_newsroom)
    for story in stories:
        arm(live_newsroom, story)
    seen = {row.story_id: (row.release_id, row.moment) for row in Visibility.objects.all()}

    def act(number: int) -> None:
        story = stories[number // 2]
        if number % 2:
            hold(live_newsroom, story)
        else:
            later = ahead(2 * HOUR)
            releasing.move(
                story=story, by=live_newsroom.officer, moment=later, reason="Later", seen=seen[story.pk]
            )

    assert race(2 * len(stories), act) == [None] * 6
    assert goes_out(*stories) == {None}
    for story in stories:
        releasing.unhold(story=story, by=live_newsroom.officer)
    assert len(goes_out(*stories)) == 1
    assert None not in goes_out(*stories)
    assert whole()


def test_the_others_are_timed_with_the_one_that_was_missing(newsroom):
    _, stories = together(newsroom)
    for story in stories[:2]:
        arm(newsroom, story, None)
    arm(newsroom, stories[2], None)
    assert len(releasing.due(now(), bundling.stories_with(stories[2]))) == 3
    assert tasks.announce(*[pk for pk, _ in releasing.due(now())])
    assert releasing.due(now()) == []


def test_the_preflight_says_that_it_waits(newsroom):
    _, stories = together(newsroom)
    release = arm(newsroom, stories[0])
    found = preflight.check_now(story=release.story, by=newsroom.officer)
    held = next(result for result in found.results if result["check"] == "hold")
    assert "“The rivers report”" in held["what"]
    assert "(2 of 3)" in held["what"]


# The pages.


def text(response) -> str:
    return " ".join(response.content.decode().split())


def test_a_bundle_is_made_filled_and_left_on_its_pages(newsroom, as_, client):
    browser = as_(newsroom.officer)
    assert "No bundle was ever made" in text(browser.get(reverse("bundles")))
    refused = browser.post(reverse("bundles"), {"name": " "})
    assert refused.status_code == 422
    assert "Give it a name" in text(refused)
    made = browser.post(reverse("bundles"), {"name": "Rivers"}, follow=True)
    assert "There is no story in it" in text(made)
    bundle = Bundle.objects.get()
    first, second = newsroom.armed(slug="first").story, newsroom.cleared(slug="second").story
    join = reverse("story_bundle", args=[first.uid])
    assert browser.post(join, {"join-bundle": "", "join-name": ""}).status_code == 422
    assert "with 0 others" in text(browser.post(join, {"join-bundle": bundle.pk}, follow=True))
    assert browser.post(join, {"join-bundle": bundle.pk}).status_code == 409
    other = text(
        browser.post(reverse("story_bundle", args=[second.uid]), {"join-bundle": bundle.pk}, follow=True)
    )
    assert "with 1 other" in other
    page = text(browser.get(reverse("bundle", args=[bundle.pk])))
    assert "Nothing goes out: 1 of 2 stories is not armed, or on hold" in page
    assert page.count("The others wait for it") == 1
    assert "1 of 2 stories is not armed" in text(browser.get(reverse("story_release", args=[first.uid])))
    assert "2 stories" in text(browser.get(reverse("bundles")))
    out = reverse("story_unbundle", args=[second.uid])
    seen = Bundling.objects.get(story=second).pk
    assert browser.post(out, {"leave-seen": seen, "leave-reason": ""}).status_code == 422
    assert browser.post(out, {"leave-seen": seen + 1, "leave-reason": "No"}).status_code == 409
    done = browser.post(out, {"leave-seen": seen, "leave-reason": "Not ready"}, follow=True)
    assert "Taken out of its bundle" in text(done)
    assert "by itself" in text(done)
    assert "All of it goes out" in text(browser.get(reverse("bundle", args=[bundle.pk])))


def test_a_new_bundle_is_made_with_its_first_story_or_not_at_all(newsroom, as_):
    browser = as_(newsroom.officer)
    story = newsroom.cleared(slug="first").story
    join = reverse("story_bundle", args=[story.uid])
    assert "Rivers" in text(browser.post(join, {"join-name": "Rivers"}, follow=True))
    assert browser.post(join, {"join-name": "Twice"}).status_code == 409
    assert [str(bundle) for bundle in Bundle.objects.all()] == ["Rivers"]


def test_whoever_takes_out_what_is_overdue_confirms_that_it_is_public_at_once(newsroom, as_, client):
    _, stories = together(newsroom)
    arm(newsroom, stories[0], None)
    browser = as_(newsroom.officer)
    out = reverse("story_unbundle", args=[stories[0].uid])
    assert "taken out, it is public at once" in text(
        browser.get(reverse("story_release", args=[stories[0].uid]))
    )
    fields = {"leave-seen": Bundling.objects.get(story=stories[0]).pk, "leave-reason": "Urgent"}
    assert browser.post(out, fields).status_code == 422
    assert public(client, "first") == []
    assert "it is public now" in text(browser.post(out, {**fields, "leave-confirm": "on"}, follow=True))
    assert public(client, "first") == ["first"]


def test_who_may_not_see_a_story_learns_no_word_of_it(newsroom, as_):
    bundle, _ = together(newsroom, slugs=["first"])
    team = Team.objects.create(name="Cabinet")
    hidden = newsroom.draft(team=team, headline="A matter of the cabinet", slug="hidden").story
    bundling.join(story=hidden, bundle=bundle, by=newsroom.officer)
    outsider = as_(newsroom.other_drafter)
    page = text(outsider.get(reverse("bundle", args=[bundle.pk])))
    assert "A story of a team that you are not in" in page
    assert "cabinet" not in page
    # With nothing else in it, the bundle itself does not exist for them.
    secret = bundling.make(by=newsroom.officer, name="Cabinet bundle")
    leave(newsroom, hidden)
    bundling.join(story=hidden, bundle=secret, by=newsroom.officer)
    assert outsider.get(reverse("bundle", args=[secret.pk])).status_code == 404
    assert "Cabinet bundle" not in text(outsider.get(reverse("bundles")))


def test_only_duty_officers_make_join_and_leave(newsroom, as_):
    _, stories = together(newsroom)
    browser = as_(newsroom.drafter)
    assert browser.get(reverse("bundles")).status_code == 200
    assert "Make it" not in text(browser.get(reverse("bundles")))
    for name, args in (
        ("bundles", []),
        ("story_bundle", [stories[0].uid]),
        ("story_unbundle", [stories[0].uid]),
    ):
        assert browser.post(reverse(name, args=args), {"name": "x"}).status_code == 403


@pytest.mark.parametrize("name", ["hold_everything", "freezes"])
def test_nobody_else_sends_what_is_for_duty_officers(newsroom, as_, name):
    """What all staff may read, not all may act on: a form that the page does not show is not taken either."""
    fields = {
        "reason": "x",
        "stops": "on",
        "told": "on",
        "since": "2030-01-01T00:00",
        "until": "2031-01-01T00:00",
    }
    for person in (newsroom.drafter, newsroom.lawyer, newsroom.administrator):
        assert as_(person).get(reverse(name)).status_code == 200
        assert as_(person).post(reverse(name), fields).status_code == 403
    assert releasing.everything_held() is None
    assert not releasing.freezes("", datetime(2030, 6, 1, tzinfo=UTC))


def test_the_lists_take_as_many_queries_for_many(newsroom, as_, django_assert_max_num_queries):
    bundle, _ = together(newsroom)
    for number in range(30):
        bundling.make(by=newsroom.officer, name=f"Bundle {number}")
        story = newsroom.draft(slug=f"story-{number}").story
        bundling.join(story=story, bundle=bundle, by=newsroom.officer)
    browser = as_(newsroom.drafter)
    with django_assert_max_num_queries(14):
        assert text(browser.get(reverse("bundles"))).count("not ready") == 25
    with django_assert_max_num_queries(30):
        page = text(browser.get(reverse("bundle", args=[bundle.pk])))
    assert "33 of 33 stories are not armed" in page
    assert page.count("The others wait for it") == 25
