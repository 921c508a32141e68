"""Other numbers for a limit in the table, for one test."""

from dataclasses import replace

import pytest

from docbook.http.rate_policies import POLICIES


def allow(monkeypatch: pytest.MonkeyPatch, **most: int) -> None:
    """By name, with _ for -; the window stays the same."""
    for name, number in most.items():
        policy = POLICIES[name.replace("_", "-")]
        other = replace(policy, rate=policy.rate._replace(most=number))
        monkeypatch.setitem(POLICIES, name.replace("_", "-"), other)
