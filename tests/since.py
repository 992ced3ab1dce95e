"""What changed in who may do what, as the record tells it."""

from stories import record
from stories.models import Arrangement, Entry, User


class Since:
    """What came onto the record of arrangements since."""

    def __init__(self) -> None:
        self.after = max(Arrangement.objects.values_list("pk", flat=True), default=0)

    @property
    def rows(self) -> list[Arrangement]:
        return list(Arrangement.objects.filter(pk__gt=self.after).order_by("pk"))

    @property
    def told(self) -> list[tuple[str, User | None]]:
        """Title and author of each, from the entries of the chain."""
        facts = [row.pk for row in self.rows]
        entries = Entry.objects.filter(source="stories_arrangement", fact__in=facts).order_by("number")
        assert [entry.fact for entry in entries] == facts
        return [(record.words(entry).title, entry.by) for entry in entries]

    @property
    def detail(self) -> str:
        entry = Entry.objects.filter(source="stories_arrangement").latest("number")
        return record.words(entry).detail
