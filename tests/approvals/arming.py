"""Releases that must not be, and the ways to arm them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from django.db import connection, connections
from django.test import Client
from django.urls import reverse

from approvals import clearing
from approvals.models import (
    Covers,
    Decision,
    Desk,
    PrivateOffice,
    Route,
    Step,
    Submission,
)
from newsroom import releasing
from newsroom.models import Release, Visibility
from stories.models import Revision, User
from stories.moments import Moment
from tests.approvals.attacks import (
    FAR,
    HOUR,
    PARAGRAPH,
    QUOTE,
    partner_route,
    run,
    sent,
    stands_in,
    submitted,
)
from tests.people import Newsroom


def arm_row(newsroom: Newsroom, revision: Revision, **more: Any) -> dict[str, Any]:
    return {"story": revision.story, "by": newsroom.officer, "revision": revision, "zone": "UTC", **more}


def unmet(newsroom: Newsroom) -> Revision:
    revision = submitted(newsroom)
    newsroom.sign(revision, newsroom.private_office, newsroom.secretary)
    return revision


def changed_after(newsroom: Newsroom, **changes: Any) -> Revision:
    return newsroom.edit(newsroom.cleared().story, **changes)


def of_an_older_revision(newsroom: Newsroom) -> Revision:
    """It was cleared, and there are newer words."""
    revision = newsroom.cleared()
    newsroom.edit(revision.story, summary="Another summary.")
    return revision


def asked_after(newsroom: Newsroom) -> Revision:
    revision = newsroom.cleared()
    state = sent(newsroom, revision)
    clearing.ask_for_changes(
        step=state.step, revision=revision, covered=state.covered, by=newsroom.second_lawyer, reason="Wait."
    )
    return revision


def refused_after(newsroom: Newsroom) -> Revision:
    revision = newsroom.cleared()
    state = sent(newsroom, revision)
    clearing.refuse(
        step=state.step, revision=revision, covered=state.covered, by=newsroom.second_lawyer, reason="Libel."
    )
    return revision


def taken_back(newsroom: Newsroom) -> Revision:
    revision = newsroom.cleared()
    clearing.take_back(
        decision=Decision.objects.get(story=revision.story, by=newsroom.lawyer), by=newsroom.lawyer
    )
    return revision


def one_person_twice(newsroom: Newsroom) -> Revision:
    Step.objects.filter(desk=newsroom.legal).update(quorum=2)
    revision = newsroom.submitted()
    newsroom.sign(revision, newsroom.private_office, newsroom.secretary)
    for remark in ("", "Again."):
        Decision.objects.create(**sent(newsroom, revision).row, reason=remark)
    return revision


def one_person_and_for_a_colleague(newsroom: Newsroom) -> Revision:
    revision = one_person_twice(newsroom)
    stands_in(newsroom.lawyer, newsroom.second_lawyer)
    Decision.objects.create(**sent(newsroom, revision, behalf=newsroom.second_lawyer).row)
    return revision


def one_person_for_both(newsroom: Newsroom) -> Revision:
    Step.objects.filter(desk=newsroom.legal).update(quorum=2)
    revision = newsroom.submitted()
    newsroom.sign(revision, newsroom.private_office, newsroom.secretary)
    for of in (newsroom.lawyer, newsroom.second_lawyer):
        stands_in(newsroom.nobody, of)
        Decision.objects.create(**sent(newsroom, revision, by=newsroom.nobody, behalf=of).row)
    return revision


def two_deputies_of_one(newsroom: Newsroom) -> Revision:
    Step.objects.filter(desk=newsroom.legal).update(quorum=2)
    revision = newsroom.submitted()
    newsroom.sign(revision, newsroom.private_office, newsroom.secretary)
    for deputy in (newsroom.nobody, newsroom.officer):
        stands_in(deputy, newsroom.lawyer)
        Decision.objects.create(**sent(newsroom, revision, by=deputy, behalf=newsroom.lawyer).row)
    return revision


def all_but_one(newsroom: Newsroom) -> Revision:
    Step.objects.filter(desk=newsroom.legal).update(quorum=0)
    revision = newsroom.submitted()
    newsroom.sign(revision, newsroom.private_office, newsroom.secretary)
    newsroom.sign(revision, newsroom.legal, newsroom.lawyer)
    newsroom.legal.members.remove(newsroom.second_lawyer)
    return revision


def an_office_named_since(newsroom: Newsroom) -> Revision:
    office = Desk.objects.create(name="Harbour office")
    PrivateOffice.objects.create(match="speaker", name="Piotr Zielak", desk=office)
    Step.objects.create(
        route=newsroom.route, desk=None, covers=Covers.SPEAKER, condition="private_office", stage=2
    )
    first = newsroom.cleared()
    other = {**QUOTE, "html": "<p>Boats pass.</p>", "speaker": "Piotr Zielak"}
    second = newsroom.edit(first.story, body=[PARAGRAPH, QUOTE, other])
    newsroom.sign(second, newsroom.legal, newsroom.lawyer)
    newsroom.sign(second, newsroom.private_office, newsroom.secretary)
    return second


def a_partner_named_since(newsroom: Newsroom) -> Revision:
    partner_route(newsroom)
    second = newsroom.edit(newsroom.cleared().story, partners=[{"slug": "eels", "name": "Eel Society"}])
    newsroom.sign(second, newsroom.legal, newsroom.lawyer)
    return second


def by_nobody_for_the_whole(newsroom: Newsroom) -> Revision:
    revision = newsroom.draft()
    route = Route.objects.create(name="Quotes alone")
    Step.objects.create(route=route, desk=newsroom.private_office, covers=Covers.QUOTES)
    Submission.objects.create(story=revision.story, by=newsroom.drafter, revision=revision, route=route)
    newsroom.sign(revision, newsroom.private_office, newsroom.secretary)
    return revision


def asked_anew(newsroom: Newsroom) -> Revision:
    """By a route with one desk more."""
    revision = newsroom.cleared()
    Step.objects.create(route=newsroom.route, desk=Desk.objects.create(name="Extra"))
    clearing.request(revision=revision, by=newsroom.drafter)
    return revision


_addresses = count(1)


def a_correction(newsroom: Newsroom) -> Revision:
    """Cleared to the last word, and the story is public: correcting it is another thing."""
    release = newsroom.public(slug=f"corrected-{next(_addresses)}")
    second = newsroom.edit(release.story, summary="The bridge saves walkers three miles.")
    newsroom.sign(second, newsroom.legal, newsroom.lawyer)
    return second


def at_the_address_of_another(newsroom: Newsroom) -> Revision:
    slug = f"taken-{next(_addresses)}"
    newsroom.public(slug=slug)
    return newsroom.cleared(slug=slug)


NOT_CLEARED: dict[str, Callable[[Newsroom], Revision]] = {
    "never requested": lambda n: n.draft(),
    "a step unmet": unmet,
    "the headline changed": lambda n: changed_after(n, headline="Another"),
    "the address changed": lambda n: changed_after(n, slug="another"),
    "the notes changed": lambda n: changed_after(n, notes="<p>Another.</p>"),
    "the contacts changed": lambda n: changed_after(n, contacts="Another"),
    "a topic more": lambda n: changed_after(n, topics=[{"slug": "bridges", "name": "Bridges"}]),
    "a quote's speaker changed": lambda n: changed_after(n, body=[{**QUOTE, "speaker": "Ana Weir"}]),
    "an older revision": of_an_older_revision,
    "changes asked": asked_after,
    "refused": refused_after,
    "a sign-off taken back": taken_back,
    "one person, twice": one_person_twice,
    "one person, and for a colleague": one_person_and_for_a_colleague,
    "one person, for two": one_person_for_both,
    "two, for one": two_deputies_of_one,
    "all but one, who left": all_but_one,
    "an office named since": an_office_named_since,
    "a partner named since": a_partner_named_since,
    "nobody for the whole": by_nobody_for_the_whole,
    "asked anew": asked_anew,
    "a public story": a_correction,
    "another's address": at_the_address_of_another,
}


def arm_by_the_page(newsroom: Newsroom, revision: Revision) -> None:
    browser = Client()
    browser.force_login(newsroom.officer)
    armed = Visibility.objects.filter(story=revision.story).first()
    form = {"now": "now", "confirm": "on", "revision": revision.pk}
    form |= {"release": armed.release_id} if armed else {}
    answer = browser.post(reverse("story_arm", args=[revision.story.uid]), form)
    if answer.status_code != 302:
        assert answer.status_code == 409, answer.status_code
        raise releasing.Refused("refused")


def arm_by_a_superuser(newsroom: Newsroom, revision: Revision) -> None:
    """Who is in every group, and on every desk."""
    root = User.objects.get(username="root")
    root.groups.set(newsroom.officer.groups.all() | newsroom.drafter.groups.all())
    for desk in Desk.objects.all():
        desk.members.add(root)
    arm_by_the_page(replace(newsroom, officer=root), revision)


def arm_by_the_admin(newsroom: Newsroom, revision: Revision) -> None:
    browser = Client()
    browser.force_login(newsroom.administrator)
    row = {key: getattr(value, "pk", value) for key, value in arm_row(newsroom, revision).items()}
    for name in ("release", "visibility", "releasesignoff"):
        form = {**row, "embargo_0": "2031-01-01", "embargo_1": "00:00", "slug": "x", "_save": "Save"}
        assert browser.post(reverse(f"admin:newsroom_{name}_add"), form).status_code == 403
    raise releasing.Refused("refused")


def arm_by_the_verb(newsroom: Newsroom, revision: Revision) -> None:
    releasing.arm(revision=revision, by=newsroom.officer, moment=None)


def arm_for_later(newsroom: Newsroom, revision: Revision) -> None:
    moment = Moment(datetime.now(UTC) + HOUR, "UTC")
    releasing.arm(revision=revision, by=newsroom.officer, moment=moment)


def arm_by_a_model(newsroom: Newsroom, revision: Revision) -> None:
    Release.objects.create(**arm_row(newsroom, revision, embargo=None))


def arm_in_bulk(newsroom: Newsroom, revision: Revision) -> None:
    Release.objects.bulk_create([Release(**arm_row(newsroom, revision, embargo=FAR - timedelta(days=1)))])


def arm_by_sql(newsroom: Newsroom, revision: Revision, using: str = "default") -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(
            "INSERT INTO newsroom_release (story_id, by_id, revision_id, embargo, zone) "
            "VALUES (%s, %s, %s, NULL, 'UTC')",
            [revision.story_id, newsroom.officer.pk, revision.pk],
        )


def arm_by_copy(newsroom: Newsroom, revision: Revision) -> None:
    statement = "COPY newsroom_release (story_id, by_id, revision_id, embargo, zone) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        row = [revision.story_id, newsroom.officer.pk, revision.pk, datetime.now(UTC) + HOUR, "UTC"]
        copy.write_row(row)


def arm_the_read_model(newsroom: Newsroom, revision: Revision) -> None:
    """Without a release of one's own: any other story's would do."""
    run(
        "INSERT INTO newsroom_visibility (story_id, release_id, slug, visible_from, announced) "
        "VALUES ({story}, 1, 'slipped-in', now(), false)",
        story=revision.story_id,
    )


def arm_what_stands(newsroom: Newsroom, revision: Revision) -> None:
    """The list of what stands is no way round either."""
    run("UPDATE approvals_standing SET state = 'cleared'")


ARMING: dict[str, Callable[[Newsroom, Revision], None]] = {
    "a page": arm_by_the_page,
    "a superuser": arm_by_a_superuser,
    "the admin": arm_by_the_admin,
    "a verb": arm_by_the_verb,
    "a verb, for later": arm_for_later,
    "a model": arm_by_a_model,
    "in bulk": arm_in_bulk,
    "SQL": arm_by_sql,
    "COPY": arm_by_copy,
    "the read model": arm_the_read_model,
    "the list of what stands": arm_what_stands,
}
