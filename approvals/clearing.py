"""The verbs of clearance. The database checks each rule once more, and has the last word."""

from django.db import Error, transaction

from stories.models import Revision, Story, User
from stories.refusals import hint_of

from . import coverage, rules
from .models import Decision, PinnedStep, Route, Submission, Verdict


class Refused(Exception):
    """Clearance refused something. The message says what, why and what to do next."""


class NoRoute(Refused):
    """There is no route with a desk that covers everything."""


class AlreadyRequested(Refused):
    """Clearance was requested already, by the same route."""


class Moved(Refused):
    """The words are not those that were on the screen. `latest` is the newest revision."""

    def __init__(self, seen: Revision, latest: Revision, what: str = "Nothing was signed") -> None:
        if seen.pk == latest.pk:
            words = f"these are not the words of revision {latest.number}. Look at them once more."
        else:
            words = (
                f"the words changed while you were reading. {latest.by} saved revision {latest.number}; the "
                "differences are shown below."
            )
        super().__init__(f"{what}: {words}")
        self.latest = latest


class FourEyes(Refused):
    """Somebody tried to decide on words that they wrote."""


class NotOnDesk(Refused):
    """Somebody tried to decide for a desk that they are not on."""


class NotAsked(Refused):
    """The step is not asked of the story, or has nothing to cover in this revision."""


class ReasonMissing(Refused):
    """Changes were asked for without saying which."""


BY_HINT: dict[str, tuple[type[Refused], str]] = {
    "four_eyes": (
        FourEyes,
        "Nothing was signed: you wrote words in this story. Somebody else on the desk can clear it.",
    ),
    "not_on_desk": (NotOnDesk, "Nothing was signed: only somebody on the desk can decide for it."),
    "not_asked": (NotAsked, "Nothing was signed: this desk is not asked to clear the story any more."),
}


def request(*, revision: Revision, by: User, route: Route | None = None) -> Submission:
    """Lay the newest revision before the desks of `route`, or of the default one.

    Raises:
        NoRoute: no route is set up, or none of its steps covers everything.
        AlreadyRequested: this route is under way; a new revision needs no new request.
        Moved: `revision` is not the newest one.
    """
    route = route or Route.objects.filter(default=True).first()
    if route is None or not route.steps.filter(covers="everything").exists():
        raise NoRoute(
            "Clearance cannot be requested: no route is set up with a desk that covers everything. "
            "An administrator can add one."
        )
    with transaction.atomic():
        Story.objects.select_for_update().get(pk=revision.story_id)
        newest = Submission.objects.filter(story=revision.story_id).order_by("-id").first()
        if newest and newest.route_id == route.pk:
            raise AlreadyRequested(
                f"Clearance was requested already, by the route “{route}”. The desks see the newest revision."
            )
        if revision.story.latest.pk != revision.pk:
            raise Moved(revision, revision.story.latest, "Clearance was not requested")
        return Submission.objects.create(story=revision.story, by=by, revision=revision, route=route)


def clear(*, step: PinnedStep, revision: Revision, covered: str, by: User) -> Decision:
    """Sign off the words with the digest `covered`, which were on the clearer's screen.

    Signing the same words twice, as by a double click, gives the decision that is there.

    Raises:
        Moved: they are not the newest words of what the step covers.
        FourEyes, NotOnDesk, NotAsked: see there.
    """
    return _decide(step, revision, covered, by, Verdict.CLEARED, "")


def ask_for_changes(*, step: PinnedStep, revision: Revision, covered: str, by: User, reason: str) -> Decision:
    """Say what has to change before these words can be cleared. An armed release is disarmed.

    Raises:
        ReasonMissing: `reason` is empty.
        Moved, FourEyes, NotOnDesk, NotAsked: see there.
    """
    if not reason.strip():
        raise ReasonMissing("Nothing was sent: say what has to change, so that the drafter can act on it.")
    return _decide(step, revision, covered, by, Verdict.CHANGES, reason.strip())


def _decide(
    step: PinnedStep, revision: Revision, covered: str, by: User, verdict: Verdict, reason: str
) -> Decision:
    if coverage.covered_digest(revision.content, step.covers) is None:
        raise NotAsked("There is nothing to clear: this revision has no words that the desk covers.")
    if standing := _same(step, revision, covered, by, verdict):
        return standing
    try:
        with transaction.atomic():
            return Decision.objects.create(
                story=revision.story,
                by=by,
                step=step,
                revision=revision,
                desk=step.desk,
                covers=step.covers,
                verdict=verdict,
                covered=covered,
                reason=reason,
            )
    except Error as error:
        hint = hint_of(error)
        if hint in {"stale", "digest"}:
            raise Moved(revision, revision.story.latest) from error
        if hint in BY_HINT:
            kind, words = BY_HINT[hint]
            raise kind(words) from error
        raise


def _same(step: PinnedStep, revision: Revision, covered: str, by: User, verdict: Verdict) -> Decision | None:
    """The sign-off that `by` gave to these words already, if it stands."""
    if verdict != Verdict.CLEARED:
        return None
    state = next((s for s in rules.progress(revision).steps if s.step_id == step.pk), None)
    if state is None or state.covered != covered or state.decision_id is None:
        return None
    return Decision.objects.filter(pk=state.decision_id, revision=revision, by=by).first()
