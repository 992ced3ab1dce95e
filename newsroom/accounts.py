"""Signing in: staff alone, whose accounts an administrator makes."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from stories.arranging import acting
from stories.models import User

from . import demo


class StaffAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """There is no sign-up: accounts are made in the admin."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def set_password(self, user: User, password: str) -> None:
        """Keep a password that somebody chose for themself, here or by a link from a mail."""
        user.set_password(password)
        with acting(user):
            user.save()

    def render_mail(self, template_prefix: str, email: str, context: Any, headers: Any = None) -> Any:
        """The mail in plain text: nothing of ours is sent as HTML."""
        return super().render_mail(template_prefix, email, context, headers)


@require_POST
def demo_login(request: HttpRequest) -> HttpResponse:
    """Sign in as one of the invented people, in demo mode alone; elsewhere the page does not exist."""
    if not settings.DEMO:
        raise Http404
    person = demo.person(request.POST.get("username", ""))
    if person is None:
        raise Http404
    user = get_object_or_404(User, username=person.username, is_active=True)
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return redirect("desk")
