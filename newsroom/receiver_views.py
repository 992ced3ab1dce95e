"""The pages on which administrators set up receivers. A secret is shown once, on the answer that makes it."""

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from stories.clocks import database_now
from stories.views import person

from . import delivering, outgoing
from . import receivers as verbs
from .delivery_views import ROWS_A_PAGE, with_numbers
from .models import Receiver, ReceiverKind

INVALID, CONFLICT = 422, 409


class ReceiverForm(forms.Form):
    """What a receiver is called, and where it is."""

    name = forms.CharField(
        max_length=verbs.NAME_LENGTH, label="Name", error_messages={"required": "Give it a name"}
    )
    url = forms.CharField(
        max_length=outgoing.URL_LENGTH,
        label="Address",
        help_text="https://…, at an address that anybody can reach",
        error_messages={"required": "Give the address to which it is sent"},
        widget=forms.URLInput,
    )


class NewReceiverForm(ReceiverForm):
    """The same, and what it is sent, which stays."""

    kind = forms.ChoiceField(choices=ReceiverKind, label="What it is sent")

    field_order = ("name", "kind", "url")


def receivers(request: HttpRequest) -> HttpResponse:
    """All receivers; and a new one."""
    if request.method != "POST":
        return _receivers(request, NewReceiverForm(prefix="new"))
    form = NewReceiverForm(request.POST, prefix="new")
    if form.is_valid():
        try:
            made = verbs.add(**form.cleaned_data)
        except verbs.Invalid as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            delivering.log.info("receiver %s was made by %s", made.pk, person(request))
            messages.success(request, f"{made} is told of each story from now on.")
            return _receiver(request, made, secret=made.secret)
    return _receivers(request, form, INVALID)


def _receivers(request: HttpRequest, form: NewReceiverForm, status: int = 200) -> HttpResponse:
    rows = with_numbers(Receiver.objects.order_by("-active", "name"))
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "form": form, "now": database_now()}
    return render(request, "newsroom/receivers.html", context, status=status)


def receiver(request: HttpRequest, pk: int) -> HttpResponse:
    """One receiver: what it is called and where it is, its secrets, and whether it is sent anything."""
    found = get_object_or_404(Receiver, pk=pk)
    if request.method != "POST":
        return _receiver(request, found)
    form = ReceiverForm(request.POST, prefix="receiver")
    if form.is_valid():
        try:
            verbs.change(receiver=found, **form.cleaned_data)
        except verbs.Invalid as refusal:
            found.refresh_from_db()
            form.add_error(refusal.field, str(refusal))
        else:
            delivering.log.info("receiver %s was changed by %s", pk, person(request))
            messages.success(request, f"{found}: saved.")
            return redirect("receiver", pk)
    return _receiver(request, found, form=form, status=INVALID)


def _receiver(
    request: HttpRequest,
    found: Receiver,
    *,
    form: ReceiverForm | None = None,
    secret: str = "",
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    now = database_now()
    overlaps = found.previous_secret and found.previous_until and found.previous_until > now
    initial = {"name": found.name, "url": found.url}
    context = {
        "found": with_numbers(Receiver.objects.filter(pk=found.pk)).get(),
        "form": form or ReceiverForm(prefix="receiver", initial=initial),
        "secret": secret,
        "last_four": found.secret[-4:],
        "previous": found.previous_secret[-4:] if overlaps else "",
        "overlap_days": verbs.OVERLAP.days,
        "refusal": refusal,
        "now": now,
    }
    return render(request, "newsroom/receiver.html", context, status=status)


def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch a receiver off, or on again."""
    found = get_object_or_404(Receiver, pk=pk)
    if request.method != "POST":
        return redirect("receiver", pk)
    on = request.POST.get("on") == "1"
    dropped = verbs.switch(receiver=found, on=on)
    delivering.log.info("receiver %s was switched %s by %s", pk, "on" if on else "off", person(request))
    if on:
        said = f"{found} is on: it is told of what becomes public from now on."
    elif dropped:
        said = f"{found} is off. {dropped} that waited for it {'is' if dropped == 1 else 'are'} not sent."
    else:
        said = f"{found} is off: it is told of nothing."
    messages.success(request, said)
    return redirect("receiver", pk)


def rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a new secret, and show it this once."""
    found = get_object_or_404(Receiver, pk=pk)
    if request.method != "POST":
        return redirect("receiver", pk)
    seen = request.POST.get("rotation", "")
    try:
        rotation = int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 10 else -1
        secret = verbs.rotate(receiver=found, rotation=rotation)
    except verbs.Refused as refusal:
        return _receiver(request, found, refusal=str(refusal), status=CONFLICT)
    delivering.log.info("receiver %s was given a new secret by %s", pk, person(request))
    found.refresh_from_db()
    return _receiver(request, found, secret=secret)
