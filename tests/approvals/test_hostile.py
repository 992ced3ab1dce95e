"""What a hostile tester tried against clearance, and what came of it."""

import unicodedata

import pytest
from django.db import connections

from approvals import clearing, rules
from approvals.models import Covers, Desk, PrivateOffice, Route, Step
from newsroom import releasing
from stories import record, remarks
from stories.models import Intake, Organisation, Revision

pytestmark = pytest.mark.django_db

PDF = {"sha256": "0" * 64, "name": "x.pdf", "media_type": "application/pdf", "size": 1}


def state(revision, desk):
    return next(s.state for s in rules.progress(revision).steps if s.desk_id == desk.pk)


def decide(verb, revision, desk, by, **more):
    step = next(s for s in rules.progress(revision).steps if s.desk_id == desk.pk)
    return verb(step=step.step, revision=revision, covered=step.covered or "", by=by, **more)


def treasury_of(newsroom, **step):
    desk = Desk.objects.create(name="Treasury")
    desk.members.add(newsroom.nobody, newsroom.other_drafter)
    Step.objects.create(route=newsroom.route, desk=desk, position=3, **step)
    return desk


PARAGRAPH = {"kind": "paragraph", "html": "<p>A footbridge opened.</p>"}


def test_refused_words_are_not_cleared_by_asking_again_in_between(newsroom):
    """A refuses, a colleague clears a variant, the route is changed, and the refused words come back."""
    treasury = treasury_of(newsroom, covers=Covers.FIGURES)
    first = newsroom.submitted()
    decide(clearing.refuse, first, treasury, newsroom.nobody, reason="Wrong number.")
    second = newsroom.edit(first.story, notes="<ol><li>The bridge is 41 metres long.</li></ol>")
    decide(clearing.clear, second, treasury, newsroom.other_drafter)
    third = newsroom.edit(first.story, notes=first.content["notes"])
    short = Route.objects.create(name="Short")
    Step.objects.create(route=short, desk=newsroom.legal)
    with pytest.raises(clearing.Objection):
        clearing.request(revision=third, by=newsroom.drafter, route=short)


def test_refused_words_are_not_cleared_when_the_route_was_changed_before_they_came_back(newsroom):
    treasury = treasury_of(newsroom, covers=Covers.FIGURES)
    first = newsroom.submitted()
    decide(clearing.refuse, first, treasury, newsroom.nobody, reason="Wrong number.")
    second = newsroom.edit(first.story, notes="<ol><li>The bridge is 41 metres long.</li></ol>")
    decide(clearing.clear, second, treasury, newsroom.other_drafter)
    short = Route.objects.create(name="Short")
    Step.objects.create(route=short, desk=newsroom.legal)
    with pytest.raises(clearing.Objection):
        clearing.request(revision=second, by=newsroom.drafter, route=short)


def test_an_objection_is_not_got_rid_of_by_switching_its_condition_off(newsroom):
    treasury = treasury_of(newsroom, covers=Covers.FIGURES, condition="topic", value="bridges")
    first = newsroom.submitted(topics=[{"slug": "bridges", "name": "Bridges"}])
    decide(clearing.refuse, first, treasury, newsroom.nobody, reason="Wrong number.")
    second = newsroom.edit(first.story, topics=[])
    decide(clearing.clear, second, newsroom.legal, newsroom.lawyer)
    newsroom.sign(second, newsroom.private_office, newsroom.secretary)
    with pytest.raises(releasing.NotCleared):
        releasing.arm(revision=second, by=newsroom.officer, moment=None)


@pytest.mark.parametrize(
    "spelling",
    [
        unicodedata.normalize("NFD", "Zoë Ünal"),
        "ZOË ÜNAL",
        "Zoë\u2011Ünal".replace("\u2011", " "),
        "Ｚoë Ünal",
    ],
    ids=["decomposed", "capitals", "same", "wide"],
)
def test_a_private_office_is_asked_however_the_name_is_encoded(newsroom, spelling):
    office = Desk.objects.create(name="Office of Zoë Ünal")
    PrivateOffice.objects.create(desk=office, match="speaker", name="Zoë Ünal")
    Step.objects.create(route=newsroom.route, desk=None, covers=Covers.SPEAKER, condition="private_office")
    quote = {"kind": "quote", "html": "<p>Yes.</p>", "speaker": spelling, "role": "Minister"}
    revision = newsroom.submitted(body=[PARAGRAPH, quote])
    assert office.pk in {s.desk_id for s in rules.progress(revision).needed}


def test_asked_anew_when_somebody_of_all_has_left(newsroom):
    Step.objects.filter(desk=newsroom.legal).update(quorum=0)
    revision = newsroom.submitted()
    newsroom.legal.members.remove(newsroom.second_lawyer)
    clearing.request(revision=revision, by=newsroom.drafter)
    decide(clearing.clear, revision, newsroom.legal, newsroom.lawyer)
    assert state(revision, newsroom.legal) == "cleared"


MOVES = {
    "caption to paragraph": ("caption", "paragraph"),
    "paragraph into another": ("paragraph", "merged"),
    "notes to paragraph": ("notes", "paragraph"),
    "summary to paragraph": ("summary", "paragraph"),
    "paragraph to summary": ("paragraph", "summary"),
    "two paragraphs of one": ("merged", "paragraph"),
    "quote into notes": ("quote", "notes"),
}
MINE = "The bridge is safe for all who cross it."


def placed(where):
    match where:
        case "paragraph":
            return {"body": [PARAGRAPH, {"kind": "paragraph", "html": f"<p>{MINE}</p>"}]}
        case "merged":
            return {"body": [{"kind": "paragraph", "html": f"<p>A footbridge opened. {MINE}</p>"}]}
        case "quote":
            return {
                "body": [PARAGRAPH, {"kind": "quote", "html": f"<p>{MINE}</p>", "speaker": "A", "role": "B"}]
            }
        case "notes":
            return {"notes": f"<p>Other notes.</p><p>{MINE}</p>"}
        case "summary":
            return {"summary": MINE}
        case "caption":
            return {
                "picture": {"sha256": "0" * 64, "name": "x.png", "width": 1, "height": 1, "alt": "a",
                            "caption": MINE, "credit": ""}
            }  # fmt: skip


def saved(story, by, content):
    return Revision.objects.create(story=story, by=by, number=0, content=content, based_on=story.latest)


@pytest.mark.parametrize("move", MOVES)
def test_whole_sentences_are_their_authors_wherever_they_come_back(newsroom, move):
    there, back = MOVES[move]
    newsroom.legal.members.add(newsroom.other_drafter)
    first = newsroom.draft(body=[PARAGRAPH], notes="")
    saved(first.story, newsroom.other_drafter, {**first.content, **placed(there)})
    third = saved(first.story, newsroom.drafter, first.content)
    clearing.request(revision=third, by=newsroom.drafter)
    decide(clearing.clear, third, newsroom.legal, newsroom.lawyer)
    fourth = saved(first.story, newsroom.drafter, {**first.content, **placed(back)})
    with pytest.raises(clearing.FourEyes):
        decide(clearing.clear, fourth, newsroom.legal, newsroom.other_drafter)


@pytest.mark.parametrize("part", ["credit", "title", "speaker", "role", "alt"])
def test_small_words_are_their_authors_when_they_come_back(newsroom, part):
    newsroom.legal.members.add(newsroom.other_drafter)
    first = newsroom.draft(body=[PARAGRAPH], notes="")
    words = "Photograph by my own brother"
    picture = {
        "sha256": "0" * 64,
        "name": "x.png",
        "width": 1,
        "height": 1,
        "alt": "",
        "caption": "",
        "credit": "",
    }
    quote = {"kind": "quote", "html": "<p>Yes.</p>", "speaker": "A", "role": "B"}
    change = {
        "credit": {"picture": {**picture, "credit": words}},
        "alt": {"picture": {**picture, "alt": words}},
        "title": {"attachments": [{**PDF, "title": words}]},
        "speaker": {"body": [PARAGRAPH, {**quote, "speaker": words}]},
        "role": {"body": [PARAGRAPH, {**quote, "role": words}]},
    }[part]  # fmt: skip
    saved(first.story, newsroom.other_drafter, {**first.content, **change})
    third = saved(first.story, newsroom.drafter, first.content)
    clearing.request(revision=third, by=newsroom.drafter)
    decide(clearing.clear, third, newsroom.legal, newsroom.lawyer)
    fourth = saved(first.story, newsroom.drafter, {**first.content, **change})
    with pytest.raises(clearing.FourEyes):
        decide(clearing.clear, fourth, newsroom.legal, newsroom.other_drafter)


def tamper(statement):
    """As the owner of the tables, who can switch the guards off."""
    table = statement.replace("DELETE FROM", "UPDATE").split()[1]
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement)
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def test_a_limited_story_exists_for_no_desk_whose_condition_never_held(newsroom):
    from stories.models import Story, Team

    organisation = Organisation.objects.create(name="Eel Society", slug="eels")
    desk = Desk.objects.create(name="Eel Society", organisation=organisation)
    desk.members.add(newsroom.nobody)
    Step.objects.create(route=newsroom.route, desk=desk, condition="partner", value="eels", position=3)
    team = Team.objects.create(name="Budget")
    team.members.add(newsroom.drafter)
    revision = newsroom.submitted(team=team)
    assert not Story.objects.visible_to(newsroom.nobody).filter(pk=revision.story_id).exists()
    assert Story.objects.visible_to(newsroom.lawyer).filter(pk=revision.story_id).exists()
    newsroom.edit(revision.story, partners=[{"slug": "eels", "name": "Eel Society"}])
    assert Story.objects.visible_to(newsroom.nobody).filter(pk=revision.story_id).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE approvals_pinnedstep SET quorum = 1",
        "UPDATE approvals_pinnedstep SET stage = 9",
        "DELETE FROM newsroom_releasesignoff",
        "DELETE FROM stories_revisionasset",
        "UPDATE approvals_decision SET on_behalf_id = NULL",
        "UPDATE approvals_decision SET waited = '1 day'",
        "UPDATE stories_intake SET text = 'Another.'",
        "UPDATE stories_suggestion SET replacement = 'x'",
    ],
)
def test_what_was_tampered_with_is_found(live_newsroom, statement):
    from datetime import UTC, datetime, timedelta

    from approvals import standings
    from approvals.models import Deputyship
    from stories import pictures

    newsroom = live_newsroom
    import io

    from django.core.files.uploadedfile import SimpleUploadedFile
    from PIL import Image

    data = io.BytesIO()
    Image.new("RGB", (300, 300), "red").save(data, "PNG")
    asset = pictures.store(SimpleUploadedFile("a.png", data.getvalue()), newsroom.officer)
    picture = {"sha256": asset.sha256, "name": asset.name, "width": asset.width, "height": asset.height}
    Step.objects.filter(desk=newsroom.legal).update(quorum=2)
    now = datetime.now(UTC)
    Deputyship.objects.create(
        person=newsroom.lawyer,
        deputy=newsroom.nobody,
        since=now,
        until=now + timedelta(hours=1),
        by=newsroom.lawyer,
    )
    revision = newsroom.draft(picture={**picture, "alt": "A red square", "caption": "", "credit": ""})
    Intake.objects.create(story=revision.story, by=newsroom.drafter, text="A footbridge.")
    clearing.request(revision=revision, by=newsroom.drafter)
    anchor = {"part": "summary", "block": None, "exact": "two miles", "prefix": "walkers ", "suffix": "."}
    remarks.suggest(revision=revision, by=newsroom.officer, anchor=anchor, replacement="a long detour")
    decide(clearing.clear, revision, newsroom.legal, newsroom.nobody, on_behalf=newsroom.lawyer)
    decide(clearing.clear, revision, newsroom.legal, newsroom.second_lawyer)
    decide(clearing.clear, revision, newsroom.private_office, newsroom.secretary)
    releasing.arm(revision=revision, by=newsroom.officer, moment=None)
    assert list(record.verify()) == []
    tamper(statement)
    found = list(record.verify())
    standings.rebuild("owner")
    again = list(record.verify())
    assert found, "nothing found"
    assert again, "nothing found once the read model was rebuilt"
