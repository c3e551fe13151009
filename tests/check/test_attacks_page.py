"""docs/attacks.md names a test for each attack, and each of them is there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/attacks.md"
NAMED = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def rows():
    return [line for line in PAGE.read_text().splitlines()
            if line.startswith("| ") and "::" in line or re.match(r"\| (CVE|no number)", line)]


def test_each_row_names_a_test():
    assert len(rows()) > 50
    assert [row for row in rows() if not NAMED.search(row)] == []


def test_each_named_test_is_there():
    missing = []
    for file, test in NAMED.findall(PAGE.read_text()):
        paths = [ROOT / "tests" / folder / file for folder in ("attack", "run")]
        text = "".join(path.read_text() for path in paths if path.exists())
        if not re.search(rf"^def {test}\(", text, re.M):
            missing.append(f"{file}::{test}")
    assert missing == []


def test_each_attack_is_named():
    """A test file of attacks that the page says nothing of would be found by nobody."""
    files = {path.name for path in (ROOT / "tests/attack").glob("test_*.py")}
    assert files <= {file for file, _ in NAMED.findall(PAGE.read_text())}
