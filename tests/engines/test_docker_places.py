"""Docker: file systems and namespaces, the container's own and those of others."""

import os
from pathlib import Path

from command import run


def test_volumes(docker, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "file").write_text("given\n")
    (tmp_path / "out").mkdir()
    volume = docker.name("volume")
    options = ["--volume", f"{tmp_path}/in:/in:ro", "--volume", f"{tmp_path}/out:/out"]
    options += ["--volume", f"{volume}:/etc", "--read-only", "--tmpfs", "/run:size=1m,mode=750"]
    options += ["--mount", "type=tmpfs,dst=/scratch,tmpfs-size=2m", "--shm-size", "3m"]
    script = """
        cat /in/file; echo kept >/out/file; grep -c ann /etc/passwd
        df -k /run /scratch /dev/shm | awk 'NR > 1 { print $2 }'; stat -c %a /run
        touch /in/x; touch /x; touch /run/x /scratch/x /etc/x"""
    done = docker.run("sh", "-c", script, options=options)
    docker("volume", "rm", volume)
    assert done.out.split() == ["given", "1", "1024", "2048", "3072", "750"]
    assert done.err.count("Read-only file system") == 2, done
    assert (tmp_path / "out" / "file").read_text() == "kept\n"


def test_read_only_all_the_way_down(docker, tmp_path):
    options = ["--mount", f"type=bind,src={tmp_path},dst=/a,readonly,bind-recursive=readonly"
               ",bind-propagation=rprivate"]  # fmt: skip
    (tmp_path / "below").mkdir()
    run("mount", "-t", "tmpfs", "none", tmp_path / "below")
    try:
        docker.run("touch", "/a/below/x", options=options, status=1).fails(1, "Read-only")
    finally:
        run("umount", tmp_path / "below")


def test_propagation(docker, tmp_path):
    run("mount", "--bind", tmp_path, tmp_path)
    run("mount", "--make-shared", tmp_path)
    try:
        (tmp_path / "late").mkdir()
        box = docker.start(options=["--volume", f"{tmp_path}:/a:rslave"])
        run("mount", "-t", "tmpfs", "none", tmp_path / "late")
        (tmp_path / "late" / "seen").touch()
        docker("exec", box, "test", "-e", "/a/late/seen")
    finally:
        run("umount", "--recursive", "--lazy", tmp_path)


def test_a_file_where_a_folder_is(docker, tmp_path):
    docker.run("true", options=["--volume", f"{tmp_path}:/etc/passwd"], status=125).fails(
        125, "Are you trying to mount a directory onto a file"
    )


def test_namespaces_of_the_host(docker):
    options = ["--pid", "host", "--ipc", "host", "--uts", "host", "--cgroupns", "host"]
    kinds = "pid", "ipc", "uts", "cgroup"
    script = "; ".join(f"readlink /proc/self/ns/{kind}" for kind in kinds)
    said = docker.run("sh", "-c", script, options=options).out.split()
    assert said == [os.readlink(f"/proc/self/ns/{kind}") for kind in kinds]


def test_killed_with_the_pid_namespace_of_the_host(docker):
    box = docker.start("sh", "-c", "sleep 3333 & sleep 4444", options=["--pid", "host"])
    said = docker("top", box, "-o", "pid,args").out
    pid = next(line.split()[0] for line in said.splitlines() if "sleep 3333" in line)
    docker("kill", box)
    docker("wait", box)
    docker("rm", box)
    assert not Path(f"/proc/{pid}").exists()


def test_namespaces_of_a_container(docker):
    first = docker.start(options=["--ipc", "shareable"], name="first")
    options = ["--pid", f"container:{first}", "--ipc", f"container:{first}"]
    script = "cat /proc/1/cmdline | tr '\\0' ' '; cd /proc/self/ns; readlink pid; readlink ipc"
    done = docker.run("sh", "-c", script, options=options, network=f"container:{first}")
    pid = docker.pid(first)
    assert "sleep 1000" in done.out
    for kind in ("pid", "ipc"):
        assert os.readlink(f"/proc/{pid}/ns/{kind}") in done.out


def test_networks(docker):
    said = docker.run("ls", "/sys/class/net").out.split()
    assert said == ["lo"]
    done = docker.run("readlink", "/proc/self/ns/net", network="host")
    inode = os.stat(f"/run/netns/{docker.daemon.network}").st_ino
    assert done.out == f"net:[{inode}]\n"
    net = docker.name("net")
    docker("network", "create", "--subnet", "10.77.0.0/24", net)
    try:
        server = docker.start("nc", "-l", "-p", "80", "-e", "echo", "served",
                              name="server", network=net)  # fmt: skip
        said = docker.run("nc", server, "80", network=net).out
        assert said == "served\n"
        docker("rm", "--force", server)
    finally:
        docker("network", "rm", net)
