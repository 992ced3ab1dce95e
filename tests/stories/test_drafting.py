import threading

import pytest
from django.db import DatabaseError, connection, transaction

from stories import drafting
from stories.models import Revision, Story, Team, WorkingCopy
from tests.people import words

pytestmark = pytest.mark.django_db


def test_each_save_is_a_new_revision(newsroom):
    first = newsroom.draft()
    second = newsroom.edit(first.story, headline="Another headline")
    assert (first.number, second.number, second.based_on) == (1, 2, first)
    assert first.digest != second.digest
    assert first.parts["summary"] == second.parts["summary"]
    assert Revision.objects.get(pk=first.pk).headline == "New footbridge opens at Harrow Weir"


def test_reverting_gives_the_same_digest(newsroom):
    first = newsroom.draft()
    newsroom.edit(first.story, headline="Another headline")
    third = newsroom.edit(first.story, headline=first.headline)
    assert third.digest == first.digest


def test_a_stale_save_is_refused_with_the_newest_revision(newsroom):
    first = newsroom.draft()
    second = newsroom.edit(first.story, by=newsroom.other_drafter, headline="Theirs")
    with pytest.raises(drafting.Stale) as refusal:
        drafting.save(
            story=first.story, by=newsroom.drafter, content=words(headline="Mine"), based_on=first.pk
        )
    assert refusal.value.latest == second
    assert "Tom Ashdown saved revision 2" in str(refusal.value)
    assert first.story.latest == second


def test_saving_the_same_words_is_refused_not_ignored(newsroom):
    first = newsroom.draft()
    with pytest.raises(drafting.NothingChanged, match="revision 1"):
        newsroom.edit(first.story)
    assert first.story.revisions.count() == 1


def test_a_base_of_another_story_is_stale(newsroom):
    first, other = newsroom.draft(), newsroom.draft(slug="other")
    with pytest.raises(drafting.Stale):
        drafting.save(story=first.story, by=newsroom.drafter, content=words(slug="x"), based_on=other.pk)


@pytest.mark.parametrize("base", [None, "other"])
def test_the_database_refuses_a_stale_revision_too(newsroom, base):
    first, other = newsroom.draft(), newsroom.draft(slug="other")
    newsroom.edit(first.story, headline="Newer")
    based_on = {None: None, "other": other}[base]
    with pytest.raises(DatabaseError, match="not the newest"), transaction.atomic():
        Revision.objects.create(
            story=first.story, by=newsroom.drafter, content=words(), based_on=based_on, number=9
        )


def test_forged_digests_numbers_and_times_are_not_taken(newsroom):
    first = newsroom.draft()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO stories_revision "
            "(story_id, by_id, at, number, based_on_id, content, parts, digest, origin) "
            "SELECT story_id, by_id, '2001-01-01', 77, id, content || '{\"headline\": \"Lies\"}', "
            "parts, digest, origin FROM stories_revision WHERE id = %s RETURNING id",
            [first.pk],
        )
        forged = Revision.objects.get(pk=cursor.fetchone()[0])
    assert forged.number == 2
    assert forged.at.year > 2001
    assert forged.digest != first.digest


@pytest.mark.parametrize("content", [{k: v for k, v in words().items() if k != "notes"}, words(quotes=[])])
def test_content_that_lacks_a_part_or_has_another_is_refused(newsroom, content):
    with pytest.raises(DatabaseError, match="lacks"), transaction.atomic():
        drafting.begin(by=newsroom.drafter, content=content)


@pytest.mark.parametrize(
    ("table", "columns", "values"),
    [
        ("stories_embargo", "instant, zone", "now(), 'UTC'"),
        ("stories_limit", "team_id", "NULL"),
        ("stories_intake", "text, digest", "'words', ''"),
    ],
)
def test_nobody_chooses_an_id_that_stays_the_newest(newsroom, table, columns, values):
    story = newsroom.draft().story
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (id, story_id, by_id, at, {columns}) "
            f"VALUES (9000000000, %s, %s, now(), {values}) RETURNING id",
            [story.pk, newsroom.drafter.pk],
        )
        assert cursor.fetchone()[0] < 9_000_000_000


def test_a_working_copy_is_kept_each_and_goes_with_the_save(newsroom):
    first = newsroom.draft()
    story = first.story
    drafting.keep(story=story, by=newsroom.drafter, base=first.pk, fields={"headline": "Half"})
    drafting.keep(story=story, by=newsroom.drafter, base=first.pk, fields={"headline": "Half a th"})
    drafting.keep(story=story, by=newsroom.other_drafter, base=first.pk, fields={"headline": "Mine"})
    assert WorkingCopy.objects.get(story=story, by=newsroom.drafter).fields == {"headline": "Half a th"}
    newsroom.edit(story, headline="Half a thought")
    assert list(WorkingCopy.objects.values_list("by", flat=True)) == [newsroom.other_drafter.pk]


def test_a_working_copy_of_a_new_story_goes_when_it_begins(newsroom):
    drafting.keep(story=None, by=newsroom.drafter, base=None, fields={"headline": "Half"})
    drafting.keep(story=None, by=newsroom.drafter, base=None, fields={"headline": "More"})
    assert WorkingCopy.objects.count() == 1
    newsroom.draft()
    assert WorkingCopy.objects.count() == 0


def test_a_team_limits_a_story(newsroom):
    team = Team.objects.create(name="Coasts")
    revision = newsroom.draft(team=team)
    assert not Story.objects.visible_to(newsroom.other_drafter).filter(pk=revision.story_id).exists()


@pytest.mark.django_db(transaction=True)
def test_two_saves_at_the_same_instant_make_one_revision(live_newsroom):
    first = live_newsroom.draft()
    barrier, outcomes = threading.Barrier(8), []

    def save(number: int) -> None:
        barrier.wait()
        try:
            content = words(headline=f"Version {number}")
            drafting.save(story=first.story, by=live_newsroom.drafter, content=content, based_on=first.pk)
            outcomes.append("saved")
        except drafting.Stale:
            outcomes.append("stale")
        finally:
            connection.close()

    threads = [threading.Thread(target=save, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["saved"] + ["stale"] * 7
