"""How many cores there are to use: those of this process, which may be fewer than the machine's."""

import os

import pytest

from helpers.learning import products


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not tell a process its cores")
def test_only_the_cores_that_this_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3})
    assert products.cores() == 1


def test_where_nobody_tells_it_is_the_machine_s(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert products.cores() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert products.cores() == 1
