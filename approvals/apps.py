from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    name = "approvals"
    verbose_name = "Clearance"

    def ready(self) -> None:
        from stories import access, record

        from . import arrangements, desks, standings

        arrangements.register()
        access.grants_roles(desks.roles)
        access.shows_stories(desks.stories)
        record.also_verify(standings.differences)
