"""Docker: containers that run, and what ends them."""

import pytest


@pytest.mark.quick
def test_run(docker):
    done = docker.run("sh", "-c", "echo hello; echo sorry >&2; exit 3", status=3)
    assert (done.out, done.err) == ("hello\n", "sorry\n")
