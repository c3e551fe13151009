"""What a container leaves behind is seen and named after the test."""

import subprocess

import pytest

import host
from program import wait_until


def complaints(bundle):
    """What the guard says now; the sweep that follows keeps the fixture from failing this test."""
    found = bundle.guard.check(grace=0)
    bundle.guard.sweep()
    return " | ".join(found)


def test_process_state_and_cgroup_are_missed(bundle):
    bundle.up()
    bundle.alive.clear()
    said = complaints(bundle)
    assert "(sleep, state " in said
    assert f"state entry {bundle.root / bundle.id}" in said
    assert f"/{bundle.id}" in said.split("cgroup ", 1)[1]


def test_orphan_of_an_ended_command_is_missed(bundle):
    subprocess.run(["sh", "-c", "sleep 1000 & exec true"], check=True)
    assert "sleep 1000" in complaints(bundle)


def test_mount_is_missed(bundle):
    subprocess.run(["mount", "--bind", bundle.rootfs, bundle.rootfs], check=True)
    assert f"mount {bundle.rootfs} (" in complaints(bundle)


def test_mounted_namespace_is_missed(bundle):
    bundle.up()
    place = bundle.path / "netns"
    place.touch()
    subprocess.run(["mount", "--bind", f"/proc/{bundle.pid()}/ns/net", place], check=True)
    bundle.delete("--force").ok()
    assert f"mount {place} (nsfs, nsfs)" in complaints(bundle)


@pytest.fixture
def namespace_at(bundle):
    """namespace_at(path) mounts a namespace of a container that has ended since on path."""
    made = []

    def mount(path):
        path.parent.mkdir(exist_ok=True)
        path.touch()
        bundle.up()
        subprocess.run(["mount", "--bind", f"/proc/{bundle.pid()}/ns/net", path], check=True)
        made.append(path)
        bundle.delete("--force").ok()

    yield mount
    for path in made:
        subprocess.run(["umount", path], check=True)
        path.unlink()


def test_namespace_that_is_mounted_elsewhere_is_missed(bundle, namespace_at):
    place = bundle.path.parent / "netns"
    namespace_at(place)
    assert f"mount {place} (nsfs, nsfs)" in complaints(bundle)


def test_namespace_of_another_test_is_none_of_ours(bundle, namespace_at):
    """The kernel gives numbers of namespaces out again, and tests run beside each other."""
    place = bundle.path.parent / "t0-0123abcd" / "netns"
    namespace_at(place)
    assert complaints(bundle) == ""


def test_empty_cgroup_is_missed(bundle):
    path = host.hierarchies()[0].point / f"{bundle.id}-made-by-hand"
    path.mkdir()
    assert f"cgroup {path}" in complaints(bundle)


def test_sweep_leaves_nothing(bundle):
    bundle.up()
    bundle.alive.clear()
    bundle.guard.sweep()
    wait_until(lambda: not bundle.guard.check(), "a clean machine")
