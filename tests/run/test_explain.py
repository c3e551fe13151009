"""`explain`: shows what create would do, and does nothing."""

import json
import os
import re

import pytest

pytestmark = pytest.mark.creel_only("it has no such command")


def tree(path):
    """Every name below a directory with what a change would touch."""
    found = {}
    for directory, _, names in os.walk(path):
        for name in [".", *names]:
            path = os.path.join(directory, name)
            status = os.lstat(path)
            found[path] = (status.st_mode, status.st_size, status.st_mtime_ns)
    return found


def explain(bundle, *options, **how):
    bundle.save()
    return bundle.creel("explain", "--bundle", bundle.path, *options, bundle.id, **how)


def test_it_changes_nothing(bundle):
    bundle.bind("/etc/hostname", "/made/by/create")
    bundle.process["cwd"] = "/made/too"
    bundle.save()
    before = tree(bundle.path)
    bundle.creel("explain", "--bundle", bundle.path, bundle.id).ok()
    assert tree(bundle.path) == before
    assert bundle.guard.check() == []


def test_it_runs_no_hook(bundle):
    bundle.hook("createRuntime", f"touch {bundle.path}/ran")
    explain(bundle).ok()
    assert not (bundle.path / "ran").exists()


def test_it_lists_the_mounts_in_order(bundle):
    bundle.bind("/etc/hostname", "/mnt/name", "rbind", "ro")
    text = explain(bundle).ok().stdout
    assert re.findall(r"\[/mounts/(\d+)\]", text) == list("01234567")
    (line,) = [line for line in text.splitlines() if "/mnt/name" in line]
    assert "/etc/hostname" in line and "ro" in line


def test_it_points_into_the_configuration(bundle):
    text = explain(bundle).ok().stdout
    (line,) = [line for line in text.splitlines() if "/dev/mqueue" in line]
    assert "/mounts/4" in line


def test_id_is_optional(bundle):
    bundle.save()
    bundle.creel("explain", "-b", bundle.path).ok()


def test_wrong_config_fails_as_create_would(bundle):
    bundle.process["cwd"] = "relative"
    explain(bundle).fails("Cwd must be an absolute path", pointer="/process/cwd")


def test_it_needs_no_root(bundle):
    bundle.creel("spec", "--rootless", "-b", bundle.path).ok()
    bundle.config = json.loads((bundle.path / "config.json").read_text())
    for kind in ("uidMappings", "gidMappings"):
        bundle.linux[kind][0]["hostID"] = 65534
    explain(bundle, user=65534, group=65534, extra_groups=[]).ok()


def test_output_is_the_same_each_time(bundle):
    assert explain(bundle).ok().stdout == explain(bundle).ok().stdout
