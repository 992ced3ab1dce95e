"""Attachments and partners in the form, and for whom the files exist."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from approvals import clearing
from newsroom import releasing
from stories import attachments, checks, content, drafting, files
from stories.forms import initial_of
from stories.models import Asset, Organisation, Revision, RevisionAsset, Story, Team, WorkingCopy
from tests.people import words
from tests.stories.documents import CSV, file, opens, pdf
from tests.stories.test_views import at, fields, picture

pytestmark = pytest.mark.django_db
NEW = "/desk/stories/new/"


def stored(newsroom, data: bytes = b"", by=None) -> Asset:
    return attachments.store(file(data or pdf(), "gates.pdf"), by or newsroom.drafter)


def attached(asset: Asset, title: str = "The gates in brief") -> dict[str, object]:
    """An attachment as content holds it."""
    return {
        "sha256": asset.sha256,
        "name": asset.name,
        "title": title,
        "media_type": asset.media_type,
        "size": asset.size,
    }


def row(asset: Asset, title: str = "") -> dict[str, object]:
    """An attachment as a browser sends it."""
    return {"attachment": [asset.name], f"attachment_title_{asset.sha256}": title}


def test_documents_are_uploaded_given_titles_and_saved_in_their_order(newsroom, as_):
    browser = as_(newsroom.drafter)
    sent = [file(pdf(), "gates.pdf"), file(CSV, "homes.csv")]
    response = browser.post(NEW, fields(attachment_files=sent, headline="", attach="1"))
    assert response.status_code == 200
    assert not Story.objects.exists()
    page = response.content.decode()
    assert "Write a headline" not in page
    assert "gates.pdf" in page
    names = re.findall(r'name="attachment" value="([0-9a-f]{64}\.\w+)"', page)
    assert [name[-3:] for name in names] == ["pdf", "csv"]
    assert response.context["form"].rows[0].words.startswith("PDF, ")
    titles = {f"attachment_title_{name[:64]}": f" Title  {name[-3:]}" for name in names}
    assert browser.post(NEW, fields(attachment=names, **titles)).status_code == 302
    revision = Revision.objects.get()
    saved = revision.content["attachments"]
    assert [one["title"] for one in saved] == ["Title pdf", "Title csv"]
    assert [one["name"] for one in saved] == names
    assert {asset.sha256 for asset in revision.assets.all()} == {name[:64] for name in names}

    story = revision.story
    back = fields(attachment=names[::-1], **titles, base=revision.pk)
    browser.post(at("story_save", story), back)
    assert [one["name"] for one in story.latest.content["attachments"]] == names[::-1]
    out = {**back, f"attachment_remove_{names[0][:64]}": "on", "base": story.latest.pk}
    browser.post(at("story_save", story), out)
    assert [one["name"] for one in story.latest.content["attachments"]] == names[1:]


def test_documents_that_are_sent_with_a_save_are_saved(newsroom, as_):
    as_(newsroom.drafter).post(NEW, fields(attachment_files=[file(CSV, "a.csv"), file(CSV, "b.csv")]))
    (one,) = Revision.objects.get().content["attachments"]
    assert (one["title"], one["media_type"], one["size"]) == ("", "text/csv", len(CSV))


def test_an_uploaded_document_outlives_a_fault_elsewhere(newsroom, as_):
    browser = as_(newsroom.drafter)
    response = browser.post(NEW, fields(headline="", attachment_files=file(CSV, "homes.csv")))
    assert response.status_code == 422
    asset = Asset.objects.get()
    kept = row(asset, "Homes by parish")
    again = browser.post(NEW, fields(headline="", **kept)).content.decode()
    assert f'value="{asset.name}"' in again
    assert 'value="Homes by parish"' in again
    browser.post(NEW, fields(**kept))
    assert Revision.objects.get().content["attachments"] == [attached(asset, "Homes by parish")]


def test_a_refused_document_is_named_and_the_others_are_kept(newsroom, as_):
    bad = pdf(opens(S="/JavaScript", JS="app.alert(1)"))
    sent = [file(CSV, "homes.csv"), file(bad, "worse.pdf"), file(b"MZ\x00", "virus.csv")]
    response = as_(newsroom.drafter).post(NEW, fields(attachment_files=sent))
    page = response.content.decode()
    assert response.status_code == 422
    assert "“worse.pdf” was not taken. It contains a program (JavaScript)." in page
    assert "“virus.csv” was not taken. It is neither a PDF nor a CSV file." in page
    assert [row.name for row in response.context["form"].rows] == [Asset.objects.get().name]
    assert not Story.objects.exists()


def test_opening_and_saving_without_a_change_changes_nothing(newsroom, as_):
    partner = Organisation.objects.create(name="Harbour Trust", slug="trust")
    revision = newsroom.draft(
        attachments=[attached(stored(newsroom)), attached(stored(newsroom, CSV), "Homes")],
        partners=[{"slug": partner.slug, "name": partner.name}],
    )
    browser = as_(newsroom.drafter)
    form = browser.get(at("story_draft", revision.story)).context["form"]
    sent = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    sent = {name: value for name, value in sent.items() if "_remove" not in name}
    response = browser.post(at("story_save", revision.story), sent, follow=True)
    assert "Nothing has changed since revision 1" in response.content.decode()


@pytest.mark.parametrize("name", [f"{'0' * 64}.pdf", "../../etc/passwd", "", "x"])
def test_a_document_that_is_not_there_is_not_lost_in_silence(newsroom, as_, name):
    browser = as_(newsroom.drafter)
    response = browser.post(NEW, fields(attachment=[name]))
    assert response.status_code == 422
    assert "Upload it again" in response.content.decode()
    assert not Story.objects.exists()


def test_a_digest_that_somebody_got_to_know_attaches_nothing(newsroom, as_):
    team = Team.objects.create(name="Coasts")
    asset = stored(newsroom, by=newsroom.other_drafter)
    newsroom.draft(by=newsroom.other_drafter, team=team, slug="limited", attachments=[attached(asset)])
    browser = as_(newsroom.drafter)
    assert browser.post(NEW, fields(**row(asset))).status_code == 422
    assert browser.get(reverse("staff_media", args=[asset.name])).status_code == 404
    assert not Story.objects.filter(by=newsroom.drafter).exists()


def test_a_picture_is_no_attachment_and_an_attachment_no_picture(newsroom, as_):
    browser = as_(newsroom.drafter)
    browser.post(NEW, fields(picture=picture(), attachment_files=file(CSV, "homes.csv"), headline=""))
    image, table = Asset.objects.get(width=64), Asset.objects.get(width=None)
    assert browser.post(NEW, fields(**row(image))).status_code == 422
    browser.post(NEW, fields(picture_kept=table.sha256))
    assert Revision.objects.get().content["picture"] is None


@pytest.mark.parametrize("kind", ["picture", "document"])
def test_what_somebody_else_uploaded_first_stays_in_the_form(newsroom, as_, kind):
    """The bytes belong to a limited story of which the person knows nothing, and is told nothing."""
    team = Team.objects.create(name="Coasts")
    team.members.add(newsroom.other_drafter)
    theirs, mine = as_(newsroom.other_drafter), as_(newsroom.drafter)

    def sent() -> dict[str, object]:
        if kind == "picture":
            return {"picture": picture()}
        return {"attachment_files": file(CSV, "homes.csv")}

    theirs.post(NEW, fields(team=team.pk, **sent()))
    asset = Asset.objects.get()
    response = mine.post(NEW, fields(headline="", **sent()))
    name = asset.name
    assert (asset.sha256 if kind == "picture" else name) in response.content.decode()
    shown = mine.get(reverse("staff_media", args=[name]))
    assert shown.status_code == 200
    assert len(shown.getvalue()) == asset.size
    kept = {"picture_kept": asset.sha256} if kind == "picture" else row(asset)
    mine.post(NEW, fields(headline="Mine", **kept))
    assert Revision.objects.get(content__headline="Mine").assets.get() == asset
    assert as_(newsroom.lawyer).get(reverse("staff_media", args=[name])).getvalue()


def test_another_session_is_not_shown_what_one_has_uploaded(newsroom, as_):
    team = Team.objects.create(name="Coasts")
    asset = stored(newsroom, CSV, by=newsroom.other_drafter)
    newsroom.draft(by=newsroom.other_drafter, team=team, attachments=[attached(asset)])
    as_(newsroom.officer).post(NEW, fields(headline="", attachment_files=file(CSV, "homes.csv")))
    for person in (newsroom.drafter, newsroom.lawyer, newsroom.administrator):
        assert as_(person).get(reverse("staff_media", args=[asset.name])).status_code == 404


def test_no_more_documents_than_a_reader_bears(newsroom, as_, monkeypatch):
    monkeypatch.setattr(attachments, "MOST", 1)
    sent = [file(CSV, "a.csv"), file(CSV + b"x,y\n", "b.csv")]
    response = as_(newsroom.drafter).post(NEW, fields(attachment_files=sent))
    assert "1 documents at most" in response.content.decode()


def test_a_title_that_is_too_long_comes_back_with_its_fault_unless_it_is_taken_out(newsroom, as_):
    asset = stored(newsroom)
    browser = as_(newsroom.drafter)
    sent = fields(**row(asset, "x" * 201))
    response = browser.post(NEW, sent)
    assert response.status_code == 422
    assert f'href="#div_id_attachment_title_{asset.sha256}"' in response.content.decode()
    assert browser.post(NEW, {**sent, f"attachment_remove_{asset.sha256}": "on"}).status_code == 302
    assert Revision.objects.get().content["attachments"] == []


def test_partners_are_named(newsroom, as_):
    Organisation.objects.create(name="Harbour Trust", slug="trust")
    browser = as_(newsroom.drafter)
    response = browser.post(NEW, fields(partners=["trust", "rivers"]))
    assert response.status_code == 422
    assert "no partner of its own" in response.content.decode()
    browser.post(NEW, fields(partners=["trust"]))
    revision = Revision.objects.get()
    assert revision.content["partners"] == [{"slug": "trust", "name": "Harbour Trust"}]
    page = browser.get(at("story_revision", revision.story, number=1)).content.decode()
    assert re.search(r"<dt>With</dt>\s*<dd>Harbour Trust</dd>", page)


def test_clearance_asks_for_titles(newsroom):
    first, second = stored(newsroom), stored(newsroom, CSV)
    (problem,) = checks.problems(words(attachments=[attached(first), attached(second, "")]))
    assert problem.field == f"attachment_title_{second.sha256}"
    assert problem.words == "Document 2 has no title: say what it is"


def test_words_from_before_there_were_attachments_are_still_read(newsroom):
    old = {key: part for key, part in words().items() if key not in ("attachments", "partners")}
    assert initial_of(old, 1)["attachment"] == []
    assert checks.problems(old) == []
    assert content.changed_parts(old, words(attachments=[attached(stored(newsroom))])) == ["attachments"]


def test_a_working_copy_keeps_titles(newsroom, as_):
    asset = stored(newsroom)
    kept = {
        "base": None,
        "fields": {"attachment": [asset.name], f"attachment_title_{asset}": ["T"]},
    }
    browser = as_(newsroom.drafter)
    browser.post(reverse("new_working_copy"), kept, content_type="application/json")
    assert WorkingCopy.objects.get().fields == kept["fields"]
    assert asset.name in browser.get(NEW).content.decode()


def test_the_same_file_twice_is_shown_once(newsroom):
    asset = stored(newsroom)
    revision = newsroom.draft(attachments=[attached(asset), attached(asset, "Again")])
    assert RevisionAsset.objects.filter(revision=revision).count() == 1


# Who gets the bytes


def test_the_public_gets_a_document_while_a_public_story_has_it(newsroom, client):
    asset, table = stored(newsroom), stored(newsroom, CSV)
    path = f"/media/{asset.name}"
    release = newsroom.public(
        attachments=[attached(asset, "Die Tore – kurz & gut"), attached(table, "Homes")]
    )
    response = client.get(path)
    assert b"".join(response) == files.path_of(asset).read_bytes()
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == "attachment"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "no-cache"
    assert client.get(path, headers={"If-None-Match": response["ETag"]}).status_code == 304
    response = client.get(f"/media/{table.name}")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response.getvalue() == CSV
    for wrong in (f"/media/{asset.sha256}.csv", f"/media/{asset.sha256}.jpg"):
        assert client.get(wrong).status_code == 404
    page = client.get(f"/news/{release.revision.slug}/").content.decode()
    assert f'<a href="{path}" download="die-tore-kurz-gut.pdf">Die Tore – kurz &amp; gut</a>' in page
    assert "/desk/" not in page

    # The newest words of the story have another: it is not public.
    other = stored(newsroom, pdf(text="Newer"))
    newsroom.edit(release.story, attachments=[attached(other)])
    assert client.get(f"/media/{other.name}").status_code == 404
    assert client.get(path).getvalue()


@pytest.mark.parametrize("state", ["draft", "cleared", "armed", "held"])
def test_nobody_else_gets_a_document_before(newsroom, client, state):
    asset = stored(newsroom)
    made = getattr(newsroom, "armed" if state == "held" else state)(attachments=[attached(asset)])
    if state == "held":
        releasing.hold(story=made.story, by=newsroom.officer, reason="Wait")
    assert client.get(f"/media/{asset.name}").status_code == 404
    assert client.get(f"/desk/media/{asset.name}").status_code == 302


def test_a_document_is_given_to_those_who_know_its_story(newsroom, as_):
    team = Team.objects.create(name="Coasts")
    asset = stored(newsroom)
    path = reverse("staff_media", args=[asset.name])
    lawyer = as_(newsroom.lawyer)
    assert lawyer.get(path).status_code == 404
    revision = newsroom.draft(attachments=[attached(asset)])
    response = lawyer.get(path)
    assert response["Content-Disposition"] == "attachment"
    assert response.getvalue() == files.path_of(asset).read_bytes()
    drafting.limit(story=revision.story, by=newsroom.drafter, team=team)
    assert lawyer.get(path).status_code == 404
    team.members.add(newsroom.lawyer)
    assert lawyer.get(path).getvalue()
    assert as_(newsroom.nobody).get(path).status_code == 403


def test_on_proofs_links_lead_to_what_staff_may_see(newsroom, as_):
    asset = stored(newsroom)
    revision = newsroom.draft(attachments=[attached(asset)])
    clearing.request(revision=revision, by=newsroom.drafter)
    link = f'<a href="/desk/media/{asset.name}" download="the-gates-in-brief.pdf">'
    for page in (
        at("story_revision", revision.story, number=1),
        at("story_clearing", revision.story),
    ):
        html = as_(newsroom.lawyer).get(page).content.decode()
        assert link in html
        assert "/media/" not in html.replace("/desk/media/", "")


def test_a_form_that_is_too_large_is_answered_in_words(newsroom, as_, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
    response = as_(newsroom.drafter).post(NEW, fields(body="x" * 3 * 1024 * 1024))
    assert response.status_code == 413
    assert "The words of a form may take 2 MB" in response.content.decode()
    assert Client().get("/", headers={"Host": "evil.example"}).status_code == 400
