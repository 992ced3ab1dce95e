"""The route as a drawing: what was asked, side by side, between the request and the release."""

from collections.abc import Sequence
from dataclasses import dataclass

from .rules import StepState

WIDTH, BOX, HEAD, TALL, GAP = 368, 176, 20, 60, 10
LEFT, RIGHT = 74, WIDTH - 84
#: Letters that fit into a box; the route in words has the whole name.
LETTERS = 22
SHORT = {"again": "look again"}


@dataclass(frozen=True)
class Box:
    """A step, with the upper left corner of its box."""

    step: StepState
    y: int

    x = LEFT + 18
    width = BOX
    height = TALL

    @property
    def title(self) -> str:
        """The desk's name, cut to what fits."""
        name = self.step.desk
        return name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"

    @property
    def words(self) -> str:
        """The state in few words."""
        return SHORT.get(self.step.state, self.step.words)

    @property
    def middle(self) -> int:
        return self.y + TALL // 2

    @property
    def rows(self) -> tuple[int, int, int]:
        """The base lines of its three lines of text."""
        return self.y + 18, self.y + 35, self.y + 51


@dataclass(frozen=True)
class Board:
    """The drawing's measures and boxes. The steps of the one stage stand under each other."""

    boxes: tuple[Box, ...]

    width = WIDTH
    left = LEFT
    right = RIGHT

    @property
    def height(self) -> int:
        return HEAD + len(self.boxes) * (TALL + GAP)

    @property
    def middle(self) -> int:
        return HEAD + (self.height - HEAD - GAP) // 2

    @property
    def lines(self) -> str:
        """The path from the request to each box and on to the release."""
        near, far, out = LEFT + 9, LEFT + 18, LEFT + 18 + BOX
        through = (
            f"M{near} {self.middle}V{box.middle}H{far}M{out} {box.middle}H{out + 9}V{self.middle}"
            for box in self.boxes
        )
        return f"M{LEFT} {self.middle}H{near}{''.join(through)}M{out + 9} {self.middle}H{RIGHT}"


def board(steps: Sequence[StepState]) -> Board:
    """The drawing of the steps asked."""
    return Board(tuple(Box(step, HEAD + number * (TALL + GAP)) for number, step in enumerate(steps)))
