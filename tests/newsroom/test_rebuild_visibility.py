"""The read model behind "public": held against the facts, and written anew."""

from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from newsroom import releasing, visibility
from newsroom.models import Release, Visibility

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kept(live_newsroom) -> list[dict[str, object]]:
    """The rows as triggers wrote them: public, armed, held; a fourth story was disarmed."""
    live_newsroom.public(slug="public")
    live_newsroom.armed(slug="armed")
    held = live_newsroom.armed(slug="held")
    releasing.hold(story=held.story, by=live_newsroom.officer, reason="Wait.")
    disarmed = live_newsroom.armed(slug="disarmed")
    releasing.disarm(story=disarmed.story, by=live_newsroom.officer, reason="Wrong day.")
    return rows()


def rows() -> list[dict[str, object]]:
    return list(Visibility.objects.order_by("slug").values())


def tamper() -> None:
    """What only somebody with the owner's rights can do: two rows changed, one gone."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE newsroom_visibility SET visible_from = '2001-01-01' WHERE slug <> 'public'")
        cursor.execute("DELETE FROM newsroom_visibility WHERE slug = 'public'")


def test_what_follows_from_the_facts_shows_no_difference(kept):
    assert len(kept) == 3
    assert list(visibility.differences()) == []


def test_what_was_tampered_with_is_named_and_mended(kept, capsys):
    tamper()
    assert Release.objects.public(at=datetime(2001, 1, 2, tzinfo=UTC)).count() == 2
    assert len(list(visibility.differences())) == 3
    call_command("rebuild_visibility")
    assert capsys.readouterr().out.count("Mended: story ") == 3
    assert rows() == kept


def test_it_takes_the_owners_rights(kept):
    tamper()
    with pytest.raises(CommandError, match="Only the database's owner"):
        call_command("rebuild_visibility", database="default")
    assert len(list(visibility.differences())) == 3
