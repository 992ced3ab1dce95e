"""Copies under embargo as the tests give, acknowledge and read them."""

from typing import Any

from django.test import Client

from newsroom import embargo, holders, mailbox, releasing
from newsroom.models import Acknowledgement, EmbargoGrant, Move, Release
from stories.moments import Moment
from tests.people import Newsroom

QUILL = {"name": "Nora Quill", "email": "quill@ledger.example", "outlet": "The Evening Ledger"}


def given(newsroom: Newsroom, release: Release, **changes: Any) -> EmbargoGrant:
    """A copy of an armed story, for Nora Quill unless somebody else is named."""
    return embargo.give(story=release.story, by=newsroom.officer, **{**QUILL, **changes})


def token_of(grant: EmbargoGrant) -> str:
    return embargo.path(grant).split("/")[2]


def acknowledged(grant: EmbargoGrant) -> Acknowledgement:
    """The acknowledgement of what is armed now."""
    token = token_of(grant)
    return embargo.acknowledge(token=token, seen=embargo.look(embargo.find(token)).seen)


def stage(grant: EmbargoGrant) -> embargo.Stage:
    return embargo.look(embargo.find(token_of(grant))).stage


def move(newsroom: Newsroom, release: Release, moment: Moment) -> Move:
    """Move what is armed."""
    armed = release.visibility
    armed.refresh_from_db()
    return releasing.move(
        story=release.story,
        by=newsroom.officer,
        moment=moment,
        reason="The speech moved.",
        seen=(release.pk, armed.moment),
    )


def mailed() -> list[Any]:
    """The mails that go out now, parsed, in the order in which they went."""
    before = set(mailbox.messages())
    while holders.send_next():
        pass
    found = [path for path in mailbox.messages() if path not in before]
    return [mailbox.read(path) for path in sorted(found, key=lambda path: path.stat().st_mtime_ns)]


def reader() -> Client:
    """A reader's browser, with the check of forged forms switched on as it is in production."""
    return Client(enforce_csrf_checks=True)
