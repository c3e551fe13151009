"""The completions of bash, zsh and fish, asked for by these shells themselves."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import words
from program import PATH, wait_until
from terminal import Screen

pytestmark = pytest.mark.once

SCRIPTS = Path(__file__).resolve().parents[2] / "packaging/completions"

ZSH_SETUP = """
fpath=({scripts} $fpath); autoload -Uz compinit; compinit -u -D
compadd() {{ local -a hits; builtin compadd -O hits "$@"; print -rl -- $hits >> {out}; builtin compadd "$@" }}
told() {{ zle expand-or-complete; print -r -- "==" >> {out} }}
zle -N told; bindkey '^X' told; print -r -- "==" > {out}
"""


class Bash:
    def __init__(self, bundle, environment):
        self._environment = environment

    def offers(self, line):
        """What bash offers for the last word of a line, split where bash splits."""
        split = line.replace("=", " = ").split(" ")
        split = [w for i, w in enumerate(split) if w or i == len(split) - 1]
        script = (f'. {SCRIPTS}/creel.bash; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _creel; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        return run(["bash", "-c", script, "bash", *split], self._environment)


class Fish:
    def __init__(self, bundle, environment):
        self._environment = environment

    def offers(self, line):
        script = f"source {SCRIPTS}/creel.fish; complete -C $argv[1]"
        told = run(["fish", "--no-config", "-c", script, line], self._environment)
        before = line.split(" ")[-1].partition("=")[0] + "="
        return {one.split("\t")[0].removeprefix(before) for one in told}


class Zsh:
    """An interactive shell on a terminal: zsh completes in its line editor alone."""

    def __init__(self, bundle, environment):
        self._screen = Screen(columns=300)
        self._out = bundle.path / "offers"
        self._out.touch()
        setup = ZSH_SETUP.format(scripts=SCRIPTS, out=self._out)
        (bundle.path / ".zshrc").write_text(setup)
        environment |= {"ZDOTDIR": str(bundle.path), "TERM": "dumb", "HOME": str(bundle.path)}
        self._process = subprocess.Popen(["zsh", "-d", "-i"], env=environment, cwd=bundle.path,
                                         **self._screen.streams())
        self._wait()

    def _wait(self):
        def done():
            self._screen.text()  # it would wait for a reader
            return self._out.read_text().endswith("==\n")

        wait_until(done, "zsh", timeout=20)

    def offers(self, line):
        self._out.write_text("")
        self._screen.type("\x15" + line + "\x18")
        self._wait()
        return set(self._out.read_text().split("\n")) - {"==", ""}

    def close(self):
        self._process.kill()
        self._process.wait()


def run(argv, environment):
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=30,
                          check=True)
    assert done.stderr == ""
    return set(done.stdout.splitlines()) - {""}


@pytest.fixture(params=[Bash, Zsh, Fish], ids=["bash", "zsh", "fish"])
def shell(request, bundle):
    words.build_directory(bundle.program)
    name = request.param.__name__.lower()
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")
    (bundle.path / "bin").mkdir()
    (bundle.path / "bin/creel").symlink_to(bundle.program.path)
    environment = {"PATH": f"{bundle.path}/bin:{PATH}", "HOME": str(bundle.path), "LC_ALL": "C"}
    made = request.param(bundle, environment)
    yield made
    if hasattr(made, "close"):
        made.close()


def test_commands(bundle, shell):
    names = set(words.commands(bundle.program)) - {""}
    assert shell.offers("creel ") == names
    assert shell.offers("creel --debug --root /x s") == {n for n in names if n.startswith("s")}
    assert shell.offers("creel help l") == {n for n in names if n.startswith("l")}


def test_every_option(bundle, shell):
    for name, command in words.commands(bundle.program).items():
        long = {option.name for option in command.shown()}
        offered = {o.removesuffix("=") for o in shell.offers(f"creel {name} --".replace("  ", " "))}
        assert offered == long, name


def test_values_that_an_option_offers(shell):
    assert shell.offers("creel --log-format ") == {"text", "json"}
    assert shell.offers("creel --log-format=j") == {"json"}
    assert shell.offers("creel --log-level w") == {"warning"}
    assert shell.offers("creel --cgroup-manager ") == {"cgroupfs", "systemd", "disabled"}
    assert shell.offers("creel list -f ") == {"table", "json"}


def test_files_and_directories(bundle, shell):
    (bundle.path / "words").mkdir()
    (bundle.path / "words/there").mkdir()
    (bundle.path / "words/file").touch()
    here = f"{bundle.path}/words/"

    def names(line):
        return {os.path.basename(one.rstrip("/")) for one in shell.offers(line)}

    directories = names(f"creel run --bundle {here}")
    assert "there" in directories and "file" not in directories
    assert "file" in names(f"creel --log {here}f")
    assert {"there", "file"} <= names(f"creel exec --process {here}")


def test_ids(bundle, shell):
    bundle.create().ok()
    there = f"creel --root {bundle.root}"
    for name, command in words.commands(bundle.program).items():
        ids = {bundle.id} if "container-id" in command.operands else set()
        if name and name not in ("create", "restore", "run", "help"):
            assert shell.offers(f"{there} {name} ") >= ids, name
    assert shell.offers(f"{there} start {bundle.id[:2]}") == {bundle.id}
    assert bundle.id not in shell.offers(f"{there} run ")
    assert bundle.id not in shell.offers("creel start ")


def test_signals(bundle, shell):
    offered = shell.offers(f"creel kill {bundle.id} ")
    assert {"TERM", "KILL", "HUP"} <= offered
    assert shell.offers(f"creel kill {bundle.id} KI") == {"KILL"}


def test_options_end_where_the_grammar_ends_them(bundle, shell):
    assert shell.offers("creel delete x --f") == {"--force"}
    assert not shell.offers("creel kill x --a")
    assert not shell.offers("creel delete -- --f")
