"""What is better mended in a route: never a refusal, as desks are filled and private offices opened later."""

from collections.abc import Sequence
from dataclasses import dataclass

from . import asking, rules
from .models import Condition, PrivateOffice, Step
from .routing import is_whole


@dataclass(frozen=True)
class Caution:
    """Something about a route that can go wrong, with the step that it is about."""

    words: str
    step: Step | None = None


def cautions(steps: Sequence[Step]) -> list[Caution]:
    """What can go wrong with a route that asks these steps."""
    found: list[Caution] = []
    if not is_whole(steps):
        found.append(
            Caution(
                "No step always covers everything: nobody can request clearance by this route, and it "
                "cannot be the default."
            )
        )
    people = rules.people_of({step.desk_id for step in steps if step.desk_id})
    for step in steps:
        here = len(people.get(step.desk_id or 0, []))
        if step.desk and not here:
            found.append(Caution(f"Nobody is on the desk {step.desk}: nobody could sign.", step))
        elif step.desk and step.quorum == 2 and here < 2:
            found.append(
                Caution(f"Two of {step.desk} have to sign, and there is only one person on that desk.", step)
            )
    offices = [step for step in steps if step.condition == Condition.PRIVATE_OFFICE]
    if offices and not PrivateOffice.objects.exists():
        found.append(
            Caution("No speaker has a private office yet: add them on the page of a desk.", offices[0])
        )
    return found + _late_stages(steps)


def _late_stages(steps: Sequence[Step]) -> list[Caution]:
    """Deadlines that come before those of an earlier stage."""
    found = []
    for step in steps:
        if step.before is None:
            continue
        earlier = [one for one in steps if one.before and one.stage < step.stage and one.before < step.before]
        if earlier:
            name = step.desk or "the private offices"
            found.append(
                Caution(
                    f"The deadline of {name} in stage {step.stage} ({asking.span_words(step.before)} before) "
                    f"comes before one of stage {earlier[0].stage}.",
                    step,
                )
            )
    return found
