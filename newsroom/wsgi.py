"""The WSGI entry point: what gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from newsroom.keeping import Door

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsroom.settings")
application = Door(get_wsgi_application())
