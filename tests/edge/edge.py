"""A real nginx with the configuration of `deploy/`, and the newsroom behind it as gunicorn serves it."""

import http.client
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.newsroom.workers import environment

BASE = Path(__file__).resolve().parents[2]
SITE = "news.example.gov"


class Answer:
    """What came back."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = response.status, response.headers, response.read()


class Edge:
    """An nginx, and the newsroom behind it, which can be stopped by itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plain, self.tls, self.behind = (free_port() for _ in range(3))
        self._web: subprocess.Popen[bytes] | None = None

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """The answer over TLS, each by a connection of its own."""
        context = ssl.create_default_context(cafile=str(self.folder / "cert.pem"))
        raw = socket.create_connection(("127.0.0.1", self.tls), timeout=20)
        with context.wrap_socket(raw, server_hostname=SITE) as secured:
            connection = http.client.HTTPConnection(SITE)
            connection.sock = secured
            connection.request(
                method, path, headers={name.replace("_", "-"): v for name, v in headers.items()}
            )
            with closing(connection):
                return Answer(connection.getresponse())

    def asked(self, path: str) -> int:
        """How often the newsroom itself was asked for `path`."""
        # It writes that down once it has answered.
        time.sleep(0.2)
        return (self.folder / "access.log").read_text().count(f'"GET {path} HTTP')

    def start(self, **variables: str) -> None:
        """Start the newsroom if it is not there, and wait until it answers."""
        if self._web:
            return
        command = ["gunicorn", "newsroom.wsgi:application", f"--bind=127.0.0.1:{self.behind}"]
        command += ["--workers=2", "--threads=4", "--log-level=warning", "--no-control-socket"]
        command += [f"--access-logfile={self.folder / 'access.log'}"]
        ours = {
            "BEHIND_PROXY": "1",
            "SITE_URL": f"https://{SITE}",
            "ALLOWED_HOSTS": SITE,
            "NEWSROOM_FILES_BY_PROXY": "1",
            # Drawn without the names that collecting gives static files.
            "DEBUG": "1",
        }
        with (self.folder / "web.log").open("ab") as log:
            self._web = subprocess.Popen(
                [sys.executable, "-m", *command],
                env={**environment(self.folder), **ours, **variables},
                cwd=BASE,
                stdout=log,
                stderr=log,
            )
        waited_for(lambda: socket.create_connection(("127.0.0.1", self.behind), timeout=1).close())

    def kill(self) -> None:
        """End the newsroom at once, all of its processes."""
        if self._web:
            children = Path(f"/proc/{self._web.pid}/task/{self._web.pid}/children").read_text().split()
            self._web.kill()
            for child in children:
                with suppress(ProcessLookupError):
                    os.kill(int(child), 9)
            self._web.wait()
            self._web = None


@contextmanager
def edge(folder: Path) -> Iterator[Edge]:
    """The nginx, for as long as the block lasts; the newsroom behind it is to be started."""
    there = Edge(folder)
    folder.chmod(0o755)
    _certificate(folder)
    (folder / "nginx.conf").write_text(_configuration(there))
    for each in ("run", "cache"):
        (folder / each).mkdir()
    (folder / "access.log").touch()
    server = subprocess.Popen(
        [nginx(), "-c", folder / "nginx.conf", "-p", folder, "-e", folder / "error.log"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        waited_for(lambda: socket.create_connection(("127.0.0.1", there.tls), timeout=1).close())
        yield there
    finally:
        there.kill()
        server.terminate()
        server.wait(10)


def nginx() -> str:
    """Where nginx is: not in everybody's path."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    assert found, "The tests need nginx: install it ('sudo apt-get install nginx-light')."
    return found


def _configuration(there: Edge) -> str:
    """That of `deploy/`, with the names and paths of this place, each of which has to be in it."""
    text = (BASE / "deploy" / "nginx.conf").read_text()
    folder = there.folder
    changes = {
        "127.0.0.1:8000": f"127.0.0.1:{there.behind}",
        "/etc/ssl/newsroom/fullchain.pem": f"{folder}/cert.pem",
        "/etc/ssl/newsroom/privkey.pem": f"{folder}/key.pem",
        "/var/cache/nginx/": f"{folder}/cache/",
        "/var/log/nginx/": f"{folder}/",
        # Written at once, for who looks at it.
        " buffer=64k flush=5s;": ";",
        "/run/nginx/": f"{folder}/run/",
        "/srv/newsroom/media/": f"{folder}/media/",
        "/srv/newsroom/static/": f"{BASE}/static/",
        "listen 80 default_server": f"listen 127.0.0.1:{there.plain} default_server",
        "listen 443 ssl http2 default_server": f"listen 127.0.0.1:{there.tls} ssl http2 default_server",
        # One family is enough, and not every machine has the other.
        "listen [::]:80 default_server;": "",
        "listen [::]:443 ssl http2 default_server;": "",
        "events {": f"pid {folder}/run/nginx.pid; daemon off;\nevents {{",
    }
    if os.getuid() == 0:
        changes["worker_processes auto;"] = "worker_processes auto; user root;"
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def _certificate(folder: Path) -> None:
    """A certificate for the site, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SITE)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(SITE)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def waited_for(act, seconds: float = 30) -> None:
    """Try something until it does not fail any more.

    Raises:
        TimeoutError: it fails still.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            act()
        except OSError as error:
            if time.monotonic() > until:
                raise TimeoutError from error
            time.sleep(0.05)
        else:
            return
