"""Mail about deadlines: ahead of one, at it, and to another desk when it is missed. Each once.

The database is the schedule. What is due is written into the outbox (`Reminder`) under a constraint that
takes it once, and sent from there, claimed before it is tried, under a Message-ID that is the same at every
try. No mail says a word of any story.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.crypto import salted_hmac

from stories import outbox
from stories.clocks import database_now, office
from stories.models import Story

from . import rules
from .models import Reminder, Standing

#: How many moments are written into the outbox at a time; the next look takes the next ones.
BATCH = 200
#: What was missed for so long is not told any more: the inbox says it.
FORGOTTEN = timedelta(days=1)
#: A mail that could not be sent for so long is left out where a later one is due.
STALE = timedelta(hours=1)

AHEAD, DUE, LATE = "ahead", "due", "late"

_settled: list[Callable[[int], bool]] = []


def settled_by(provider: Callable[[int], bool]) -> None:
    """Register a function that tells, by its id, whether a story needs no reminders any more."""
    if provider not in _settled:
        _settled.append(provider)


# Who is to be told of each moment that has come and was not told yet. Of the moments that a desk sets, only
# the last one that has come is of use: what an outage missed before it is left out. A step that waits for the
# drafter, or for an earlier stage, reminds nobody.
_DUE_NOW = """
WITH clock AS MATERIALIZED (SELECT %(now)s::timestamptz AS now),
range AS MATERIALIZED (
    SELECT coalesce(max(r.minutes), 0) * interval '1 minute' AS ahead,
           coalesce(max(d.escalates_after), 0) * interval '1 minute' AS after
    FROM approvals_desk d LEFT JOIN LATERAL unnest(d.reminders) AS r (minutes) ON true),
coming AS (
    SELECT s.step_id, s.desk_id, s.barred, s.due AS deadline, d.escalates_to_id, m.kind, m.at
    FROM clock, approvals_standing s
    JOIN approvals_desk d ON d.id = s.desk_id
    CROSS JOIN LATERAL (
        (SELECT o.kind, o.at FROM (
            SELECT 'ahead' AS kind, s.due - r.minutes * interval '1 minute' AS at
            FROM unnest(d.reminders) AS r (minutes) WHERE r.minutes > 0
            UNION ALL SELECT 'due', s.due) o
         WHERE o.at <= clock.now ORDER BY o.at DESC LIMIT 1)
        UNION ALL
        SELECT 'late', s.due + d.escalates_after * interval '1 minute'
        WHERE d.escalates_to_id IS NOT NULL
          AND s.due + d.escalates_after * interval '1 minute' <= clock.now) m
    WHERE NOT (s.state IN ('none', 'cleared')) AND s.state IN ('waiting', 'again') AND s.is_open
      AND s.due <= %(now)s::timestamptz + (SELECT ahead FROM range)
      AND s.due > %(now)s::timestamptz - (SELECT after FROM range) - %(forgotten)s::interval
      AND m.at > clock.now - %(forgotten)s::interval
      AND NOT EXISTS (SELECT 1 FROM approvals_reminder r WHERE r.step_id = s.step_id AND r.kind = m.kind
                      AND r.due = m.at AND r.deadline = s.due)),
-- Who decides for the desk now, each with the person whose place it is.
deciding AS (
    SELECT c.step_id, c.kind, c.at, m.user_id AS person, m.user_id AS place
    FROM coming c JOIN approvals_desk_members m ON m.desk_id = c.desk_id WHERE c.kind <> 'late'
    UNION ALL
    SELECT c.step_id, c.kind, c.at, d.deputy_id, d.person_id
    FROM clock, coming c JOIN approvals_desk_members m ON m.desk_id = c.desk_id
    JOIN approvals_deputyship d ON d.person_id = m.user_id AND (d.desk_id IS NULL OR d.desk_id = c.desk_id)
    WHERE c.kind <> 'late' AND d.since <= clock.now AND d.until > clock.now),
told AS (
    SELECT c.*, CASE WHEN c.kind = 'late'
        THEN ARRAY(SELECT m.user_id FROM approvals_desk_members m
                   JOIN stories_user u ON u.id = m.user_id AND u.is_active
                   WHERE m.desk_id = c.escalates_to_id)
        ELSE ARRAY(SELECT DISTINCT e.person FROM deciding e
                   JOIN stories_user u ON u.id = e.person AND u.is_active
                   JOIN stories_user p ON p.id = e.place AND p.is_active
                   WHERE e.step_id = c.step_id AND e.kind = c.kind AND e.at = c.at
                     AND e.person <> ALL (c.barred) AND e.place <> ALL (c.barred)) END AS people
    FROM coming c)
"""
_WRITE = """
INSERT INTO approvals_reminder (step_id, kind, deadline, due, recipient_id, attempts, next_attempt, error)
SELECT t.step_id, t.kind, t.deadline, t.at, r.id, 0, t.at, ''
FROM (SELECT * FROM told WHERE cardinality(people) > 0 ORDER BY at, step_id LIMIT %(batch)s) t
LEFT JOIN LATERAL (
    -- Who has taken it, as long as the desk has not decided since.
    SELECT c.by_id FROM approvals_claim c WHERE c.step_id = t.step_id AND t.kind <> 'late'
      AND c.by_id = ANY (t.people)
      AND NOT EXISTS (SELECT 1 FROM approvals_claimrelease x WHERE x.claim_id = c.id)
      AND NOT EXISTS (SELECT 1 FROM approvals_decision d WHERE d.step_id = c.step_id AND d.at > c.at)
    ORDER BY c.id DESC LIMIT 1) claim ON true
CROSS JOIN LATERAL unnest(CASE WHEN claim.by_id IS NULL THEN t.people ELSE ARRAY[claim.by_id] END) AS r (id)
ON CONFLICT DO NOTHING
"""


def write() -> int:
    """Write what has come due into the outbox. The number of mails; those that are there already stay one."""
    values: dict[str, Any] = {"now": database_now(), "forgotten": FORGOTTEN, "batch": BATCH}
    with connection.cursor() as cursor:
        cursor.execute(_DUE_NOW + _WRITE, values)
        return int(cursor.rowcount)


def send_next() -> bool:
    """Send the mail that has been due for longest and that nobody else is sending. Whether there was one."""
    return outbox.send_next(reminders(), _send)


def outstanding() -> bool:
    """Whether a mail is due."""
    return outbox.is_due(reminders())


def reminders() -> QuerySet[Reminder]:
    """The outbox, with all that a mail says."""
    return Reminder.objects.select_related("recipient", "step__desk", "step__submission__story")


def _send(reminder: Reminder) -> None:
    if why_not := not_of_use(reminder):
        raise outbox.NotOfUse(why_not)
    mail(reminder).send()


def not_of_use(reminder: Reminder) -> str:
    """Why a mail is not sent any more: what it tells of is done, has moved, or is told by a later one."""
    standing = Standing.objects.filter(step=reminder.step_id).first()
    if standing is None or standing.state not in (rules.WAITING, rules.AGAIN) or not standing.is_open:
        return "there is nothing for the desk to decide now."
    if standing.due != reminder.deadline:
        return "the deadline has moved."
    if any(settled(standing.story_id) for settled in _settled):
        return "the story is out."
    person = reminder.recipient
    if not person.is_active or not person.email:
        return "the person cannot be written to."
    if reminder.kind != LATE and (
        person.pk in standing.barred or standing.desk_id not in rules.desks_of(person)
    ):
        return "it is not the person’s to decide any more."
    now = database_now()
    if now - reminder.due > FORGOTTEN or (now - reminder.due > STALE and _superseded(reminder)):
        return "it is too late for it."
    return ""


def _superseded(reminder: Reminder) -> bool:
    """Whether the same person was to be told of the same deadline by a later mail."""
    same = Reminder.objects.filter(
        step=reminder.step_id, deadline=reminder.deadline, recipient=reminder.recipient_id
    )
    return same.filter(due__gt=reminder.due).exists()


def message_id(reminder: Reminder) -> str:
    """The same at every try, and short enough that no mail server folds the line."""
    key = (
        f"{reminder.pk} {reminder.step_id} {reminder.kind} {reminder.due.isoformat()} {reminder.recipient_id}"
    )
    return f"<{salted_hmac('approvals.reminder', key).hexdigest()[:32]}@{outbox.sender_host()}>"


def mail(reminder: Reminder) -> EmailMessage:
    """The mail about one deadline: the desk, the moment and the way there, and nothing of the story."""
    desk, deadline = reminder.step.desk, office(reminder.deadline)
    subject, opening = {
        AHEAD: (
            f"{desk}: a sign-off is due {deadline.public}",
            f"A sign-off of {desk} is missing. It is due {deadline.in_full}.",
        ),
        DUE: (
            f"{desk}: a sign-off was due {deadline.public}",
            f"A sign-off of {desk} is missing, and was due {deadline.in_full}.",
        ),
        LATE: (
            f"{desk} is late with a sign-off",
            (
                f"A sign-off of {desk} was due {deadline.in_full}, and is still missing. You are told "
                f"because your desk is named for when {desk} is late."
            ),
        ),
    }[reminder.kind]
    return EmailMessage(
        subject=" ".join(subject.split()),
        body="\n\n".join([opening, *_ways(reminder), "No mail says what a story is about."]),
        to=[reminder.recipient.email],
        headers={"Message-ID": message_id(reminder), "Auto-Submitted": "auto-generated"},
    )


def _ways(reminder: Reminder) -> list[str]:
    story = reminder.step.submission.story
    site = str(settings.SITE_URL)
    page = f"{site}{reverse('story_clearing', args=[story.uid])}?step={reminder.step_id}"
    if reminder.kind == LATE:
        # Who is told of a story that is limited to others learns that a desk is late, and not of which story.
        if Story.objects.visible_to(reminder.recipient).filter(pk=story.pk).exists():
            return [f"See it: {page}"]
        return [f"The story is limited to a team, so you cannot open it: ask {reminder.step.desk}."]
    return [
        f"Read it and decide: {page}",
        f"All that waits for you: {site}{reverse('inbox')}",
        f"Away? Say who stands in for you: {site}{reverse('deputies')}",
    ]
