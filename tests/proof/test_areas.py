"""A web process's time: each sample counts in exactly one place."""

from collections import Counter

import pytest

from devstack.layout import ROOT
from proof.areas import Profile, area_of, innermost, shares, where_time_goes
from proof.profiler import read

SERVER = "_answer (docbook/rsgi.py)"
LOG = "RequestLogMiddleware.__call__ (docbook/observability/middleware.py)"
VIEW = "VerifyOtp.post (bookings/holding/api.py)"
ROW = "_row (bookings/engine/calls.py)"
CURSOR = "BaseDatabaseWrapper.cursor (django/db/backends/base/base.py)"
EXECUTE = "Cursor.execute (psycopg/cursor.py)"

CALLS = {
    (SERVER,): "web server",
    (SERVER, LOG): "middleware: RequestLogMiddleware",
    (SERVER, LOG, "RequestLogMiddleware._log (docbook/observability/middleware.py)"): "log",
    (
        SERVER,
        "MiddlewareMixin.__call__ (django/utils/deprecation.py)",
        "CSPMiddleware.process_response (csp/middleware.py)",
        "build_policy (csp/utils.py)",
    ): "middleware: CSPMiddleware",
    (SERVER, LOG, "APIView.initial (rest_framework/views.py)"): "REST framework, the rest",
    (SERVER, LOG, VIEW): "booking: our own Python",
    (SERVER, LOG, VIEW, "matches (bookings/holding/codes.py)", "digest (hmac.py)"): (
        "booking: our own Python"
    ),
    (SERVER, LOG, VIEW, ROW, EXECUTE): "database: the call",
    (SERVER, LOG, VIEW, ROW, CURSOR, EXECUTE): "database: the call",
    (
        SERVER,
        LOG,
        VIEW,
        ROW,
        CURSOR,
        "BaseDatabaseWrapper.ensure_connection (django/db/backends/base/base.py)",
        "ConnectionPool.getconn (psycopg_pool/pool.py)",
        EXECUTE,
    ): "database: connection taken, checked, given back",
    (SERVER, VIEW, "enforce (docbook/http/throttling.py)", "run (docbook/redis.py)"): (
        "Redis: limits and gate"
    ),
    ("spawn (nowhere/known.py)",): "other",
}


@pytest.mark.parametrize(("call", "area"), CALLS.items(), ids=CALLS.values())
def test_look_is_counted_where_the_time_goes(call: tuple[str, ...], area: str) -> None:
    assert area_of(call) == area


def test_shares_are_those_of_all_looks() -> None:
    calls = {(SERVER, VIEW): 3, (SERVER,): 1}
    assert shares(calls) == {"booking: our own Python": 0.75, "web server": 0.25}
    assert innermost(calls) == {VIEW: 0.75, SERVER: 0.25}


def test_what_py_spy_writes_is_read_without_the_folders_of_this_machine() -> None:
    raw = (
        f"_answer ({ROOT}/docbook/rsgi.py);"
        f"VerifyOtp.post ({ROOT}/bookings/holding/api.py);"
        "digest (/usr/lib/python3.12/hmac.py) 7\n"
        f"_answer ({ROOT}/docbook/rsgi.py) 2\n"
        " 4288\n"
    )
    assert read(raw) == Counter({(SERVER, VIEW, "digest (hmac.py)"): 7, (SERVER,): 2})


def test_both_profiles_stand_in_the_table_as_a_range() -> None:
    profiles = [
        Profile(Counter({(SERVER, VIEW): busy, (SERVER,): 10 - busy}), Counter({(SERVER,): 1}), 0)
        for busy in (6, 8)
    ]
    first, second = where_time_goes(profiles)["Where the time of the web processes goes"]
    assert first == {
        "area": "booking: our own Python",
        "of the work": "60.0 to 80.0 %",
        "of the time": "0.0 to 0.0 %",
    }
    assert second["of the time"] == "100.0 to 100.0 %"
