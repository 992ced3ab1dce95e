"""What must not be possible, whichever way somebody tries: attack by attack, channel by channel.

The channels are the pages, the admin, the verbs and the models from a shell, and SQL as the application's
role (as the owner of the tables: see `test_attacks_on_facts`). Each cell asserts that it is refused, and that
no fact, no sign-off that counts and nothing public changed.
"""

import pytest

from approvals import rules
from approvals.models import (
    Decision,
)
from newsroom.models import Release
from tests.approvals.arming import ARMING, NOT_CLEARED
from tests.approvals.attacks import (
    CHANNELS,
    FAR,
    FORGED,
    STAYS,
    nothing_changes,
    of_another_story,
    sent,
    submitted,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("attack", FORGED)
def test_a_decision_that_nobody_may_take(newsroom, subtests, attack):
    forged = FORGED[attack](newsroom)
    for channel, send in CHANNELS.items():
        with subtests.test(channel), nothing_changes():
            send(forged)


@pytest.mark.parametrize("channel", [name for name in CHANNELS if name != "the admin"])
def test_the_same_with_nothing_wrong_about_it_is_taken(newsroom, channel):
    """Else each of these could be refused for a slip of the test."""
    revision = submitted(newsroom)
    CHANNELS[channel](sent(newsroom, revision))
    assert Decision.objects.get().by == newsroom.lawyer
    assert rules.progress(revision).steps[0].state == "cleared"


@pytest.mark.parametrize("attack", STAYS)
def test_a_decision_that_has_to_stay(newsroom, subtests, attack):
    forged = STAYS[attack](newsroom)
    for channel, send in CHANNELS.items():
        # A page that is sent a second time is answered like the first time.
        with subtests.test(channel), nothing_changes(refused=channel != "a page"):
            send(forged)


def test_a_decision_of_another_story_is_not_taken_back(newsroom, subtests):
    forged = of_another_story(newsroom)
    for channel, send in CHANNELS.items():
        if channel not in ("a page", "a verb"):
            with subtests.test(channel), nothing_changes():
                send(forged)


@pytest.mark.parametrize("attack", NOT_CLEARED)
def test_a_release_that_must_not_be(newsroom, subtests, attack):
    revision = NOT_CLEARED[attack](newsroom)
    for channel, arm in ARMING.items():
        with subtests.test(channel), nothing_changes():
            arm(newsroom, revision)


@pytest.mark.parametrize("channel", ["a page", "a verb", "a verb, for later", "a model", "SQL", "COPY"])
def test_the_same_with_nothing_missing_is_armed(newsroom, channel):
    revision = newsroom.cleared()
    ARMING[channel](newsroom, revision)
    assert Release.objects.public(at=FAR).get().revision == revision
