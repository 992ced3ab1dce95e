"""The verbs of taking a step up, so that two of a desk do not read the same words at once.

A claim binds nobody: whoever may decide still may. It ends by itself as soon as the desk has decided after
it, or the step stands.
"""

from collections.abc import Iterable

from django.db import Error, transaction
from django.db.models import Exists, OuterRef

from stories.models import Story, User
from stories.refusals import hint_of

from . import rules
from .models import Claim, ClaimRelease, Decision, PinnedStep, Standing


class Refused(Exception):
    """Something could not be taken up or let go. The message says what, why and what to do next."""


class Claimed(Refused):
    """Somebody else has it. `claim` is theirs."""

    def __init__(self, claim: Claim) -> None:
        super().__init__(f"Not taken: {claim.by} has it already. Take it over if they cannot finish it.")
        self.claim = claim


class NotOnDesk(Refused):
    """Somebody tried to take what is asked of a desk for which they do not decide."""


class FourEyes(Refused):
    """Somebody tried to take words that they wrote."""


class NotMissing(Refused):
    """There is nothing to take: the step stands, or is not asked any more."""


class NotHeld(Refused):
    """The claim was let go of already."""


def take(*, step: PinnedStep, by: User) -> Claim:
    """Take a step up. Taking what one has already gives the claim that is there.

    Raises:
        Claimed: somebody else has it.
        NotOnDesk, FourEyes, NotMissing: see there.
    """
    return _take(step, by, None)


def take_over(*, step: PinnedStep, by: User, claim: int) -> Claim:
    """Take a step from who has it: `claim` is the id of the claim that was on the screen.

    Raises:
        Claimed: by now somebody else has it than was on the screen.
        NotOnDesk, FourEyes, NotMissing: see there.
    """
    return _take(step, by, claim)


def let_go(*, claim: Claim, by: User) -> ClaimRelease:
    """Leave a step to the others of the desk.

    Raises:
        NotHeld, NotOnDesk: see there.
    """
    try:
        with transaction.atomic():
            Story.objects.select_for_update().get(pk=claim.story_id)
            if ClaimRelease.objects.filter(claim=claim).exists():
                raise NotHeld("Nothing was let go: it had been let go of already.")
            return ClaimRelease.objects.create(story_id=claim.story_id, by=by, claim=claim)
    except Error as error:
        raise _named(error) from error


def open_claims(step_ids: Iterable[int]) -> dict[int, Claim]:
    """Who has which of the steps, by the id of the step: one query for all of them."""
    decided = Decision.objects.filter(step=OuterRef("step"), at__gt=OuterRef("at"))
    missing = Claim.objects.filter(
        step__in=list(step_ids), release=None, step__standing__state__in=rules.MISSING
    )
    return {claim.step_id: claim for claim in missing.exclude(Exists(decided)).select_related("by")}


def _take(step: PinnedStep, by: User, over: int | None) -> Claim:
    try:
        with transaction.atomic():
            story = Story.objects.select_for_update().get(pk=step.submission.story_id)
            standing = Standing.objects.filter(step=step).first()
            if standing is None or standing.state not in rules.MISSING:
                raise NotMissing("Not taken: there is nothing to decide here any more. The sign-off stands.")
            if by.pk in standing.barred:
                raise FourEyes(
                    "Not taken: you wrote words in this story. Somebody else on the desk can take it."
                )
            claim = open_claims([step.pk]).get(step.pk)
            if claim and claim.by_id == by.pk:
                return claim
            if claim and claim.pk != over:
                raise Claimed(claim)
            # Also one that has ended by itself: the database takes one claim at a time.
            for held in Claim.objects.filter(step=step, release=None):
                ClaimRelease.objects.create(story=story, by=by, claim=held)
            return Claim.objects.create(story=story, by=by, step=step)
    except Error as error:
        raise _named(error) from error


def _named(error: Error) -> Exception:
    """The named refusal for what the database said; the error itself where it is something else."""
    match hint_of(error):
        case "not_on_desk":
            return NotOnDesk(
                "Only somebody who decides for the desk now can take what it is asked, or let go of it."
            )
        case "claimed":
            return NotHeld("Not taken: somebody took it at the same moment. Look at the list again.")
    return error
