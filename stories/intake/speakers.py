"""Who speaks: "Works Secretary Dame Ann Example said:" is a role, a name, and the announcement of a quote.

The rules go from certain to likely. What none of them fits is no attribution, or is kept whole as the
speaker: a role is never made up. The person who pasted the text sees the result and corrects it.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from stories.intake.lexicon import (
    AFTER_NAME,
    AFTER_VERB,
    BEFORE_VERB,
    CONNECTORS,
    INTRODUCTIONS,
    NOT_TITLES,
    PARTICLES,
    PEERS,
    PRONOUNS,
    RANK_BEFORE,
    ROLES,
    SHORT_FORMS,
    TITLES,
    TITLES_WITH_ARTICLE,
    VERBS,
    WEAK_VERBS,
)

_LIMIT = 300
_SEGMENTS = re.compile(r"\s*[,()]\s*|\s+[–—-]\s+")


class Speaker(NamedTuple):
    name: str
    role: str = ""


def announces(plain: str) -> bool:
    """Whether the paragraph is an attribution: somebody, a verb of saying, a colon."""
    subject = _subject(plain)
    return subject is not None and (_is_pronoun(subject.who) or _speaker(subject) is not None)


def read(plain: str, known: Iterable[Speaker]) -> Speaker | None:
    """Who the attribution says is speaking; `known` are those quoted above, the latest first."""
    subject = _subject(plain)
    if subject is None:
        return None
    if _is_pronoun(subject.who):
        return next(iter(known), None)
    found = _speaker(subject)
    return found and _as_introduced(found, known)


class _Subject(NamedTuple):
    who: str
    is_weak: bool


def _subject(plain: str) -> _Subject | None:
    """What stands before the verb of "... said:"."""
    if len(plain) > _LIMIT or not plain.rstrip("* ").endswith(":"):
        return None
    words = plain.strip("* ").removesuffix(":").split()
    at = next((i for i in range(len(words) - 1, 0, -1) if _verb(words[i])), 0)
    if not at or not _may_follow(_verb(words[at]), words[at + 1 :]):
        return None
    is_weak = _verb(words[at]) in WEAK_VERBS
    while at > 1 and words[at - 1].lower() in BEFORE_VERB:
        at -= 1
    who = " ".join(words[:at]).rstrip(" ,–—-")
    return _Subject(who, is_weak) if who and not _holds_a_sentence(words[:at]) else None


def _verb(word: str) -> str:
    bare = word.rstrip(",").lower()
    return bare if bare in VERBS or bare in WEAK_VERBS else ""


def _may_follow(verb: str, rest: list[str]) -> bool:
    """ "said today in Paris:" but not "said the plan has three parts:"."""
    if not rest:
        return verb != "told"
    if len(rest) > 10 or any(word[-1] in ".!?" for word in rest):
        return False
    return len(rest) <= 5 if verb == "told" else rest[0].rstrip(",").lower() in AFTER_VERB


def _holds_a_sentence(words: list[str]) -> bool:
    return any(word[-1] in ".!?" and not _is_abbreviation(word) for word in words[:-1])


def _is_abbreviation(word: str) -> bool:
    bare = _bare(word)
    return bare in TITLES or bare in SHORT_FORMS or len(bare) == 1 or "." in bare


def _is_pronoun(who: str) -> bool:
    return who.split(",")[-1].strip().lower() in PRONOUNS


def _as_introduced(speaker: Speaker, known: Iterable[Speaker]) -> Speaker:
    """ "Sir Michael added:" is the Sir Michael Fallon who was introduced with his role above."""
    if speaker.role:
        return speaker
    names = _names(speaker.name)
    return next((other for other in known if names and names <= _names(other.name)), speaker)


def _names(name: str) -> set[str]:
    return {word.lower() for word in name.split()} - TITLES - {"the"}


@lru_cache(maxsize=256)  # each attribution is looked at several times in a row
def _speaker(subject: _Subject) -> Speaker | None:
    segments = [segment for segment in _SEGMENTS.split(subject.who) if segment]
    if not segments:
        return None
    is_introduced = _first(segments[0]) in INTRODUCTIONS
    if is_introduced and len(segments) == 1:
        return _after_introduction(segments[0].split())
    segments = segments[is_introduced:]
    found = _one_person(segments, is_introduced)
    return found if found or subject.is_weak else _whole(", ".join(segments))


def _one_person(segments: list[str], is_introduced: bool) -> Speaker | None:
    if any(map(_are_two, segments)):
        return None
    return _person_among(segments, is_introduced) or _split_by_role(
        ", ".join(segments).split(), certain=False
    )


def _after_introduction(words: list[str]) -> Speaker | None:
    """ "Speaking today Sir Michael Fallon": without a comma only a title tells where the name begins."""
    start = next((i for i in range(len(words) - 1) if _is_title(words, i)), None)
    found = _name_then_rest(words, start) if start else None
    return found and Speaker(found.name)


def _first(segment: str) -> str:
    return segment.split()[0].lower()


def _person_among(segments: list[str], is_introduced: bool) -> Speaker | None:
    persons = [(at, found) for at, segment in enumerate(segments) if (found := _person(segment))]
    full = [(at, found) for at, found in persons if " " in found.name or len(segments) == 1]
    # A surname alone is as likely a place: "Speaking in Lisbon, Portugal, ...".
    alone = [
        (at, found) for at, found in persons if at in {0, len(segments) - 1} and _next_to_role(segments, at)
    ]
    if is_introduced:  # so is a county: "Speaking in Lisbon, Some County, Works Secretary Ann Example ..."
        full.sort(key=lambda person: not (person[0] == len(segments) - 1 and person[1].role))
    at, person = next(iter([*full, *alone]), (0, None))
    return person and _with_roles_round(person, segments, at, is_introduced)


def _are_two(segment: str) -> bool:
    """ "Trade Minister Ann Example and Health Minister Bob Sample": nobody can say whose words follow."""
    words = segment.split()
    ands = [i for i, word in enumerate(words) if word == "and" and i]
    firsts = (_split_by_title(words[:i]) or _split_by_role(words[:i], certain=True) for i in ands)
    return any(first and " " in first.name for first in firsts)


def _next_to_role(segments: list[str], at: int) -> bool:
    return any(_is_role(segment) for segment in [*segments[max(at - 1, 0) : at], *segments[at + 1 : at + 2]])


def _with_roles_round(found: Speaker, segments: list[str], at: int, is_introduced: bool) -> Speaker:
    before = segments[:at]
    if is_introduced:  # what is left of "Speaking in Lisbon, Portugal," is no role
        while before and not _is_role(before[0]):
            before = before[1:]
    parts = [found.role, *before, *segments[at + 1 :]]
    return Speaker(found.name, ", ".join(_without_article(part) for part in parts if part))


def _person(segment: str) -> Speaker | None:
    words = segment.split()
    if words[0].lower() in {"a", "an"}:
        return None
    return _split_by_title(words) or _full_name(words) or _split_by_role(words, certain=True)


def _split_by_title(words: list[str]) -> Speaker | None:
    start = next((i for i in range(len(words) - 1) if _is_title(words, i)), None)
    if start is None:
        return None
    while start and words[start - 1].lower() in RANK_BEFORE:
        start -= 1
    if start and words[start - 1].lower() == "the" and _bare(words[start]) in TITLES_WITH_ARTICLE:
        start -= 1
    return _name_then_rest(words, start) if not start or _may_precede_title(words[start - 1]) else None


def _may_precede_title(word: str) -> bool:
    """A role, and not "an adviser to Sir ..." or "the wife of Lord ..."."""
    return word[0].isupper() or word.lower() in ROLES


def _is_title(words: list[str], at: int) -> bool:
    word, after = _bare(words[at]), words[at + 1].lower()
    if not words[at][0].isupper() or (word not in TITLES and (word, after[:3]) != ("right", "hon")):
        return False
    not_after, not_before = NOT_TITLES.get(word, (frozenset(), frozenset()))
    return (words[at - 1].lower() if at else "") not in not_after and after not in not_before


def _name_then_rest(words: list[str], start: int) -> Speaker | None:
    end = _end_of_name(words, start + (words[start] == "the"))  # "the Rt Hon"
    if _bare(words[start]) in PEERS and words[end : end + 1] == ["of"]:  # "Lord Example of Barnes"
        end = _end_of_name(words, end + 1)
    role, rest = " ".join(words[:start]), words[end:]
    if rest and rest[0].lower() not in {"of", "from", "at", "for"}:
        return None  # "... and Mr Smith": two people, kept whole
    return Speaker(
        " ".join(words[start:end]), ", ".join(filter(None, (_without_article(role), _affiliation(rest))))
    )


def _end_of_name(words: list[str], start: int) -> int:
    return next((i for i in range(start, len(words)) if not _is_of_name(words[i])), len(words))


def _affiliation(rest: list[str]) -> str:
    return _without_article(" ".join(rest[1:]))


def _full_name(words: list[str]) -> Speaker | None:
    """Up to five capitalised words, none of them a role: "Mary van der Berg", or "Mary Berg of Oxford"."""
    if words[0] == "The" or any(_is_role_word(words, i) for i in range(len(words))):
        return None
    found = _name_then_rest(words, 0)
    return found if found and found.name and len(found.name.split()) <= 5 else None


def _split_by_role(words: list[str], *, certain: bool) -> Speaker | None:
    """ "Defence Minister Ann Example" is certain; "Minister for Rural Affairs Ann Example" is only likely."""
    last = max((i for i in range(len(words)) if _is_role_word(words, i)), default=None)
    if last is None or words[0].lower() in {"a", "an"}:
        return None
    rest = words[last + 1 :]
    length = _without_letters(rest)
    if 0 < length <= 3 and all(map(_is_of_name, rest)):
        return _name_from(words, last + 1)
    return None if certain or words[0] == "The" else _last_two(words, last)


def _without_letters(words: list[str]) -> int:
    """How many words there are before the letters after a name: "Ann Example KC MP"."""
    return max((i for i, word in enumerate(words, 1) if word.lower() not in AFTER_NAME), default=0)


def _last_two(words: list[str], last_role: int) -> Speaker | None:
    start = _without_letters(words) - 2
    while start > last_role and words[start].lower() in PARTICLES:
        start -= 1
    complement, name = words[last_role + 1 : start], words[start:]
    # "Director of Public Prosecutions" and "Minister for Trade and Rural Affairs" name nobody.
    if not (complement and complement[-1][0].isupper() and all(map(_is_of_name, name))):
        return None
    return _name_from(words, start)


def _name_from(words: list[str], start: int) -> Speaker | None:
    name, role = " ".join(words[start:]), " ".join(words[:start]).rstrip(",")
    return None if "," in name else Speaker(name, _without_article(role))


def _whole(who: str) -> Speaker | None:
    """An organisation or an unnamed person: "A spokesperson for the Department"."""
    words = who.replace(",", "").split()
    named = [word for word in words[1:] if word[0].isupper()]
    is_plain = all(word[0].isupper() or word.lower() in CONNECTORS or _role_in(word) for word in words)
    is_spoken_for = any(word.lower().startswith("spokes") for word in words)
    alone = len(words) == 1 and words[0][0].isupper()
    return Speaker(who) if len(words) <= 15 and is_plain and (named or alone or is_spoken_for) else None


def _bare(word: str) -> str:
    return word.rstrip(".,").lower()


def _is_of_name(word: str) -> bool:
    return word[0].isupper() or word.lower() in PARTICLES or word[:3].lower() in {"al-", "el-"}


def _is_role(segment: str) -> bool:
    words = segment.split()
    return words[0].lower() in {"the", "a", "an"} or any(_is_role_word(words, i) for i in range(len(words)))


def _is_role_word(words: list[str], at: int) -> bool:
    if _role_in(words[at]):
        return True
    return _bare(words[at]) in NOT_TITLES and not _is_title([*words, ""], at)


def _role_in(word: str) -> bool:
    return any(part in ROLES for part in _bare(word).removesuffix("’s").removesuffix("'s").split("-"))


def _without_article(role: str) -> str:
    return role[4:] if role[:4].lower() == "the " else role
