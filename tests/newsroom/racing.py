"""Many threads at one instant, each with a database connection of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connections


def race(count: int, act: Callable[[int], Any]) -> list[Any]:
    """What each of `count` threads got from `act(number)`: a result, or the exception that it raised."""
    gate = Barrier(count)

    def run(number: int) -> Any:
        try:
            connections["default"].ensure_connection()
            gate.wait(timeout=30)
            return act(number)
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
