"""What a hostile visit found once, kept from coming back."""

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from approvals import clearing, rules
from newsroom import delivering
from newsroom.models import Visibility
from stories import drafting, files, pictures, record
from stories.models import Revision, Team
from tests.people import words
from tests.stories.test_pictures import made

pytestmark = pytest.mark.django_db


def test_changes_asked_on_newer_words_stop_the_older_ones_too(newsroom):
    release = newsroom.armed()
    newer = newsroom.edit(release.story, summary="Newer words.")
    state = next(s for s in rules.progress(newer).steps if s.desk == "Legal")
    step = newsroom.step(release.story, newsroom.legal)
    clearing.ask_for_changes(
        step=step, revision=newer, covered=state.covered or "", by=newsroom.lawyer, reason="None of it."
    )
    assert not Visibility.objects.filter(story=release.story).exists()


def test_the_second_click_of_two_is_told_the_truth(newsroom):
    first = newsroom.draft()
    newsroom.edit(first.story, summary="Typed once.")
    with pytest.raises(drafting.NothingChanged):
        drafting.save(
            story=first.story, by=newsroom.drafter, content=words(summary="Typed once."), based_on=first.pk
        )


def test_a_story_from_text_leaves_the_blank_form_alone(newsroom):
    drafting.keep(story=None, by=newsroom.drafter, base=None, fields={"headline": "Half a thought"})
    drafting.begin(by=newsroom.drafter, content=words(), origin="text")
    assert newsroom.drafter.working_copies.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"body": [7]},
        {"body": [{"kind": "paragraph", "html": 3}]},
        {"body": [{"kind": "quote", "html": "<p>x</p>"}]},
        {"topics": 5},
        {"topics": ["bridges"]},
        {"summary": 1.1},
        {"picture": {"sha256": "0"}},
        {"organisation": "rivers"},
    ],
)
def test_content_of_another_shape_is_refused_by_the_database(newsroom, change):
    first = newsroom.draft()
    with pytest.raises(DatabaseError, match="shape"), transaction.atomic():
        Revision.objects.create(
            story=first.story, by=newsroom.drafter, based_on=first, number=2, content={**words(), **change}
        )


def test_a_digest_that_somebody_got_to_know_shows_no_picture(newsroom, as_):
    team = Team.objects.create(name="Coasts")
    asset = pictures.store(made(), newsroom.other_drafter)
    shown = {"sha256": asset.sha256, "name": asset.name, "width": 64, "height": 48}
    picture = {**shown, "alt": "", "caption": "", "credit": ""}
    newsroom.draft(by=newsroom.other_drafter, team=team, slug="limited", picture=picture)
    browser = as_(newsroom.drafter)
    browser.post(
        reverse("story_new"), {"headline": "Mine", "type": "news-story", "picture_kept": asset.sha256}
    )
    assert Revision.objects.get(content__headline="Mine").content["picture"] is None
    assert browser.get(reverse("staff_media", args=[asset.name])).status_code == 404


def test_changed_bytes_of_a_picture_are_found(newsroom):
    asset = pictures.store(made(), newsroom.drafter)
    assert list(record.verify()) == []
    files.path_of(asset).write_bytes(b"another")
    assert [fault for fault in record.verify() if "were changed" in fault]
    files.path_of(asset).unlink()
    assert [fault for fault in record.verify() if "are missing" in fault]


def test_nobody_outside_its_team_opens_a_limited_story(newsroom):
    team = Team.objects.create(name="Coasts")
    revision = newsroom.draft(team=team, by=newsroom.other_drafter)
    clearing.request(revision=revision, by=newsroom.other_drafter)
    from stories.views import may_limit

    assert not may_limit(newsroom.lawyer, revision.story)


def test_the_admin_leads_to_no_limited_story(newsroom, as_):
    browser = as_(newsroom.administrator)
    team = Team.objects.create(name="Coasts")
    revision = newsroom.draft(team=team, by=newsroom.other_drafter)
    from django.contrib.contenttypes.models import ContentType

    kind = ContentType.objects.get_for_model(Revision)
    assert browser.get(f"/desk/admin/r/{kind.pk}/{revision.pk}/").status_code == 404
    assert browser.get(f"/desk/admin/stories/team/{team.pk}/delete/").status_code == 403
    found = browser.get(f"/desk/admin/stories/user/?stories_begun__id={revision.story_id}")
    assert found.status_code == 400


@pytest.mark.parametrize("path", ["/desk/stories/?q=%00", "/desk/media/%00"])
def test_a_null_character_is_no_server_error(newsroom, as_, path):
    assert as_(newsroom.drafter).get(path).status_code < 500


def test_a_broken_cookie_is_no_cookie(newsroom, client):
    client.cookies["sessionid"] = "\x00aaaa"
    assert client.get("/desk/").status_code == 302
    client.cookies["csrftoken"] = "abc"
    answer = client.get("/")
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers.get("Vary", "")


def test_the_key_of_a_delivery_tells_nothing_of_its_number():
    from hashlib import sha256

    guess = sha256(b"release:announcement:1:a@b.example").hexdigest()
    key = delivering.key_of(event="release", cause="announcement:1", to="a@b.example")
    assert key != guess
    assert key == delivering.key_of(event="release", cause="announcement:1", to="a@b.example")
    assert key != delivering.key_of(event="kill", cause="announcement:1", to="a@b.example")
