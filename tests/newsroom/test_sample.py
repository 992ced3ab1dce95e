"""What a web process does before it answers anybody."""

from dataclasses import replace

import pytest
from django.template import engines
from django.template.loaders import cached

from newsroom import asking, house, public, sample

pytestmark = pytest.mark.django_db


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """The templates that are read, and the queries that are put together; nothing of it was before."""
    found: list[str] = []
    contents, compiled = cached.Loader.get_contents, asking._numbered

    def listened(self, origin):
        found.append(origin.template_name)
        return contents(self, origin)

    def heard(sql):
        found.append(sql)
        return compiled(sql)

    monkeypatch.setattr(cached.Loader, "get_contents", listened)
    monkeypatch.setattr(asking, "_numbered", heard)
    for loader in engines["django"].engine.template_loaders:
        loader.reset()
    for question in (
        public._there(True),
        public._there(False),
        public._still(),
        public._RELEASED,
        public._HEADINGS,
    ):
        monkeypatch.setattr(question, "_made", None)
    return found


def test_the_first_reader_of_a_story_waits_for_nothing_that_is_read_once(newsroom, client, read):
    newsroom.public()
    sample.rehearse()
    assert "public/story.html" in read
    read.clear()
    assert client.get("/news/footbridge-harrow-weir/").status_code == 200
    assert read == []


def test_it_asks_nothing_of_the_database_and_what_was_set_is_shown_afterwards(
    newsroom, client, django_assert_num_queries
):
    shown = replace(house.of_environment(), name="Ministry of Bridges")
    house.save(by=newsroom.administrator, follows=None, shown=shown)
    with django_assert_num_queries(0):
        sample.rehearse()
    assert "Ministry of Bridges" in client.get("/").content.decode()
