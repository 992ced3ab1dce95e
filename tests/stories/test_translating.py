"""The language of a story's words, and stories that say the same in different languages."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import Error, connection, transaction
from django.urls import reverse

from approvals import rules
from newsroom.access import PAGES
from stories import content, digests, record, translating
from stories.models import Story, Team, Translation, TranslationEnd
from tests.people import words
from tests.stories.test_views import fields

pytestmark = pytest.mark.django_db
RIVERS = {"slug": "rivers", "name": "Department for Rivers and Coasts"}


def story(newsroom, language: str = "en-GB", **changes) -> Story:
    return newsroom.draft(language=language, organisation=RIVERS, **changes).story


def linked(newsroom) -> tuple[Story, Story]:
    """An original in English, and its translation into Welsh."""
    original, translation = story(newsroom), story(newsroom, "cy", headline="Pont newydd")
    translating.link(story=translation, original=original.uid, by=newsroom.drafter)
    return original, translation


# The language of the words


def test_the_language_is_content_and_a_part_of_its_digest(newsroom):
    english, welsh = newsroom.draft(), newsroom.draft(language="cy")
    assert (english.content["language"], welsh.content["language"]) == ("en-GB", "cy")
    welsh.refresh_from_db()
    assert welsh.parts == digests.content_parts(words(language="cy"))
    assert digests.content_digest(words()) != digests.content_digest(words(language="cy"))


@pytest.mark.parametrize("language", ["fr", "EN-gb", "", None, 3, ["cy"]])
def test_a_language_that_pages_do_not_speak_is_refused_by_the_database(newsroom, language):
    with pytest.raises(Error, match="lacks one of its parts"), transaction.atomic():
        newsroom.draft(language=language)


def test_content_from_before_there_was_a_choice_is_english():
    old = {key: part for key, part in words().items() if key != "language"}
    assert content.filled(old)["language"] == "en-GB"
    with connection.cursor() as cursor:
        cursor.execute("SELECT filled('{}') ->> 'language'")
        assert cursor.fetchone() == ("en-GB",)


def test_another_language_takes_the_sign_offs_of_everything_and_of_nothing_else(newsroom):
    revision = newsroom.cleared()
    second = newsroom.edit(revision.story, language="cy")
    missing = {step.desk: step.missing for step in rules.progress(second).steps}
    assert missing == {"Legal": True, "Private Office": False}


def test_the_form_asks_for_the_language_and_takes_english_where_it_does_not_say(newsroom, as_):
    browser = as_(newsroom.drafter)
    browser.post(reverse("story_new"), fields(language="cy"))
    browser.post(reverse("story_new"), fields())
    welsh, english = Story.objects.order_by("pk")
    assert (welsh.latest.language, english.latest.language) == ("cy", "en-GB")
    page = browser.get(reverse("story_draft", args=[welsh.uid])).content.decode()
    assert '<option value="cy" selected>Cymraeg</option>' in page
    response = browser.post(reverse("story_new"), fields(language="tlh"))
    assert response.status_code == 422


# Translations


def test_a_translation_is_a_fact_of_the_record_and_so_is_its_end(newsroom):
    original, translation = linked(newsroom)
    fact = translating.standing(translation)
    assert fact is not None
    assert fact.original == original
    translating.unlink(story=translation, translation=fact.pk, by=newsroom.other_drafter)
    assert translating.standing(translation) is None
    titles = [record.words(entry).title for entry in record.lines(translation)]
    assert titles[:2] == [
        "Not linked as a translation any more",
        "Linked as the translation of another story",
    ]
    assert list(record.story_faults(translation)) == []
    # And it can be linked anew.
    translating.link(story=translation, original=original.uid, by=newsroom.drafter)


def test_the_desk_sees_both_ways(newsroom, as_):
    original, translation = linked(newsroom)
    browser = as_(newsroom.drafter)
    there = browser.get(reverse("story_draft", args=[original.uid])).content.decode()
    assert "Pont newydd" in there
    assert "Cymraeg" in there
    back = browser.get(reverse("story_draft", args=[translation.uid])).content.decode()
    assert "English, the original" in back
    assert "Undo the link" in back
    fact = translating.standing(translation)
    response = browser.post(
        reverse("translation_end", args=[translation.uid]), {"translation": fact.pk}, follow=True
    )
    assert "The link is undone." in response.content.decode()
    assert translating.standing(translation) is None


@pytest.mark.parametrize("pasted", ["http://testserver/desk/stories/{uid}/record/", "{uid}", " {uid} "])
def test_the_original_is_named_by_its_address(newsroom, as_, pasted):
    original, translation = story(newsroom), story(newsroom, "cy")
    sent = {"original": pasted.format(uid=original.uid)}
    response = as_(newsroom.drafter).post(
        reverse("story_translation", args=[translation.uid]), sent, follow=True
    )
    assert "The two stories are linked" in response.content.decode()
    assert translating.standing(translation).original == original


@pytest.mark.parametrize("pasted", ["", "the bridge", "/desk/stories/1/"])
def test_what_is_no_address_is_said_to_be_none(newsroom, as_, pasted):
    translation = story(newsroom, "cy")
    response = as_(newsroom.drafter).post(
        reverse("story_translation", args=[translation.uid]), {"original": pasted}, follow=True
    )
    page = response.content.decode()
    assert "Nothing was linked: " in page
    assert ("You had pasted" in page) == bool(pasted)
    assert pasted in page
    assert not Translation.objects.exists()


def test_a_story_of_another_team_answers_like_one_that_never_was(newsroom):
    team = Team.objects.create(name="Inner circle")
    team.members.add(newsroom.other_drafter)
    original, translation = story(newsroom, team=team), story(newsroom, "cy")
    told = []
    for uid in (original.uid, "00000000-0000-4000-8000-000000000000"):
        with pytest.raises(translating.NoSuchStory) as refused:
            translating.link(story=translation, original=uid, by=newsroom.drafter)
        told.append(str(refused.value))
    assert told[0] == told[1]


def test_who_may_not_see_one_of_them_is_told_nothing_of_it(newsroom, as_):
    team = Team.objects.create(name="Inner circle")
    team.members.add(newsroom.other_drafter)
    original, translation = story(newsroom, headline="Hidden words", team=team), story(newsroom, "cy")
    translating.link(story=translation, original=original.uid, by=newsroom.other_drafter)
    browser = as_(newsroom.drafter)
    for name in ("story_draft", "story_record"):
        page = browser.get(reverse(name, args=[translation.uid])).content.decode()
        assert "Hidden words" not in page
        assert str(original.uid) not in page
    assert translating.others(translation, newsroom.drafter) == []


REFUSED = {
    "itself": translating.Itself,
    "linked": translating.Linked,
    "original of others": translating.Linked,
    "not original": translating.NotOriginal,
    "organisation": translating.OtherOrganisation,
    "language": translating.SameLanguage,
    "language of the original": translating.SameLanguage,
}


def refused_pair(newsroom, why: str) -> tuple[Story, Story]:
    """What cannot be linked: the translation and its original."""
    original, translation = linked(newsroom)
    another = story(newsroom)
    return {
        "itself": (another, another),
        "linked": (translation, another),
        "original of others": (original, newsroom.draft(language="cy", organisation=RIVERS).story),
        "not original": (another, translation),
        "organisation": (newsroom.draft(language="cy").story, another),
        "language": (story(newsroom, "cy"), original),
        "language of the original": (another, original),
    }[why]


@pytest.mark.parametrize("why", REFUSED)
def test_what_cannot_be_linked_is_refused_by_name_and_by_the_database(newsroom, why):
    translation, original = refused_pair(newsroom, why)
    with pytest.raises(REFUSED[why], match="Nothing was linked: "):
        translating.link(story=translation, original=original.uid, by=newsroom.drafter)
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO stories_translation (story_id, original_id, by_id) VALUES (%s, %s, %s)",
            [translation.pk, original.pk, newsroom.drafter.pk],
        )


def test_a_link_is_undone_once_and_by_its_own_story(newsroom):
    original, translation = linked(newsroom)
    fact = translating.standing(translation)
    for where, number in ((original, fact.pk), (translation, fact.pk + 1), (translation, 0)):
        with pytest.raises(translating.NotLinked):
            translating.unlink(story=where, translation=number, by=newsroom.drafter)
    translating.unlink(story=translation, translation=fact.pk, by=newsroom.drafter)
    with pytest.raises(translating.NotLinked):
        translating.unlink(story=translation, translation=fact.pk, by=newsroom.drafter)


@pytest.mark.parametrize("model", [Translation, TranslationEnd])
def test_neither_fact_is_changed_or_deleted(newsroom, model):
    _, translation = linked(newsroom)
    fact = translating.standing(translation)
    translating.unlink(story=translation, translation=fact.pk, by=newsroom.drafter)
    for attempt in (model.objects.all().delete, lambda: model.objects.update(by=newsroom.officer)):
        with pytest.raises(Error), transaction.atomic():
            attempt()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_link_at_once_one_is_refused_and_nobody_waits_for_ever(live_newsroom):
    """Each the translation of the other: whatever order they come in, one link stands."""
    first, second = story(live_newsroom), story(live_newsroom, "cy")

    def link(pair: tuple[Story, Story]) -> str:
        try:
            translating.link(story=pair[0], original=pair[1].uid, by=live_newsroom.drafter)
        except translating.Refused as refusal:
            return type(refusal).__name__
        finally:
            connection.close()
        return "linked"

    with ThreadPoolExecutor(2) as pool:
        told = sorted(pool.map(link, [(first, second), (second, first)]))
    assert told == ["Linked", "linked"]
    assert Translation.objects.count() == 1


def test_the_desk_asks_two_questions_however_many_there_are(newsroom, django_assert_num_queries):
    original, translation = linked(newsroom)
    for one, other in ((original, translation), (translation, original)):
        with django_assert_num_queries(2):
            assert [each.uid for each in translating.others(one, newsroom.drafter)] == [other.uid]


def test_only_drafters_link():
    assert PAGES["story_translation"] == PAGES["translation_end"] == PAGES["story_save"]
