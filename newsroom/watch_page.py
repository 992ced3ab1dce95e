"""What the release page shows of the watch over a release: pre-flights, and what was seen from outside."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from stories.clocks import lasting, office

from . import preflight
from .models import CHECKS, Finding, Lookout, Mark, Preflight, Probe, Release
from .preflight import ADVICE
from .state import Chip, State

CHIPS = {
    Finding.OK: Chip("is-cleared", "cleared", "in order"),
    Finding.WRONG: Chip("is-asked", "asked", "not right"),
    Finding.UNKNOWN: Chip("is-again", "again", "could not be asked"),
}
#: What is nobody's fault, and is to be decided by somebody.
LOOK = Chip("is-waiting", "risk", "look at it")


@dataclass(frozen=True)
class Line:
    """One check: what it is called, how it stands, what was found, what to do next."""

    name: str
    chip: Chip
    what: str
    next: str


@dataclass(frozen=True)
class Checked:
    """One pre-flight as it is shown."""

    row: Preflight

    @property
    def title(self) -> str:
        """Which it was: "1 hour before"; "Asked for by Ines Okoro"."""
        label = Mark(self.row.mark).label
        return f"{label[:1].upper()}{label[1:]} by {self.row.by}" if self.row.by else label

    @property
    def when(self) -> str:
        return office(self.row.at).public

    @property
    def chip(self) -> Chip:
        """The one word for all of it: the worst that was found."""
        wrong = set(self.row.not_right)
        count = len(wrong - ADVICE)
        if count:
            return Chip("is-asked", "asked", f"{count} not right")
        if wrong:
            return Chip(LOOK.css, LOOK.icon, f"{len(wrong)} to look at")
        if any(result["state"] == Finding.UNKNOWN for result in self.row.results):
            return CHIPS[Finding.UNKNOWN]
        return Chip("is-cleared", "cleared", "all in order")

    @property
    def found(self) -> list[Line]:
        """What is not in order, the worst first."""
        worst = sorted(
            (result for result in self.row.results if result["state"] != Finding.OK),
            key=lambda result: (result["state"] != Finding.WRONG, result["check"] in ADVICE),
        )
        return [_line(result) for result in worst]

    @property
    def in_order(self) -> list[Line]:
        """What is in order."""
        return [_line(result) for result in self.row.results if result["state"] == Finding.OK]


def _line(result: dict[str, str]) -> Line:
    state, name = result["state"], result["check"]
    chip = LOOK if state == Finding.WRONG and name in ADVICE else CHIPS[Finding(state)]
    return Line(CHECKS.get(name, name), chip, result["what"], result["next"])


@dataclass(frozen=True)
class Preflights:
    """The panel: the newest pre-flight, those before it, and when the next one comes."""

    newest: Checked | None
    earlier: tuple[Checked, ...]
    next_words: str


def preflights(state: State, now: datetime) -> Preflights | None:
    """The pre-flights of an armed release; of what is public, those that there were."""
    release = state.release
    if release is None:
        return None
    rows = preflight.of(release)
    if not rows and not state.armed:
        return None
    checked = [Checked(row) for row in rows]
    return Preflights(
        checked[0] if checked else None,
        tuple(checked[1:]),
        _next(state.pending.embargo, rows, now) if state.pending else "",
    )


def _next(moment: datetime, rows: list[Preflight], now: datetime) -> str:
    """When it is checked next: at the next mark, or at once."""
    left = moment - now
    done = {row.mark for row in rows if row.moment == moment}
    coming = [mark for mark, ahead in preflight.BEFORE.items() if ahead < left]
    due = next((mark for mark, ahead in preflight.BEFORE.items() if left <= ahead), None)
    if left > timedelta() and due and due not in done:
        return "It is checked within a minute."
    if not coming:
        return ""
    mark = max(coming, key=lambda each: preflight.BEFORE[each])
    return f"It is checked next {mark.label}, in {lasting(left - preflight.BEFORE[mark])}."


@dataclass(frozen=True)
class Outside:
    """What a stranger saw of a public release: first as it was cleared, and last of all."""

    first: Probe | None
    last: Probe | None
    #: Whether it is looked for again.
    again: bool

    @property
    def wrong(self) -> str:
        """What is not as it was cleared, where that is the last word; empty where nothing is."""
        return self.last.differed if self.last and not self.last.seen else ""

    @property
    def late_by(self) -> str:
        return f"{self.first.lateness.total_seconds():.3f} s" if self.first else ""


def outside(release: Release) -> Outside:
    """What was answered to a stranger, and whether it is looked for again. Two queries."""
    probes = list(Probe.objects.filter(release=release).order_by("pk"))
    first = next((probe for probe in probes if probe.seen), None)
    again = Lookout.objects.filter(release=release, next_attempt__isnull=False).exists()
    return Outside(first, probes[-1] if probes else None, again)
