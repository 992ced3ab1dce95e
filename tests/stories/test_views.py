import json
from io import BytesIO

import pytest
from django.urls import reverse
from PIL import Image

from stories import drafting, richtext
from stories.models import Asset, Story, Team, WorkingCopy
from tests.people import WORDS

pytestmark = pytest.mark.django_db


def fields(**changes) -> dict[str, object]:
    """What a browser without JavaScript sends for the story of the tests."""
    return {
        "headline": WORDS["headline"],
        "slug": WORDS["slug"],
        "summary": WORDS["summary"],
        "type": "news-story",
        "body": richtext.to_html(WORDS["body"]),
        "notes": WORDS["notes"],
        "contacts": WORDS["contacts"],
        "topics": ["bridges"],
        "organisation": "rivers",
        "picture_kept": "",
        **changes,
    }


def picture(name: str = "bridge.png") -> BytesIO:
    out = BytesIO()
    Image.new("RGB", (64, 48), (30, 90, 120)).save(out, "PNG")
    out.seek(0)
    out.name = name
    return out


def at(page: str, story: Story, **more: object) -> str:
    return reverse(page, kwargs={"uid": story.uid, **more})


def test_a_story_is_begun_in_the_form(newsroom, as_):
    browser = as_(newsroom.drafter)
    assert browser.get("/desk/stories/new/").status_code == 200
    response = browser.post("/desk/stories/new/", fields(), follow=True)
    story = Story.objects.get()
    assert response.redirect_chain == [(at("story_draft", story), 302)]
    content = story.latest.content
    assert content["body"] == WORDS["body"]
    assert content["notes"] == WORDS["notes"]
    assert content["contacts"] == WORDS["contacts"]
    assert content["topics"] == [{"slug": "bridges", "name": "Bridges"}]
    assert content["organisation"]["slug"] == "rivers"


def test_opening_and_saving_without_a_change_changes_nothing(newsroom, as_):
    revision = newsroom.draft()
    browser = as_(newsroom.drafter)
    page = browser.get(at("story_draft", revision.story))
    form = page.context["form"]
    sent = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    sent = {name: value for name, value in sent.items() if name != "picture_remove"}
    response = browser.post(at("story_save", revision.story), sent, follow=True)
    assert "Nothing has changed since revision 1" in response.content.decode()
    assert revision.story.revisions.count() == 1


def test_a_form_with_a_fault_comes_back_as_it_was_typed(newsroom, as_):
    response = as_(newsroom.drafter).post("/desk/stories/new/", fields(headline="", summary="Typed words"))
    assert response.status_code == 422
    page = response.content.decode()
    assert "Write a headline" in page
    assert 'href="#div_id_headline"' in page
    assert "Typed words" in page
    assert not Story.objects.exists()


def test_an_uploaded_picture_outlives_a_fault_elsewhere(newsroom, as_):
    browser = as_(newsroom.drafter)
    response = browser.post("/desk/stories/new/", fields(headline="", picture=picture()))
    asset = Asset.objects.get()
    assert f'value="{asset.sha256}"' in response.content.decode()
    browser.post("/desk/stories/new/", fields(picture_kept=asset.sha256, picture_alt="A bridge"))
    shown = Story.objects.get().latest.content["picture"]
    assert (shown["sha256"], shown["alt"]) == (asset.sha256, "A bridge")


def test_what_is_no_picture_is_refused_in_words(newsroom, as_):
    fake = BytesIO(b"<svg onload=alert(1)>")
    fake.name = "bridge.png"
    response = as_(newsroom.drafter).post("/desk/stories/new/", fields(picture=fake))
    assert response.status_code == 422
    assert "Choose a JPEG, PNG or WebP file" in response.content.decode()


def test_a_stale_save_shows_both_versions_and_loses_nothing(newsroom, as_):
    first = newsroom.draft()
    newsroom.edit(first.story, by=newsroom.other_drafter, headline="Their headline", summary="Their summary")
    sent = fields(base=first.pk, headline="My headline", summary="My summary")
    browser = as_(newsroom.drafter)
    response = browser.post(at("story_save", first.story), sent)
    page = response.content.decode()
    assert response.status_code == 409
    assert "Tom Ashdown saved revision 2" in page
    for words in ("Their headline", "Their summary", "My headline", "My summary"):
        assert words in page
    assert first.story.revisions.count() == 2
    again = {**sent, "base": response.context["form"]["base"].value()}
    assert browser.post(at("story_save", first.story), again).status_code == 302
    assert first.story.latest.headline == "My headline"
    assert first.story.revisions.get(number=2).headline == "Their headline"


def test_script_in_the_body_is_not_stored(newsroom, as_):
    body = '<p onclick="x()">Hello <script>alert(1)</script><a href="javascript:x()">there</a></p>'
    as_(newsroom.drafter).post("/desk/stories/new/", fields(body=body))
    stored = json.dumps(Story.objects.get().latest.content["body"])
    assert "onclick" not in stored
    assert "<script" not in stored
    assert "javascript:" not in stored


def test_somebody_who_does_not_draft_reads_the_newest_revision(newsroom, as_):
    revision = newsroom.submitted()
    response = as_(newsroom.lawyer).get(at("story_draft", revision.story))
    assert response["Location"] == at("story_revision", revision.story, number=1)
    assert as_(newsroom.lawyer).post(at("story_save", revision.story), fields()).status_code == 403


def test_the_preview_shows_the_words_of_a_revision(newsroom, as_):
    first = newsroom.draft()
    newsroom.edit(first.story, headline="Second headline")
    page = as_(newsroom.drafter).get(at("story_revision", first.story, number=1)).content.decode()
    assert WORDS["summary"] in page
    assert "Nobody will have to wade here again." in page
    assert as_(newsroom.drafter).get(at("story_revision", first.story, number=3)).status_code == 404


def test_a_working_copy_is_kept_and_offered(newsroom, as_):
    revision = newsroom.draft()
    browser = as_(newsroom.drafter)
    kept = {"base": revision.pk, "fields": {"headline": "Half a thought"}}
    response = browser.post(at("story_working_copy", revision.story), kept, content_type="application/json")
    assert response.status_code == 204
    assert "Half a thought" in browser.get(at("story_draft", revision.story)).content.decode()
    assert (
        "Half a thought"
        not in as_(newsroom.other_drafter).get(at("story_draft", revision.story)).content.decode()
    )
    forgotten = {"base": None, "fields": {}}
    browser.post(at("story_working_copy", revision.story), forgotten, content_type="application/json")
    assert not WorkingCopy.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no json",
        "[]",
        "null",
        '{"fields": 3}',
        '{"fields": {}, "base": "x"}',
        '{"fields": {"a": 1}, "base": 999999}',
        '{"fields": {"a": "\\u0000"}, "base": null}',
    ],
)
def test_what_is_no_working_copy_is_refused(newsroom, as_, body):
    revision = newsroom.draft()
    response = as_(newsroom.drafter).post(
        at("story_working_copy", revision.story), body, content_type="application/json"
    )
    assert response.status_code == 400
    assert not WorkingCopy.objects.exists()


def test_the_record_tells_all_and_that_it_is_whole(newsroom, as_):
    release = newsroom.public()
    page = as_(newsroom.drafter).get(at("story_record", release.story)).content.decode()
    for words in (
        "Story begun",
        "Revision 1",
        "Clearance requested",
        "Legal cleared everything",
        "Private Office cleared all quotes",
        "Armed for",
        "The chain is whole",
    ):
        assert words in page


def test_an_embargo_is_planned_in_words(newsroom, as_):
    story = newsroom.draft().story
    sent = {"embargo-day": "2030-07-01", "embargo-time": "00:01", "embargo-zone": "Europe/London"}
    page = as_(newsroom.drafter).post(at("story_embargo", story), sent, follow=True).content.decode()
    assert "00:01 BST, Monday 1 July 2030" in page
    assert "(23:01 UTC, Sunday)" in page


@pytest.mark.parametrize(
    ("day", "time", "zone", "words"),
    [
        ("2030-03-31", "01:30", "Europe/London", "does not exist"),
        ("2030-10-27", "01:30", "Europe/London", "happens twice"),
        ("2030-03-31", "12:00", "Mars/Olympus", "no time zone"),
        ("", "12:00", "UTC", "required"),
        ("9999-12-31", "23:59", "America/New_York", "Choose a day"),
    ],
)
def test_an_embargo_that_is_none_is_refused_in_words(newsroom, as_, day, time, zone, words):
    story = newsroom.draft().story
    sent = {"embargo-day": day, "embargo-time": time, "embargo-zone": zone}
    response = as_(newsroom.drafter).post(at("story_embargo", story), sent)
    assert response.status_code == 422
    assert words in response.content.decode()
    assert not story.embargos.exists()


def test_a_picture_is_served_to_those_who_know_its_story(newsroom, as_):
    browser = as_(newsroom.drafter)
    browser.post("/desk/stories/new/", fields(picture=picture()))
    asset = Asset.objects.get()
    path = reverse("staff_media", args=[asset.name])
    response = as_(newsroom.lawyer).get(path)
    assert response["Content-Type"] == "image/png"
    assert len(response.getvalue()) == asset.size
    team = Team.objects.create(name="Coasts")
    drafting.limit(story=Story.objects.get(), by=newsroom.drafter, team=team)
    assert as_(newsroom.lawyer).get(path).status_code == 404
    response = browser.get(path)  # who uploaded it
    assert response.status_code == 200
    response.close()


def test_the_story_list_takes_as_many_queries_for_three_as_for_one(
    newsroom, as_, django_assert_max_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    browser = as_(newsroom.drafter)
    counts = []
    for number in range(3):
        newsroom.cleared(slug=f"story-{number}")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert browser.get("/desk/stories/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[2]


def test_starting_from_text_in_the_browser(newsroom, as_):
    from tests.stories.test_importing import TEXT

    browser = as_(newsroom.drafter)
    page = browser.post("/desk/stories/from-text/", {"text": TEXT}).content.decode()
    assert "Joss Amberley" in page
    assert "00:01 BST, Tuesday 17 October 2017" in page
    number = next(part for part in page.split('value="unquote:')[1:])[:1]
    page = browser.post(
        "/desk/stories/from-text/", {"text": TEXT, "change": f"unquote:{number}"}
    ).content.decode()
    assert 'value="unquote:' not in page
    response = browser.post(
        "/desk/stories/from-text/", {"text": TEXT, "make": "1", "embargo": "on", "headline": "Ferry is back"}
    )
    story = Story.objects.get()
    assert response["Location"] == at("story_draft", story)
    assert story.latest.headline == "Ferry is back"
    assert story.embargos.count() == 1


@pytest.mark.parametrize("text", ["", "   \n ", "a\x00b"])
def test_text_that_cannot_be_read_is_refused_in_words(newsroom, as_, text):
    response = as_(newsroom.drafter).post("/desk/stories/from-text/", {"text": text})
    assert response.status_code == 422
    assert not Story.objects.exists()


def test_a_text_file_can_be_sent(newsroom, as_):
    file = BytesIO(b"News story: A file\r\n\r\nIt was sent as a file.")
    file.name = "story.txt"
    page = as_(newsroom.drafter).post("/desk/stories/from-text/", {"text": "", "file": file}).content.decode()
    assert "It was sent as a file." in page
