"""The page of the house settings, its previews, and what the public gets: pages, style sheet, logo."""

import re
from io import BytesIO

import pytest
from django.urls import reverse
from PIL import Image

from newsroom import colours, house, showing
from newsroom.models import House
from stories import pictures
from stories.models import Asset
from tests.newsroom.housing import picture, saved, send, shown
from tests.newsroom.pages import fields_of
from tests.newsroom.test_nothing_early import noise

pytestmark = pytest.mark.django_db
STORY = "/news/footbridge-harrow-weir/"


@pytest.fixture
def admin(newsroom, as_):
    return as_(newsroom.administrator)


def summary(page) -> list[str]:
    """What the summary of faults says."""
    part = page.content.decode().partition('<div class="summary"')[2].partition("</div>")[0]
    return [
        re.sub(r"\s+", " ", words)
        for words in re.findall(r'<li><a href="#[\w-]+">(.*?)</a>', part, re.DOTALL)
    ]


def test_what_is_typed_is_saved(newsroom, admin):
    sent = send(
        admin,
        name="Office for Tides",
        strapline="Ebb and flow",
        about="It measures the sea.",
        accent="#14487A",
        logo=picture(),
        logo_alt="A wave",
        **{"contact-0-name": "Ines Okoro", "contact-0-telephone": "020 7946 0155"},
    )
    assert (sent.status_code, sent["Location"]) == (302, "/desk/house/")
    fact = House.objects.get()
    assert (fact.name, fact.strapline, fact.about) == (
        "Office for Tides",
        "Ebb and flow",
        "<p>It measures the sea.</p>",
    )
    assert (fact.accent, fact.accent_dark) == ("#14487a", "#86c3ce")
    assert (fact.logo.width, fact.logo.height, fact.logo_alt) == (480, 120, "A wave")
    assert [contact["name"] for contact in fact.contacts] == ["Ines Okoro"]
    page = admin.get("/desk/house/")
    assert "Set by <b>Callum Byrne</b>" in page.content.decode()
    # Sent again as it stands, it says that there is nothing to save.
    again = send(admin, page)
    assert (again.status_code, House.objects.count()) == (302, 1)
    assert "the settings are these already" in admin.get("/desk/house/").content.decode()


def test_the_contacts_of_the_environment_are_offered(admin, settings):
    settings.PRESS_CONTACTS = "Press desk\n020 7946 0000"
    fields = fields_of(admin.get("/desk/house/"), "/desk/house/")
    assert (fields["contact-0-name"], fields["contact-0-telephone"]) == ("Press desk", "020 7946 0000")
    send(admin)
    assert [contact["name"] for contact in House.objects.get().contacts] == ["Press desk"]


def test_a_row_that_is_emptied_is_taken_out(newsroom, admin):
    saved(newsroom, contacts=[showing.Contact(role=role, telephone="020 7946 0155") for role in "ABC"])
    send(admin, **{"contact-1-role": "", "contact-1-telephone": ""})
    assert [contact["role"] for contact in house.newest().contacts] == ["A", "C"]


def test_all_faults_are_said_and_nothing_typed_is_lost(admin):
    sent = send(
        admin,
        name=" ",
        strapline="Typed & kept",
        accent="red",
        accent_dark="#14487a",
        **{"contact-0-name": "Ines", "contact-1-role": "Desk", "contact-1-email": "no"},
    )
    assert sent.status_code == 422
    assert [words.partition(":")[0] for words in summary(sent)] == [
        "Name",
        "On a light ground",
        "On a dark ground",
        "Press contact 1",
        "Press contact 2",
    ]
    assert 'value="Typed &amp; kept"' in sent.content.decode()
    fields = fields_of(sent, "/desk/house/")
    assert (fields["accent"], fields["contact-0-name"]) == ("red", "Ines")
    assert not House.objects.exists()


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (
            b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
            "logo.svg",
            "JPEG, PNG or WebP",
        ),
        (b"\x89PNG\r\n\x1a\n broken", "logo.png", "JPEG, PNG or WebP"),
        (b"%PDF-1.7", "logo.png", "JPEG, PNG or WebP"),
        (b"x" * (50 * 1024 * 1024), "logo.png", "larger than 20 MB"),
    ],
    ids=["svg", "broken", "pdf", "50 MB"],
)
def test_what_is_no_picture_is_refused_as_a_logo(admin, data, name, words):
    logo = BytesIO(data)
    logo.name = name
    sent = send(admin, name="Typed", logo=logo)
    (said,) = summary(sent)
    assert sent.status_code == 422
    assert said.startswith("Logo file: ")
    assert words in said
    assert fields_of(sent, "/desk/house/")["name"] == "Typed"
    assert not Asset.objects.exists()


def test_what_a_camera_wrote_into_a_logo_is_taken_out(admin):
    out = BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "Secret Camera"
    Image.new("RGB", (20, 10), "red").save(out, "JPEG", exif=exif)
    out.seek(0)
    out.name = "logo.jpg"
    send(admin, logo=out)
    assert b"Secret Camera" not in admin.get(house.current().logo.url).content


def test_a_logo_stays_in_a_form_that_comes_back(newsroom, admin):
    sent = send(admin, name="", logo=picture())
    digest = Asset.objects.get().sha256
    assert fields_of(sent, "/desk/house/")["logo_kept"] == digest
    assert f"/desk/media/{digest}.png" in sent.content.decode()
    send(admin, sent, name="Tides")
    assert House.objects.get().logo.sha256 == digest
    send(admin, logo_remove="on")
    assert house.newest().logo is None


def test_nobody_makes_a_logo_of_a_picture_that_does_not_exist_for_them(newsroom, admin):
    theirs = pictures.store(noise(), newsroom.drafter)
    sent = send(admin, logo_kept=theirs.sha256)
    assert summary(sent) == ["Logo file: The logo is not here any more. Choose its file again."]
    never = send(admin, logo_kept="0" * 64)
    assert summary(never) == summary(sent)
    assert not House.objects.exists()


def test_the_second_of_two_tabs_is_told(newsroom, admin):
    saved(newsroom, logo=pictures.store(picture(), newsroom.administrator))
    page = admin.get("/desk/house/")
    send(admin, page, name="Office for Ebbs", logo=picture("#000000"))
    sent = send(admin, page, strapline="Mine & typed")
    body = sent.content.decode()
    assert sent.status_code == 409
    assert "Callum Byrne saved other settings" in body
    assert '<dt>Name</dt><dd class="text-break">Office for Ebbs</dd>' in body
    assert 'value="Mine &amp; typed"' in body
    assert house.newest().strapline == "What the sea does next"
    # Sent again it takes the place of theirs, the logo of before with it.
    send(admin, sent)
    assert (house.newest().name, house.newest().strapline) == ("Office for Tides", "Mine & typed")
    assert house.newest().logo.sha256 == House.objects.earliest("pk").logo.sha256


def test_a_form_without_its_rows_is_not_saved(admin):
    sent = admin.post("/desk/house/", {"name": "Tides", "accent": "#14487a", "accent_dark": "#8fbdea"})
    assert summary(sent) == ["The press contacts did not arrive whole. Open the page anew."]


@pytest.mark.parametrize(
    "sent",
    [
        {"contact-TOTAL_FORMS": "1000000"},
        {"contact-TOTAL_FORMS": "-1"},
        {"contact-TOTAL_FORMS": "x"},
        {"follows": "99999999999999999999"},
        {"follows": "x"},
        {"name": "a\x00b"},
        {"about": "a\x00b"},
        {"contact-0-name": "x" * 101},
        {"logo_kept": "\x00'"},
        {"accent": "#" + "9" * 5000},
    ],
)
def test_what_no_browser_sends_breaks_nothing(admin, sent):
    answer = send(admin, **sent)
    assert answer.status_code in {302, 422}
    assert "Press contact" in answer.content.decode() or answer.status_code == 302 or summary(answer)


def test_the_page_takes_as_many_queries_for_many_contacts(newsroom, admin, django_assert_max_num_queries):
    saved(newsroom)
    with django_assert_max_num_queries(20) as one:
        admin.get("/desk/house/")
    contact = showing.Contact("Ines", "", "020 7946 0155")
    saved(newsroom, contacts=[contact] * 12)
    with django_assert_max_num_queries(len(one)):
        admin.get("/desk/house/")


@pytest.mark.parametrize("chosen", ["home-light", "home-dark", "story-light", "story-dark"])
@pytest.mark.parametrize("has_news", [True, False])
def test_a_preview_is_the_public_page_with_what_was_typed(newsroom, admin, client, chosen, has_news):
    if has_news:
        newsroom.public()
    saved(newsroom)
    typed = {
        "name": "Office for Ebbs",
        "accent": "#7a1448",
        "accent_dark": "#ea8fbd",
        "logo": picture("#7a1448"),
    }
    sent = send(admin, to="house_preview", preview=chosen, **typed)
    body = sent.content.decode()
    what, scheme = chosen.split("-")
    accent = typed["accent" if scheme == "light" else "accent_dark"]
    assert sent.status_code == 200
    assert sent["Cache-Control"] == "no-store"
    assert f"/desk/house/preview/{scheme}-{accent[1:]}.css" in body
    assert f"/desk/media/{Asset.objects.latest('pk').sha256}.png" in body
    # Nothing of it is public, and nothing was saved.
    assert house.newest().name == "Office for Tides"
    assert "Office for Ebbs" not in client.get("/").content.decode()
    style = admin.get(f"/desk/house/preview/{scheme}-{accent[1:]}.css")
    assert style.content.decode() == colours.forced(scheme, accent)
    main = body.partition('<main id="main"')[2].partition("</main>")[0]
    if not has_news:
        assert "No news has been published." in main or "A headline as the public would read it" in main
        return
    # But for the preview's own head, it is the page to the byte.
    saved(newsroom, **{**typed, "logo": None})
    public = client.get("/" if what == "home" else STORY).content.decode()
    assert public.partition('<main id="main"')[2].partition("</main>")[0] == main


def test_what_cannot_be_saved_cannot_be_previewed(admin):
    sent = send(admin, to="house_preview", preview="home-light", accent="red")
    assert sent.status_code == 422
    assert summary(sent)[0].startswith("On a light ground")
    assert admin.get("/desk/house/preview/")["Location"] == "/desk/house/"


def test_a_preview_leads_to_the_others_with_the_same_words(newsroom, admin):
    sent = send(admin, to="house_preview", preview="home-light", name="Ebb & flow", logo=picture())
    fields = fields_of(sent, "/desk/house/preview/")
    assert (fields["name"], fields["logo_kept"]) == ("Ebb & flow", Asset.objects.get().sha256)
    other = admin.post("/desk/house/preview/", {**fields, "preview": "home-dark"})
    assert "Preview, not saved: Home, dark" in other.content.decode()


# What the public gets


def test_the_colours_come_by_a_sheet_that_is_named_by_what_it_says(newsroom, client):
    assert "/house/" not in client.get("/").content.decode()
    saved(newsroom)
    url = house.current().style_url
    assert f'<link rel="stylesheet" href="{url}">' in client.get("/").content.decode()
    sheet = client.get(url)
    assert sheet.content.decode() == colours.sheet("#14487a", "#8fbdea")
    assert sheet["Content-Type"] == "text/css; charset=utf-8"
    assert sheet["Cache-Control"] == "public, max-age=31536000, immutable"
    assert not sheet.cookies
    saved(newsroom, accent="#7a1448")
    assert house.current().style_url != url
    # A page that somebody kept goes on having its colours.
    assert client.get(url).content == sheet.content
    assert client.get(f"/house/{'0' * 32}.css").status_code == 404


def test_a_logo_is_answered_once_it_was_set_and_never_before(newsroom, client):
    asset = pictures.store(picture(size=(480, 120)), newsroom.administrator)
    path = reverse("house_logo", args=[asset.name])
    never = client.get(f"/house/{'0' * 64}.png")
    before = client.get(path)
    assert (before.status_code, before.content, before.headers) == (404, never.content, never.headers)
    saved(newsroom, logo=asset, logo_alt="A wave")
    found = client.get(path)
    assert (found.status_code, found["Content-Type"]) == (200, "image/png")
    assert found["Cache-Control"] == "public, max-age=31536000, immutable"
    assert f'<img src="{path}" width="480" height="120" alt="A wave">' in client.get("/").content.decode()
    assert client.get(path.replace(".png", ".webp")).status_code == 404


def test_the_page_about_has_the_text_and_the_contacts(newsroom, client):
    saved(newsroom)
    body = client.get("/about/").content.decode()
    assert "<h1>About Office for Tides</h1>" in body
    assert "<p>It measures the sea.</p>" in body
    assert '<a href="tel:02079460155">020 7946 0155</a>' in body
    assert '<a href="mailto:press@tides.example">press@tides.example</a>' in body
    assert "By day" in body
    assert f'href="{reverse("about")}"' in client.get("/").content.decode()
    assert "/about/" in client.get("/sitemap.xml").content.decode()


@pytest.mark.parametrize("contacts", ["", "Press desk\n020 7946 0111"])
@pytest.mark.parametrize("path", ["/", "/about/", STORY])
def test_the_way_to_the_press_contacts_ends_at_one_place(newsroom, client, settings, path, contacts):
    settings.PRESS_CONTACTS = contacts
    newsroom.public()
    body = client.get(path).content.decode()
    assert body.count('id="press"') == body.count('href="#press"') == 1
    assert body.count("020 7946 0111") == body.count("tel:02079460111") == bool(contacts)


def test_a_story_is_framed_by_the_contacts_and_its_words_are_what_was_cleared(newsroom, client):
    newsroom.public()
    before = client.get(STORY).content.decode()
    saved(newsroom)
    after = client.get(STORY).content.decode()
    frame = after.partition("</article>")[2]
    assert "Press office" in frame
    assert frame.count("press@tides.example") == 2  # the address, and the link
    article = after.partition("<article")[2].partition("</article>")[0]
    assert article == before.partition("<article")[2].partition("</article>")[0]
    assert after.count('id="press"') == before.count('id="press"') == 1
    # What is pasted elsewhere is the story alone.
    assert "press@tides.example" not in client.get("/news/footbridge-harrow-weir.txt").content.decode()


def test_what_is_typed_is_escaped_everywhere(newsroom, client):
    newsroom.public()
    nasty = "<b>&\"'"
    saved(
        newsroom,
        name=nasty,
        strapline=nasty,
        contacts=[showing.Contact(nasty, nasty, "020 7946 0155", "", nasty)],
    )
    for path in ("/", STORY, "/about/"):
        body = client.get(path).content.decode()
        assert "<b>&" not in body.partition("<body")[2], path
    assert shown(name=nasty).name == nasty


def test_staff_read_proofs_in_the_colours_of_the_house(newsroom, as_):
    saved(newsroom)
    url = house.current().style_url
    story = newsroom.submitted().story
    for path in (f"/desk/stories/{story.uid}/revisions/1/", f"/desk/stories/{story.uid}/clearing/"):
        assert f'<link rel="stylesheet" href="{url}">' in as_(newsroom.drafter).get(path).content.decode(), (
            path
        )
