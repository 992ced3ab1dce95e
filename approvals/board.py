"""The route, drawn and in words: of a story, with who cleared what, and of a route that is being built."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby, pairwise

from stories.clocks import office
from stories.moments import Moment

from . import asking, rules
from .models import Decision, Step
from .routing import Would

#: How a state reads in a box; the words beside the drawing say it whole.
SHORT = {"cleared, then changed: look again": "look again", "would be asked": "asked"}


@dataclass(frozen=True)
class Entry:
    """A step, as it is drawn and said."""

    key: int
    desk: str
    covers: str
    #: When it is asked; empty where it always is.
    when: str = ""
    #: The state's class, and its word; empty while a route is built.
    state: str = ""
    word: str = ""
    #: "1 of 2 signed", or "two of the desk sign".
    quorum: str = ""
    #: The deadline: an instant, or how long before the embargo.
    due: Moment | None = None
    before: str = ""
    #: The sign-offs that count; where there are none, the desk's last decision.
    decisions: tuple[Decision, ...] = ()
    #: "opens after stage 1", while it is closed.
    opens: str = ""
    #: Why it would be asked, or would not.
    why: str = ""

    @property
    def css(self) -> str:
        """The class of its box: while a route is built, whether it is always asked."""
        return f"is-{self.state}" if self.state else ("is-maybe" if self.when else "is-plan")

    @property
    def who(self) -> str:
        """Who decided, in few words: "Adaeze Nwosu, 16:20"."""
        if not self.decisions:
            return ""
        first = self.decisions[0]
        more = f" and {len(self.decisions) - 1} more" if len(self.decisions) > 1 else ""
        return f"{first.who}{more}, {office(first.at).local:%H:%M}"


@dataclass(frozen=True)
class Stage:
    """The steps that are asked side by side."""

    number: int
    entries: tuple[Entry, ...]

    @cached_property
    def due(self) -> Moment | None:
        """The deadline that all its steps share."""
        found = {entry.due for entry in self.entries}
        return found.pop() if len(found) == 1 else None

    @cached_property
    def before(self) -> str:
        found = {entry.before for entry in self.entries}
        return found.pop() if len(found) == 1 else ""

    @property
    def shares(self) -> bool:
        """Whether the deadline is said once, for all of its steps."""
        return bool(self.due or self.before)

    @property
    def opens(self) -> str:
        """What it waits for: "opens after stage 1"."""
        return next((entry.opens for entry in self.entries if entry.opens), "")


Stages = list[Stage]


def _stages(entries: Iterable[tuple[int, Entry]]) -> Stages:
    """The stages counted from one, whatever numbers they were given."""
    grouped = groupby(entries, key=lambda pair: pair[0])
    return [
        Stage(number, tuple(entry for _, entry in group))
        for number, (_, group) in enumerate(grouped, start=1)
    ]


def of_route(steps: Sequence[Step]) -> Stages:
    """The stages of a route that is being built."""
    names = asking.names_of(steps)
    return _stages(
        (
            step.stage,
            Entry(
                key=step.pk,
                desk=desk_of(step),
                covers=asking.covers_words(step),
                when=asking.when_words(step, names),
                quorum=asking.quorum_words(step.quorum),
                before=f"due {asking.span_words(step.before)} before" if step.before else "",
            ),
        )
        for step in steps
    )


def desk_of(step: Step) -> str:
    """Whom a step asks, in words: a desk, or those that the words name."""
    if step.desk is None:
        return "Private offices"
    return "Partner organisations" if step.condition == "partner" and not step.value else step.desk.name


def are_asked(step: Step, asked: str = "asked") -> str:
    """Whom a step asks, with the verb: "Legal is asked", "Private offices are asked"."""
    return f"{desk_of(step)} {'is' if step.desk and desk_of(step) == step.desk.name else 'are'} {asked}"


def of_would(woulds: Sequence[Would]) -> Stages:
    """The stages of what a route would ask of a story."""
    return _stages(
        (
            one.stage,
            Entry(
                key=one.step.pk,
                desk=one.desk_name,
                covers=one.covers_words,
                state=rules.WAITING if one.asked else rules.NONE,
                word="would be asked" if one.asked else "not needed",
                quorum=asking.quorum_words(one.step.quorum) if one.asked else "",
                before=f"due {asking.span_words(one.step.before)} before" if one.step.before else "",
                why=one.why,
            ),
        )
        for one in woulds
    )


def of_progress(progress: rules.Progress, decisions: Mapping[int, Decision] | None = None) -> Stages:
    """The stages of a story, with the sign-offs that count by their ids (see `rules.standing_decisions`)."""
    signed = decisions or {}
    names = asking.names_of(step.step for step in progress.steps)
    found: list[tuple[int, Entry]] = []
    missing = number = 0
    for place, stage in enumerate(progress.stages, start=1):
        for step in stage:
            counted = tuple(signed[pk] for pk in step.decisions if pk in signed)
            closed = step.missing and not step.is_open
            found.append(
                (
                    place,
                    Entry(
                        key=step.step_id,
                        desk=step.desk,
                        covers=asking.covers_words(step.step),
                        when=asking.when_words(step.step, names),
                        state=step.state,
                        word=step.words,
                        quorum=step.quorum_words,
                        due=office(step.due) if step.due else None,
                        decisions=counted or ((step.last,) if step.last and step.covered else ()),
                        opens=f"opens after stage {missing}" if closed and missing else "",
                    ),
                )
            )
            number = place if step.missing else number
        missing = number
    return _stages(found)


# The drawing

#: Widths of letters in em, as in Arial, with the letters that have them.
_WIDTHS = (
    (0.23, "ijl'|"),
    (0.29, " ftI.,:;/[]!()·’‘"),
    (0.34, "r-“”"),
    (0.5, "ckszvxyJ"),
    (0.61, "FTZ…"),
    (0.68, "ABEKPSVXY&"),
    (0.74, "CDHNRUw"),
    (0.79, "GOQ"),
    (0.86, "mM%"),
    (0.95, "W—"),
)
_WIDTH = {letter: width for width, letters in _WIDTHS for letter in letters}
BOLD = 1.08


def width_of(text: str, size: float, bold: bool = False) -> float:
    """About how wide a text is, on the safe side."""
    return sum(_WIDTH.get(letter, 0.57) for letter in text) * size * (BOLD if bold else 1.02)


def fit(text: str, room: float, size: float, bold: bool = False) -> str:
    """The text, cut to what there is room for."""
    if width_of(text, size, bold) <= room:
        return text
    while text and width_of(f"{text}…", size, bold) > room:
        text = text[:-1]
    return f"{text.rstrip(' ,·')}…"


def fold(text: str, room: float, size: float, most: int, bold: bool = False) -> list[str]:
    """The text in up to `most` lines, the last of them cut."""
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < most - 1:
        line = words.pop(0)
        while words and width_of(f"{line} {words[0]}", size, bold) <= room:
            line = f"{line} {words.pop(0)}"
        lines.append(line)
    rest = [*lines, " ".join(words)] if words else lines
    return [fit(line, room, size, bold) for line in rest]


@dataclass(frozen=True)
class Line:
    """A line of text in a box, with what follows on it in another weight, or an icon before it."""

    css: str
    x: int
    y: int
    text: str
    rest: str = ""
    icon: str = ""


@dataclass(frozen=True)
class Box:
    """A step in the drawing."""

    entry: Entry
    x: int
    y: int
    width: int
    height: int
    lines: tuple[Line, ...]

    @property
    def middle(self) -> int:
        return self.y + self.height // 2

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def joined(self) -> bool:
        """Whether the way to the release leads through it."""
        return self.entry.state != rules.NONE


@dataclass(frozen=True)
class Column:
    """A stage in the drawing: its heading and its boxes under it."""

    stage: Stage
    row: int
    x: int
    y: int
    width: int
    heading: str
    under: str
    boxes: tuple[Box, ...]

    @property
    def through(self) -> list[Box]:
        """The boxes that the way leads through: those that are needed, or all where none is."""
        return [box for box in self.boxes if box.joined] or list(self.boxes)


@dataclass(frozen=True)
class Board:
    """The drawing: columns, in one row or several, and the lines between them."""

    columns: tuple[Column, ...]
    width: int
    height: int
    says: str
    small: bool
    gap: int

    @property
    def lines(self) -> str:
        """The path that joins the stages."""
        return "".join(
            self._across(one, two) if one.row == two.row else self._down(one, two)
            for one, two in pairwise(self.columns)
        )

    def _across(self, one: Column, two: Column) -> str:
        bus = two.x - self.gap // 2
        here, there = [box.middle for box in one.through], [box.middle for box in two.through]
        path = "".join(f"M{box.right} {box.middle}H{bus}" for box in one.through)
        path += f"M{bus} {min(here + there)}V{max(here + there)}" if len({*here, *there}) > 1 else ""
        return path + "".join(f"M{bus} {box.middle}H{box.x}" for box in two.through)

    def _down(self, one: Column, two: Column) -> str:
        out, back, turn = one.x + one.width + 6, two.x - 6, two.y - 7
        first = min(box.middle for box in one.through)
        path = "".join(f"M{box.right} {box.middle}H{out}" for box in one.through)
        path += f"M{out} {first}V{turn}H{back}V{max(box.middle for box in two.through)}"
        return path + "".join(f"M{back} {box.middle}H{box.x}" for box in two.through)


@dataclass(frozen=True)
class _Style:
    """The measures of a drawing."""

    small: bool
    gap: int
    head: int
    pad: int
    #: Between boxes, and between rows of columns.
    between: int
    row: int
    size: int = 12


SMALL = _Style(small=True, gap=16, head=36, pad=7, between=8, row=24)
WIDE = _Style(small=False, gap=40, head=26, pad=11, between=10, row=30, size=13)
SMALL_WIDTH, ABREAST = 334, 3
WIDE_WIDTH, NARROWEST, WIDEST = 804, 164, 300


def small(stages: Stages) -> Board:
    """For a side panel: up to three stages beside each other, more in further rows."""
    count = len(stages)
    rows = -(-count // ABREAST) or 1
    abreast = -(-count // rows) or 1
    # The line from a row to the next runs round the columns.
    margin, style = (8, replace(SMALL, gap=12, pad=6)) if rows > 1 else (0, SMALL)
    width = (SMALL_WIDTH - 2 * margin - style.gap * (abreast - 1)) // abreast
    return _board(stages, style, SMALL_WIDTH, abreast, width, margin)


def wide(stages: Stages, room: int = WIDE_WIDTH) -> Board:
    """For a page: all stages beside each other. Many of them are wider than the page, which then scrolls."""
    count = max(len(stages), 1)
    width = (room - WIDE.gap * (count - 1)) // count
    width = max(NARROWEST, min(width, WIDEST))
    return _board(stages, WIDE, width * count + WIDE.gap * (count - 1), count, width, 0)


def _board(stages: Stages, style: _Style, total: int, abreast: int, width: int, margin: int) -> Board:
    columns: list[Column] = []
    top = 0
    for row, start in enumerate(range(0, len(stages), abreast)):
        shown = stages[start : start + abreast]
        lines = {
            (stage.number, place): _lines(entry, stage, width - 2 * style.pad, style)
            for stage in shown
            for place, entry in enumerate(stage.entries)
        }
        leading = style.size + (4 if style.small else 5)
        height = max((len(found) for found in lines.values()), default=1) * leading + 2 * style.pad - 1
        for number, stage in enumerate(shown):
            x = margin + number * (width + style.gap)
            boxes = []
            for place, entry in enumerate(stage.entries):
                y = top + style.head + place * (height + style.between)
                placed = tuple(
                    replace(line, x=x + style.pad, y=y + style.pad + style.size - 2 + order * leading)
                    for order, line in enumerate(lines[stage.number, place])
                )
                boxes.append(Box(entry, x, y, width, height, placed))
            heading, under = _heading(stage, width, style)
            columns.append(Column(stage, row, x, top, width, heading, under, tuple(boxes)))
        tallest = max((len(stage.entries) for stage in shown), default=0)
        top += style.head + tallest * (height + style.between) - style.between + style.row
    # A pixel for the stroke of the lowest and rightmost boxes.
    return Board(
        tuple(columns), total + 1, max(top - style.row, 0) + 1, _says(stages), style.small, style.gap
    )


def _heading(stage: Stage, width: int, style: _Style) -> tuple[str, str]:
    """What stands above a stage: its number, and its deadline, or else what it waits for."""
    heading = f"Stage {stage.number}"
    room = width if style.small else width - width_of(heading, 13, bold=True) - 10
    if stage.due:
        day = f"{stage.due.local.day} {stage.due.local:%b}"
        short = f"{stage.due.local:%H:%M}, {day}"
        said = [f"due {stage.due.clock}, {stage.due.short_day}", f"due {short}", f"by {short}", short]
    elif stage.before:
        said = [stage.before, stage.before.removeprefix("due ")]
    else:
        said = [stage.opens, stage.opens.removeprefix("opens ")] if style.small else [""]
    if not said[0]:
        return heading, ""
    return heading, next((words for words in said if width_of(words, 12) <= room), fit(said[-1], room, 12))


def _lines(entry: Entry, stage: Stage, room: float, style: _Style) -> list[Line]:
    """What a box says, line by line."""
    lines: list[Line] = []

    def add(text: str, css: str = "t2", most: int = 1) -> None:
        bold = css == "tb"
        size = style.size if bold else 12
        lines.extend(Line(css, 0, 0, part) for part in fold(text, room, size, most, bold=bold) if part)

    covers = "" if style.small or not entry.state else f" · {entry.covers}"
    left = room - width_of(entry.desk, style.size, bold=True)
    if covers and width_of(covers, 12) <= left:
        lines.append(Line("tb", 0, 0, entry.desk, rest=covers))
    else:
        add(entry.desk, "tb", 2)
        covers = ""
    if entry.state:
        word = SHORT.get(entry.word, entry.word)
        if not style.small and width_of(entry.word, 12, bold=True) <= room - 18:
            word = entry.word
        lines.append(Line("tfg", 0, 0, fit(word, room - 18, 12, bold=True), icon=entry.state))
    if not covers:
        add(entry.covers, most=2)
    if entry.quorum and entry.state != rules.NONE:
        add(entry.quorum)
    if entry.when and not (style.small and entry.state):
        add(entry.when, most=2)
    if entry.state and not style.small:
        add(entry.opens or entry.who)
    if not stage.shares and (entry.due or entry.before):
        add(f"due {entry.due.local:%H:%M}, {entry.due.short_day}" if entry.due else entry.before)
    return [line for line in lines if line.text]


def _says(stages: Stages) -> str:
    """What the drawing shows, for who does not see it: the words that follow say it whole."""
    count = len(stages)
    parts = []
    for stage in stages:
        who = "; ".join(" ".join(filter(None, (entry.desk, entry.word))) for entry in stage.entries)
        parts.append(f"stage {stage.number}: {who}")
    return f"The route, {count} stage{'s' * (count != 1)}. {'. '.join(parts)}. The route in words follows."


# In a row of a list

MINI_HEIGHT, MINI_STEP = 24, 32
#: Steps that are drawn one by one; of more, each state once.
MINI_STEPS = 3


@dataclass(frozen=True)
class Dot:
    """A step in few pixels."""

    state: str
    x: int
    y: int


@dataclass(frozen=True)
class Mini:
    """A story's route in a row of a list."""

    dots: tuple[Dot, ...]
    lines: str
    says: str
    width: int
    height: int


def mini(progress: rules.Progress) -> Mini:
    """The states of a story's steps, stages from left to right."""
    stages = progress.stages
    columns = [[step.state for step in stage] for stage in stages]
    columns = [list(dict.fromkeys(states)) if len(states) > MINI_STEPS else states for states in columns]
    height = max([MINI_HEIGHT, *(len(states) * 12 for states in columns)])
    dots = [
        Dot(state, 2 + number * MINI_STEP, (height - len(states) * 12) // 2 + place * 12)
        for number, states in enumerate(columns)
        for place, state in enumerate(states)
    ]
    lines = "".join(f"M{16 + number * MINI_STEP} {height // 2}h16" for number in range(len(columns) - 1))
    says = "; ".join(", ".join(f"{step.desk} {step.words}" for step in stage) for stage in stages)
    return Mini(tuple(dots), lines, f"Route: {says}", len(columns) * MINI_STEP - 16, height)
