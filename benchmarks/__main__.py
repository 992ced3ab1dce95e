"""Run benchmarks and write `benchmarks/RESULTS.md`: `.venv/bin/python -m benchmarks [NAME [OPTION ...]]`.

Without a name the first two are run: half an hour, nearly all of it for the second, which fills a large
newsroom. What was not run stays as it is there.
"""

import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"
TITLES = {
    "embargo": "Exactness of an embargo",
    "reads": "Reads of a public page",
    "lists": "The lists of a large newsroom",
    "public": "The public pages of a very large newsroom",
    "faults": "Faults",
    "timing": "How long a “not found” takes",
    "many": "Many at one instant",
}
HEADING = "# What was measured\n\n`python -m benchmarks` writes this file.\n"


def main() -> None:
    """Each in a process of its own, so that none inherits another's database."""
    name, *options = sys.argv[1:] or [""]
    if name and name not in TITLES:
        sys.exit(f"There is no benchmark “{name}”: {', '.join(TITLES)}.")
    for one in [name] if name else ["embargo", "reads"]:
        command = [sys.executable, "-m", f"benchmarks.{one}", *options]
        found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        where = f"{os.cpu_count()} cores, Python {platform.python_version()}"
        # Another benchmark may have ended meanwhile.
        sections = kept()
        sections[TITLES[one]] = f"{when}, {where}.\n\n{found.strip()}\n"
        print(f"## {TITLES[one]}\n\n{sections[TITLES[one]]}", flush=True)
        written = [f"## {title}\n\n{sections[title]}" for title in TITLES.values() if title in sections]
        RESULTS.write_text("\n".join([HEADING, *written]))


def kept() -> dict[str, str]:
    """What the file says already, by title."""
    parts = re.split(r"^## (.*)\n\n", RESULTS.read_text() if RESULTS.exists() else "", flags=re.MULTILINE)
    return {title: text.strip() + "\n" for title, text in zip(parts[1::2], parts[2::2], strict=True)}


if __name__ == "__main__":
    main()
