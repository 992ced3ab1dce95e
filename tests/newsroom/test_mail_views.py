"""The page that shows the mail of a machine without a mail server."""

import pytest
from django.core.mail import EmailMessage
from django.urls import reverse

from newsroom import mailbox

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _demo(settings) -> None:
    settings.DEMO = True


def send(number: int = 1, **more) -> str:
    """Send a message; the name under which it is kept."""
    before = set(mailbox.messages())
    headers = {"Message-ID": f"<{number}@newsroom.example>"}
    EmailMessage(
        **{"subject": f"Bridge {number}", "body": "It is open.", "to": ["editor@paper.example"], **more},
        headers=headers,
    ).send()
    return (set(mailbox.messages()) - before).pop().stem


def test_the_messages_newest_first(newsroom, as_):
    names = [send(number) for number in range(3)]
    page = as_(newsroom.drafter).get(reverse("mail_list")).content.decode()
    places = [page.index(reverse("mail_message", args=[name])) for name in names]
    assert places == sorted(places, reverse=True)
    assert "3 messages" in page


def test_a_message(newsroom, as_):
    name = send(subject="Brücke – offen", body="Read <b>https://newsroom.example/</b>")
    page = as_(newsroom.drafter).get(reverse("mail_message", args=[name])).content.decode()
    assert "Brücke – offen" in page
    assert "editor@paper.example" in page
    assert "&lt;b&gt;" in page
    assert 'href="https://newsroom.example/' in page


def test_the_same_message_sent_twice_is_there_once():
    send(1)
    EmailMessage("Bridge", "", to=["a@b.example"], headers={"Message-ID": "<1@newsroom.example>"}).send()
    assert len(mailbox.messages()) == 1


def test_twenty_five_messages_a_page(newsroom, as_, django_assert_max_num_queries):
    for number in range(30):
        send(number)
    browser = as_(newsroom.drafter)
    browser.get(reverse("mail_list"))
    with django_assert_max_num_queries(10):
        first = browser.get(reverse("mail_list")).content.decode()
    assert first.count("/desk/mail/") >= 25
    assert "Bridge 4<" not in first
    assert "Bridge 4<" in browser.get(reverse("mail_list") + "?page=2").content.decode()


@pytest.mark.parametrize("name", ["0" * 32, "../settings", "%2e%2e%2fsettings", "A" * 32, "0" * 31, "x.eml"])
def test_a_name_is_never_a_path(newsroom, as_, settings, name):
    settings.MAIL_FOLDER.mkdir()
    (settings.MAIL_FOLDER.parent / "settings.eml").write_text("Subject: secret\n\n")
    assert as_(newsroom.drafter).get(f"/desk/mail/{name}/").status_code == 404
    assert mailbox.find(name) is None


def test_with_a_mail_server_there_is_no_such_page(newsroom, as_, settings):
    name = send()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    browser = as_(newsroom.administrator)
    assert browser.get(reverse("mail_list")).status_code == 404
    assert browser.get(reverse("mail_message", args=[name])).status_code == 404


def test_outside_of_the_demo_it_is_for_administrators(newsroom, as_, settings):
    """There are links in the mail with which one can set somebody else's password."""
    settings.DEMO = False
    name = send()
    for page in (reverse("mail_list"), reverse("mail_message", args=[name])):
        assert as_(newsroom.administrator).get(page).status_code == 200
        for person in (newsroom.drafter, newsroom.officer, newsroom.lawyer):
            assert as_(person).get(page).status_code == 404


def test_an_empty_or_missing_folder(newsroom, as_):
    page = as_(newsroom.drafter).get(reverse("mail_list"))
    assert "Nothing has gone out yet." in page.content.decode()
