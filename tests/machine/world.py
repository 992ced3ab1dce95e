"""The newsroom in which the machine plays: people on several desks, routes with all that a route can ask."""

from copy import deepcopy
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import Image

from approvals.models import ALL, Desk, PrivateOffice, Route
from approvals.models import Step as RouteStep
from stories import pictures
from stories.models import Organisation, User
from tests.people import furnish, person

from .model import Model, Step

OFFICES = [("speaker", "Mara Ellingham"), ("role", "Harbour Master")]
SPEAKERS = [
    ("Mara Ellingham", "Secretary of State for Rivers"),
    ("Piotr Zielak", "Harbour Master"),
    ("Ana Weir", "Bridge keeper"),
]
PARTNERS = [{"slug": "harbour-trust", "name": "Harbour Trust"}, {"slug": "eels", "name": "Eel Society"}]
#: The digests of two pictures, once they are there.
FILES: list[str] = []


@dataclass
class World:
    """The newsroom as the database has it, and as the model is told of it."""

    people: list[User]
    routes: list[Route]
    #: The route that asks nobody to clear everything.
    lax: Route
    setup: Model
    by_id: dict[int, User]

    def model(self) -> Model:
        """The model before anything has happened."""
        return deepcopy(self.setup)


def upload(colour: str, by: User) -> str:
    """The digest of a picture that somebody uploaded."""
    file = BytesIO()
    Image.new("RGB", (4, 3), colour).save(file, "PNG")
    file.seek(0)
    return pictures.store(file, by).sha256


def build() -> World:
    """Everybody and everything, in the database."""
    room = furnish()
    more = [person(name, f"{name.title()} Wend") for name in ("ada", "bo", "cy", "dora")]
    ada, bo, cy, dora = more
    names = ("Statistics", "Rivers office", "Harbour office", "Trust", "Partnerships")
    statistics, rivers, harbour, trust, partnerships = (Desk.objects.create(name=name) for name in names)
    # Whoever writes here is on a desk too, so that own words could be cleared.
    members = {
        room.legal: [room.lawyer, room.second_lawyer, room.drafter, bo],
        room.private_office: [room.secretary, room.other_drafter],
        statistics: [ada, bo, room.drafter],
        rivers: [cy, room.secretary],
        harbour: [ada, dora],
        trust: [cy],
        partnerships: [dora, room.other_drafter],
    }
    for desk, those in members.items():
        desk.members.set(those)
    for (match, name), desk in zip(OFFICES, (rivers, harbour), strict=True):
        PrivateOffice.objects.create(match=match, name=name, desk=desk)
    for partner, desk in zip(PARTNERS, (trust, None), strict=True):
        organisation = Organisation.objects.create(**partner)
        if desk:
            Desk.objects.filter(pk=desk.pk).update(organisation=organisation)
    FILES[:] = [upload(colour, by) for colour, by in (("red", bo), ("blue", room.other_drafter))]

    legal, office = room.legal.pk, room.private_office.pk
    asks: dict[str, list[dict[str, Any]]] = {
        "Plain": [
            {"desk": legal, "covers": "everything"},
            {"desk": office, "covers": "quotes"},
        ],
        "Careful": [
            {"desk": office, "covers": "quotes", "condition": "quote"},
            {"desk": statistics.pk, "covers": "figures", "condition": "figure"},
            {"desk": legal, "covers": "everything", "stage": 2, "quorum": 2},
            {"desk": partnerships.pk, "covers": "notes", "condition": "type", "value": "statement"},
        ],
        "Whole": [
            {"desk": legal, "covers": "everything", "quorum": ALL},
            {"desk": None, "covers": "speaker", "condition": "private_office", "stage": 2},
            {
                "desk": partnerships.pk,
                "covers": "everything",
                "condition": "partner",
                "value": "",
                "stage": 3,
            },
            {"desk": statistics.pk, "covers": "pictures", "condition": "picture", "quorum": 2},
            {"desk": statistics.pk, "covers": "attachments", "condition": "attachment"},
            {
                "desk": office,
                "covers": "speaker",
                "whom": "Ana Weir",
                "condition": "topic",
                "value": "bridges",
            },
        ],
        "Brief": [{"desk": legal, "covers": "everything"}],
        "Lax": [{"desk": office, "covers": "quotes"}],
    }
    routes, steps = [], {}
    for name, asked in asks.items():
        route = Route.objects.create(name=name)
        for position, ask in enumerate(asked):
            RouteStep.objects.create(
                route=route,
                desk_id=ask["desk"],
                position=position,
                **{key: ask[key] for key in ask if key != "desk"},
            )
        routes.append(route)
        steps[route.pk] = [Step(**ask) for ask in asked]
    people = [
        room.drafter, room.other_drafter, room.lawyer, room.second_lawyer, room.secretary,
        room.officer, room.administrator, room.nobody, *more,
    ]  # fmt: skip
    setup = Model(
        desks={desk.pk: {user.pk for user in those} for desk, those in members.items()},
        routes=steps,
        offices=[(*office, desk.pk) for office, desk in zip(OFFICES, (rivers, harbour), strict=True)],
        partners={PARTNERS[0]["slug"]: trust.pk},
        uploaded=dict(zip(FILES, (bo.pk, room.other_drafter.pk), strict=True)),
    )
    return World(people, routes[:-1], routes[-1], setup, {user.pk: user for user in people})
