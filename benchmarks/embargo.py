"""How exact an embargo is: the page is polled every few milliseconds up to the instant and past it, 50 times.

Measured from the instant to the end of the first answer with status 200, on one machine and one clock: an
answer of 200 before the instant would be negative. Beside it, in the same run, the receipt: how long after
the instant a Celery worker had announced it.
"""

import http.client
import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.stack import Stack, running, table

RUNS = 50
EVERY = 0.003


def main() -> str:
    """Run it; the table."""
    with running() as stack:
        figures = [measure(stack, number) for number in range(RUNS)]
        late = [receipt(release) for _, release, _ in figures]
    offsets = [offset for offset, _, _ in figures]
    polls = sum(count for _, _, count in figures)
    rows = [
        ["first 200 after the instant", *spread(offsets)],
        ["announced after the instant (worker)", *spread(late)],
    ]
    early = sum(offset < 0 for offset in offsets)
    return (
        table([f"{RUNS} releases", "min ms", "median ms", "99% ms", "max ms"], rows)
        + f"\n\nEarly: {early} of {RUNS}, in {polls:,} polls, one every {EVERY * 1000:.0f} ms.\n"
    )


def spread(seconds: list[float]) -> list[str]:
    """The least, the median, the 99th percentile and the greatest, in milliseconds."""
    ordered = sorted(seconds)
    high = ordered[round(0.99 * (len(ordered) - 1))]
    return [f"{value * 1000:.1f}" for value in (ordered[0], statistics.median(ordered), high, ordered[-1])]


def measure(stack: Stack, number: int) -> tuple[float, Any, int]:
    """Arm a story and poll its page; seconds from the instant to the first 200, the release, the polls."""
    release, polls = armed(number, timedelta(seconds=2)), 0
    path = f"/news/{release.revision.slug}/"
    connection = http.client.HTTPConnection("127.0.0.1", stack.port)
    while True:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        seen = datetime.now(UTC)
        polls += 1
        if answer.status == 200:
            return (seen - release.embargo).total_seconds(), release, polls
        time.sleep(EVERY)


def armed(number: int, ahead: timedelta) -> Any:
    """A cleared story whose embargo lifts after `ahead`, at an instant with a fraction of a second."""
    from approvals import clearing, rules
    from approvals.models import PinnedStep
    from newsroom import releasing, tasks
    from stories import content, drafting
    from stories.models import User
    from stories.moments import Moment

    marta, adaeze, ines = (User.objects.get(username=name) for name in ("marta", "adaeze", "ines"))
    body = [{"kind": "paragraph", "html": f"<p>Paragraph {n} of a measured story.</p>"} for n in range(12)]
    words = {
        **content.blank(),
        "headline": f"Measured {number}",
        "slug": f"measured-{number}",
        "summary": "S",
        "body": body,
    }
    revision = drafting.begin(by=marta, content=words)
    clearing.request(revision=revision, by=marta)
    for state in rules.progress(revision).missing:
        step = PinnedStep.objects.get(pk=state.step_id)
        clearing.clear(step=step, revision=revision, covered=state.covered or "", by=adaeze)
    moment = Moment(datetime.now(UTC) + ahead, "Europe/London")
    release = releasing.arm(revision=revision, by=ines, moment=moment)
    # As the page does after arming.
    tasks.expect(release.story)
    return release


def receipt(release: Any) -> float:
    """The lateness on a release's receipt, in seconds; waits until it is written."""
    from newsroom.models import Announcement

    for _ in range(200):
        found = Announcement.objects.filter(release=release).first()
        if found:
            return found.lateness.total_seconds()
        time.sleep(0.1)
    raise SystemExit("A release was never announced.")


if __name__ == "__main__":
    print(main())
