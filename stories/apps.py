from django.apps import AppConfig


class StoriesConfig(AppConfig):
    name = "stories"
    verbose_name = "Drafting"

    def ready(self) -> None:
        from . import arranging, files, record, renditions

        record.also_verify(files.faults)
        record.also_verify(renditions.faults)
        record.also_verify(arranging.faults)
