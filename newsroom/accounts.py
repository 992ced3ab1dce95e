"""Signing in: staff alone, whose accounts an administrator makes."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class StaffAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """There is no sign-up: accounts are made in the admin."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
