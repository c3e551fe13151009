"""The stepper does what it promises; the sweeps and the tests of races count on it."""

import pytest

import stepper


@pytest.fixture
def step(bundle):
    return stepper.of(bundle)


def test_calls_of_all_processes_are_told(step, bundle):
    bundle.run(wrapper=step.at()).ok()
    calls = step.calls()
    assert {call.process for call in calls} == {"0", "0.1"}
    for who in ("0", "0.1"):
        numbers = [call.number for call in calls if call.process == who]
        assert numbers == [*range(1, len(numbers) + 1)]
    state = [call for call in calls if call.name == "mkdir" and call.text]
    assert state[0].text == str(bundle.root / bundle.id)[:55]
    assert calls[-1].process == "0" and calls[-1].name == "exit_group"


def test_call_fails_once(step, bundle):
    wrapper = step.at("0:mkdir#1", "errno=EIO")
    bundle.run(wrapper=wrapper).fails(part="input/output error")
    assert [call.point for call in step.met()] == ["0:mkdir#1"]


def test_call_fails_everywhere(step, bundle):
    bundle.run(wrapper=step.at("*:openat2", "errno=ENOSYS")).fails()


def test_process_is_killed(step, bundle):
    bundle.sleep()
    assert bundle.run(wrapper=step.at("0:mkdir#2", "kill")).rc == 128 + 9
    bundle.delete("--force")


def test_child_is_killed(step, bundle):
    bundle.run(wrapper=step.at("0.1:30", "kill")).fails(part="signal 9")


def test_all_are_killed(step, bundle):
    bundle.sleep()
    assert bundle.run(wrapper=step.at("0.1:40", "kill-all")).rc == 128 + 9
    bundle.delete("--force").ok()


def test_something_runs_while_a_process_waits(step, bundle):
    mark = bundle.path / "mark"
    command = f"run=test ! -e {bundle.root / bundle.id} && echo $STEP_PID >{mark}"
    bundle.run(wrapper=step.at("0:mkdir#1", command)).ok()
    assert mark.read_text().strip().isdigit()


def test_reads_are_short(step, bundle):
    result = bundle.run(wrapper=step.at("0:*", "short"))
    if "error while loading shared libraries" in result.stderr:
        pytest.skip("this program has libraries, and who loads them does not read on")
    result.ok()
    assert len([call for call in step.met() if call.name == "read"]) > 1000  # of config.json


def test_waiting_init_takes_part(step, bundle):
    bundle.create().ok()
    bundle.start(wrapper=step.at(pid=bundle.pid())).ok()
    assert [call.name for call in step.calls() if call.process == "i"][-1] == "execve"


def test_status_is_that_of_the_command(step, bundle):
    bundle.shell("exit 7")
    assert bundle.run(wrapper=step.at()).rc == 7


def test_what_takes_too_long_is_ended(step, bundle):
    bundle.sleep()
    assert bundle.run(wrapper=step.at(seconds=1)).rc == 124
    bundle.delete("--force").ok()


@pytest.mark.parametrize("words", [["0:1"], ["mkdir", "kill"], ["0:nosuchcall", "kill"],
                                   ["0:1", "errno=EWHAT"], ["0:mkdir#x", "kill"]])
def test_nonsense_is_told(step, bundle, words):
    assert bundle.creel("list", wrapper=step.at(*words)).rc == 125
