"""The staff page of the mailing list: how many get what. Nobody's address."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from newsroom.models import Chosen, Digest, DigestDay
from stories.clocks import database_now, office
from tests.newsroom.test_choosing import subscribed
from tests.newsroom.test_delivery_views import words

pytestmark = pytest.mark.django_db

PAGE = reverse("mailing_list")


def test_how_many_get_what_and_how_often(newsroom, as_):
    subscribed("all@paper.example")
    subscribed("gone@paper.example", ("topic", "ferries"), active=False)
    for number in range(2):
        subscribed(f"all-daily-{number}@paper.example", daily=True)
    for number in range(3):
        subscribed(f"bridges-{number}@paper.example", ("topic", "bridges"))
    subscribed("both@paper.example", ("topic", "bridges"), ("organisation", "rivers"), daily=True)
    page = words(as_(newsroom.officer).get(PAGE))
    assert "7 addresses" in page
    assert "Everything 1 at once 2 once a day" in page
    assert "What they chose 3 at once 1 once a day" in page
    assert re.search("Bridges topic 3 at once 1 once a day Rivers organisation 0 at once 1 once a day", page)
    assert "erries" not in page, "they are off the list"
    assert "@paper" not in page
    assert "None has been sent yet." in page


def test_what_became_of_the_last_digests(newsroom, as_):
    now = database_now()
    day = DigestDay.objects.create(
        day=office(now).local.date(), since=now.replace(year=now.year - 1), until=now
    )
    states = [
        {"sent_at": now, "next_attempt": None},
        {"next_attempt": now},
        {"next_attempt": None, "attempts": 7},
        # Of no use: they had left.
        {"next_attempt": None, "attempts": 1},
    ]
    for number, state in enumerate(states):
        Digest.objects.create(day=day, recipient=f"{number}@paper.example", **state)
    assert "1 sent, 1 waiting, 1 given up." in words(as_(newsroom.administrator).get(PAGE))


def test_it_is_paged_and_takes_as_many_queries_for_many_as_for_one(newsroom, as_):
    someone = subscribed("all@paper.example", ("topic", "bridges"))
    browser = as_(newsroom.officer)

    def asked(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(path).status_code == 200
        return len(queries)

    asked(PAGE)
    before = asked(PAGE)
    Chosen.objects.bulk_create(
        Chosen(subscriber=someone, kind="topic", slug=f"topic-{number}", name=f"Topic {number}")
        for number in range(30)
    )
    assert asked(PAGE) == asked(f"{PAGE}?page=2") == before
    assert "page 1 of 2" in words(browser.get(PAGE))
    assert "31 in all" in words(browser.get(PAGE))


def test_the_release_page_counts_those_who_want_the_story(newsroom, as_):
    for number in range(2):
        subscribed(f"{number}@paper.example", ("topic", "bridges"))
    subscribed("daily@paper.example", ("organisation", "rivers"), daily=True)
    subscribed("other@paper.example", ("topic", "ferries"))
    revision = newsroom.cleared(
        topics=[{"slug": "bridges", "name": "Bridges"}],
        organisation={"slug": "rivers", "name": "Department for Rivers and Coasts"},
    )
    page = words(as_(newsroom.officer).get(reverse("story_release", args=[revision.story.uid])))
    assert "2 subscribers at once, 1 once a day" in page
