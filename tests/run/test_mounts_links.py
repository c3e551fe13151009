"""copy-symlink, src-nofollow and dest-nofollow: what becomes of links at either end of a bind."""

import os

import pytest

import host

pytestmark = pytest.mark.creel_only("1.1 knows none of these options")


@pytest.fixture
def link(bundle, volume):
    """A link of the host to the volume's file."""
    path = bundle.path / "link"
    path.symlink_to(volume / "file")
    return path


# ---- copy-symlink ----

def test_a_link_is_made_anew(bundle, link, volume):
    bundle.bind(link, "/new/deep/link", "bind", "copy-symlink")
    assert bundle.output("readlink /new/deep/link") == str(volume / "file")
    assert os.readlink(bundle.rootfs / "new/deep/link") == str(volume / "file")


def test_a_link_to_nothing_is_made_anew(bundle):
    (bundle.path / "dangling").symlink_to("no/where")
    bundle.bind("dangling", "/link", "bind", "copy-symlink")
    assert bundle.output("readlink /link") == "no/where"


def test_the_same_link_may_be_there(bundle, link, volume):
    (bundle.rootfs / "link").symlink_to(volume / "file")
    bundle.bind(link, "/link", "bind", "copy-symlink")
    assert bundle.output("readlink /link") == str(volume / "file")


def what_it_is(path):
    """All of its inode but when it was last read."""
    st = path.lstat()
    return st.st_ino, st.st_mode, st.st_uid, st.st_gid, st.st_mtime_ns, st.st_ctime_ns


@pytest.mark.parametrize("there", ["link", "file", "directory"])
def test_anything_else_is_an_error(bundle, link, there):
    path = bundle.rootfs / "there"
    {"link": lambda: path.symlink_to("elsewhere"), "file": path.touch,
     "directory": path.mkdir}[there]()
    before = what_it_is(path)
    bundle.bind(link, "/there", "bind", "copy-symlink")
    bundle.run().fails(part="file exists", pointer="/mounts/7")
    assert what_it_is(path) == before


def test_what_is_no_link_is_bound(bundle, volume):
    bundle.bind(volume, "/mnt", "bind", "copy-symlink", "ro")
    assert bundle.output("cat /mnt/file; touch /mnt/x 2>/dev/null || echo ro") == "from outside\nro"


def test_in_a_user_namespace(bundle, link, volume):
    bundle.user_namespace()
    bundle.bind(link, "/link", "bind", "copy-symlink")
    assert bundle.output("readlink /link") == str(volume / "file")


def test_parents_stay_inside(bundle, link):
    outside = bundle.path / "outside"
    outside.mkdir()
    (bundle.rootfs / "trap").symlink_to(outside)
    bundle.bind(link, "/trap/link", "bind", "copy-symlink")
    bundle.run()
    assert list(outside.iterdir()) == []


# ---- src-nofollow ----

def test_a_link_is_bound_itself(bundle, link, volume):
    bundle.bind(link, "/etc/here", "bind", "src-nofollow")
    assert bundle.output("readlink /etc/here") == str(volume / "file")
    made = bundle.rootfs / "etc/here"
    assert made.is_file() and not made.is_symlink()


def test_a_link_over_a_link(bundle, link, volume):
    bundle.write("real", "untouched\n")
    (bundle.rootfs / "there").symlink_to("real")
    bundle.bind(link, "/there", "bind", "src-nofollow", "dest-nofollow")
    assert bundle.output("readlink /there; cat /real") == f"{volume}/file\nuntouched"


def test_in_a_user_namespace_too(bundle, link, volume):
    bundle.user_namespace()
    (bundle.rootfs / "there").symlink_to("real")
    bundle.bind(link, "/there", "bind", "src-nofollow", "dest-nofollow")
    assert bundle.output("readlink /there") == f"{volume}/file"


def test_a_source_that_is_no_link(bundle, volume):
    bundle.bind(volume, "/mnt", "rbind", "src-nofollow")
    assert bundle.output("cat /mnt/file") == "from outside"


# ---- dest-nofollow ----

def test_a_link_is_covered_itself(bundle, volume):
    bundle.write("real", "untouched\n")
    (bundle.rootfs / "there").symlink_to("real")
    bundle.bind(volume / "file", "/there", "bind", "dest-nofollow")
    assert bundle.output("cat /there; cat /real") == "from outside\nuntouched"


def test_a_link_to_nothing_is_covered(bundle, volume):
    (bundle.rootfs / "there").symlink_to("/not/there")
    bundle.bind(volume / "file", "/there", "bind", "dest-nofollow")
    assert bundle.output("cat /there") == "from outside"
    assert not (bundle.rootfs / "not").exists()


def test_a_directory_cannot_cover_a_link(bundle, volume):
    (bundle.rootfs / "real").mkdir()
    (bundle.rootfs / "there").symlink_to("real")
    bundle.bind(volume, "/there", "rbind", "dest-nofollow")
    bundle.run().fails(part="/there: not a directory", pointer="/mounts/7")


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_a_missing_target_is_made(bundle, volume, kind):
    bundle.bind(volume / "file" if kind == "file" else volume, "/new/there", "bind",
                "dest-nofollow")
    bundle.output("cat /new/there" if kind == "file" else "cat /new/there/file")


def test_only_the_last_part_is_not_followed(bundle, volume):
    (bundle.rootfs / "real").mkdir()
    (bundle.rootfs / "via").symlink_to("real")
    bundle.bind(volume / "file", "/via/here", "bind", "dest-nofollow")
    assert bundle.output("cat /real/here") == "from outside"


def test_a_link_into_proc_is_covered_and_not_followed(bundle, volume):
    (bundle.rootfs / "trap").symlink_to("/proc/sys")
    bundle.bind(volume / "file", "/trap", "bind", "dest-nofollow")
    assert bundle.output("cat /trap; ls -d /proc/sys/kernel") == "from outside\n/proc/sys/kernel"
    assert not [m for m in host.mounts() if bundle.id in m.point]


# ---- rules ----

@pytest.mark.parametrize("options, text", [
    (["bind", "copy-symlink", "src-nofollow"], "mutually exclusive"),
    (["bind", "copy-symlink", "dest-nofollow"], "mutually exclusive"),
    (["copy-symlink"], "only supported for bind-mounts"),
    (["src-nofollow"], "only supported for bind-mounts"),
    (["dest-nofollow"], "only supported for bind-mounts"),
])
def test_refused(bundle, options, text):
    bundle.mount("/mnt", "none" if "bind" in options else "tmpfs", "/", *options)
    message = bundle.run().fails(part=text, pointer="/mounts/7/options")
    assert message.place
