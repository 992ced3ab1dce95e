"""Contents of every shape, for properties."""

from typing import Any

from hypothesis import strategies as st

from stories import content as shape
from stories.kinds import TYPES

# What PostgreSQL can store: no null character, no half of a surrogate pair.
CHARACTER = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
TEXT = st.text(CHARACTER, max_size=12)
# Where sentences end, where they do not, what is a figure and what only looks like one.
SCRAPS = st.sampled_from(
    """
    river rose fell Ä ☂ 1.5 5 ٣ ５ ½ % £2 twelve Twenty-one per cent half a’b \\ " ” ) ( . ! ? … No. Dr. U.K.
    approx. &amp; &lt; &#53; &#39; &frac12; &percnt; < > <5 <br> <br/> <em> </em> <strong> </strong> </a>
    <p> </p> <li> </li> <ol> </ol>
    """.split()  # noqa: SIM905  (one a line would be a page)
) | st.sampled_from(
    [
        *(" ", "  ", "\n", "\t", "\xa0", "\v", "\u2009", "\u200b", "\u00ad", "\x01", "\x02", "\x1b", ". "),
        *('<a href="https://x.example/5">', '<ol start="5">', '<h2 id="1">'),
    ]
)
SOUP = st.lists(SCRAPS | st.just(" ") | TEXT, max_size=12).map("".join)


def _marked(text: str, marks: list[str]) -> str:
    for mark in marks:
        opened = '<a href="https://x.example/5.1?">' if mark == "a" else f"<{mark}>"
        text = f"{opened}{text}</{mark}>"
    return text


PHRASE = st.builds(
    _marked,
    st.sampled_from(
        [
            "The river rose",
            "It fell by 1.5%.",
            "Two",
            "No. 5",
            "Rain fell. Nobody came.",
            "approx.",
            "<br>",
            "Yes!”",
        ]
    ),
    st.sampled_from([[], [], ["em"], ["strong"], ["em", "strong"], ["a"], ["em", "strong", "a"]]),
)
PHRASES = st.lists(PHRASE, max_size=6).map(" ".join)
HTML = st.one_of(
    TEXT.map(lambda text: text.replace("<", "&lt;")),
    PHRASES.map(lambda text: f"<p>{text}</p>"),
    st.lists(PHRASES, max_size=3).map(lambda items: f"<ul>{''.join(f'<li>{i}</li>' for i in items)}</ul>"),
    SOUP,
)
NAME = TEXT | st.sampled_from(
    [
        "Mara Ellingham",
        "mara  ellingham",
        "\xa0Mara\tEllingham ",
        "Mara Ellingham\u200b",
        "Tom O’Neill",
        "Tom O'Neill",
    ]
)
BLOCK = st.one_of(
    st.fixed_dictionaries({"kind": st.sampled_from(["paragraph", "heading", "list"]), "html": HTML}),
    st.fixed_dictionaries({"kind": st.just("quote"), "html": HTML, "speaker": NAME, "role": NAME}),
)
SLUG = st.sampled_from(["rivers", "coasts", ""]) | TEXT
NAMED = st.fixed_dictionaries({"slug": SLUG, "name": TEXT})
SHA256 = st.sampled_from(["a" * 64, "b" * 64])
PICTURE = st.fixed_dictionaries(
    {
        "sha256": SHA256,
        "name": TEXT,
        "width": st.integers(0, 9999),
        "height": st.integers(0, 9999),
        "alt": SOUP,
        "caption": SOUP,
        "credit": TEXT,
    }
)
ATTACHMENT = st.fixed_dictionaries(
    {
        "sha256": SHA256,
        "name": TEXT,
        "title": TEXT,
        "media_type": st.sampled_from(["application/pdf", "text/csv"]),
        "size": st.integers(0, 2**40),
    }
)


def contents() -> st.SearchStrategy[dict[str, Any]]:
    """A content with anything in its parts. One of an older revision has no attachments and no partners."""
    return st.fixed_dictionaries(
        {
            **{part: TEXT for part in shape.blank() if part not in {"attachments", "partners"}},
            "type": st.sampled_from(list(TYPES)),
            "headline": SOUP,
            "summary": SOUP,
            "body": st.lists(BLOCK, max_size=4),
            "picture": st.none() | PICTURE,
            "topics": st.lists(NAMED, max_size=2),
            "organisation": st.none() | NAMED,
            "notes": HTML,
        },
        optional={
            "attachments": st.lists(ATTACHMENT, max_size=3),
            "partners": st.lists(NAMED, max_size=2),
        },
    )
