"""How SQLite goes about a statement: what walks through a whole table is quick in a test, and slower with every year of use."""

import re
from collections.abc import Iterable

from django.db import connection

# Never more than a row a chain, whatever happens.
SMALL = {"core_sequence"}
READS = re.compile(r"\s*(SELECT|UPDATE|DELETE)\b")


def walking(statements: Iterable[str]) -> list[str]:
    """Those of the statements that read a table, or an index of it, from one end to the other."""
    return [statement for statement in statements if READS.match(statement) and _walked(statement)]


def _walked(statement: str) -> set[str]:
    tables = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
        steps = [row[3] for row in cursor.fetchall()]
    scanned = {found[1] for step in steps if (found := re.match(r"SCAN (\w+)", step))}
    # Besides tables by their names: the names that the ORM gives to one that it reads twice (U0, T4).
    return {name for name in scanned - SMALL if name in tables or re.fullmatch(r"[A-Z]\d+", name)}
