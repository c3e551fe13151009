"""--pid-file, and --log with a file: bytes that engines read. test_log.py has the rest of logging."""

import json
import os
import re
import stat

import pytest

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")


# ---- pid file ----

def test_pid_file_is_the_number_alone(bundle):
    path = bundle.path / "pid"
    bundle.create("--pid-file", path).ok()
    assert path.read_text() == str(bundle.pid())


def test_pid_file_of_a_detached_run(bundle):
    path = bundle.path / "pid"
    bundle.sleep()
    bundle.run_detached("--pid-file", path).ok()
    assert path.read_text() == str(bundle.pid())


def test_pid_file_mode_heeds_the_umask(bundle):
    path = bundle.path / "pid"
    bundle.create("--pid-file", path, umask=0o027).ok()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_pid_file_is_only_written_on_success(bundle):
    path = bundle.path / "pid"
    bundle.args("nosuch")
    bundle.create("--pid-file", path).fails()
    assert not path.exists()


def test_old_pid_file_is_replaced(bundle):
    path = bundle.path / "pid"
    path.write_text("1234567890")
    bundle.create("--pid-file", path).ok()
    assert path.read_text() == str(bundle.pid())


def test_relative_pid_file_is_below_the_callers_directory(bundle):
    bundle.save()
    bundle.alive.add(bundle.id)
    (bundle.path / "elsewhere").mkdir()
    words = ("create", "-b", bundle.path, "--pid-file", "pid", bundle.id)
    bundle.creel(*words, cwd=bundle.path / "elsewhere").ok()
    assert (bundle.path / "elsewhere/pid").read_text() == str(bundle.pid())


def test_pid_file_that_cannot_be_written_undoes_the_container(bundle):
    message = bundle.create("--pid-file", "/nowhere/pid").fails(part="/nowhere/")
    assert message.text.endswith("no such file or directory")
    assert bundle.status() is None
    assert bundle.guard.check() == []


def test_no_other_file_is_left_beside_the_pid_file(bundle):
    where = bundle.path / "pids"
    where.mkdir()
    bundle.create("--pid-file", where / "pid").ok()
    assert os.listdir(where) == ["pid"]


# ---- log ----

def logged(bundle, *options, command=("start", "nosuch")):
    """Runs a command that fails with a log file and gives its Result and the file's text."""
    path = bundle.path / "log"
    bundle.root.mkdir(exist_ok=True)
    result = bundle.creel("--log", path, *options, *command)
    return result, path.read_text() if path.exists() else ""


def test_json_record(bundle):
    result, text = logged(bundle, "--log-format", "json")
    assert result.rc == 1
    assert text.endswith("\n") and text.count("\n") == 1
    record = json.loads(text)
    assert list(record) == ["level", "msg", "time"]
    assert (record["level"], record["msg"]) == ("error", "container does not exist")
    assert RFC3339.fullmatch(record["time"])
    assert ", " not in text.replace(record["msg"], "")


def test_text_record(bundle):
    _, text = logged(bundle)
    assert re.fullmatch(r'time="[^"]+" level=error msg="container does not exist"\n', text)


def test_error_is_also_on_stderr_without_prefix(bundle):
    result, _ = logged(bundle, "--log-format", "json")
    assert result.stderr == "container does not exist\n"


def test_log_is_appended_to(bundle):
    (bundle.path / "log").write_text("before\n")
    logged(bundle, "--log-format", "json")
    _, text = logged(bundle, "--log-format", "json")
    lines = text.splitlines()
    assert lines[0] == "before" and len(lines) == 3


def test_record_with_strange_characters_is_json(bundle):
    bundle.args("/quote\"back\\slash\nnew\u0001\u00fc")
    bundle.save()
    _, text = logged(bundle, "--log-format", "json", command=("run", "-b", bundle.path, bundle.id))
    record = json.loads(text.splitlines()[-1])
    assert 'quote' in record["msg"] and "\u00fc" in record["msg"]


def test_failure_of_exec_is_in_the_log(bundle):
    bundle.up()
    result, text = logged(bundle, "--log-format=json", command=("exec", bundle.id, "nosuch"))
    assert result.rc == 255
    assert "executable file not found in $PATH" in json.loads(text.splitlines()[-1])["msg"]


def test_success_logs_nothing(bundle):
    bundle.save()
    _, text = logged(bundle, command=("run", "-b", bundle.path, bundle.id))
    assert text == ""


def test_log_mode(bundle):
    logged(bundle)
    assert stat.S_IMODE((bundle.path / "log").stat().st_mode) == 0o644


def test_usage_error_is_logged_too(bundle):
    result, text = logged(bundle, "--log-format=json", command=("start",))
    assert result.rc == 1
    assert "requires exactly 1 argument(s)" in json.loads(text.splitlines()[-1])["msg"]


def test_unknown_log_format(bundle):
    bundle.creel("--log-format", "zz", "list").fails("invalid log-format: zz")


def test_log_that_cannot_be_opened(bundle):
    result = bundle.creel("--log", "/nowhere/log", "list")
    assert result.rc == 1 and "/nowhere/log" in result.stderr


def test_debug_adds_records_and_changes_nothing_else(bundle):
    bundle.shell("echo out")
    bundle.save()
    result, text = logged(bundle, "--debug", command=("run", "-b", bundle.path, bundle.id))
    assert result.ok().stdout == "out\n"
    assert "level=debug" in text


def test_warnings_go_to_the_log(bundle):
    bundle.process["capabilities"]["bounding"].append("CAP_FOO")
    bundle.save()
    result, text = logged(bundle, "--log-format=json",
                          command=("run", "-b", bundle.path, bundle.id))
    assert result.rc == 0
    assert json.loads(text.splitlines()[0])["level"] == "warning"


@pytest.mark.parametrize("format", ["text", "json"])
def test_lines_of_concurrent_commands_do_not_mix(bundle, format):
    path = bundle.path / "log"
    bundle.root.mkdir()
    words = ("--log", path, "--log-format", format, "start", "nosuch")
    runners = [bundle.spawn(*words) for _ in range(10)]
    for runner in runners:
        assert runner.wait().rc == 1
    lines = path.read_text().splitlines()
    assert len(lines) == 10 and all("container does not exist" in line for line in lines)
