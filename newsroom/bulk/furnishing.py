"""The people, desks, teams, routes and files of an invented newsroom."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group

from approvals.models import Condition, Covers, Deputyship, Desk, PrivateOffice, Route, Step
from newsroom.demo import drawing
from stories import files, pictures
from stories.access import Role
from stories.models import Asset, Organisation, Team, Topic, User

from .words import FAMILY, GIVEN, Speaker

PEOPLE = 200
OFFICERS = 10
DRAFTERS = 90
#: Drafters who are on a desk as well, and may not clear what they wrote.
BOTH = 8
PICTURES = 6
PARTNERS = ("Wend Trust", "Harbour Union", "Tell Conservancy", "Estuary College", "Lifeboat Society")
OFFICES = (
    "Secretary of State",
    "Minister of State",
    "Chief Hydrologist",
    "Permanent Secretary",
    "Science Adviser",
)
DESKS = (
    "Legal",
    "Press Office",
    "Statistics",
    "Finance",
    "Pictures",
    "Rivers",
    "Coasts",
    "Ports",
    "Fisheries",
    "Science",
)
TOPICS = (
    "Rivers",
    "Coasts",
    "Ports",
    "Fisheries",
    "Floods",
    "Bathing water",
    "Boats",
    "Wildlife",
    "Research",
    "Jobs",
)
#: The sort of step that each route has in each stage: the desk, what it covers, and more where it differs.
PRIVATE: dict[str, Any] = {"covers": Covers.SPEAKER, "condition": Condition.PRIVATE_OFFICE}
ROUTES: dict[str, list[list[tuple[str, dict[str, Any]]]]] = {
    "Standard": [[("Legal", {})], [("", PRIVATE), ("Press Office", {})]],
    **{
        f"{policy} news": [
            [("Legal", {}), (policy, {"before": timedelta(days=1)})],
            [("Pictures", {"covers": Covers.PICTURES, "condition": Condition.PICTURE}), ("", PRIVATE)],
            [("Press Office", {"before": timedelta(hours=4)})],
        ]
        for policy in ("Rivers", "Coasts", "Ports", "Fisheries")
    },
    "Statistics": [
        [("Legal", {}), ("Statistics", {"covers": Covers.FIGURES, "condition": Condition.FIGURE})],
        [("Press Office", {})],
    ],
    "Money": [[("Legal", {}), ("Finance", {"covers": Covers.NOTES})], [("Press Office", {"quorum": 2})]],
    "With partners": [
        [("Legal", {"before": timedelta(days=2)})],
        [("Press Office", {"condition": Condition.PARTNER})],
        [("Press Office", {"covers": Covers.QUOTES, "condition": Condition.QUOTE})],
    ],
    "Four stages": [[("Science", {})], [("Legal", {})], [("", PRIVATE)], [("Press Office", {})]],
    "Urgent": [
        [("Legal", {"before": timedelta(hours=1)})],
        [("Press Office", {"covers": Covers.ATTACHMENTS, "condition": Condition.ATTACHMENT})],
    ],
}


@dataclass(frozen=True)
class House:
    """All that stories are told of, ready to be chosen from."""

    drafters: list[int]
    officers: list[int]
    #: The people of each desk.
    members: dict[int, list[int]]
    #: The people of each team who draft.
    teams: dict[int, list[int]]
    routes: list[list[Step]]
    #: The desk of each speaker with a private office.
    offices: dict[Speaker, int]
    #: The desk of each partner organisation, as content names it, and those that have none.
    partners: list[tuple[dict[str, str], int | None]]
    topics: list[dict[str, str]]
    organisations: list[dict[str, str]]
    #: Pictures and documents as content shows them, with the ids of their assets.
    pictures: list[tuple[dict[str, Any], int]]
    documents: list[tuple[dict[str, Any], int]]


class Furnisher:
    """Writes it all, over the connection `using`."""

    def __init__(self, using: str, random: Random, begun: datetime, password: str | None) -> None:
        self.using, self.random, self.begun = using, random, begun
        self.password = make_password(password)

    def furnish(self, speakers: list[Speaker]) -> House:
        """The newsroom without its stories. `speakers` are those who are quoted in them."""
        people = self._people()
        officers, drafters = people[:OFFICERS], people[OFFICERS : OFFICERS + DRAFTERS]
        self._group(Role.DUTY_OFFICER, officers)
        self._group(Role.DRAFTER, drafters)
        organisations = self._named(
            Organisation, ["Department for Rivers and Coasts", *PARTNERS, "Marsh Society"]
        )
        desks = self._desks(organisations)
        members = self._members(list(desks.values()), people[OFFICERS + DRAFTERS :], drafters)
        self._deputies(members)
        return House(
            drafters=drafters,
            officers=officers,
            members=members,
            teams=self._teams(drafters, members),
            routes=self._routes(desks),
            offices=self._offices(speakers, desks),
            partners=[
                (_as_content(row), desks[row.name].pk if row.name in desks else None)
                for row in organisations[1:]
            ],
            topics=[_as_content(row) for row in self._named(Topic, TOPICS)],
            organisations=[_as_content(row) for row in organisations[:1]],
            # Of somebody who is on no desk: who uploaded a picture clears no story that shows it.
            pictures=self._pictures(drafters[-1]),
            documents=self._documents(drafters[-1]),
        )

    def _people(self) -> list[int]:
        names = [(given, family) for family in FAMILY for given in GIVEN]
        more = [
            (given, f"{family}-{other}")
            for given in GIVEN
            for family in FAMILY
            for other in FAMILY
            if family < other
        ]
        chosen = (names + more)[:PEOPLE]
        rows = [
            User(
                username=f"{given}.{family}".lower(),
                first_name=given,
                last_name=family,
                email=f"{given}.{family}@newsroom.example".lower(),
                password=self.password,
                date_joined=self.begun,
            )
            for given, family in chosen
        ]
        return [row.pk for row in User.objects.using(self.using).bulk_create(rows)]

    def _group(self, role: Role, people: list[int]) -> None:
        group, _ = Group.objects.using(self.using).get_or_create(name=role.value)
        through = User.groups.through.objects.using(self.using)
        through.bulk_create(User.groups.through(user_id=person, group_id=group.pk) for person in people)

    def _named(self, model: type[Any], names: Any) -> list[Any]:
        rows = [model(name=name, slug=name.lower().replace(" ", "-")) for name in names]
        return list(model.objects.using(self.using).bulk_create(rows))

    def _desks(self, organisations: list[Organisation]) -> dict[str, Desk]:
        partners = {row.name: row for row in organisations if row.name in PARTNERS}
        rows = [
            Desk(name=name, reminders=[120, 30])
            for name in (*DESKS, *(f"Office: {name}" for name in OFFICES))
        ]
        rows += [Desk(name=name, organisation=partners[name]) for name in PARTNERS]
        return {row.name: row for row in Desk.objects.using(self.using).bulk_create(rows)}

    def _members(self, desks: list[Desk], clearers: list[int], drafters: list[int]) -> dict[int, list[int]]:
        """Five each, and some drafters on the first desks."""
        members = {desk.pk: clearers[place :: len(desks)] for place, desk in enumerate(desks)}
        for place, drafter in enumerate(drafters[:BOTH]):
            members[desks[place // 2].pk].append(drafter)
        through = Desk.members.through
        through.objects.using(self.using).bulk_create(
            through(desk_id=desk, user_id=person) for desk, people in members.items() for person in people
        )
        return members

    def _deputies(self, members: dict[int, list[int]]) -> None:
        """One of each other desk stands in for somebody of the desk before."""
        pairs = list(zip(list(members)[::2], list(members)[1::2], strict=True))
        Deputyship.objects.using(self.using).bulk_create(
            Deputyship(
                person_id=members[desk][0],
                deputy_id=members[other][0],
                by_id=members[desk][0],
                desk_id=desk,
                since=self.begun,
                until=self.begun + timedelta(days=36500),
                at=self.begun,
            )
            for desk, other in pairs
        )

    def _teams(self, drafters: list[int], members: dict[int, list[int]]) -> dict[int, list[int]]:
        rows = [
            Team(name=f"Team {name}")
            for name in ("Budget", "Cabinet", "Court", "Crisis", "Honours", "Inquiry", "Merger", "Treaty")
        ]
        teams = {
            row.pk: self.random.sample(drafters, 6)
            for row in Team.objects.using(self.using).bulk_create(rows)
        }
        through = Team.members.through
        through.objects.using(self.using).bulk_create(
            through(team_id=team, user_id=person) for team, people in teams.items() for person in people
        )
        return teams

    def _offices(self, speakers: list[Speaker], desks: dict[str, Desk]) -> dict[Speaker, int]:
        chosen = {speaker: desks[f"Office: {name}"] for speaker, name in zip(speakers, OFFICES, strict=False)}
        PrivateOffice.objects.using(self.using).bulk_create(
            PrivateOffice(match="speaker", name=speaker.name, desk=desk) for speaker, desk in chosen.items()
        )
        return {speaker: desk.pk for speaker, desk in chosen.items()}

    def _routes(self, desks: dict[str, Desk]) -> list[list[Step]]:
        routes = Route.objects.using(self.using)
        return [
            list(
                Step.objects.using(self.using).bulk_create(
                    self._steps(routes.create(name=name, default=name == "Standard"), stages, desks)
                )
            )
            for name, stages in ROUTES.items()
        ]

    @staticmethod
    def _steps(
        route: Route, stages: list[list[tuple[str, dict[str, Any]]]], desks: dict[str, Desk]
    ) -> list[Step]:
        return [
            Step(route=route, desk=desks.get(desk), stage=stage, position=position, **more)
            for stage, steps in enumerate(stages, start=1)
            for position, (desk, more) in enumerate(steps, start=1)
        ]

    def _pictures(self, by: int) -> list[tuple[dict[str, Any], int]]:
        found = []
        for number in range(PICTURES):
            data, media_type, (width, height) = pictures.cleaned(drawing("." * number).read())
            asset = self._asset(data, media_type, by, width, height)
            shown = {
                "sha256": asset.sha256,
                "name": asset.name,
                "width": width,
                "height": height,
                "alt": "Pale towers across a wide river mouth.",
                "caption": f"The river mouth, seen from the {number + 3} metre mark",
                "credit": "Department for Rivers and Coasts",
            }
            found.append((shown, asset.pk))
        return found

    def _documents(self, by: int) -> list[tuple[dict[str, Any], int]]:
        data = b"month,level\n" + b"".join(b"%d,%d\n" % (month, month * 7 % 31) for month in range(1, 13))
        asset = self._asset(data, "text/csv", by)
        shown = {
            "sha256": asset.sha256,
            "name": asset.name,
            "title": "Levels by month",
            "media_type": asset.media_type,
            "size": asset.size,
        }
        return [(shown, asset.pk)]

    def _asset(
        self, data: bytes, media_type: str, by: int, width: int | None = None, height: int | None = None
    ) -> Asset:
        """A file with its bytes in their place, under the hash that names them."""
        digest = sha256(data).hexdigest()
        asset = Asset(
            sha256=digest,
            media_type=media_type,
            width=width,
            height=height,
            size=len(data),
            by_id=by,
            at=self.begun,
        )
        path = files.path_of(asset)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        asset.save(using=self.using, force_insert=True)
        return asset


def _as_content(row: Any) -> dict[str, str]:
    return {"slug": row.slug, "name": row.name}
