"""Command lines side by side with runc, where one is installed: what is printed where, and the
status. What runc has changed since its 1.1 is held to the newer one in test_grammar.py."""

import re
import shlex
import shutil

import pytest

from program import Program

pytestmark = [pytest.mark.once, pytest.mark.creel_only("it would be its own peer")]

# ROOT is the state directory of the container BOX, which runs; NONE an empty one. BUNDLE has no
# config.json.
# Everything is the same here: status, stdout, stderr.
ALIKE = """
--root NONE list
--root ROOT list -q
--root=NONE list
-root NONE list
-root=NONE list
--root /nowhere --root NONE list
--root NONE --root NONE list
--root ROOT list -q -q
--root ROOT list --quiet=true
--root ROOT list -quiet=1
--root NONE list -q=f
--root NONE list -f json
--root NONE list -format=json
--root NONE list --format json --format table
--root NONE list -f yaml
--root NONE -- list
--root NONE list --
--log-format zz list
--log /nowhere/log list
--root NONE --log "" --log-format= list
--root NONE --debug=false list
--root NONE --systemd-cgroup=false list
--root NONE --rootless=true list
--root NONE --rootless=false list
--root NONE --rootless auto list
--root NONE --rootless T list
--root ROOT state nosuch
--root ROOT state ""
--root ROOT state a/b
--root ROOT state ..
--root ROOT start nosuch
--root ROOT delete nosuch
--root ROOT delete -f nosuch
--root ROOT delete nosuch -f
--root ROOT delete nosuch --force=false
--root ROOT delete -- nosuch
--root ROOT kill nosuch
--root ROOT kill nosuch 9
--root ROOT kill --all nosuch KILL
--root ROOT pause nosuch
--root ROOT resume nosuch
--root ROOT ps nosuch
--root ROOT exec nosuch true
--root ROOT exec -t nosuch true
--root ROOT exec --env A=1 -env B=2 --env=C=3 BOX env
--root ROOT create -b BUNDLE nosuch
--root ROOT run --bundle=BUNDLE nosuch
--root ROOT run -bundle BUNDLE --keep nosuch
--root ROOT run nosuch -b BUNDLE
--root ROOT start BOX
--root ROOT delete BOX
--root ROOT kill BOX NOSIG
--root ROOT kill BOX 0
--root ROOT kill BOX SIGCONT
--root ROOT kill BOX sigcont
--root ROOT kill BOX cont
--root ROOT exec BOX true
--root ROOT exec BOX false
--root ROOT exec BOX sh -c "exit 7"
--root ROOT exec BOX sh -c "kill -9 \\$\\$"
--root ROOT exec BOX nosuch
--root ROOT exec BOX sh -c "echo $0 $1" -t --cwd
--root ROOT resume BOX
--root ROOT ps BOX --nosuch=
bogus
--root ROOT bogus --help
help bogus
h bogus
- list
--log-format=json bogus
--root ROOT --log LOG state nosuch
--root ROOT --log=LOG --log-format json start nosuch
--root ROOT --log LOG bogus
"""

# Nothing but the words of the help differs, which stands below the first line of stdout.
COUNTED = """
run
create
create a b
create a b c
start
start a b
state
state a b
delete
delete a b
kill
kill a b c
exec
list x
list -
spec x
features x
pause
resume a b
ps
update
run --
run --keep true a
--log-format=json run
--log LOG run
"""

# runc has the first line ("Incorrect Usage: …") on stderr since 1.2, as creel has.
MISUSED = """
start --bogus
state -bogus a
state --bogus=1 a
run -dt a
exec -dt a
list -f
list --format
kill -all=x a
delete --force=perhaps a
list --quiet=
list --=x
list ---q
list -=
run --preserve-fds x a
run --preserve-fds= a
run --preserve-fds 1.5 a
create --bundle
--bogus
--bogus list
--root
--log-format
--debug=x list
--systemd-cgroup=2 list
"""

HELP = """

help
h
-h
-help
--help
--help list
list --help
list -h
run --help
run a b --help
exec -h
kill --help
help run
h run
help run extra
"""


def lines(table):
    return [line for line in table.strip("\n").split("\n")]


class Peer:
    """creel or runc, by the name runc, in a directory of its own."""

    def __init__(self, bundle, name, path):
        self._where = bundle.path / name
        self.box = f"{bundle.id}-{name}"
        self._log = self._where / "log"
        for name in ("state", "none", "empty"):
            (self._where / name).mkdir(parents=True)
        self._program = Program(path)
        self._program.path = self._where / "runc"
        self._program.path.symlink_to(path)
        self._words = {"ROOT": str(self._where / "state"), "NONE": str(self._where / "none"),
                       "BUNDLE": str(self._where / "empty"), "LOG": str(self._log),
                       "BOX": self.box}

    def call(self, line):
        argv = [re.sub(r"ROOT|NONE|BUNDLE|LOG|BOX", lambda match: self._words[match[0]], word)
                for word in shlex.split(line)]
        return self._program(*argv, cwd=self._where / "empty")

    def told(self, line):
        """(status, stdout, stderr, log) without what is different each time or place."""
        self._log.unlink(missing_ok=True)
        result = self.call(line)
        log = self._log.read_text() if self._log.exists() else ""
        return result.rc, *(self._plain(text) for text in (result.stdout, result.stderr, log))

    def _plain(self, text):
        text = text.replace(str(self._where), "HERE").replace(self.box, "BOX")
        text = re.sub(r'time="[^"]*"|"time":"[^"]*"', "time", text)
        return re.sub(r'; hint: (?:[^"\\\n]|\\.)*', "", text)


@pytest.fixture
def peers(bundle):
    runc = shutil.which("runc", path="/usr/sbin:/usr/bin")
    if not runc:
        pytest.skip("runc is not installed")
    return Peer(bundle, "creel", bundle.program.path), Peer(bundle, "runc", runc)


def differing(peers, table, cut):
    found = []
    for line in lines(table):
        ours, theirs = (cut(*peer.told(line)) for peer in peers)
        if ours != theirs:
            found.append(f"{line}\n  creel: {ours}\n  runc:  {theirs}")
    return "\n".join(found)


def test_alike(bundle, peers):
    bundle.sleep()
    bundle.save()
    for peer in peers:
        peer.call(f"--root ROOT run -d -b {bundle.path} BOX").ok()
    found = differing(peers, ALIKE, lambda *told: told)
    for peer in peers:
        peer.call("--root ROOT delete -f BOX").ok()
    assert not found, found


def test_wrong_counts(peers):
    found = differing(peers, COUNTED, lambda rc, out, err, log: (rc, out.split("\n")[0], err, log))
    assert not found, found


def test_misused(peers):
    def cut(rc, out, err, log):
        usage = re.search(r"^Incorrect Usage[.:] (.*)", out + err, re.M)
        return rc, usage and usage[1], err.split("\n")[-2:], "NAME:" in out, "USAGE:" in out

    found = differing(peers, MISUSED, cut)
    assert not found, found


def test_help(peers):
    def cut(rc, out, err, log):
        headings = {line for line in out.split("\n") if re.fullmatch(r"[A-Z ]+:", line)}
        return rc, out.split(" - ")[0], headings - {"DESCRIPTION:", "EXAMPLE:"}, err

    found = differing(peers, HELP, cut)
    assert not found, found
