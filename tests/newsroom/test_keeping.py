"""What is kept of a public page: given again only while the database says all that it said."""

import gzip
import re
from collections.abc import Callable
from datetime import timedelta
from time import sleep

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from newsroom import asking, bundling, keeping, public, releasing
from newsroom.models import Kind, Release, Withdrawal
from stories import record
from tests import door
from tests.door import behind_it
from tests.newsroom.test_after_release import NOTE, PAGE, ahead, correct

pytestmark = pytest.mark.django_db

SLUG = "footbridge-harrow-weir"


@pytest.fixture(autouse=True)
def _nothing_kept():
    keeping.forget()


@pytest.fixture
def drawn(monkeypatch) -> list[str]:
    """The address of each page as it is drawn anew."""
    times: list[str] = []
    draw = public.rendering.article

    def counted(content, **how):
        times.append(how["address"])
        return draw(content, **how)

    monkeypatch.setattr(public.rendering, "article", counted)
    return times


def anew(path: str) -> tuple[int, bytes]:
    """What is drawn for an address, whatever is kept."""
    request = HttpRequest()
    request.method, request.path, request.path_info = "GET", path, path
    response = public.draw_story(request, path.split("/")[2])
    return response.status_code, response.content


def given(client: Client, path: str = PAGE) -> tuple[int, bytes]:
    response = client.get(path)
    return response.status_code, response.content


def queries(client: Client, path: str = PAGE) -> int:
    """How often the ORM asks. What is asked again goes past it."""
    with CaptureQueriesContext(connection) as captured:
        client.get(path)
    return len(captured)


# What is given


def test_what_was_drawn_once_is_given_again_in_the_same_bytes(newsroom, client, drawn):
    newsroom.public()
    first, second, third = (client.get(PAGE) for _ in range(3))
    assert len(drawn) == 1
    assert (200, first.content) == (200, second.content) == (200, third.content) == anew(PAGE)
    assert dict(first.items()) == dict(second.items()) == dict(third.items())
    assert first["Cache-Control"] == "no-cache"
    assert first["X-Accel-Expires"] == "@1"
    assert not first.cookies


def test_it_takes_one_question(newsroom, client):
    newsroom.public()
    client.get(PAGE)
    asked: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        execute = asking._executed

        def listened(sql, params):
            asked.append(sql)
            return execute(sql, params)

        patch.setattr(asking, "_executed", listened)
        assert queries(client) == 0
    (one,) = asked
    assert 'FROM "newsroom_visibility"' in one
    assert '"stories_revision"' not in one


def test_it_is_one_index_that_answers(newsroom, client):
    newsroom.public()
    client.get(PAGE)
    (question,) = next(iter(keeping._keeper._pages.values())).grounds.questions
    with connection.cursor() as cursor:
        # Of a table with a row in it the planner would read the whole.
        cursor.execute("SET LOCAL enable_seqscan = off")
    rows = asking.told(asking._executed(f"EXPLAIN {question.sql}", question.params))
    plan = "\n".join(line.decode() for (line,) in rows if line)
    assert "newsroom_visibility" in plan
    assert "Seq Scan on newsroom_visibility" not in plan
    # By address and moment: what is armed is passed over there, as if it were not.
    assert re.search(
        r"using visibility_address on newsroom_visibility.*\n +Index Cond: .*visible_from <= ", plan
    )


def test_who_has_it_already_is_told_so(newsroom, client, drawn):
    newsroom.public()
    etag = client.get(PAGE)["ETag"]
    answer = client.get(PAGE, headers={"if-none-match": etag})
    assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", etag)
    assert client.get(PAGE, headers={"if-none-match": '"other"'}).status_code == 200
    assert len(drawn) == 1


def test_who_asks_on_a_condition_first_is_answered_alike(newsroom, client):
    newsroom.public()
    etag = client.get(PAGE)["ETag"]
    keeping.forget()
    assert client.get(PAGE, headers={"if-none-match": etag}).status_code == 304
    assert given(client) == anew(PAGE)


def test_who_can_read_the_short_form_gets_that_under_a_name_of_its_own(newsroom, client):
    newsroom.public()
    whole = client.get(PAGE)
    short = client.get(PAGE, headers={"accept-encoding": "br, gzip"})
    assert "Content-Encoding" not in whole
    assert short["Content-Encoding"] == "gzip"
    assert gzip.decompress(short.content) == whole.content
    assert len(short.content) < len(whole.content) / 2
    assert short["Content-Length"] == str(len(short.content))
    assert whole["Vary"] == short["Vary"] == "Accept-Encoding"
    assert short["ETag"] == whole["ETag"].removesuffix('"') + '-gzip"'
    again = client.get(PAGE, headers={"accept-encoding": "gzip", "if-none-match": short["ETag"]})
    assert (again.status_code, again["ETag"]) == (304, short["ETag"])


@pytest.mark.parametrize(
    ("accepts", "short"),
    [
        ("gzip", True),
        ("GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0, br", False),
        ("br", False),
        ("identity", False),
        ("", False),
    ],
)
def test_the_short_form_is_for_who_asks_for_it(newsroom, client, accepts, short):
    newsroom.public()
    answer = client.get(PAGE, headers={"accept-encoding": accepts})
    assert (answer.get("Content-Encoding") == "gzip") is short


def test_a_page_does_not_differ_by_who_asks(newsroom, client, as_):
    newsroom.public()
    officer = as_(newsroom.officer)
    first = officer.get(f"{PAGE}?who=officer", headers={"accept-language": "cy"})
    assert first.content == client.get(PAGE).content == anew(PAGE)[1]


def test_a_head_is_answered_and_nothing_else(newsroom, client):
    newsroom.public()
    for _ in range(2):
        answer = client.head(PAGE)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer["ETag"] == client.get(PAGE)["ETag"]
        assert client.post(PAGE).status_code == 405


def test_it_says_all_that_django_says_of_it(newsroom, client):
    newsroom.public()
    drawn = dict(door.drawn(PAGE).items())
    for _ in range(2):
        answer = client.get(PAGE)
        assert dict(answer.items()) == {**drawn, "Vary": "Accept-Encoding"}
    had = client.get(PAGE, headers={"if-none-match": drawn["ETag"]})
    assert had.status_code == 304
    assert set(had.headers) | {"Content-Type", "Content-Length"} == {*drawn, "Vary"}


def test_another_condition_is_held_against_it_too(newsroom, client):
    newsroom.public()
    etag = client.get(PAGE)["ETag"]
    assert client.get(PAGE, headers={"if-match": etag}).status_code == 200
    refused = client.get(PAGE, headers={"if-match": '"other"'})
    assert (refused.status_code, refused.content) == (412, b"")


def test_what_is_kept_for_one_way_in_is_not_given_by_another(newsroom, client, settings):
    """Django refuses a name that is not ours, and leads from HTTP to HTTPS: of what is kept, too."""
    newsroom.public()
    assert client.get(PAGE).status_code == 200
    assert client.get(PAGE, headers={"host": "elsewhere.example"}).status_code == 400
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_SSL_REDIRECT = True
    after = Client()
    for _ in range(2):
        assert after.get(PAGE, headers={"x-forwarded-proto": "https"}).status_code == 200
        assert after.get(PAGE).status_code == 301


# What stands beside a story


BESIDE = {"topics": [{"slug": "bridges", "name": "Bridges"}]}


def test_what_is_beside_is_not_looked_for_again_for_a_while_but_has_to_be_public(
    newsroom, client, monkeypatch
):
    newsroom.public(**BESIDE)
    one = newsroom.public(slug="one", headline="The one beside", **BESIDE)
    before = given(client)
    assert b"The one beside" in before[1]
    newsroom.public(slug="two", headline="The other beside", **BESIDE)
    assert given(client) == before
    later = keeping.monotonic() + public.BESIDE
    with monkeypatch.context() as patch:
        patch.setattr(keeping, "monotonic", lambda: later)
        assert b"The other beside" in given(client)[1]
    releasing.withdraw(story=one.story, by=newsroom.officer, reason="It was wrong.")
    after = given(client)
    assert after == anew(PAGE)
    assert b"The one beside" not in after[1]
    assert b"The other beside" in after[1]


def test_a_correction_of_what_is_beside_is_beside_at_once(newsroom, client):
    newsroom.public(slug="mine", **BESIDE)
    release = newsroom.public(headline="The one beside", **BESIDE)
    assert b"The one beside" in given(client, "/news/mine/")[1]
    correct(newsroom, release, headline="The one beside, put right")
    assert b"The one beside, put right" in given(client, "/news/mine/")[1]
    assert given(client, "/news/mine/") == anew("/news/mine/")


def test_a_page_of_more_than_can_be_is_asked_for_in_full(newsroom, client, drawn, monkeypatch):
    monkeypatch.setattr(public, "MOST_AT_ONCE", 1)
    newsroom.public(**BESIDE)
    newsroom.public(slug="one", **BESIDE)
    assert given(client) == given(client) == anew(PAGE)
    newsroom.public(slug="two", headline="The other beside", **BESIDE)
    assert b"The other beside" in given(client)[1]


# What happens to a story happens to what is kept of it


def withdraw(newsroom, release: Release) -> None:
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="It was wrong.")


def kill(newsroom, release: Release) -> None:
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="It was wrong.", kill=True)


def correction(newsroom, release: Release) -> None:
    correct(newsroom, release)


def minor(newsroom, release: Release) -> None:
    correct(newsroom, release, kind=Kind.MINOR)


def moved(newsroom, release: Release) -> None:
    correct(newsroom, release, slug="another-address")


ACTS: list[tuple[Callable[..., None], int]] = [
    (withdraw, 200),
    (kill, 410),
    (correction, 200),
    (minor, 200),
    (moved, 301),
]


@pytest.mark.parametrize(("act", "status"), ACTS)
def test_what_is_done_to_a_story_shows_at_once(newsroom, client, act, status):
    release = newsroom.public()
    before = given(client)
    assert given(client) == before
    act(newsroom, release)
    after = given(client)
    assert after != before
    assert after == anew(PAGE) == given(client)
    assert after[0] == status


def test_what_was_withdrawn_is_kept_as_any_page(newsroom, client, monkeypatch):
    withdraw(newsroom, newsroom.public())
    before = given(client)
    monkeypatch.setattr(public, "render_to_string", None)
    assert given(client) == before


def test_the_old_name_of_what_was_corrected_is_no_reason_to_send_nothing(newsroom, client):
    release = newsroom.public()
    etag = client.get(PAGE)["ETag"]
    assert client.get(PAGE, headers={"if-none-match": etag}).status_code == 304
    correct(newsroom, release)
    assert client.get(PAGE, headers={"if-none-match": etag}).status_code == 200
    withdraw(newsroom, release)
    assert client.get(PAGE, headers={"if-none-match": etag}).status_code == 200


def test_corrections_are_asked_for_again_and_those_that_wait_are_not_told(newsroom, client):
    release = newsroom.public()
    correct(newsroom, release)
    once = given(client)
    waiting = correct(newsroom, release, headline="Later", moment=ahead(seconds=1.5))
    assert given(client) == once == anew(PAGE)
    sleep(1.6)
    twice = given(client)
    assert twice != once
    assert twice == anew(PAGE) == given(client)
    assert twice[1].count(NOTE.encode()) == once[1].count(NOTE.encode()) * 2
    assert waiting in Release.objects.public()


def test_what_is_done_to_a_correction_that_waits_cannot_be_told_by_the_time_it_takes(newsroom, client, drawn):
    release = newsroom.public()
    once = correct(newsroom, release)
    assert given(client) == given(client)
    times = len(drawn)
    correct(newsroom, once, headline="Later", moment=ahead(hours=1))
    assert given(client) == given(client)
    releasing.hold(story=release.story, by=newsroom.officer, reason="To be looked at.")
    releasing.announce(release_id=once.pk, worker="test")
    assert given(client) == given(client)
    releasing.disarm(story=release.story, by=newsroom.officer, reason="Not needed.")
    assert given(client) == given(client)
    assert len(drawn) == times


def test_an_embargo_lifts_for_what_was_asked_for_before(newsroom, client):
    newsroom.armed(timedelta(seconds=1.5))
    before = client.get(PAGE)
    never = client.get("/news/never-was-written/")
    assert (before.status_code, before.content) == (404, never.content)
    assert sorted(before.headers) == sorted(never.headers)
    assert not keeping._keeper._pages
    sleep(1.6)
    assert given(client) == anew(PAGE)
    assert given(client)[0] == 200


def test_what_is_not_public_leaves_nothing_behind(newsroom, client):
    newsroom.armed(slug="armed")
    held = newsroom.armed(slug="held")
    releasing.hold(story=held.story, by=newsroom.officer, reason="To be looked at.")
    for path in ("/news/armed/", "/news/held/", "/news/never/"):
        assert given(client, path)[0] == 404
    assert not keeping._keeper._pages


def test_a_hold_and_the_hold_of_everything_stop_a_correction_and_not_what_is_public(newsroom, client):
    release = newsroom.public()
    once = given(client)
    correct(newsroom, release, moment=ahead(seconds=1))
    releasing.hold(story=release.story, by=newsroom.officer, reason="To be looked at.")
    sleep(1.1)
    assert given(client) == once == anew(PAGE)
    everything = releasing.hold_everything(by=newsroom.officer, reason="To be looked at.")
    releasing.unhold(story=release.story, by=newsroom.officer)
    assert given(client) == once == anew(PAGE)
    releasing.lift_everything(by=newsroom.officer, hold=everything.pk)
    assert given(client) == anew(PAGE) != once


def test_a_bundle_brings_what_is_corrected_in_it(newsroom, client):
    bundle = bundling.make(by=newsroom.officer, name="The rivers report")
    stories = [newsroom.cleared(slug=slug).story for slug in ("first", "second")]
    for story in stories:
        bundling.join(story=story, bundle=bundle, by=newsroom.officer)
    releasing.arm(revision=stories[0].latest, by=newsroom.officer, moment=None)
    assert given(client, "/news/first/")[0] == 404
    releasing.arm(revision=stories[1].latest, by=newsroom.officer, moment=None)
    for path in ("/news/first/", "/news/second/"):
        assert given(client, path) == given(client, path) == anew(path)
        assert given(client, path)[0] == 200


def test_an_address_that_was_taken_over_by_its_own_story_again(newsroom, client):
    release = newsroom.public()
    first = given(client)
    moved(newsroom, release)
    assert given(client)[0] == 301
    assert given(client, "/news/another-address/") == anew("/news/another-address/")
    correct(newsroom, release, slug=SLUG, headline="Back")
    assert given(client)[0] == 200
    assert given(client) == anew(PAGE) != first
    assert given(client, "/news/another-address/")[0] == 301


@pytest.mark.django_db(transaction=True)
def test_what_another_session_commits_counts_at_its_commit(live_newsroom, client):
    release = live_newsroom.public()
    before = given(client)
    other = connection.copy()
    try:
        other.ensure_connection()
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {Withdrawal._meta.db_table} (story_id, by_id, release_id, reason, kill) "
                "VALUES (%s, %s, %s, 'It was wrong.', true)",
                [release.story_id, live_newsroom.officer.pk, release.pk],
            )
        assert given(client) == before
        other.commit()
        assert given(client)[0] == 410
    finally:
        other.close()
    assert list(record.verify()) == []


# What else a page is made of


def test_another_setting_is_another_page(newsroom, client, settings):
    newsroom.public()
    before = given(client)
    settings.ORGANISATION = "Ministry of Bridges"
    after = given(client)
    assert after != before
    assert after == anew(PAGE)
    assert b"Ministry of Bridges" in after[1]


def test_another_template_is_another_page(newsroom, client, settings, tmp_path):
    newsroom.public()
    before = given(client)
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "story.html").write_text("Another template.")
    templates = [{**settings.TEMPLATES[0], "DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}]
    settings.TEMPLATES = templates
    assert given(client) == (200, b"Another template.") != before


def test_what_changes_under_the_process_is_another_page(db, rf):
    now = ["one"]
    times: list[str] = []

    def draw(request):
        times.append(now[0])
        return HttpResponse(now[0], headers={"ETag": '"1"'})

    view = behind_it(keeping.kept(draw, lambda: now[0], seconds=60))
    for now[0] in ("one", "one", "two", "two", "one"):
        assert view(rf.get("/")).content == now[0].encode()
    assert times == ["one", "two", "one"]


def test_what_changes_while_a_page_is_drawn_keeps_it_from_being_kept(db, rf):
    now = ["one"]

    def draw(request):
        now[0] = "two"
        return HttpResponse("Half of one and half of two", headers={"ETag": '"1"'})

    view = behind_it(keeping.kept(draw, lambda: now[0], seconds=60))
    view(rf.get("/"))
    assert not keeping._keeper._pages
    view(rf.get("/"))
    assert len(keeping._keeper._pages) == 1


# What cannot be asked again is not kept


def counting(ask: Callable[[], object]) -> tuple[Callable[..., HttpResponse], list[int]]:
    """A view that asks the database something, and how often it was drawn."""
    times: list[int] = []

    def draw(request):
        times.append(1)
        response = HttpResponse(str(ask()))
        response["ETag"] = '"1"'
        return response

    view = behind_it(keeping.kept(draw, seconds=60))
    return view, times


def sql(statement: str, *params) -> Callable[[], object]:
    def ask() -> object:
        with connection.cursor() as cursor:
            cursor.execute(statement, params)
            return cursor.fetchall() if cursor.description else None

    return ask


def many() -> None:
    with connection.cursor() as cursor:
        cursor.executemany("SELECT %s", [(1,), (2,)])


@pytest.mark.parametrize(
    "ask",
    [
        sql("SELECT statement_timestamp()"),
        sql("CREATE TEMPORARY TABLE IF NOT EXISTS kept_anew (one integer)"),
        sql("SELECT clock_timestamp(), %s", 1),
        many,
        lambda: list(Release.objects.iterator()),
    ],
)
def test_what_is_never_told_twice_or_is_no_question_is_drawn_each_time(db, rf, ask):
    view, times = counting(ask)
    for _ in range(3):
        assert view(rf.get("/")).status_code == 200
    assert len(times) == 3
    # Nothing that was tried has broken the transaction.
    assert Release.objects.count() == 0


def test_what_is_told_alike_is_kept(db, rf):
    view, times = counting(sql("SELECT %s::text, NULL WHERE %s", "one", True))
    assert {view(rf.get("/")).content for _ in range(3)} == {b"[('one', None)]"}
    assert len(times) == 1


def test_facts_are_not_asked_for_again(db, rf):
    def ask() -> object:
        with asking.of_facts():
            return sql("SELECT clock_timestamp()")()

    view, times = counting(ask)
    assert len({view(rf.get("/")).content for _ in range(3)}) == len(times) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"status": 404},
        {"status": 410},
        {"headers": {}},
        {"headers": {"ETag": '"1"', "Vary": "Cookie"}},
        {"headers": {"ETag": '"1"', "Set-Cookie": "who=me"}},
    ],
)
def test_only_pages_with_a_name_that_are_everybodys_are_kept(db, rf, changes):
    times: list[int] = []

    def draw(request):
        times.append(1)
        return HttpResponse("No", **{"headers": {"ETag": '"1"'}, **changes})

    view = behind_it(keeping.kept(draw, seconds=60))
    assert [view(rf.get("/")).content for _ in range(2)] == [b"No"] * 2
    assert len(times) == 2


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_broke_is_replaced(live_newsroom, client, drawn):
    live_newsroom.public()
    before = given(client)
    assert connection.connection
    connection.connection.close()
    # As at the beginning of each request, which the client of the tests leaves out.
    connection.close_if_unusable_or_obsolete()
    assert given(client) == before
    connection.close()
    assert given(client) == before
    times = len(drawn)
    assert given(client) == before
    assert len(drawn) == times


# Room


def test_what_was_not_asked_for_for_the_longest_time_goes_first(db, rf, monkeypatch):
    times: list[str] = []

    def draw(request, slug):
        times.append(slug)
        return HttpResponse("x" * 1000, headers={"ETag": '"1"'})

    view = behind_it(keeping.kept(draw, seconds=60))
    view(rf.get("/"), slug="a")
    (entry,) = keeping._keeper._pages.values()
    monkeypatch.setattr(keeping, "ROOM", 2 * entry.size)
    for slug in "babcab":
        view(rf.get("/"), slug=slug)
    assert "".join(times) == "abcab"
    assert keeping._keeper._size == 2 * entry.size
    keeping.forget()
    assert keeping._keeper._size == 0
