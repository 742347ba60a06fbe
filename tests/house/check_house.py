#!/usr/bin/env python3
"""The rules of the house as a program: who includes whom, first lines, names, budgets, pages, format.

    python3 tests/house/check_house.py [ROOT]

Exit 1 on a breach, one line each: `path:line: what`. Lines that begin with `warn:` do not fail.
"""
import ast
import os
import posixpath
import re
import shutil
import subprocess
import sys

# --- the house, as data ---------------------------------------------------------------------------------------------

# Who may include whom. The longest folder on the left that fits speaks; `*` is one folder name, and `own` is the folder
# that fitted. A right side that ends in `/` allows all below it. Folders without a line (tests) see all.
DOOR = ["core/", "algos/", "envs/registry.hpp", "own"]
INCLUDES = {
    "core/": ["core/"],
    "envs/": ["core/", "envs/"],  # the registry itself: the one place that knows every game
    "envs/common/": ["core/", "own"],
    "envs/*/": ["core/", "envs/common/", "own"],
    "algos/": ["core/", "algos/"],
    "bindings/": DOOR,
    "bindings/*/": DOOR,
    "bench/": DOOR,
    "examples/": DOOR,
}
FLOORS = ("core/", "envs/", "algos/", "bindings/", "bench/", "examples/", "tests/")

# What the folders of the library hold; elsewhere other kinds of files are welcome, other C++ suffixes are not.
LIBRARY = ("core/", "envs/", "algos/", "bindings/cli/")
LIBRARY_FILES = (".hpp", ".cpp", ".json", ".in", "meson.build")
FOREIGN_SUFFIXES = (".h", ".hh", ".hxx", ".c", ".cc", ".cxx", ".cu", ".cuh", ".inl", ".inc", ".ipp", ".tpp")

CODE = (".hpp", ".cpp", ".py", "meson.build")
FILE_LINES = (250, 600)  # warn above the first, fail above the second
FUNCTION_LINES = 70  # warn
FILE_BYTES = 2 << 20
PURPOSE_WORDS = 3

BANNED_STEMS = {"util", "utils", "helper", "helpers", "misc"}
BANNED_NAMES = [  # (pattern, what to say), looked for where C++ declares something
    (re.compile(r"\b(?:class|struct|enum|using|namespace)\s+\w*Manager\b"), "a Manager: say what it does"),
    (re.compile(r"\bnamespace\s+(?:\w+::)*utils?\b"), "a namespace utils: say what is in it"),
    (re.compile(r"(?<!\breturn)(?<!\bthrow)(?<!\belse)(?<!\bcase)(?<=[\w>*&])\s+[*&]*get_\w+\s*\("),
     "a function named get_...: name what it returns"),
]
MACHINE_PATH = re.compile(r"(?<![\w.~/$}>-])/(?:work|home|root)/")
CLANG_FORMAT_VERSIONS = range(14, 20)


# --- reading the tree -----------------------------------------------------------------------------------------------

def tree(root):
    """Every file that git tracks or would; outside a git checkout, what lies in the known folders."""
    git = ["git", "-C", root, "ls-files", "-z", "-co", "--exclude-standard"]
    try:
        out = subprocess.run(git, check=True, capture_output=True).stdout.decode()
        names = set(out.split("\0")) - {""}
    except (OSError, subprocess.CalledProcessError):
        known, names = {f[:-1] for f in FLOORS} | {"docs", "tools", ".ci"}, set()
        for folder, folders, files in os.walk(root):
            here = os.path.relpath(folder, root).replace(os.sep, "/")
            folders[:] = [f for f in folders if (f in known if here == "." else f != "__pycache__")]
            names |= {posixpath.normpath(posixpath.join(here, f)) for f in files}
    return sorted(n for n in names if os.path.isfile(os.path.join(root, n)))


def text_of(root, name):
    """The file's text, or None for a binary or oversized one."""
    with open(os.path.join(root, name), "rb") as f:
        data = f.read(FILE_BYTES + 1)
    return None if len(data) > FILE_BYTES or b"\0" in data else data.decode("utf-8", "replace")


def bare(cpp):
    """C++ with comments, strings and characters blanked out, lines kept: what is left is code."""
    pattern = r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\''
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m[0]), cpp, flags=re.S)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


# --- the rules: each takes what it looks at and yields (line or 0, message) ------------------------------------------

def allowed_includes(name):
    """What the table lets this file include, or None for everything."""
    for folder in sorted(INCLUDES, key=lambda f: (f.count("/"), "*" not in f), reverse=True):
        match = re.match(re.escape(folder).replace(r"\*", r"[^/]+"), name)
        if match:
            return [match[0] if a == "own" else a for a in INCLUDES[folder]]
    return None


def check_includes(name, text, names):
    allowed = allowed_includes(name)
    if allowed is None:
        return
    for m in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^">\n]+)[">]', text, re.M):
        path = posixpath.normpath(m[1])
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(name), m[1]))
        target = beside if beside in names or m[1].startswith(".") else path
        fits = any(target == a or a.endswith("/") and target.startswith(a) for a in allowed)
        if target.startswith(FLOORS) and not fits:
            yield line_of(text, m.start()), f"may not include {target} (allowed: {', '.join(allowed)})"


def check_purpose(name, text):
    lines = text.split("\n")
    first = 1 if name.endswith(".py") and lines[0].startswith("#!") else 0
    line = lines[first] if first < len(lines) else ""
    marks = r'(?:#|[rR]?"""|[rR]?\'\'\')' if name.endswith(".py") else r"(?://|/\*)"
    said = re.match(rf"{marks}\s*(.*)", line)
    if not said or len(said[1].split()) < PURPOSE_WORDS or re.search(r"copyright|licen[sc]e|spdx|-\*-", said[1], re.I):
        yield first + 1, "the first line says what the file is, in one sentence"


def check_names(name, text):
    for part in name.split("/"):
        if part.split(".")[0] in BANNED_STEMS:
            yield 0, f"a file or folder named {part}: name what it does"
    code = "" if name.endswith(".py") else bare(text)
    for pattern, message in BANNED_NAMES:
        for m in pattern.finditer(code):
            yield line_of(code, m.end()), message


def check_paths(text):
    for m in MACHINE_PATH.finditer(text):
        yield line_of(text, m.start()), "an absolute path of one machine"


def check_kind(name):
    if name.endswith(FOREIGN_SUFFIXES):
        yield 0, "C++ and CUDA live in .hpp and .cpp"
    elif name.startswith(LIBRARY) and not name.endswith(LIBRARY_FILES):
        yield 0, f"this folder holds {', '.join(LIBRARY_FILES)} only"


def check_environments(names, listed):
    """Every folder under envs/ is header + line in the list + page + test."""
    for env in sorted({n.split("/")[1] for n in names if n.startswith("envs/") and n.count("/") > 1} - {"common"}):
        for needed in (f"envs/{env}/{env}.hpp", f"docs/envs/{env}.md", f"tests/envs/test_{env}.cpp"):
            if needed not in names:
                yield f"envs/{env}", 0, f"needs {needed}"
        if not re.search(rf"['\"]{env}['\"]", listed):
            yield f"envs/{env}", 0, "is not in the list of envs/meson.build"


def cpp_functions(text):
    """(line, length) of each outermost function body, roughly: a brace after parentheses and no type."""
    code, start, depth, since = bare(text), None, 0, 0
    for m in re.finditer(r"[{};]|^[ \t]*#.*$", code, re.M):
        sentence, mark = code[since:m.start()], m[0]
        since = m.end()
        if mark == "{":
            other = re.search(r"\b(?:namespace|class|struct|union|enum|extern)\b|=\s*$", sentence)
            if start is None and "(" in sentence and not other:
                start, outer = line_of(code, m.start()), depth
            depth += 1
        elif mark == "}":
            depth -= 1
            if start is not None and depth <= outer:
                yield start, line_of(code, m.start()) - start + 1
                start = None


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno - node.lineno + 1


def check_budgets(name, text):
    """Yields (line, message, fails)."""
    lines, (warn, fail) = text.count("\n"), FILE_LINES
    if lines > warn:
        yield 0, f"{lines} lines; the budget is {warn}, and {fail} the end", lines > fail
    functions = {".py": python_functions, ".hpp": cpp_functions, ".cpp": cpp_functions}.get(os.path.splitext(name)[1])
    try:
        for line, length in functions(text) if functions else ():
            if length > FUNCTION_LINES:
                yield line, f"a function of {length} lines; the budget is {FUNCTION_LINES}", False
    except SyntaxError as error:
        yield error.lineno, f"not Python: {error.msg}", True


def check_format(root, names):
    """Yields (name, line, message) from clang-format, and prints why when it is not asked."""
    files = [n for n in names if n.endswith((".hpp", ".cpp"))]
    program = shutil.which("clang-format")
    said = subprocess.run([program, "--version"], capture_output=True, text=True).stdout if program else ""
    version = re.search(r"version (\d+)", said)
    if not version or int(version[1]) not in CLANG_FORMAT_VERSIONS:
        print(f"note: format not checked: {said.strip() or 'no clang-format here'}")
    elif files and os.path.exists(os.path.join(root, ".clang-format")):
        ask = [program, "--dry-run", "-Werror", "--style=file", *files]
        run = subprocess.run(ask, cwd=root, capture_output=True, text=True)
        said = re.findall(r"^(.+?):(\d+):\d+: (?:error|warning):", run.stderr, re.M)
        for file, line in sorted(dict(reversed(said)).items()):  # the first line of each file
            yield file, line, f"not as clang-format {version[1]} writes it: clang-format -i {file}"
        if run.returncode and not said:
            yield ".clang-format", 0, run.stderr.strip().split("\n")[0]


# --- all of it ------------------------------------------------------------------------------------------------------

def check(root):  # -> (breaches, warnings), lines of `path:line: message`
    names = tree(root)
    known, breaches, warnings = set(names), [], []

    def note(where, name, line, message):
        where.append(f"{name}:{line}: {message}" if line else f"{name}: {message}")

    for name in names:
        found, text = list(check_kind(name)), text_of(root, name)
        if os.path.getsize(os.path.join(root, name)) > FILE_BYTES:
            found.append((0, f"over {FILE_BYTES >> 20} MiB"))
        if text is not None:
            found += check_paths(text)
            if name.endswith((".hpp", ".cpp", ".py")):
                found += [*check_purpose(name, text), *check_names(name, text)]
            if name.endswith((".hpp", ".cpp")):
                found += check_includes(name, text, known)
            if name.endswith(CODE):
                for line, message, fails in check_budgets(name, text):
                    note(breaches if fails else warnings, name, line, message)
        for line, message in found:
            note(breaches, name, line, message)
    listed = text_of(root, "envs/meson.build") if "envs/meson.build" in known else ""
    for name, line, message in [*check_environments(known, listed), *check_format(root, names)]:
        note(breaches, name, line, message)
    return breaches, warnings


def main():
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    breaches, warnings = check(sys.argv[1] if len(sys.argv) > 1 else root)
    sys.stdout.writelines(line + "\n" for line in ["warn: " + w for w in warnings] + breaches)
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
