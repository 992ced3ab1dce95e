from django.apps import AppConfig


class StoriesConfig(AppConfig):
    name = "stories"
    verbose_name = "Drafting"

    def ready(self) -> None:
        from . import pictures, record

        record.also_verify(pictures.faults)
