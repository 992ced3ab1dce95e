"""The proxy of `deploy/` in front: never early, a second late at most, and there when all else is down."""

import gzip
import http.client
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, timedelta
from threading import Thread
from typing import Any

import pytest
from django.conf import settings

from newsroom import house, releasing
from stories import files, pictures, renditions
from stories.clocks import database_now
from stories.models import Asset
from stories.moments import Moment
from tests.edge.edge import SITE, Answer, Edge, edge
from tests.newsroom.copying import given, token_of
from tests.newsroom.housing import picture, saved
from tests.newsroom.test_nothing_early import noise

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("worker")]

PAGE = "/news/footbridge-harrow-weir/"
SAID = "/people/mara-ellingham/"
#: What a page may be behind: the rest of a second, and the time that it takes to be made and looked at.
BEHIND = 1.0


def with_picture(asset: Asset) -> dict[str, Any]:
    """The picture of a story, with all that it needs."""
    about = {"sha256": asset.sha256, "name": asset.name, "width": asset.width, "height": asset.height}
    return {**about, "alt": "Noise.", "caption": "Noise.", "credit": "Nobody"}


@pytest.fixture(scope="module")
def there(tmp_path_factory, django_db_setup) -> Iterator[Edge]:
    with edge(tmp_path_factory.mktemp("edge")) as made:
        yield made


@pytest.fixture
def front(there, settings) -> Edge:
    # What tests upload and what the newsroom behind the proxy reads is one folder.
    settings.MEDIA_ROOT = there.folder / "media"
    there.start()
    # What was kept in the test before is not this second's.
    time.sleep(1)
    return there


class Reader:
    """Somebody who asks again and again, and when what they saw changed."""

    def __init__(self, front: Edge, path: str, sign: bytes = b"footbridge") -> None:
        self.front, self.path, self.sign = front, path, sign
        self.seen: list[tuple[float, float, bool]] = []
        self._goes_on = True
        self._thread = Thread(target=self._read, daemon=True)

    def __enter__(self) -> "Reader":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._goes_on = False
        self._thread.join()

    def _read(self) -> None:
        while self._goes_on:
            begun = time.time()
            answer = self.front.get(self.path)
            assert answer.status in {200, 404}, answer.status
            there = answer.status == 200 and self.sign in answer.body
            self.seen.append((begun, time.time(), there))
            time.sleep(0.02)


def test_a_story_by_tls_pressed_and_kept_for_the_rest_of_the_second(front, live_newsroom):
    live_newsroom.public()
    answer = front.get(PAGE, Accept_Encoding="br, gzip")
    assert answer.status == 200
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "Set-Cookie" not in answer.headers
    assert "X-Accel-Expires" not in answer.headers
    assert front.get(PAGE).body == gzip.decompress(answer.body)
    before, begun = front.asked(PAGE), time.time()
    for _ in range(60):
        assert front.get(PAGE).status == 200
    seconds = int(time.time()) - int(begun) + 1
    assert front.asked(PAGE) - before <= seconds
    tag = front.get(PAGE).headers["ETag"]
    assert front.get(PAGE, If_None_Match=tag).status == 304
    assert front.get(PAGE, method="HEAD").body == b""
    # Nobody writes to what is kept.
    assert front.get(PAGE, method="POST").status == 403


@pytest.mark.parametrize("path", [PAGE, "/", "/feed.atom", SAID])
def test_before_its_instant_not_a_byte_and_within_a_second_all(front, live_newsroom, path):
    moment = Moment(database_now().astimezone(UTC) + timedelta(seconds=3.4), "UTC")
    releasing.arm(revision=live_newsroom.cleared(), by=live_newsroom.officer, moment=moment)
    with Reader(front, path) as reader:
        time.sleep(max(0, moment.instant.timestamp() + 2 - time.time()))
    at = moment.instant.timestamp()
    early = [row for row in reader.seen if row[1] < at and row[2]]
    late = [row for row in reader.seen if row[0] > at + BEHIND and not row[2]]
    assert len(reader.seen) > 20
    assert early == late == []


def test_what_is_withdrawn_is_gone_within_a_second(front, live_newsroom):
    release = live_newsroom.public()
    with Reader(front, PAGE, sign=b"Withdrawn") as page, Reader(front, "/feed.atom", b"footbridge") as feed:
        time.sleep(1)
        releasing.withdraw(story=release.story, by=live_newsroom.officer, reason="Wrong")
        at = time.time()
        time.sleep(2)
    assert [row for row in page.seen if row[0] > at + BEHIND and not row[2]] == []
    assert [row for row in feed.seen if row[0] > at + BEHIND and row[2]] == []


def test_the_public_goes_on_reading_when_the_newsroom_is_down(front, live_newsroom):
    first = live_newsroom.public()
    killed = live_newsroom.public(slug="killed")
    warm = [PAGE, "/", "/feed.atom", "/robots.txt", SAID, "/corrections/"]
    before = {path: front.get(path).body for path in [*warm, "/news/killed/"]}
    releasing.withdraw(story=killed.story, by=live_newsroom.officer, reason="Wrong", kill=True)
    time.sleep(1)
    assert front.get("/news/killed/").status == 410
    before |= {path: front.get(path).body for path in warm}
    front.kill()
    for _ in range(3):
        for path in warm:
            answer = front.get(path)
            assert (answer.status, answer.body) == (200, before[path]), path
        # What was taken back does not come back.
        assert front.get("/news/killed/").status == 410
        time.sleep(1)
    down = front.get("/news/never-asked-for/")
    assert down.status == 503
    assert b"cannot be reached just now" in down.body
    assert front.get("/desk/").status == 503
    front.start()
    releasing.withdraw(story=first.story, by=live_newsroom.officer, reason="Wrong")
    time.sleep(1)
    assert b"Withdrawn" in front.get(PAGE).body


def test_the_look_of_the_house_shows_soon_and_stays_when_the_newsroom_is_down(front, live_newsroom):
    front.get("/about/")
    saved(live_newsroom, logo=pictures.store(picture(), live_newsroom.administrator))
    # What a process was told a second ago at most, and what the proxy keeps for the rest of a second.
    time.sleep(2.2)
    shown = house.current()
    paths = ["/about/", shown.style_url, shown.logo.url]
    before = {path: front.get(path) for path in paths}
    assert shown.style_url.encode() in before["/about/"].body
    assert before[shown.style_url].body == shown.style.encode()
    for path in paths[1:]:
        assert before[path].headers["Cache-Control"] == "public, max-age=31536000, immutable"
    front.kill()
    time.sleep(1)
    for path in paths:
        answer = front.get(path)
        assert (answer.status, answer.body) == (200, before[path].body), path


def test_and_when_the_database_is(front, live_newsroom):
    live_newsroom.public()
    before = front.get(PAGE).body
    front.kill()
    front.start(DATABASE_URL="postgres://newsroom_app@127.0.0.1:9/newsroom")
    time.sleep(1)
    for _ in range(3):
        assert (front.get(PAGE).status, front.get(PAGE).body) == (200, before)
        time.sleep(0.5)
    assert front.get("/news/never-asked-for/").status >= 500
    front.kill()


def test_a_file_is_sent_by_the_proxy_while_its_story_is_public(front, live_newsroom):
    asset = pictures.store(noise(), live_newsroom.drafter)
    path, hidden = f"/media/{asset.name}", f"/files/{asset.sha256[:2]}/{asset.name}"
    assert files.path_of(asset).is_relative_to(settings.MEDIA_ROOT)
    release = live_newsroom.armed(picture=with_picture(asset))
    assert front.get(path).status == 404
    assert front.get(hidden).status == 404
    seen = release.visibility
    release.refresh_from_db()
    releasing.move(
        story=release.story,
        by=live_newsroom.officer,
        moment=Moment(database_now().astimezone(UTC) + timedelta(seconds=0.1), "UTC"),
        reason="Now",
        seen=(release.pk, seen.moment),
    )
    time.sleep(0.3)
    answer = front.get(path)
    assert (answer.status, answer.body) == (200, files.path_of(asset).read_bytes())
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert front.get(path, If_None_Match=answer.headers["ETag"]).status == 304
    # The folder itself is nobody's.
    assert front.get(hidden).status == 404
    releasing.withdraw(story=release.story, by=live_newsroom.officer, reason="Wrong")
    assert front.get(path).status == 404


def test_so_is_what_was_drawn_of_a_picture(front, live_newsroom):
    asset = pictures.store(noise(), live_newsroom.drafter)
    renditions.draw(asset)
    names = [rendition.name for rendition in asset.renditions.order_by("media_type")]
    live_newsroom.armed(slug="armed", picture=with_picture(asset))
    assert {front.get(f"/media/{name}").status for name in names} == {404}
    release = live_newsroom.public(picture=with_picture(asset))
    page = front.get(PAGE).body.decode()
    for rendition in asset.renditions.all():
        assert f"/media/{rendition.name} 64w" in page
        answer = front.get(f"/media/{rendition.name}")
        assert (answer.status, answer.body) == (200, files.path_of(rendition).read_bytes())
        assert answer.headers["Content-Type"] == rendition.media_type
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Content-Encoding" not in answer.headers
    releasing.withdraw(story=release.story, by=live_newsroom.officer, reason="Wrong")
    assert {front.get(f"/media/{name}").status for name in names} == {404}


def test_what_is_for_staff_is_never_kept(front, live_newsroom):
    for path in ("/desk/", "/accounts/password/reset/", "/healthz", "/readyz"):
        before = front.asked(path)
        for _ in range(3):
            front.get(path)
        assert front.asked(path) - before == 3, path
    form = front.get("/accounts/password/reset/")
    assert "no-store" in form.headers["Cache-Control"]
    assert "Set-Cookie" in form.headers
    assert "Secure" in form.headers["Set-Cookie"]


def test_no_address_that_is_a_key_is_in_a_log(front, live_newsroom):
    """Not of a copy under embargo, a place on the mailing list or an account; nor what was searched for."""
    grant = given(live_newsroom, live_newsroom.armed())
    token = token_of(grant)
    assert front.get(f"/embargoed/{token}/").status == 200
    for path in (
        "/subscribe/secret/",
        "/cy/subscribe/secret/",
        "/unsubscribe/secret/",
        "/accounts/password/reset/key/secret-x/",
    ):
        front.get(path)
    front.get("/search/?q=secret")
    front.kill()
    assert front.get(f"/embargoed/{token}/").status == 503
    front.start()
    time.sleep(0.2)
    logged = (front.folder / "newsroom.log").read_text()
    assert '"GET /embargoed/..." 200' in logged
    for path in (
        front.folder / "newsroom.log",
        front.folder / "newsroom-error.log",
        front.folder / "error.log",
    ):
        text = path.read_text() if path.exists() else ""
        assert token not in text, path
        assert "secret" not in text, path


def test_who_asks_without_end_is_slowed_down(front):
    statuses = [front.get("/accounts/login/").status for _ in range(40)]
    assert statuses.count(429) > 10
    assert statuses[0] == 200


def test_plain_http_leads_to_tls(front):
    with closing(http.client.HTTPConnection("127.0.0.1", front.plain, timeout=10)) as connection:
        connection.request("GET", "/news/x/", headers={"Host": "elsewhere.example"})
        answer = Answer(connection.getresponse())
    assert answer.status == 301
    # Never to a name that whoever asks has chosen.
    assert answer.headers["Location"] == f"https://{SITE}/news/x/"


def test_static_files_have_one_year(front):
    answer = front.get("/static/desk/staff.css", Accept_Encoding="gzip")
    assert answer.status == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert front.get("/static/../manage.py").status in {400, 404}
