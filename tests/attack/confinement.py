"""
What a program inside tells of its confinement (inside.c), and whether it is what the configuration
asks for. For the bundle's usual capabilities, and root.
"""

import re

from bundle import DEFAULT_CAPABILITIES

NUMBERS = {"CAP_KILL": 5, "CAP_NET_BIND_SERVICE": 10, "CAP_AUDIT_WRITE": 29}

# What the usual configuration masks and makes read-only, as far as this machine has it.
MASKED = ("/proc/kcore", "/proc/keys", "/sys/firmware")
READONLY = ("/proc/sys", "/sys")


def questions(masked=MASKED, readonly=READONLY):
    """The words behind `inside`."""
    words = ["confined"]
    for path in masked:
        words += ["-m", path]
    for path in readonly:
        words += ["-r", path]
    return words


def is_confined(text, masked=MASKED, readonly=READONLY):
    """Whether a report is that of a program which is confined as the configuration says."""
    bits = sum(1 << NUMBERS[name] for name in DEFAULT_CAPABILITIES)
    wanted = [
        "uid 0 0 0", "gid 0 0 0, groups",
        f"capabilities e {bits:x} 0 p {bits:x} 0 i 0 0 b {bits:x} a 0",
        "no_new_privs 1 seccomp 0", re.compile("cwd /[^:]*"), "descriptors 0 1 2",
        *(f"{path} hidden" for path in masked), *(f"{path} read-only" for path in readonly), "end",
    ]  # fmt: skip
    lines = [line for line in text.replace("\r", "").splitlines() if line]
    return len(lines) == len(wanted) and all(
        want.fullmatch(line) if isinstance(want, re.Pattern) else want == line
        for want, line in zip(wanted, lines)
    )
