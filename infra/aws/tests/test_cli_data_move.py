"""The move of the data from stage 1 to stage 2, between two databases: all rows arrive or none, and nothing is believed
that was not compared.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import shop_database
from shop_database import Server, data_move

Target = Callable[[], str]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    # A socket's path is short.
    with tempfile.TemporaryDirectory(prefix="tr-") as folder, shop_database.started(Path(folder)) as server:
        server.shop("old", products=30)
        yield server


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return itertools.count(1)


@pytest.fixture
def target(server: Server, numbers: Iterator[int]) -> str:
    """An empty shop whose user may do with rows what it likes, and nothing else, as on RDS."""
    database = f"new{next(numbers)}"
    server.shop(database)
    server.sql(
        f"CREATE USER {database}@localhost; GRANT SELECT, INSERT, UPDATE, DELETE ON {database}.* TO "
        f"{database}@localhost"
    )
    return database


def rows(server: Server, database: str, table: str) -> list[list[str]]:
    return server.sql(f"SELECT * FROM {table} ORDER BY 1, 2", database)


def moved(server: Server, target: str) -> tuple[int, str]:
    ran = data_move(server.file("old"), server.file(target, target))
    return ran.returncode, ran.stdout + ran.stderr


def is_empty(server: Server, database: str) -> bool:
    return all(rows(server, database, table) == [] for table in ("products", "orders", "customers", "stock", "coupons"))


def test_all_rows_arrive_by_a_user_who_may_only_write_rows(server: Server, target: str) -> None:
    code, said = moved(server, target)
    assert code == 0, said
    assert said.count("checks hold") == 2 and said.rstrip().endswith(
        "both sides hold the same rows, and the same audit"
    )
    for table in ("products", "variants", "stock", "customers", "orders", "order_lines", "reviews", "product_ratings"):
        assert rows(server, target, table) == rows(server, "old", table) != [], table


def test_a_target_with_rows_is_left_alone(server: Server, target: str) -> None:
    server.run("seed", "--products", "3", "--customers", "1", database=target)
    before = rows(server, target, "products")
    code, said = moved(server, target)
    assert code == 1 and "the target is not empty" in said and "rows in products" in said
    assert rows(server, target, "products") == before != []


def test_a_source_that_does_not_add_up_is_not_moved(server: Server, target: str) -> None:
    server.sql("UPDATE stock SET on_hand = on_hand + 1 ORDER BY variant_id LIMIT 1", "old")
    try:
        code, said = moved(server, target)
    finally:
        server.sql("UPDATE stock SET on_hand = on_hand - 1 ORDER BY variant_id LIMIT 1", "old")
    assert code == 1 and "audit of old" in said
    assert is_empty(server, target)


def test_schemas_of_two_releases_are_told_apart(server: Server, target: str) -> None:
    server.sql("ALTER TABLE products ADD COLUMN later INT", target)
    code, said = moved(server, target)
    assert code == 1 and "the two schemas differ" in said
    assert is_empty(server, target)


def test_a_load_that_breaks_off_leaves_nothing(server: Server, target: str) -> None:
    # Late in the dump: what came before must not stay.
    server.sql(
        "CREATE TRIGGER no BEFORE INSERT ON variants FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'disk "
        "full'",
        target,
    )
    code, said = moved(server, target)
    assert code == 1 and "loading: " in said and "disk full" in said
    server.sql("DROP TRIGGER no", target)
    assert is_empty(server, target)


def test_a_row_that_changes_on_the_way_is_noticed_and_nothing_stays(server: Server, target: str) -> None:
    server.sql(
        "CREATE TRIGGER twist BEFORE INSERT ON products FOR EACH ROW SET NEW.description = CONCAT(NEW.description, "
        "'!')",
        target,
    )
    code, said = moved(server, target)
    assert code == 1 and "the rows of products differ" in said
    server.sql("DROP TRIGGER twist", target)
    assert is_empty(server, target)


def test_after_a_failure_it_can_be_given_again(server: Server, target: str) -> None:
    server.sql(
        "CREATE TRIGGER no BEFORE INSERT ON stock FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'lost'",
        target,
    )
    assert moved(server, target)[0] == 1
    server.sql("DROP TRIGGER no", target)
    code, said = moved(server, target)
    assert code == 0, said


def test_a_url_that_is_none_is_refused_without_showing_it(server: Server, target: str) -> None:
    wrong = server.folder / "wrong.url"
    wrong.write_text("postgres://ada:hidden-word@host/shop")
    ran = data_move(wrong, server.file(target, target))
    assert ran.returncode == 1 and "mysql://" in ran.stderr
    assert "hidden-word" not in ran.stdout + ran.stderr
