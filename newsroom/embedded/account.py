"""Which account PostgreSQL runs as, and how a command is started as that account.

PostgreSQL refuses to run as root. When root starts Newsroom, the server gets a system account of its
own; everybody else runs it as themselves.
"""

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from newsroom.embedded.refusal import Refusal

SERVER_ACCOUNT = "newsroom-postgres"
# Read-only passage through private folders comes first; containers often grant only the second.
PASSAGES = {"dac_read_search": 2, "dac_override": 1}


@dataclass(frozen=True)
class Account:
    """An account of this machine, and the setpriv options that start a command as it."""

    name: str
    uid: int
    gid: int
    options: tuple[str, ...] = ()


def server_account() -> Account:
    """The account that PostgreSQL runs as, made when it is missing.

    Raises:
        Refusal: this is root, and the account can be neither found nor made.
    """
    if os.geteuid() != 0:
        return Account(name=f"user {os.geteuid()}", uid=os.geteuid(), gid=os.getegid())
    if shutil.which("setpriv") is None:
        raise Refusal(
            "PostgreSQL does not run as root, and setpriv (package util-linux), which starts it as "
            "somebody else, is missing: install it, or start Newsroom as an ordinary user."
        )
    entry = _entry() or _add()
    switch = (f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups", "--no-new-privs")
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid, options=switch)


def reaching(account: Account, paths: Sequence[Path]) -> Account:
    """`account`, able to enter the folders and to run the programs `paths`.

    A checkout or data folder below a private one (/root, mostly) stays private: rather than opening
    its parents to everybody, the server keeps the one capability that walks through them.

    Raises:
        Refusal: the paths cannot be reached, and this root has no such capability to hand on.
    """
    if not account.options or _reaches(account, paths):
        return account
    for name, bit in PASSAGES.items():
        if not _effective_capabilities() >> bit & 1:
            continue
        only = f"-all,+{name}"
        # PostgreSQL looks for its own files with access(2), which ignores capabilities without that bit.
        passage = ("--securebits=+no_setuid_fixup", f"--inh-caps={only}", f"--ambient-caps={only}")
        able = replace(account, options=account.options + passage)
        if _reaches(able, paths):
            return able
    raise Refusal(
        f"PostgreSQL runs as the account {account.name}, which cannot reach {', '.join(map(str, paths))}: "
        "put Newsroom below a folder that others may enter, /opt for one, or start it as an ordinary user."
    )


def tied_to_us(command: Sequence[str], *, death_signal: str, account: Account | None = None) -> list[str]:
    """The command line that runs `command` so that the kernel signals it when this process dies.

    Without setpriv (not a Linux machine) the command is unchanged: what a killed supervisor leaves
    behind is then for the next start to find.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return list(command)
    options = account.options if account else ()
    return [setpriv, f"--pdeathsig={death_signal}", *options, "--", *command]


def _entry() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(SERVER_ACCOUNT)
    except KeyError:
        return None


def _add() -> pwd.struct_passwd:
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if useradd is not None:
        options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        subprocess.run(  # noqa: S603  the command is spelled out here
            [useradd, *options, "--shell", "/usr/sbin/nologin", SERVER_ACCOUNT],
            check=False,
            capture_output=True,
        )
    # Another supervisor may be adding the same account at this moment: then its useradd held the lock.
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if entry := _entry():
            return entry
        time.sleep(0.2)
    raise Refusal(
        f"PostgreSQL does not run as root, and the account {SERVER_ACCOUNT} could not be made: "
        f"add it ('useradd --system {SERVER_ACCOUNT}'), or start Newsroom as an ordinary user."
    )


def _reaches(account: Account, paths: Iterable[Path]) -> bool:
    """Whether `account` may enter or run `paths`: tried, because modes, ACLs and mounts all count."""
    script = 'for path in "$@"; do test -x "$path" || exit 1; done'
    command = ["setpriv", *account.options, "--", "sh", "-c", script, "sh", *map(str, paths)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603


def _effective_capabilities() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return 0
