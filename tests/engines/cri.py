"""
containerd as kubelet speaks to it: pods and their containers, through the Container Runtime
Interface. A handler, as a RuntimeClass of Kubernetes names it, is set up for each runtime.
"""

import importlib
import itertools
import secrets
import sys
from pathlib import Path

import archive
from command import mounts_below, nothing_left, processes_with, run
from containerd import Containerd

counter = itertools.count(1)

CRI = "io.containerd.grpc.v1.cri"

CONFIG = """
[plugins."{cri}"]
  sandbox_image = "{image}"
  [plugins."{cri}".cni]
    bin_dir = "{cni}"
    conf_dir = "{cni}"
"""

HANDLER = """
[plugins."{cri}".containerd.runtimes.{name}]
  runtime_type = "io.containerd.runc.v2"
  [plugins."{cri}".containerd.runtimes.{name}.options]
    BinaryName = "{path}"
    SystemdCgroup = {systemd}
"""

OWN_PROCESSES = {"pid": 1}

# A network plugin that gives a pod an address which nobody else has to reach.
PLUGIN = """#!/bin/sh
case $CNI_COMMAND in
ADD)
	nsenter --net="$CNI_NETNS" ip link set lo up
	echo '{"cniVersion": "0.4.0", "interfaces": [{"name": "eth0", "sandbox": "'"$CNI_NETNS"'"}],
	      "ips": [{"version": "4", "address": "127.0.0.2/8", "interface": 0}]}' ;;
VERSION) echo '{"cniVersion": "0.4.0", "supportedVersions": ["0.3.1", "0.4.0"]}' ;;
esac
"""

METHODS = {
    "RunPodSandbox": ("RunPodSandboxRequest", "RunPodSandboxResponse"),
    "StopPodSandbox": ("PodRequest", "Empty"),
    "RemovePodSandbox": ("PodRequest", "Empty"),
    "CreateContainer": ("CreateContainerRequest", "ContainerId"),
    "StartContainer": ("ContainerId", "Empty"),
    "StopContainer": ("StopContainerRequest", "Empty"),
    "RemoveContainer": ("ContainerId", "Empty"),
    "ContainerStatus": ("ContainerStatusRequest", "ContainerStatusResponse"),
    "ContainerStats": ("ContainerId", "ContainerStatsResponse"),
    "ExecSync": ("ExecSyncRequest", "ExecSyncResponse"),
    "UpdateContainerResources": ("UpdateContainerResourcesRequest", "Empty"),
}


class CriContainerd(Containerd):
    """containerd for pods. A handler NAME has cgroups by path, NAME-systemd by systemd."""

    def __init__(self, where, network, runtimes):
        cni = where.with_name(f"{where.name}-cni")
        cni.mkdir()
        more = CONFIG.format(cri=CRI, image=archive.NAME, cni=cni)
        for runtime in runtimes.values():
            for suffix, systemd in (("", "false"), ("-systemd", "true")):
                name = f"{runtime.name}{suffix}"
                more += HANDLER.format(cri=CRI, name=name, path=runtime.path, systemd=systemd)
        for name in ("loopback", "nothing"):
            (cni / name).write_text(PLUGIN)
            (cni / name).chmod(0o755)
        (cni / "net.conf").write_text(
            '{"cniVersion": "0.4.0", "name": "pods", "type": "nothing"}\n'
        )
        super().__init__(where, network, disabled=(), more=more)
        self.messages = self.compile()
        self.channel = None

    def compile(self):
        """The Python module of the messages in cri.proto."""
        here = Path(__file__).parent
        run("protoc", f"--proto_path={here}", f"--python_out={self.where}", "cri.proto")
        sys.path.insert(0, str(self.where))
        try:
            return importlib.import_module("cri_pb2")
        finally:
            sys.path.remove(str(self.where))

    def start(self):
        super().start()
        import grpc  # only where there is one

        self.channel = grpc.insecure_channel(f"unix://{self.socket}")

    def call(self, method, **fields):
        """The answer to a request with these fields; nested messages are dictionaries."""
        request, response = (getattr(self.messages, name) for name in METHODS[method])
        ask = self.channel.unary_unary(
            f"/runtime.v1.RuntimeService/{method}",
            request_serializer=request.SerializeToString,
            response_deserializer=response.FromString,
        )
        return ask(request(**fields), timeout=120)


class Pods:
    """The pods of one scenario."""

    def __init__(self, daemon, image, runtime):
        self.daemon, self.runtime = daemon, runtime
        daemon.need_image(image, "k8s.io")
        self.pods, self.containers = [], []

    def pod(self, systemd=False, **options):
        """Starts a pod. Its containers have a process namespace each, if namespaces says no other."""
        number = next(counter)
        token = f"t{number}-{secrets.token_hex(3)}"
        security = {"namespace_options": options.pop("namespaces", OWN_PROCESSES)}
        parent = "engines.slice" if systemd else "/engines"
        config = {
            "metadata": {"name": token, "uid": token, "namespace": "default"},
            "hostname": options.pop("hostname", "pod"),
            "log_directory": str(self.daemon.where / "logs"),
            "linux": {"security_context": security, "cgroup_parent": parent, **options},
        }
        handler = f"{self.runtime.name}-systemd" if systemd else self.runtime.name
        answer = self.daemon.call("RunPodSandbox", config=config, runtime_handler=handler)
        self.pods.append((answer.pod_sandbox_id, config))
        return self.pods[-1]

    def container(self, pod, *command, resources=None, security=None, **options):
        """Creates a container in the pod, which sleeps if not told otherwise, and starts it."""
        name = f"c{next(counter)}"
        security = {"namespace_options": OWN_PROCESSES} | (security or {})
        config = {
            "metadata": {"name": name},
            "image": {"image": archive.NAME},
            "command": command or ("sleep", "1000"),
            "log_path": f"{name}.log",
            "linux": {"resources": resources or {}, "security_context": security},
            **options,
        }
        sandbox, pod_config = pod
        answer = self.daemon.call(
            "CreateContainer", pod_sandbox_id=sandbox, config=config, sandbox_config=pod_config
        )
        self.containers.append(answer.container_id)
        self.daemon.call("StartContainer", container_id=answer.container_id)
        return answer.container_id

    def status(self, container):
        return self.daemon.call("ContainerStatus", container_id=container).status

    def exec(self, container, *command, timeout=60):
        """(status, output, errors) of a command in the container."""
        done = self.daemon.call("ExecSync", container_id=container, cmd=command, timeout=timeout)
        return done.exit_code, done.stdout.decode(), done.stderr.decode()

    def pid(self, container):
        """The process of the container, as ctr knows it."""
        listed = self.daemon.ctr("--namespace", "k8s.io", "task", "list").out.splitlines()
        return next(line.split()[1] for line in listed if line.startswith(container))

    def leftovers(self):
        left = [str(path) for path in Path("/run/containerd/runc/k8s.io").glob("*")]
        left = [path for path in left if any(path.endswith(c) for c in self.ids())]
        left += [m for m in mounts_below(self.daemon.where) if any(c in m for c in self.ids())]
        return left + [line for c in self.ids() for line in processes_with(c)]

    def ids(self):
        return [*self.containers, *(sandbox for sandbox, _ in self.pods)]

    def finish(self):
        for container in self.containers:
            self.daemon.call("StopContainer", container_id=container, timeout=0)
            self.daemon.call("RemoveContainer", container_id=container)
        for sandbox, _ in self.pods:
            self.daemon.call("StopPodSandbox", pod_sandbox_id=sandbox)
            self.daemon.call("RemovePodSandbox", pod_sandbox_id=sandbox)
        nothing_left(self.leftovers)
