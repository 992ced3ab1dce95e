"""Run every benchmark and write `benchmarks/RESULTS.md`: `.venv/bin/python -m benchmarks`."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"


def main() -> None:
    """Each in a process of its own, so that none inherits another's database."""
    when = (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, Python {platform.python_version()}"
    )
    parts = [f"# What was measured\n\n{when}. `python -m benchmarks` writes this file.\n"]
    for name, title in (("embargo", "Exactness of an embargo"), ("reads", "Reads of a public page")):
        command = [sys.executable, "-m", f"benchmarks.{name}"]
        found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        parts.append(f"## {title}\n\n{found.strip()}\n")
        print(parts[-1], flush=True)
    RESULTS.write_text("\n".join(parts))


if __name__ == "__main__":
    main()
