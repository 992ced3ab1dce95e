"""Where sentences end, as far as that can be told from the outside."""

import re

_END = re.compile(r"[.!?][\"'”’)]*(?=\s+[\"'“‘(]?[^\W_a-z])")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:[A-Za-z]|dr|mr|mrs|ms|prof|rt|hon|rev|revd|st|lt|gen|col|maj|capt|brig|cllr|no|vs|etc|e\.g|i\.e)\.$",
    re.IGNORECASE,
)
_LOOK_BACK = 12


def ends(words: str) -> list[int]:
    """After which characters a sentence ends and another begins."""
    return [found.end() for found in _END.finditer(words) if not _is_abbreviation(words, found.start())]


def shortened(words: str, limit: int) -> str:
    """The words on one line; of more than `limit` characters, the sentences or else the words that fit."""
    line = words[: limit + 1].replace("\n", " ")
    if len(line) <= limit:
        return line
    complete = [end for end in ends(words[: 2 * limit]) if end <= limit]
    if complete:
        return line[: complete[-1]]
    cut = line.rfind(" ", 0, limit)
    return line[: cut if cut > 0 else limit - 1].rstrip() + "…"


def _is_abbreviation(words: str, stop: int) -> bool:
    return words[stop] == "." and bool(_ABBREVIATION.search(words[max(stop - _LOOK_BACK, 0) : stop + 1]))
