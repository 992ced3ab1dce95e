"""The verbs of clearance. The database checks each rule once more, and has the last word."""

from collections.abc import Iterable

from django.db import Error, transaction
from django.db.models import Q

from stories import checks
from stories.models import Revision, Story, User
from stories.refusals import hint_of

from . import coverage, routing, rules
from .models import ALL, Decision, PinnedStep, Route, Seen, Submission, Verdict

#: What a step asks, by which a route is held against what was pinned of it.
ASKS = ("desk_id", "covers", "whom", "condition", "value", "stage", "position", "quorum", "before")


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


class Incomplete(Refused):
    """Something is missing that a clearer has to see. `problems` say what, each with its field."""

    def __init__(self, problems: list[checks.Problem]) -> None:
        words = "; ".join(problem.words for problem in problems)
        super().__init__(f"Clearance was not requested: something is missing in the draft. {words}.")
        self.problems = problems


class Objection(Refused):
    """A desk asked for changes or refused, and the route that was chosen does not ask it."""


class FourEyes(Refused):
    """Somebody tried to clear words that they, or whom they stand in for, wrote."""


class NotOnDesk(Refused):
    """Somebody tried to decide for a desk that they are not on."""


class NotDeputy(Refused):
    """Somebody tried to decide on behalf of a person for whom they do not stand in now."""


class NotAsked(Refused):
    """The step is not asked of the story, or has nothing to cover in this revision."""


class NotOpen(Refused):
    """A stage before the step's is not met yet."""


class RefusedByDesk(Refused):
    """Somebody of the desk refused the very words, and has not taken that back."""


class ReasonMissing(Refused):
    """Changes were asked for, or words refused, without saying why."""


class NotYours(Refused):
    """Only who decided, or whom it was decided for, can take a decision back."""


class NotStanding(Refused):
    """The decision does not stand any more."""


class AlreadyPublic(Refused):
    """The story is public on this sign-off."""


BY_HINT: dict[str, tuple[type[Refused], str]] = {
    "objection": (
        Objection,
        "Clearance was not requested: this route leaves out a desk that objected. Choose one that asks it.",
    ),
    "four_eyes": (
        FourEyes,
        "Nothing was signed: you wrote words in this story. Somebody else on the desk can clear it.",
    ),
    "not_on_desk": (NotOnDesk, "Nothing was signed: only somebody on the desk can decide for it."),
    "not_deputy": (
        NotDeputy,
        "Nothing was signed: you do not stand in for this person on the desk now. They can appoint you.",
    ),
    "not_asked": (NotAsked, "Nothing was signed: this desk is not asked to clear the story any more."),
    "not_open": (
        NotOpen,
        "Nothing was signed: an earlier stage is not met yet. You can ask for changes already.",
    ),
    "refused": (
        RefusedByDesk,
        "Nothing was signed: somebody of the desk refused these words, and only they can take that back.",
    ),
    "not_yours": (
        NotYours,
        "Nothing was taken back: only who decided, or the person it was decided for, can do that.",
    ),
    "not_standing": (
        NotStanding,
        "Nothing was taken back: a later decision has taken its place. Look at it first.",
    ),
    "public": (
        AlreadyPublic,
        "Nothing was taken back: the story is public on this sign-off. Tell the duty officer.",
    ),
}


def request(*, revision: Revision, by: User, route: Route | None = None) -> Submission:
    """Lay the newest revision before the desks of `route`, or of the default one.

    A route that was changed since can be requested again: sign-offs that stand still count.

    Raises:
        NoRoute: no route is set up, or none of its steps always asks a desk to cover everything.
        Incomplete: the words lack something that has to be there.
        AlreadyRequested: this route, as it is, is under way; a new revision needs no new request.
        Moved: `revision` is not the newest one.
        Objection: a desk objected that this route does not ask.
    """
    route = route or Route.objects.filter(default=True).first()
    if route is None or not routing.is_whole(route.steps.all()):
        raise NoRoute(
            "Clearance cannot be requested: no route is set up with a desk that covers everything. "
            "Whoever manages routes can add one."
        )
    if problems := checks.problems(revision.content):
        raise Incomplete(problems)
    try:
        return _request(revision, by, route)
    except Error as error:
        raise _named(error) from error


def _request(revision: Revision, by: User, route: Route) -> Submission:
    with transaction.atomic():
        Story.objects.select_for_update().get(pk=revision.story_id)
        newest = Submission.objects.filter(story=revision.story_id).order_by("-id").first()
        if newest and newest.route_id == route.pk and not route_changed(newest):
            raise AlreadyRequested(
                f"Clearance was requested already, by the route “{route}”. The desks see the newest revision."
            )
        if revision.story.latest.pk != revision.pk:
            raise Moved(revision, revision.story.latest, "Clearance was not requested")
        return Submission.objects.create(story=revision.story, by=by, revision=revision, route=route)


def route_changed(submission: Submission) -> bool:
    """Whether the route asks something else today than when clearance was requested by it, or others."""
    asks = set(submission.route.steps.values_list(*ASKS))
    asked = list(submission.steps.all())
    pinned = {tuple(getattr(step, name) for name in ASKS) for step in asked if step.pattern_id is None}
    return asks != pinned or _people_changed(asked)


def _people_changed(asked: Iterable[PinnedStep]) -> bool:
    """Whether a desk of which all have to sign has other people than when it was asked."""
    everybody = [step for step in asked if step.quorum == ALL and step.desk_id]
    if not everybody:
        return False
    here = rules.people_of(step.desk_id for step in everybody if step.desk_id)
    return any(
        {person.pk for person in here.get(step.desk_id or 0, [])} != set(step.people) for step in everybody
    )


def clear(
    *,
    step: PinnedStep,
    revision: Revision,
    covered: str,
    by: User,
    remark: str = "",
    on_behalf: User | None = None,
) -> Decision:
    """Sign off the words with the digest `covered`, which were on the clearer's screen.

    `on_behalf` is the person for whom a deputy signs. Signing the same words twice, as by a double
    click, gives the decision that is there.

    Raises:
        Moved: they are not the newest words of what the step covers.
        NotOpen: an earlier stage is not met yet.
        RefusedByDesk, FourEyes, NotOnDesk, NotDeputy, NotAsked: see there.
    """
    return _decide(step, revision, covered, by, Verdict.CLEARED, remark.strip(), on_behalf)


def ask_for_changes(
    *,
    step: PinnedStep,
    revision: Revision,
    covered: str,
    by: User,
    reason: str,
    on_behalf: User | None = None,
) -> Decision:
    """Say what has to change before these words can be cleared. An armed release is disarmed.

    Raises:
        ReasonMissing: `reason` is empty.
        Moved, NotOnDesk, NotDeputy, NotAsked: see there.
    """
    return _decide(step, revision, covered, by, Verdict.CHANGES, _reason(reason), on_behalf)


def refuse(
    *,
    step: PinnedStep,
    revision: Revision,
    covered: str,
    by: User,
    reason: str,
    on_behalf: User | None = None,
) -> Decision:
    """Refuse these words: nobody else of the desk can clear them until it is taken back. Disarms.

    Raises:
        ReasonMissing: `reason` is empty.
        Moved, NotOnDesk, NotDeputy, NotAsked: see there.
    """
    return _decide(step, revision, covered, by, Verdict.REFUSED, _reason(reason), on_behalf)


def take_back(*, decision: Decision, by: User, reason: str = "") -> Decision:
    """Take a decision back, before the story is public. An armed release is disarmed at this commit.

    Raises:
        NotYours, NotStanding, AlreadyPublic: see there.
    """
    try:
        with transaction.atomic():
            return Decision.objects.create(
                story=decision.story,
                by=by,
                step=decision.step,
                revision=decision.revision,
                desk=decision.desk,
                covers=decision.covers,
                whom=decision.whom,
                covered=decision.covered,
                on_behalf=decision.on_behalf if by.pk == decision.by_id else None,
                verdict=Verdict.TAKEN_BACK,
                takes_back=decision,
                reason=reason.strip(),
            )
    except Error as error:
        raise _named(error) from error


def seen(*, revision: Revision, by: User) -> None:
    """Note that a revision was on somebody's screen: what the next difference is counted from."""
    Seen.objects.bulk_create(
        [Seen(person=by, story_id=revision.story_id, revision=revision)], ignore_conflicts=True
    )


def _reason(reason: str) -> str:
    if not reason.strip():
        raise ReasonMissing("Nothing was sent: say what has to change, so that the drafter can act on it.")
    return reason.strip()


def _decide(
    step: PinnedStep,
    revision: Revision,
    covered: str,
    by: User,
    verdict: Verdict,
    reason: str,
    on_behalf: User | None,
) -> Decision:
    desk = step.desk
    if desk is None or coverage.covered_digest(revision.content, step.covers, step.whom) is None:
        raise NotAsked("There is nothing to clear: this revision has no words that the desk covers.")
    if standing := _same(step, revision, covered, by, verdict, reason, on_behalf):
        return standing
    try:
        with transaction.atomic():
            return Decision.objects.create(
                story=revision.story,
                by=by,
                step=step,
                revision=revision,
                desk=desk,
                covers=step.covers,
                whom=step.whom,
                verdict=verdict,
                covered=covered,
                reason=reason,
                on_behalf=on_behalf,
            )
    except Error as error:
        if hint_of(error) in {"stale", "digest"}:
            raise Moved(revision, revision.story.latest) from error
        if on_behalf and hint_of(error) == "four_eyes":
            raise FourEyes(
                f"Nothing was signed: you or {on_behalf} wrote words in this story. Somebody else on the "
                "desk can clear it."
            ) from error
        raise _named(error) from error


def _named(error: Error) -> Exception:
    """The named refusal for what the database said; the error itself where it is something else."""
    found = BY_HINT.get(hint_of(error) or "")
    return found[0](found[1]) if found else error


def _same(
    step: PinnedStep,
    revision: Revision,
    covered: str,
    by: User,
    verdict: Verdict,
    reason: str,
    on_behalf: User | None,
) -> Decision | None:
    """What `by` said of these words already, if it is the same and stands: a form that was sent twice."""
    said = Decision.objects.filter(
        story=revision.story_id, desk=step.desk, covers=step.covers, whom=step.whom
    )
    whose = on_behalf or by
    last = (
        said.filter(covered=covered)
        .filter(Q(on_behalf=whose) | Q(on_behalf=None, by=whose))
        .order_by("-id")
        .first()
    )
    wanted = (step.pk, revision.pk, by.pk, verdict, reason, on_behalf and on_behalf.pk)
    if last is None or wanted != (
        last.step_id,
        last.revision_id,
        last.by_id,
        last.verdict,
        last.reason,
        last.on_behalf_id,
    ):
        return None
    if verdict != Verdict.CLEARED:
        return last
    # A sign-off that a colleague has spoken against since is given anew.
    state = next((s for s in rules.progress(revision).steps if s.step_id == step.pk), None)
    counts = state is not None and state.covered == covered and last.pk in state.decisions
    return last if counts else None
