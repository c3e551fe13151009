"""Which mounts reach the container or the host later: propagation of mounts and of the root."""

import subprocess
from contextlib import contextmanager

import pytest

import host
from mounting import host_mount, maps, mountinfo
from program import wait_until

KINDS = {"private": (), "slave": ("master",), "shared": ("master", "shared"),
         "unbindable": ("unbindable",)}


def kinds(mount):
    return tuple(sorted({field.split(":")[0] for field in mount.propagation} - {"propagate_from"}))


@pytest.fixture
def shared(volume):
    """The volume as a mount point of the host that is shared, with a directory "sub"."""
    with host_mount(volume):
        subprocess.run(["mount", "--make-shared", volume], check=True)
        (volume / "sub").mkdir()
        yield volume


@contextmanager
def alive(bundle, script="true", *options):
    """The container, which stays, after it has run script."""
    bundle.capabilities()
    bundle.shell(f"{script}; echo done; exec sleep 1000")
    result = bundle.run_detached(*options).ok()
    wait_until(lambda: "done" in result.stdout, "the script")
    yield result
    bundle.delete("--force").ok()


def mounted_on_host(path):
    return [m for m in host.mounts() if m.point == str(path)]


def inside(bundle, path):
    out = bundle.exec("cat", "/proc/self/mountinfo").ok().stdout
    return [m for m in host.parse_mountinfo(out) if m.point == path]


# ---- of a mount ----

@pytest.mark.parametrize("prefix", ["", "r"])
@pytest.mark.parametrize("option, words", KINDS.items())
def test_of_a_bind(bundle, shared, prefix, option, words):
    with host_mount(shared / "sub"):
        bundle.bind(shared, "/mnt", "rbind", prefix + option)
        seen = mountinfo(bundle)
    assert kinds(seen["/mnt"]) == words
    assert kinds(seen["/mnt/sub"]) == (words if prefix else ("master",))


@pytest.mark.parametrize("option, words", KINDS.items())
def test_of_a_new_file_system(bundle, option, words):
    bundle.mount("/mnt", "tmpfs", "tmpfs", option)
    wanted = tuple(word for word in words if word != "master")
    assert kinds(mountinfo(bundle)["/mnt"]) == wanted


@pytest.mark.parametrize("options, words", [
    (["slave", "shared"], ("master", "shared")), (["private", "shared"], ("shared",)),
    (["shared", "private"], ()),
    (["rshared", "rprivate", "rslave"], ()), (["private", "slave", "shared"], ("shared",))])
def test_each_option_changes_what_the_last_one_left(bundle, shared, options, words):
    bundle.bind(shared, "/mnt", "rbind", *options)
    assert kinds(mountinfo(bundle)["/mnt"]) == words


def test_of_a_bind_without_a_word_about_it(bundle, shared):
    bundle.bind(shared, "/mnt")
    assert kinds(mountinfo(bundle)["/mnt"]) == ("master",)


@pytest.mark.creel_only("1.1 has other mounts there")
def test_of_the_cgroup_mount(bundle):
    (entry,) = [m for m in bundle.config["mounts"] if m["type"] == "cgroup"]
    entry["options"].append("rshared")
    assert kinds(mountinfo(bundle)["/sys/fs/cgroup"]) == ("shared",)


# ---- what it does ----

@pytest.mark.parametrize("user", [False, True])
@pytest.mark.parametrize("options", [["rbind"], ["rbind", "rslave"], ["rbind", "rprivate"],
                                     ["rbind", "rshared"]])
def test_mounts_inside_do_not_reach_the_host(bundle, shared, options, user):
    if user:
        bundle.user_namespace()
        shared.chmod(0o777)
    bundle.bind(shared, "/mnt", *options)
    with alive(bundle, "mount -t tmpfs tmpfs /mnt/sub"):
        assert inside(bundle, "/mnt/sub")
        assert not mounted_on_host(shared / "sub")


@pytest.mark.creel_only("1.1 knows no id-mapped binds of this kind")
@pytest.mark.parametrize("options", [["rbind"], ["rbind", "rshared"]])
def test_nor_do_those_in_an_id_mapped_bind(bundle, shared, options):
    bundle.bind(shared, "/mnt", *options)
    bundle.config["mounts"][-1] |= maps((0, 0, 1000))
    with alive(bundle, "mount -t tmpfs tmpfs /mnt/sub"):
        assert inside(bundle, "/mnt/sub")
        assert not mounted_on_host(shared / "sub")


@pytest.mark.parametrize("user", [False, True])
@pytest.mark.parametrize("option, seen", [("rslave", True), ("rprivate", False), (None, True)])
def test_mounts_of_the_host_reach_a_slave(bundle, shared, option, seen, user):
    if user:
        bundle.user_namespace()
    bundle.bind(shared, "/mnt", "rbind", *([option] if option else []))
    with alive(bundle), host_mount(shared / "sub"):
        assert bool(inside(bundle, "/mnt/sub")) == seen


@pytest.mark.creel_only("1.1 ends up without it")
def test_both_ways(bundle, shared):
    """What Kubernetes calls bidirectional: a shared root, and a shared bind."""
    bundle.linux["rootfsPropagation"] = "rshared"
    bundle.bind(shared, "/mnt", "rbind", "rshared")
    with alive(bundle, "mount -t tmpfs tmpfs /mnt/sub"):
        assert mounted_on_host(shared / "sub")
        subprocess.run(["umount", shared / "sub"], check=True)
        assert not inside(bundle, "/mnt/sub")


# ---- of the root ----

ROOT = {"private": (), "slave": ("master",), "shared": ("shared",), "unbindable": ("unbindable",)}


@pytest.fixture
def shared_root(bundle):
    """The bundle's directory as a shared mount point of the host."""
    subprocess.run(["mount", "--bind", bundle.path, bundle.path], check=True)
    subprocess.run(["mount", "--make-rshared", bundle.path], check=True)
    yield bundle
    subprocess.run(["umount", "-R", bundle.path], check=True)


@pytest.mark.creel_only("1.1 has no effect but for private and rslave")
@pytest.mark.parametrize("prefix", ["", "r"])
@pytest.mark.parametrize("word, wanted", ROOT.items())
def test_of_the_root(shared_root, prefix, word, wanted):
    shared_root.linux["rootfsPropagation"] = prefix + word
    seen = mountinfo(shared_root)
    assert kinds(seen["/"]) == wanted
    below = wanted if prefix and word != "slave" else ()
    assert kinds(seen["/dev"]) == below
    assert kinds(seen["/proc/sys"]) == below


@pytest.mark.parametrize("word", [None, "shared", "rshared", "private", "rslave", "unbindable"])
def test_nothing_of_the_container_is_mounted_on_the_host(shared_root, word):
    """While it is made, and when it is there: the root's parent mount is none of its peers."""
    if word:
        shared_root.linux["rootfsPropagation"] = word
    with alive(shared_root, "mount -t tmpfs tmpfs /mnt"):
        points = [m.point for m in host.mounts() if shared_root.id in m.point]
        assert points == [str(shared_root.path)]


@pytest.mark.parametrize("word, seen", [(None, True), ("rslave", True), ("rprivate", False)])
def test_mounts_of_the_host_below_the_root(shared_root, word, seen):
    if word:
        shared_root.linux["rootfsPropagation"] = word
    (shared_root.rootfs / "later").mkdir()
    with alive(shared_root), host_mount(shared_root.rootfs / "later"):
        assert bool(inside(shared_root, "/later")) == seen


@pytest.mark.creel_only("1.1 has no effect")
@pytest.mark.parametrize("word, seen", [("rshared", "1"), ("rprivate", "0"), (None, "0")])
def test_a_shared_root_is_so_for_namespaces_inside(bundle, word, seen):
    """A child namespace, that is a slave, gets what is mounted behind its back."""
    if word:
        bundle.linux["rootfsPropagation"] = word
    bundle.capabilities()
    bundle.script("child", "#!/bin/sh\necho >/ready; read x </go; "
                           "grep -c ' /later ' /proc/self/mountinfo; exit 0")
    assert bundle.output("mkdir /later; mkfifo /ready /go; unshare -m --propagation slave /child & "
                         "read x </ready; mount -t tmpfs tmpfs /later; echo >/go; wait") == seen


def test_bad_word(bundle):
    bundle.linux["rootfsPropagation"] = "weird"
    bundle.run().fails(part="rootfsPropagation=weird is not supported")


@pytest.mark.parametrize("word", ["private", "rprivate"])
def test_private_needs_pivot_root(bundle, word):
    bundle.linux["rootfsPropagation"] = word
    bundle.run("--no-pivot").fails(
        part="rootfsPropagation of [r]private is not safe without pivot_root")
