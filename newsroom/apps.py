from django.apps import AppConfig
from django.db.models.signals import post_migrate


class NewsroomConfig(AppConfig):
    name = "newsroom"
    verbose_name = "Release"

    def ready(self) -> None:
        from approvals import reminding
        from stories import record

        from . import checks, grants, indexing, visibility  # noqa: F401 - checks register themselves

        post_migrate.connect(grants.after_migrate, sender=self)
        record.also_verify(visibility.differences)
        record.also_verify(indexing.differences)
        reminding.settled_by(visibility.is_settled)
