"""What processes cost: the time that they spend on processors, and the memory that they take."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
#: Of the second half of /proc/PID/stat: the time in user and in system mode.
USER, SYSTEM = 11, 12


def tree(pid: int) -> list[int]:
    """A process and all that came of it."""
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            found += tree(int(child))
    return found


def spent(pids: list[int]) -> float:
    """Seconds that the trees below these processes have spent on processors so far."""
    total = 0
    for pid in {each for root in pids for each in tree(root)}:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[USER]) + int(fields[SYSTEM])
    return total / TICKS


def memory(pid: int) -> tuple[float, float]:
    """Megabytes that a process has in memory: all (RSS), and its share of what it shares (PSS)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    return sizes["Rss"] / 1024, sizes["Pss"] / 1024
