"""The people of the tests, and stories as far along as a test needs them. All invented."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group

from approvals import clearing, rules
from approvals.models import Covers, Decision, Desk, PinnedStep, Route, Step
from newsroom import releasing
from newsroom.models import Release
from stories import content as shape
from stories import drafting, translating
from stories.access import Role
from stories.models import Organisation, Revision, Story, Team, Topic, User
from stories.moments import Moment

WORDS = {
    "headline": "New footbridge opens at Harrow Weir",
    "slug": "footbridge-harrow-weir",
    "summary": "The bridge saves walkers two miles.",
    "notes": "<ol><li>The bridge is 40 metres long.</li></ol>",
    "contacts": "River desk\n020 7946 0000\npress@rivers.example",
    "body": [
        {"kind": "paragraph", "html": "<p>A footbridge opened at Harrow Weir today.</p>"},
        {
            "kind": "quote",
            "html": "<p>Nobody will have to wade here again.</p>",
            "speaker": "Mara Ellingham",
            "role": "Secretary of State for Rivers",
        },
        {"kind": "paragraph", "html": "<p>It is open day and night.</p>"},
    ],
}


def words(**changes: Any) -> dict[str, Any]:
    """Content of an invented story, with `changes`."""
    return {**shape.blank(), **WORDS, **changes}


@dataclass
class Newsroom:
    """A furnished newsroom and what can be done in it."""

    drafter: User
    other_drafter: User
    lawyer: User
    second_lawyer: User
    secretary: User
    officer: User
    administrator: User
    nobody: User
    legal: Desk
    private_office: Desk
    route: Route

    def draft(self, team: Team | None = None, by: User | None = None, **changes: Any) -> Revision:
        """A story with its first revision."""
        return drafting.begin(by=by or self.drafter, content=words(**changes), team=team)

    def translation(self, original: Story, **changes: Any) -> Revision:
        """A draft that was linked as the translation of `original`, whatever it says it is from since."""
        first = {**changes, "organisation": original.latest.content["organisation"]}
        revision = self.draft(**first)
        translating.link(story=revision.story, original=original.uid, by=self.drafter)
        changed = words(**changes)["organisation"] != first["organisation"]
        return self.edit(revision.story, organisation=changes["organisation"]) if changed else revision

    def edit(self, story: Story, by: User | None = None, **changes: Any) -> Revision:
        """The next revision of a story, with `changes` to its newest words."""
        latest = story.latest
        return drafting.save(
            story=story, by=by or self.drafter, content={**latest.content, **changes}, based_on=latest.pk
        )

    def submitted(self, translates: Story | None = None, **changes: Any) -> Revision:
        """A revision for which clearance was requested; that of a translation of another story."""
        revision = self.translation(translates, **changes) if translates else self.draft(**changes)
        clearing.request(revision=revision, by=self.drafter)
        return revision

    def step(self, story: Story, desk: Desk) -> PinnedStep:
        """The step that `desk` is asked for."""
        return PinnedStep.objects.filter(submission__story=story, desk=desk).latest("pk")

    def sign(self, revision: Revision, desk: Desk, by: User) -> Decision:
        """Sign off, for a desk, what it covers of a revision."""
        step = self.step(revision.story, desk)
        state = next(s for s in rules.progress(revision).steps if s.desk_id == desk.pk)
        return clearing.clear(step=step, revision=revision, covered=state.covered or "", by=by)

    def cleared(self, **changes: Any) -> Revision:
        """A revision on which every sign-off stands."""
        revision = self.submitted(**changes)
        self.sign(revision, self.legal, self.lawyer)
        if any(block["kind"] == "quote" for block in revision.content["body"]):
            self.sign(revision, self.private_office, self.secretary)
        return revision

    def moment(self, ahead: timedelta) -> Moment:
        """The moment `ahead` of now, in London."""
        return Moment(datetime.now(UTC) + ahead, "Europe/London")

    def armed(self, ahead: timedelta = timedelta(hours=1), **changes: Any) -> Release:
        """A release whose embargo lifts after `ahead`."""
        return releasing.arm(revision=self.cleared(**changes), by=self.officer, moment=self.moment(ahead))

    def public(self, **changes: Any) -> Release:
        """A release that anybody can read."""
        return releasing.arm(revision=self.cleared(**changes), by=self.officer, moment=None)


def person(username: str, name: str, *roles: Role, **more: Any) -> User:
    """A user called `name` with roles."""
    first, _, last = name.partition(" ")
    user = User.objects.create_user(
        username,
        f"{username}@newsroom.example",
        "correct horse battery",
        first_name=first,
        last_name=last,
        **more,
    )
    user.groups.add(*(Group.objects.get_or_create(name=role.value)[0] for role in roles))
    return user


def furnish() -> Newsroom:
    """People in every role, two desks and the default route over both."""
    newsroom = Newsroom(
        drafter=person("marta", "Marta Feld", Role.DRAFTER),
        other_drafter=person("tom", "Tom Ashdown", Role.DRAFTER),
        lawyer=person("adaeze", "Adaeze Nwosu"),
        second_lawyer=person("hugh", "Hugh Penrose"),
        secretary=person("sunita", "Sunita Rao"),
        officer=person("ines", "Ines Okoro", Role.DUTY_OFFICER),
        administrator=person("root", "Callum Byrne", is_staff=True, is_superuser=True),
        nobody=person("nemo", "Nemo Outis"),
        legal=Desk.objects.create(name="Legal"),
        private_office=Desk.objects.create(name="Private Office"),
        route=Route.objects.create(name="Standard", default=True),
    )
    newsroom.legal.members.add(newsroom.lawyer, newsroom.second_lawyer)
    newsroom.private_office.members.add(newsroom.secretary)
    Step.objects.create(route=newsroom.route, desk=newsroom.legal, covers=Covers.EVERYTHING, position=1)
    Step.objects.create(route=newsroom.route, desk=newsroom.private_office, covers=Covers.QUOTES, position=2)
    Organisation.objects.create(name="Department for Rivers and Coasts", slug="rivers")
    Topic.objects.create(name="Bridges", slug="bridges")
    return newsroom
