"""Mail to those who hold a copy under embargo: written by the facts' own triggers, sent from here, retried.

What a mail says is how things stand when it is sent; where something later waits, only that is told. To each
holder one after the other. No mail says a word of a story: the link does, and asks first.
"""

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.crypto import salted_hmac

from stories import outbox
from stories.clocks import office
from stories.moments import Moment

from . import embargo, house, letters
from .embargo import Stage
from .listing import address
from .models import TAKES_BACK, CopyNotice, EmbargoGrant, NoticeKind

LATER = "a later mail tells how things stand."
REVOKED = "the copy was revoked."
GONE = "the story is not armed any more."
PUBLIC = "the story is public."
NO_LINK = "the secret key has changed, and with it every link. Revoke the copy and give it anew."
STAYS = (
    "The embargo stays in force: please do not publish, quote or pass on anything of it until you hear from"
    " us."
)


def outgoing() -> QuerySet[CopyNotice]:
    """The outbox, without what has to wait for an earlier mail to the same holder.

    That is one that is on its way at this moment, or the link. What waits to be tried again keeps nothing
    back: it is of no use any more.
    """
    earlier = CopyNotice.objects.filter(
        Q(kind=NoticeKind.GIVEN) | Q(error=outbox.IN_HAND),
        grant=OuterRef("grant"),
        pk__lt=OuterRef("pk"),
        sent_at=None,
        next_attempt__isnull=False,
    )
    return CopyNotice.objects.filter(~Exists(earlier))


def outstanding() -> bool:
    """Whether a mail is due."""
    return outbox.is_due(outgoing())


def send_next() -> bool:
    """Send the mail that has been due for longest and that nobody is sending. Whether there was one."""
    return outbox.send_next(outgoing(), _send)


def _send(notice: CopyNotice) -> None:
    grant = EmbargoGrant.objects.with_standing().select_related("by").get(pk=notice.grant_id)
    found = embargo.look(grant)
    if why_not := not_of_use(notice, found):
        raise outbox.NotOfUse(why_not)
    mail(notice, found).send()


def not_of_use(notice: CopyNotice, found: embargo.Look) -> str:
    """Why a mail is not sent any more."""
    later = CopyNotice.objects.filter(grant=notice.grant_id, pk__gt=notice.pk).exists()
    if notice.kind in TAKES_BACK:
        return LATER if later else ""
    if hasattr(found.grant, "revocation"):
        return REVOKED
    if _brings_link(notice):
        if not embargo.path(found.grant):
            return NO_LINK
        return {Stage.OFF: GONE, Stage.OVER: PUBLIC}.get(found.stage, "")
    return LATER if later else ""


def _brings_link(notice: CopyNotice) -> bool:
    """Whether nothing was sent to the holder yet: a link that was not of use waits until it is again."""
    # What was given up on may have reached them all the same.
    earlier = CopyNotice.objects.filter(grant=notice.grant_id, pk__lt=notice.pk)
    return not earlier.exclude(error__startswith="Not sent").exists()


def _before(notice: CopyNotice) -> Moment | None:
    """The moment of which the holder was told last, where another has come since."""
    theirs = CopyNotice.objects.filter(grant=notice.grant_id, pk__lte=notice.pk)
    last = theirs.filter(sent_at__isnull=False).order_by("-pk").values_list("pk", flat=True).first()
    moved = theirs.filter(pk__gt=last or 0, was__isnull=False).order_by("pk").first()
    return moved.before if moved else None


def mail(notice: CopyNotice, found: embargo.Look) -> EmailMessage:
    """The mail about one fact, as things stand now. Its Message-ID is the same at every try."""
    subject, body = _words(notice, found)
    key = salted_hmac("newsroom.copynotice", str(notice.pk), algorithm="sha256").hexdigest()[:32]
    return EmailMessage(
        subject=f"{subject}: {' '.join(house.current().name.split())}",
        body=f"{found.grant.whose}\n\n{body}",
        to=[found.grant.email],
        headers={
            "Message-ID": f"<{key}@{outbox.sender_host()}>",
            "Auto-Submitted": "auto-generated",
        },
    )


def _words(notice: CopyNotice, found: embargo.Look) -> tuple[str, str]:
    if notice.kind in TAKES_BACK:
        killed = notice.kind == NoticeKind.KILLED
        text = letters.KILLED if killed else letters.WITHDRAWN
        return ("Recall" if killed else "Withdrawn"), text.format(address=_address(found.grant))
    if _brings_link(notice):
        return _given(found)
    before = _before(notice)
    was = f"It was:\n\n{before.in_full}\n\n" if before else ""
    if found.stage is Stage.OVER:
        address_now = _address(found.grant)
        return "Embargo lifted", f"The embargo has been lifted. {was}The story is public:\n\n{address_now}"
    if found.stage is Stage.OFF:
        return "Release called off", f"The release of which you have a copy was called off. {STAYS}"
    assert found.until
    if found.stage is Stage.HELD:
        return "On hold", f"The story of which you have a copy is on hold. {was}{_held(found.until)}"
    until = f"under embargo until:\n\n{found.until.in_full}\n\n"
    if notice.kind == NoticeKind.LIFTED and not before:
        said = "The story of which you have a copy is not on hold any more."
        return "Hold lifted", f"{said} It is {until}{_link(found.grant)}"
    anew = NoticeKind.ARMED in _kinds(notice)
    said = "has been armed anew, and its words may have changed." if anew else "has another embargo."
    return "Embargo changed", (
        f"The story of which you have a copy {said} {was}It is now {until}"
        f"To read on, confirm that you keep the embargo until then:\n\n{_link(found.grant)}"
    )


def _kinds(notice: CopyNotice) -> set[str]:
    """What this mail tells of, with what was to be told before it and was not."""
    untold = CopyNotice.objects.filter(grant=notice.grant_id, pk__lte=notice.pk, sent_at=None)
    return set(untold.values_list("kind", flat=True))


def _given(found: embargo.Look) -> tuple[str, str]:
    grant, at = found.grant, office(found.grant.at)
    assert found.until
    terms = f"What was agreed: {grant.terms}\n\n" if grant.terms else ""
    held = f"\n\nIt is on hold at present. {_held(found.until)}" if found.stage is Stage.HELD else ""
    return "A copy under embargo", (
        f"{grant.by} of {house.current().name} has given you a copy of a story that is not public yet"
        f" ({at.public}). It is under embargo until:\n\n{found.until.in_full}\n\n{terms}"
        f"Open this page and confirm that you keep the embargo; the copy is shown then.\n\n"
        f"{_link(grant)}{held}\n\n"
        "The link is yours alone: what is opened by it is on the record under your name. Do not pass it on."
    )


def _held(until: Moment) -> str:
    return f"It does not go out at its moment, {until.in_full}, while the hold lasts. {STAYS}"


def _link(grant: EmbargoGrant) -> str:
    path = embargo.path(grant)
    return settings.SITE_URL + path if path else "Use the link that we have sent you."


def _address(grant: EmbargoGrant) -> str:
    """The public address of a story that is or was public."""
    shown = embargo.last_public(grant)
    return address(shown.slug) if shown else settings.SITE_URL
