"""
Numbers that are something else to whoever reads them next: too large for their field, negative,
"no change" to a system call. Each is exact or an error; none is cut, wrapped around or left out.
"""

import json

import pytest

from mounting import maps

pytestmark = pytest.mark.once

WRAPPED = (-1, 2**32, 2**32 + 1, 2**63, 2**64, -(2**63), 1e3, 0.5)  # of a uint32


def put(config, pointer, value):
    """Sets what a pointer names, making the objects and lists on the way."""
    *way, last = pointer.strip("/").split("/")
    here = config
    for key, following in zip(way, [*way[1:], last]):
        if isinstance(here, list):
            here = here[int(key)]
            continue
        here = here.setdefault(key, [{}] if following == "0" else {})
    if isinstance(here, list):
        here[int(last):int(last) + 1] = [value]
    else:
        here[last] = value


def refused(bundle, pointer, value):
    """With a complaint of that number: nothing is made."""
    put(bundle.config, pointer, value)
    message = bundle.run().fails()
    assert message.pointer == pointer, message.whole
    assert not bundle.root.exists() or list(bundle.root.iterdir()) == []


IDS = ("/process/user/uid", "/process/user/gid", "/process/user/additionalGids/0",
       "/linux/devices/0/uid", "/linux/devices/0/gid", "/linux/uidMappings/0/containerID",
       "/linux/uidMappings/0/hostID", "/linux/uidMappings/0/size",
       "/linux/gidMappings/0/containerID", "/linux/gidMappings/0/hostID",
       "/linux/gidMappings/0/size", "/mounts/1/uidMappings/0/containerID",
       "/mounts/1/gidMappings/0/size", "/process/user/umask",
       "/linux/devices/0/fileMode")  # fmt: skip


def with_a_device(bundle):
    bundle.linux["devices"] = [{"path": "/dev/x", "type": "c", "major": 1, "minor": 3}]


@pytest.mark.parametrize("value", WRAPPED)
@pytest.mark.parametrize("pointer", IDS)
def test_id_that_does_not_fit(bundle, pointer, value):
    with_a_device(bundle)
    refused(bundle, pointer, value)


@pytest.mark.parametrize("pointer", IDS[:5])
def test_id_that_system_calls_take_for_no_change(bundle, pointer):
    """setresuid(2) and chown(2) leave the user as it is, root, when they are given 4294967295."""
    with_a_device(bundle)
    if "additional" in pointer:
        put(bundle.config, pointer, 4294967295)
        bundle.run().fails(part="cannot set additional groups")
    else:
        refused(bundle, pointer, 4294967295)


@pytest.mark.parametrize("id", [1, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 2])
def test_id_is_exact(bundle, id):
    bundle.process["user"] = {"uid": id, "gid": id, "additionalGids": [id]}
    out = bundle.output("grep -E '^(Uid|Gid|Groups)' /proc/self/status").split()
    assert out == ["Uid:", *[str(id)] * 4, "Gid:", *[str(id)] * 4, "Groups:", str(id)]


@pytest.mark.parametrize("user", ["4294967295", "4294967296", "-1", "+1", "01x", "1:", ":1", "-",
                                  " 1", "1 ", "1:4294967295", "0x0", "1e0", "18446744073709551616",
                                  "1:1:1", "root", "0:root", "1\n"])
def test_user_of_exec_is_a_number_and_all_of_it(bundle, user):
    bundle.up()
    result = bundle.exec("id", "-u", options=["--user", user])
    result.fails(rc=1 if "Incorrect Usage" in result.stdout + result.stderr else result.rc)
    assert result.rc and result.stdout.strip() != "0"


def test_name_of_a_user_is_never_looked_up(bundle):
    """A name that is made of digits would give root's id to another (CVE-2016-3697)."""
    bundle.write("etc/passwd", "1000:x:0:0::/:/bin/sh\nroot:x:0:0::/:/bin/sh\n")
    bundle.write("etc/group", "1000:x:0:\n")
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    bundle.sleep()
    bundle.run_detached().ok()
    assert bundle.exec("id", "-u", options=["--user", "1000:1000"]).ok().stdout == "1000\n"
    assert bundle.exec("id", "-g", options=["--user", "1000:1000"]).ok().stdout == "1000\n"


@pytest.mark.parametrize("ranges", [
    [(0, 100000, 10), (5, 200000, 10)], [(0, 100000, 10), (20, 100005, 10)],
    [(0, 4294967290, 100)], [(4294967290, 100000, 100)], [(0, 100000, 0)],
    [(0, 4294967295, 1)], [(4294967295, 100000, 1)],
], ids=["inside", "outside", "end outside", "end inside", "empty", "no id outside", "no id inside"])
def test_id_maps_that_overlap_or_leave_the_numbers(bundle, ranges):
    bundle.namespace("user")
    bundle.linux.update(maps(*ranges))
    assert bundle.run().fails()


# ---- devices ----

@pytest.mark.parametrize("field", ["major", "minor"])
@pytest.mark.parametrize("value", [-1, 2**12 * 2**20, 2**32 + 1, 2**63 - 1, 2**63, 1.0])
def test_device_number_that_does_not_fit(bundle, field, value):
    """2³² + 1 is not 1, which is another device."""
    with_a_device(bundle)
    refused(bundle, f"/linux/devices/0/{field}", value)


@pytest.mark.parametrize("field", ["major", "minor"])
@pytest.mark.parametrize("value", [-2, 2**32, 2**32 + 1, 2**63 - 1, 2**63])
def test_device_rule_that_does_not_fit(bundle, field, value):
    rule = {"allow": True, "type": "c", "major": 1, "minor": 11, "access": "rwm"}
    bundle.linux["resources"]["devices"] = [rule]
    refused(bundle, f"/linux/resources/devices/0/{field}", value)


def test_type_bits_of_a_mode_make_no_other_file(bundle):
    with_a_device(bundle)
    bundle.linux["devices"][0]["fileMode"] = 0o60640
    assert bundle.output("stat -c '%F %a' /dev/x") == "character special file 640"


# ---- limits and the rest ----

@pytest.mark.parametrize("pointer, value", [
    ("/process/oomScoreAdj", 2**31), ("/process/oomScoreAdj", 2**32 - 1000),
    ("/process/oomScoreAdj", -(2**31) - 1), ("/process/oomScoreAdj", 0.5),
    ("/process/rlimits/0/soft", -1), ("/process/rlimits/0/hard", 2**64),
    ("/process/consoleSize/width", 2**64), ("/process/consoleSize/height", -1),
    ("/linux/resources/pids/limit", 2**63), ("/linux/resources/memory/limit", 2**63),
    ("/linux/resources/memory/limit", 2**64 - 1), ("/linux/resources/cpu/shares", 2**64),
    ("/linux/resources/cpu/quota", 2**63), ("/linux/resources/cpu/period", -1),
    ("/linux/resources/blockIO/weight", 65537), ("/linux/resources/blockIO/weight", -1),
    ("/linux/seccomp/defaultErrnoRet", 2**32), ("/linux/seccomp/defaultErrnoRet", -1),
    ("/process/ioPriority/priority", 2**32), ("/process/scheduler/nice", 2**32 - 20),
    ("/process/scheduler/priority", 2**32 + 1), ("/hooks/poststop/0/timeout", 2**63),
    ("/hooks/poststop/0/timeout", 0), ("/hooks/poststop/0/timeout", -1),
    ("/linux/timeOffsets/monotonic/secs", 2**63), ("/linux/timeOffsets/boottime/nanosecs", 2**32),
], ids=str)
def test_number_that_does_not_fit(bundle, pointer, value):
    bundle.hook("poststop", "true")
    bundle.process["scheduler"] = {"policy": "SCHED_OTHER"}
    bundle.process["ioPriority"] = {"class": "IOPRIO_CLASS_BE", "priority": 4}
    bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW"}
    bundle.namespace("time")
    refused(bundle, pointer, value)


@pytest.mark.parametrize("words", [
    ("run", "--preserve-fds", "4294967296"), ("run", "--preserve-fds", "-1"),
    ("run", "--preserve-fds", "2147483648"), ("run", "--preserve-fds", "1e1"),
    ("exec", "--preserve-fds", "18446744073709551617"), ("exec", "-g", "4294967296"),
    ("exec", "-g", "-1"), ("exec", "-g", "1,4294967297"), ("kill", "4294967305"), ("kill", "-9x"),
    ("kill", "65"), ("kill", "1.5"), ("update", "--pids-limit", "9223372036854775808"),
    ("update", "--memory", "18446744073709551616"), ("update", "--cpu-share", "-1"),
    ("update", "--memory", "16777216TiB"),
], ids=" ".join)
def test_number_of_the_command_line_that_does_not_fit(bundle, words):
    bundle.sleep()
    bundle.run_detached().ok()
    command, *rest = words
    if command == "run":
        bundle.save()
        result = bundle.creel("run", *rest, "-b", bundle.path, f"{bundle.id}-other")
    elif command == "kill":
        result = bundle.creel("kill", bundle.id, *rest)
    else:
        result = bundle.creel(command, *rest, bundle.id, *(["true"] if command == "exec" else []))
    assert result.rc != 0 and result.rc < 256 and bundle.status() == "running"


def test_numbers_written_in_other_ways(bundle):
    """JSON knows no leading zeros, no hexadecimal, no sign: what looks like 1000 is not 0."""
    bundle.save()
    path = bundle.path / "config.json"
    text = json.dumps(bundle.config | {"process": bundle.process | {"user": {"uid": 123456789}}})
    for number in ("01000", "0x3e8", "+1000", "1_000", "1000.", ".1e4", "1e", "Infinity", "NaN",
                   "1000 000", "'1000'", '"1000"', "true", "[1000]", "{}"):  # fmt: skip
        path.write_text(text.replace("123456789", number))
        bundle.creel("run", "-b", bundle.path, bundle.id).fails()
