"""The wheel: built by pip alone in an environment that has nothing, used from another folder. On request, for it takes minutes.

    THRONG_WHEEL="-Dcuda=disabled" pytest tests/python/test_wheel.py     # its value: more arguments for `meson setup`
"""
import os
import subprocess
import sys
from importlib.metadata import PathDistribution

import pytest
from conftest import ROOT, throng

WHEEL = os.environ.get("THRONG_WHEEL")
pytestmark = pytest.mark.skipif(WHEEL is None, reason="builds everything anew: set THRONG_WHEEL")
PLAY = """
import throng
env = throng.make("smax/3m", 16)
env.reset(seed=0)
for _ in range(50):
    env.step(env.sample_actions())
print(throng.__version__, env.state_hash())
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """run(*command) in a fresh virtual environment in which throng was installed; and its site-packages."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "THRONG", "VIRTUAL_ENV"))}

    def run(program, *arguments):
        command = [folder / "venv" / "bin" / program, *arguments]
        return subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, check=True).stdout

    run("pip", "install", "-q", str(ROOT), *[f"--config-settings=setup-args={word}" for word in WHEEL.split()])
    return run, next((folder / "venv" / "lib").glob("python*/site-packages"))


def test_it_plays_as_this_build_does(installed):
    run, _ = installed
    env = throng.make("smax/3m", 16)
    env.reset(seed=0)
    for _ in range(50):
        env.step(env.sample_actions())
    assert run("python", "-c", PLAY).split() == [throng.__version__, str(env.state_hash())]


def test_the_command_line_is_there(installed):
    run, _ = installed
    assert run("throng", "list") == run("python", "-m", "throng", "list")
    assert "smax/3m" in run("throng", "list")


def test_what_is_in_it(installed):
    _, site = installed
    there = {path.name for path in (site / "throng").iterdir() if path.name != "__pycache__"}
    ours = {path.name for path in (ROOT / "bindings" / "python" / "throng").iterdir() if path.name != "__pycache__"}
    binary = {name for name in there if name.endswith(".so")}
    assert there - binary == ours
    assert ("libthrong_cuda.so" in binary) == ("cuda=disabled" not in WHEEL) and len(binary - {"libthrong_cuda.so"}) == 1


def test_what_it_asks_for(installed):
    _, site = installed
    (metadata,) = site.glob("throng-*.dist-info")
    distribution = PathDistribution(metadata)
    plain = [line for line in distribution.requires if "extra" not in line]
    assert plain == ["numpy>=1.23"]
    extras = set(distribution.metadata.get_all("Provides-Extra"))
    assert extras == {"gymnasium", "pettingzoo", "momaland", "sb3", "torch", "torchrl", "jax", "all"}
    everything = next(line for line in distribution.requires if line.endswith('extra == "all"') or "extra == 'all'" in line)
    assert "momaland" not in everything  # it is GPL: asked for by name only
