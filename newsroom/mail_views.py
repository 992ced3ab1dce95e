"""The mail that went out, where it goes into a folder and not to a mail server."""

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from stories.access import Role, roles_of

from . import mailbox

MESSAGES_A_PAGE = 25


def _check(request: HttpRequest) -> None:
    """See to it that the folder is in use, and that this person may read what is in it.

    There is mail in it with which one can set somebody's password: outside of the demo, whose passwords
    everybody knows, it is for administrators alone.

    Raises:
        Http404: there is no such page here, or not for this person.
    """
    allowed = settings.DEMO or Role.ADMINISTRATOR in roles_of(request.user)
    if not (mailbox.in_use() and allowed):
        raise Http404


@require_GET
def mail_list(request: HttpRequest) -> HttpResponse:
    """The messages in the folder, newest first."""
    _check(request)
    page = Paginator(mailbox.messages(), MESSAGES_A_PAGE).get_page(request.GET.get("page"))
    shown = [mailbox.shown(path) for path in page if path.exists()]
    return render(request, "newsroom/mail_list.html", {"page": page, "messages_shown": shown})


@require_GET
def mail_message(request: HttpRequest, name: str) -> HttpResponse:
    """One message."""
    _check(request)
    path = mailbox.find(name)
    if path is None:
        raise Http404
    return render(request, "newsroom/mail_message.html", {"mail": mailbox.shown(path)})
