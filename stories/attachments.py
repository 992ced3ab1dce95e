"""Attachments: PDF and CSV files, known by their content and not by their name.

A PDF is written anew in a process of its own (`pdfs`), so that nothing hidden in it goes out. A CSV file
is text that anybody can look through: it is kept as it is, or refused.
"""

import csv
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import IO

from django.conf import settings

from . import files, pdfs
from .models import Asset, User

PDF = "application/pdf"
CSV = "text/csv"
MEDIA_TYPES = (PDF, CSV)
#: How many a story can have.
MOST = 20
#: A little more than `pdfs` gives itself.
SECONDS = pdfs.SECONDS + 5

_NEITHER = "It is neither a PDF nor a CSV file. Export the document as PDF, a table as “CSV UTF-8”."
# What another program would take for a page, a document or a program of its own.
_OTHER = re.compile(r"\s*(?:<|\{\\rtf|#!|%!)|.{0,1024}%PDF-", re.IGNORECASE | re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# What a spreadsheet would compute, or run, on opening the file. "-5" and "+44 20" are no such thing.
_FORMULA = re.compile(r"\s*(?:[=@]|[+-]\s*[A-Za-z_]+[\w.]*\s*\(|[+-].*[|!])", re.DOTALL)


class AttachmentRefused(ValueError):
    """A file cannot be attached. The message says why and what to do."""


def store(file: IO[bytes], by: User) -> Asset:
    """Store a document for `by` and give its asset; the same document twice is one asset.

    Raises:
        AttachmentRefused: it is too large, or neither a PDF nor a CSV file that can be published.
    """
    raw = file.read(settings.ATTACHMENT_MAX_BYTES + 1)
    if len(raw) > settings.ATTACHMENT_MAX_BYTES:
        limit = settings.ATTACHMENT_MAX_BYTES // 1024 // 1024
        raise AttachmentRefused(f"It is larger than {limit} MB. Save it smaller, or in parts.")
    if raw.startswith(b"%PDF-"):
        return files.keep(_clean_pdf(raw), PDF, by)
    _check_csv(raw)
    return files.keep(raw, CSV, by)


def _clean_pdf(raw: bytes) -> bytes:
    command = [sys.executable, "-I", str(Path(pdfs.__file__))]
    try:
        done = subprocess.run(command, input=raw, capture_output=True, timeout=SECONDS, env={}, check=False)  # noqa: S603 - our own program
    except subprocess.TimeoutExpired:
        done = None
    if done and done.returncode == 0:
        return done.stdout
    if done and done.returncode == pdfs.REFUSED:
        raise AttachmentRefused(done.stdout.decode())
    raise AttachmentRefused(f"It cannot be read in the time and memory that there are for it. {pdfs.AGAIN}")


def _check_csv(raw: bytes) -> None:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AttachmentRefused(_NEITHER) from error
    if _CONTROL.search(text) or _OTHER.match(text):
        raise AttachmentRefused(_NEITHER)
    first = text.lstrip().split("\n", 1)[0]
    # Of the two signs the one that parts the first line into more columns.
    _check_rows(text, max(",;", key=first.count))


def _check_rows(text: str, delimiter: str) -> None:
    columns = count = 0
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if not row:
                continue
            count += 1
            columns = columns or len(row)
            if columns < 2:
                raise AttachmentRefused(_NEITHER)
            if len(row) != columns:
                raise AttachmentRefused(
                    f"It is no table: line {reader.line_num} has {len(row)} columns, the first {columns}."
                    " Leave out titles and notes above and below the table."
                )
            if any(_FORMULA.match(cell) for cell in row):
                raise AttachmentRefused(
                    f"Line {reader.line_num} has a formula, which a spreadsheet would run. "
                    "Save the values alone."
                )
    except csv.Error as error:
        raise AttachmentRefused(
            f"It is no table: line {reader.line_num} cannot be read. Save it again as “CSV UTF-8”."
        ) from error
    if count < 2:
        raise AttachmentRefused(_NEITHER)
