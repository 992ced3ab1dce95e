"""A story as text, plain and in Markdown: what is written, and where it is answered."""

from datetime import UTC, datetime

import pytest
from django.conf import settings as django_settings
from hypothesis import given
from hypothesis import strategies as st

from newsroom import pasting, releasing
from newsroom.models import Kind
from stories import rendering
from stories.moments import Moment
from tests.people import words

SITE = django_settings.SITE_URL
AT = Moment(datetime(2017, 10, 16, 23, 1, tzinfo=UTC), "Europe/London")


@pytest.fixture(autouse=True)
def _broker(settings):
    settings.CELERY_BROKER_URL = "memory://"


def article(**changes) -> rendering.Article:
    content = words(organisation={"slug": "rivers", "name": "River Trust"}, **changes)
    notice = rendering.Notice(AT, "correction", "It is 40 metres, not 14.")
    return rendering.article(
        content, published=AT, notices=(notice,), address="https://rivers.example/news/bridge/"
    )


def test_the_story_in_plain_text():
    assert pasting.plain(article()) == (
        "New footbridge opens at Harrow Weir\n\n"
        "News story; from River Trust; published 00:01 BST, Tuesday 17 October 2017\n\n"
        "The bridge saves walkers two miles.\n\n"
        "Correction, 00:01 BST, Tuesday 17 October 2017: It is 40 metres, not 14.\n\n"
        "A footbridge opened at Harrow Weir today.\n\n"
        "“Nobody will have to wade here again.”\nMara Ellingham, Secretary of State for Rivers\n\n"
        "It is open day and night.\n\n"
        "Ends\n\n"
        "Notes to editors\n\n1. The bridge is 40 metres long.\n\n"
        "Press contacts\n\nRiver desk\n020 7946 0000\npress@rivers.example\n\n"
        "https://rivers.example/news/bridge/\n"
    )


def test_the_story_in_markdown():
    assert pasting.markdown(article()) == (
        "# New footbridge opens at Harrow Weir\n\n"
        "News story; from River Trust; published 00:01 BST, Tuesday 17 October 2017\n\n"
        "**The bridge saves walkers two miles.**\n\n"
        "> **Correction, 00:01 BST, Tuesday 17 October 2017:** It is 40 metres, not 14.\n\n"
        "A footbridge opened at Harrow Weir today.\n\n"
        "> Nobody will have to wade here again.\n>\n> — Mara Ellingham, Secretary of State for Rivers\n\n"
        "It is open day and night.\n\n"
        "**Ends**\n\n"
        "## Notes to editors\n\n1.  The bridge is 40 metres long.\n\n"
        "## Press contacts\n\nRiver desk\\\n020 7946 0000\\\npress@rivers.example\n\n"
        "<https://rivers.example/news/bridge/>\n"
    )


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>One <strong>two</strong> <em>three</em></p>", "One **two** *three*"),
        ("<p>One<br>1. two</p><p>Three</p>", "One\\\n1\\. two\n\nThree"),
        (
            '<p><a href="https://x.example/a_(b)">a [link]</a></p>',
            "[a \\[link\\]](<https://x.example/a_(b)>)",
        ),
        ("<h2>A heading</h2>", "## A heading"),
        ("<h3># A heading</h3>", "### \\# A heading"),
        ("<ul><li>One</li><li>Two</li></ul>", "-   One\n-   Two"),
        ('<ol start="3"><li>Three</li><li>Four</li></ol>', "3.  Three\n4.  Four"),
        ("<p>A</p><ul><li>One<ol><li>In</li></ol></li></ul>", "A\n\n-   One\n    1.  In"),
        ("<ul><li><p>One</p><p>Two</p></li></ul>", "-   One\n\n    Two"),
        ("<p>- a &amp; b *c* _d_ `e` &lt;f&gt; [g] h\\i ~j~ |</p>", None),
        ("<p>===</p>", "\\==="),
        ("<p>+ one</p><p>12) two</p><p>&gt; three</p>", "\\+ one\n\n12\\) two\n\n\\> three"),
        ("", ""),
    ],
)
def test_html_as_markdown(html, expected):
    expected = (
        expected
        if expected is not None
        else ("\\- a \\& b \\*c\\* \\_d\\_ \\`e\\` \\<f> \\[g\\] h\\\\i \\~j\\~ \\|")
    )
    assert pasting.to_markdown(html) == expected


@given(st.text(alphabet="ab1 .)-+=#>:*_`[]<&~|\\\n", max_size=40))
def test_no_word_is_lost_or_taken_for_a_sign(text):
    """What is escaped is, without the backslashes, what was written; and each sign has its own."""
    found = pasting.escaped(text)
    lines = [" ".join(line.split()) for line in text.strip().splitlines()]
    plain, escaping = "", False
    for sign in found.replace("\\\n", "\n"):
        if sign == "\\" and not escaping:
            escaping = True
            continue
        assert escaping or sign not in "\\`*_[<&~|"
        plain, escaping = plain + sign, False
    assert plain.split("\n") == (lines or [""])
    for line in found.replace("\\\n", "\n").split("\n"):
        assert not line.startswith(("-", "+", "=", "#", ">"))


# Where it is answered


@pytest.mark.django_db
@pytest.mark.parametrize(("form", "media"), [("txt", "text/plain"), ("md", "text/markdown")])
def test_a_public_story_is_answered_as_text(newsroom, client, form, media, django_assert_num_queries):
    newsroom.armed(slug="armed")
    newsroom.public()
    path = f"/news/footbridge-harrow-weir.{form}"
    with django_assert_num_queries(2):
        response = client.get(path)
    assert (response.status_code, response["Content-Type"]) == (200, f"{media}; charset=utf-8")
    assert response["Link"] == f'<{SITE}/news/footbridge-harrow-weir/>; rel="canonical"'
    assert "A footbridge opened at Harrow Weir today." in response.content.decode()
    assert client.get(path, headers={"If-None-Match": response["ETag"]}).status_code == 304
    assert path in client.get("/news/footbridge-harrow-weir/").content.decode()
    armed, never = client.get(f"/news/armed.{form}"), client.get(f"/news/never.{form}")
    assert (armed.status_code, armed.content, armed.headers) == (404, never.content, never.headers)
    assert client.get("/news/footbridge-harrow-weir.pdf").status_code == 404


@pytest.mark.django_db
def test_it_leads_on_from_where_the_story_was(newsroom, client):
    release = newsroom.public()
    revision = newsroom.edit(release.story, slug="second-address")
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    releasing.arm(
        revision=revision, by=newsroom.officer, moment=None, kind=Kind.MINOR, note="A better address."
    )
    response = client.get("/news/footbridge-harrow-weir.md")
    assert (response.status_code, response["Location"]) == (301, "/news/second-address.md")
    releasing.withdraw(story=release.story, by=newsroom.officer, reason="Wrong")
    for slug in ("footbridge-harrow-weir", "second-address"):
        response = client.get(f"/news/{slug}.md")
        assert (response.status_code, response["Location"]) == (302, f"/news/{slug}/")
        assert response["Cache-Control"] == "no-cache"
        assert b"footbridge opened" not in response.content
