"""What the processes are told, which is by environment variable only.

The variables are also kept in NEWSROOM_VAR/environment while the server runs, readable by its owner
alone, so that a command typed in another terminal finds the same databases (`script/manage`).
"""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from newsroom.embedded.folder import secret_key, write_private
from newsroom.embedded.refusal import Refusal

DEFAULT_PORT = 8000
# Only these are kept in the file: the rest of the environment is the caller's own.
KEPT = (
    "NEWSROOM_VAR",
    "NEWSROOM_DEMO",
    "PORT",
    "ALLOWED_HOSTS",
    "SECRET_KEY",
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "CELERY_BROKER_URL",
)


def port() -> int:
    """The port that PORT names.

    Raises:
        Refusal: it is not a port number.
    """
    text = os.environ.get("PORT") or str(DEFAULT_PORT)
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise Refusal(f"PORT is {text!r}: set it to a number from 1 to 65535.")
    return int(text)


def is_external() -> bool:
    """Whether the caller brings the database.

    Raises:
        Refusal: the caller brings the database and no broker; the embedded one lives in ours.
    """
    if not os.environ.get("DATABASE_URL"):
        return False
    if not os.environ.get("CELERY_BROKER_URL"):
        raise Refusal(
            "DATABASE_URL is set and CELERY_BROKER_URL is not: set both (a Redis or RabbitMQ URL for the "
            "broker), or neither, to use the PostgreSQL that comes with Newsroom for both."
        )
    return True


def common(folder: Path) -> dict[str, str]:
    """The environment of every process, apart from where its databases are."""
    ours = {
        "NEWSROOM_VAR": str(folder),
        "PORT": str(port()),
        "SECRET_KEY": os.environ.get("SECRET_KEY") or secret_key(folder),
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE") or "newsroom.settings",
        "PYTHONUNBUFFERED": "1",
    }
    if not is_external():
        # On somebody's own machine: the demonstration, reached by its own names, unless told otherwise.
        ours["NEWSROOM_DEMO"] = os.environ.get("NEWSROOM_DEMO") or "1"
        ours["ALLOWED_HOSTS"] = os.environ.get("ALLOWED_HOSTS") or "localhost,127.0.0.1,[::1]"
    return {**os.environ, **ours}


def for_the_application(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` without the owner's way in: what serves pages and runs tasks cannot change facts."""
    return {name: value for name, value in environment.items() if name != "DATABASE_OWNER_URL"}


def for_the_owner(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` with the owner as the one who asks: for migrations and the demonstration's data."""
    owner = environment.get("DATABASE_OWNER_URL")
    return {**environment, "DATABASE_URL": owner} if owner else dict(environment)


def keep(folder: Path, environment: Mapping[str, str]) -> None:
    """Write the variables that other terminals need into `folder`."""
    lines = [f"{name}={shlex.quote(environment[name])}\n" for name in KEPT if name in environment]
    write_private(_file(folder), "".join(lines))


def forget(folder: Path) -> None:
    """Remove what `keep` has written: nothing runs any more."""
    _file(folder).unlink(missing_ok=True)


def kept(folder: Path) -> dict[str, str]:
    """What `keep` has written into `folder`; empty when no server runs on it."""
    try:
        words = shlex.split(_file(folder).read_text())
    except FileNotFoundError:
        return {}
    return dict(word.split("=", 1) for word in words)


def _file(folder: Path) -> Path:
    return folder / "environment"
