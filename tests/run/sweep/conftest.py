"""What the sweeps print of themselves: the seed before, the figures after."""

import collections

import pytest

import sweeping

COUNTS = ("points", "runs")


def pytest_configure(config):
    sweeping.seed()  # before workers are made, which inherit it


@pytest.fixture
def sweep(bundle, request):
    """sweep("create", "rich") makes a Sweep."""
    return lambda command, configuration: sweeping.Sweep(bundle, request.node, command, configuration)


def pytest_terminal_summary(terminalreporter):
    total = collections.Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name in COUNTS and report.when == "call":
                    total[name] += value
    what = "all" if sweeping.CHOICE == "all" else f"a sample, CREEL_SWEEP={sweeping.seed()}"
    if total:
        line = "swept: {points} points in {runs} runs".format(**total)
        terminalreporter.write_line(f"{line} ({what})")
