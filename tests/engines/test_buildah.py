"""Buildah with the runtime's isolation: builds, and commands in a container that is being built."""

import json

import archive
import pytest
from podman import LIMIT

FILE = """
FROM {image}
ARG WORD=none
ENV A=b
WORKDIR /work
COPY file copied
RUN echo $WORD $A >made; id -u >>made; pwd >>made; ls /proc/1/exe
RUN --mount=type=tmpfs,dst=/scratch --mount=type=bind,src=file,dst=/bound \\
    df /scratch | grep -q tmpfs && cat /bound >>made
USER 1000
RUN id -u >/tmp/user
CMD ["cat", "made"]
"""


@pytest.fixture
def buildah(podman):
    """The engine as root and as an ordinary user; its own command."""

    def call(command, *words, **options):
        own = []
        if command in ("bud", "run"):
            own = ["--isolation", "oci"]
            own += ["--runtime", podman.runtime.path]
        if command == "bud":  # a container for each of its steps
            options.setdefault("timeout", 3 * LIMIT)
        return podman.storage.call("buildah", command, *own, *words, **options)

    yield call
    call("rm", "--all")


@pytest.mark.quick
def test_build(podman, buildah):
    podman.folder("context")
    podman.file("context/file", "from outside\n")
    podman.file("context/Containerfile", FILE.format(image=archive.NAME))
    words = [
        "--network=none",
        "--build-arg=WORD=told",
        "--tag=localhost/made",
        podman.where / "context",
    ]
    buildah("bud", "--layers=false", *words)
    done = podman(
        "run", "--rm", "--network=none", "localhost/made", "cat", "made", "copied", "/tmp/user"
    )
    podman("rmi", "localhost/made")
    assert done.out.split("\n") == [
        "told b",
        "0",
        "/work",
        "from outside",
        "from outside",
        "1000",
        "",
    ]


def test_build_that_fails(podman, buildah):
    podman.folder("context")
    podman.file("context/Containerfile", f"FROM {archive.NAME}\nRUN exit 7\n")
    done = buildah("bud", "--network=none", podman.where / "context", status=None)
    assert done.status != 0 and "exit status 7" in done.err
    podman.file("context/Containerfile", f'FROM {archive.NAME}\nRUN ["nope"]\n')
    done = buildah("bud", "--network=none", podman.where / "context", status=None)
    assert done.status != 0 and "executable file not found in $PATH" in done.err


def test_from_nothing(podman, buildah):
    """A container with nothing in it, a program copied, run, committed."""
    name = buildah("from", "scratch").out.strip()
    program = podman.file("program", mode=0o755)
    program.write_bytes(open("/bin/busybox", "rb").read())
    buildah("copy", name, program, "/bin/busybox")
    done = buildah("run", "--network=none", name, "/bin/busybox", "echo", "hello")
    assert done.out == "hello\n"
    buildah("config", "--cmd", '["/bin/busybox","echo","built"]', name)
    buildah("commit", "--quiet", name, "localhost/made")
    assert podman("run", "--rm", "--network=none", "localhost/made").out == "built\n"
    podman("rmi", "localhost/made")


def test_run(podman, buildah):
    name = buildah("from", "--pull-never", archive.NAME).out.strip()
    folder = podman.folder("data")
    script = "cat; id -u; hostname; echo x >/data/made; exit 5"
    options = ["--network=none", "--user=0", f"--volume={folder}:/data", "--hostname=ship"]
    done = buildah("run", *options, name, "sh", "-c", script, text="in\n", status=5)
    assert done.out.split() == ["in", "0", "ship"]
    assert (folder / "made").read_text() == "x\n"
    others = ["--network=none", "--cap-drop=CAP_CHOWN", "--cap-add=CAP_NET_RAW"]
    seen = buildah("run", *others, name, "grep", "CapEff", "/proc/self/status").out
    assert int(seen.split()[1], 16) & (1 << 13 | 1) == 1 << 13
    done = buildah("run", "--network=none", name, "nope", status=None)
    assert done.status and "executable file not found" in done.err


def test_terminal(podman, buildah, screen):
    name = buildah("from", "--pull-never", archive.NAME).out.strip()
    words = [
        "run",
        "--isolation=oci",
        f"--runtime={podman.runtime.path}",
        "--network=none",
        "--tty",
        name,
    ]
    command = podman.storage.command("buildah", *words, "sh", "-c", "tty; stty size; exit 3")
    with screen(command, rows=33, columns=99) as terminal:
        terminal.expect("/dev/pts/0")
        terminal.expect("33 99")
        assert terminal.status() == 3


def test_build_by_podman(podman):
    podman.folder("context")
    podman.file("context/Containerfile", f"FROM {archive.NAME}\nRUN echo made >/made\n")
    podman(
        "build",
        "--isolation=oci",
        "--network=none",
        "--tag=localhost/made",
        podman.where / "context",
    )
    done = podman("run", "--rm", "--network=none", "localhost/made", "cat", "/made")
    podman("rmi", "localhost/made")
    assert done.out == "made\n"
    assert (
        json.loads(podman("info", "--format=json").out)["host"]["ociRuntime"]["name"]
        == podman.runtime.name
    )
