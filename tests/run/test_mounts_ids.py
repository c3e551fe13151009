"""Id-mapped mounts: whose the files are, as seen from inside and as written to the source."""

import os
import subprocess

import pytest

import host
from mounting import host_mount, maps, mountinfo

pytestmark = pytest.mark.creel_only("1.1 knows neither type nor mappings of id-mapped mounts")


@pytest.fixture
def owned(volume):
    """The volume, with a file of user 1000 and group 1001."""
    os.chown(volume / "file", 1000, 1001)
    return volume


def entry(source, *options, target="/mnt", kind="bind", **mappings):
    return {"destination": target, "type": kind, "source": str(source),
            "options": list(options), **mappings}


def owner(path):
    return (path.stat().st_uid, path.stat().st_gid)


@pytest.mark.parametrize("options", [["bind", "idmap"], ["rbind", "ridmap"], ["bind"]])
def test_own_mappings(bundle, owned, options):
    bundle.config["mounts"].append(entry(owned, *options, **maps((1000, 2000, 10))))
    assert bundle.output("stat -c %u:%g /mnt/file") == "2000:2001"


def test_what_is_written_belongs_to_the_source_s_owner(bundle, owned):
    os.chown(owned, 1003, 1004)
    bundle.process["user"] = {"uid": 2003, "gid": 2004}
    bundle.config["mounts"].append(entry(owned, "bind", "idmap", **maps((1000, 2000, 10))))
    bundle.output("touch /mnt/new")
    assert owner(owned / "new") == (1003, 1004)


def test_who_is_not_mapped_is_nobody_and_cannot_write(bundle, owned):
    (owned / "other").touch()
    bundle.config["mounts"].append(entry(owned, "bind", "idmap", **maps((1000, 2000, 10))))
    out = bundle.output("stat -c %u:%g /mnt/other; touch /mnt/new 2>&1; true")
    assert out.splitlines()[0] == "65534:65534" and "too large" in out
    assert not (owned / "new").exists()


def test_users_and_groups_have_ranges_of_their_own(bundle, owned):
    bundle.config["mounts"].append(entry(
        owned, "bind", "idmap", uidMappings=maps((0, 5, 1), (1000, 7, 1))["uidMappings"],
        gidMappings=maps((0, 0, 1), (900, 500, 200))["gidMappings"]))
    assert bundle.output("stat -c %u:%g /mnt /mnt/file") == "5:0\n7:601"


def test_the_container_s_own_mappings(bundle, volume):
    bundle.user_namespace(host_id=100000)
    bundle.config["mounts"].append(entry(volume, "bind", "idmap"))
    assert bundle.output("stat -c %u:%g /mnt/file; touch /mnt/new") == "0:0"
    assert owner(volume / "new") == (0, 0)


def test_own_mappings_in_a_user_namespace(bundle, owned):
    bundle.user_namespace(host_id=100000)
    bundle.config["mounts"].append(entry(owned, "bind", **maps((1000, 100007, 10))))
    assert bundle.output("stat -c %u:%g /mnt/file") == "7:8"


def test_the_mappings_of_a_given_user_namespace(bundle, volume):
    bundle.user_namespace(host_id=100000)
    bundle.up()
    bundle.host_namespace("user")
    bundle.namespace("user", f"/proc/{bundle.pid()}/ns/user")
    for kind in ("uidMappings", "gidMappings"):
        del bundle.linux[kind]
    bundle.config["mounts"].append(entry(volume, "bind", "idmap"))
    bundle.shell("stat -c %u:%g /mnt/file")
    assert bundle.run(id=bundle.id + "-b").ok().stdout == "0:0\n"


def test_closed_source_in_a_user_namespace(bundle, volume):
    """The directory above it is root's alone: only the runtime gets there."""
    bundle.user_namespace(host_id=100000)
    inner = volume / "closed" / "inner"
    inner.mkdir(parents=True)
    (volume / "closed").chmod(0o700)
    bundle.config["mounts"].append(entry(inner, "bind", "idmap"))
    assert bundle.output("stat -c %u /mnt") == "0"


@pytest.mark.parametrize("option, inner", [("idmap", "0"), ("ridmap", "2000")])
def test_only_ridmap_reaches_the_mounts_below(bundle, volume, option, inner):
    (volume / "sub").mkdir()
    with host_mount(volume / "sub"):
        bundle.config["mounts"].append(entry(volume, "rbind", option, **maps((0, 2000, 10))))
        assert bundle.output("stat -c %u /mnt /mnt/sub") == f"2000\n{inner}"


def test_the_mount_is_known_as_id_mapped(bundle, volume):
    bundle.config["mounts"].append(entry(volume, "bind", "ro", "idmap", **maps((0, 2000, 10))))
    assert {"idmapped", "ro"} <= set(mountinfo(bundle)["/mnt"].options)


def test_a_file(bundle, owned):
    bundle.config["mounts"].append(entry(owned / "file", "bind", "idmap", target="/etc/passwd",
                                         **maps((1000, 2000, 10))))
    assert bundle.output("stat -c %u:%g /etc/passwd") == "2000:2001"


def test_a_new_file_system(bundle):
    bundle.config["mounts"].append(entry("tmpfs", "idmap", "uid=1000,gid=1001,mode=750",
                                         kind="tmpfs", **maps((1000, 2000, 10))))
    assert bundle.output("stat -c '%u:%g %a' /mnt") == "2000:2001 750"


def test_a_new_tmpfs_takes_the_mode_of_its_mount_point(bundle):
    (bundle.rootfs / "mnt").chmod(0o1733)
    bundle.config["mounts"].append(entry("tmpfs", "idmap", kind="tmpfs", **maps((0, 0, 10))))
    assert bundle.output("stat -c %a /mnt") == "1733"


def test_a_new_file_system_in_a_user_namespace(bundle):
    bundle.user_namespace(host_id=100000)
    bundle.config["mounts"].append(entry("tmpfs", "ridmap", "mode=700", kind="tmpfs"))
    assert bundle.output("stat -c '%u:%g %a' /mnt; touch /mnt/x && echo made") == "0:0 700\nmade"


def test_many_mounts_with_the_same_and_other_ids(bundle, owned):
    for n in range(30):
        first = 2000 if n % 10 < 7 else 3000
        bundle.config["mounts"].append(entry(owned, "bind", "idmap", target=f"/mnt/{n}",
                                             **maps((1000, first, 10))))
    out = bundle.output("cd /mnt; for n in 0 6 7 9 10 29; do stat -c %u $n/file; done")
    assert out.split() == ["2000", "2000", "3000", "3000", "2000", "3000"]


def test_a_file_system_that_cannot_be_id_mapped_is_named(bundle):
    bundle.config["mounts"].append(entry("/proc/sys", "bind", "idmap", **maps((0, 2000, 10))))
    message = bundle.run().fails(part="failed to set MOUNT_ATTR_IDMAP on /proc/sys: invalid "
                                      "argument", pointer="/mounts/7")
    assert "the file system proc cannot be id-mapped" in message.hint
    assert message.place


def test_a_new_one_that_cannot_be_id_mapped_is_named(bundle):
    bundle.config["mounts"].append(entry("none", "idmap", kind="ramfs", **maps((0, 2000, 10))))
    message = bundle.run().fails(part="failed to set MOUNT_ATTR_IDMAP on /mnt: invalid argument",
                                 pointer="/mounts/7")
    assert "the file system ramfs cannot" in message.hint


def test_one_below_that_cannot_be_id_mapped(bundle, volume):
    (volume / "sub").mkdir()
    with host_mount(volume / "sub", kind="ramfs"):
        bundle.config["mounts"].append(entry(volume, "rbind", "ridmap", **maps((0, 2000, 10))))
        message = bundle.run().fails(part="failed to set MOUNT_ATTR_IDMAP")
    assert "or one below it" in message.hint


def test_ranges_that_overlap(bundle, volume):
    bundle.config["mounts"].append(entry(volume, "bind", **maps((0, 2000, 10), (5, 9000, 10))))
    bundle.run().fails(part="map ids of the user namespace", pointer="/mounts/7")


@pytest.mark.parametrize("options, mappings, text", [
    (["bind", "idmap"], {}, "must have both uid and gid mappings specified"),
    (["bind"], {"uidMappings": maps((0, 1, 1))["uidMappings"]},
     "must have both uid and gid mappings specified"),
    (["bind", "remount"], maps((0, 1, 1)), "are only supported for bind-mounts"),
])
def test_refused(bundle, volume, options, mappings, text):
    bundle.config["mounts"].append(entry(volume, *options, **mappings))
    bundle.run().fails(part=f'invalid mount "/mnt": id-mapped mounts {text}', pointer="/mounts/7")


def test_nothing_of_it_is_left(bundle, volume):
    """Neither the process that held the user namespace nor a mount."""
    before = {name for name in os.listdir("/proc") if name.isdigit()}
    bundle.config["mounts"].append(entry(volume, "bind", **maps((0, 2000, 10))))
    bundle.up()
    names = [line for line in subprocess.run(
        ["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True,
    ).stdout.splitlines() if str(bundle.root) in line]
    assert names == []
    assert not [m for m in host.mounts() if bundle.id in m.point]
    assert before  # the machine has processes
