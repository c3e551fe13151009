"""
What well-known tutorials of runc tell their readers to type, from 2015 to 2020, under the name
runc. Readers call every container "mycontainerid"; here that word is the id of the test. The state
directory is the real default, on a /run of the test's own.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from program import PATH, Program, wait_until
from terminal import Screen, close_all

SHELL = ["unshare", "--mount", "--propagation", "private", "sh", "-ec",
         'mount -t tmpfs tmpfs /run; exec "$@"', "sh"]


@pytest.fixture
def reader(bundle):
    """A bundle directory with a rootfs and no config.json, and runc as one copied file."""
    if bundle.program.name == "runc":
        pytest.skip("about creel in runc's place")
    (bundle.path / "bin").mkdir()
    shutil.copy(bundle.program.path, bundle.path / "bin/runc")
    bundle.runc = Program(bundle.path / "bin/runc")
    yield bundle
    close_all()


def types(reader, script, fails=False):
    """What a shell answers to the script, typed in the bundle directory: stdout and stderr."""
    script = script.replace("mycontainerid", reader.id)
    env = {"PATH": f"{reader.path}/bin:{PATH}"}
    with open(reader.path / "out", "w+") as out:
        done = subprocess.run([*SHELL, "sh", "-ec", script], cwd=reader.path, env=env, stdout=out,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=30)
        out.seek(0)
        text = out.read().replace(reader.id, "mycontainerid")
    assert (done.returncode != 0) == fails, text
    return text


def edit(reader, **process):
    """Changes process in config.json, as one does in an editor. "terminal" is off unless given."""
    config = json.loads((reader.path / "config.json").read_text())
    config["process"] |= {"terminal": False} | process
    (reader.path / "config.json").write_text(json.dumps(config, indent=4))
    return config


def spec(reader, **process):
    types(reader, "runc spec")
    return edit(reader, **process)


# A program that stays until the test lets it end; the tutorials sleep for five seconds.
STAYS = ["sh", "-c", "until [ -e /tmp/end ]; do sleep 0.01; done"]
END = """
    touch rootfs/tmp/end
    until runc list | grep -q stopped; do sleep 0.01; done
"""


def rows(text):
    """The tables of list in a text: one list of (id, status, pid) each."""
    tables = []
    for line in text.splitlines():
        words = line.split()
        if words[:3] == ["ID", "PID", "STATUS"]:
            assert words == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]
            tables.append([])
        elif len(words) == 6:
            tables[-1].append((words[0], words[2], int(words[1])))
    return tables


# ---- the help ----

def test_runc_alone_shows_help(reader):
    text = types(reader, "runc")
    for heading in ("NAME:\n   runc - ", "USAGE:\n   runc ", "VERSION:", "COMMANDS:",
                    "GLOBAL OPTIONS:"):
        assert heading in text
    for command in ("create", "delete", "exec", "kill", "list", "pause", "ps", "resume", "run",
                    "spec", "start", "state", "help, h"):
        assert re.search(rf"^   {command} +\S", text, re.M), command


def test_version_is_that_of_runc(reader):
    assert types(reader, "runc --version").startswith("runc version ")


def test_options_of_old_releases_are_taken(reader):
    text = types(reader, "runc --criu /usr/sbin/criu --debug=false list")
    assert "--criu is ignored" in text and rows(text) == [[]]


# ---- "single steps" (2019, and the README of runc) ----

def test_spec_is_the_one_they_print(reader):
    config = json.loads(types(reader, "runc spec; cat config.json"))
    assert config["process"]["terminal"] is True
    assert config["process"]["args"] == ["sh"]
    assert config["root"] == {"path": "rootfs", "readonly": True}


def test_create_start_list_delete(reader):
    spec(reader, args=STAYS)
    text = types(reader, f"""
        runc create mycontainerid
        runc list
        runc start mycontainerid
        runc list
        {END}
        runc list
        runc delete mycontainerid
        runc list
    """)
    created, running, stopped, deleted = rows(text)
    assert [row[:2] for row in (*created, *running, *stopped)] == [
        ("mycontainerid", status) for status in ("created", "running", "stopped")]
    assert created[0][2] == running[0][2] > 0 and stopped[0][2] == 0
    assert deleted == []


def test_create_with_the_default_config_is_explained(reader):
    types(reader, "runc spec")
    text = types(reader, "runc create mycontainerid", fails=True)
    assert text.count("cannot allocate tty if runc will detach without setting console socket") == 1
    assert text.count("\n") == 1


def shell_on_a_terminal(reader, *words, **how):
    screen = Screen()
    running = reader.runc.start(*words, cwd=reader.path, **screen.streams(), **how)
    screen.expect("/ # ")
    return screen, running


def test_run_with_the_default_config_is_a_shell(reader):
    types(reader, "runc spec")
    screen, running = shell_on_a_terminal(reader, "run", reader.id, wrapper=SHELL)
    screen.type("ps\n")
    screen.expect("PID ")
    wait_until(lambda: re.search(r"^ *1 .* sh\r?$", screen.text(), re.M), "process 1 to be sh")
    screen.type("exit 3\n")
    assert screen.wait(running) == 3


def test_rootless_as_the_readme_has_it(reader):
    """$ runc spec --rootless; $ runc --root /tmp/runc run mycontainerid"""
    user = {"user": 65534, "group": 65534, "extra_groups": []}
    os.chown(reader.path, 65534, 65534)
    for directory, _, _ in os.walk(reader.rootfs):
        os.chown(directory, 65534, 65534)
    reader.runc("spec", "--rootless", cwd=reader.path, **user).ok()
    root = reader.path / "tmp-runc"
    screen, running = shell_on_a_terminal(reader, "--root", root, "run", reader.id, **user)
    screen.type("id -u; exit\n")
    assert screen.wait(running) == 0
    assert "\r\n0\r\n" in screen.text().replace("\n0\n", "\r\n0\r\n")
    assert not (root / reader.id).exists()


def test_as_a_service(reader):
    """The unit of the README: Type=forking, ExecStart, PIDFile, ExecStopPost."""
    spec(reader, args=STAYS)
    text = types(reader, f"""
        runc run -d --pid-file /run/mycontainerid.pid mycontainerid
        cat /run/mycontainerid.pid; echo
        runc list
        {END}
        runc delete mycontainerid
    """)
    ((name, status, pid),) = rows(text)[0]
    assert (name, status) == ("mycontainerid", "running")
    assert text.startswith(f"{pid}\n")


# ---- "trying runC v1" (2015) ----

def test_spec_into_a_file_by_the_shell_is_explained(reader):
    text = types(reader, "runc spec > config.json", fails=True)
    assert "File config.json exists. Remove it first" in text
    assert "runc spec writes the file itself" in text.replace("creel spec", "runc spec")


def test_host_network_by_removing_the_namespace(reader):
    config = spec(reader, args=["cat", "/proc/net/dev"])
    namespaces = config["linux"]["namespaces"]
    namespaces.remove({"type": "network"})
    (reader.path / "config.json").write_text(json.dumps(config))
    names = {line.split(":")[0].strip() for line in
             Path("/proc/net/dev").read_text().splitlines()[2:]}
    seen = {line.split(":")[0].strip() for line in
            types(reader, "runc run mycontainerid").splitlines()[2:]}
    assert seen == names


def test_bind_mount_of_the_blog(reader):
    blog = reader.path / "blog"
    blog.mkdir()
    (blog / "post").write_text("first\n")
    config = spec(reader, args=["sh", "-c", "cat /hexo/post; echo second >/hexo/post"])
    config["mounts"].append({"type": "bind", "source": str(blog), "destination": "/hexo",
                             "options": ["rbind", "rw"]})
    config["root"]["readonly"] = False
    (reader.path / "config.json").write_text(json.dumps(config))
    assert types(reader, "runc run mycontainerid") == "first\n"
    assert (blog / "post").read_text() == "second\n"


@pytest.mark.parametrize("words", ["--id mycontainerid", "start", "kill"])
def test_forms_of_2015_are_told_to_be_wrong(reader, words):
    text = types(reader, f"runc {words}", fails=True)
    assert "Incorrect Usage" in text


# ---- "the engine behind Docker" (2015) ----

def test_hooks_and_the_watched_state_file(reader):
    log = reader.path / "hooks"
    config = spec(reader, args=STAYS)
    config["hooks"] = {kind: [{"path": "/bin/sh", "args": ["sh", "-c", f"echo {kind} >>{log}"]}]
                       for kind in ("prestart", "poststop")}
    (reader.path / "config.json").write_text(json.dumps(config))
    text = types(reader, f"""
        runc create mycontainerid
        cat {log}
        runc start mycontainerid
        test -e /run/runc/mycontainerid/state.json
        {END}
        cat {log}
        runc delete mycontainerid
        test ! -e /run/runc/mycontainerid
        cat {log}
    """)
    assert text.split() == ["prestart", "prestart", "prestart", "poststop"]


def test_state_json_has_what_watchers_read(reader):
    spec(reader, args=STAYS)
    text = types(reader, f"""
        runc run -d mycontainerid
        cat /run/runc/mycontainerid/state.json
        {END}
        runc delete mycontainerid
    """)
    state = json.loads(text)
    assert state["id"] == "mycontainerid" and state["init_process_pid"] > 1
    assert state["namespace_paths"]["NEWNET"] == f"/proc/{state['init_process_pid']}/ns/net"
    assert any("mycontainerid" in path for path in state["cgroup_paths"].values())
    assert f"bundle={reader.path}".replace(reader.id, "mycontainerid") in state["config"]["labels"]


# ---- "using runc" (2020) ----

def test_process_list_before_and_after_start(reader):
    if not shutil.which("ps"):
        pytest.skip("no ps on this machine")
    (reader.rootfs / "etc/hosts").write_text("127.0.0.1 localhost\n")
    spec(reader, args=["tail", "-f", "/etc/hosts"])
    text = types(reader, """
        runc create mycontainerid
        pid=$(runc state mycontainerid | sed -n 's/.*"pid": \\([0-9]*\\).*/\\1/p')
        ps -o pid=,args= -p $pid
        runc start mycontainerid
        until ps -o args= -p $pid | grep -q tail; do sleep 0.01; done
        ps -o pid=,args= -p $pid
        runc kill mycontainerid KILL
        until runc list | grep -q stopped; do sleep 0.01; done
        runc list
        runc delete mycontainerid
    """)
    (pid, before), (same, after) = re.findall(r"^ *(\d+) (.*)$", text, re.M)
    assert (before, after) == ("runc init", "tail -f /etc/hosts")
    assert pid == same
    assert rows(text) == [[("mycontainerid", "stopped", 0)]]


def test_network_is_configured_between_create_and_start(reader):
    spec(reader, args=["cat", "/sys/class/net/lo/mtu"])
    text = types(reader, """
        runc create mycontainerid
        pid=$(runc state mycontainerid | sed -n 's/.*"pid": \\([0-9]*\\).*/\\1/p')
        nsenter --net=/proc/$pid/ns/net ip link set lo mtu 1234
        runc start mycontainerid
        until runc list | grep -q stopped; do sleep 0.01; done
        runc delete mycontainerid
    """)
    assert text == "1234\n"


def test_exec_gives_a_shell(reader):
    spec(reader, args=STAYS)
    script = 'runc run -d "$1"; runc exec -t "$1" sh; touch rootfs/tmp/end; runc delete -f "$1"'
    screen = Screen()
    wrapper = [*SHELL, "env", f"PATH={reader.path}/bin:{PATH}", "sh", "-c", script]
    running = reader.runc.start(reader.id, cwd=reader.path, wrapper=wrapper, **screen.streams())
    screen.expect("/ # ")
    screen.type("echo $((6 * 7))\n")
    screen.expect("42")
    screen.type("exit\n")
    assert screen.wait(running) == 0


def test_a_stopped_container_stays_until_it_is_deleted(reader):
    spec(reader, args=["true"])
    text = types(reader, """
        runc run -d mycontainerid
        until runc list | grep -q stopped; do sleep 0.01; done
        runc list
        runc start mycontainerid || true
        runc delete mycontainerid
        runc list
    """)
    assert rows(text) == [[("mycontainerid", "stopped", 0)], []]
    assert "cannot start a container that has stopped" in text
