"""Threads and processes: who may use an environment, and that Python goes on meanwhile."""
import os
import threading

import numpy as np
import pytest
from conftest import host, throng

ID = "smax/3m"


def in_a_fork(work):
    """What `work` says in a forked process, as text."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            said = str(work())
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


def played(env, steps=5):
    for _ in range(steps):
        env.step(env.sample_actions())
    return env.state_hash()


def test_a_forked_process_goes_on_where_it_was(device):
    env, twin = (throng.make(ID, 512, device) for _ in range(2))
    for one in (env, twin):
        one.reset(seed=0)
        played(one)
    if device == "cpu":
        assert in_a_fork(lambda: played(env)) == str(played(twin))
        assert env.state_hash() != twin.state_hash()  # the child had a copy
    else:
        assert "ValueError: this environment is on a GPU, and this process was forked" in in_a_fork(lambda: played(env))
        for name in ("cuda", "auto"):
            assert "the GPU was in use before" in in_a_fork(lambda: throng.make(ID, device=name))
        assert in_a_fork(env.close) == "None"
        assert played(env) == played(twin)


def test_new_environments_in_a_forked_process():
    def work():
        env = throng.make(ID, 512)
        env.reset(seed=3)
        return played(env)

    assert in_a_fork(work) == str(work())


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


@pytest.mark.parametrize("name", ["step", "reset", "get_state", "state_hash"])
def test_python_goes_on_during_a_call(name):
    env = throng.make("smax/27m_vs_30m", 4096)
    env.reset(seed=0)
    arguments = [np.array(env.sample_actions())] if name == "step" else []
    begun, done, counted = threading.Event(), threading.Event(), 0

    def call():
        begun.set()
        getattr(env, name)(*arguments)
        done.set()

    thread = threading.Thread(target=call)
    thread.start()
    begun.wait()
    while not done.is_set():
        counted += 1
    thread.join()
    # A call that kept the GIL would let this loop turn for one switch interval at its beginning; this one takes longer.
    assert counted > 1000


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
