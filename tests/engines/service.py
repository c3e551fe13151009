"""Units of systemd that a scenario has for a while, as root or with an ordinary user's own."""

from command import run, wait_until


def service(podman, *words, **settings):
    """The text of a service that runs a command of Podman."""
    command = podman.command(*words)
    quoted = " ".join(f'"{word}"' for word in command[command.index("podman") + 1 :])
    settings |= {"Delegate": "yes", "Environment": f"CONTAINERS_CONF={podman.storage.settings}"}
    lines = "".join(f"{key}={value}\n" for key, value in settings.items())
    return f"[Service]\n{lines}ExecStart=/usr/bin/podman {quoted}\n"


class Unit:
    """
    A unit that is there, and started, for as long as a with statement. What systemd reads is made
    of text, which is put where units are, or into a folder that a generator reads.
    """

    def __init__(self, user, name, text, file=None):
        self.user, self.name, self.text = user, name, text
        manager = "user" if user.uid else "system"
        self.manager = ["systemctl", f"--{manager}"]
        self.path = user.runtime_dir / (file or f"systemd/{manager}/{name}")

    def call(self, *words, **options):
        return run(*self.user.command(*self.manager, *words), timeout=120, **options)

    def __enter__(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(self.text)
        self.call("daemon-reload")
        self.call("start", "--no-block", self.name)
        return self

    def __exit__(self, *_):
        self.call("stop", self.name)
        self.call("reset-failed", self.name, status=None)
        self.path.unlink()
        self.call("daemon-reload")

    def show(self, what):
        return self.call("show", f"--property={what}", "--value", self.name).out.strip()

    def becomes(self, *states):
        wait_until(lambda: self.show("ActiveState") in states, f"{self.name} is {states}", 120)
