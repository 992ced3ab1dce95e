"""The Celery application: tasks time the effects of a release, they never decide what is public."""

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

from .wholeness import Whole

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsroom.settings")

# Of the embedded broker: see there what it mends.
TRANSPORT_ALIASES["pgmq"] = "newsroom.embedded.transport:Transport"

app = Celery("newsroom")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["newsroom"], related_name="watch_tasks")
app.autodiscover_tasks(["newsroom"], related_name="digest_tasks")
app.steps["worker"].add(Whole)
