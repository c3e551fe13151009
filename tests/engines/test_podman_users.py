"""Podman: user namespaces, and namespaces shared by containers or with the machine."""

import os


MAPS = "cat /proc/self/uid_map; id -u; touch /made && stat -c %u /made"


def test_mapped_root(rootful):
    options = ["--uidmap=0:300000:1000", "--gidmap=0:300000:1000"]
    assert rootful.run("sh", "-c", MAPS, options=options).out.split() == [
        "0",
        "300000",
        "1000",
        "0",
        "0",
    ]
    name = rootful.start(options=options)
    assert os.stat(f"/proc/{rootful.state()['Pid']}").st_uid == 300000
    assert rootful("exec", name, "id", "-u").out == "0\n"
    assert rootful.sh("mount -t tmpfs t /mnt 2>/dev/null; echo $?") != "0\n"


def test_two_maps(rootful):
    options = ["--uidmap=0:300000:10", "--uidmap=10:400000:10", "--gidmap=0:300000:20", "--user=15"]
    script = "id -u; cat /proc/self/uid_map"
    out = rootful.run("sh", "-c", script, options=options).out
    assert out.split() == "15 0 300000 10 10 400000 10".split()


def test_auto(podman):
    subordinate = ["--userns=auto:size=1000"]
    if not podman.user.uid:
        subordinate = ["--userns=auto:size=1000,uidmapping=0:300000:1000,gidmapping=0:300000:1000"]
    out = podman.run("sh", "-c", MAPS, options=subordinate).out.split()
    assert out[2:] == ["1000", "0", "0"]


def test_own_id_is_kept(rootless):
    folder = rootless.folder("data")
    options = ["--userns=keep-id", f"--volume={folder}:/data"]
    out = rootless.run("sh", "-c", "id -u; id -g; touch /data/made", options=options).out
    assert out.split() == ["1000", "1000"]
    assert (folder / "made").stat().st_uid == 1000
    options = ["--userns=keep-id:uid=200,gid=210", f"--volume={folder}:/data"]
    assert rootless.run("stat", "-c", "%u:%g", "/data/made", options=options).out == "200:210\n"


def test_own_id_is_not_mapped(rootless):
    folder = rootless.folder("data")
    options = ["--userns=nomap", f"--volume={folder}:/data:ro"]
    out = rootless.run(
        "sh", "-c", "stat -c %u /data; id -u; cat /proc/self/uid_map", options=options
    ).out
    assert out.split()[:2] == ["65534", "0"]


def test_root_of_an_ordinary_user(rootless):
    out = rootless.run("sh", "-c", MAPS).out
    assert out.split() == "0 1000 1 1 100000 65536 0 0".split()
    rootless.start(options=["--user=33"])
    assert os.stat(f"/proc/{rootless.state()['Pid']}").st_uid == 100032


def test_namespace_of_another_container(podman):
    """Each is the other one's, and both are left when they end."""
    options = ["--hostname=first", "--ipc=shareable"]
    podman.start(options=options, name="first")
    shared = [f"--{kind}=container:first" for kind in ("pid", "ipc", "uts", "cgroupns", "network")]
    words = ["run", "--rm", *shared, "localhost/box", "sh", "-c"]
    links = "for n in pid ipc uts cgroup net; do readlink /proc/self/ns/$n; done"
    assert podman(*words, links).out == podman.sh(links, name="first")
    assert podman(*words, "hostname; ps | grep -c '[s]leep 1000'").out == "first\n1\n"


def test_namespaces_of_the_machine(podman):
    options = ["--pid=host", "--ipc=host", "--uts=host", "--cgroupns=host"]
    links = [os.readlink(f"/proc/self/ns/{kind}") for kind in ("pid", "ipc", "uts")]
    script = "for n in pid ipc uts; do readlink /proc/self/ns/$n; done"
    assert podman.run("sh", "-c", script, options=options).out.split() == links
    name = podman.start(options=["--pid=host"])
    assert "sleep 1000" in podman("exec", name, "ps").out


def test_process_ids_of_the_machine_end(podman):
    """Where there is no pid namespace, all of the cgroup ends with the first process."""
    name = podman.start("sh", "-c", "sleep 2345 & sleep 3456", options=["--pid=host"])
    cgroup = podman.cgroup()
    podman("stop", "--time=0", name)
    assert not cgroup.exists()
    assert "2345" not in os.popen("ps -e -o args").read()


def test_network_of_the_machine(podman):
    own = os.readlink("/proc/self/ns/net")
    words = ["run", "--rm", "--network=host", "localhost/box", "readlink", "/proc/self/ns/net"]
    assert podman(*words).out.strip() == own


def test_bridge(rootful):
    """Containers find each other by the addresses that the engine gives them."""
    serve = "echo found >/tmp/index.html; exec httpd -f -p 80 -h /tmp"
    rootful("run", "--detach", "--name=box", "localhost/box", "sh", "-c", serve)
    address = rootful.inspect()["NetworkSettings"]["Networks"]["podman"]["IPAddress"]
    assert address in rootful.sh("ip -4 addr show eth0")
    fetch = ["wget", "-q", "-O", "-", f"http://{address}/index.html"]
    assert rootful("run", "--rm", "localhost/box", *fetch).out == "found\n"


def test_network_of_an_ordinary_user(rootless):
    """By pasta, which stays outside until the container has ended."""
    serve = "echo found >/tmp/index.html; exec httpd -f -p 8080 -h /tmp"
    rootless("run", "-d", "--name=box", "--network=pasta", "localhost/box", "sh", "-c", serve)
    assert rootless.sh("ls /sys/class/net").split()[0] == "lo"
    assert rootless.sh("wget -q -O - http://127.0.0.1:8080/index.html") == "found\n"
    rootless("rm", "--force", "--time=0", "box")
    rootless("run", "--rm", "--network=slirp4netns", "localhost/box", "ls", "/sys/class/net/tap0")
