"""The link of a copy under embargo: nothing before it is acknowledged, and nothing at all to anybody else."""

import logging
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from newsroom import embargo, logs, releasing
from newsroom.models import Acknowledgement, Opening
from stories import pictures
from tests.newsroom.copying import given, move, reader, token_of
from tests.newsroom.test_after_release import ahead, let_pass
from tests.newsroom.test_nothing_early import Secret, arm, noise, words_with

pytestmark = pytest.mark.django_db

NEVER = "/embargoed/" + "A" * 43 + "/"


@pytest.fixture
def release(newsroom):
    asset = pictures.store(noise(), newsroom.drafter)
    return arm(newsroom, words_with(newsroom, asset), within=timedelta(hours=1))


@pytest.fixture
def secret(release) -> Secret:
    return Secret(release.revision, release.revision.assets.get(media_type="image/png"))


@pytest.fixture
def grant(newsroom, release):
    return given(newsroom, release, terms="Interviews from noon.")


@pytest.fixture
def link(grant) -> str:
    return embargo.path(grant)


def words(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", response.content.decode()))


def seen_on(response) -> str:
    found = re.search(r'name="seen" value="(\w+)"', response.content.decode())
    assert found is not None
    return found[1]


def keep(client: Client, link: str):
    """Read the question and press its button."""
    return client.post(link, {"seen": seen_on(client.get(link))})


def whole(response) -> tuple[int, dict[str, str], bytes]:
    return response.status_code, dict(response.headers), response.content


def traces(response, secret: Secret) -> list[bytes]:
    found = f"{response.headers}".lower().encode() + response.content.lower()
    return [trace for trace in secret.traces if trace.lower() in found]


def is_private(response) -> bool:
    wanted = {
        "Cache-Control": "no-store",
        "X-Robots-Tag": "noindex, nofollow",
        "Referrer-Policy": "no-referrer",
    }
    return wanted.items() <= dict(response.headers).items() and not response.cookies


def test_first_the_question_and_no_word_of_the_story(link, release, secret):
    client = reader()
    page = client.get(link)
    assert page.status_code == 200
    assert traces(page, secret) == []
    for said in (
        "Nora Quill, The Evening Ledger",
        "Ines Okoro",
        "Interviews from noon.",
        release.moment.spoken,
        f"I keep the embargo until {release.moment.public}",
    ):
        assert said in words(page)
    assert is_private(page)
    assert "Cookie" not in page.headers.get("Vary", "")
    client.head(link)
    assert not Acknowledgement.objects.exists(), "a scanner that follows the link acknowledges nothing"


def test_then_the_copy_as_the_public_will_read_it(newsroom, link, release, secret):
    client = reader()
    answer = keep(client, link)
    assert (answer.status_code, answer["Location"]) == (302, link)
    assert not Opening.objects.exists()
    client.head(link)
    assert not Opening.objects.exists(), "nothing was shown yet"
    page = client.get(link)
    assert is_private(page)
    assert "Canaryheadline" in words(page)
    assert f"Under embargo until {release.moment.clock}" in words(page)
    assert "Copy of Nora Quill, The Evening Ledger" in words(page)
    client.get(link)
    assert Opening.objects.count() == 1
    releasing.arm(revision=release.revision, by=newsroom.officer, moment=None)
    public = client.get(f"/news/{release.revision.slug}/").content.decode()

    def article(text: str) -> str:
        found = re.search(r"<article.*</article>", text, re.DOTALL)
        assert found is not None
        # The moment is another here, and the files are behind the link there.
        plain = re.sub(r"<time.*?</time>|\d\d:\d\d[^<]*|\w+day \d+ \w+ \d{4}", "", found[0])
        return re.sub(r"/(media|embargoed/[-\w]+)/", "/files/", plain)

    assert article(page.content.decode()) == article(public)


@pytest.mark.parametrize("which", ["picture", "document", "drawn"])
def test_files_are_behind_the_same_question(newsroom, link, secret, which):
    asset = {"picture": secret.asset, "document": secret.document, "drawn": secret.drawn}[which]
    client, path = reader(), f"{link}{asset.name}"
    never = whole(client.get("/nothing"))
    assert whole(client.get(path)) == never
    keep(client, link)
    assert f'"{path}' in client.get(link).content.decode()
    answer = client.get(path)
    assert answer.status_code == 200
    assert is_private(answer)
    assert len(b"".join(answer.streaming_content)) == asset.size
    assert whole(client.get(f"/media/{asset.name}")) == never, "by no other address"
    assert whole(client.get(f"{NEVER}{asset.name}")) == never
    other = newsroom.public(slug="other", headline="Other")
    assert other.revision.assets.count() == 0
    stranger = pictures.store(noise(), newsroom.drafter)
    assert whole(client.get(f"{link}{stranger.name}")) == never
    move(newsroom, secret.revision.releases.get(), ahead(hours=3))
    assert whole(client.get(path)) == never


def test_a_guessed_an_altered_and_a_revoked_link_are_what_never_was(newsroom, grant, link):
    client, token = reader(), token_of(grant)
    never = whole(client.get("/nothing"))
    wrong = [
        "A" * 43,
        "x",
        token[:-1],
        f"{token}A",
        token.swapcase(),
        grant.token_hash,
        str(grant.seed),
        "%00",
    ]
    for other in wrong:
        path = f"/embargoed/{other}/"
        assert whole(client.get(path)) == never, path
        assert whole(client.post(path, {"seen": "x"})) == never, path
    keep(client, link)
    assert client.get(link).status_code == 200
    embargo.revoke(grant=grant, by=newsroom.officer, reason="Gone")
    assert whole(client.get(link)) == never
    assert whole(client.post(link, {"seen": "x"})) == never
    for method in ("put", "delete", "options"):
        assert whole(getattr(client, method)(link)) == whole(getattr(client, method)(NEVER))


def test_a_stale_tab_is_told_old_and_new(newsroom, link, release, secret):
    client = reader()
    keep(client, link)
    was, new = release.moment, ahead(hours=4)
    assert "Canaryheadline" in words(client.get(link))
    move(newsroom, release, new)
    page = client.get(link)
    assert traces(page, secret) == []
    assert "The embargo has changed" in words(page)
    assert f"It was: {was.clock}, {was.day}" in words(page)
    assert f"It is now: {new.clock}, {new.day}" in words(page)
    tab = seen_on(page)
    move(newsroom, release, ahead(hours=6))
    answer = client.post(link, {"seen": tab})
    assert answer.status_code == 409
    assert traces(answer, secret) == []
    assert "confirm it again" in words(answer)
    assert client.post(link, {"seen": seen_on(answer)}).status_code == 302
    assert "Canaryheadline" in words(client.get(link))
    assert Acknowledgement.objects.count() == 2


def test_a_form_that_is_not_whole(link, secret):
    answer = reader().post(link, {"reason": "x"})
    assert answer.status_code == 422
    assert traces(answer, secret) == []


def test_armed_with_other_words_it_asks_again(newsroom, link, release):
    client = reader()
    keep(client, link)
    revision = newsroom.edit(release.story, headline="Canaryheadline two")
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    releasing.arm(revision=revision, by=newsroom.officer, moment=release.moment)
    page = client.get(link)
    assert "armed anew: its words may have changed" in words(page)
    assert "canaryheadline" not in words(page).lower()
    keep(client, link)
    assert "Canaryheadline two" in words(client.get(link))


def test_held_and_called_off_it_says_so_and_no_word(newsroom, link, release, secret):
    client = reader()
    keep(client, link)
    tab = client.get(link)
    assert "Canaryheadline" in words(tab)
    releasing.hold(story=release.story, by=newsroom.officer, reason="Canaryreason")
    page = client.get(link)
    assert (page.status_code, traces(page, secret)) == (200, [])
    assert "This copy is on hold" in words(page)
    assert "also past the moment that you were told" in words(page)
    assert client.post(link, {"seen": "x"}).status_code == 302
    releasing.unhold(story=release.story, by=newsroom.officer)
    assert "Canaryheadline" in words(client.get(link))
    releasing.disarm(story=release.story, by=newsroom.officer, reason="Canaryreason")
    page = client.get(link)
    assert (page.status_code, traces(page, secret)) == (200, [])
    assert "The release was called off" in words(page)
    assert is_private(page)


def test_when_it_is_public_the_link_leads_there_and_then_where_that_leads(newsroom):
    release = newsroom.armed(ahead=timedelta(seconds=4))
    grant = given(newsroom, release)
    client, link = reader(), embargo.path(grant)
    keep(client, link)
    let_pass(release)
    public = reverse("story", args=[release.revision.slug])
    answer = client.get(link)
    assert (answer.status_code, answer["Location"]) == (302, public)
    assert is_private(answer)
    assert client.post(link, {"seen": "x"})["Location"] == link
    name = f"{'0' * 64}.png"
    assert client.get(f"{link}{name}")["Location"] == f"/media/{name}"
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Wrong")
    answer = client.get(link)
    assert (answer.status_code, answer.content) == (200, client.get(public).content)
    assert "We have withdrawn this" in words(answer)
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Wrong", kill=True)
    answer = client.get(link)
    assert (answer.status_code, answer.content) == (410, client.get(public).content)
    assert is_private(answer)


def test_a_session_changes_nothing(newsroom, link, as_):
    browser = as_(newsroom.officer)
    assert browser.get(link).content == reader().get(link).content
    assert not browser.get(link).cookies


def test_a_log_line_has_no_token(grant, link):
    record = logging.LogRecord("django.request", 40, "", 1, "Not Found: %s", (link,), None)
    assert logs.WithoutTokens().filter(record)
    assert token_of(grant) not in record.getMessage()
    assert record.getMessage() == "Not Found: /embargoed/…/"
    other = logging.LogRecord("x", 20, "", 1, "announced %s of %d", ("a", 3), None)
    assert logs.WithoutTokens().filter(other)
    assert other.getMessage() == "announced a of 3"


def test_the_handlers_of_the_settings_leave_it_out(settings):
    for handler in settings.LOGGING["handlers"].values():
        assert handler["filters"] == ["without tokens"]
