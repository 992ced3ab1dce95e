"""The words by which an attribution is known, in lower case."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


VERBS = _words("said says added adds commented remarked replied told")
# These announce as many tables and chapters as quotes: only after what is certainly a person.
WEAK_VERBS = _words("continued concluded explained stated")

BEFORE_VERB = _words("also then later further has had have today yesterday")
AFTER_VERB = _words("""
    today yesterday tonight in on at of about during after afterwards following before ahead as to when while
    this last earlier later speaking monday tuesday wednesday thursday friday saturday sunday
""")

PRONOUNS = _words("he she they")

# The first words of what may stand before the speaker: "Speaking in Lisbon, ...".
INTRODUCTIONS = _words("""
    speaking commenting responding welcoming reacting announcing addressing launching opening visiting marking
    writing praising thanking discussing concluding summarising confirming unveiling closing following
    reflecting adding in on at during after before ahead as when while with from for today yesterday earlier
    later meanwhile but and
""")

# Titles begin a name. Those of the police are left out: "Chief Constable" is a post.
TITLES = _words("""
    sir dame dr professor prof mr mrs ms miss mx lord lady baroness baron viscount earl rt hon
    honourable reverend rev revd councillor cllr admiral general colonel brigadier captain commodore marshal
    major lieutenant lt
""")
PEERS = _words("lord lady baroness baron viscount earl")
TITLES_WITH_ARTICLE = _words("rt right hon honourable reverend rev revd")
RANK_BEFORE = _words("lieutenant lt vice rear air chief field wing group squadron major")
AFTER_NAME = _words("mp msp ms mla qc kc cbe obe mbe dbe kcb frs")
SHORT_FORMS = _words("st gen col maj capt brig cdr")

# Titles that are part of a role in this company: (the words before, the words after).
NOT_TITLES = {
    "general": (
        _words("""
            attorney solicitor director governor secretary auditor surgeon inspector advocate consul registrar
            adjutant
        """),
        _words("secretary manager counsel staff practitioner medical council"),
    ),
    "lord": (
        _words("sea"),
        _words("chancellor mayor chief president privy advocate justice provost speaker commissioner"),
    ),
    "major": (_words(""), _words("projects incident incidents events crime")),
}

ROLES = _words("""
    secretary minister director chief executive officer president chair chairman chairwoman chairperson
    commissioner spokesperson spokesman spokeswoman spokespeople head mayor ambassador governor chancellor
    leader manager adviser advisor inspector superintendent constable analyst economist statistician scientist
    surgeon coordinator champion envoy representative speaker judge justice controller comptroller
    treasurer registrar principal bishop archbishop rector dean partner founder editor researcher curator
    ombudsman regulator lead deputy official source
""")

PARTICLES = _words("de da di del der den van von la le bin ibn al ap y")

# What may stand between the capitals of an organisation or of somebody unnamed.
CONNECTORS = _words("""
    a an the of for and in at on to with by from senior junior former acting interim joint local government
""")
