"""The API as its own description has it, asked by schemathesis, with all of its checks."""

from collections.abc import Iterator

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import positive_data_acceptance

from newsroom.wsgi import application
from tests.checkers.stage import furnish

pytestmark = pytest.mark.django_db

HOST = "http://testserver"


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """A request leaves the connection open in which the test's stories are, as with Django's own client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def operations(newsroom, settings) -> dict[str, APIOperation]:
    """What the server itself describes, of a newsroom with stories."""
    settings.CELERY_BROKER_URL, settings.SITE_URL = "memory://", HOST
    furnish(newsroom)
    described = schemathesis.openapi.from_wsgi("/api/openapi.json", application, base_url=HOST)
    found = [result.ok() for result in described.get_all_operations()]
    return {operation.path: operation for operation in found}


def test_the_api_is_as_it_is_described(operations):
    """Asked what the description allows, and what it does not: status, body, headers are what it says."""
    # All but the description itself, which was read to know of them.
    assert operations.keys() == {"/api/stories/", "/api/stories/{uuid}/"}
    for operation in operations.values():
        for mode in GenerationMode.POSITIVE, GenerationMode.NEGATIVE:

            @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None)
            @given(operation.as_strategy(generation_mode=mode))
            def holds(case: Case) -> None:
                # Of all texts that a cursor could be, only those are taken that were given out.
                made_up = [positive_data_acceptance] if "cursor" in (case.query or {}) else []
                case.call_and_validate(base_url=HOST, excluded_checks=made_up)

            holds()
