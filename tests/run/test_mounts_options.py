"""Every mount option that `features` lists, on a real mount, as the container sees it."""

import json
import subprocess

import pytest

from mounting import host_mount, mountinfo

pytestmark = pytest.mark.creel_only("1.1 has other rules for flags")

# Option of a mount: the word in mountinfo.
SET = {"ro": "ro", "nosuid": "nosuid", "nodev": "nodev", "noexec": "noexec", "noatime": "noatime",
       "nodiratime": "nodiratime", "relatime": "relatime", "nosymfollow": "nosymfollow"}

# Option: what a mount of the host has that it takes back.
CLEAR = {"rw": "ro", "suid": "nosuid", "dev": "nodev", "exec": "noexec", "atime": "noatime",
         "diratime": "nodiratime", "symfollow": "nosymfollow"}

# Option of a whole tree: the word that all mounts of it have then, or have no longer.
RECURSIVE_SET = {"rro": "ro", "rnosuid": "nosuid", "rnodev": "nodev", "rnoexec": "noexec",
                 "rnoatime": "noatime", "rnodiratime": "nodiratime", "rrelatime": "relatime",
                 "rnosymfollow": "nosymfollow"}
RECURSIVE_CLEAR = {"rrw": "ro", "rsuid": "nosuid", "rdev": "nodev", "rexec": "noexec",
                   "ratime": "noatime", "rdiratime": "nodiratime", "rsymfollow": "nosymfollow"}

# Option of a file system: the word behind its type.
FILE_SYSTEM = {"sync": "sync", "dirsync": "dirsync", "lazytime": "lazytime"}

# Nothing of these is to be seen: there is nothing to take back, or the kernel does not tell.
UNSEEN = {"async", "defaults", "iversion", "loud", "mand", "noiversion", "nolazytime", "nomand",
          "norelatime", "silent"}

# The access time in full is the absence of any word about it.
STRICT = {"strictatime", "nostrictatime", "rstrictatime", "rnostrictatime", "rnorelatime"}

PROPAGATION = {f"{prefix}{kind}" for prefix in ("", "r")
               for kind in ("private", "slave", "shared", "unbindable")}  # test_mounts_propagation

ELSEWHERE = {"bind", "rbind",  # test_mounts
             "remount",  # below
             "tmpcopyup",  # test_mounts_copyup
             "copy-symlink", "src-nofollow", "dest-nofollow"}  # test_mounts_links

TIMES = {"noatime", "relatime"}


def test_none_is_forgotten(bundle):
    listed = set(json.loads(bundle.creel("features").ok().stdout)["mountOptions"])
    tested = {*SET, *CLEAR, *RECURSIVE_SET, *RECURSIVE_CLEAR, *FILE_SYSTEM, *UNSEEN, *STRICT,
              *PROPAGATION, *ELSEWHERE}
    assert listed == tested


@pytest.mark.parametrize("option", SET)
def test_flag_of_a_new_file_system(bundle, option):
    bundle.mount("/mnt", "tmpfs", "tmpfs", option)
    assert SET[option] in mountinfo(bundle)["/mnt"].options


@pytest.mark.parametrize("option", SET)
def test_flag_of_a_bind(bundle, volume, option):
    with host_mount(volume, "-o", "strictatime"):
        bundle.bind(volume, "/mnt", "rbind", option)
        assert SET[option] in mountinfo(bundle)["/mnt"].options


@pytest.mark.parametrize("option", CLEAR)
@pytest.mark.parametrize("also", [[], ["nodev", "noexec"]])
def test_flag_of_the_source_taken_back(bundle, volume, option, also):
    also = [other for other in also if other != CLEAR[option]]
    with host_mount(volume, "-o", CLEAR[option] + ",nosuid"):
        bundle.bind(volume, "/mnt", "rbind", option, *also)
        seen = set(mountinfo(bundle)["/mnt"].options)
    assert CLEAR[option] not in seen and set(also) <= seen
    assert option == "suid" or "nosuid" in seen


@pytest.mark.parametrize("option", [*SET, "strictatime", "remount"])
def test_other_flags_of_the_source_stay(bundle, volume, option):
    """Only those that the entry names are touched."""
    with host_mount(volume, "-o", "nosuid,nodev,noexec,nodiratime,noatime"):
        bundle.bind(volume, "/mnt", "rbind")
        bundle.bind(volume, "/mnt", "bind", option)
        seen = set(mountinfo(bundle)["/mnt"].options)
    assert {"nosuid", "nodev", "noexec", "nodiratime"} <= seen
    assert ("noatime" in seen) == (option not in ("relatime", "strictatime"))


@pytest.mark.parametrize("option", RECURSIVE_SET)
def test_flag_of_a_whole_tree(bundle, volume, option):
    (volume / "sub").mkdir()
    with host_mount(volume / "sub", "-o", "strictatime"):
        bundle.bind(volume, "/mnt", "rbind", option)
        seen = mountinfo(bundle)
    assert RECURSIVE_SET[option] in seen["/mnt"].options
    assert RECURSIVE_SET[option] in seen["/mnt/sub"].options


@pytest.mark.parametrize("option", RECURSIVE_CLEAR)
def test_flag_of_a_whole_tree_taken_back(bundle, volume, option):
    word = RECURSIVE_CLEAR[option]
    with host_mount(volume):
        (volume / "sub").mkdir()
        with host_mount(volume / "sub", "-o", f"noexec,{word}"):
            subprocess.run(["mount", "-o", f"remount,bind,nosuid,{word}", volume], check=True)
            bundle.bind(volume, "/mnt", "rbind", option)
            seen = mountinfo(bundle)
    assert word not in seen["/mnt"].options and word not in seen["/mnt/sub"].options
    assert option == "rsuid" or "nosuid" in seen["/mnt"].options
    assert option == "rexec" or "noexec" in seen["/mnt/sub"].options


def test_several_flags_of_a_whole_tree(bundle, volume):
    (volume / "sub").mkdir()
    with host_mount(volume / "sub", "-o", "nosuid,noatime"):
        bundle.bind(volume, "/mnt", "rbind", "ro", "rnodev", "rsuid", "rnoexec", "ratime", "rexec")
        seen = mountinfo(bundle)
    assert {"ro", "nodev"} <= set(seen["/mnt"].options)
    assert not {"ro", "nosuid", "noexec", "noatime"} & set(seen["/mnt/sub"].options)
    assert "nodev" in seen["/mnt/sub"].options


@pytest.mark.parametrize("option", [*RECURSIVE_SET, "rstrictatime"])
def test_flag_of_a_whole_tree_on_a_new_file_system(bundle, option):
    bundle.mount("/mnt", "tmpfs", "tmpfs", option)
    seen = mountinfo(bundle)["/mnt"].options
    assert not TIMES & set(seen) if option == "rstrictatime" else RECURSIVE_SET[option] in seen


@pytest.mark.parametrize("option", FILE_SYSTEM)
def test_flag_of_the_file_system(bundle, option):
    bundle.mount("/mnt", "tmpfs", "tmpfs", option)
    assert FILE_SYSTEM[option] in mountinfo(bundle)["/mnt"].super_options


@pytest.mark.parametrize("option", sorted(UNSEEN))
@pytest.mark.parametrize("kind", ["tmpfs", "bind"])
def test_what_is_not_seen(bundle, volume, option, kind):
    """It neither fails nor reaches the file system as an option of its own."""
    bundle.mount("/mnt", kind, str(volume), option)
    assert {"rw", "relatime"} <= set(mountinfo(bundle)["/mnt"].options)


@pytest.mark.parametrize("option, times", [
    ("strictatime", set()), ("nostrictatime", {"relatime"}), ("rstrictatime", set()),
    ("rnostrictatime", {"relatime"}), ("rnorelatime", set())])
def test_access_time_in_full(bundle, volume, option, times):
    with host_mount(volume, "-o", "strictatime"):
        bundle.bind(volume, "/mnt", "rbind", option)
        assert TIMES & set(mountinfo(bundle)["/mnt"].options) == times


@pytest.mark.parametrize("options, times", [
    (["noatime", "strictatime"], set()), (["strictatime", "noatime"], set()),
    (["noatime", "relatime"], {"noatime"}), (["noatime", "atime"], {"relatime"}),
    (["nodiratime", "strictatime"], set())])
def test_several_access_times(bundle, options, times):
    bundle.mount("/mnt", "tmpfs", "tmpfs", *options)
    assert TIMES & set(mountinfo(bundle)["/mnt"].options) == times


# ---- remount ----

def test_remount_changes_the_flags_of_what_is_there(bundle, volume):
    bundle.bind(volume, "/mnt", "rbind", "nosuid")
    bundle.bind("none", "/mnt", "bind", "remount", "ro", "suid")
    seen = mountinfo(bundle)["/mnt"]
    assert "ro" in seen.options and "nosuid" not in seen.options
    assert "rw" in seen.super_options


def test_remount_without_bind_leaves_the_host_s_file_system_alone(bundle, volume):
    bundle.bind(volume, "/mnt", "rbind")
    bundle.mount("/mnt", "none", "none", "remount", "ro")
    seen = mountinfo(bundle)["/mnt"]
    assert "ro" in seen.options and "rw" in seen.super_options
    (volume / "still").touch()


def test_remount_changes_the_options_of_the_file_system(bundle):
    bundle.mount("/mnt", "tmpfs", "tmpfs", "size=1m", "lazytime")
    bundle.mount("/mnt", "tmpfs", "tmpfs", "remount", "size=2m", "nolazytime", "sync", "nosuid")
    seen = mountinfo(bundle)["/mnt"]
    assert {"size=2048k", "sync"} <= set(seen.super_options)
    assert "lazytime" not in seen.super_options and "nosuid" in seen.options


def test_remount_with_an_option_that_the_file_system_does_not_know(bundle):
    bundle.mount("/dev/shm", "tmpfs", "tmpfs", "remount", "colour=red")
    bundle.run().fails(part="file system option colour=red", pointer="/mounts/7")


def test_remount_of_what_is_no_mount(bundle):
    bundle.mount("/etc", "none", "none", "remount", "ro")
    bundle.run().fails(part='rootfs at "/etc": nothing is mounted there', pointer="/mounts/7")


def test_an_option_that_nobody_knows(bundle):
    bundle.mount("/mnt", "tmpfs", "tmpfs", "colour=red")
    message = bundle.run().fails(part="file system option colour=red: invalid argument",
                                 pointer="/mounts/7")
    assert "Unknown parameter 'colour'" in message.text and message.place
