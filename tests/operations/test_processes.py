"""Children that outlive the supervisor, which the next one finds."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from newsroom.embedded.processes import MARK, end_orphans, supervised


@pytest.fixture
def stubborn(tmp_path: Path):
    """A process that a supervisor of `tmp_path` might have left, and that does not listen to SIGTERM."""
    script = "trap '' TERM QUIT; echo started; while true; do :; done"
    process = subprocess.Popen(
        ["sh", "-c", script], env={**os.environ, MARK: str(tmp_path)}, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_orphans_are_ended(tmp_path: Path, stubborn: subprocess.Popen[str]) -> None:
    assert stubborn.pid in supervised(tmp_path)
    assert end_orphans(tmp_path, seconds=0.2) == 1
    assert stubborn.wait(timeout=5) == -signal.SIGKILL
    assert supervised(tmp_path) == set()


def test_those_of_another_folder_are_not(tmp_path: Path, stubborn: subprocess.Popen[str]) -> None:
    assert end_orphans(tmp_path / "other", seconds=0) == 0
    assert stubborn.poll() is None
