"""Each check of a pre-flight, right and wrong."""

import socket
from datetime import UTC, datetime, time, timedelta
from io import BytesIO
from ipaddress import ip_network
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from approvals import clearing
from newsroom import checking, health, links, releasing
from newsroom.models import CHECKS, Finding, Heartbeat, Release
from stories import attachments, drafting, files, pictures, renditions
from stories.clocks import database_now
from stories.models import Team
from stories.moments import Moment
from tests.newsroom.smtp import mail_server
from tests.newsroom.test_after_release import correct
from tests.newsroom.web import serving
from tests.stories.documents import CSV, file

pytestmark = pytest.mark.django_db

OK, WRONG, UNKNOWN = Finding.OK, Finding.WRONG, Finding.UNKNOWN
LONDON = "Europe/London"


def subject(release: Release, moment: datetime | None = None) -> checking.Subject:
    release.refresh_from_db()
    return checking.Subject(release, moment or release.embargo)


def armed_at(newsroom, moment: Moment, **words) -> Release:
    return releasing.arm(revision=newsroom.cleared(**words), by=newsroom.officer, moment=moment)


def test_every_check_has_a_name_and_the_other_way_round():
    assert list(checking.ALL) == list(CHECKS)


def test_a_check_that_breaks_could_not_be_asked_and_stops_no_other(newsroom, monkeypatch):
    release = newsroom.armed()

    def breaks(subject):
        raise ValueError("bad")

    monkeypatch.setitem(checking.ALL, "links", breaks)
    results = {result["check"]: result for result in checking.run(subject(release))}
    assert results["links"]["state"] == UNKNOWN
    assert results["links"]["what"] == "The check itself broke."
    assert results["signoffs"]["state"] == OK
    assert list(results) == list(CHECKS)


# The story


def test_sign_offs_that_stand_and_one_that_does_not(newsroom):
    release = newsroom.armed()
    assert checking.signoffs(subject(release)).state == OK
    decision = release.story.decisions.filter(desk=newsroom.legal).latest("pk")
    clearing.take_back(decision=decision, by=newsroom.lawyer, reason="A mistake.")
    found = checking.signoffs(subject(release))
    assert found.state == WRONG
    assert "Legal" in found.what


def test_who_signed_and_was_deactivated_since(newsroom):
    release = newsroom.armed()
    assert checking.signers(subject(release)).state == OK
    newsroom.lawyer.is_active = False
    newsroom.lawyer.save()
    found = checking.signers(subject(release))
    assert found.state == WRONG
    assert "Adaeze Nwosu for Legal" in found.what


def test_a_hold_that_would_be_forgotten(newsroom):
    release = newsroom.armed()
    assert checking.hold(subject(release)).state == OK
    releasing.hold(story=release.story, by=newsroom.officer, reason="Wait for the report.")
    found = checking.hold(subject(release))
    assert found.state == WRONG
    assert "Wait for the report." in found.what


def test_an_address_that_only_capitals_tell_apart(newsroom):
    release = newsroom.armed(slug="bridge")
    assert checking.address(subject(release)).state == OK
    newsroom.public(slug="Bridge")
    assert checking.address(subject(release)).state == WRONG


@pytest.fixture
def picture(newsroom) -> dict:
    out = BytesIO()
    Image.new("RGB", (64, 48), (30, 90, 120)).save(out, "PNG")
    out.seek(0)
    asset = pictures.store(out, newsroom.drafter)
    kept = {"sha256": asset.sha256, "name": asset.name, "width": asset.width, "height": asset.height}
    return {**kept, "alt": "A bridge", "caption": "The bridge", "credit": "Marta Feld"}


def test_a_story_without_a_picture_is_in_order(newsroom):
    assert checking.picture(subject(newsroom.armed())) == (OK, "There is no picture.", "")


def test_a_picture_with_all_that_it_needs(newsroom, picture):
    found = checking.picture(subject(newsroom.armed(picture=picture)))
    assert found.state == OK
    assert "Marta Feld" in found.what


@pytest.mark.parametrize(("change", "words"), [
    ({"credit": " "}, "no credit"),
    ({"alt": ""}, "no alt text"),
    ({"sha256": "0" * 64}, "its file is not among the files"),
])  # fmt: skip
def test_a_picture_that_lacks_something(newsroom, picture, change, words):
    release = newsroom.armed()
    release.refresh_from_db()
    # As raw SQL could store it: forms refuse a picture without alt text.
    release.revision.content["picture"] = {**picture, **change}
    found = checking.picture(checking.Subject(release, release.embargo))
    assert found.state == WRONG
    assert words in found.what


def test_renditions_that_show_something_else(newsroom, picture):
    release = newsroom.armed(picture=picture)
    asset = release.revision.assets.get()
    renditions.draw(asset)
    assert checking.picture(subject(release)).state == OK
    rendition = asset.renditions.first()
    path = files.path_of(rendition)
    path.write_bytes(b"other")
    found = checking.picture(subject(release))
    assert (found.state, f"rendition {rendition.name} were changed" in found.what) == (WRONG, True)
    # Where they are gone the picture itself is sent.
    path.unlink()
    assert checking.picture(subject(release)).state == OK


def test_the_bytes_of_a_picture_that_are_others_or_gone(newsroom, picture):
    release = newsroom.armed(picture=picture)
    path = files.path_of(release.revision.assets.get())
    path.write_bytes(b"other")
    assert "was changed" in checking.picture(subject(release)).what
    path.unlink()
    found = checking.picture(subject(release))
    assert (found.state, "cannot be read" in found.what) == (WRONG, True)


def test_attachments_that_are_there_changed_and_gone(newsroom):
    assert checking.attachments(subject(newsroom.armed(slug="without"))).state == OK
    asset = attachments.store(file(CSV, "homes.csv"), newsroom.drafter)
    kept = {"sha256": asset.sha256, "name": asset.name, "title": "Homes", "media_type": "text/csv"}
    release = newsroom.armed(attachments=[{**kept, "size": asset.size}])
    assert checking.attachments(subject(release)) == (OK, "The file is there, unchanged.", "")
    files.path_of(asset).write_bytes(b"other")
    assert checking.attachments(subject(release)).what == "“Homes” was changed."
    files.path_of(asset).unlink()
    assert checking.attachments(subject(release)).state == WRONG


# Links


LINKED = [
    {"kind": "paragraph", "html": '<p>See <a href="{0}/a">this</a> and <a href="{0}/b">that</a>.</p>'},
]


def linking(newsroom, url: str, **more) -> Release:
    body = [{**block, "html": block["html"].format(url)} for block in LINKED]
    return newsroom.armed(body=body, **more)


def answering(status: int):
    return serving(lambda method, path: (status, {}, b""))


def test_a_story_without_links(newsroom):
    assert checking.linked(subject(newsroom.armed())) == (OK, "It links to nothing on the web.", "")


def test_links_that_answer(newsroom, settings, private):
    with answering(200) as web:
        assert checking.linked(subject(linking(newsroom, web.url))) == (OK, "All 2 links answer.", "")
    assert sorted(web.asked) == [("HEAD", "/a"), ("HEAD", "/b")]


def test_a_link_that_is_dead_is_named(newsroom, private):
    with serving(lambda method, path: (404 if path == "/b" else 200, {}, b"")) as web:
        found = checking.linked(subject(linking(newsroom, web.url)))
    assert (found.state, found.what) == (WRONG, f"{web.url}/b: it answers 404.")


def test_a_link_that_does_not_want_machines_could_not_be_asked(newsroom, private):
    with answering(403) as web:
        found = checking.linked(subject(linking(newsroom, web.url)))
    assert found.state == UNKNOWN


@pytest.fixture
def private(settings) -> None:
    """Links may lead to this machine."""
    settings.OUTGOING_ALLOW = [ip_network("127.0.0.0/8")]


def test_a_link_into_a_private_network_is_not_asked(newsroom, settings):
    settings.OUTGOING_ALLOW = []
    with answering(200) as web:
        found = checking.linked(subject(linking(newsroom, web.url)))
    assert found.state == UNKNOWN
    assert "inside a private network" in found.what
    assert web.asked == []


def test_links_are_asked_once_a_run(newsroom, private):
    with answering(200) as web:
        asking = links.Asking()
        for slug in ("one", "two"):
            release = linking(newsroom, web.url, slug=slug)
            checking.linked(checking.Subject(release, release.embargo, asking))
    assert len(web.asked) == 2


def test_an_address_of_ours_is_looked_up_and_not_asked_for(newsroom, settings):
    settings.SITE_URL = "https://news.example"
    moment = Moment(datetime(2027, 6, 15, 9, 30, tzinfo=UTC), LONDON)
    link = '<p><a href="https://news.example/news/other/">Other</a></p>'
    release = armed_at(newsroom, moment, body=[{"kind": "paragraph", "html": link}])
    with answering(200) as web:
        settings.PROBE_URL = web.url
        found = checking.linked(subject(release))
        assert (found.state, "no story will be there at that moment" in found.what) == (WRONG, True)
        other = armed_at(newsroom, moment, slug="other")
        assert checking.linked(subject(release)).state == OK
        team = Team.objects.create(name="Budget")
        drafting.limit(story=other.story, by=newsroom.drafter, team=team)
        assert checking.linked(subject(release)).state == WRONG
    assert web.asked == []


def test_an_address_that_was_left_is_in_order_and_one_of_what_was_withdrawn_is_not(newsroom, settings):
    settings.SITE_URL = "https://news.example"
    other = newsroom.public(slug="other")
    correct(newsroom, other, slug="another")
    link = '<p><a href="https://news.example/news/other/">Other</a></p>'
    release = newsroom.armed(body=[{"kind": "paragraph", "html": link}])
    assert checking.linked(subject(release)).state == OK
    releasing.withdraw(story=other.story, by=newsroom.officer, reason="Wrong")
    assert checking.linked(subject(release)).state == WRONG


# The calendar


@pytest.mark.parametrize(("moment", "state", "words"), [
    # The clocks of London go forward on 28 March 2027, back on 31 October 2027.
    (datetime(2027, 3, 20, 9, tzinfo=UTC), OK, "do not change"),
    (datetime(2027, 3, 22, 9, tzinfo=UTC), WRONG, "change on Sunday 28 March 2027"),
    (datetime(2027, 3, 28, 0, 59, tzinfo=UTC), WRONG, "change on the day itself. It goes out at 00:59 GMT"),
    (datetime(2027, 3, 28, 1, 0, tzinfo=UTC), WRONG, "02:00 BST, Sunday 28 March 2027 (01:00 UTC)"),
    (datetime(2027, 4, 3, 9, tzinfo=UTC), WRONG, "change on Sunday 28 March 2027"),
    (datetime(2027, 4, 5, 9, tzinfo=UTC), OK, "do not change"),
    (datetime(2027, 10, 31, 0, 30, tzinfo=UTC), WRONG, "01:30 BST, Sunday 31 October 2027 (00:30 UTC)"),
    (datetime(2027, 10, 31, 1, 30, tzinfo=UTC), WRONG, "01:30 GMT, Sunday 31 October 2027 (01:30 UTC)"),
    (datetime(2027, 10, 20, 9, tzinfo=UTC), OK, "do not change"),
])  # fmt: skip
def test_the_week_in_which_the_clocks_change(newsroom, moment, state, words):
    found = checking.daylight(subject(armed_at(newsroom, Moment(moment, LONDON))))
    assert (found.state, words in found.what) == (state, True), found


def test_a_zone_whose_clocks_never_change(newsroom):
    moment = Moment(datetime(2027, 3, 28, 1, tzinfo=UTC), "Asia/Dubai")
    assert checking.daylight(subject(armed_at(newsroom, moment))).state == OK


@pytest.mark.parametrize(("local", "words"), [
    ((15, 9, 30), ""),
    ((15, 6, 0), ""),
    ((15, 21, 59), ""),
    ((15, 22, 0), "in the quiet hours from 22:00 to 06:00"),
    ((15, 0, 1), "in the quiet hours from 22:00 to 06:00: 00:01 BST, Tuesday 15 June 2027"),
    ((19, 12, 0), "at a weekend: "),
    ((20, 3, 0), "at a weekend and in the quiet hours"),
])  # fmt: skip
def test_quiet_hours_and_weekends(newsroom, local, words):
    moment = Moment(datetime(2027, 6, *local, tzinfo=ZoneInfo(LONDON)).astimezone(UTC), LONDON)
    found = checking.quiet(subject(armed_at(newsroom, moment)))
    assert found.state == (WRONG if words else OK)
    assert words in found.what


def test_quiet_hours_are_those_of_the_settings(newsroom, settings):
    moment = Moment(datetime(2027, 6, 19, 12, 0, tzinfo=UTC), LONDON)
    release = armed_at(newsroom, moment)
    settings.QUIET_HOURS, settings.QUIET_WEEKENDS = None, False
    assert checking.quiet(subject(release)).state == OK
    settings.QUIET_HOURS = (time(12), time(14))
    assert checking.quiet(subject(release)).state == WRONG
    settings.PRESS_OFFICE_ZONE = "Asia/Tokyo"
    assert checking.quiet(subject(release)).state == OK


def test_other_releases_at_almost_the_same_time(newsroom):
    moment = datetime(2027, 6, 15, 9, 30, tzinfo=UTC)
    release = armed_at(newsroom, Moment(moment, LONDON))
    armed_at(newsroom, Moment(moment + timedelta(minutes=11), LONDON), slug="later")
    assert checking.clashes(subject(release)).state == OK
    near = armed_at(newsroom, Moment(moment + timedelta(minutes=9), LONDON), slug="near")
    found = checking.clashes(subject(release))
    assert found.state == WRONG
    assert found.what.startswith("Another release is armed")
    releasing.hold(story=near.story, by=newsroom.officer, reason="Wait.")
    assert checking.clashes(subject(release)).state == WRONG
    releasing.disarm(story=near.story, by=newsroom.officer, reason="No.")
    assert checking.clashes(subject(release)).state == OK


def test_a_story_of_a_team_is_not_counted_where_others_read_it(newsroom):
    moment = Moment(datetime(2027, 6, 15, 9, 30, tzinfo=UTC), LONDON)
    release, secret = armed_at(newsroom, moment), armed_at(newsroom, moment, slug="secret")
    team = Team.objects.create(name="Budget")
    drafting.limit(story=secret.story, by=newsroom.drafter, team=team)
    assert checking.clashes(subject(release)).state == OK
    assert checking.clashes(subject(secret)).state == WRONG


# The machines


def test_workers_that_were_heard_of_lately_and_others(newsroom):
    found = checking.Machines().workers
    assert (found.state, "has never been heard of" in found.what) == (WRONG, True)
    for name in ("sweep", "watch"):
        Heartbeat.objects.create(name=name, at=database_now())
    assert checking.Machines().workers.state == OK
    Heartbeat.objects.filter(name="sweep").update(at=database_now() - timedelta(minutes=3))
    found = checking.Machines().workers
    assert found.state == WRONG
    assert found.what.startswith("The announcing worker was last heard of 3 min ago")


def test_a_broker_that_answers_and_one_that_does_not(newsroom, settings):
    assert checking.Machines().broker.state == OK
    settings.CELERY_BROKER_URL = "amqp://127.0.0.1:1"
    assert checking.Machines().broker.state == WRONG


def test_a_mail_server_that_answers_and_one_that_does_not(newsroom, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    with mail_server() as server:
        settings.EMAIL_PORT = server.port
        assert checking.Machines().mail.state == OK
        assert server.messages == []
    settings.EMAIL_PORT = 1
    found = checking.Machines().mail
    assert (found.state, "ConnectionRefusedError" in found.what) == (WRONG, True)


def test_a_mail_server_that_hangs_does_not_hold_the_others_up(newsroom, settings, monkeypatch):
    monkeypatch.setattr(checking, "MAIL_TIMEOUT", 0.2)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.getsockname()
        assert checking.Machines().mail.state == WRONG


def test_a_mail_folder_that_can_be_written_and_one_that_cannot(newsroom, settings, tmp_path):
    assert checking.Machines().mail.state == OK
    assert list(settings.MAIL_FOLDER.iterdir()) == []
    (tmp_path / "file").write_text("no folder")
    settings.MAIL_FOLDER = tmp_path / "file" / "mail"
    assert checking.Machines().mail.state == WRONG


def http_date(seconds: float) -> str:
    return (database_now() + timedelta(seconds=seconds)).astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")


@pytest.mark.parametrize(("seconds", "state", "words"), [
    (0, OK, "agree within a second"),
    (10, WRONG, "The web server’s clock is "),
    (-10, WRONG, "behind the database’s"),
])  # fmt: skip
def test_the_web_servers_clock(newsroom, settings, seconds, state, words):
    with serving(lambda method, path: (200, {}, b"ok"), date=http_date(seconds)) as web:
        settings.PROBE_URL = web.url
        found = checking.Machines().clocks
    assert (found.state, words in found.what) == (state, True), found
    assert web.asked == [("GET", "/healthz")]


def test_a_web_server_that_cannot_be_asked_for_the_time(newsroom):
    found = checking.Machines().clocks
    assert (found.state, "nobody listens there" in found.what) == (UNKNOWN, True)


def test_this_machines_clock_is_the_databases_here(newsroom):
    assert abs(checking.skew()) < checking.AGREE


def test_a_clock_that_is_off_is_told(newsroom, monkeypatch, settings):
    # The clock of the machine cannot be set in a test: a tolerance that no clock meets stands for it.
    monkeypatch.setattr(checking, "AGREE", timedelta(seconds=-1))
    with answering(200) as web:
        settings.PROBE_URL = web.url
        assert checking.Machines().clocks.state == WRONG


def test_the_machines_are_asked_once_a_run(newsroom, settings):
    machines = checking.Machines()
    assert machines.broker.state == OK
    settings.CELERY_BROKER_URL = "amqp://127.0.0.1:1"
    assert machines.broker.state == OK
    assert not health.broker_answers()
