"""`script/setup`: which Python it takes, and what it says when there is none."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from newsroom.embedded.folder import BASE

# What the script calls besides Python; the rest of PATH is kept from it.
TOOLS = ("bash", "cut", "dirname", "env", "flock", "sha256sum")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout without .venv, whose packages are none, and a PATH without any Python."""
    (tmp_path / "script").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "requirements.txt").write_text("# nothing\n")
    for name in ("setup", "server"):
        shutil.copy(BASE / "script" / name, tmp_path / "script" / name)
    for tool in TOOLS:
        path = shutil.which(tool)
        assert path, f"{tool} is missing on this machine"
        (tmp_path / "bin" / tool).symlink_to(path)
    return tmp_path


def add_python(checkout: Path, name: str, script: str) -> None:
    path = checkout / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def setup(checkout: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "script" / "server"],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        env={"PATH": str(checkout / "bin")},
    )


def test_no_python(checkout: Path) -> None:
    result = setup(checkout)
    assert result.returncode != 0
    assert result.stderr == (
        "Newsroom needs Python 3.11 or newer, and there is none on PATH: install it, or name it in PYTHON.\n"
    )


def test_only_an_old_python(checkout: Path) -> None:
    # It fails the question whether it is new enough, and would say 3.9 to the other one.
    add_python(checkout, "python3", "case $2 in *'sys.exit'*) exit 1;; *) echo 3.9;; esac")
    result = setup(checkout)
    assert result.returncode != 0
    assert result.stderr.startswith("Newsroom needs Python 3.11 or newer")


def test_a_python_without_venv(checkout: Path) -> None:
    script = f'case $2 in *ensurepip*) exit 1;; *) exec {sys.executable} "$@";; esac'
    add_python(checkout, "python3", script)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    result = setup(checkout)
    assert result.returncode != 0
    assert result.stderr == (
        f"Python {version} lacks its venv module: install it, on Debian or Ubuntu with "
        f"'apt-get install python{version}-venv'.\n"
    )


def test_the_first_good_python_is_taken(checkout: Path) -> None:
    """Past one that a version manager offers but cannot run; and only once."""
    add_python(checkout, "python3.13", "exit 127")
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    add_python(checkout, "python3", f'exec {base} "$@"')
    command = [checkout / "script" / "setup"]
    environment = {"PATH": str(checkout / "bin")}
    first = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    assert first.stdout.splitlines()[0].startswith("Making .venv with Python 3.")
    assert (checkout / ".venv" / "installed-requirements.txt").exists()
    second = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    assert second.stdout == ""
    (checkout / "requirements.txt").write_text("# still nothing, in other words\n")
    third = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    assert third.stdout.splitlines() == [
        "Installing the packages of requirements.txt: about a minute the first time."
    ]
