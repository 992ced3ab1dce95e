"""What is public is counted by month in the index of its order, for the parts of the sitemap."""

from django.db import migrations, models

FUNCTION = """
-- How much was published in each month, by clocks of a time zone, of what is public; the oldest month first.
CREATE FUNCTION published_by_month(clocks text) RETURNS TABLE (month date, stories bigint) LANGUAGE sql STABLE AS $$
    SELECT of_month.begins::date, counted.stories
    FROM release_clock() AS clock
    CROSS JOIN LATERAL (SELECT v.first_from FROM newsroom_visibility v WHERE is_visible(v, clock)
        ORDER BY v.first_from, v.slug DESC LIMIT 1) AS oldest
    CROSS JOIN LATERAL (SELECT v.first_from FROM newsroom_visibility v WHERE is_visible(v, clock)
        ORDER BY v.first_from DESC, v.slug LIMIT 1) AS newest
    CROSS JOIN LATERAL generate_series(date_trunc('month', oldest.first_from AT TIME ZONE clocks),
        newest.first_from AT TIME ZONE clocks, interval '1 month') AS of_month (begins)
    CROSS JOIN LATERAL (SELECT count(*) AS stories FROM newsroom_visibility v
        WHERE is_visible(v, clock) AND v.first_from >= of_month.begins AT TIME ZONE clocks
          AND v.first_from < (of_month.begins + interval '1 month') AT TIME ZONE clocks) AS counted
    WHERE counted.stories > 0 ORDER BY of_month.begins
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("newsroom", "0020_translations")]
    operations = [
        migrations.RemoveIndex(model_name="visibility", name="visibility_published"),
        migrations.AddIndex(
            model_name="visibility",
            index=models.Index(
                condition=models.Q(("withdrawn_at", None)),
                fields=["-first_from", "slug"],
                include=("visible_from", "visible_until"),
                name="visibility_published",
            ),
        ),
        migrations.RunSQL(FUNCTION),
    ]
