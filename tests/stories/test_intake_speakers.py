"""Who speaks: the name, the role, and when nobody can tell."""

import pytest

from stories.intake.speakers import Speaker, announces, read


@pytest.mark.parametrize(
    ("who", "name", "role"),
    [
        ("Sir Humbert Quill", "Sir Humbert Quill", ""),
        ("Works Secretary Sir Humbert Quill", "Sir Humbert Quill", "Works Secretary"),
        ("The Works Secretary, Sir Humbert Quill,", "Sir Humbert Quill", "Works Secretary"),
        ("Sir Humbert Quill, Works Secretary,", "Sir Humbert Quill", "Works Secretary"),
        ("Sir\xa0Humbert\xa0Quill".replace("\xa0", " "), "Sir Humbert Quill", ""),
        ("Ann Example (Head of Bridges)", "Ann Example", "Head of Bridges"),
        ("Ann Example – Head of Bridges –", "Ann Example", "Head of Bridges"),
        ("Ann Example, Head of Bridges, Quays and Locks,", "Ann Example", "Head of Bridges, Quays and Locks"),
        ("Ann Example of the University of Marl", "Ann Example", "University of Marl"),
        ("Ann Example, adviser to Sir Humbert Quill,", "Ann Example", "adviser to Sir Humbert Quill"),
        ("Mary van der Berg, the Chief Executive of Marl,", "Mary van der Berg", "Chief Executive of Marl"),
        ("Dr. J. R. Sample", "Dr. J. R. Sample", ""),
        ("The Rt Hon Ann Example MP", "The Rt Hon Ann Example MP", ""),
        ("Secretary of State the Rt Hon Ann Example MP", "the Rt Hon Ann Example MP", "Secretary of State"),
        ("Attorney General Ann Example KC MP", "Ann Example KC MP", "Attorney General"),
        ("Director General Ann Example", "Ann Example", "Director General"),
        (
            "General Sir Bob Sample, Chief of the General Staff,",
            "General Sir Bob Sample",
            "Chief of the General Staff",
        ),
        ("First Sea Lord Admiral Sir Bob Sample", "Admiral Sir Bob Sample", "First Sea Lord"),
        (
            "Chief of Staff Air Chief Marshal Sir Bob Sample",
            "Air Chief Marshal Sir Bob Sample",
            "Chief of Staff",
        ),
        ("Minister Lord Example of Marl", "Lord Example of Marl", "Minister"),
        ("Minister for Rural Bridges Ann Example", "Ann Example", "Minister for Rural Bridges"),
        (
            "Secretary of State for Roads, Rail and Locks Ann Example",
            "Ann Example",
            "Secretary of State for Roads, Rail and Locks",
        ),
        ("Children’s Commissioner Ann Example", "Ann Example", "Children’s Commissioner"),
        ("President Example", "Example", "President"),
        ("Speaking in Marl, Ann Example, the Works Secretary,", "Ann Example", "Works Secretary"),
        ("Speaking in Marl, Odd County, Works Secretary Ann Example", "Ann Example", "Works Secretary"),
        ("Speaking today Sir Humbert Quill", "Sir Humbert Quill", ""),
        ("A spokesperson for the Department", "A spokesperson for the Department", ""),
        ("A Bridge Office spokesman", "A Bridge Office spokesman", ""),
        ("The Bridge Office", "The Bridge Office", ""),
        ("The Prime Minister", "The Prime Minister", ""),
        ("Director of Public Bridges", "Director of Public Bridges", ""),
        ("Mr Bob Sample and Mrs Ann Example", "Mr Bob Sample and Mrs Ann Example", ""),
        (
            "Roads Minister Bob Sample and Rail Minister Ann Example",
            "Roads Minister Bob Sample and Rail Minister Ann Example",
            "",
        ),
        ("WORKS SECRETARY SIR HUMBERT QUILL", "SIR HUMBERT QUILL", "WORKS SECRETARY"),
    ],
)
def test_name_and_role(who: str, name: str, role: str) -> None:
    assert read(f"{who} said:", []) == Speaker(name, role)


@pytest.mark.parametrize(
    "words",
    [
        "said:",
        "says:",
        "added:",
        "also commented:",
        "said today:",
        "said in Marl on Monday:",
        "told the Commons:",
        "SAID:",
    ],
)
def test_verbs(words: str) -> None:
    assert read(f"Ann Example {words}", []) == Speaker("Ann Example")


@pytest.mark.parametrize(
    "words",
    [
        "",
        ":",
        "said:",
        "Ann Example:",
        "Ann Example said",
        "Ann Example said the plan has three parts:",
        "Ann Example said yes. The list:",
        "The bridge is open. Ann Example said:",
        "The report said:",
        "What he said:",
        "Here is what Ann Example said:",
        "the minister said:",
        "The measures in the United States:",
        "Table 1 continued:",
        "Welcoming the news Ann Example said:",
        f"{'Ann ' * 80}said:",
    ],
)
def test_no_attribution(words: str) -> None:
    assert not announces(words)
    assert read(words, [Speaker("Ann Example")]) is None


KNOWN = [Speaker("Sir Humbert Quill", "Works Secretary"), Speaker("Ann Example", "Engineer")]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("He added:", KNOWN[0]),
        ("Later, she added:", KNOWN[0]),
        ("Sir Humbert continued:", KNOWN[0]),
        ("Quill said:", KNOWN[0]),
        ("Ms Example added:", KNOWN[1]),
        ("Mr Sample added:", Speaker("Mr Sample")),
    ],
)
def test_somebody_introduced_above(words: str, found: Speaker) -> None:
    assert read(words, KNOWN) == found


def test_a_pronoun_with_nobody_above() -> None:
    assert announces("He said:")
    assert read("He said:", []) is None
