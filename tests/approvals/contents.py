"""Contents of every shape, for properties."""

from typing import Any

from hypothesis import strategies as st

from stories import content as shape
from stories.kinds import TYPES

# What PostgreSQL can store: no null character, no half of a surrogate pair.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
WORDS = st.lists(
    st.sampled_from(["river", "rose", "fell", "Ä", "☂", "1.5", "\xa0", "&amp;", "a’b", "\\", '"']), max_size=5
)
HTML = st.one_of(
    TEXT.map(lambda text: text.replace("<", "&lt;")),
    WORDS.map(lambda found: f"<p>{' '.join(found)}</p>"),
    WORDS.map(lambda found: f'<p><a href="https://x.example/">{" ".join(found)}</a><br>end</p>'),
)
BLOCK = st.one_of(
    st.fixed_dictionaries({"kind": st.sampled_from(["paragraph", "heading", "list"]), "html": HTML}),
    st.fixed_dictionaries({"kind": st.just("quote"), "html": HTML, "speaker": TEXT, "role": TEXT}),
)
NAMED = st.fixed_dictionaries({"slug": TEXT, "name": TEXT})
PICTURE = st.fixed_dictionaries(
    {
        "sha256": st.sampled_from(["a" * 64, "b" * 64]),
        "width": st.integers(0, 9999),
        "alt": TEXT,
        "caption": TEXT,
    }
)


def contents() -> st.SearchStrategy[dict[str, Any]]:
    """A content with anything in its parts."""
    return st.fixed_dictionaries(
        {
            **dict.fromkeys(shape.blank(), TEXT),
            "type": st.sampled_from(list(TYPES)),
            "body": st.lists(BLOCK, max_size=4),
            "picture": st.none() | PICTURE,
            "topics": st.lists(NAMED, max_size=2),
            "organisation": st.none() | NAMED,
            "notes": HTML,
        }
    )
