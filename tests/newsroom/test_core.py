import pytest
from django.db import Error, connection

from newsroom import releasing
from newsroom.models import Release
from stories import digests, record

pytestmark = pytest.mark.django_db


def test_the_main_job_in_verbs(newsroom):
    revision = newsroom.cleared()
    assert digests.content_digest(revision.content) == revision.digest
    assert not Release.objects.public().exists()
    release = releasing.arm(revision=revision, by=newsroom.officer, moment=None)
    assert list(Release.objects.public()) == [release]
    receipt = releasing.announce(release_id=release.pk, worker="test")
    assert receipt is not None
    assert releasing.announce(release_id=release.pk, worker="test") is None
    assert list(record.verify()) == []
    assert [record.words(e).title for e in record.lines(revision.story)][-1] == "Story begun"


def test_raw_sql_cannot_make_public(newsroom):
    newsroom.draft()
    with pytest.raises(Error), connection.cursor() as cursor:
        cursor.execute("UPDATE newsroom_visibility SET visible_from = now()")
