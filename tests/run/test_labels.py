"""
`process.apparmorProfile`, `process.selinuxLabel` and `linux.mountLabel`: what AppArmor and SELinux
are told, where the machine has them, and that nobody is left without where it has not.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

APPARMOR = Path("/sys/module/apparmor/parameters/enabled")
SELINUX = Path("/sys/fs/selinux/enforce")

NO_APPARMOR = "apparmor: config provided but apparmor not supported"
NO_SELINUX = "selinux label is specified in config, but selinux is disabled or not supported"

LABEL = "system_u:system_r:container_t:s0:c1,c2"


def has_apparmor():
    return APPARMOR.exists() and APPARMOR.read_text().strip() == "Y"


without_apparmor = pytest.mark.skipif(has_apparmor(), reason="AppArmor is enabled")
without_selinux = pytest.mark.skipif(SELINUX.exists(), reason="SELinux is enabled")


def line_of(bundle, message):
    return (bundle.path / "config.json").read_text().splitlines()[message.place[0] - 1]


# ---- where it is not ----

@without_apparmor
@pytest.mark.creel_only("1.1 writes the profile all the same")
@pytest.mark.parametrize("command", ["run", "create"])
def test_profile_without_apparmor(bundle, command):
    bundle.process["apparmorProfile"] = "some"
    message = getattr(bundle, command)().fails(
        f"runc {command} failed: {NO_APPARMOR}", pointer="/process/apparmorProfile")
    assert '"apparmorProfile": "some"' in line_of(bundle, message)
    assert str(APPARMOR) in message.hint


@without_apparmor
@pytest.mark.creel_only("1.1 writes the profile all the same")
def test_profile_of_exec_without_apparmor(bundle):
    bundle.up()
    result = bundle.exec("true", options=("--apparmor", "some"))
    result.fails(part=NO_APPARMOR, rc=255)


@without_selinux
def test_label_without_selinux(bundle):
    bundle.process["selinuxLabel"] = LABEL
    message = bundle.run().fails(f"runc run failed: {NO_SELINUX}")
    if bundle.program.name == "creel":
        assert message.pointer == "/process/selinuxLabel" and LABEL in line_of(bundle, message)


@without_selinux
@pytest.mark.creel_only("1.1 lets the file system complain")
def test_mount_label_without_selinux(bundle):
    bundle.linux["mountLabel"] = LABEL
    message = bundle.run().fails(part=NO_SELINUX, pointer="/linux/mountLabel")
    assert LABEL in line_of(bundle, message)


@without_selinux
@pytest.mark.creel_only("1.1 does not look")
def test_label_of_exec_without_selinux(bundle):
    bundle.up()
    bundle.exec("true", options=("--process-label", LABEL)).fails(part=NO_SELINUX, rc=255)


def test_empty_labels_are_none(bundle):
    bundle.process.update(apparmorProfile="", selinuxLabel="")
    bundle.linux["mountLabel"] = ""
    bundle.run().ok()


# ---- AppArmor ----

PROFILE = """
profile "{name}" flags=(attach_disconnected,mediate_deleted) {{
  file,
  capability,
  network,
  mount,
  umount,
  pivot_root,
  signal,
  ptrace,
  unix,
  deny /secret rw,
}}
"""


def load(name, option="--replace"):
    subprocess.run(["apparmor_parser", option, "--skip-cache", "--quiet"], check=True, text=True,
                   input=PROFILE.format(name=name))


@pytest.fixture
def profile(bundle):
    """A loaded profile that forbids /secret, and the name of a second one like it."""
    if not has_apparmor():
        pytest.skip(f"AppArmor is not enabled ({APPARMOR})")
    if not shutil.which("apparmor_parser"):
        pytest.skip("no apparmor_parser")
    names = [f"creel-test-{bundle.id}", f"creel-test-{bundle.id}-other"]
    for name in names:
        load(name)
    bundle.write("secret", "told")
    bundle.process["apparmorProfile"] = names[0]
    yield names
    bundle.finish()
    for name in names:
        load(name, "--remove")


CURRENT = "cat /proc/self/attr/current"


@pytest.mark.parametrize("nnp", [True, False])
def test_profile_confines_the_program(bundle, profile, nnp):
    bundle.process["noNewPrivileges"] = nnp
    out = bundle.output(f"{CURRENT}; cat /secret 2>&1; true")
    assert out.splitlines() == [f"{profile[0]} (enforce)",
                                "cat: can't open '/secret': Permission denied"]


def test_no_profile_is_no_confinement(bundle, profile):
    del bundle.process["apparmorProfile"]
    assert bundle.output(f"{CURRENT}; cat /secret").splitlines()[-1] == "told"


def test_profile_by_create_and_start(bundle, profile):
    bundle.shell(f"{CURRENT} > /current; sleep 1000")
    bundle.create().ok()
    bundle.start().ok()
    path = f"/proc/{bundle.pid()}/attr/apparmor/current"
    assert Path(path).read_text().strip() == f"{profile[0]} (enforce)"


def test_profile_for_an_ordinary_user(bundle, profile):
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    assert bundle.output(CURRENT) == f"{profile[0]} (enforce)"


def test_profile_in_a_user_namespace(bundle, profile):
    bundle.user_namespace()
    assert bundle.output(CURRENT) == f"{profile[0]} (enforce)"


def test_profile_with_a_filter(bundle, profile):
    bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]}
    assert bundle.output(CURRENT) == f"{profile[0]} (enforce)"


@pytest.mark.parametrize("options, which", [((), 0), (("--apparmor", "{other}"), 1)])
def test_profile_of_exec(bundle, profile, options, which):
    bundle.up()
    options = [word.format(other=profile[1]) for word in options]
    out = bundle.exec("cat", "/proc/self/attr/current", options=options).ok().stdout
    assert out == f"{profile[which]} (enforce)\n"


def test_process_of_a_file_has_the_containers_profile(bundle, profile):
    bundle.up()
    process = {key: value for key, value in bundle.process.items() if key != "apparmorProfile"}
    process["args"] = ["cat", "/proc/self/attr/current"]
    path = bundle.path / "process.json"
    path.write_text(json.dumps(process))
    out = bundle.creel("exec", "--process", path, bundle.id).ok().stdout
    assert out == f"{profile[0]} (enforce)\n"


@pytest.mark.parametrize("nnp", [True, False])
def test_profile_that_is_not_loaded(bundle, profile, nnp):
    bundle.process.update(apparmorProfile="creel-test-nowhere", noNewPrivileges=nnp)
    message = bundle.run().fails(part="unable to apply apparmor profile: apparmor failed to apply "
                                      "profile: write exec creel-test-nowhere: ")
    if bundle.program.name == "creel":
        assert message.pointer == "/process/apparmorProfile"
        assert "no such file or directory" in message.text and "apparmor_parser" in message.hint


def test_proc_of_the_image_is_not_asked(bundle, profile):
    """A file in the place of the kernel's would leave the program without the profile."""
    bundle.config["mounts"] = [m for m in bundle.config["mounts"] if m["destination"] != "/proc"]
    for name in ("self/attr/apparmor/exec", "self/attr/exec", "thread-self/attr/apparmor/exec"):
        bundle.write(f"proc/{name}", "")
    bundle.linux["maskedPaths"] = bundle.linux["readonlyPaths"] = []
    bundle.sleep()
    bundle.run_detached().ok()
    current = Path(f"/proc/{bundle.pid()}/attr/apparmor/current").read_text()
    assert current.strip() == f"{profile[0]} (enforce)"
