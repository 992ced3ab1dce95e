"""Reads of a public story page, beside nginx serving the same bytes from a file, in turns in one run.

Needs wrk and nginx (Debian packages of these names).
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.stack import free_port, running, table

PATH = "/news/wend-gates/"
ROUNDS, SECONDS, CONNECTIONS = 3, 8, 32
NGINX = """
daemon off; worker_processes 2; pid {folder}/pid; error_log {folder}/error.log; {user}
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; root {folder}/root; default_type text/html; }}
}}
"""


def main() -> str:
    """Run it; the table."""
    missing = [tool for tool in ("wrk", "nginx") if not shutil.which(tool)]
    if missing:
        sys.exit(f"This benchmark needs {' and '.join(missing)}: apt-get install {' '.join(missing)}")
    figures: dict[str, list[tuple[float, float, float]]] = {
        "newsroom (gunicorn)": [],
        "nginx, the same bytes": [],
    }
    with running() as stack:
        page = urllib.request.urlopen(stack.url + PATH).read()
        with nginx(page) as port:
            for _ in range(ROUNDS):
                figures["newsroom (gunicorn)"].append(load(stack.url + PATH))
                figures["nginx, the same bytes"].append(load(f"http://127.0.0.1:{port}/"))
    rows = [
        [
            name,
            *(
                f"{median(values):,.0f}" if n == 0 else f"{median(values):.2f}"
                for n, values in enumerate(zip(*runs, strict=True))
            ),
        ]
        for name, runs in figures.items()
    ]
    ours, plain = (median(run[0] for run in runs) for runs in figures.values())
    heading = f"story page of {len(page):,} bytes, {CONNECTIONS} connections"
    return table([heading, "requests/s", "50% ms", "99% ms"], rows) + f"\n\nRatio: {ours / plain:.3f}.\n"


@contextmanager
def nginx(page: bytes) -> Iterator[int]:
    """An nginx that serves `page`; its port."""
    folder = Path(tempfile.mkdtemp(prefix="newsroom-nginx-"))
    folder.chmod(0o755)
    (folder / "root").mkdir()
    (folder / "root" / "index.html").write_bytes(page)
    port, user = free_port(), "user www-data;" if os.getuid() == 0 else ""
    (folder / "conf").write_text(NGINX.format(folder=folder, port=port, user=user))
    server = subprocess.Popen(["nginx", "-c", folder / "conf", "-p", folder], stderr=subprocess.DEVNULL)
    time.sleep(1)
    if server.poll() is not None:
        sys.exit(f"nginx did not start: {(folder / 'error.log').read_text()}")
    try:
        yield port
    finally:
        server.terminate()
        server.wait(10)
        shutil.rmtree(folder)


def load(url: str) -> tuple[float, float, float]:
    """Requests a second, and the median and the 99th percentile of their time in milliseconds."""
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", url]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in out:
        sys.exit(f"Some answers were no pages:\n{out}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", out)
    times = {percent: _milliseconds(value) for percent, value in re.findall(r"(50|99)%\s+([\d.]+\w+)", out)}
    if not rate or len(times) != 2:
        sys.exit(f"wrk said something else:\n{out}")
    return float(rate[1]), times["50"], times["99"]


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


if __name__ == "__main__":
    print(main())
