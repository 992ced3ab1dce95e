"""The WSGI entry point: what gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsroom.settings")
django_application = get_wsgi_application()

# Both need Django to be set up.
from newsroom import sample  # noqa: E402
from newsroom.keeping import Door  # noqa: E402

sample.rehearse()
application = Door(django_application)
