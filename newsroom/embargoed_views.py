"""What the holder of a copy under embargo meets at their link.

Before they have said to keep the embargo, no word of the story; and a link that is none of ours, or not any
more, answers as any address that never was. The pages set no cookie and so have no token against forged
forms: whoever can name the address has the link, and that is all that the form asks for.
"""

from dataclasses import replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from stories import files, rendering, renditions
from stories.clocks import office
from stories.models import Asset

from . import embargo, public
from .embargo import Look, Stage
from .models import EmbargoGrant, Visibility

PRIVATE = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",
}
CONFLICT, NOT_WHOLE = 409, 422


def _private(response: HttpResponseBase) -> HttpResponseBase:
    """An answer that nobody keeps, finds, or is told the address of."""
    for name, value in PRIVATE.items():
        response[name] = value
    return response


def _page(template: str, status: int = 200, **context: Any) -> HttpResponseBase:
    body = render_to_string(template, {"site": public.site(), "versions": (), **context})
    return _private(HttpResponse(body, content_type=public.HTML, status=status))


def _found(token: str) -> EmbargoGrant:
    """The copy that a link is about.

    Raises:
        Http404: there is none, or it was revoked.
    """
    try:
        return embargo.find(token)
    except embargo.Unknown:
        raise Http404 from None


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def embargoed(request: HttpRequest, token: str) -> HttpResponseBase:
    """The question, the copy, or why there is none now; sent with the button of the question, the answer."""
    grant = _found(token)
    if request.method == "POST":
        return _acknowledge(request, token)
    look = embargo.look(grant)
    if look.stage is Stage.OVER:
        return _as_the_public(request, grant)
    if look.stage is Stage.OPEN:
        return _copy(request, look, token)
    return _closed(look)


def _acknowledge(request: HttpRequest, token: str) -> HttpResponseBase:
    seen = request.POST.get("seen", "")
    try:
        embargo.acknowledge(token=token, seen=seen)
    except embargo.Unknown:
        raise Http404 from None
    except embargo.Changed as refusal:
        return _closed(
            embargo.look(_found(token)), refusal=str(refusal), status=CONFLICT if seen else NOT_WHOLE
        )
    except embargo.NotNow:
        # The page says by itself how things stand.
        pass
    return _private(HttpResponseRedirect(reverse("embargoed", args=[token])))


def _closed(look: Look, refusal: str = "", status: int = 200) -> HttpResponseBase:
    """The page without a word of the story: the question, or why there is none."""
    template = "public/embargoed.html" if look.stage is Stage.ASK else "public/embargoed_closed.html"
    last = look.last if look.last and look.stage is Stage.ASK else None
    moved = bool(last and look.shown and last.moment != look.shown.goes_out.instant)
    context = {
        "look": look,
        "grant": look.grant,
        "given": office(look.grant.at),
        "held": look.stage is Stage.HELD,
        "last": last,
        "moved": moved,
        "anew": bool(last and look.shown and last.release_id != look.shown.release_id),
        "refusal": refusal,
    }
    return _page(template, status, **context)


def _copy(request: HttpRequest, look: Look, token: str) -> HttpResponseBase:
    """The copy. That it was opened is on the record before a word of it is shown."""
    assert look.last
    assert look.shown
    if request.method == "GET":
        try:
            embargo.open_copy(acknowledgement=look.last)
        except embargo.NotNow:
            return _private(HttpResponseRedirect(request.path))
    article = _article(look.shown, token)
    return _page("public/embargoed_copy.html", look=look, grant=look.grant, article=article)


def _article(shown: Visibility, token: str) -> rendering.Article:
    """The article that the public will read of an armed release, with its files behind the link."""
    content: dict[str, Any] = shown.release.revision.content
    forms = renditions.of(shown.release.revision_id) if content["picture"] else ()
    drawn = public.public_article(shown, forms)

    def file(name: str) -> str:
        return reverse("embargoed_media", args=[token, name])

    picture = drawn.picture and replace(
        drawn.picture,
        url=file(content["picture"]["name"]),
        forms=tuple(replace(form, url=file(form.name)) for form in drawn.picture.forms),
    )
    names = [stored["name"] for stored in content.get("attachments") or []]
    documents = tuple(
        replace(document, url=file(name) if document.url else "")
        for document, name in zip(drawn.documents, names, strict=True)
    )
    return replace(drawn, picture=picture, documents=documents)


def _as_the_public(request: HttpRequest, grant: EmbargoGrant) -> HttpResponseBase:
    """The way to the public page; after a withdrawal, what that page answers."""
    shown = embargo.last_public(grant)
    if shown is None:
        raise Http404
    if shown.is_public:
        return _private(HttpResponseRedirect(reverse("story", args=[shown.slug])))
    return _private(public.story(request, slug=shown.slug))


@require_safe
def embargoed_media(request: HttpRequest, token: str, name: str) -> HttpResponseBase:
    """A picture or an attachment of what is armed, for whoever reads the copy."""
    grant = _found(token)
    look = embargo.look(grant)
    if look.stage is Stage.OVER:
        return _private(HttpResponseRedirect(reverse("media", args=[name])))
    if look.stage is not Stage.OPEN or look.shown is None:
        raise Http404
    revision = look.shown.release.revision_id
    file = renditions.found(Asset.objects.filter(revisions=revision), name)
    if file is None:
        raise Http404
    try:
        return _private(files.answer(file))
    except FileNotFoundError:
        raise Http404 from None
