"""Questions that are put together once: the same answers, whatever becomes of the connection."""

import pytest
from django.db import DataError, connection, transaction
from django.db.models import Func, IntegerField, Value

from newsroom import asking
from newsroom.models import Visibility

pytestmark = pytest.mark.django_db
SLUG = "footbridge-harrow-weir"
COLUMNS = ("release_id", "slug", "zone", "first_from")


def at(slug: str):
    return Visibility.objects.public().filter(slug=slug).values_list(*COLUMNS)


@pytest.fixture
def prepared() -> asking.Prepared:
    return asking.Prepared(at, "any")


def test_it_is_told_what_the_query_is(live_newsroom, prepared):
    live_newsroom.public()
    assert prepared(SLUG) == list(at(SLUG))
    assert prepared(SLUG)[0][1] == SLUG
    assert prepared("another") == []


def test_it_is_put_together_once(live_newsroom):
    times = []

    def build(slug: str):
        times.append(slug)
        return at(slug)

    prepared = asking.Prepared(build, "any")
    assert prepared("any") == prepared(SLUG) == []
    live_newsroom.public()
    assert prepared(SLUG) == list(at(SLUG))
    assert times == ["any"]


def test_it_counts_as_a_query(prepared, django_assert_num_queries):
    with django_assert_num_queries(1) as captured:
        prepared(SLUG)
    assert "newsroom_visibility" in captured[0]["sql"]


def test_who_listens_hears_it_but_nothing_of_facts(live_newsroom, prepared):
    heard: list[asking.Question] = []
    with asking.listening(heard):
        prepared(SLUG)
        with asking.of_facts():
            prepared("another")
    prepared("nobody listens")
    (question,) = heard
    assert question.told == ()
    assert question.still()
    live_newsroom.public()
    assert not question.still()


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_ended_is_replaced(live_newsroom, prepared):
    live_newsroom.public()
    before = prepared(SLUG)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        assert cursor.fetchone() == (True,)
    other.close()
    assert prepared(SLUG) == before


@pytest.mark.django_db(transaction=True)
def test_a_pooler_may_have_forgotten_what_was_prepared(live_newsroom, prepared):
    live_newsroom.public()
    before = prepared(SLUG)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%newsroom_visibility%'"
        )
        assert cursor.fetchone() > (0,)
    # Past psycopg, which would know of it.
    assert connection.connection.pgconn.exec_(b"DEALLOCATE ALL").status == 1
    assert prepared(SLUG) == before


def test_a_number_may_be_small_or_large():
    prepared = asking.Prepared(lambda pk: Visibility.objects.filter(pk=pk).values_list("pk"), -1)
    # In a transaction, where nothing is asked a second time.
    assert [prepared(pk) for pk in (7, 40_000, 3_000_000_000, 7)] == [[]] * 4


def test_no_other_question_has_its_name():
    names = {asking._name(sql, types) for sql in ("SELECT 1", "SELECT 2") for types in ((), (20,), (21,))}
    assert len(names) == 6
    assert all(len(name) < 64 for name in names)


def test_in_a_transaction_what_is_wrong_is_said():
    number = Func(Value("any"), template="(%(expressions)s::text::int)", output_field=IntegerField())
    prepared = asking.Prepared(lambda _: Visibility.objects.filter(pk=number).values_list("pk"), "any")
    assert prepared("7") == []
    with pytest.raises(DataError), transaction.atomic():
        prepared("no number")
    assert prepared("7") == []


def test_who_counts_queries_is_told_of_it_and_how_long_it_took(newsroom, prepared, django_assert_num_queries):
    newsroom.public()
    with django_assert_num_queries(1) as captured:
        prepared(SLUG)
    (query,) = captured.captured_queries
    assert "newsroom_visibility" in query["sql"]
    assert float(query["time"]) >= 0
