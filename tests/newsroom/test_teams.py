"""A story limited to a team does not exist for anybody else."""

import pytest
from django.urls import reverse

from stories import drafting
from stories.models import Story, Team

pytestmark = pytest.mark.django_db

PAGES = ["story_draft", "story_clearing", "story_release", "story_record", "story_save"]


@pytest.fixture
def limited(newsroom):
    team = Team.objects.create(name="Coasts")
    team.members.add(newsroom.other_drafter)
    return newsroom.draft(team=team, by=newsroom.other_drafter, headline="Marmalade canary", slug="marmalade")


def test_its_pages_answer_like_those_of_no_story(newsroom, limited, as_):
    browser = as_(newsroom.drafter)
    for page in PAGES:
        there = browser.get(reverse(page, args=[limited.story.uid]))
        nowhere = browser.get(reverse(page, args=["00000000-0000-4000-8000-000000000000"]))
        assert (there.status_code, nowhere.status_code) == (404, 404)
        assert there.content == nowhere.content
        assert dict(there.headers) == dict(nowhere.headers)


def test_no_list_or_search_shows_it(newsroom, limited, as_):
    for user in (newsroom.drafter, newsroom.officer, newsroom.administrator):
        browser = as_(user)
        for path in ("/desk/", "/desk/stories/", "/desk/stories/?q=marmalade"):
            body = browser.get(path).content
            assert b"Marmalade canary" not in body
    assert b"Marmalade canary" in as_(newsroom.other_drafter).get("/desk/stories/?q=marmalade").content


def test_the_admin_shows_nothing_of_it_to_a_superuser_outside(newsroom, limited, as_):
    browser = as_(newsroom.administrator)
    for model in ("stories/story", "stories/revision", "stories/entry"):
        assert str(limited.story.uid).encode() not in browser.get(f"/desk/admin/{model}/").content


def test_desks_that_are_asked_see_it(newsroom, limited):
    from approvals import clearing

    assert not Story.objects.visible_to(newsroom.lawyer).filter(pk=limited.story_id).exists()
    clearing.request(revision=limited, by=newsroom.other_drafter)
    assert Story.objects.visible_to(newsroom.lawyer).filter(pk=limited.story_id).exists()
    assert not Story.objects.visible_to(newsroom.officer).filter(pk=limited.story_id).exists()


def test_opening_it_is_on_the_record(newsroom, limited):
    drafting.limit(story=limited.story, by=newsroom.other_drafter, team=None)
    assert Story.objects.visible_to(newsroom.drafter).filter(pk=limited.story_id).exists()
    newest = limited.story.entries.latest("number")
    assert (newest.source, newest.payload["team_id"]) == ("stories_limit", None)
    assert newest.by == newsroom.other_drafter


def test_the_drafter_chooses_only_among_their_own_teams(newsroom, as_):
    other = Team.objects.create(name="Harbours")
    revision = newsroom.draft()
    as_(newsroom.drafter).post(reverse("story_team", args=[revision.story.uid]), {"team": other.pk})
    revision.story.refresh_from_db()
    assert revision.story.team is None
