"""
containerd, with a state of its own, and its client ctr.
"""

from command import Daemon, run

CONFIG = """version = 2
root = "{where}/root"
state = "{where}/state"
disabled_plugins = [{disabled}]
[grpc]
address = "{where}/containerd.sock"
"""

DISABLED = ("io.containerd.grpc.v1.cri",)


class Containerd(Daemon):
    def __init__(self, where, network, disabled=DISABLED, more=""):
        super().__init__(where, network, "containerd")
        self.socket = self.where / "containerd.sock"
        names = ", ".join(f'"{name}"' for name in disabled)
        text = CONFIG.format(where=self.where, disabled=names) + more
        (self.where / "config.toml").write_text(text)

    def command(self):
        return "containerd", "--config", self.where / "config.toml", "--log-level", "info"

    def answers(self):
        return self.ctr("version", status=None).status == 0

    def ctr(self, *words, **options):
        return run("ctr", "--address", self.socket, *words, **options)
