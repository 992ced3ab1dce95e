"""What waits for a person: the right rows, in the right group, in as many queries for one as for a page."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from approvals import claiming, clearing, inbox
from approvals.inbox import Wanted
from approvals.models import Deputyship, Desk, Route, Step
from stories import drafting
from stories.models import Revision, Team, User
from stories.moments import Moment
from tests.approvals.doing import ask, covered
from tests.people import WORDS, person

pytestmark = pytest.mark.django_db

UNDATED = "No deadline"
ASKED = "Changes asked or refused: waits for the drafter"
AHEAD = "Opens after an earlier stage"
FOREIGN = "Not yours to clear: four eyes"


def shown(user: User, **wanted) -> dict[str, list[str]]:
    """The headlines of a person's inbox by the title of their group."""
    groups = inbox.page(user, Wanted(**wanted)).groups
    return {group.title: [item.headline for item in group.items] for group in groups}


def items(user: User, **wanted) -> list[inbox.Item]:
    return [item for group in inbox.page(user, Wanted(**wanted)).groups for item in group.items]


def meant_for(newsroom, revision: Revision, **ahead: float) -> None:
    moment = Moment(datetime.now(UTC) + timedelta(**ahead), "Europe/London")
    drafting.plan_embargo(story=revision.story, by=newsroom.drafter, moment=moment)


def with_deadlines(newsroom) -> None:
    """Each desk has to be done an hour before the embargo."""
    Step.objects.update(before=timedelta(hours=1))


def stand_in(newsroom, deputy: User, whom: User, desk: Desk | None = None, **more: datetime) -> Deputyship:
    now = datetime.now(UTC)
    times = {"since": now - timedelta(hours=1), "until": now + timedelta(days=1), **more}
    return Deputyship.objects.create(person=whom, deputy=deputy, desk=desk, by=whom, **times)


def test_nothing_waits_before_clearance_is_requested(newsroom):
    newsroom.draft()
    assert shown(newsroom.lawyer) == {}
    assert inbox.waiting_count(newsroom.lawyer) == 0


def test_what_is_laid_before_a_desk_waits_for_everybody_on_it_and_nobody_else(newsroom):
    newsroom.submitted(headline="New bridge")
    for user in (newsroom.lawyer, newsroom.second_lawyer, newsroom.secretary):
        assert shown(user) == {UNDATED: ["New bridge"]}
        assert inbox.waiting_count(user) == 1
    for user in (newsroom.drafter, newsroom.officer, newsroom.administrator, newsroom.nobody):
        assert shown(user) == {}
        assert inbox.waiting_count(user) == 0


def test_what_is_cleared_drops_out_and_what_changed_is_looked_at_again(newsroom):
    revision = newsroom.cleared(headline="New bridge")
    assert shown(newsroom.lawyer) == {}
    newsroom.edit(revision.story, summary="Walkers save three miles.")
    (item,) = items(newsroom.lawyer)
    assert (item.chip, item.button) == ("cleared, then changed: look again", "Look again")
    assert shown(newsroom.secretary) == {}
    newsroom.edit(revision.story, summary=revision.content["summary"])
    assert shown(newsroom.lawyer) == {}


def test_changes_that_were_asked_wait_for_the_drafter(newsroom):
    revision = newsroom.submitted(headline="New bridge")
    ask(newsroom, revision, newsroom.legal, newsroom.lawyer, "Who paid?")
    assert shown(newsroom.second_lawyer) == {ASKED: ["New bridge"]}
    assert inbox.waiting_count(newsroom.second_lawyer) == 0
    newsroom.edit(revision.story, summary="The Trust paid.")
    assert shown(newsroom.second_lawyer) == {UNDATED: ["New bridge"]}
    assert inbox.waiting_count(newsroom.second_lawyer) == 1


def test_what_was_refused_waits_for_the_drafter(newsroom):
    revision = newsroom.submitted(headline="New bridge")
    clearing.refuse(
        step=newsroom.step(revision.story, newsroom.legal),
        revision=revision,
        covered=covered(revision, newsroom.legal),
        by=newsroom.lawyer,
        reason="Libel.",
    )
    (item,) = items(newsroom.second_lawyer)
    assert (item.group, item.chip, item.button) == ("asked", "refused", "Read")
    assert inbox.waiting_count(newsroom.lawyer) == 0


def test_ones_own_words_are_not_ones_own_to_clear(newsroom):
    revision = newsroom.submitted(headline="New bridge")
    newsroom.edit(revision.story, by=newsroom.lawyer, summary="Mended.")
    assert shown(newsroom.lawyer) == {FOREIGN: ["New bridge"]}
    assert inbox.waiting_count(newsroom.lawyer) == 0
    assert items(newsroom.lawyer)[0].others_words == "Hugh Penrose can clear it."
    assert shown(newsroom.second_lawyer) == {UNDATED: ["New bridge"]}


def test_where_nobody_else_can_clear_it_that_is_said(newsroom):
    revision = newsroom.submitted()
    newsroom.edit(revision.story, by=newsroom.secretary, body=WORDS["body"][1:])
    assert "whoever manages routes can add somebody" in items(newsroom.secretary)[0].others_words


def test_without_quotes_the_private_office_has_nothing_to_do(newsroom):
    newsroom.submitted(body=[WORDS["body"][0]])
    assert shown(newsroom.secretary) == {}


def test_a_story_of_a_team_waits_for_the_desks_it_was_laid_before(newsroom):
    team = Team.objects.create(name="Coasts")
    team.members.add(newsroom.drafter)
    revision = newsroom.draft(team=team, headline="For few")
    clearing.request(revision=revision, by=newsroom.drafter)
    assert shown(newsroom.lawyer) == {UNDATED: ["For few"]}


# The deadline


def test_the_groups_follow_the_deadline_and_the_least_time_left_comes_first(newsroom, settings):
    # Where it is noon now, so that today has hours before it and after it.
    hour = datetime.now(UTC).hour
    settings.PRESS_OFFICE_ZONE = f"Etc/GMT{hour - 12:+}" if hour != 12 else "UTC"
    with_deadlines(newsroom)
    for headline, ahead in (
        ("Later", {"days": 2}),
        ("Sooner", {"hours": 2}),
        ("Late", {"minutes": 48}),
        ("None", {}),
        ("Soon", {"hours": 1.5}),
        ("Very late", {"minutes": 5}),
    ):
        revision = newsroom.submitted(headline=headline, slug=headline.lower().replace(" ", "-"))
        if ahead:
            meant_for(newsroom, revision, **ahead)
    assert shown(newsroom.lawyer) == {
        "Late": ["Very late", "Late"],
        "Today": ["Soon", "Sooner"],
        "Later": ["Later"],
        UNDATED: ["None"],
    }
    assert inbox.waiting_count(newsroom.lawyer) == 6


def test_without_a_deadline_the_embargo_says_what_comes_first(newsroom):
    for headline, ahead in (("Later", 9), ("None", 0), ("Sooner", 2)):
        revision = newsroom.submitted(headline=headline, slug=headline.lower())
        if ahead:
            meant_for(newsroom, revision, hours=ahead)
    assert shown(newsroom.lawyer) == {UNDATED: ["Sooner", "Later", "None"]}
    assert items(newsroom.lawyer)[2].out == "no embargo set"


@pytest.mark.parametrize(
    ("ahead", "words", "css"),
    [
        ({"days": 2, "hours": 18, "minutes": 1}, "2 d 17 h", ""),
        ({"hours": 4, "minutes": 18.5}, "3 h 18 min", ""),
        ({"hours": 2, "minutes": 18.5}, "1 h 18 min", "soon"),
        ({"hours": 1, "minutes": 12.5}, "12 min", "soon"),
        ({"minutes": 47.5}, "12 min late", "over"),
        ({"days": 1, "hours": 1, "minutes": 5.5}, "1 d 0 h", ""),
    ],
)
def test_the_time_left_is_to_the_deadline(newsroom, ahead, words, css):
    with_deadlines(newsroom)
    meant_for(newsroom, newsroom.submitted(), **ahead)
    left = items(newsroom.lawyer)[0].left
    assert (left.words, left.css) == (words, css)


def test_the_deadline_and_the_embargo_are_said_with_their_zones(newsroom):
    with_deadlines(newsroom)
    revision = newsroom.submitted()
    moment = Moment(datetime(2130, 7, 4, 8, 30, tzinfo=UTC), "America/New_York")
    drafting.plan_embargo(story=revision.story, by=newsroom.drafter, moment=moment)
    (item,) = items(newsroom.lawyer)
    assert item.left.due == "due 08:30 BST, Tuesday 4 July 2130"
    assert item.out == "Out 04:30 EDT, Tuesday 4 July 2130"


def test_a_moved_embargo_counts_from_where_it_was_moved_to(newsroom):
    with_deadlines(newsroom)
    revision = newsroom.submitted()
    meant_for(newsroom, revision, hours=9.01)
    meant_for(newsroom, revision, hours=5.01)
    assert items(newsroom.lawyer)[0].left.words == "4 h 0 min"


# Stages


def test_what_an_earlier_stage_has_can_be_read_ahead(newsroom):
    policy = Desk.objects.create(name="Policy")
    policy.members.add(newsroom.second_lawyer)
    Step.objects.filter(desk=newsroom.legal).update(stage=2)
    Step.objects.create(route=newsroom.route, desk=policy, covers="everything", stage=1)
    revision = newsroom.submitted(headline="New bridge")
    (item,) = items(newsroom.lawyer)
    assert (item.group, item.button) == ("ahead", "Read ahead")
    assert item.chip == "waiting: opens after Policy and Private Office"
    assert inbox.waiting_count(newsroom.lawyer) == 0
    newsroom.sign(revision, policy, newsroom.second_lawyer)
    assert items(newsroom.lawyer)[0].around == "Policy cleared · Private Office still to clear"
    newsroom.sign(revision, newsroom.private_office, newsroom.secretary)
    assert shown(newsroom.lawyer) == {UNDATED: ["New bridge"]}


def test_how_many_have_signed_of_a_quorum_is_said(newsroom):
    Step.objects.filter(desk=newsroom.legal).update(quorum=2)
    revision = newsroom.submitted()
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    assert items(newsroom.second_lawyer)[0].step.quorum_words == "1 of 2 signed"


# What changed since


def test_what_changed_since_ones_own_last_decision(newsroom):
    revision = newsroom.cleared()
    newsroom.edit(revision.story, summary="The bridge saves walkers three long miles.")
    mine, theirs = items(newsroom.lawyer)[0], items(newsroom.second_lawyer)[0]
    assert mine.since.size == "2 words put in, 1 taken out"
    assert mine.since.places == "the summary"
    assert (mine.looked.did, mine.base.number) == ("cleared", 1)
    assert (theirs.since, theirs.last.by) == (None, newsroom.lawyer)
    assert theirs.words > 40
    assert theirs.new_words.endswith("words, 1 quote")


def test_what_changed_since_ones_own_last_look(newsroom):
    first = newsroom.submitted()
    clearing.seen(revision=first, by=newsroom.lawyer)
    second = newsroom.edit(first.story, summary="Another.")
    clearing.seen(revision=second, by=newsroom.lawyer)
    third = newsroom.edit(first.story, headline="A headline of five words")
    (item,) = items(newsroom.lawyer)
    assert (item.looked.did, item.base, item.seen) == ("looked at", second, False)
    assert item.since.places == "the headline"
    # That these words were on the screen hides nothing of what is new in them.
    clearing.seen(revision=third, by=newsroom.lawyer)
    (item,) = items(newsroom.lawyer)
    assert (item.base, item.seen) == (second, True)


def test_a_decision_after_the_last_look_is_what_is_counted_from(newsroom):
    first = newsroom.submitted()
    clearing.seen(revision=first, by=newsroom.lawyer)
    second = newsroom.edit(first.story, summary="Another.")
    newsroom.sign(second, newsroom.legal, newsroom.lawyer)
    newsroom.edit(first.story, headline="A headline of five words")
    (item,) = items(newsroom.lawyer)
    assert (item.looked.did, item.base.number) == ("cleared", 2)


def test_somebody_elses_look_is_not_ones_own(newsroom):
    first = newsroom.submitted()
    clearing.seen(revision=first, by=newsroom.second_lawyer)
    newsroom.edit(first.story, summary="Another.")
    (item,) = items(newsroom.lawyer)
    assert (item.looked, item.seen, item.button) == (None, False, "Read and decide")


def test_a_very_long_text_is_not_compared_in_the_list(newsroom):
    long = [{"kind": "paragraph", "html": f"<p>Paragraph {n} of a long report.</p>"} for n in range(3000)]
    revision = newsroom.submitted(body=long)
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    newsroom.edit(revision.story, summary="Another.")
    row = items(newsroom.lawyer)[0]
    assert (row.since, row.words, row.new_words) == (None, None, "a very long text")


# Whose


def test_somebody_on_two_desks_has_a_row_for_each_and_a_tab(newsroom):
    newsroom.private_office.members.add(newsroom.lawyer)
    newsroom.submitted()
    assert sorted(item.step.desk for item in items(newsroom.lawyer)) == ["Legal", "Private Office"]
    assert inbox.waiting_count(newsroom.lawyer) == 2
    tabs = inbox.page(newsroom.lawyer).tabs
    assert [(tab.name, tab.count) for tab in tabs] == [
        ("All", 2),
        ("Mine", 0),
        ("Legal", 1),
        ("Private Office", 1),
    ]
    (item,) = items(newsroom.lawyer, desk=newsroom.private_office.pk)
    assert item.step.desk == "Private Office"


def test_a_desk_with_two_steps_has_a_row_for_each(newsroom):
    Step.objects.create(route=newsroom.route, desk=newsroom.legal, covers="quotes", position=3)
    newsroom.submitted()
    assert len(items(newsroom.lawyer)) == 2


def test_mine_is_what_i_have_taken_until_the_desk_decides(newsroom):
    first = newsroom.submitted(headline="First", slug="first")
    newsroom.submitted(headline="Second", slug="second")
    claiming.take(step=newsroom.step(first.story, newsroom.legal), by=newsroom.lawyer)
    assert shown(newsroom.lawyer, mine=True) == {UNDATED: ["First"]}
    assert shown(newsroom.second_lawyer, mine=True) == {}
    (item,) = items(newsroom.lawyer, mine=True)
    assert item.claim_words.startswith("You took it at ")
    theirs = next(item for item in items(newsroom.second_lawyer) if item.claim)
    assert theirs.claim_words.startswith("Adaeze Nwosu took it at ")
    assert [tab.count for tab in inbox.page(newsroom.lawyer).tabs] == [2, 1]
    ask(newsroom, first, newsroom.legal, newsroom.second_lawyer)
    newsroom.edit(first.story, summary="Another.")
    assert shown(newsroom.lawyer, mine=True) == {}
    assert inbox.page(newsroom.lawyer).tabs[1].count == 0


def test_a_deputy_has_the_rows_of_whom_they_stand_in_for(newsroom):
    newsroom.submitted(headline="New bridge")
    stand_in(newsroom, newsroom.nobody, newsroom.lawyer)
    found = inbox.page(newsroom.nobody)
    assert [(tab.name, tab.count) for tab in found.tabs] == [("All", 1), ("Mine", 0), ("For Adaeze Nwosu", 1)]
    assert found.who[0].startswith("you stand in for Adaeze Nwosu until ")
    (item,) = items(newsroom.nobody, person=newsroom.lawyer.pk)
    assert item.behalf_words == "for Adaeze Nwosu"
    assert inbox.waiting_count(newsroom.nobody) == 1


def test_a_deputyship_on_one_desk_or_that_is_over_gives_no_more(newsroom):
    newsroom.private_office.members.add(newsroom.lawyer)
    newsroom.submitted()
    stand_in(newsroom, newsroom.nobody, newsroom.lawyer, newsroom.legal)
    assert [item.step.desk for item in items(newsroom.nobody)] == ["Legal"]
    other = person("dora", "Dora Deputy")
    stand_in(newsroom, other, newsroom.lawyer, until=datetime.now(UTC) - timedelta(minutes=1))
    assert (items(other), inbox.waiting_count(other)) == ([], 0)


def test_what_the_one_who_is_away_wrote_is_not_their_deputys_either(newsroom):
    revision = newsroom.submitted()
    newsroom.edit(revision.story, by=newsroom.lawyer, summary="By the lawyer.")
    stand_in(newsroom, newsroom.nobody, newsroom.lawyer)
    (item,) = items(newsroom.nobody)
    assert (item.group, inbox.waiting_count(newsroom.nobody)) == ("foreign", 0)
    assert item.chip == "four eyes: whom you stand in for wrote words in it"
    # Somebody else on the desk is away as well, and wrote nothing.
    stand_in(newsroom, newsroom.nobody, newsroom.second_lawyer)
    (item,) = items(newsroom.nobody)
    assert (item.group, item.behalf_words) == ("undated", "for Hugh Penrose")
    assert inbox.waiting_count(newsroom.nobody) == 1


def test_what_is_not_the_persons_is_left_out_of_what_they_ask_for(newsroom):
    newsroom.submitted()
    for wanted in (
        {"desk": newsroom.private_office.pk},
        {"person": newsroom.secretary.pk},
        {"desk": 999_999},
        {"group": "nonsense", "number": 9},
    ):
        found = inbox.page(newsroom.lawyer, Wanted(**wanted))
        assert found.wanted == Wanted()
        assert [item.step.desk for group in found.groups for item in group.items] == ["Legal"]


# The forecast


def test_a_row_says_that_the_desk_will_be_late_while_it_is_not_yet(newsroom):
    with_deadlines(newsroom)
    for number in range(3):
        newsroom.sign(newsroom.submitted(slug=f"s-{number}"), newsroom.legal, newsroom.lawyer)
        newsroom.edit(newsroom.legal.decisions.latest("pk").story, body=WORDS["body"][:1])
    revision = newsroom.submitted(headline="New bridge")
    meant_for(newsroom, revision, hours=3)
    item = next(item for item in items(newsroom.lawyer) if item.headline == "New bridge")
    assert item.late_words == ""
    assert "pace Legal " in item.pace.words
    slow = replace(item.pace, done=item.now + timedelta(hours=2.5))
    assert replace(item, pace=slow).late_words == "At this pace Legal will miss its deadline by 30 min"
    slow = replace(item.pace, done=item.now + timedelta(hours=4.5))
    assert replace(item, pace=slow).late_words == "At this pace Legal will miss the embargo by 1 h 30 min"
    late = replace(item, pace=slow, now=item.now + timedelta(hours=2.1))
    assert (late.left.css, late.late_words) == ("over", "")


# The page


def queries(browser, **asked) -> int:
    with CaptureQueriesContext(connection) as caught:
        assert browser.get(reverse("inbox"), asked).status_code == 200
    return len(caught)


def in_every_group(newsroom, number: int) -> None:
    """A story in each of the lawyer's groups."""
    taken = newsroom.submitted(slug=f"waiting-{number}")
    claiming.take(step=newsroom.step(taken.story, newsroom.legal), by=newsroom.lawyer)
    again = newsroom.cleared(slug=f"again-{number}")
    newsroom.edit(again.story, summary="Another.")
    asked = newsroom.submitted(slug=f"asked-{number}")
    ask(newsroom, asked, newsroom.legal, newsroom.lawyer)
    mine = newsroom.submitted(slug=f"mine-{number}")
    newsroom.edit(mine.story, by=newsroom.lawyer, summary="By the lawyer.")
    for revision in (asked, mine):
        meant_for(newsroom, revision, hours=number + 2)
    staged = newsroom.draft(slug=f"staged-{number}")
    route, made = Route.objects.get_or_create(name="Staged")
    if made:
        Step.objects.create(route=route, desk=newsroom.private_office, covers="everything", stage=1)
        Step.objects.create(route=route, desk=newsroom.legal, covers="everything", stage=2)
    clearing.request(revision=staged, by=newsroom.drafter, route=route)
    for hours in (0.5, 1.5, 50):
        dated = newsroom.submitted(slug=f"dated-{number}-{int(hours * 2)}")
        clearing.seen(revision=dated, by=newsroom.lawyer)
        newsroom.edit(dated.story, summary="Seen, then changed.")
        meant_for(newsroom, dated, hours=hours)


def test_as_many_queries_for_a_full_page_as_for_one_of_each(newsroom, as_):
    with_deadlines(newsroom)
    stand_in(newsroom, newsroom.lawyer, newsroom.secretary)
    in_every_group(newsroom, 1)
    browser = as_(newsroom.lawyer)
    queries(browser)
    with_one = queries(browser)
    assert with_one <= 28
    for number in (2, 3):
        in_every_group(newsroom, number)
    found = inbox.page(newsroom.lawyer)
    assert sum(len(group.items) for group in found.groups) == 25
    # The rows of the last groups are on pages of their own by now.
    assert queries(browser) <= with_one
    assert queries(browser, group="foreign") <= with_one


def test_as_many_queries_for_three_rows_of_a_kind_as_for_one(newsroom, as_):
    browser = as_(newsroom.lawyer)
    newsroom.submitted(slug="first")
    queries(browser)
    with_one = queries(browser)
    for slug in ("second", "third"):
        newsroom.submitted(slug=slug)
    assert queries(browser) == with_one


def test_the_badge_is_one_query(newsroom, django_assert_num_queries):
    in_every_group(newsroom, 1)
    with django_assert_num_queries(1):
        assert inbox.waiting_count(newsroom.lawyer) == 5


SAID = [
    UNDATED,
    ASKED,
    AHEAD,
    FOREIGN,
    "“Say when.” Adaeze Nwosu. Nothing has changed since.",
    "Hugh Penrose can clear it.",
    "no embargo set",
    "Read and decide",
    "Read ahead",
    "Look again",
    "Let go",
    "nobody has taken it",
    "There is no “clear all” here",
]


def test_the_page_says_what_there_is_to_do(newsroom, as_):
    in_every_group(newsroom, 1)
    page = as_(newsroom.lawyer).get(reverse("inbox"))
    text = page.content.decode()
    for words in SAID:
        assert words in text
    assert text.count("btn-primary") == 1
    assert text.count('type="checkbox"') == 0


def test_an_empty_inbox_says_so(newsroom, as_):
    browser = as_(newsroom.secretary)
    assert "Nothing waits for you." in browser.get(reverse("inbox")).content.decode()
    assert "You have taken nothing up." in browser.get(reverse("inbox"), {"mine": 1}).content.decode()


def test_25_rows_a_page_and_the_way_to_the_others(newsroom, as_):
    with_deadlines(newsroom)
    for number in range(28):
        meant_for(newsroom, newsroom.submitted(slug=f"later-{number}"), days=3 + number)
    newsroom.submitted(slug="undated")
    browser = as_(newsroom.lawyer)
    text = browser.get(reverse("inbox")).content.decode()
    assert text.count('class="pub b"') == 25
    assert "?group=later" in text
    assert "?group=undated" in text
    first, second, third = (
        browser.get(reverse("inbox"), {"group": "later", "page": page}).content.decode() for page in "123"
    )
    assert [page.count('class="pub b"') for page in (first, second, third)] == [25, 3, 0]
    assert ("group=later&amp;page=2" in first, 'rel="next"' in second) == (True, False)
    assert "Nothing here." in third
    for odd in ("0", "-1", "99999999", "x", "9" * 30, "²"):
        assert browser.get(reverse("inbox"), {"group": "later", "page": odd}).status_code == 200
        assert browser.get(reverse("inbox"), {"desk": odd, "for": odd}).status_code == 200


def test_without_a_deadline_there_are_pages_too(newsroom, as_, monkeypatch):
    monkeypatch.setattr(inbox, "PAGE_SIZE", 2)
    monkeypatch.setattr(inbox, "CHUNK", 4)
    monkeypatch.setattr("approvals.waiting.CHUNK", 4)
    for number in range(7):
        newsroom.submitted(headline=f"Story {number}", slug=f"story-{number}")
    found = [shown(newsroom.lawyer, group="undated", number=page)[UNDATED] for page in (1, 2, 3, 4, 5)]
    assert [len(page) for page in found] == [2, 2, 2, 1, 0]
    assert sorted(headline for page in found for headline in page) == [
        f"Story {number}" for number in range(7)
    ]
    last = inbox.page(newsroom.lawyer, Wanted(group="undated", number=4))
    assert (bool(last.previous), last.next) == (True, "")
    assert inbox.page(newsroom.lawyer, Wanted(group="undated", number=2)).has_next


def test_counts_go_no_further_than_they_have_to(newsroom, as_, monkeypatch):
    monkeypatch.setattr(inbox, "CAP", 3)
    monkeypatch.setattr("approvals.waiting.CAP", 3)
    for number in range(5):
        newsroom.submitted(slug=f"story-{number}")
    text = as_(newsroom.lawyer).get(reverse("inbox")).content.decode()
    assert "All 2+" in text
    assert '<span class="n">2+<' in text
    assert inbox.waiting_count(newsroom.lawyer) == 3


def test_no_rows_are_gone_through_in_vain(newsroom, monkeypatch):
    for number in range(3):
        newsroom.submitted(slug=f"waiting-{number}")
        asked = newsroom.submitted(slug=f"asked-{number}")
        ask(newsroom, asked, newsroom.legal, newsroom.lawyer)
    assert len(shown(newsroom.lawyer)[ASKED]) == 3
    # What nobody can act on is looked for among the most urgent alone; what can be decided, among all.
    monkeypatch.setattr("approvals.waiting.MOST_URGENT", 2)
    assert {title: len(rows) for title, rows in shown(newsroom.lawyer).items()} == {UNDATED: 3, ASKED: 1}


def test_a_story_without_a_headline_has_a_name_all_the_same(newsroom, as_):
    newsroom.edit(newsroom.submitted().story, headline="")
    assert "Story without a headline" in as_(newsroom.lawyer).get(reverse("inbox")).content.decode()


def test_only_clearers_have_an_inbox(newsroom, as_):
    for user in (
        newsroom.drafter,
        newsroom.officer,
        newsroom.administrator,
        newsroom.nobody,
        person("new", "New"),
    ):
        assert as_(user).get(reverse("inbox")).status_code == 403
