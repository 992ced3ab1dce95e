"""What goes out: the mail to a subscriber, and the bodies and signatures of requests to receivers."""

import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import formataddr
from hashlib import sha256
from urllib.parse import urlencode

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils.crypto import salted_hmac

from stories import outbox
from stories.clocks import office

from . import house, ninjs, subscribing
from .listing import published
from .models import RECALLS, Digest, Event, Receiver, ReceiverKind, Subscriber
from .telling import News, Parcel

#: How the subject of a mail begins, and what is said above the story.
BEGINNINGS = {
    Event.CORRECTION: ("Correction: ", "We have corrected this story. It reads now:"),
    Event.UPDATE: ("Updated: ", "We have updated this story. It reads now:"),
}
WITHDRAWN = (
    "We have withdrawn a story that we sent you:\n\n{address}\n\n"
    "Please do not use it. The page says why it was withdrawn."
)
KILLED = (
    "Recall: please do not publish, quote or pass on a story that we sent you, and delete your copies:\n\n"
    "{address}\n\nIf you have published it, take it down."
)


def mail(parcel: Parcel) -> EmailMessage:
    """The mail to one subscriber. Its Message-ID is the delivery's key, the same at every try.

    Half of the key: a longer line would be folded, and not every mail server reads a folded one.
    """
    subject, body = _words(parcel)
    assert parcel.subscriber is not None
    return _to_list(parcel.subscriber, parcel.delivery.key, subject, body, parcel.told.newsroom)


def digest(digest: Digest, subscriber: Subscriber, news: Sequence[News], *, more: bool) -> EmailMessage:
    """The mail to somebody who gets the news once a day; `more` says that not all of it is there.

    Its Message-ID is the same at every try.
    """
    count = f"At least {len(news)} stories" if more else f"{len(news)} stor{'y' if len(news) == 1 else 'ies'}"
    until = office(digest.day.until)
    began = f"What we have published up to {until.public}, the newest first:"
    rest = [f"There is more: {settings.SITE_URL + reverse('home')}"] if more else []
    key = salted_hmac("newsroom.digest", str(digest.pk), algorithm="sha256").hexdigest()
    newsroom = house.current().name
    subject = f"{' '.join(newsroom.split())}: {count}, {until.day}"
    body = "\n\n\n".join([began, *(_in_brief(each) for each in news), *rest])
    return _to_list(subscriber, key, subject, body, newsroom)


def _in_brief(news: News) -> str:
    """A story in a digest. One that was corrected or updated says so."""
    told = news.told
    assert told.content is not None
    beginning = BEGINNINGS[Event(news.event)][0] if news.event in BEGINNINGS else ""
    changed = f"{beginning}{' '.join(news.note.split())}" if beginning else ""
    lines = [beginning + told.headline, told.began, told.content["summary"], changed, told.address]
    return "\n\n".join(line for line in lines if line)


def _to_list(subscriber: Subscriber, key: str, subject: str, body: str, newsroom: str) -> EmailMessage:
    """A mail to somebody on the list, with the links by which they change what they get and leave."""
    choose = settings.SITE_URL + subscribing.choices_path(subscriber)
    leave = settings.SITE_URL + subscribing.unsubscribe_path(subscriber)
    return EmailMessage(
        subject=subject,
        body=(
            f"{body}\n\n-- \nYou get this because you subscribed. To choose what you get: {choose}"
            f"\nTo leave the list: {leave}"
        ),
        to=[subscriber.email],
        headers={
            "Message-ID": f"<{key[:32]}@{outbox.sender_host()}>",
            "Auto-Submitted": "auto-generated",
            "List-Id": list_id(newsroom),
            "List-Unsubscribe": f"<{leave}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )


def list_id(newsroom: str) -> str:
    """What the mailing list of a newsroom is called, by people and by mail programs."""
    name = " ".join(f"{newsroom} news".split())
    return formataddr((name, f"news.{outbox.sender_host()}"))


def _words(parcel: Parcel) -> tuple[str, str]:
    told = parcel.told
    if parcel.event in RECALLS:
        day = published(told.published, told.zone).day
        if parcel.event == Event.KILL:
            return f"Recall: a story of {day}", KILLED.format(address=told.address)
        return f"Withdrawn: a story of {day}", WITHDRAWN.format(address=told.address)
    if parcel.event not in BEGINNINGS:
        return told.headline, told.text
    beginning, above = BEGINNINGS[Event(parcel.event)]
    return beginning + told.headline, f"{above}\n\n{told.text}"


def request(receiver: Receiver, parcel: Parcel, now: datetime) -> tuple[bytes, dict[str, str]]:
    """The body and the headers of what a receiver is sent at the instant `now`."""
    if receiver.kind == ReceiverKind.WEBSUB:
        return ping()
    document = ninjs.item(parcel.told) if receiver.kind == ReceiverKind.NINJS else notice(parcel)
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    stamp = str(int(now.timestamp()))
    return body, {
        "Content-Type": "application/json; charset=utf-8",
        "Newsroom-Event": parcel.event,
        "Newsroom-Delivery": parcel.delivery.key,
        "Newsroom-Timestamp": stamp,
        "Newsroom-Signature": signature(receiver, stamp, body, now),
    }


def ping() -> tuple[bytes, dict[str, str]]:
    """The body and the headers by which a hub is told that the feeds have changed."""
    # A hub that knows but one address takes the last.
    feeds = [settings.SITE_URL + reverse(name) for name in ("json_feed", "atom")]
    fields = {"hub.mode": "publish", "hub.url": feeds}
    return urlencode(fields, doseq=True).encode(), {"Content-Type": "application/x-www-form-urlencoded"}


def notice(parcel: Parcel) -> dict[str, str]:
    """What a webhook is told: which story, and what became of it. Of one taken back no word but that."""
    told = parcel.told
    about = {"event": parcel.event, "story": told.uid, "url": told.address}
    if parcel.event in RECALLS:
        return {**about, "status": "withdrawn", "updated": _instant(told.updated)}
    return {
        **about,
        "headline": told.headline,
        "published": _instant(told.published),
        "updated": _instant(told.updated),
    }


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds")


def signature(receiver: Receiver, stamp: str, body: bytes, now: datetime) -> str:
    """HMAC-SHA256 over "timestamp.body", with each secret that signs at `now`: "v1=...,v1=..."."""
    secrets = [receiver.secret]
    if receiver.previous_secret and receiver.previous_until and receiver.previous_until > now:
        secrets.append(receiver.previous_secret)
    signed = stamp.encode() + b"." + body
    return ",".join(f"v1={hmac.new(secret.encode(), signed, sha256).hexdigest()}" for secret in secrets)
