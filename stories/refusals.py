"""Refusals by the database, told apart by the hint that the guard gives, and said in words."""

from django.db import Error


def hint_of(error: Error) -> str:
    """The hint with which a guard refused, or an empty text where it was something else."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return (diagnosis.message_hint if diagnosis else None) or ""
