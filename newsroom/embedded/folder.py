"""The data folder, NEWSROOM_VAR: whether it can be used, by whom, and the secret kept in it."""

import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from newsroom.embedded.refusal import Refusal

# What `load_demo --list` says, kept for the supervisor to show once the pages can be opened.
SIGN_INS = "sign-ins"
BASE = Path(__file__).resolve().parent.parent.parent
# Room for a new PostgreSQL (60 MB with its logs of changes), the static files and some pictures.
BYTES_NEEDED = 200 * 1024 * 1024
# Others may pass through (PostgreSQL does, when root started this) but not look around.
MODE = 0o711 if os.geteuid() == 0 else 0o700
REASONS = {
    errno.EACCES: "files in it belong to another account, or this one may not write there",
    errno.EPERM: "files in it belong to another account, or this one may not write there",
    errno.EROFS: "it is on a read-only file system",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.ENOTDIR: "a file stands in its place",
    errno.EEXIST: "a file stands in its place",
}


class Held(Refusal):
    """Another supervisor uses the folder."""


def data_folder() -> Path:
    """The absolute path that NEWSROOM_VAR names, or `var` in the checkout."""
    return Path(os.environ.get("NEWSROOM_VAR") or BASE / "var").resolve()


def make_usable(folder: Path) -> None:
    """Make `folder` when it is missing, and see that it can be written to and has room.

    Raises:
        Refusal: it cannot, or has not.
    """
    try:
        if not folder.exists():
            folder.mkdir(parents=True)
            folder.chmod(MODE)
        _write_and_remove(folder / f".written-by-{os.getpid()}")
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise _refusal(error, folder) from error
    if free < BYTES_NEEDED:
        raise Refusal(
            f"Newsroom needs {BYTES_NEEDED // 2**20} MB to keep its data in {folder}, and {free // 2**20} MB "
            "are free: make room, or set NEWSROOM_VAR to a folder on another disk."
        )


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep `folder` to this process for as long as the block lasts.

    The kernel lets go of the lock when the process ends, however it ends, so none is ever stale.

    Raises:
        Held: another supervisor has it.
        Refusal: the lock belongs to another account.
    """
    try:
        lock = (folder / "lock").open("a+")
    except OSError as error:
        raise _refusal(error, folder) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise Held(
                f"Newsroom already runs on {folder} (process {holder}): stop that one, or set NEWSROOM_VAR "
                "to another folder."
            ) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def secret_key(folder: Path) -> str:
    """The secret that signs sessions: made once, kept in `folder`/secret-key, readable by its owner alone.

    Raises:
        Refusal: it is there and belongs to another account.
    """
    path = folder / "secret-key"
    try:
        if kept := path.read_text().strip():
            return kept
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _refusal(error, folder) from error
    secret = secrets.token_urlsafe(64)
    write_private(path, secret + "\n")
    return secret


def write_private(path: Path, text: str) -> None:
    """Put `text` into `path`, readable by its owner alone; a crash leaves the old text or the new one."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _refusal(error: OSError, folder: Path) -> Refusal:
    reason = REASONS.get(error.errno or 0, error.strerror)
    return Refusal(
        f"Newsroom cannot keep its data in {folder}: {reason}; set NEWSROOM_VAR to a folder it may write to."
    )


def _write_and_remove(probe: Path) -> None:
    try:
        # More than fits into a directory entry or a file system's reserve.
        probe.write_bytes(bytes(64 * 1024))
    finally:
        probe.unlink(missing_ok=True)
