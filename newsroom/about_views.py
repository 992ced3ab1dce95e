"""The page about the newsroom, and what its own look is made of: the style sheet of its colours, its logo."""

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from stories import files

from . import colours, house
from .models import House
from .public import page

#: A name that says what is in it can be kept for ever.
YEAR = 365 * 24 * 3600
#: Of how many earlier settings the colours are still answered, for pages that somebody kept.
EARLIER = 50


@require_safe
def about(request: HttpRequest) -> HttpResponseBase:
    """Whose newsroom it is, and whom the press rings."""
    return page(request, "public/about.html")


@require_safe
def style(request: HttpRequest, digest: str) -> HttpResponse:
    """The style sheet of that name, of the settings that count or of earlier ones."""
    text = house.current().style
    if colours.name_of(text) != digest:
        earlier = House.objects.order_by("-pk").values_list("accent", "accent_dark")[:EARLIER]
        sheets = (colours.sheet(*accents) for accents in earlier)
        text = next((sheet for sheet in sheets if colours.name_of(sheet) == digest), "")
    if not text:
        raise Http404
    return _for_good(HttpResponse(text, content_type="text/css; charset=utf-8"))


@require_safe
def logo(request: HttpRequest, name: str) -> HttpResponse:
    """A logo that was set, now or earlier. What nobody has made a logo is not here."""
    asset = house.once_logo(name.partition(".")[0])
    if asset is None or asset.name != name:
        raise Http404
    try:
        # It is small, and the proxy in front keeps it: this is not one of the files that it sends itself.
        data = files.path_of(asset).read_bytes()
    except FileNotFoundError:
        raise Http404 from None
    return _for_good(HttpResponse(data, content_type=asset.media_type))


def _for_good(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    response["X-Accel-Expires"] = str(YEAR)
    return response
