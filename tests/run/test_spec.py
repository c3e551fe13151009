"""`spec`: the config.json to start from."""

import json
import os
import stat
from pathlib import Path

import pytest

import host

# Debian: golang-github-opencontainers-specs-dev
GO = Path("/usr/share/gocode/src/github.com")
SCHEMA = GO / "opencontainers/runtime-spec/schema/config-schema.json"


def made(bundle, *options):
    """Runs spec and gives what it wrote."""
    bundle.creel("spec", "--bundle", bundle.path, *options).ok()
    return json.loads((bundle.path / "config.json").read_text())


def check_schema(config):
    jsonschema = pytest.importorskip("jsonschema", reason="python3-jsonschema is not installed")
    if not SCHEMA.exists():
        pytest.skip(f"no {SCHEMA}")
    resolver = jsonschema.RefResolver(SCHEMA.as_uri(), json.loads(SCHEMA.read_text()))
    jsonschema.validate(config, resolver.referrer, resolver=resolver)


@pytest.mark.parametrize("options", [(), ("--rootless",)])
def test_it_obeys_the_schema(bundle, options):
    check_schema(made(bundle, *options))


def test_process(bundle):
    process = made(bundle)["process"]
    capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
    for kind in ("bounding", "effective", "permitted"):
        assert process["capabilities"].pop(kind) == capabilities
    if bundle.program.name == "creel":
        assert process.pop("capabilities") == {}
    else:
        del process["capabilities"]
    assert process == {
        "terminal": True, "user": {"uid": 0, "gid": 0}, "args": ["sh"], "cwd": "/",
        "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
        "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
        "noNewPrivileges": True,
    }


def test_mounts(bundle):
    config = made(bundle)
    assert config["root"] == {"path": "rootfs", "readonly": True}
    assert config["hostname"] == "runc"
    assert [(m["destination"], m["type"], m["source"]) for m in config["mounts"]] == [
        ("/proc", "proc", "proc"), ("/dev", "tmpfs", "tmpfs"), ("/dev/pts", "devpts", "devpts"),
        ("/dev/shm", "tmpfs", "shm"), ("/dev/mqueue", "mqueue", "mqueue"),
        ("/sys", "sysfs", "sysfs"), ("/sys/fs/cgroup", "cgroup", "cgroup")]
    options = {m["destination"]: m.get("options") for m in config["mounts"]}
    assert options["/dev"] == ["nosuid", "strictatime", "mode=755", "size=65536k"]
    assert options["/dev/pts"] == ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620",
                                   "gid=5"]
    assert options["/sys/fs/cgroup"] == ["nosuid", "noexec", "nodev", "relatime", "ro"]


def test_linux(bundle):
    linux = made(bundle)["linux"]
    kinds = [n["type"] for n in linux["namespaces"]]
    assert kinds == ["pid", "network", "ipc", "uts", "mount"] + ["cgroup"] * host.is_cgroup_v2()
    assert linux["resources"] == {"devices": [{"allow": False, "access": "rwm"}]}
    assert {"/proc/kcore", "/proc/keys", "/sys/firmware"} <= set(linux["maskedPaths"])
    assert linux["readonlyPaths"] == ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                      "/proc/sysrq-trigger"]


@pytest.mark.creel_only("1.1 is of an older version")
def test_version(bundle):
    assert made(bundle)["ociVersion"] == "1.3.0"


def test_rootless(bundle):
    config = made(bundle, "--rootless")
    linux = config["linux"]
    kinds = [n["type"] for n in linux["namespaces"] if n["type"] != "cgroup"]
    assert kinds == ["pid", "ipc", "uts", "mount", "user"]
    assert linux["uidMappings"] == [{"containerID": 0, "hostID": os.geteuid(), "size": 1}]
    assert linux["gidMappings"] == [{"containerID": 0, "hostID": os.getegid(), "size": 1}]
    assert "resources" not in linux
    (sys,) = [m for m in config["mounts"] if m["destination"] == "/sys"]
    assert sys == {"destination": "/sys", "type": "none", "source": "/sys",
                   "options": ["rbind", "nosuid", "noexec", "nodev", "ro"]}
    assert not any("gid=" in option for m in config["mounts"] for option in m.get("options", []))


def test_bytes(bundle):
    made(bundle)
    path = bundle.path / "config.json"
    text = path.read_text()
    assert text.startswith('{\n\t"ociVersion": ')
    assert text.endswith("\n}")
    assert text == json.dumps(json.loads(text), indent="\t")


def test_mode_heeds_the_umask(bundle):
    bundle.creel("spec", cwd=bundle.path, umask=0o027).ok()
    assert stat.S_IMODE((bundle.path / "config.json").stat().st_mode) == 0o640


def test_existing_file_is_kept(bundle):
    (bundle.path / "config.json").write_text("mine")
    bundle.creel("spec", "-b", bundle.path).fails("File config.json exists. Remove it first")
    assert (bundle.path / "config.json").read_text() == "mine"


def test_missing_bundle(bundle):
    assert bundle.creel("spec", "-b", "/nowhere").rc == 1


def test_it_runs(bundle):
    config = made(bundle)
    config["process"] |= {"terminal": False, "args": ["sh", "-c", "hostname; touch /x 2>&1"]}
    bundle.config = config
    result = bundle.run()
    assert result.rc == 1 and result.stdout.startswith("runc\n") and "Read-only" in result.stdout


def test_terminal_and_detached_is_refused_with_a_way_out(bundle):
    bundle.config = made(bundle)
    message = bundle.create().fails("runc create failed: cannot allocate tty if runc will detach "
                                    "without setting console socket")
    if bundle.program.name == "creel":
        assert "terminal" in message.hint and "--console-socket" in message.hint
