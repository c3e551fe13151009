"""
What is said when config.json or the bundle is wrong: the text that engines match, and the place in
the file.
"""

import json
import os
import re

import pytest


def broken(bundle, text):
    """Runs the bundle with text as its config.json."""
    (bundle.path / "config.json").write_text(text)
    return bundle.creel("run", "-b", bundle.path, bundle.id)


# ---- the bundle ----

def test_missing_bundle(bundle):
    result = bundle.creel("run", "-b", "/nowhere", bundle.id)
    result.fails(part="/nowhere: no such file or directory")


def test_missing_config(bundle):
    bundle.creel("run", "-b", bundle.path, bundle.id).fails(
        "runc run failed: JSON specification file config.json not found")


def test_bundle_is_a_file(bundle):
    bundle.creel("run", "-b", "/etc/passwd", bundle.id).fails(part="not a directory")


# ---- broken JSON ----

@pytest.mark.creel_only("it gives neither line nor column")
@pytest.mark.parametrize("text, place", [
    ("{ bad", (1, 3)),
    ('{\n\t"process": {,}\n}', (2, 14)),
    ('{"ociVersion": "1.0.2",\n "hostname": }', (2, 14)),
    ('{"hostname": "a', (1, 16)),
    ("", (1, 1)),
    ("[]", (1, 1)),
])
def test_syntax_error_has_its_place(bundle, text, place):
    message = broken(bundle, text).fails()
    assert message.place == place, message.whole


def test_syntax_error_text(bundle):
    broken(bundle, "{ bad").fails(
        "runc run failed: invalid character 'b' looking for beginning of object key string")


@pytest.mark.creel_only("1.1 crashes")
def test_null(bundle):
    broken(bundle, "null").fails("runc run failed: config cannot be null")


@pytest.mark.creel_only("it gives neither line nor column")
@pytest.mark.parametrize("where, value", [
    (("process", "noNewPrivileges"), "yes"), (("process", "args"), "sh"),
    (("process", "user", "uid"), -1), (("mounts",), {}), (("linux", "namespaces"), "pid"),
    (("root", "readonly"), 1), (("hostname",), 5)])
def test_wrong_type_has_its_place(bundle, where, value):
    target = bundle.config
    for key in where[:-1]:
        target = target[key]
    target[where[-1]] = value
    message = bundle.run().fails()
    assert message.pointer == "/" + "/".join(where)
    bundle.save()
    line = (bundle.path / "config.json").read_text().splitlines()[message.place[0] - 1]
    assert f'"{where[-1]}":' in line


def test_deep_nesting_is_refused_or_ignored(bundle):
    bundle.save()
    text = (bundle.path / "config.json").read_text()
    deep = '"x": ' + "[" * 100000 + "]" * 100000
    result = broken(bundle, text[:-1] + "," + deep + "}")
    assert result.rc in (0, 1)


def test_unknown_keys_are_ignored(bundle):
    bundle.config["unknown"] = {"a": [1, 2.5e3, None, True]}
    bundle.process["unknown"] = "x"
    bundle.linux["vendor"] = {"deep": [{}]}
    assert bundle.output("echo ran") == "ran"


def test_keys_match_in_any_case(bundle):
    bundle.process["ARGS"] = ["echo", "upper"]
    del bundle.process["args"]
    assert bundle.run().ok().stdout == "upper\n"


def test_last_of_duplicate_keys_wins(bundle):
    bundle.save()
    text = (bundle.path / "config.json").read_text()
    result = broken(bundle, text.replace('"hostname": "creel"', '"hostname": "a", "hostname": "b"'))
    assert result.rc == 0


def test_windows_and_other_sections_are_ignored(bundle):
    bundle.config |= {"windows": {"layerFolders": []}, "solaris": {}, "zos": {}}
    assert bundle.output("echo ran") == "ran"


@pytest.mark.parametrize("version", ["1.0.0", "1.2.0", "1.3.0"])
def test_versions(bundle, version):
    bundle.config["ociVersion"] = version
    assert bundle.output("echo ran") == "ran"


# ---- wrong values ----

def put(config, path, value):
    *front, last = path
    for key in front:
        config = config[key]
    config[last] = value


def remove(config, path):
    *front, last = path
    for key in front:
        config = config[key]
    del config[last]


@pytest.mark.parametrize("path, value, text, pointer", [
    (["process", "cwd"], "", "Cwd property must not be empty", "/process/cwd"),
    (["process", "cwd"], "tmp", "Cwd must be an absolute path", "/process/cwd"),
    (["process", "args"], [], "args must not be empty", "/process/args"),
    (["process", "rlimits", 0, "type"], "RLIMIT_FOO", "wrong rlimit value: RLIMIT_FOO",
     "/process/rlimits/0/type"),
    (["linux", "rootfsPropagation"], "weird", "rootfsPropagation=weird is not supported",
     "/linux/rootfsPropagation"),
    (["linux", "resources", "devices"], [{"allow": True, "type": "x", "access": "r"}],
     'invalid cgroup device type "x"', "/linux/resources/devices/0/type"),
    (["linux", "resources", "devices"], [{"allow": True, "type": "c", "access": ""}],
     "device access at 0 field cannot be empty", "/linux/resources/devices/0/access"),
])
def test_text_and_pointer(bundle, path, value, text, pointer):
    put(bundle.config, path, value)
    message = bundle.run().fails(part=text)
    if bundle.program.name == "creel":
        assert message.text.endswith(text)
        assert message.pointer == pointer


@pytest.mark.parametrize("path, text", [
    (["process"], "process property must not be empty"),
    (["process", "cwd"], "Cwd property must not be empty"),
    (["process", "args"], "args must not be empty"),
    (["root"], "root must be specified"),
])
def test_missing_field(bundle, path, text):
    remove(bundle.config, path)
    assert bundle.run().fails().text.endswith(text)


@pytest.mark.creel_only("it gives neither pointer nor hint")
@pytest.mark.parametrize("path, text, hint", [
    ("missing", "no such file or directory", "make the directory and put a root file system"),
    ("config.json", "not a directory", None),
])
def test_root_that_is_no_directory(bundle, path, text, hint):
    bundle.config["root"]["path"] = path
    message = bundle.run().fails(pointer="/root/path")
    assert message.text.endswith(f"invalid rootfs: stat {bundle.path}/{path}: {text}")
    assert (hint or "") in (message.hint or "")
    line = (bundle.path / "config.json").read_text().splitlines()[message.place[0] - 1]
    assert line.strip().startswith('"path":')


@pytest.mark.creel_only("1.1 passes them on")
@pytest.mark.parametrize("variable", ["NOEQUALS", "=x"])
def test_bad_environment_variable(bundle, variable):
    bundle.process["env"].append(variable)
    message = bundle.run().fails(part="invalid environment variable")
    assert message.pointer == "/process/env/2"


@pytest.mark.parametrize("place", [
    ("process", "args", 0), ("process", "cwd"),
    pytest.param(("hostname",), marks=pytest.mark.creel_only("1.1 cuts it off"))])
def test_null_byte_is_refused(bundle, place):
    bundle.args("true")
    put(bundle.config, place, "/a\0b")
    assert bundle.run().rc == 1


def test_nothing_is_made_for_a_wrong_config(bundle):
    bundle.process["cwd"] = "relative"
    bundle.create().fails()
    assert not bundle.root.exists() or list(bundle.root.iterdir()) == []


# ---- the program ----

@pytest.mark.parametrize("word, text", [
    ("nosuch", 'exec: "nosuch": executable file not found in $PATH'),
    ("/nosuch", 'exec: "/nosuch": stat /nosuch: no such file or directory'),
    ("/etc/passwd", 'exec: "/etc/passwd": permission denied'),
    ("/etc", re.compile('exec: "/etc": (is a directory|permission denied)$')),
    ("/etc/passwd/x", re.compile('exec: "/etc/passwd/x": stat /etc/passwd/x: not a directory$')),
])
@pytest.mark.parametrize("command", ["create", "run"])
def test_missing_program_is_told_by_create(bundle, command, word, text):
    bundle.args(word)
    if isinstance(text, str):
        text = f"runc {command} failed: unable to start container process: {text}"
    getattr(bundle, command)().fails(text)
    assert bundle.status() is None


def test_program_in_a_path_that_the_user_cannot_search(bundle):
    bundle.script("hidden/tool", "#!/bin/sh\n")
    (bundle.rootfs / "hidden").chmod(0o700)
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    bundle.args("/hidden/tool")
    bundle.create().fails(re.compile('exec: "/hidden/tool": .*permission denied'))


def test_script_without_an_interpreter_line(bundle):
    bundle.script("bin/tool", "echo no shebang\n")
    bundle.args("tool")
    message = bundle.run()
    assert message.rc in (1, 255)
    assert "exec format error" in message.stderr


def test_script_with_a_missing_interpreter(bundle):
    bundle.script("bin/tool", "#!/no/such/shell\n")
    bundle.args("tool")
    result = bundle.run()
    assert result.rc in (1, 255)
    assert "no such file or directory" in result.stderr


def test_empty_rootfs(bundle):
    os.rename(bundle.rootfs, bundle.path / "full")
    bundle.rootfs.mkdir()
    bundle.run().fails(part="executable file not found in")


# ---- how it is said ----

def test_every_failure_says_something(bundle):
    for command in (
            ["start", "x"], ["state", "x"], ["kill", "x"], ["delete", "x"], ["exec", "x", "true"],
            ["run", "-b", "/nowhere", "x"], ["create", "-b", "/nowhere", "x"]):
        result = bundle.creel(*command)
        assert result.rc in (1, 255) and result.messages("error"), str(result)
        assert result.stdout == ""


def test_long_and_strange_words_do_not_break_the_line(bundle):
    bundle.args("/" + "x" * 300 + "\n\x1b[31m\"quoted\"")
    result = bundle.run()
    assert len([line for line in result.stderr.splitlines() if line]) == 1
    assert "\x1b" not in result.stderr


def test_config_that_is_a_directory(bundle):
    (bundle.path / "config.json").mkdir()
    result = bundle.creel("run", "-b", bundle.path, bundle.id)
    result.fails(re.compile("config.json.*(is a directory|not a regular file)"))


def test_huge_numbers_are_exact(bundle):
    bundle.process["rlimits"] = [{"type": "RLIMIT_FSIZE", "soft": 2**53 + 1, "hard": 2**53 + 1}]
    limits = bundle.output("grep 'file size' /proc/self/limits")
    assert str(2**53 + 1) in limits


def test_config_with_escapes_and_wide_characters(bundle):
    bundle.args("echo", "\u00fc\U0001f600\t\"\\/")
    (bundle.path / "config.json").write_text(json.dumps(bundle.config, ensure_ascii=True))
    out = bundle.creel("run", "-b", bundle.path, bundle.id).ok().stdout
    assert out == "\u00fc\U0001f600\t\"\\/\n"


@pytest.mark.creel_only("1.1 tells no place")
@pytest.mark.parametrize("command", ["create", "run", "run_detached"])
def test_failure_while_it_is_made_has_its_place(bundle, command):
    bundle.bind("/nowhere/at/all", "/mnt")
    message = getattr(bundle, command)().fails(part="error during container init: ",
                                               pointer=f"/mounts/{len(bundle.config['mounts']) - 1}")
    line = json.dumps(bundle.config, indent="\t").splitlines()[message.place[0] - 1]
    assert line.strip() == "{" and message.place[0] > 1
