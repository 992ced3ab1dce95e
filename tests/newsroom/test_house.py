"""How the newsroom presents itself: the verb, its refusals, the guard, where it shows and from when on."""

import json
import re

import pytest
from django.conf import Settings
from django.db import Error, connection, connections, transaction

from newsroom import house, letters, openapi, showing, subscribing
from newsroom.models import House, SubscriptionRequest
from stories import attachments, pictures, record
from stories.models import Entry
from tests.newsroom.housing import picture, saved, shown
from tests.stories.documents import CSV, file

pytestmark = pytest.mark.django_db


def faults(**changes) -> list[tuple[str, str]]:
    with pytest.raises(showing.Invalid) as refusal:
        shown(**changes)
    return list(refusal.value.faults)


def test_while_nobody_has_set_anything_the_environment_counts(settings):
    settings.ORGANISATION, settings.PRESS_CONTACTS = "Board of Weirs", "Press desk\n020 7946 0000"
    found = house.current()
    assert (found.name, found.strapline, found.logo, found.style) == ("Board of Weirs", "", None, "")
    assert [[piece.href for piece in line] for line in found.press[0]] == [[""], ["tel:02079460000"]]


def test_what_is_saved_is_shown_and_is_on_the_newsrooms_record(newsroom):
    fact = saved(newsroom)
    found = house.current()
    assert found.told == shown().told
    assert found.house == fact
    entry = Entry.objects.get(source="newsroom_house")
    assert (entry.story, entry.by, entry.payload["name"]) == (
        None,
        newsroom.administrator,
        "Office for Tides",
    )
    assert record.words(entry).title == "House settings saved"
    assert record.words(entry).detail == (
        "“Office for Tides”, strapline “What the sea does next”, 1 press contact,"
        " colours #14487a and #8fbdea, without a logo"
    )
    assert list(record.verify()) == []


def test_white_space_and_rich_text_are_kept_in_one_form():
    about = "One.\n\n<b>Two</b><script>alert(1)</script>"
    found = shown(name="  Office\n for\x07 Tides ", accent=" #14487A ", about=about)
    assert (found.name, found.accent) == ("Office for Tides", "#14487a")
    assert "<script" not in found.about
    assert "<strong>Two</strong>" in found.about


def test_what_is_shown_of_the_text_about_is_sanitised_once_more(newsroom):
    saved(newsroom)
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO newsroom_house (by_id, follows_id, name, strapline, about, contacts, accent,
                accent_dark, logo_alt)
            SELECT by_id, id, name, strapline, '<p onclick="x()">Hm<script>x()</script></p>',
                '[1, {"name": 2}]', accent, accent_dark, logo_alt FROM newsroom_house"""
        )
    house.forget()
    found = house.current()
    assert str(found.about_html) == "<p>Hm</p>"
    assert [contact.name for contact in found.contacts] == ["", "2"]


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"name": "  "}, "name", "Give the newsroom a name"),
        ({"name": "\u200b\x07"}, "name", "Give the newsroom a name"),
        ({"name": "x" * 101}, "name", "It has 101 characters, and can have 100"),
        ({"strapline": "x" * 151}, "strapline", "It has 151 characters"),
        ({"about": "x" * 20_001}, "about", "20,000"),
        ({"accent": "teal"}, "accent", "“teal” is no colour that can be set"),
        ({"accent": "#14487a;} body{}"}, "accent", "is no colour"),
        ({"accent": "#777777"}, "accent", "its contrast is 4.47 to 1, and text needs 4.5 to 1"),
        ({"accent_dark": "#14487a"}, "accent_dark", "Choose a lighter colour"),
        ({"contacts": [showing.Contact(name="Ines")]}, "contacts-0", "Say how to reach them"),
        ({"contacts": [showing.Contact(telephone="020 7946 0155")]}, "contacts-0", "Say who it is"),
        (
            {"contacts": [showing.Contact(role="Desk", telephone="ext. 12")]},
            "contacts-0",
            "no whole telephone",
        ),
        (
            {"contacts": [showing.Contact(role="Desk", email="a@b")]},
            "contacts-0",
            "“a@b” is no email address",
        ),
        ({"contacts": [showing.Contact("A", "B", "020 7946 0155")] * 13}, "contacts", "12 press contacts"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(changes, field, words):
    (found,) = faults(**changes)
    assert found[0] == field
    assert words in found[1]


def test_all_that_is_wrong_is_said_at_once():
    found = faults(
        name="", accent="teal", contacts=[showing.Contact(name="Ines"), showing.Contact(email="x")]
    )
    assert [field for field, _ in found] == ["name", "accent", "contacts-0", "contacts-1", "contacts-1"]


def test_the_same_again_is_refused(newsroom):
    fact = saved(newsroom)
    with pytest.raises(house.Unchanged, match="are these already"):
        house.save(by=newsroom.administrator, follows=fact.pk, shown=shown())
    assert House.objects.count() == 1


@pytest.mark.parametrize("seen", ["nothing", "the first"])
def test_the_second_of_two_is_told_what_the_first_set(newsroom, seen):
    first = saved(newsroom)
    follows = None
    if seen == "the first":
        follows = first.pk
        saved(newsroom, name="Office for Ebbs")
    mine = shown(strapline="Mine")
    with pytest.raises(
        house.Overtaken, match="Nothing was saved: Callum Byrne saved other settings"
    ) as refusal:
        house.save(by=newsroom.administrator, follows=follows, shown=mine)
    theirs = showing.of_fact(refusal.value.newest)
    assert dict(showing.differences(mine, theirs))["Strapline"] == "What the sea does next"
    assert house.current().strapline == "What the sea does next"
    # Having seen it, they may set theirs.
    house.save(by=newsroom.administrator, follows=refusal.value.newest.pk, shown=mine)
    assert house.current().strapline == "Mine"


INSERT = """INSERT INTO newsroom_house (by_id, follows_id, name, strapline, about, contacts, accent,
    accent_dark, logo_id, logo_alt)
    SELECT by_id, {follows}, {name}, '', '', {contacts}, {accent}, '#8fbdea', {logo}, ''
    FROM newsroom_house ORDER BY id DESC LIMIT 1"""
AS_IT_IS = {"follows": "id", "name": "'Tides'", "contacts": "'[]'", "accent": "'#14487a'", "logo": "NULL"}


@pytest.mark.parametrize(
    "changes",
    [
        {"follows": "NULL"},
        {"follows": "id + 1"},
        {"name": "' '"},
        {"contacts": """'{"name": "x"}'"""},
        {"accent": "'red'"},
        {"accent": "'#14487a; x'"},
        {"accent": "E'#14487a\\n'"},
        {"logo": "(SELECT id FROM stories_asset WHERE media_type = 'text/csv')"},
    ],
)
def test_raw_sql_sets_nothing_that_the_verb_refuses(newsroom, changes):
    attachments.store(file(CSV, "homes.csv"), newsroom.drafter)
    saved(newsroom)
    with connection.cursor() as cursor:
        with pytest.raises(Error), transaction.atomic():
            cursor.execute(INSERT.format(**AS_IT_IS | changes))
        assert House.objects.count() == 1
        cursor.execute(INSERT.format(**AS_IT_IS))
    assert House.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_settings_are_never_changed_or_deleted(live_newsroom):
    saved(live_newsroom)
    for using in ("default", "owner"):
        for sql in ("DELETE FROM newsroom_house", "UPDATE newsroom_house SET name = 'x'"):
            with pytest.raises(Error), transaction.atomic(using), connections[using].cursor() as cursor:
                cursor.execute(sql)
    assert House.objects.get().name == "Office for Tides"


def test_a_process_asks_once_in_a_while(newsroom, settings, django_assert_num_queries):
    settings.HOUSE_KEPT = 3600
    house.forget()
    with django_assert_num_queries(1):
        for _ in range(3):
            house.current()
    settings.HOUSE_KEPT = 0
    with django_assert_num_queries(2):
        house.current()
        house.current()


def test_what_another_process_set_shows_when_it_is_time_to_ask_again(newsroom, settings):
    house.forget()
    assert house.current().house is None
    # As another process does: without telling this one.
    House.objects.create(by=newsroom.administrator, **{**shown().told, "logo": None})
    assert house.current().house is None
    settings.HOUSE_KEPT = 0
    assert house.current().name == "Office for Tides"


def test_a_process_asks_again_after_a_second():
    assert Settings("newsroom.settings").HOUSE_KEPT == 1


@pytest.mark.django_db(transaction=True)
def test_while_the_database_does_not_answer_the_last_settings_go_on_showing(live_newsroom):
    saved(live_newsroom)
    assert house.current().name == "Office for Tides"
    house.forget()
    with transaction.atomic("owner"), connections["owner"].cursor() as other, connection.cursor() as cursor:
        other.execute("LOCK TABLE newsroom_house")
        cursor.execute("SET statement_timeout = '100ms'")
        assert house.current().name == "Office for Tides"
        cursor.execute("RESET statement_timeout")


def test_the_version_changes_with_all_that_is_shown(newsroom, settings):
    logo = pictures.store(picture(), newsroom.administrator)
    versions = [
        shown(**changes).version
        for changes in (
            {},
            {"name": "Other"},
            {"strapline": "Other"},
            {"about": "Other"},
            {"contacts": []},
            {"accent": "#0b5d6b"},
            {"accent_dark": "#86c3ce"},
            {"logo": logo},
            {"logo": logo, "logo_alt": "A tide"},
        )
    ]
    versions.append(showing.of_environment().version)
    settings.PRESS_CONTACTS = "Press desk\n020 7946 0000"
    versions.append(showing.of_environment().version)
    assert len(set(versions)) == len(versions)
    assert shown().version == versions[0]


def test_contacts_of_the_environment_are_sorted_into_fields(settings):
    settings.PRESS_CONTACTS = "Press desk\n020 7946 0000\npress@rivers.example\nDay and night\n\nInes Okoro"
    found = showing.sorted_out(showing.of_environment().press)
    assert found == [
        showing.Contact("Press desk", "", "020 7946 0000", "press@rivers.example", "Day and night"),
        showing.Contact("Ines Okoro"),
    ]


def test_the_name_stands_wherever_the_newsroom_names_itself(newsroom, client):
    newsroom.public(organisation=None)
    saved(newsroom)
    for path in (
        "/",
        "/news/footbridge-harrow-weir/",
        "/feed.atom",
        "/feed.json",
        "/news-sitemap.xml",
        "/about/",
    ):
        assert "Office for Tides" in client.get(path).content.decode(), path
    assert json.loads(client.get("/api/stories/").content)["stories"][0]["by"] == "Office for Tides"
    assert openapi.document()["info"]["title"] == "Office for Tides: news"
    asked = SubscriptionRequest.objects.create(email="reader@paper.example", source="x")
    assert subscribing.mail(asked).subject == "Confirm your subscription: Office for Tides"
    assert letters.list_id(house.current().name).startswith("Office for Tides news <")


def test_a_public_page_takes_no_query_more(newsroom, client, django_assert_num_queries):
    newsroom.public()
    saved(newsroom, logo=pictures.store(picture(), newsroom.administrator))
    client.get("/news/footbridge-harrow-weir/")
    house.current()
    # It is asked as it was drawn: see `newsroom.keeping`.
    with django_assert_num_queries(0):
        assert client.get("/news/footbridge-harrow-weir/").status_code == 200
    with django_assert_num_queries(0):
        assert client.get("/about/").status_code == 200


def test_the_etag_of_a_story_changes_with_the_settings(newsroom, client):
    newsroom.public()
    path = "/news/footbridge-harrow-weir/"
    before = client.get(path)["ETag"]
    assert client.get(path, headers={"If-None-Match": before}).status_code == 304
    saved(newsroom)
    after = client.get(path, headers={"If-None-Match": before})
    assert (after.status_code, after["ETag"] == before) == (200, False)


def test_no_other_module_asks_the_environment_what_the_newsroom_is_called(settings):
    modules = [
        path
        for room in ("stories", "approvals", "newsroom")
        for path in (settings.BASE_DIR / room).rglob("*.py")
    ]
    asks = {
        str(path.relative_to(settings.BASE_DIR))
        for path in modules
        if re.search(r"settings\.(ORGANISATION|PRESS_CONTACTS)\b", path.read_text("utf-8"))
    }
    assert asks == {"newsroom/showing.py"}
