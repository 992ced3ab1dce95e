"""What every staff page shows: the time, who is signed in, and what waits for them."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject, cached_property

from stories.access import roles_of
from stories.clocks import office
from stories.moments import Moment

from . import demo, house, releasing
from .models import HoldAll
from .showing import Shown

if TYPE_CHECKING:
    from . import alarms


class DeskContext:
    """Looked up only where a template asks, so that a public page costs nothing."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @cached_property
    def house(self) -> Shown:
        """What the public is shown of the newsroom itself."""
        return house.current()

    @property
    def now(self) -> datetime:
        return timezone.now()

    @property
    def moment(self) -> Moment:
        """Now, on the press office's clocks."""
        return office(self.now)

    @property
    def waiting(self) -> str:
        """How many sign-offs wait for the person, as far as is counted: "99+"."""
        from approvals import inbox

        return inbox.capped(inbox.waiting_count(self.request.user))

    @cached_property
    def alarm(self) -> "alarms.Banner | None":
        """What is wrong with releases that are out, or should be. One query a page."""
        from . import alarms

        return alarms.banner(self.request.user) if roles_of(self.request.user) else None

    @property
    def everything_held(self) -> HoldAll | None:
        """The hold of everything, while it lasts."""
        return releasing.everything_held()

    @property
    def role(self) -> str:
        """What the person may do here, in words."""
        user = self.request.user
        desks = [desk.name for desk in user.desks.all()] if user.is_authenticated else []
        return ", ".join([role.value for role in roles_of(user) if role != "Clearer"] + desks)

    @property
    def can_clear(self) -> bool:
        """Whether the person is on a desk, or stands in for somebody who is."""
        from .access import CLEARERS

        return bool(roles_of(self.request.user) & CLEARERS)

    @property
    def can_draft(self) -> bool:
        from .access import DRAFTERS

        return bool(roles_of(self.request.user) & DRAFTERS)

    @property
    def can_release(self) -> bool:
        from .access import DUTY

        return bool(roles_of(self.request.user) & DUTY)

    @property
    def can_manage_routes(self) -> bool:
        from .access import MANAGERS

        return bool(roles_of(self.request.user) & MANAGERS)

    @property
    def sees_deliveries(self) -> bool:
        from .access import DELIVERERS

        return bool(roles_of(self.request.user) & DELIVERERS)

    @property
    def can_administer(self) -> bool:
        from .access import ADMINISTRATORS

        return bool(roles_of(self.request.user) & ADMINISTRATORS)

    @property
    def demo_people(self) -> tuple[demo.Person, ...]:
        """The invented people, in demo mode."""
        return demo.PEOPLE if settings.DEMO else ()


def desk(request: HttpRequest) -> dict[str, Any]:
    """`desk` for templates."""
    context = SimpleLazyObject(lambda: DeskContext(request))
    return {"desk": context, "demo_people": demo.PEOPLE if settings.DEMO else ()}
