"""
Bundles of ordinary users, and the machines that forbid them something. A machine is a shell script
that root runs in a mount namespace of its own, before it becomes the user: what it puts over /etc or
/sys is seen by that command alone.
"""

import json
import os
import shlex

NOBODY = 65534

PASSWD = "root:x:0:0::/root:/bin/sh\ntester:x:{user}:{user}::/:/bin/sh\n"


def give(bundle, user=NOBODY):
    """Makes it a bundle as `spec --rootless` writes it, and all of it the user's."""
    bundle.creel("spec", "--rootless", "-b", bundle.path).ok()
    bundle.config = json.loads((bundle.path / "config.json").read_text())
    bundle.process["terminal"] = False
    for kind in ("uidMappings", "gidMappings"):
        bundle.linux[kind][0]["hostID"] = user
    bundle.root = bundle.path / "user-state"
    bundle.root.mkdir()
    for directory, _, files in os.walk(bundle.path):
        for name in [directory, *(f"{directory}/{file}" for file in files)]:
            os.chown(name, user, user, follow_symlinks=False)
    bundle.as_user = {"user": user, "group": user, "extra_groups": []}
    return bundle


def on_machine(script, user=NOBODY):
    """How a command is run on a machine: an argument for Program.start."""
    become = f"exec setpriv --reuid {user} --regid {user} --clear-groups \"$@\""
    return {"wrapper": ("unshare", "--mount", "sh", "-ec", f"{script}\n{become}", "sh")}


def in_user_namespace(script, *options):
    """The same for the root of a user's namespace; script is run there."""
    become = shlex.join(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"])
    inside = shlex.join(["unshare", "--map-root-user", "--user", *options, "sh", "-ec",
                         f'{script}\nexec "$@"', "sh"])
    return {"wrapper": ("sh", "-ec", f'exec {become} {inside} "$@"', "sh")}


def grant(bundle, subuid="", subgid=None, user=NOBODY, passwd=PASSWD):
    """A script for on_machine: the user is called tester, and has these lines of subuid(5)."""
    texts = {"passwd": passwd.format(user=user), "subuid": subuid,
             "subgid": subuid if subgid is None else subgid}
    lines = []
    for name, text in texts.items():
        path = bundle.path / name
        path.write_text(text)
        lines.append(f"[ -e /etc/{name} ] || : >/etc/{name}; mount --bind {path} /etc/{name}")
    return "\n".join(lines)


def map_range(bundle, host_id=100000, size=65536):
    """Adds a second range to the maps, which needs newuidmap."""
    for kind in ("uidMappings", "gidMappings"):
        bundle.linux[kind].append({"containerID": 1, "hostID": host_id, "size": size})
