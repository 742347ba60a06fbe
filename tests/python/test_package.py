"""The package around the module: stubs, examples, the page of the docs, the command line."""
import ast
import importlib.util
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, throng

PACKAGE = ROOT / "bindings" / "python" / "throng"


def stub_names():
    """{"": names of the module, "VecEnv": names of the class, ...}."""
    tree = ast.parse((PACKAGE / "_throng.pyi").read_text())
    names = {"": set()}
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            names[""].add(node.name)
        if isinstance(node, ast.ClassDef):
            names[node.name] = {n.name for n in node.body if isinstance(n, ast.FunctionDef)}
    return names


def public(thing):
    return {name for name in vars(thing) if not name.startswith("_")}


def test_stubs_name_what_there_is():
    stubs = stub_names()
    assert stubs[""] == public(throng._throng)
    for name in ("VecEnv", "DeviceArray", "EnvSpec", "Policy"):
        kind = getattr(throng, name)
        special = {"__enter__", "__exit__", "__len__", "__call__", "__array__", "__dlpack__", "__dlpack_device__"}
        special |= {"__array_interface__", "__cuda_array_interface__"}
        assert stubs[name] == public(kind) | (special & set(vars(kind)))


def test_stubs_tell_the_arguments():
    tree = ast.parse((PACKAGE / "_throng.pyi").read_text())
    nodes = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    for name, node in nodes.items():
        signature = getattr(throng._throng, name).__doc__.splitlines()[0]
        arguments = node.args.args + node.args.kwonlyargs
        assert re.findall(r"(\w+): ", signature) == [a.arg for a in arguments], signature
    stub = [a.arg for a in nodes["make"].args.args + nodes["make"].args.kwonlyargs]
    assert stub == list(inspect.signature(throng.make).parameters)


def test_the_public_names_exist_and_are_explained():
    for name in throng.__all__:
        thing = getattr(throng, name)
        assert thing.__doc__, name
    assert (PACKAGE / "py.typed").exists()


def test_a_type_checker_agrees():
    if missing("import mypy"):
        pytest.skip("needs mypy: pip install mypy")
    command = [sys.executable, "-m", "mypy", "--cache-dir", os.devnull, "-p", "throng"]
    run = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "MYPYPATH": str(PACKAGE.parent)}, capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_importing_is_quick(environment_variables):
    """NumPy is all that `import throng` loads, and beside it there is little to do."""
    program = ("import sys, time, numpy; start = time.process_time(); import throng; "
               "print(time.process_time() - start, *{name.split('.')[0] for name in sys.modules})")
    seconds = []  # of a processor, so that others at work on the machine do not count
    for _ in range(5):
        run = subprocess.run([sys.executable, "-c", program], env=environment_variables, capture_output=True, text=True, check=True)
        took, *modules = run.stdout.split()
        seconds.append(float(took))
    assert not {"torch", "jax", "gymnasium", "pettingzoo", "momaland", "stable_baselines3", "torchrl", "scipy"} & set(modules)
    assert min(seconds) < 0.1


def test_the_version_is_the_headers():
    header = (ROOT / "core" / "version.hpp").read_text()
    assert f'"{throng.__version__}"' in header


@pytest.mark.parametrize(
    "arguments",
    [
        ["random_rollout.py", "--num-envs", "16", "--num-steps", "40"],
        ["train_from_python.py", "--num-updates", "2", "--num-envs", "8", "--device", "cpu"],
        ["govsim_table.py", "--env", "govsim/pasture", "--replay", "game.jsonl"],
        ["govsim_table.py", "--env", "govsim/fishery-talk"],
        ["ppo_torch.py", "--device", "cpu", "--num-envs", "8", "--num-steps", "16", "--total-timesteps", "256"],
        ["ippo_jax.py", "--num-envs", "8", "--num-steps", "16", "--total-timesteps", "256"],
    ],
    ids=lambda a: a[0],
)
def test_examples(arguments, tmp_path, environment_variables):
    needed = missing((ROOT / "examples" / arguments[0]).read_text())
    if needed:
        pytest.skip(f"needs {needed}")
    command = [sys.executable, str(ROOT / "examples" / arguments[0]), *arguments[1:]]
    run = subprocess.run(
        command, cwd=tmp_path, env=environment_variables, capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout


@pytest.mark.parametrize("order", ["throng jax torch", "torch jax throng", "jax throng torch"])
def test_the_order_of_imports_does_not_matter(order, device, environment_variables):
    names = [name for name in order.split() if name == "throng" or not missing(f"import {name}")]
    if len(names) == 1:
        pytest.skip("needs torch or jax")
    command = [sys.executable, str(ROOT / "tests" / "python" / "import_order.py"), device, *names]
    run = subprocess.run(command, env=environment_variables, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    said = run.stdout.splitlines()
    assert said == [*said[: len(names)], *reversed(said[: len(names)])]


def snippets(page):
    """(line, code) of every block that is marked as Python."""
    text = page.read_text()
    for match in re.finditer(r"^```python\n(.*?)^```", text, re.M | re.S):
        yield text.count("\n", 0, match.start()) + 2, match[1]


DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", DOCS / "quickstart.md", DOCS / "python.md", *sorted([*DOCS.glob("neighbours/*.md"), *DOCS.glob("envs/*.md")])]
PAGES = [page for page in PAGES if any(snippets(page))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_page_runs_from_top_to_bottom(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("envs").symlink_to(ROOT / "envs")  # pages speak from a checkout
    text = page.read_text()
    for file, content in zip(re.findall(r'"(\w+\.json)"', text), re.findall(r"^```json\n(.*?)^```", text, re.M | re.S)):
        Path(file).write_text(content)  # the page shows it
    names, left_out = {}, []
    for line, code in snippets(page):
        if missing(code) or (left_out and page.parent.name == "neighbours"):  # there one builds on the other
            left_out.append(missing(code))
        else:
            exec(compile("\n" * (line - 1) + code, str(page), "exec"), names)
    if left_out and not names:
        pytest.skip(f"needs {left_out[0]}")


def missing(code):
    """The first module that the code imports and that is not installed, if any."""
    for name in re.findall(r"^(?:import|from) ([\w.]+)", code, re.M):
        top = name.removeprefix("throng.").split(".")[0]  # throng.jax needs jax
        if top != "throng" and importlib.util.find_spec(top) is None:
            return top
    return None


@pytest.mark.parametrize("arguments, code, says", [(["list"], 0, "smax/3m"), (["nonsense"], 2, "")])
def test_command_line(arguments, code, says, environment_variables):
    run = subprocess.run(
        [sys.executable, "-m", "throng", *arguments],
        env=environment_variables, capture_output=True, text=True, timeout=60,
    )
    assert run.returncode == code, run.stderr
    assert says in run.stdout
