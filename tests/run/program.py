"""Runs the program under test and judges what it answered.

Output goes to files and never to pipes: a detached container keeps them open, and a reader would
wait for its end.
"""

import json
import os
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

# A machine that is emulated, or busy with other things, takes so many times as long.
PATIENCE = int(os.environ.get("CREEL_PATIENCE", "1"))

TIME_LIMIT = 15 * PATIENCE  # seconds; a command that needs more hangs

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

LOG_LINE = re.compile(r'^time="[^"]+" level=(\w+) msg=("(?:[^"\\]|\\.)*"|\S*)')
POINTER = re.compile(r" \(config\.json: ?([^)]*)\)")
HINT = re.compile(r"; hint: (.*)$", re.S)
PLACE = re.compile(r"\S+\.json:(\d+):(\d+): ")


class Program:
    """The executable $CREEL, with options in front of every command. name is "creel", or "runc" when the tests are tried against that."""

    def __init__(self, path, options=()):
        self.path, self.options = Path(path).resolve(), tuple(options)
        version = subprocess.run([self.path, "--version"], capture_output=True, text=True,
                                 timeout=TIME_LIMIT, check=True).stdout
        self.name = version.split()[0] if version.strip() else "creel"

    def start(self, *args, stdin=subprocess.DEVNULL, env=None, wrapper=(), **popen):
        """
        Starts the program in the background. stdin may be a text; env is the whole environment;
        wrapper is a command that runs the program in its turn; the rest is for Popen.
        """
        argv = [*wrapper, self.path, *self.options, *args]
        return Running([str(word) for word in argv], stdin, env or {"PATH": PATH}, popen)

    def __call__(self, *args, timeout=TIME_LIMIT, **options):
        return self.start(*args, **options).wait(timeout)


class Running:
    """A command that was started. wait() gives its Result."""

    def __init__(self, argv, stdin, env, popen):
        self.argv = argv
        # Files that are deleted already: nothing is left behind whatever the test does.
        self.out, self.err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        text = None
        if isinstance(stdin, (str, bytes)):
            text = stdin.encode() if isinstance(stdin, str) else stdin
            stdin = tempfile.TemporaryFile()
            stdin.write(text)
            stdin.seek(0)
        streams = {"stdin": stdin, "stdout": self.out, "stderr": self.err} | popen
        self.process = subprocess.Popen(argv, env=env, **streams)
        if text is not None:
            stdin.close()

    @property
    def pid(self):
        return self.process.pid

    def signal(self, number):
        self.process.send_signal(number)

    def output(self):
        return read_all(self.out)

    def wait(self, timeout=TIME_LIMIT):
        try:
            rc = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            raise AssertionError(f"{self.argv} did not end within {timeout} s\n"
                                 f"stderr: {read_all(self.err)}") from None
        return Result(self.argv, rc, self.out, self.err)


def read_all(file):
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode(errors="replace")


class Result:
    """
    How a command ended. stdout and stderr are read anew each time: a detached container may still
    write.
    """

    def __init__(self, argv, rc, out, err):
        self.argv, self.rc, self._out, self._err = argv, rc, out, err

    @property
    def stdout(self):
        return read_all(self._out)

    @property
    def stderr(self):
        return read_all(self._err)

    def messages(self, level):
        """The logged messages of one level, in the order they were written to stderr."""
        found = []
        for line in self.stderr.splitlines():
            match = LOG_LINE.match(line)
            if match and match[1] == level:
                text = match[2]
                found.append(json.loads(text) if text.startswith('"') else text)
        return found

    def ok(self):
        """Says that the command must have succeeded. Returns self."""
        self._skip_what_is_planned()
        assert self.rc == 0, f"rc {self.rc}, expected 0\n{self}"
        return self

    def _skip_what_is_planned(self):
        """Leaves the test when the program says that it is not yet able to do this."""
        for text in self.messages("error"):
            if "not supported yet" in text:
                pytest.skip(text)

    def fails(self, text=None, *, part=None, rc=1, pointer=None):
        """
        Says that the command must have failed with rc and an error. text is the text of its
        Message, or a compiled pattern to be found in that; part stands somewhere in it; pointer is
        its pointer. Returns the Message.
        """
        self._skip_what_is_planned()
        assert self.rc == rc, f"rc {self.rc}, expected {rc}\n{self}"
        errors = self.messages("error")
        assert errors, f"no error was logged\n{self}"
        message = Message(errors[-1])
        if isinstance(text, re.Pattern):
            assert text.search(message.text), f"/{text.pattern}/ is not in {message.text!r}"
        elif text is not None:
            assert message.text == text, message.whole
        if part is not None:
            assert part in message.text, message.whole
        if pointer is not None:
            assert message.pointer == pointer, f"pointer {message.pointer!r} in {errors[-1]!r}"
        return message

    def __str__(self):
        return f"{' '.join(self.argv)}\nrc: {self.rc}\nstdout: {self.stdout}\nstderr: {self.stderr}"


class Message:
    """
    An error text taken apart: what happened (text), where in config.json it was asked for (pointer,
    and line and column in place), how to mend it (hint). Each but text is None when it was not
    told.
    """

    def __init__(self, whole):
        self.whole = whole
        rest = HINT.sub("", whole)
        self.hint = HINT.search(whole)[1] if HINT.search(whole) else None
        self.pointer = POINTER.search(rest)[1] if POINTER.search(rest) else None
        place = PLACE.search(rest)
        self.place = (int(place[1]), int(place[2])) if place else None
        self.text = PLACE.sub("", POINTER.sub("", rest))


def wait_until(condition, what, timeout=5):
    """Polls until condition() is true and returns its value."""
    end = time.monotonic() + timeout * PATIENCE
    while not (value := condition()):
        assert time.monotonic() < end, f"waited {timeout} s in vain for: {what}"
        time.sleep(0.002)
    return value
