"""The clang-format and clang-tidy that decide: versions differ, so the tree follows one of them."""

import re
import shutil
import subprocess

VERSION = 14  # Debian 12's


def find(tool):
    """The command, or None where VERSION of the tool is not installed."""
    for name in (f"{tool}-{VERSION}", tool):
        if shutil.which(name):
            told = subprocess.run([name, "--version"], capture_output=True, text=True, check=False)
            if re.search(rf"version {VERSION}\.", told.stdout):
                return name
    return None


def missing(tool):
    return f"{tool} {VERSION} is not installed"
