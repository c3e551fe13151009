"""
Configurations by chance, for the comparison with another runtime (test_differential.py): each seed
gives the same one always. A change takes a Bundle and a Random and alters the bundle's config; most
ask for something that works, some for what every runtime has to refuse.

Only what runc 1.1 has is asked for.
"""

import host

CAPABILITIES = [
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_MKNOD", "CAP_NET_ADMIN",
    "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID", "CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE",
]  # fmt: skip

FLAGS = ["ro", "rw", "nosuid", "suid", "nodev", "dev", "noexec", "exec", "noatime", "relatime",
         "strictatime", "nodiratime", "diratime", "sync"]  # fmt: skip

PROPAGATIONS = ["private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable"]

CALLS = ["mkdir", "mkdirat", "chmod", "fchmodat", "sync", "socket", "no_such_call", "getpriority"]

changes = []


def change(function):
    changes.append(function)
    return function


def some(chance, things, least=0):
    return chance.sample(things, chance.randint(least, len(things)))


# ---- process ----


@change
def user(bundle, chance):
    bundle.process["user"] = {"uid": chance.choice([0, 1, 1000, 4242]), "gid": chance.choice([0, 7])}


@change
def groups(bundle, chance):
    bundle.process["user"]["additionalGids"] = some(chance, [0, 5, 7, 1000, 70000])


@change
def umask(bundle, chance):
    bundle.process["user"]["umask"] = chance.choice([0, 0o22, 0o77, 0o777])


@change
def environment(bundle, chance):
    odd = ["EMPTY=", "A=b=c", "SPACE= x ", "HOME=/elsewhere", "LINES=1\n2", "Ünï=cödé"]
    bundle.process["env"] += some(chance, odd)


@change
def bad_environment(bundle, chance):
    bundle.process["env"].append(chance.choice(["NOEQUALS", "=x"]))


@change
def cwd(bundle, chance):
    bundle.process["cwd"] = chance.choice(["/tmp", "/made/deep", "/proc", "/bin/..", "/var"])


@change
def bad_cwd(bundle, chance):
    bundle.process["cwd"] = chance.choice(["", "tmp", "/bin/sh", "../x"])


@change
def capabilities(bundle, chance):
    permitted = some(chance, CAPABILITIES)
    inheritable = some(chance, permitted)
    bundle.process["capabilities"] = {
        "bounding": sorted({*permitted, *some(chance, CAPABILITIES)}),
        "permitted": permitted,
        "effective": some(chance, permitted),
        "inheritable": inheritable,
        "ambient": some(chance, inheritable),
    }


@change
def no_capabilities(bundle, chance):
    bundle.process["capabilities"] = chance.choice([{}, None])


@change
def new_privileges(bundle, chance):
    bundle.process["noNewPrivileges"] = False


@change
def rlimits(bundle, chance):
    kinds = [("RLIMIT_CORE", 1 << 20), ("RLIMIT_NOFILE", 512), ("RLIMIT_STACK", 8 << 20),
             ("RLIMIT_FSIZE", 1 << 30), ("RLIMIT_RTTIME", 100000)]  # fmt: skip
    bundle.process["rlimits"] = [
        {"type": kind, "soft": most // chance.choice([1, 2]), "hard": most}
        for kind, most in some(chance, kinds)
    ]


@change
def bad_rlimit(bundle, chance):
    kind = chance.choice(["RLIMIT_FOO", "NOFILE", ""])
    bundle.process["rlimits"] = [{"type": kind, "soft": 1, "hard": 1}]


@change
def oom_score(bundle, chance):
    bundle.process["oomScoreAdj"] = chance.choice([0, 100, 1000])


@change
def bad_program(bundle, chance):
    bad = ["nosuch"], ["/bin"], ["/etc/passwd"], ["/no/such"], []
    bundle.process["args"] = chance.choice(bad)


# ---- root and mounts ----


@change
def root_readonly(bundle, chance):
    bundle.config["root"]["readonly"] = True


@change
def root_path(bundle, chance):
    bundle.config["root"]["path"] = chance.choice([str(bundle.rootfs), "./rootfs", "rootfs/"])


@change
def bad_root(bundle, chance):
    bundle.config["root"]["path"] = chance.choice(["nowhere", "config.json", "/dev/null"])


@change
def tmpfs(bundle, chance):
    data = some(chance, ["size=1m", "mode=1777", "uid=7", "nr_inodes=20"])
    target = chance.choice(["/mnt", "/tmp", "/new/deep", "/var", "/usr/bin"])
    bundle.mount(target, "tmpfs", "tmpfs", *some(chance, FLAGS[:9]), *data)


@change
def bind_folder(bundle, chance):
    source = bundle.path / "volume"
    source.mkdir(exist_ok=True)
    (source / "file").write_text("content\n")
    kind = chance.choice(["bind", "rbind"])
    bundle.bind(source, chance.choice(["/mnt", "/mnt/a/b", "/run"]), kind, *some(chance, FLAGS))


@change
def bind_file(bundle, chance):
    source = bundle.path / "plain"
    source.write_text("content\n")
    target = chance.choice(["/etc/passwd", "/new.txt", "/deep/new.txt"])
    bundle.bind(source, target, "bind", *some(chance, FLAGS[:6]))


@change
def bind_propagation(bundle, chance):
    source = bundle.path / "shared-volume"
    source.mkdir(exist_ok=True)
    bundle.bind(source, "/mnt", "rbind", chance.choice(PROPAGATIONS))


@change
def bind_through_link(bundle, chance):
    (bundle.rootfs / "link").symlink_to(chance.choice(["/var", "../../var", "/missing/target"]))
    source = bundle.path / "linked"
    source.mkdir(exist_ok=True)
    bundle.bind(source, "/link/below")


@change
def bad_mount(bundle, chance):
    bad = [
        ("/mnt", "bind", "/no/such/source", "bind"),
        ("/mnt", "nosuchfs", "none"),
        ("/mnt", "tmpfs", "tmpfs", "nosuchoption"),
        ("/mnt", "bind", "/bin", "bind", "size=1m"),
        ("/proc/1", "tmpfs", "tmpfs"),
        ("/etc/passwd", "tmpfs", "tmpfs"),
        ("/etc/passwd/below", "tmpfs", "tmpfs"),
    ]
    bundle.mount(*chance.choice(bad))


@change
def no_mount(bundle, chance):
    mounts = bundle.config["mounts"]
    mounts[:] = [m for m in mounts if m["destination"] != chance.choice(["/dev/shm", "/dev/mqueue"])]


@change
def propagation(bundle, chance):
    # runc 1.1 has no effect of the shared ones and fails with the unbindable ones
    good = [name for name in PROPAGATIONS if "slave" in name or "private" in name]
    bundle.linux["rootfsPropagation"] = chance.choice([*good, "weird", ""])


@change
def masked(bundle, chance):
    paths = ["/etc/group", "/var", "/no/such", "/proc/keys", "/proc/cpuinfo", "/dev/null"]
    bundle.linux["maskedPaths"] = some(chance, paths)


@change
def readonly(bundle, chance):
    paths = ["/etc/group", "/var", "/no/such", "/proc/sys", "/tmp"]
    bundle.linux["readonlyPaths"] = some(chance, paths)


# ---- linux ----


@change
def share_namespace(bundle, chance):
    bundle.host_namespace(chance.choice(["pid", "ipc", "network", "cgroup"]))


@change
def no_uts(bundle, chance):
    bundle.host_namespace("uts")
    if chance.random() < 0.5:
        bundle.config.pop("hostname", None)


@change
def cgroup_namespace(bundle, chance):
    bundle.namespace("cgroup")


@change
def hostname(bundle, chance):
    bundle.config["hostname"] = chance.choice(["", "box", "a" * 64, "a" * 65, "with space"])


@change
def bad_namespace(bundle, chance):
    bad = [{"type": "foo"}, {"type": "pid"}, {"type": "ipc", "path": "/no/such"},
           {"type": "network", "path": "/proc/self/ns/ipc"}]  # fmt: skip
    bundle.linux["namespaces"].append(chance.choice(bad))


@change
def devices(bundle, chance):
    nodes = [
        {"path": "/dev/one", "type": "c", "major": 1, "minor": 3, "fileMode": 0o640, "uid": 7},
        {"path": "/dev/deep/two", "type": "b", "major": 7, "minor": 0, "gid": 5},
        {"path": "/dev/pipe", "type": "p", "major": 0, "minor": 0},
        {"path": "/dev/null", "type": "c", "major": 1, "minor": 3, "fileMode": 0o600},
        {"path": "/elsewhere", "type": "u", "major": 1, "minor": 5},
    ]
    bundle.linux["devices"] = some(chance, nodes)


@change
def bad_device(bundle, chance):
    bad = [{"path": "/dev/x", "type": "q", "major": 1, "minor": 3}, {"path": "/etc/passwd", "type": "c",
           "major": 1, "minor": 3}]  # fmt: skip
    bundle.linux["devices"] = [chance.choice(bad)]


@change
def device_rules(bundle, chance):
    rules = [
        {"allow": True, "type": "c", "major": 1, "minor": 11, "access": "rwm"},
        {"allow": True, "type": "b", "major": 8, "access": "r"},
        {"allow": False, "type": "c", "major": 1, "minor": 5, "access": "w"},
        {"allow": True, "type": "c", "access": "m"},
        {"allow": True, "access": "rwm"},
    ]
    bundle.linux["resources"]["devices"] = some(chance, rules)


@change
def sysctls(bundle, chance):
    good = {"net.ipv4.ip_forward": "1", "kernel.msgmax": "4096", "kernel/shmmni": "100",
            "net.ipv4.ping_group_range": "0 0", "fs.mqueue.msg_max": "7"}  # fmt: skip
    bundle.linux["sysctl"] = {name: good[name] for name in some(chance, sorted(good))}


@change
def bad_sysctl(bundle, chance):
    bundle.linux["sysctl"] = {chance.choice(["kernel.pid_max", "vm.swappiness", "kernel.hostname"]): "1"}


@change
def memory(bundle, chance):
    bundle.linux["resources"]["memory"] = chance.choice(
        [{"limit": 64 << 20}, {"limit": 64 << 20, "reservation": 32 << 20}, {"limit": -1}]
    )


@change
def cpu(bundle, chance):
    bundle.linux["resources"]["cpu"] = chance.choice(
        [{"shares": 512}, {"quota": 50000, "period": 100000}, {"cpus": "0"}, {"quota": -1}]
    )


@change
def pids(bundle, chance):
    bundle.linux["resources"]["pids"] = {"limit": chance.choice([20, 1000, -1])}


@change
def bad_resources(bundle, chance):
    bad = [{"cpu": {"cpus": "9999"}}, {"hugepageLimits": [{"pageSize": "3MB", "limit": 1}]},
           {"memory": {"limit": 1 << 20, "swap": 1}}]  # fmt: skip
    bundle.linux["resources"] |= chance.choice(bad)


@change
def seccomp(bundle, chance):
    action = chance.choice(["SCMP_ACT_ERRNO", "SCMP_ACT_ERRNO", "SCMP_ACT_LOG"])
    rule = {"names": some(chance, CALLS, 1), "action": action}
    if action == "SCMP_ACT_ERRNO" and chance.random() < 0.5:
        rule["errnoRet"] = chance.choice([1, 38, 99])
    bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]}


@change
def bad_seccomp(bundle, chance):
    bad = [
        {"defaultAction": "SCMP_ACT_FOO"},
        {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_PDP11"]},
        {"defaultAction": "SCMP_ACT_ALLOW",
         "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO",
                       "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_XX"}]}]},
    ]  # fmt: skip
    bundle.linux["seccomp"] = chance.choice(bad)


@change
def user_namespace(bundle, chance):
    bundle.user_namespace()


@change
def hooks(bundle, chance):
    kinds = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]
    for kind in some(chance, kinds):
        bundle.hook(kind, f"/bin/busybox true {kind}")


@change
def bad_hook(bundle, chance):
    bundle.hook(chance.choice(["prestart", "createRuntime", "createContainer"]), "exit 3")


def alter(bundle, chance):
    """Applies one to five changes. Returns their names."""
    # What is bad hides all the rest, so most configurations have none of it.
    good = [c for c in changes if not c.__name__.startswith("bad_")]
    chosen = chance.sample(good, chance.randint(1, 5))
    if chance.random() < 0.25:
        chosen.append(chance.choice([c for c in changes if c not in good]))
    for function in chosen:
        function(bundle, chance)
    if host.is_cgroup_v2():
        limits = bundle.linux["resources"]
        for name in ("memory", "cpu", "pids"):  # hardly ever there in a view of version 2 alone
            limits.pop(name, None)
    return [function.__name__ for function in chosen]
