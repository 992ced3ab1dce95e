"""Mail to those who hold a copy under embargo: written by the facts' own triggers, sent from here, retried.

What a mail says is how things stand when it is sent; where something later waits, only that is told. To each
holder one after the other. No mail says a word of a story: the link does, and asks first.
"""

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.crypto import salted_hmac

from stories import outbox
from stories.clocks import office
from stories.moments import Moment

from . import embargo, letters
from .embargo import Stage
from .listing import address
from .models import TAKES_BACK, CopyNotice, EmbargoGrant, NoticeKind

LATER = "a later mail tells how things stand."
NEVER = "they were not sent the link."
REVOKED = "the copy was revoked."
GONE = "the story is not armed any more."
PUBLIC = "the story is public."
NO_LINK = "the secret key has changed, and with it every link. Revoke the copy and give it anew."
STAYS = (
    "The embargo stays in force: please do not publish, quote or pass on anything of it until you hear from"
    " us."
)


def outgoing() -> QuerySet[CopyNotice]:
    """The outbox; of the mails to one holder, the first that is still to be sent."""
    earlier = CopyNotice.objects.filter(
        grant=OuterRef("grant"), pk__lt=OuterRef("pk"), sent_at=None, next_attempt__isnull=False
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
    theirs = CopyNotice.objects.filter(grant=notice.grant_id)
    if notice.kind in TAKES_BACK:
        return LATER if theirs.filter(pk__gt=notice.pk).exists() else ""
    if hasattr(found.grant, "revocation"):
        return REVOKED
    if not embargo.path(found.grant):
        return NO_LINK
    if notice.kind == NoticeKind.GIVEN:
        reasons = {Stage.OFF: GONE, Stage.OVER: PUBLIC}
        return reasons.get(found.stage, "")
    if theirs.filter(pk__gt=notice.pk).exists():
        return LATER
    # A link that was given up on may have reached them all the same.
    told = theirs.filter(kind=NoticeKind.GIVEN).exclude(error__startswith="Not sent")
    return "" if told.exists() else NEVER


def mail(notice: CopyNotice, found: embargo.Look) -> EmailMessage:
    """The mail about one fact, as things stand now. Its Message-ID is the same at every try."""
    subject, body = _words(notice, found)
    key = salted_hmac("newsroom.copynotice", str(notice.pk), algorithm="sha256").hexdigest()[:32]
    return EmailMessage(
        subject=f"{subject}: {' '.join(settings.ORGANISATION.split())}",
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
    if found.stage is Stage.OVER:
        was = f" It was: {notice.before.in_full}." if notice.before else ""
        return (
            "Embargo lifted",
            f"The embargo has been lifted.{was} The story is public:\n\n{_address(found.grant)}",
        )
    if notice.kind == NoticeKind.GIVEN:
        return _given(found)
    if found.stage is Stage.OFF:
        return "Release called off", f"The release of which you have a copy was called off. {STAYS}"
    assert found.until
    if found.stage is Stage.HELD:
        return "On hold", (
            f"The story of which you have a copy is on hold, also past its moment, {found.until.in_full}."
            f" {STAYS}"
        )
    if notice.kind == NoticeKind.LIFTED:
        return "Hold lifted", (
            f"The story of which you have a copy is not on hold any more. It is under embargo until:"
            f"\n\n{found.until.in_full}\n\n{_link(found.grant)}"
        )
    return _moved(notice, found.until, found.grant)


def _given(found: embargo.Look) -> tuple[str, str]:
    grant, at = found.grant, office(found.grant.at)
    assert found.until
    terms = f"What was agreed: {grant.terms}\n\n" if grant.terms else ""
    held = (
        " It is on hold at present, and shown once the hold is lifted." if found.stage is Stage.HELD else ""
    )
    return "A copy under embargo", (
        f"{grant.by} of {settings.ORGANISATION} has given you a copy of a story that is not public yet"
        f" ({at.public}). It is under embargo until:\n\n{found.until.in_full}\n\n{terms}"
        f"Open this page and confirm that you keep the embargo; the copy is shown then.{held}\n\n"
        f"{_link(grant)}\n\n"
        "The link is yours alone: what is opened by it is on the record under your name. Do not pass it on."
    )


def _moved(notice: CopyNotice, until: Moment, grant: EmbargoGrant) -> tuple[str, str]:
    was = f"It was:\n\n{notice.before.in_full}\n\n" if notice.before else ""
    anew = notice.kind == NoticeKind.ARMED
    said = "has been armed anew, and its words may have changed." if anew else "has another embargo."
    return "Embargo changed", (
        f"The story of which you have a copy {said} {was}It is now:\n\n{until.in_full}\n\n"
        f"To read on, confirm that you keep the embargo until then:\n\n{_link(grant)}"
    )


def _link(grant: EmbargoGrant) -> str:
    return settings.SITE_URL + embargo.path(grant)


def _address(grant: EmbargoGrant) -> str:
    """The public address of a story that is or was public."""
    shown = embargo.last_public(grant)
    return address(shown.slug) if shown else settings.SITE_URL
