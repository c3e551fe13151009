"""tools/coverage-why: what no test reaches, and why not.

Lines of FILE FUNCTION[*GAPS][,…] and the reason, below headings that begin with "== ". FILE is below
src; GAPS is how many runs of lines it is that nothing reaches, 1 if not told.
"""

from dataclasses import dataclass

PATH = "tools/coverage-why"


@dataclass
class Explained:
    line: int
    heading: str
    file: str
    functions: dict  # name → gaps
    why: str


def read(text):
    heading = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("== "):
            heading = line[3:]
        elif line and not line.startswith("#"):
            file, names, why = line.split(None, 2)
            pairs = (name.partition("*") for name in names.split(","))
            functions = {name: int(gaps or 1) for name, _, gaps in pairs}
            yield Explained(number, heading, f"src/{file}", functions, why)
