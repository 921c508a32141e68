"""pgbench's own tpcb-like: what the same server does when none of our SQL takes part.

pgbench with our two statements gets faster whenever they do. This one never does.
"""

import psycopg

from proof.pgbench import pgbench, speed_of
from proof.stack import Stack

SCALE = 20
_DATABASE = "yardstick"


def make_yardstick(stack: Stack) -> None:
    """In a database of its own, so that its rows are in nobody's way."""
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {_DATABASE}")
    pgbench(stack, "--initialize", "--quiet", f"--scale={SCALE}", database=_DATABASE)


def tpcb_like(stack: Stack, *, seconds: int) -> float:
    """Transactions per second. Needs make_yardstick()."""
    return speed_of(stack, "--builtin=tpcb-like", seconds=seconds, database=_DATABASE)
