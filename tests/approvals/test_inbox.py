"""What waits for a person: the right rows, in the right group, in as many queries for one as for a page."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from approvals import inbox
from approvals.models import Step
from stories import drafting
from stories.models import Revision, Team
from stories.moments import Moment
from tests.approvals.doing import ask
from tests.people import WORDS, person

pytestmark = pytest.mark.django_db


def shown(user) -> dict[str, list[str]]:
    """The headlines of a person's inbox by the title of their group."""
    return {group.title: [item.headline for item in group.items] for group in inbox.page(user).groups}


def items(user) -> list[inbox.Item]:
    return [item for group in inbox.page(user).groups for item in group.items]


def meant_for(newsroom, revision: Revision, **ahead: float) -> None:
    moment = Moment(datetime.now(UTC) + timedelta(**ahead), "Europe/London")
    drafting.plan_embargo(story=revision.story, by=newsroom.drafter, moment=moment)


def test_nothing_waits_before_clearance_is_requested(newsroom):
    newsroom.draft()
    assert shown(newsroom.lawyer) == {}
    assert inbox.waiting_count(newsroom.lawyer) == 0


def test_what_is_laid_before_a_desk_waits_for_everybody_on_it_and_nobody_else(newsroom):
    newsroom.submitted(headline="New bridge")
    for user in (newsroom.lawyer, newsroom.second_lawyer, newsroom.secretary):
        assert shown(user) == {"Waiting": ["New bridge"]}
        assert inbox.waiting_count(user) == 1
    for user in (newsroom.drafter, newsroom.officer, newsroom.administrator, newsroom.nobody):
        assert shown(user) == {}
        assert inbox.waiting_count(user) == 0


def test_what_is_cleared_drops_out_and_what_changed_is_looked_at_again(newsroom):
    revision = newsroom.cleared(headline="New bridge")
    assert shown(newsroom.lawyer) == {}
    newsroom.edit(revision.story, summary="Walkers save three miles.")
    assert shown(newsroom.lawyer) == {"Changed since your desk cleared: look again": ["New bridge"]}
    assert shown(newsroom.secretary) == {}
    newsroom.edit(revision.story, summary=revision.content["summary"])
    assert shown(newsroom.lawyer) == {}


def test_changes_that_were_asked_wait_for_the_drafter(newsroom):
    revision = newsroom.submitted(headline="New bridge")
    ask(newsroom, revision, newsroom.legal, newsroom.lawyer, "Who paid?")
    assert shown(newsroom.second_lawyer) == {"Your desk asked for changes": ["New bridge"]}
    assert inbox.waiting_count(newsroom.second_lawyer) == 0
    newsroom.edit(revision.story, summary="The Trust paid.")
    assert shown(newsroom.second_lawyer) == {"Waiting": ["New bridge"]}
    assert inbox.waiting_count(newsroom.second_lawyer) == 1


def test_ones_own_words_are_not_ones_own_to_clear(newsroom):
    revision = newsroom.submitted(headline="New bridge")
    newsroom.edit(revision.story, by=newsroom.lawyer, summary="Mended.")
    assert shown(newsroom.lawyer) == {"Not yours to clear: four eyes": ["New bridge"]}
    assert inbox.waiting_count(newsroom.lawyer) == 0
    assert items(newsroom.lawyer)[0].others_words == "Hugh Penrose can clear it."
    assert shown(newsroom.second_lawyer) == {"Waiting": ["New bridge"]}


def test_where_nobody_else_can_clear_it_that_is_said(newsroom):
    revision = newsroom.submitted()
    newsroom.edit(revision.story, by=newsroom.secretary, body=WORDS["body"][1:])
    assert "an administrator can add somebody" in items(newsroom.secretary)[0].others_words


def test_without_quotes_the_private_office_has_nothing_to_do(newsroom):
    newsroom.submitted(body=[WORDS["body"][0]])
    assert shown(newsroom.secretary) == {}


def test_a_story_of_a_team_waits_for_the_desks_it_was_laid_before(newsroom):
    team = Team.objects.create(name="Coasts")
    team.members.add(newsroom.drafter)
    revision = newsroom.draft(team=team, headline="For few")
    from approvals import clearing

    clearing.request(revision=revision, by=newsroom.drafter)
    assert shown(newsroom.lawyer) == {"Waiting": ["For few"]}


def test_the_least_time_left_comes_first_and_no_embargo_last(newsroom):
    for headline, ahead in (("Later", 9), ("None", 0), ("Sooner", 2)):
        revision = newsroom.submitted(headline=headline, slug=headline.lower())
        if ahead:
            meant_for(newsroom, revision, hours=ahead)
    assert shown(newsroom.lawyer) == {"Waiting": ["Sooner", "Later", "None"]}


@pytest.mark.parametrize(
    ("ahead", "words", "css"),
    [
        ({"days": 2, "hours": 17, "minutes": 1}, "2 d 17 h", ""),
        ({"hours": 3, "minutes": 18.5}, "3 h 18 min", ""),
        ({"hours": 1, "minutes": 18.5}, "1 h 18 min", "soon"),
        ({"minutes": 12.5}, "12 min", "soon"),
        ({"minutes": -12.5}, "12 min late", "over"),
        ({"days": 1, "minutes": 5.5}, "1 d 0 h", ""),
    ],
)
def test_the_time_left(newsroom, ahead, words, css):
    meant_for(newsroom, newsroom.submitted(), **ahead)
    left = items(newsroom.lawyer)[0].left
    assert (left.words, left.css) == (words, css)


def test_a_moved_embargo_counts_from_where_it_was_moved_to(newsroom):
    revision = newsroom.submitted()
    meant_for(newsroom, revision, hours=9.01)
    meant_for(newsroom, revision, hours=5.01)
    assert items(newsroom.lawyer)[0].left.words == "5 h 0 min"


def test_what_changed_since_ones_own_last_look(newsroom):
    revision = newsroom.cleared()
    newsroom.edit(revision.story, summary="The bridge saves walkers three long miles.")
    mine, theirs = items(newsroom.lawyer)[0], items(newsroom.second_lawyer)[0]
    assert mine.since.size == "2 words put in, 1 taken out"
    assert mine.since.places == "the summary"
    assert (theirs.since, theirs.last.by) == (None, newsroom.lawyer)
    assert theirs.words > 40


def test_a_very_long_text_is_not_compared_in_the_list(newsroom):
    long = [{"kind": "paragraph", "html": f"<p>Paragraph {n} of a long report.</p>"} for n in range(3000)]
    revision = newsroom.submitted(body=long)
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    newsroom.edit(revision.story, summary="Another.")
    row = items(newsroom.lawyer)[0]
    assert (row.since, row.words) == (None, None)


def test_somebody_on_two_desks_has_a_row_for_each(newsroom):
    newsroom.private_office.members.add(newsroom.lawyer)
    newsroom.submitted()
    assert sorted(item.covers_words for item in items(newsroom.lawyer)) == ["all quotes", "everything"]
    assert inbox.waiting_count(newsroom.lawyer) == 2


def test_a_desk_with_two_steps_has_a_row_for_each(newsroom):
    Step.objects.create(route=newsroom.route, desk=newsroom.legal, covers="quotes", position=3)
    newsroom.submitted()
    assert sorted(item.covers_words for item in items(newsroom.lawyer)) == ["all quotes", "everything"]


# The page


def queries(browser) -> int:
    with CaptureQueriesContext(
        connection,
    ) as caught:
        assert browser.get(reverse("inbox")).status_code == 200
    return len(caught)


def in_every_group(newsroom, number: int) -> None:
    """A story in each of the lawyer's groups."""
    newsroom.submitted(slug=f"waiting-{number}")
    again = newsroom.cleared(slug=f"again-{number}")
    newsroom.edit(again.story, summary="Another.")
    asked = newsroom.submitted(slug=f"asked-{number}")
    ask(newsroom, asked, newsroom.legal, newsroom.lawyer)
    mine = newsroom.submitted(slug=f"mine-{number}")
    newsroom.edit(mine.story, by=newsroom.lawyer, summary="By the lawyer.")
    for revision in (asked, mine):
        meant_for(newsroom, revision, hours=number + 1)


def test_as_many_queries_for_three_of_each_as_for_one(newsroom, as_):
    in_every_group(newsroom, 1)
    browser = as_(newsroom.lawyer)
    queries(browser)
    with_one = queries(browser)
    in_every_group(newsroom, 2)
    in_every_group(newsroom, 3)
    assert queries(browser) == with_one <= 20


def test_the_badge_is_one_query(newsroom, django_assert_num_queries):
    in_every_group(newsroom, 1)
    with django_assert_num_queries(1):
        assert inbox.waiting_count(newsroom.lawyer) == 2


SAID = [
    "Waiting",
    "Changed since your desk cleared: look again",
    "Your desk asked for changes",
    "Not yours to clear: four eyes",
    "“Say when.” Nothing has changed since.",
    "Hugh Penrose can clear it.",
    "no embargo yet",
    "Read and decide",
    "Look again",
    "There is no “clear all” here",
]


def test_the_page_says_what_there_is_to_do(newsroom, as_):
    in_every_group(newsroom, 1)
    page = as_(newsroom.lawyer).get(reverse("inbox"))
    text = page.content.decode()
    for words in SAID:
        assert words in text
    assert text.count("btn-primary") == 1


def test_an_empty_inbox_says_so(newsroom, as_):
    assert "Nothing waits for you." in as_(newsroom.secretary).get(reverse("inbox")).content.decode()


def test_pages_of_25(newsroom, as_):
    for number in range(27):
        newsroom.submitted(headline=f"Story {number:02}", slug=f"story-{number}")
    first, second = (
        as_(newsroom.lawyer).get(reverse("inbox"), {"page": page}).content.decode() for page in "12"
    )
    assert [text.count('class="pub b"') for text in (first, second)] == [25, 2]
    assert "page 1 of 2" in first
    assert "27 sign-offs of your desks are missing" in first
    for odd in ("0", "-1", "999", "x", "9" * 30, "²"):
        assert as_(newsroom.lawyer).get(reverse("inbox"), {"page": odd}).status_code == 200


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
