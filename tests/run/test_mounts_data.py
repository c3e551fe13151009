"""What an entry says to the file system itself, up to what only mount(2) takes."""

import subprocess

import pytest

from mounting import maps, mountinfo


@pytest.fixture
def layers(bundle):
    """Thirty directories of the host with long names and a file each, the first on top."""
    paths = [bundle.path / f"layer-{n}-{'x' * 40}" for n in range(30)]
    for n, path in enumerate(paths):
        path.mkdir()
        (path / f"file-{n}").write_text(f"{n}\n")
        (path / "shared").write_text(f"from {n}\n")
    return paths


def overlay(bundle, lower, *options, target="/mnt"):
    upper = [bundle.path / name for name in ("upper", "work")]
    for path in upper:
        path.mkdir(exist_ok=True)
    bundle.mount(target, "overlay", "overlay", f"lowerdir={':'.join(map(str, lower))}",
                 f"upperdir={upper[0]}", f"workdir={upper[1]}", *options)


def test_overlay(bundle, layers):
    overlay(bundle, layers[:2])
    assert bundle.output("cat /mnt/shared; ls /mnt; echo new >/mnt/made").splitlines() == [
        "from 0", "file-0", "file-1", "shared"]
    assert (bundle.path / "upper/made").read_text() == "new\n"


def test_data_longer_than_fsconfig_takes(bundle, layers):
    overlay(bundle, layers, "nosuid", "noatime")
    assert len(":".join(map(str, layers))) > 2000
    assert bundle.output("cat /mnt/shared; ls /mnt | wc -l; echo new >/mnt/made") == "from 0\n31"
    assert (bundle.path / "upper/made").read_text() == "new\n"
    seen = mountinfo(bundle)["/mnt"]
    assert seen.type == "overlay" and {"nosuid", "noatime"} <= set(seen.options)


@pytest.mark.creel_only("1.1 has no rnodev")
def test_it_gets_all_that_other_mounts_get(bundle, layers):
    overlay(bundle, layers, "ro", "rnodev", "rprivate", "rshared")
    seen = mountinfo(bundle)["/mnt"]
    assert {"ro", "nodev"} <= set(seen.options)
    assert seen.propagation and seen.propagation[0].startswith("shared:")


def test_the_working_directory_is_as_before(bundle, layers):
    bundle.hook("createContainer", f"pwd >{bundle.path}/before")
    bundle.output("true")
    bundle.config["hooks"]["createContainer"].clear()
    bundle.hook("createContainer", f"pwd >{bundle.path}/after")
    overlay(bundle, layers)
    bundle.output("true")
    assert (bundle.path / "after").read_text() == (bundle.path / "before").read_text()


def test_links_of_the_image_stay_inside(bundle, layers):
    outside = bundle.path / "outside"
    outside.mkdir()
    (bundle.rootfs / "trap").symlink_to("/real")
    (bundle.rootfs / "real").mkdir()
    overlay(bundle, layers, target="/trap")
    assert bundle.output("ls /real | wc -l") == "31"


def test_under_procfs_it_is_refused(bundle, layers):
    (bundle.rootfs / "trap").symlink_to("/proc/irq")
    overlay(bundle, layers, target="/trap")
    bundle.run().fails(part="cannot be mounted because it is inside /proc")


def test_in_a_user_namespace(bundle, layers):
    bundle.user_namespace()
    overlay(bundle, layers)
    for name in ("upper", "work"):
        subprocess.run(["chown", "100000:100000", bundle.path / name], check=True)
    assert bundle.output("cat /mnt/shared; touch /mnt/made && ls /mnt | wc -l") == "from 0\n32"


def test_the_host_sees_nothing_of_it(bundle, layers):
    overlay(bundle, layers)
    bundle.up()
    here = subprocess.run(["cat", "/proc/self/mountinfo"], capture_output=True, text=True,
                          check=True).stdout
    assert bundle.id not in here


@pytest.mark.creel_only("1.1 cuts them off without a word")
def test_data_longer_than_mount_takes(bundle, layers):
    more = [f"{path}/.{'/.' * 50}" for path in layers]
    overlay(bundle, more)
    bundle.run().fails(part="longer than 4095 bytes in all", pointer="/mounts/7")


@pytest.mark.creel_only("1.1 says otherwise")
def test_an_error_behind_the_long_way(bundle, layers):
    overlay(bundle, [*layers, bundle.path / "nowhere"])
    message = bundle.run().fails(part='error mounting "overlay" to rootfs at "/mnt": mount file '
                                      'system type "overlay": ', pointer="/mounts/7")
    assert message.place


@pytest.mark.creel_only("1.1 knows no id-mapped file systems")
def test_ids_of_it_cannot_be_mapped(bundle, layers):
    overlay(bundle, layers)
    bundle.config["mounts"][-1] |= maps((0, 0, 10))
    bundle.run().fails(part="file system option lowerdir=", pointer="/mounts/7")


def test_long_source(bundle):
    source = "x" * 300
    bundle.mount("/mnt", "tmpfs", source, "size=1m", "mode=711")
    seen = mountinfo(bundle)["/mnt"]
    assert seen.source == source and {"size=1024k", "mode=711"} <= set(seen.super_options)


@pytest.mark.creel_only("1.1 passes it over")
def test_copyup_of_the_long_way(bundle):
    bundle.write("data/file", "from the image\n")
    bundle.mount("/data", "tmpfs", "x" * 300, "tmpcopyup")
    assert bundle.output("cat /data/file") == "from the image"


def test_comma_in_a_path(bundle):
    layer = bundle.path / "a,b"
    layer.mkdir()
    (layer / "file").write_text("found\n")
    overlay(bundle, [str(layer).replace(",", "\\,")])
    assert bundle.output("cat /mnt/file") == "found"
