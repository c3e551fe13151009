"""What a container leaves behind is seen and named after the test."""

import subprocess

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


def test_empty_cgroup_is_missed(bundle):
    path = host.hierarchies()[0].point / f"{bundle.id}-made-by-hand"
    path.mkdir()
    assert f"cgroup {path}" in complaints(bundle)


def test_sweep_leaves_nothing(bundle):
    bundle.up()
    bundle.alive.clear()
    bundle.guard.sweep()
    wait_until(lambda: not bundle.guard.check(), "a clean machine")
