"""The public pages of the mailing list.

They set no cookie and so have no token against forged forms: there is nothing that somebody else's browser
could be made to do here which anybody could not do. Scanners open the links in a mail: only a button acts.
"""

from ipaddress import ip_address, ip_network
from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from . import subscribing
from .public import HTML, site


class AddressForm(forms.Form):
    """The address that is to get the news."""

    email = forms.EmailField(
        label="Email address",
        max_length=254,
        error_messages={
            "required": "Enter an email address",
            "invalid": "Enter an email address like name@example.com",
        },
    )


def _page(template: str, status: int = 200, **context: Any) -> HttpResponse:
    """A page that is about one person: kept by nobody, found by no search."""
    body = render_to_string(template, {"site": site(), **context})
    headers = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"}
    return HttpResponse(body, content_type=HTML, status=status, headers=headers)


def network_of(request: HttpRequest) -> str:
    """From which network a request comes: of IPv6, the part that is given to one customer."""
    address = request.META.get("REMOTE_ADDR", "")
    if settings.ALLAUTH_TRUSTED_PROXY_COUNT:
        address = request.headers.get("X-Forwarded-For", address).rpartition(",")[2].strip()
    try:
        ip = ip_address(address)
    except ValueError:
        return ""
    return str(ip_network((ip, 64), strict=False)) if ip.version == 6 else str(ip)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def subscribe(request: HttpRequest) -> HttpResponse:
    """Ask for the news by mail. The answer is the same for whoever has it already."""
    if request.method != "POST":
        return _page("public/subscribe.html")
    form = AddressForm(request.POST)
    if not form.is_valid():
        error = form.errors["email"][0]
        typed = request.POST.get("email", "")[:254]
        return _page("public/subscribe.html", 422, error=error, typed=typed)
    try:
        subscribing.ask(email=form.cleaned_data["email"], source=network_of(request))
    except subscribing.TooMany as refusal:
        return _page("public/subscribe.html", 429, refusal=str(refusal))
    return _page("public/subscribe_sent.html")


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Confirm an address: the page has a button, and only that does it."""
    try:
        if request.method != "POST":
            return _page("public/subscribe_confirm.html", email=subscribing.address_in(token))
        subscribing.confirm(token=token)
    except subscribing.Stale as refusal:
        return _page("public/subscribe.html", 410, refusal=str(refusal))
    return _page("public/subscribe_done.html")


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Leave the list: by the button of the page, or by that of a mail program (RFC 8058)."""
    try:
        if request.method != "POST":
            subscribing.find(token)
            return _page("public/unsubscribe.html")
        subscribing.unsubscribe(token=token)
    except subscribing.Stale:
        raise Http404 from None
    return _page("public/unsubscribed.html")
