"""A difference as it is shown: passages, and lines in them, told in words and marks before colour."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from .comparing import Move, Run
from .parts import Line
from .tokens import NEW_LINE, Token, Tokens, excerpt

#: Words of what moved away: all of it stands where it went to.
_AWAY_WORDS = 8
#: Lines in a row that stayed the same, up to which all of them are shown.
_SAME_LINES = 4


@dataclass(frozen=True)
class Row:
    """A line of a passage: an item of a list, a paragraph, the speaker of a quote."""

    line: Line
    runs: tuple[Run, ...]
    move: Move | None = None

    @property
    def same(self) -> bool:
        """Whether it stayed as it was, at its place."""
        return self.move is None and all(run.op == "=" for run in self.runs)

    @property
    def mark(self) -> str:
        """The bullet or number before it; the number of what is gone stands in brackets."""
        mark, gone = self.line.mark, all(run.op in "-<" for run in self.runs)
        return f"({mark})" if gone and mark.endswith(".") else mark

    @property
    def marks(self) -> bool:
        """Whether anything came or went, be it a mark or a space, beside what moved."""
        return any(run.op in "+-" and not _is_quiet(self.runs, place) for place, run in enumerate(self.runs))

    @property
    def moves(self) -> Iterator[Move]:
        """What moved here: the line, or words in it."""
        found = (self.move, *(run.move for run in self.runs))
        return (move for move in found if move and not move.away)

    def as_read(self, ops: str) -> "Row | None":
        """The line in one of the two texts; None where it is not in it."""
        if _came(self.move, ops):
            return None
        tokens = tuple(_tokens_of(self.runs, ops))
        if not tokens:
            return None
        if not any(token.is_visible for token in tokens):
            # A picture, a link without words: said in words.
            tokens = tuple(Token(token.alone) for token in tokens if token.means and token != NEW_LINE)
        return Row(self.line, (Run("=", tokens),))

    @property
    def html(self) -> SafeString:
        if self.move and self.move.away:
            return _away(self.move, self.line.tokens)
        runs = _runs_html(self.runs, between=" → " if self.line.name else "")
        if self.move:
            runs = format_html('<span class="moved">{}{}</span>', _chip(self.move), runs)
        if self.same or not self.line.name:
            return runs
        return format_html('<span class="named">{}:</span> {}', self.line.name, runs)


@dataclass(frozen=True)
class Passage:
    """One part of the content that changed: a headline, a paragraph, a quote."""

    #: What the part is called, and what happened to all of it: "new", "taken out".
    part: str
    rows: tuple[Row, ...]
    happened: str = ""
    move: Move | None = None

    @property
    def label(self) -> str:
        """What the passage is called: "paragraph 1, new"."""
        happened = self.move.words if self.move else self.happened
        return f"{self.part}, {happened}" if happened else self.part

    @property
    def where(self) -> str:
        """Where it was, or is now, if it moved."""
        return self.move.where if self.move else ""

    @property
    def place(self) -> str:
        """What it is called in a sentence."""
        return self.part if self.move else self.label

    @property
    def runs(self) -> tuple[Run, ...]:
        """The runs of all its lines."""
        return tuple(run for row in self.rows for run in row.runs)

    @property
    def words_in(self) -> int:
        return sum(run.words("+") for run in self.runs)

    @property
    def words_out(self) -> int:
        return sum(run.words("-") for run in self.runs)

    @property
    def moved(self) -> Counter[str]:
        """What moved here, by what it is called."""
        here = Counter(move.noun for row in self.rows for move in row.moves)
        return here + Counter([self.move.noun] if self.move and not self.move.away else [])

    @property
    def marks(self) -> bool:
        """Whether anything came or went beside what moved."""
        return any(row.marks for row in self.rows)

    @property
    def size(self) -> str:
        """How much it is, in words."""
        return size(self.words_in, self.words_out, self.moved, marks=self.marks)

    @property
    def html(self) -> SafeString:
        """The passage with `ins` and `del`, and what moved, each announced to those who hear it."""
        if self.move and self.move.away:
            text = tuple(token for row in self.rows for token in row.line.tokens)
            return _away(self.move, text, chip=False)
        shown = [row for row in self.rows if not row.line.is_frame or self._tells(row)]
        if len(shown) == 1 and not shown[0].line.mark:
            return shown[0].html
        lines = (_line(row) for row in _shortened(shown))
        return format_html(
            '<ul class="lines">{}</ul>', format_html_join("", "{}", ((line,) for line in lines))
        )

    def as_read(self, ops: str) -> "Passage | None":
        """The passage in one of the two texts, made of the runs with these `ops`; None where it is absent."""
        if _came(self.move, ops):
            return None
        kept = tuple(row for row in (row.as_read(ops) for row in self.rows) if row)
        return Passage(self.part, kept) if kept else None

    def _tells(self, row: Row) -> bool:
        """Whether a line that only frames a list has something to say: its kind; its end, if nothing else."""
        if row.same:
            return False
        return row.line.sort == "list" or all(other.same for other in self.rows if other.line.sort != "end")


def _came(move: Move | None, ops: str) -> bool:
    """Whether what moved here is asked for in the text in which it stood elsewhere."""
    return move is not None and not move.away and "+" not in ops


def _tokens_of(runs: tuple[Run, ...], ops: str) -> Iterator[Token]:
    """What one of the two texts is made of."""
    for run in runs:
        if run.op in ops:
            yield from _tokens_of(run.inner, ops) if run.inner else run.tokens


def size(words_in: int, words_out: int, moved: Counter[str], *, marks: bool) -> str:
    """How much it is: "2 words put in, 3 taken out, 1 paragraph moved"."""
    nouns = [f"{count} {_plural(noun, count)}" for noun, count in moved.items()]
    said = [f"{listed(nouns)} moved"] if nouns else []
    if words_in or words_out:
        said.insert(0, f"{words_in} {_plural('word', words_in)} put in, {words_out} taken out")
    elif marks:
        no_word = "marks, spaces, links or pictures"
        said.append(f"{no_word} changed" if said else f"no word: {no_word} alone")
    elif said:
        said.append("no word changed")
    return ", ".join(said) or "nothing"


def listed(words: list[str]) -> str:
    """Some words as a sentence lists them: "a, b and c"."""
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def _plural(noun: str, count: int) -> str:
    if count == 1:
        return noun
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"


# HTML


def _line(row: Row | int) -> SafeString:
    if isinstance(row, int):
        return format_html('<li class="skipped">… {} more as before …</li>', row)
    mark = format_html('<span class="bullet">{}</span> ', row.mark) if row.mark else ""
    kind = f"deep-{min(row.line.depth, 6)}" if row.line.mark else "bare"
    return format_html('<li class="{}">{}<span>{}</span></li>', kind, mark, row.html)


def _shortened(rows: list[Row]) -> Iterator[Row | int]:
    """The rows, and a number for many in a row that stayed; the first and the last of those are kept."""
    for marked, some in groupby(rows, key=lambda row: row.same and bool(row.line.mark)):
        found = list(some)
        if marked and len(found) > _SAME_LINES:
            yield from (found[0], len(found) - 2, found[-1])
        else:
            yield from found


def _runs_html(runs: tuple[Run, ...], between: str = "") -> SafeString:
    """The runs, with something between what was taken out and what was put in its place."""
    pieces = ((_piece(runs, place, between),) for place in range(len(runs)))
    return SafeString(format_html_join("", "{}", pieces).strip())


def _piece(runs: tuple[Run, ...], place: int, between: str) -> SafeString:
    run = runs[place]
    if _is_quiet(runs, place):
        return format_html("{}", " ")
    exchanged = run.op == "+" and place > 0 and runs[place - 1].op == "-"
    return format_html("{}{}", between if exchanged else "", _run_html(run))


def _is_quiet(runs: tuple[Run, ...], place: int) -> bool:
    """Whether a run is but the space and the tags round words that moved, which say enough."""
    run, beside = runs[place], (*runs[max(place - 1, 0) : place], *runs[place + 1 : place + 2])
    if run.op not in "+-" or any(token.loud or token.is_visible for token in run.tokens):
        return False
    return any(other.op in "<>" for other in beside)


def _run_html(run: Run) -> SafeString:
    if run.op == "=":
        return format_html("{}", run.text)
    if run.move and run.move.away:
        return _away(run.move, run.tokens)
    if run.move:
        return format_html(
            '<span class="moved">{}{}<span class="visually-hidden"> (end of what moved)</span></span>',
            _chip(run.move),
            _runs_html(run.inner),
        )
    tag, said = ("ins", "put in: ") if run.op == "+" else ("del", "taken out: ")
    # The space round a change stands outside: "hope to" is struck, not "hope to ". One parts two changes.
    inner = run.text.strip()
    before, _, after = run.text.partition(inner)
    return format_html(
        '{}<{tag}><span class="visually-hidden">{said}</span>{inner}</{tag}>{}',
        before,
        after or " " * (run.op == "-"),
        tag=tag,
        said=said,
        inner=inner,
    )


def _chip(move: Move) -> SafeString:
    """What happened, in words with an arrow."""
    arrow = SafeString('<span aria-hidden="true">→</span>')
    ends = (SafeString(""), format_html(" {}", arrow)) if move.away else (format_html("{} ", arrow), ":")
    return format_html('<span class="chip">{}{} ({}){}</span> ', ends[0], move.words, move.where, ends[1])


def _away(move: Move, tokens: Tokens, *, chip: bool = True) -> SafeString:
    """The first words of what moved away."""
    return format_html(
        '<span class="moved away">{}‘{}’</span> ',
        _chip(move) if chip else "",
        excerpt(tokens, _AWAY_WORDS),
    )
