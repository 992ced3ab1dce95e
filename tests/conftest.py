"""The tests run as the application's role, on a database that the owner made: what is refused here is
refused in production."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from django.test import Client
from django.test.client import ClientHandler
from playwright.sync_api import Browser, expect, sync_playwright

from newsroom import house
from tests import door, migrated, shares
from tests.emptying import Emptying, emptying
from tests.people import Newsroom, furnish

# Playwright's own event loop makes Django think that the ORM is called from asynchronous code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
ClientHandler.__call__ = door.came_in  # type: ignore[method-assign]
# A machine with much else to do takes longer than a person would wait.
expect.set_options(timeout=30_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each test with a database may reach both roles' connections; the owner's is the one that is flushed."""
    for item in items:
        for mark in item.iter_markers("django_db"):
            mark.kwargs.setdefault("databases", ["default", "owner"])
    items[:] = shares.dealt(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


@pytest.fixture(scope="session")
def _turn(
    django_db_modify_db_settings: None, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Iterator[migrated.Turn | None]:
    """Whose turn it is to make a test database; None where there is one process only."""
    if worker_id == "master" or "owner" not in connections:
        yield None
        return
    with migrated.turn(tmp_path_factory.getbasetemp().parent) as turn:
        yield turn


@pytest.fixture(scope="session")
def django_db_setup(
    _turn: migrated.Turn | None, django_db_setup: None, django_db_blocker
) -> Iterator[Emptying | None]:
    """The test database; connections of other roles are closed before it is dropped."""
    with django_db_blocker.unblock():
        if _turn:
            _turn.over()
        found = emptying()
    yield found
    with django_db_blocker.unblock():
        connections["default"].close()
        if found:
            found.close()


@pytest.fixture(autouse=True)
def _own_folders(settings, tmp_path: Path) -> None:
    """Media and mail of a test stay its own, and a password costs nothing."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MAIL_FOLDER = tmp_path / "mail"
    settings.EMAIL_BACKEND = "newsroom.mailbox.FolderBackend"
    # Nobody looks at a page of whatever else runs on this machine.
    settings.PROBE_URL = "http://127.0.0.1:1"
    # Each test begins with no house settings, and none is asked for in the middle of counting queries.
    settings.HOUSE_KEPT = 3600
    house.keep(None)


@pytest.fixture(autouse=True)
def _swept(request: pytest.FixtureRequest) -> None:
    """See `tests.emptying`."""
    if "_django_db_helper" in request.fixturenames and (found := request.getfixturevalue("django_db_setup")):
        found.sweep_now_and_then()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's own Chromium; `tests.browsing` has what tests do with it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def newsroom(db: None) -> Newsroom:
    """People, desks and a route: see `tests.people`."""
    return furnish()


@pytest.fixture
def live_newsroom(transactional_db: None) -> Newsroom:
    """The same, committed, for tests with several connections."""
    return furnish()


@pytest.fixture
def as_(client: Client):
    """A browser in which somebody is signed in: `as_(newsroom.drafter)`."""

    def sign_in(person) -> Client:
        browser = Client()
        browser.force_login(person)
        return browser

    return sign_in
