"""
What a container looks like from inside, as text to compare: everything that a configuration can
change and a program can see. Two runtimes that do the same have the same fingerprint.
"""

import re

SCRIPT = r"""
section() { echo "== $1"; }
show() { for f; do [ -e "$f" ] && echo "$f: $(cat "$f" 2>&1 | tr '\n' ' ')"; done; }
section status
grep -E '^(Umask|Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp|SigBlk|Cpus_allowed_list)' /proc/self/status
section limits; cat /proc/self/limits
section environment; env
section program; pwd; id; hostname; umask; show /proc/self/oom_score_adj /proc/self/loginuid
section descriptors; probe fds
section mounts; cat /proc/self/mountinfo
section cgroup; cat /proc/self/cgroup
section devices
find /dev /elsewhere -exec stat -c '%N %F %a %u %g %t:%T' {} + 2>/dev/null | sort
for d in null zero full random urandom tty one deep/two; do
	[ -e /dev/$d ] && echo "$d: $(head -c 1 /dev/$d 2>&1 | wc -c) $( { : >>/dev/$d; } 2>&1 | sed 's/.*: //')"
done
section limits of the cgroup
for f in /sys/fs/cgroup/*/memory.limit_in_bytes /sys/fs/cgroup/*/memory.soft_limit_in_bytes \
	/sys/fs/cgroup/*/cpu.shares /sys/fs/cgroup/*/cpu.cfs_* /sys/fs/cgroup/*/pids.max \
	/sys/fs/cgroup/*/cpuset.cpus; do show "$f"; done
sort /sys/fs/cgroup/*/devices.list 2>/dev/null
section kernel
show /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/ping_group_range /proc/sys/kernel/msgmax \
	/proc/sys/kernel/shmmni /proc/sys/fs/mqueue/msg_max /proc/self/uid_map /proc/self/gid_map \
	/proc/self/setgroups
cat /proc/net/dev | sed 's/:.*//' | sort
ip -o link show lo 2>&1 | sed 's/.*<\(.*\)>.*/\1/'
section files
for f in /mnt /tmp /var /new /new/deep /usr/bin /made /made/deep /deep /run /new.txt /etc /etc/passwd \
	/link /missing; do
	[ -e $f ] && stat -c '%n %F %a %u %g' $f
done
for f in /etc/group /var /proc/keys /proc/cpuinfo /proc/sys /proc/kcore /sys/firmware /tmp; do
	[ -d $f ] && echo "$f: $(ls $f 2>&1 | wc -l) $(mkdir $f/x 2>&1 && rmdir $f/x)"
	[ -f $f ] && echo "$f: $(head -c 1 $f 2>&1 | wc -c)"
done
section calls
probe nosys
mkdir /tmp/made 2>&1 && rmdir /tmp/made; chmod 700 /tmp/made 2>&1; sync 2>&1; nc -h >/dev/null 2>&1 || true
section end
"""


def normal(text, bundle):
    """The fingerprint without what differs from run to run: numbers of mounts, names of bundles."""
    text = text.replace(bundle.id, "ID").replace(str(bundle.path), "BUNDLE")
    text = re.sub(r"/dev/pts/\d+", "/dev/pts/N", text)
    return "\n".join(_normal_line(line) for line in text.splitlines() if line)


def in_order(lines):
    """Mounts by where they are; those on one place stay as they lie upon each other."""
    return sorted(lines, key=lambda line: line.split(" ")[2] if line.count(" ") > 2 else line)


MOUNT = re.compile(r"^\d+ \d+ (\d+:\d+) (.*)$")


def _normal_line(line):
    mount = MOUNT.match(line)
    if not mount:
        return line
    device = "0:N" if mount[1].startswith("0:") else mount[1]
    rest = re.sub(r"(shared|master|propagate_from):\d+", r"\1:N", mount[2])
    return f"{device} {rest}"


def sections(text):
    """{name: lines}"""
    found = {}
    for line in text.splitlines():
        if line.startswith("== "):
            lines = found.setdefault(line[3:], [])
        elif found:
            lines.append(line)
    if "mounts" in found:
        found["mounts"] = in_order(found["mounts"])
    return found
