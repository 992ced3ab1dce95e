"""An invented newsroom, made in bulk: nobody could tell it from one that people and guards have made."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import Error, connection, connections
from django.db.models import F, Q
from django.urls import reverse

from approvals import clearing, rules
from approvals.models import Decision, Desk, PinnedStep, Standing
from newsroom import releasing
from newsroom.bulk import loading
from newsroom.bulk.lives import CYCLE, Stage
from newsroom.bulk.progress import Progress
from newsroom.models import Announcement, Disarm, Release, Visibility
from stories import content as shape
from stories import drafting, record
from stories.models import Entry, Limit, Revision, RevisionAsset, Story, User

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def made(transactional_db) -> str:
    out = StringIO()
    call_command("make_newsroom", stories=30, stdout=out)
    return out.getvalue()


def asked(statement: str) -> list[tuple[object, ...]]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def disabled_triggers() -> list[tuple[object, ...]]:
    return asked("SELECT tgname FROM pg_trigger WHERE tgenabled <> 'O'")


def test_the_record_is_whole_and_every_stage_is_there(made):
    assert "30 stories" in made
    assert list(record.verify()) == []
    assert disabled_triggers() == []
    assert asked("SELECT id FROM stories_revision WHERE NOT is_content(content)") == []
    # The life cycle, read from the facts.
    assert {*CYCLE} | {Stage.PUBLIC} == {*Stage}
    assert Release.objects.public().count() == Announcement.objects.count() == 13
    assert Visibility.objects.filter(visible_from=None).exists()
    assert Visibility.objects.filter(visible_from__isnull=False, announced=False).exists()
    assert Disarm.objects.exists()
    assert Story.objects.filter(submissions=None).exists()
    under_way = Standing.objects.filter(story__visibilities=None)
    assert {*under_way.values_list("state", flat=True)} >= {"waiting", "again", "asked", "refused", "cleared"}
    assert Decision.objects.filter(verdict="taken_back", takes_back__isnull=False).exists()
    assert PinnedStep.objects.exclude(pattern=None).exists()
    assert RevisionAsset.objects.exists()


def test_facts_are_in_order_and_nobody_decided_on_their_own_words(made):
    for column in ("at", "fact"):
        before = f"lag({column}) OVER (PARTITION BY story_id, source ORDER BY number)"
        back = f"SELECT 1 FROM (SELECT {column} < {before} AS back FROM stories_entry) e WHERE back"
        assert asked(back) == []
    assert asked("SELECT 1 FROM stories_entry WHERE at > now()") == []
    authors = Revision.objects.filter(by=F("story__decisions__by"))
    assert not authors.exists()
    assert not Decision.objects.exclude(Q(desk__members=F("by"))).exists()
    assert not Decision.objects.filter(waited__lt="0").exists()


def test_the_guards_are_on_and_go_on_where_it_ended(made):
    """A story that people make after it has the next ids, and a record of the same shape."""
    with pytest.raises(Error), connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE stories_revision SET origin = 'text'")
    drafter, officer = User.objects.filter(groups__name="Drafter").last(), User.objects.first()
    known = Revision.objects.filter(story__releases__isnull=False, content__picture=None).latest("pk")
    content = {**known.content, "slug": "by-hand", "topics": [], "attachments": [], "partners": []}
    revision = drafting.begin(by=drafter, content={**shape.blank(), **content})
    assert revision.pk > known.pk
    assert revision.story_id > 30
    clearing.request(revision=revision, by=drafter)
    while missing := [step for step in rules.progress(revision).missing if step.is_open]:
        for step in missing:
            person = Desk.objects.get(pk=step.desk_id).members.exclude(pk=drafter.pk).first()
            clearing.clear(step=step.step, revision=revision, covered=step.covered or "", by=person)
    release = releasing.arm(revision=revision, by=officer, moment=None)
    assert releasing.announce(release_id=release.pk, worker="test")
    assert list(record.verify()) == []
    for entry in Entry.objects.filter(story=revision.story):
        other = Entry.objects.filter(source=entry.source).exclude(story=revision.story).first()
        assert other.payload.keys() == entry.payload.keys()


def test_the_pages_answer(made, as_, client):
    slug = Visibility.objects.filter(announced=True).latest("visible_from").slug
    page = client.get(f"/news/{slug}/")
    assert page.status_code == 200
    picture = (
        Visibility.objects.filter(announced=True).exclude(release__revision__content__picture=None).first()
    )
    name = picture.release.revision.content["picture"]["name"]
    shown = client.get(reverse("media", args=[name]))
    assert shown.status_code == 200
    shown.close()
    lawyer = as_(Desk.objects.get(name="Legal").members.first())
    inbox = lawyer.get(reverse("inbox")).content.decode()
    row = Standing.objects.filter(desk__name="Legal", state="waiting").first()
    assert row.revision.content["headline"] in inbox
    assert lawyer.get(reverse("story_clearing", args=[row.story.uid])).status_code == 200
    for name in ("desk", "story_list"):
        assert lawyer.get(reverse(name)).status_code == 200
    assert client.get(reverse("home")).status_code == 200


def test_another_seed_is_another_newsroom_and_a_password_lets_people_in(transactional_db, client):
    call_command("make_newsroom", stories=6, revisions=2, decisions=1, seed=7, password="salt and tide")
    assert Story.objects.count() == 6
    assert list(record.verify()) == []
    assert client.login(username=User.objects.first().username, password="salt and tide")
    assert not User.objects.filter(is_superuser=True).exists()


def test_it_refuses_what_is_not_empty(live_newsroom):
    live_newsroom.draft()
    with pytest.raises(CommandError, match=r"not empty: it has 1 story\. Nothing was changed"):
        call_command("make_newsroom", stories=30)
    assert Story.objects.count() == 1
    assert disabled_triggers() == []


def test_it_takes_the_owners_rights(transactional_db):
    with pytest.raises(CommandError, match="Only the database's owner"):
        call_command("make_newsroom", stories=30, database="default")
    assert not User.objects.exists()


def test_a_failure_on_the_way_leaves_the_guards_on_and_nothing_else(transactional_db, monkeypatch):
    store, calls = loading.Loader._store, []

    def break_off(*args: object) -> None:
        store(*args)
        calls.append(args)
        if len(calls) == 2:
            raise RuntimeError("The light went out.")

    monkeypatch.setattr(loading.Loader, "_store", break_off)
    monkeypatch.setattr(loading, "CHUNK", 5)
    with pytest.raises(RuntimeError):
        call_command("make_newsroom", stories=30)
    assert disabled_triggers() == []
    assert not Story.objects.exists()
    assert not User.objects.exists()
    assert not Limit.objects.exists()


def test_progress_is_for_terminals():
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    for stream, shown in ((Terminal(), True), (StringIO(), False)):
        progress = Progress(stream, 200, "stories")
        progress.tell(100)
        progress.end()
        assert ("[##########..........]  50 %  100 stories" in stream.getvalue()) is shown
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
