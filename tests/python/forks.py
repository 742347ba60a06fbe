"""What forked processes may do; a program of its own, because libraries with threads do not like to be forked."""
import os
import sys

import throng

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


def begun(device):
    env = throng.make(ID, 512, device)
    env.reset(seed=0)
    played(env)
    return env


def on_the_cpu():
    env, twin = begun("cpu"), begun("cpu")
    assert in_a_fork(lambda: played(env)) == str(played(twin))
    assert env.state_hash() != twin.state_hash()  # the child had a copy
    assert played(env) == twin.state_hash()
    assert in_a_fork(lambda: played(begun("cpu"))) == str(played(begun("cpu")))


def on_a_gpu():
    env, twin = begun("cuda"), begun("cuda")
    assert "ValueError: this environment is on a GPU, and this process was forked" in in_a_fork(lambda: played(env))
    for name in ("cuda", "auto"):
        assert "ValueError: the GPU was in use before" in in_a_fork(lambda: throng.make(ID, device=name))
    assert in_a_fork(lambda: begun("cpu").state_hash()) == str(begun("cpu").state_hash())
    assert in_a_fork(env.close) == "None"
    assert played(env) == played(twin)


if __name__ == "__main__":
    on_the_cpu() if sys.argv[1] == "cpu" else on_a_gpu()
    print("as it should be")
