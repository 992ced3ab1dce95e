"""What clearers do, in a line each."""

from approvals import clearing, rules
from approvals.models import Decision, Desk
from stories.models import Revision, User
from tests.people import Newsroom


def covered(revision: Revision, desk: Desk) -> str:
    """The digest that a decision of `desk` on a revision has to name."""
    state = next(state for state in rules.progress(revision).steps if state.desk_id == desk.pk)
    return state.covered or ""


def ask(newsroom: Newsroom, revision: Revision, desk: Desk, by: User, reason: str = "Say when.") -> Decision:
    """Ask for changes, for a desk."""
    return clearing.ask_for_changes(
        step=newsroom.step(revision.story, desk),
        revision=revision,
        covered=covered(revision, desk),
        by=by,
        reason=reason,
    )
