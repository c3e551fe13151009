"""Podman: what a container sees of files: volumes, binds, tmpfs, secrets, devices, other roots."""

import os

import pytest
from command import run

WRITE = "echo new >/data/file; cat /data/file"


def test_volumes(podman):
    folder = podman.folder("data")
    podman.file("data/file", "text\n")
    out = podman.run("cat", "/data/file", options=[f"--volume={folder}:/data:ro"]).out
    assert out == "text\n"
    done = podman.run("sh", "-c", WRITE, options=[f"--volume={folder}:/data:ro"])
    assert done.out == "text\n" and "Read-only file system" in done.err
    assert podman.run("sh", "-c", WRITE, options=[f"--volume={folder}:/data:Z"]).out == "new\n"
    assert (folder / "file").read_text() == "new\n"
    script = "echo mine >/data/file; cat /data/file"
    overlay = podman.run("sh", "-c", script, options=[f"--volume={folder}:/data:O"])
    assert (overlay.out, (folder / "file").read_text()) == ("mine\n", "new\n")


def test_file_and_nested_binds(podman):
    folder = podman.folder("data")
    file = podman.file("file", "outside\n")
    options = [f"--volume={folder}:/a/b/c", f"--volume={file}:/a/b/c/d:ro", f"--volume={file}:/f"]
    assert podman.run("cat", "/a/b/c/d", "/f", options=options).out == "outside\n" * 2


def test_options_of_binds(podman):
    folder = podman.folder("data")
    words = f"type=bind,src={folder},dst=/data"
    for flag in ("ro", "nosuid", "nodev", "noexec"):
        options = [f"--mount={words},{flag}=true"]
        out = podman.run("grep", " /data ", "/proc/self/mountinfo", options=options).out
        assert flag in out.split()[5].split(",")


def test_propagation(rootful):
    """A mount made later on the machine is seen below rslave, and not below rprivate."""
    folder = rootful.folder("data")
    (folder / "sub").mkdir()
    run("mount", "--bind", "--make-shared", folder, folder)
    try:
        for how, expected in (("rslave", "late\n"), ("rprivate", "")):
            rootful.start(options=[f"--volume={folder}:/data:{how}"], name=how)
            run("mount", "-t", "tmpfs", "late", folder / "sub")
            (folder / "sub/file").write_text("late\n")
            assert rootful.sh("cat /data/sub/file || :", name=how) == expected
            run("umount", folder / "sub")
    finally:
        rootful("rm", "--all", "--force", "--time=0")
        run("umount", folder)


def test_named_volume(podman):
    """A new one gets what the image has there; it outlives the container; the user can own it."""
    podman.run("sh", "-c", "cat /etc/group; echo more >/etc/more", options=["--volume=v1:/etc"])
    assert podman.run("cat", "/mnt/more", options=["--volume=v1:/mnt:ro"]).out == "more\n"
    options = ["--volume=v2:/data:U", "--user=33:33"]
    assert podman.run("stat", "-c", "%u:%g", "/data", options=options).out == "33:33\n"
    podman("volume", "rm", "v1", "v2")


def test_volume_on_tmpfs(rootful):
    options = ["--opt=type=tmpfs", "--opt=device=tmpfs", "--opt=o=size=1m,uid=1000"]
    rootful("volume", "create", *options, "v3")
    out = rootful.run(
        "sh", "-c", "stat -c %u /data; df -k /data | tail -n 1", options=["--volume=v3:/data"]
    )
    rootful("volume", "rm", "v3")
    assert out.out.split()[:3] == ["1000", "tmpfs", "1024"]


def test_tmpfs(podman):
    options = ["--tmpfs=/etc:size=1m,mode=1755", "--tmpfs=/new/place:ro"]
    script = "cat /etc/passwd; stat -c %a /etc; df -k /etc | tail -n 1; echo >/new/place/file"
    done = podman.run("sh", "-c", script, options=options, status=1)
    assert done.out.startswith("root:"), "the image's files are copied up"
    assert done.out.split()[-7:-4] == ["1755", "tmpfs", "1024"]
    assert "Read-only" in done.err
    bare = ["--mount=type=tmpfs,dst=/etc,notmpcopyup,tmpfs-mode=700"]
    assert podman.run("sh", "-c", "ls /etc; stat -c %a /etc", options=bare).out.split()[-1] == "700"


def test_read_only(podman):
    script = (
        "for d in / /tmp /run /dev/shm /proc /sys; do touch $d/x 2>/dev/null && echo $d; done; :"
    )
    assert podman.run("sh", "-c", script, options=["--read-only"]).out.split() == [
        "/tmp",
        "/run",
        "/dev/shm",
    ]
    options = ["--read-only", "--read-only-tmpfs=false"]
    assert podman.run("sh", "-c", script, options=options).out.split() == []


def test_size_of_shm(podman):
    assert podman.run("df", "-k", "/dev/shm", options=["--shm-size=3m"]).out.split()[-5] == "3072"


def test_ids_of_a_mount(rootful):
    """idmap: the file of the machine's 1234 is that of another user in the container."""
    if rootful.runtime.name == "runc":
        pytest.skip("runc maps them from version 1.2 on")
    folder = rootful.folder("data")
    file = rootful.file("data/file")
    os.chown(file, 1234, 1234)
    done = rootful.run(
        "stat",
        "-c",
        "%u:%g",
        "/data/file",
        options=[f"--volume={folder}:/data:idmap=uids=1234-0-1;gids=1234-7-1"],
    )
    assert done.out == "0:7\n"
    os.chown(file, 0, 0)
    options = ["--uidmap=0:100000:1000", "--gidmap=0:100000:1000", f"--volume={folder}:/data:idmap"]
    script = "stat -c %u:%g /data/file; touch /data/made"
    assert rootful.run("sh", "-c", script, options=options).out == "0:0\n"
    assert (folder / "made").stat().st_uid == 0


def test_secrets(podman):
    podman("secret", "create", "word", "-", text="hidden")
    options = ["--secret=word,mode=0400,uid=1000", "--secret=word,type=env,target=WORD"]
    script = "cat /run/secrets/word; stat -c ' %a %u' /run/secrets/word; echo $WORD"
    out = podman.run("sh", "-c", script, options=options).out
    podman("secret", "rm", "word")
    assert out == "hidden 400 1000\nhidden\n"


def test_devices(podman):
    options = ["--device=/dev/fuse", "--device=/dev/null:/dev/nothing:rw"]
    done = podman.run(
        "sh", "-c", "stat -c %F /dev/fuse /dev/nothing; echo >/dev/nothing", options=options
    )
    assert done.out == "character special file\n" * 2
    usual = (
        "console core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero"
    )
    there = set(podman.run("ls", "/dev").out.split())
    assert there | {"console", "core"} == set(usual.split())


def test_images_and_links_as_mounts(podman):
    """An image is mounted; a link in the container's tree leads nowhere else."""
    out = podman.run(
        "ls", "/image/bin/busybox", options=["--mount=type=image,src=localhost/box,dst=/image"]
    )
    assert out.out == "/image/bin/busybox\n"
    folder = podman.folder("data")
    podman.file("data/file", "seen\n")
    podman(
        "run", "--network=none", "--name=box", "localhost/box", "ln", "-s", "/../../tmp", "/link"
    )
    podman("commit", "--quiet", "box", "localhost/linked")
    words = ["run", "--rm", "--network=none", f"--volume={folder}:/link/below", "localhost/linked"]
    assert podman(*words, "cat", "/tmp/below/file").out == "seen\n"
    podman("rm", "box")
    podman("rmi", "localhost/linked")


def test_root_from_a_folder(rootful):
    """As it is, below an overlay, and with its ids mapped."""
    tree = rootful.folder("tree")
    name = rootful.start()
    archive = rootful.where / "tree.tar"
    rootful("export", f"--output={archive}", name)
    run("tar", "-C", tree, "-xf", archive)
    words = ["run", "--rm", "--network=none"]
    script = "echo hi >/made; id -u"
    assert rootful(*words, "--rootfs", tree, "sh", "-c", script).out == "0\n"
    assert (tree / "made").read_text() == "hi\n"
    script = "rm /made; ls /"
    assert "made" not in rootful(*words, "--rootfs", f"{tree}:O", "sh", "-c", script).out
    assert (tree / "made").exists()
    words += ["--uidmap=0:200000:1000", "--rootfs", f"{tree}:idmap"]
    assert rootful(*words, "stat", "-c", "%u", "/made").out == "0\n"
