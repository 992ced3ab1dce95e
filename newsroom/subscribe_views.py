"""The public pages of the mailing list.

They set no cookie and so have no token against forged forms: there is nothing that somebody else's browser
could be made to do here which anybody could not do. Scanners open the links in a mail: only a button acts.
"""

from ipaddress import ip_address, ip_network
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from . import choosing, digesting, subscribing
from .choosing import Choice, Offer
from .models import Subscriber
from .public import HTML, site, versions
from .subscribe_forms import ChoiceForm, SubscribeForm


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
    offers = choosing.offered()
    if request.method != "POST":
        form = SubscribeForm(offers, initial=_named_in(request, offers))
        return _page("public/subscribe.html", form=form, versions=versions(request))
    form = SubscribeForm(offers, data=request.POST)
    if not form.is_valid():
        return _page("public/subscribe.html", 422, form=form)
    try:
        subscribing.ask(
            email=form.cleaned_data["email"], source=network_of(request), choice=form.cleaned_choice
        )
    except subscribing.TooMany as refusal:
        return _page("public/subscribe.html", 429, form=form, refusal=str(refusal))
    return _page("public/subscribe_sent.html")


def _named_in(request: HttpRequest, offers: list[Offer]) -> Choice:
    """The choice that an address such as `?topic=bridges` names; what is not offered is not looked at."""
    named = {(kind.value, slug) for kind in choosing.KINDS for slug in request.GET.getlist(kind.value)}
    return Choice(tags=tuple((kind, slug) for kind, slug, _ in offers if (kind, slug) in named))


def _stale(refusal: subscribing.Refused) -> HttpResponse:
    return _page("public/subscribe.html", 410, form=SubscribeForm(choosing.offered()), refusal=str(refusal))


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Confirm an address: the page has a button, and only that does it."""
    try:
        if request.method != "POST":
            asked = subscribing.asked_in(token)
            return _page(
                "public/subscribe_confirm.html",
                email=asked.email,
                gets=_gets(asked.choice.daily, asked.chosen),
            )
        subscriber = subscribing.confirm(token=token)
    except subscribing.Stale as refusal:
        return _stale(refusal)
    return _page(
        "public/subscribe_done.html", gets=_gets_now(subscriber), choices=subscribing.choices_path(subscriber)
    )


def _gets(daily: bool, chosen: list[Offer]) -> dict[str, Any]:
    """What somebody gets and how often, as the pages say it."""
    return {"daily": daily, "chosen": chosen, "at": digesting.time_in_words()}


def _gets_now(subscriber: Subscriber) -> dict[str, Any]:
    rows = subscriber.chosen.all()
    return _gets(subscriber.daily, [Offer(row.kind, row.slug, row.name) for row in rows])


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def choices(request: HttpRequest, token: str) -> HttpResponse:
    """What somebody on the list gets, and changing it: the link to it is in each mail of theirs."""
    try:
        subscriber = subscribing.find_to_choose(token)
        offers = choosing.offered(subscriber)
        shown: dict[str, Any] = {"email": subscriber.email, "leave": subscribing.unsubscribe_path(subscriber)}
        if request.method != "POST":
            form = ChoiceForm(offers, initial=choosing.of(subscriber))
            return _page("public/subscribe_choices.html", form=form, **shown)
        form = ChoiceForm(offers, data=request.POST)
        if not form.is_valid():
            return _page("public/subscribe_choices.html", 422, form=form, **shown)
        saved = subscribing.choose(token=token, choice=form.cleaned_choice)
    except subscribing.Left:
        return _page("public/unsubscribed.html")
    except subscribing.Stale:
        raise Http404 from None
    form = ChoiceForm(choosing.offered(saved), initial=choosing.of(saved))
    return _page("public/subscribe_choices.html", form=form, saved=_gets_now(saved), **shown)


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
