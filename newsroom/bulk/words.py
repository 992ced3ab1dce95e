"""Invented words: contents of a few hundred words each, at the price of a few string joins."""

import json
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from stories.kinds import TYPES
from stories.languages import DEFAULT

PLACES = (
    "Wendmouth",
    "Saltmarsh",
    "Lower Staithe",
    "Brackwater",
    "Harrow Weir",
    "Carrow Levels",
    "Tell Bridge",
    "Osney Cross",
    "Merrow Bay",
    "Kestle Point",
    "Upper Wend",
    "Gannet Sound",
    "Ravel Lock",
    "Pellow Quay",
    "Thorley Reach",
    "Ash Holm",
)
THINGS = (
    "tidal gates",
    "sea wall",
    "flood bank",
    "eel pass",
    "footbridge",
    "harbour dues",
    "bathing water",
    "river gauges",
    "salt marsh",
    "ferry pier",
    "drainage pumps",
    "lock gates",
    "fishing quota",
    "surge warnings",
    "dredging",
    "oyster beds",
    "pilot boats",
    "weir",
    "tide tables",
    "canal towpath",
)
HEADLINES = (
    "Work on the {thing} at {place} starts in {month}",
    "{place}: {thing} to be finished a year early",
    "New money for the {thing} at {place}",
    "What people told us about the {thing} at {place}",
    "{count} homes at {place} gain from the {thing}",
    "Inspectors report on the {thing} at {place}",
    "The {thing} at {place} opens to the public",
    "Statement on the {thing} at {place}",
)
MONTHS = ("January", "March", "May", "July", "September", "November")
WHO = (
    "The Department",
    "The harbour trust",
    "The county council",
    "The Hydrological Office",
    "A panel of engineers",
    "The inspectorate",
    "The drainage board",
    "The pilots’ association",
)
DID = (
    "published the plans for the {thing} at {place}",
    "asked everybody who lives near the {thing} what they think of it",
    "found that the {thing} at {place} did what it was built for",
    "agreed to pay £{count} million towards the {thing}",
    "closed the {thing} at {place} while the work goes on",
    "counted {count} boats at the {thing} in a single week",
    "said that the {thing} keeps the spring tides out of {place}",
    "moved the date for the {thing} to {month}",
)
MORE = (
    "after a winter in which the water came over the quay on {count} nights",
    "so that boats can pass at every state of the tide",
    "because the old one dates from before anybody kept records",
    "and will report to the assembly of {place} before the end of {month}",
    "which is less than people at {place} had feared",
    "with the help of volunteers from {place} and from the villages upstream",
    "and nobody who lives there will have to leave while it is done",
    "as the charter of the river has asked for since the last great flood",
)
SAID = (
    "People here have lived with the water for centuries, and they know it better than any of us.",
    "When the gauge rises in the night, a quarter of an hour decides what is saved and what is lost.",
    "We said that the town would not have to wait for the next flood, and it will not.",
    "This is slow work, and it has to be: what is built now has to stand for our grandchildren.",
    "I walked along the bank in January, and I saw what one more metre would have done.",
    "Nobody should have to carry a neighbour up the stairs again.",
    "The figures are good, and they are not yet good enough.",
    "We asked, we listened, and we changed the plan in four places.",
    "A surge gives us half a day of warning, which is long enough to clear the channel calmly.",
    "It costs more to do nothing, and it always has.",
)
GIVEN = (
    "Mara",
    "Tobias",
    "Ines",
    "Callum",
    "Sunita",
    "Owen",
    "Adaeze",
    "Hugh",
    "Clara",
    "Marta",
    "Idris",
    "Noor",
)
FAMILY = (
    "Ellingham",
    "Renwick",
    "Okoro",
    "Byrne",
    "Rao",
    "Tarrant",
    "Nwosu",
    "Penrose",
    "Minton",
    "Feld",
    "Vane",
)
ROLES = (
    "Chief Hydrologist",
    "Harbour master at Wendmouth",
    "Chair of the Wend Trust",
    "Director of Coasts",
    "Leader of the county council",
    "Head of the inspectorate",
)
CONTACTS = "Flood and coast desk\n020 7946 0417\npress@rivers.example"
#: How many paragraphs are invented, of which each story takes a handful.
POOL = 4000


@dataclass(frozen=True)
class Speaker:
    """Somebody who is quoted."""

    name: str
    role: str


@dataclass(frozen=True)
class Draft:
    """The words of a story as they stand: the parts that never change, and those that revisions replace."""

    #: Those that stay, with their values.
    fixed: dict[str, Any]
    headline: str
    summary: str
    notes: str
    #: The blocks of the body, each as JSON.
    blocks: list[str]
    #: The places of the quotes among them, with who speaks.
    quotes: dict[int, Speaker] = field(default_factory=dict)

    @property
    def json(self) -> str:
        """The content of a revision, as JSON."""
        told = {"headline": self.headline, "summary": self.summary, "notes": self.notes}
        rest = json.dumps(self.fixed | told, ensure_ascii=False)
        return f'{rest[:-1]}, "body": [{", ".join(self.blocks)}]}}'


class Writer:
    """Invents contents and changes them, out of a pool of paragraphs; `random` decides everything."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.pool = [self._block("paragraph", self._paragraph()) for _ in range(POOL)]
        names = [f"{given} {family}" for given in GIVEN for family in FAMILY]
        self.speakers = [Speaker(name, random.choice(ROLES)) for name in random.sample(names, 40)]

    def begin(self, number: int, speakers: list[Speaker], fixed: dict[str, Any]) -> Draft:
        """The first words of story `number`, which quotes `speakers`; `fixed` are the parts that stay."""
        headline = self._filled(self.random.choice(HEADLINES))
        slug = "-".join("".join(c if c.isalnum() else " " for c in headline.lower()).split())
        blocks = [self._block("paragraph", f"<p>{self.sentence()} {self.sentence()}</p>")]
        blocks += self.random.sample(self.pool, self.random.randint(4, 7))
        blocks.insert(3, self._block("heading", f"<h2>{self._filled('The {thing} at {place}')}</h2>"))
        quotes: dict[int, Speaker] = {}
        for speaker in speakers:
            quotes[len(blocks)] = speaker
            blocks += [self.quote(speaker), self.random.choice(self.pool)]
        return Draft(
            fixed={
                "type": self.random.choice(list(TYPES)),
                "language": DEFAULT,
                "slug": f"{slug}-{number}",
                "contacts": CONTACTS,
                **fixed,
            },
            headline=headline,
            summary=self.sentence(),
            notes=self.notes(),
            blocks=blocks,
            quotes=quotes,
        )

    def edit(self, draft: Draft) -> Draft:
        """The same story with other words in one place: mostly a paragraph, now and then another part."""
        dice = self.random.random()
        if dice < 0.06:
            return replace(draft, headline=self._filled(self.random.choice(HEADLINES)))
        if dice < 0.14:
            return replace(draft, summary=self.sentence())
        if dice < 0.22:
            return replace(draft, notes=self.notes())
        blocks = list(draft.blocks)
        if dice < 0.36 and draft.quotes:
            place = self.random.choice(list(draft.quotes))
            blocks[place] = self.quote(draft.quotes[place])
        else:
            place = self.random.choice([n for n in range(len(blocks)) if n not in draft.quotes])
            blocks[place] = self._block("paragraph", self._paragraph())
        return replace(draft, blocks=blocks)

    def sentence(self) -> str:
        """A sentence of about twenty words."""
        choose = self.random.choice
        return self._filled(f"{choose(WHO)} {choose(DID)} {choose(MORE)}.")

    def notes(self) -> str:
        """Notes to editors; there is a figure in them."""
        cost = self.random.randint(2, 900)
        return f"<ol><li>The works cost £{cost} million over ten years.</li><li>{self.sentence()}</li></ol>"

    def quote(self, speaker: Speaker) -> str:
        """What somebody said, as a block."""
        html = "".join(f"<p>{said}</p>" for said in self.random.sample(SAID, 2))
        return self._block("quote", html, speaker=speaker.name, role=speaker.role)

    def _paragraph(self) -> str:
        sentences = " ".join(self.sentence() for _ in range(self.random.randint(1, 3)))
        marked = self.random.random() < 0.1
        return f"<p><strong>What happens next.</strong> {sentences}</p>" if marked else f"<p>{sentences}</p>"

    def _filled(self, pattern: str) -> str:
        """A pattern with a place, a thing, a month and a figure."""
        choose = self.random.choice
        return pattern.format(
            place=choose(PLACES),
            thing=choose(THINGS),
            month=choose(MONTHS),
            count=self.random.randint(3, 990),
        )

    @staticmethod
    def _block(kind: str, html: str, **more: str) -> str:
        return json.dumps({"kind": kind, "html": html, **more}, ensure_ascii=False)
