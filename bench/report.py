"""The page that a benchmark run leaves: the machine, the contenders, the tables.

It must not name the host, nor measure anything.
"""

import os
import platform
import re
import shutil
import statistics
import subprocess


def first(path, pattern):
    with open(path, encoding="utf-8", errors="replace") as file:
        found = re.search(pattern, file.read(), re.MULTILINE)
    return found.group(1).strip() if found else "unknown"


def virtual():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return re.search(r"^flags\s*:.*\bhypervisor\b", file.read(), re.MULTILINE) is not None


def cpu():
    try:
        return first("/proc/cpuinfo", r"^model name\s*:\s*(.*)$")
    except OSError:
        return platform.machine()


def machine(view):
    """The machine in one line each; view is the cgroup view."""
    memory = int(first("/proc/meminfo", r"^MemTotal:\s*(\d+)")) // 1024
    kind = "virtual machine" if virtual() else "no hypervisor"
    layout = {"v2": "version 2 alone", "v1": "version 1 or hybrid"}[view]
    with open("/proc/loadavg", encoding="utf-8") as file:
        load = " ".join(file.read().split()[:3])
    release = re.match(r"[\d.]+", platform.release()).group(0)
    return [f"Linux {release} {platform.machine()}, {kind}",
            f"{os.cpu_count()} × {cpu()}, {memory} MiB of memory",
            f"cgroups: {layout}; state on tmpfs; load average before the run: {load}"]


def slug(view):
    """The kind of machine in a file name."""
    words = re.sub(r"[^a-z0-9]+", "-", cpu().lower()).strip("-")
    return f"{words}-{os.cpu_count()}cpu-{'vm' if virtual() else 'metal'}-{view}"


def output(words):
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


def program_facts(contender):
    """Version line, size in bytes, number of shared libraries of a contender's program."""
    path = shutil.which(contender.command[0])
    version = "bench/floor.c"
    if not contender.is_floor:
        version = output([*contender.command, "--version"]).split("\n")[0]
    return version, os.stat(path).st_size, output(["ldd", path]).count(" => ")


def ms(nanoseconds):
    value = nanoseconds / 1e6
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def table(rows):
    head, *body = rows
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return lines + ["| " + " | ".join(row) + " |" for row in body]


class Measured:
    """The samples of one step of one contender."""

    def __init__(self):
        self.wall, self.cpu = [], []  # ns
        self.failed = 0

    def cpu_median(self):
        return statistics.median(self.cpu)

    def cell(self):
        if self.failed:
            return f"failed {self.failed} of {len(self.cpu)}"
        wall = f"{ms(statistics.median(self.wall))} / {ms(min(self.wall))}"
        return f"{ms(self.cpu_median())} ({wall})"


def cost_table(results, contenders):
    rows = [["", *(c.name for c in contenders)]]
    for name, measured in results.items():
        cells = (measured[c.name].cell() if c.name in measured else "–" for c in contenders)
        rows.append([name, *cells])
    return table(rows)


def ratio(ours, theirs):
    if not ours or not theirs or ours.failed or theirs.failed:
        return "–"
    return f"{ours.cpu_median() / max(theirs.cpu_median(), 1):.2f}"


def ratio_table(results, contenders):
    """How much CPU time the first contender needs for one unit of each of the others."""
    ours, *others = contenders
    rows = [[f"{ours.name} ÷", *(c.name for c in others)]]
    for name, measured in results.items():
        mine = measured.get(ours.name)
        rows.append([name, *(ratio(mine, measured.get(c.name)) for c in others)])
    return table(rows)


def size_table(contenders, memory):
    rows = [["", *(c.name for c in contenders)]]
    facts = {c.name: program_facts(c) for c in contenders}
    rows.append(["version", *(facts[c.name][0] for c in contenders)])
    rows.append(["program, KiB", *(str(facts[c.name][1] // 1024) for c in contenders)])
    rows.append(["shared libraries", *(str(facts[c.name][2]) for c in contenders)])
    for name, values in memory.items():
        rows.append([name, *(str(values.get(c.name, "–")) for c in contenders)])
    return table(rows)


COST = """
CPU time in ms: user and system of a command and of all it waited for, median. In brackets the time
on the wall, median / least. The contenders took turns, command by command, in one run.
"""
RATIO = """
CPU time as a share of the others' (less than 1: less time):
"""
SIZE = """
Size; peak resident memory of the runtime's process (VmHWM) and what the process of a created
container keeps for itself until it is started, in KiB:
"""


def bullets(title, texts):
    return ["", title, "", *(f"- {text}" for text in texts)] if texts else []


def page(notes, contenders, results, memory, chosen):
    """notes: "date", "machine" (lines), "left out" (lines); chosen: the scenarios that were run."""
    lines = [f"# Benchmark of {notes['date']}", "", *(f"- {fact}" for fact in notes["machine"])]
    lines += [COST, *cost_table(results, contenders)]
    if len(contenders) > 1:
        lines += [RATIO, *ratio_table(results, contenders)]
    lines += [SIZE, *size_table(contenders, memory)]
    lines += bullets("What was run:", [f"{', '.join(s.names)}: {s.what}" for s in chosen])
    lines += bullets("Left out:", notes["left out"])
    return "\n".join(lines) + "\n"
