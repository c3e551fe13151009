"""`features`: the object that engines read before they use a runtime. Needs no root."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SCHEMA = Path("/usr/share/gocode/src/github.com/opencontainers/runtime-spec/schema")


def program():
    return Path(os.environ.get("CREEL", REPOSITORY / "build" / "creel")).resolve()


@pytest.fixture(scope="module")
def features():
    done = subprocess.run([program(), "features"], capture_output=True, text=True, check=True)
    assert done.stderr == ""  # some engines read both streams as one
    assert done.stdout.endswith("}\n") and done.stdout.startswith('{\n    "ociVersionMin"')
    return json.loads(done.stdout)


# The types of features.md and features-linux.md, version 1.3, by hand: a list has one element for
# all of its own.
ENABLED = {"enabled": bool}
SHAPE = {
    "ociVersionMin": str,
    "ociVersionMax": str,
    "hooks": [str],
    "mountOptions": [str],
    "annotations": {"*": str},
    "potentiallyUnsafeConfigAnnotations": [str],
    "linux": {
        "namespaces": [str],
        "capabilities": [str],
        "cgroup": {"v1": bool, "v2": bool, "systemd": bool, "systemdUser": bool, "rdma": bool},
        "seccomp": {"enabled": bool, "actions": [str], "operators": [str], "archs": [str],
                    "knownFlags": [str], "supportedFlags": [str]},
        "apparmor": ENABLED,
        "selinux": ENABLED,
        "intelRdt": {"enabled": bool, "schemata": bool, "monitoring": bool},
        "memoryPolicy": {"modes": [str], "flags": [str]},
        "mountExtensions": {"idmap": ENABLED},
        "netDevices": ENABLED,
    },
}


def misfits(value, shape, place=""):
    """What does not have the shape, as sentences."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return [f"{place} is no object"]
        rest = shape.get("*")
        return [line for key, inner in value.items()
                for line in (misfits(inner, shape.get(key, rest), f"{place}/{key}")
                             if shape.get(key, rest) else [f"{place}/{key} is unknown"])]
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{place} is no array"]
        return [line for n, inner in enumerate(value)
                for line in misfits(inner, shape[0], f"{place}/{n}")]
    return [] if type(value) is shape else [f"{place} is {value!r}"]


def test_every_member_has_its_type(features):
    assert misfits(features, SHAPE) == []


def test_every_member_is_there(features):
    assert SHAPE.keys() == features.keys()
    assert SHAPE["linux"].keys() == features["linux"].keys()


def test_it_fits_the_schema(features):
    jsonschema = pytest.importorskip("jsonschema")
    main = SCHEMA / "features-schema.json"
    if not main.exists():
        pytest.skip(f"{SCHEMA} is of a specification before 1.1 and has no features-schema.json")
    store = {path.as_uri(): json.loads(path.read_text()) for path in SCHEMA.glob("*.json")}
    schema = store[main.as_uri()]
    resolver = jsonschema.RefResolver(main.as_uri(), schema, store)
    found = jsonschema.Draft4Validator(schema, resolver=resolver).iter_errors(features)
    assert [f"{list(error.absolute_path)}: {error.message}" for error in found] == []


def test_lists_have_no_word_twice(features):
    seccomp, linux = features["linux"]["seccomp"], features["linux"]
    for words in (features["hooks"], features["mountOptions"], linux["namespaces"],
                  linux["capabilities"], *(v for v in seccomp.values() if isinstance(v, list))):
        assert words and len(words) == len(set(words))
    assert features["mountOptions"] == sorted(features["mountOptions"])


def test_versions(features):
    assert features["ociVersionMin"] == "1.0.0"
    assert re.fullmatch(r"1\.\d+\.\d+", features["ociVersionMax"])
    version = subprocess.check_output([program(), "--version"], text=True)
    assert f"spec: {features['ociVersionMax']}\n" in version


def test_hooks(features):
    assert features["hooks"] == ["prestart", "createRuntime", "createContainer", "startContainer",
                                 "poststart", "poststop"]


def test_what_engines_decide_by(features):
    assert "rro" in features["mountOptions"]  # read-only mounts that are recursive
    assert "user" in features["linux"]["namespaces"]
    assert features["linux"]["mountExtensions"]["idmap"]["enabled"] is True
    assert features["linux"]["seccomp"]["enabled"] is True
    assert features["linux"]["cgroup"]["v1"] and features["linux"]["cgroup"]["v2"]
    assert "bundle" in features["potentiallyUnsafeConfigAnnotations"]


def test_supported_flags_are_known(features):
    seccomp = features["linux"]["seccomp"]
    assert set(seccomp["supportedFlags"]) <= set(seccomp["knownFlags"])


# ---- beside runc's ----

@pytest.fixture(scope="module")
def runcs():
    runc = shutil.which("runc")
    if not runc:
        pytest.skip("no runc to compare with")
    done = subprocess.run([runc, "features"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("this runc has no features")
    return json.loads(done.stdout)


# What newer releases of runc have given up: "acl" belongs to the file system's data (runc #3738).
GIVEN_UP = {"acl", "noacl"}


def missing(theirs, ours, place=""):
    """Members and words of the first object that the second lacks. A switch must be the same."""
    if isinstance(theirs, dict):
        return [line for key, value in theirs.items() if place + key != "annotations"
                for line in (missing(value, ours[key], f"{place}{key}/") if key in ours
                             else [place + key])]
    if isinstance(theirs, list):
        return [place + word for word in sorted(set(theirs) - set(ours) - GIVEN_UP)]
    return [] if theirs == ours or isinstance(theirs, str) else [place]


def test_nothing_is_missing_that_runc_has(features, runcs):
    planned = {"linux/cgroup/systemd/", "linux/cgroup/systemdUser/"}
    lacks = set(missing(runcs, features))
    assert lacks - planned == set()
    if lacks:
        pytest.skip(f"not yet: {', '.join(sorted(lacks))}")
