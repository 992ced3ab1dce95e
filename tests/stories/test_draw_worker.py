"""Drawing with a real worker, beat and broker, and with none of them."""

import pytest
from django.core.cache import cache
from django.test import Client

from stories import pictures, record, renditions
from tests.newsroom.test_public import pictured
from tests.newsroom.test_tasks import broker
from tests.newsroom.test_worker import NOBODY, alive, wait_for
from tests.newsroom.workers import worker_and_beat
from tests.stories.test_pictures import made

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("worker"),
    # The PGMQ client tells of a change of its own, from whatever thread sends first.
    pytest.mark.filterwarnings("ignore:list_queues"),
]
PAGE = "/news/footbridge-harrow-weir/"


def test_a_picture_is_drawn_by_a_worker_and_one_that_was_missed_too(live_newsroom, settings, tmp_path):
    cache.clear()
    assert tmp_path / "media" == settings.MEDIA_ROOT
    with broker(NOBODY):
        missed = pictures.store(made(size=(700, 400)), live_newsroom.drafter)
    live_newsroom.public(picture=pictured(missed))
    # With everything dead the page is there, with the picture as it is.
    assert f'<img src="/media/{missed.name}" width="700"' in Client().get(PAGE).content.decode()
    with worker_and_beat(tmp_path):
        wait_for(alive, 30, tmp_path)
        wait_for(missed.renditions.exists, 40, tmp_path)
        stored = pictures.store(made("PNG", size=(600, 300)), live_newsroom.drafter)
        wait_for(stored.renditions.exists, 40, tmp_path)
    assert "<picture>" in Client().get(PAGE).content.decode()
    assert not renditions.undrawn().exists()
    assert list(record.verify()) == []
