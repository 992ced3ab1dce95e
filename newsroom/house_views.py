"""The page on which administrators set how the newsroom presents itself, and its preview."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from stories.clocks import database_now, office
from stories.views import person

from . import colours, house, sample, showing
from .colours import Scheme
from .house_forms import HouseForm
from .listing import newest
from .public import of_home, of_story, shown_at, site

INVALID, CONFLICT = 422, 409
#: What can be looked at before it is saved, by the value of its button: a page in a scheme, and its name.
PREVIEWS: dict[str, tuple[str, Scheme, str]] = {
    "home-light": ("home", "light", "Home, light"),
    "home-dark": ("home", "dark", "Home, dark"),
    "story-light": ("story", "light", "A story, light"),
    "story-dark": ("story", "dark", "A story, dark"),
}


def settings_page(request: HttpRequest) -> HttpResponse:
    """How the newsroom presents itself; sent, it does so from then on."""
    if request.method != "POST":
        return _page(request, HouseForm(request=request))
    form = HouseForm(request.POST, request.FILES, request=request)
    if not form.is_valid():
        return _page(request, form, status=INVALID)
    try:
        house.save(by=person(request), follows=form.cleaned_data["follows"], shown=form.shown)
    except house.Unchanged as refusal:
        messages.info(request, str(refusal))
    except house.Overtaken as refusal:
        return _overtaken(request, form, refusal)
    else:
        messages.success(request, "Saved: every public page shows it from now on.")
    return redirect("house")


def _overtaken(request: HttpRequest, form: HouseForm, refusal: house.Overtaken) -> HttpResponse:
    # Saving again is then a decision: it sets this in the place of theirs, which stays on the record.
    form.rebase(refusal.newest.pk)
    theirs = showing.differences(form.shown, showing.of_fact(refusal.newest))
    return _page(request, form, status=CONFLICT, overtaken=refusal, theirs=theirs)


def _page(request: HttpRequest, form: HouseForm, *, status: int = 200, **context: Any) -> HttpResponse:
    now = form.before.house
    context |= {
        "form": form,
        "house": now,
        "since": office(now.at) if now else None,
        "previews": [(value, words) for value, (_, _, words) in PREVIEWS.items()],
    }
    return render(request, "newsroom/house.html", context, status=status)


def preview(request: HttpRequest) -> HttpResponse:
    """A public page as it would be with what was typed. Nothing is saved."""
    if request.method != "POST":
        return redirect("house")
    form = HouseForm(request.POST, request.FILES, request=request)
    if not form.is_valid():
        return _page(request, form, status=INVALID)
    chosen = request.POST.get("preview", "")
    chosen = chosen if chosen in PREVIEWS else next(iter(PREVIEWS))
    what, scheme, words = PREVIEWS[chosen]
    shown = form.shown
    accent = shown.accent if scheme == "light" else shown.accent_dark
    context = {
        "site": site(shown),
        "parent": f"public/{what}.html",
        "scheme": scheme,
        "accent": accent.removeprefix("#"),
        "words": words,
        "chosen": chosen,
        "previews": [(value, words) for value, (_, _, words) in PREVIEWS.items()],
        "sent": form.sent,
        **(of_home(1) if what == "home" else _story()),
    }
    return render(request, "newsroom/house_preview.html", context)


def _story() -> dict[str, Any]:
    """The newest public story; where there is none, an invented one."""
    for latest in newest(0, 1):
        try:
            return of_story(shown_at(latest.slug, beside=True))
        except Http404:
            # It was withdrawn in this moment.
            continue
    return sample.page(office(database_now()))


@require_safe
def preview_style(request: HttpRequest, scheme: Scheme, accent: str) -> HttpResponse:
    """The style sheet by which a preview is light or dark, whatever its reader has chosen."""
    return HttpResponse(colours.forced(scheme, f"#{accent}"), content_type="text/css; charset=utf-8")
