"""Threads and processes: who may use an environment, and that Python goes on meanwhile."""
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from conftest import ROOT, host, throng

ID = "smax/3m"


def played(env, steps=5):
    for _ in range(steps):
        env.step(env.sample_actions())
    return env.state_hash()


def test_forks(device, environment_variables):
    command = [sys.executable, str(ROOT / "tests" / "python" / "forks.py"), device]
    run = subprocess.run(command, env=environment_variables, capture_output=True, text=True, timeout=120)
    assert (run.stdout, run.returncode) == ("as it should be\n", 0), run.stderr


def test_two_environments_from_two_threads(device):
    def work(seed, results):
        env = throng.make(ID, 256, device)
        env.reset(seed=seed)
        results[seed] = played(env, 40)

    together, alone = {}, {}
    threads = [threading.Thread(target=work, args=(seed, together)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in range(2):
        work(seed, alone)
    assert together == alone


@pytest.fixture
def only_those_who_let_go():
    """Python takes the GIL from nobody; a thread runs when another lets go of it."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(60)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("name", ["step", "reset", "get_state", "state_hash", "statistics"])
def test_python_goes_on_during_a_call(name, only_those_who_let_go):
    env = throng.make("smax/27m_vs_30m", 2048)
    env.reset(seed=0)
    arguments = [np.array(env.sample_actions())] if name == "step" else []
    inside, seen = False, 0

    def call():
        nonlocal inside
        for _ in range(1000):
            inside = True
            getattr(env, name)(*arguments)
            inside = False
            if seen:
                break

    thread = threading.Thread(target=call)
    thread.start()
    while thread.is_alive():
        seen += inside
        time.sleep(1e-5)
    thread.join()
    assert seen > 0


def test_an_environment_in_use_refuses_another_thread():
    env = throng.make("smax/27m_vs_30m", 4096)
    env.reset(seed=0)
    actions, refused, begun, done = np.array(env.sample_actions()), 0, threading.Event(), threading.Event()

    def play():
        begun.set()
        for _ in range(5):
            try:
                env.step(actions)
            except ValueError:
                pass
        done.set()

    thread = threading.Thread(target=play)
    thread.start()
    begun.wait()
    while not done.is_set():
        try:
            env.statistics()
        except ValueError as error:
            assert "in use by another thread" in str(error)
            refused += 1
    thread.join()
    assert refused > 0
    env.step(actions)


def test_another_thread_may_go_on(device):
    env, twin = (throng.make(ID, 8, device) for _ in range(2))
    for one in (env, twin):
        one.reset(seed=0)
    said = []
    thread = threading.Thread(target=lambda: said.append(played(env)))
    thread.start()
    thread.join()
    assert said == [played(twin)] and np.array_equal(host(env.buffers["obs"]), host(twin.buffers["obs"]))
