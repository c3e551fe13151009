"""Podman: pods, and what it makes of a file for Kubernetes."""

from command import wait_until

KINDS = "for n in net ipc uts; do readlink /proc/self/ns/$n; done"

PLAY = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {WORD: configured}
---
apiVersion: v1
kind: Pod
metadata: {name: played, annotations: {io.podman.annotations.pids-limit/box: "40"}}
spec:
  hostname: ship
  restartPolicy: Never
  securityContext: {runAsUser: 1000, fsGroup: 50}
  volumes:
  - {name: shared, emptyDir: {}}
  initContainers:
  - name: first
    image: localhost/box
    imagePullPolicy: Never
    command: [sh, -c, "echo prepared >/shared/file"]
    volumeMounts: [{name: shared, mountPath: /shared}]
  containers:
  - name: box
    image: localhost/box
    imagePullPolicy: Never
    command: [sh, -c, "cat /shared/file; echo $WORD $PLAIN; hostname; id -u; sleep 1000"]
    env: [{name: PLAIN, value: plain}]
    envFrom: [{configMapRef: {name: settings}}]
    resources: {limits: {memory: 64Mi, cpu: 500m}, requests: {memory: 32Mi}}
    securityContext:
      readOnlyRootFilesystem: true
      capabilities: {drop: [ALL]}
      allowPrivilegeEscalation: false
    livenessProbe:
      exec: {command: [test, -e, /shared/file]}
      timeoutSeconds: 60
      periodSeconds: 60
      failureThreshold: 1
    volumeMounts: [{name: shared, mountPath: /shared}]
"""


def test_pod(podman):
    """Its containers share what the one that holds the pod has; limits of the pod hold for all."""
    options = ["--network=none", "--hostname=ship", "--memory=100m", "--infra-name=holder"]
    podman("pod", "create", "--name=pod", *options)
    words = ["run", "--detach", "--pod=pod", "--stop-timeout=0"]
    podman(*words, "--name=one", "--memory=64m", "localhost/box", "sleep", "1000")
    podman(*words, "--name=two", "localhost/box", "sleep", "2000")
    assert podman.sh(KINDS, "one") == podman.sh(KINDS, "two")
    assert podman.sh("hostname; hostname -i 2>&1; ps", "two").startswith("ship\n")
    assert podman.limit("memory.max", "one") == str(64 << 20)
    above = podman.cgroup("one").parent
    assert above == podman.cgroup("two").parent
    assert (above / "memory.max").read_text() == f"{100 << 20}\n"
    podman("pod", "pause", "pod")
    assert podman.state("two")["Status"] == "paused"
    podman("pod", "unpause", "pod")
    podman("pod", "stop", "--time=0", "pod")
    assert podman.state("holder")["Status"] == "exited"
    podman("pod", "start", "pod")
    assert podman.state("two")["Status"] == "running"
    podman("pod", "rm", "--force", "--time=0", "pod")
    assert not podman.storage.containers()


def test_pod_that_shares_process_ids(podman):
    podman("pod", "create", "--name=pod", "--network=none", "--share=pid,ipc,uts")
    words = ["--pod=pod", "localhost/box"]
    podman("run", "--detach", "--name=one", *words, "sleep", "1000")
    assert "sleep 1000" in podman("run", "--rm", *words, "ps").out
    assert podman("exec", "one", "cat", "/proc/1/comm").out in ("catatonit\n", "pause\n")
    podman("stop", "--time=0", "one")
    podman("pod", "rm", "--force", "--time=0", "pod")


def test_pod_in_a_user_namespace(rootful):
    rootful("pod", "create", "--name=pod", "--network=none", "--uidmap=0:300000:1000")
    words = ["run", "--rm", "--pod=pod", "localhost/box"]
    assert rootful(*words, "cat", "/proc/self/uid_map").out.split() == ["0", "300000", "1000"]
    assert rootful(*words, "sh", "-c", "hostname other 2>&1 || :; id -u").out.endswith("0\n")
    rootful("pod", "rm", "--force", "--time=0", "pod")


def test_file_for_kubernetes(podman):
    file = podman.file("pod.yaml", PLAY)
    podman("kube", "play", "--network=none", file)
    name = "played-box"
    wait_until(lambda: len(podman("logs", name).out.splitlines()) == 4, "what it prints", 60)
    assert podman("logs", name).out.split() == ["prepared", "configured", "plain", "ship", "1000"]
    assert podman.limit("memory.max", name) == str(64 << 20)
    assert podman.limit("cpu.max", name) == "50000 100000"
    assert "Read-only" in podman("exec", name, "touch", "/x", status=1).err
    podman("healthcheck", "run", name)
    podman.sh("rm /shared/file", name)
    podman("healthcheck", "run", name, status=1)
    podman("kube", "down", "--force", file)
    assert not podman.storage.containers()
