"""The tests' client comes in by the door that readers come in by."""

from collections.abc import Iterable
from http.cookies import SimpleCookie
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.test import client

from newsroom.keeping import Door, View

_behind = client.ClientHandler.__call__


def came_in(handler: client.ClientHandler, environ: dict[str, Any]) -> HttpResponseBase:
    """Django's answer as its test client gets it; or, where that is kept, as the door gives it."""
    answered: list[HttpResponseBase] = []

    def application(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        response = _behind(handler, environ)
        if hasattr(response, "grounds"):
            # It is closed by now, and the test's own connection must not be.
            response.close = lambda: None  # type: ignore[method-assign]
        answered.append(response)
        start(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        return response

    said: list[tuple[str, list[tuple[str, str]]]] = []
    body = Door(application)(environ, lambda *how: said.append(how))
    if answered and body is answered[0]:
        return answered[0]
    status, headers = said[0]
    given = HttpResponse(b"".join(body), status=int(status.split()[0]), headers=dict(headers))
    given.wsgi_request = WSGIRequest(environ)  # type: ignore[attr-defined]
    given.cookies = answered[0].cookies if answered else SimpleCookie()
    return given


def drawn(path: str) -> HttpResponseBase:
    """What Django answers, whatever is kept."""
    return _behind(client.ClientHandler(), client.RequestFactory().get(path).environ)


def behind_it(view: View) -> Any:
    """Asks a view through a door of its own: `ask(request, **arguments)`."""

    def ask(request: HttpRequest, **arguments: Any) -> HttpResponse:
        def application(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
            response = view(request, **arguments)
            response.close = lambda: None  # type: ignore[method-assign]
            start(f"{response.status_code} {response.reason_phrase}", list(response.items()))
            return response

        said: list[tuple[str, list[tuple[str, str]]]] = []
        environ = {**request.META, "PATH_INFO": "/" + "/".join(arguments.values())}
        body = Door(application)(environ, lambda *how: said.append(how))
        status, headers = said[0]
        return HttpResponse(b"".join(body), status=int(status.split()[0]), headers=dict(headers))

    return ask
