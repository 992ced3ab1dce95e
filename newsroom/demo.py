"""The demo newsroom: invented people and stories in every stage, for who tries it out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from random import Random

from django.contrib.auth.models import Group
from django.db import connection, transaction
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from approvals import clearing, rules
from approvals.models import Condition, Covers, Desk, PinnedStep, PrivateOffice, Route, Step
from stories import attachments, drafting, importing, intake, pictures, translating
from stories.access import GROUP_ROLES, Role
from stories.clocks import database_now
from stories.languages import DEFAULT
from stories.models import Organisation, Revision, Story, Team, Topic, User
from stories.moments import Moment, resolve

from . import house, probing, releasing, showing
from .demo_documents import GAUGES, LEFELAU, WEND_GATES, Document
from .models import Subscriber

PASSWORD = "saltmarsh-and-tide"  # noqa: S105 - a demo's, shown on its sign-in page
TEXTS = Path(__file__).parent / "demo_texts"
ZONE = "Europe/London"
DESKS = ("Legal", "Private Office", "Policy", "Statistics", "Picture Desk", "Partnerships")


@dataclass(frozen=True)
class Person:
    """Somebody invented: what they do here, in words, with the groups and desks that make it so."""

    username: str
    name: str
    role: str
    roles: tuple[Role, ...] = ()
    desks: tuple[str, ...] = ()
    password: str = PASSWORD


PEOPLE = (
    Person("marta", "Marta Feld", "Drafter", (Role.DRAFTER,)),
    Person("tom", "Tom Ashdown", "Drafter in the Coasts team", (Role.DRAFTER,)),
    Person("adaeze", "Adaeze Nwosu", "Clears for Legal", desks=("Legal",)),
    Person("hugh", "Hugh Penrose", "Clears for Legal", desks=("Legal",)),
    Person("sunita", "Sunita Rao", "Clears for the Private Office", desks=("Private Office",)),
    Person("ines", "Ines Okoro", "Duty officer", (Role.DUTY_OFFICER,)),
    Person("lena", "Lena Voss", "Clears for Statistics", desks=("Statistics",)),
    Person("nia", "Nia Fairweather", "Clears for the Picture Desk", desks=("Picture Desk",)),
    Person("clara", "Clara Minton", "Clears for Policy and Partnerships", desks=("Policy", "Partnerships")),
    Person("priya", "Priya Anand", "Clearance manager: routes and desks", (Role.MANAGER,)),
    Person("callum", "Callum Byrne", "Administrator", (Role.ADMINISTRATOR,)),
)


def person(username: str) -> Person | None:
    """The person of that user name, or None."""
    return next((person for person in PEOPLE if person.username == username), None)


@contextmanager
def acting_at(instant: datetime) -> Iterator[None]:
    """Facts inserted within get this aware instant, on a connection of the owner, and on no other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('newsroom.at', %s, false)", [instant.isoformat()])
        try:
            yield
        finally:
            cursor.execute("SELECT set_config('newsroom.at', '', false)")


@dataclass(frozen=True)
class Plan:
    """A story of the demo: its text, what it is about, what comes with it, and how far it has come."""

    text: str
    topics: tuple[str, ...]
    stage: Callable[["Demo", Revision], None]
    #: Days from today, and the time of day, of its embargo.
    day: int = 0
    at: time = time(9, 30)
    picture: tuple[str, str] | None = None
    by: str = "marta"
    team: str = ""
    documents: tuple[Document, ...] = ()
    partners: tuple[str, ...] = ()
    language: str = DEFAULT
    #: The text of what it is the translation of, which was written before.
    translates: str = ""


class Demo:
    """The people at work on the stories of the demo."""

    def __init__(self) -> None:
        self.users = {user.username: user for user in User.objects.all()}
        self.now = database_now()
        self.stories: dict[str, Story] = {}

    def moment(self, plan: Plan) -> Moment:
        """When a story is meant to be public."""
        day = Moment(self.now, ZONE).local.date() + timedelta(days=plan.day)
        return resolve(day, plan.at, ZONE, fold=0)

    def write(self, plan: Plan) -> None:
        """Write a story and take it as far as its plan says; one of the past, on the days it happened."""
        moment = self.moment(plan)
        begun = min(self.now - timedelta(hours=3), moment.instant - timedelta(hours=8))
        with acting_at(begun):
            revision = self.draft(plan)
            self.stories[plan.text] = revision.story
            if plan.translates:
                original = self.stories[plan.translates].uid
                translating.link(story=revision.story, original=original, by=self.users[plan.by])
            drafting.plan_embargo(story=revision.story, by=self.users[plan.by], moment=moment)
        with acting_at(begun + timedelta(hours=2)):
            plan.stage(self, revision)

    def draft(self, plan: Plan) -> Revision:
        """The first revision, from the story's text."""
        recognised = intake.recognise((TEXTS / f"{plan.text}.txt").read_text("utf-8"))
        content = importing.content_of(recognised)
        topics = Topic.objects.filter(name__in=plan.topics)
        organisation = Organisation.objects.get(slug="rivers-and-coasts")
        content["topics"] = [{"slug": topic.slug, "name": topic.name} for topic in topics]
        content["organisation"] = {"slug": organisation.slug, "name": organisation.name}
        partners = Organisation.objects.filter(name__in=plan.partners)
        content["partners"] = [{"slug": partner.slug, "name": partner.name} for partner in partners]
        content["slug"] = plan.text
        content["language"] = plan.language
        by = self.users[plan.by]
        if plan.picture:
            caption, alt = plan.picture
            asset = pictures.store(drawing(plan.text), by)
            content["picture"] = {
                "sha256": asset.sha256,
                "name": asset.name,
                "width": asset.width,
                "height": asset.height,
                "alt": alt,
                "caption": caption,
                "credit": "Illustration: Department for Rivers and Coasts",
            }
        for document in plan.documents:
            asset = attachments.store(document.file, by)
            content["attachments"].append(
                {
                    "sha256": asset.sha256,
                    "name": asset.name,
                    "title": document.title,
                    "media_type": asset.media_type,
                    "size": asset.size,
                }
            )
        team = Team.objects.get(name=plan.team) if plan.team else None
        return importing.begin(by=by, recognised=recognised, content=content, embargo=False, team=team)

    def ask(self, revision: Revision) -> None:
        """Request clearance."""
        clearing.request(revision=revision, by=revision.story.by)

    def sign(self, revision: Revision, *usernames: str) -> None:
        """Clear as the people named, each for their desk."""
        for user in (self.users[name] for name in usernames):
            for state in rules.progress(revision).missing:
                if rules.on_desk(user, state):
                    step = PinnedStep.objects.get(pk=state.step_id)
                    clearing.clear(step=step, revision=revision, covered=state.covered or "", by=user)

    def edit(self, story: Story, old: str, new: str) -> Revision:
        """Change words of the body."""
        latest = story.latest
        body = [{**block, "html": block["html"].replace(old, new)} for block in latest.content["body"]]
        content = {**latest.content, "body": body}
        return drafting.save(story=story, by=story.by, content=content, based_on=latest.pk)

    def arm(self, revision: Revision) -> None:
        """Arm for the planned moment, as the duty officer."""
        planned = revision.story.embargos.latest("id")
        moment = Moment(planned.instant, planned.zone)
        releasing.arm(revision=revision, by=self.users["ines"], moment=moment)


def stays_draft(demo: Demo, revision: Revision) -> None:
    """Nothing more happens to it."""


def waits(demo: Demo, revision: Revision) -> None:
    """Nobody has looked at it."""
    demo.ask(revision)


def look_again(demo: Demo, revision: Revision) -> None:
    """The quote was cleared, and then changed."""
    demo.ask(revision)
    demo.sign(revision, "sunita")
    demo.edit(revision.story, "hope to finish", "shall finish")


def changes_asked(demo: Demo, revision: Revision) -> None:
    """Legal wants another word."""
    demo.ask(revision)
    state = next(state for state in rules.progress(revision).steps if state.desk == "Legal")
    clearing.ask_for_changes(
        step=PinnedStep.objects.get(pk=state.step_id),
        revision=revision,
        covered=state.covered or "",
        by=demo.users["hugh"],
        reason="The word “guarantee” in the first paragraph is a promise in law.",
    )


def cleared(demo: Demo, revision: Revision) -> None:
    """Every sign-off stands."""
    demo.ask(revision)
    demo.sign(revision, "adaeze", "sunita")


def armed(demo: Demo, revision: Revision) -> None:
    """It goes out by itself."""
    cleared(demo, revision)
    demo.arm(revision)


def held(demo: Demo, revision: Revision) -> None:
    """Armed, and stopped by the duty officer."""
    armed(demo, revision)
    releasing.hold(story=revision.story, by=demo.users["ines"], reason="The engineer’s report is not in.")


def released(demo: Demo, revision: Revision) -> None:
    """Public, with its receipt."""
    armed(demo, revision)
    release = revision.releases.latest("id")
    with acting_at(release.embargo + timedelta(milliseconds=60)):
        releasing.announce(release_id=release.pk, worker="demo")
    with acting_at(release.embargo + timedelta(milliseconds=410)):
        probing.note(release=release, look=probing.Look(200), worker="demo")


PLANS = (
    Plan("quiet-engines", ("Fishing and boats",), released, -6, time(11)),
    Plan("harbour-lecture", ("River levels", "Flood defences"), released, -4, time(18, 30)),
    Plan("river-levels", ("River levels",), released, -2, time(9, 30), documents=(GAUGES,)),
    Plan(
        "lefelau-afonydd",
        ("River levels",),
        released,
        -2,
        time(9, 30),
        documents=(LEFELAU,),
        by="tom",
        language="cy",
        translates="river-levels",
    ),
    Plan("gwylan", ("Spills and rescue",), released, -2, time(16, 5)),
    Plan(
        "wend-gates",
        ("Flood defences", "Ports and harbours"),
        released,
        -1,
        time(0, 1),
        (
            "The finished gates at Wendmouth, looking out to sea",
            "Five gates between six pale towers across a wide river mouth. The middle gate is raised.",
        ),
        documents=(WEND_GATES,),
        partners=("Wendmouth Harbour Trust",),
    ),
    Plan("byelaws", ("Estuaries",), armed, 1, time(9, 30)),
    Plan("brackwater", ("Flood defences",), held, 1, time(14, 30)),
    Plan("bathing-water", ("Bathing water",), cleared, 2, time(9, 30)),
    Plan("eel-passes", ("River levels",), changes_asked, 2, time(9, 30)),
    Plan(
        "sea-wall",
        ("Flood defences",),
        look_again,
        3,
        time(0, 1),
        ("The line of the new wall, east of Saltmarsh", "A long pale wall between green fields and the sea."),
    ),
    Plan("harbour-dues", ("Ports and harbours",), waits, 4, time(12), by="tom", team="Coasts"),
    Plan("tide-tables", ("Ports and harbours",), stays_draft, 5, time(10)),
)


def is_loaded() -> bool:
    """Whether the demo is there already, or another newsroom is."""
    return User.objects.exists()


@transaction.atomic
def load() -> int:
    """Load the demo into an empty newsroom, as the database's owner. The number of its stories."""
    furnish()
    demo = Demo()
    present(demo.users["callum"])
    for plan in PLANS:
        demo.write(plan)
    Subscriber.objects.bulk_create(
        Subscriber(email=email) for email in ("desk@wendmouth-times.example", "news@coast-radio.example")
    )
    return len(PLANS)


def furnish() -> None:
    """People, desks, teams, a route, topics and the organisation."""
    groups = {role: Group.objects.get_or_create(name=role.value)[0] for role in GROUP_ROLES}
    desks = {name: Desk.objects.create(name=name, reminders=[120, 30]) for name in DESKS}
    for somebody in PEOPLE:
        user = _account(somebody)
        user.groups.add(*(groups[role] for role in somebody.roles if role in groups))
        for desk in somebody.desks:
            desks[desk].members.add(user)
    coasts = Team.objects.create(name="Coasts")
    coasts.members.add(User.objects.get(username="tom"))
    for minister in ("Mara Ellingham", "Joss Amberley", "Eleanor Whitcombe"):
        PrivateOffice.objects.create(match="speaker", name=minister, desk=desks["Private Office"])
    _routes(desks)
    Organisation.objects.create(name="Department for Rivers and Coasts", slug="rivers-and-coasts")
    Organisation.objects.create(name="Wendmouth Harbour Trust", slug="wendmouth-harbour-trust")
    names = sorted({topic for plan in PLANS for topic in plan.topics})
    Topic.objects.bulk_create(Topic(name=name, slug=name.lower().replace(" ", "-")) for name in names)


def present(by: User) -> None:
    """Set how the newsroom presents itself, with a logo, other colours and people to ring."""
    shown = showing.propose(
        name="Department for Rivers and Coasts",
        strapline="News from the water’s edge",
        about=(
            "<p>The Department looks after rivers, flood walls, bathing waters and the coast path. This is"
            " what it tells the public, at the moment that it does.</p>"
            "<p>Corrections stand on the story that they correct, and what is withdrawn says so at its"
            " address.</p>"
        ),
        contacts=[
            showing.Contact(
                role="Press desk",
                telephone="020 7946 0123",
                email="press@rivers.example",
                hours="Monday to Friday, 8 am to 6 pm",
            ),
            showing.Contact(
                name="Ines Okoro",
                role="duty press officer",
                telephone="020 7946 0155",
                hours="At night and at weekends, for what cannot wait",
            ),
        ],
        accent="#14487a",
        accent_dark="#8fbdea",
        logo=pictures.store(logo(), by, widest=house.LOGO_WIDTH),
        logo_alt="",
    )
    house.save(by=by, follows=None, shown=shown)


def _routes(desks: dict[str, Desk]) -> None:
    """The default route, and one with three stages for what a minister stands for."""
    standard = Route.objects.create(name="Standard", default=True)
    ask = partial(Step.objects.create, route=standard)
    ask(desk=desks["Legal"], covers=Covers.EVERYTHING, position=1, before=timedelta(hours=6))
    ask(desk=desks["Private Office"], covers=Covers.QUOTES, position=2, before=timedelta(hours=3))
    ministerial = Route.objects.create(name="Ministerial")
    ask = partial(Step.objects.create, route=ministerial)
    ask(desk=desks["Policy"], covers=Covers.EVERYTHING, stage=1, position=1, before=timedelta(hours=9))
    ask(
        desk=desks["Statistics"],
        covers=Covers.FIGURES,
        condition=Condition.FIGURE,
        stage=1,
        position=2,
        before=timedelta(hours=9),
    )
    ask(
        desk=desks["Legal"],
        covers=Covers.EVERYTHING,
        quorum=2,
        stage=2,
        position=1,
        before=timedelta(hours=6),
    )
    ask(
        desk=None,
        covers=Covers.SPEAKER,
        condition=Condition.PRIVATE_OFFICE,
        stage=2,
        position=2,
        before=timedelta(hours=6),
    )
    ask(
        desk=desks["Picture Desk"],
        covers=Covers.PICTURES,
        condition=Condition.PICTURE,
        stage=3,
        position=1,
        before=timedelta(hours=3),
    )
    ask(
        desk=desks["Partnerships"],
        condition=Condition.PARTNER,
        stage=3,
        position=2,
        before=timedelta(hours=3),
    )


def _account(somebody: Person) -> User:
    first, _, last = somebody.name.partition(" ")
    administers = Role.ADMINISTRATOR in somebody.roles
    return User.objects.create_user(
        somebody.username,
        f"{somebody.username}@rivers.example",
        somebody.password,
        first_name=first,
        last_name=last,
        is_staff=administers,
        is_superuser=administers,
    )


def logo() -> BytesIO:
    """Three waves and a sluice, drawn for a white page."""
    image = Image.new("RGBA", (240, 180), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    blue = (20, 72, 122, 255)
    for row in range(3):
        for crest in range(3):
            left, top = 6 + crest * 76, 56 + row * 42
            draw.arc((left, top, left + 76, top + 60), 180, 360, fill=blue, width=13)
    draw.rectangle((112, 4, 128, 62), fill=blue)
    draw.rectangle((76, 4, 164, 20), fill=blue)
    out = BytesIO()
    image.save(out, "PNG")
    out.seek(0)
    return out


def drawing(name: str) -> BytesIO:
    """A picture for a story: a landscape, another for each name, with as much in it as a photograph has."""
    seed = sum(name.encode())
    width, height = pictures.MAX_WIDTH, pictures.MAX_WIDTH * 9 // 16
    depth = Image.linear_gradient("L").resize((width, height))
    image = ImageOps.colorize(depth, (188, 208, 221), (244, 236, 222))
    draw = ImageDraw.Draw(image)
    draw.ellipse((1370 - seed % 340, 140, 1520 - seed % 340, 290), fill=(250, 236, 205))
    for layer in range(4):
        top, shade = 540 + layer * 102, 190 - layer * 36
        edge = [(x, top + ((x * (layer + 2) + seed * 37) // 7) % 68) for x in range(0, width + 1, 120)]
        draw.polygon([(0, height), *edge, (width, height)], fill=(shade - 40, shade, shade + 14))
    for tower in range(6):
        left = 206 + tower * 286
        draw.rectangle((left, 377, left + 52, 891), fill=(238, 236, 228))
        if tower < 5:
            gate = 480 if tower == 2 else 640
            draw.rectangle((left + 52, gate, left + 286, gate + 171), fill=(88, 102, 110))
    # Of the same name it is the same at every start.
    grain = Random(seed).randbytes(width * height // 4)  # noqa: S311
    waves = Image.frombytes("L", (width // 2, height // 2), grain).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    image = Image.blend(image.filter(ImageFilter.GaussianBlur(1.2)), waves.convert("RGB"), 0.05)
    out = BytesIO()
    image.save(out, "JPEG", quality=92)
    out.seek(0)
    return out
