"""On the path of a Python process, this makes its clock wrong by NEWSROOM_CLOCK_SHIFT seconds.

Python's own clocks alone: what a task or Celery asks. The clock that time is measured with (`monotonic`)
goes on as it is, as it does on a machine whose time is set wrong.
"""

import copyreg
import datetime
import os
import time

SHIFT = float(os.environ["NEWSROOM_CLOCK_SHIFT"])
Real = datetime.datetime
true_time, true_time_ns = time.time, time.time_ns


class Kind(type):
    """What the database's driver makes, in C, is one of them too."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Real)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, Real)


class Shifted(Real, metaclass=Kind):
    """The class that everybody imports from now on."""

    __slots__ = ()

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
        return Real.fromtimestamp(time.time(), tz)

    @classmethod
    def utcnow(cls) -> datetime.datetime:
        return cls.now(datetime.UTC).replace(tzinfo=None)


Shifted.__module__, Shifted.__qualname__, Shifted.__name__ = "datetime", "datetime", "datetime"
datetime.datetime = Shifted  # type: ignore[misc]
time.time = lambda: true_time() + SHIFT
time.time_ns = lambda: true_time_ns() + int(SHIFT * 1_000_000_000)
# Both find their way to the other process of a worker.
copyreg.pickle(Real, lambda value: (Shifted, value.__reduce__()[1]))  # type: ignore[arg-type]
