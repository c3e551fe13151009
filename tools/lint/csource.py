"""Reads one C file as far as the rules of tools/check need it: code, functions, calls, includes.

Not a parser: it trusts the layout that .clang-format gives (a function's braces stand in column 1).
"""

import re
from dataclasses import dataclass, field
from functools import cached_property

LEXEME = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.M)
TOKEN = re.compile(r"\w+|[^\w\s]")
BRANCHES = {"if", "for", "while", "switch", "do", "else"}


def blank(text):
    """Spaces of the same shape, so that offsets and line numbers stay what they were."""
    return re.sub(r"[^\n]", " ", text)


def blanked(pattern, text):
    return re.sub(pattern, lambda match: blank(match.group()), text, flags=re.M)


@dataclass
class Function:
    name: str
    line: int  # of the name
    end: int  # of the closing brace
    parameters: int
    body: str  # without comments and strings

    @property
    def length(self):
        return self.end - self.line + 1

    @cached_property
    def nesting(self):
        return Statements(TOKEN.findall(self.body)).deepest()


@dataclass
class Call:
    name: str
    arguments: str
    line: int


@dataclass
class Source:
    path: str
    text: str
    code: str = field(init=False)  # comments and the insides of strings are spaces
    strings: list = field(init=False)  # (line, text) of each string literal

    def __post_init__(self):
        self.strings = []

        def replace(match):
            piece = match.group()
            if piece[0] == '"':
                self.strings.append((self.line_of(match.start()), piece[1:-1]))
            return blank(piece) if piece[0] == "/" else piece[0] + blank(piece[1:-1]) + piece[0]

        self.code = LEXEME.sub(replace, self.text)

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    @cached_property
    def lines(self):
        return self.text.split("\n")

    @cached_property
    def statements(self):
        """The code without preprocessor lines."""
        return blanked(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", self.code)

    @cached_property
    def includes(self):
        """(line, path) of each #include "path"."""
        return [(self.line_of(m.start()), m.group(1)) for m in INCLUDE.finditer(self.text)]

    @cached_property
    def functions(self):
        found = []
        for brace in re.finditer(r"^\{$", self.statements, re.M):
            close = self.statements.find("\n}", brace.end())
            start = max(self.statements.rfind(end, 0, brace.start()) for end in ";}") + 1
            head = self.statements[start : brace.start()]
            name = re.search(r"(\w+)\s*\(", blanked(r"__attribute__\s*\(\(.*?\)\)", head))
            if not name or close < 0:
                continue
            found.append(
                Function(
                    name=name.group(1),
                    line=self.line_of(start + name.start()),
                    end=self.line_of(close + 1),
                    parameters=count_parameters(balanced(head, name.end() - 1)),
                    body=self.statements[brace.end() : close],
                )
            )
        return found

    def calls(self, names):
        """Each call of one of names, which are alternatives of a regular expression."""
        for match in re.finditer(rf"(?<![\w.>])({names})\s*\(", self.code):
            arguments = balanced(self.code, match.end() - 1)
            yield Call(match.group(1), arguments, self.line_of(match.start()))

    def function_at(self, line):
        return next((f for f in self.functions if f.line <= line <= f.end), None)


def balanced(text, at):
    """What stands between the bracket at text[at] and the one that closes it."""
    depth = 0
    for i in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        if not depth:
            return text[at + 1 : i]
    return text[at + 1 :]


def count_parameters(text):
    flat = re.sub(r"\([^()]*\)", "", text)
    return 0 if flat.strip() in ("", "void") else flat.count(",") + 1


class Statements:
    """Walks the tokens of a function's body: how deep do control statements stand in each other?"""

    def __init__(self, tokens):
        self.tokens = tokens
        self.at = 0
        self.most = 0

    def deepest(self):
        while self.at < len(self.tokens):
            self.statement(0)
        return self.most

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def group(self, opening, closing):
        """Steps over a bracketed group that begins here."""
        depth = 0
        while self.at < len(self.tokens):
            depth += {opening: 1, closing: -1}.get(self.tokens[self.at], 0)
            self.at += 1
            if not depth:
                return

    def statement(self, depth):
        self.most = max(self.most, depth)
        token = self.peek()
        if token == "{":
            self.at += 1
            while self.peek() not in ("}", None):
                self.statement(depth)
            self.at += 1
        elif token in BRANCHES:
            self.at += 1
            if self.peek() == "(":
                self.group("(", ")")
            same = token == "else" and self.peek() == "if"
            self.statement(depth if same else depth + 1)
            if token == "do":
                self.simple()
            elif token == "if" and self.peek() == "else":
                self.statement(depth)
        else:
            self.simple()

    def simple(self):
        """A statement or label without one inside; initialisers in braces belong to it."""
        while self.peek() not in (";", ":", "}", None):
            if self.peek() == "?":  # its colon ends no label
                self.at += 1
                while self.peek() not in (":", None):
                    self.piece()
            self.piece()
        if self.peek() in (";", ":"):
            self.at += 1

    def piece(self):
        pairs = {"(": ")", "[": "]", "{": "}"}
        if self.peek() in pairs:
            self.group(self.peek(), pairs[self.peek()])
        else:
            self.at += 1
