"""Measures the ways in from Python, one JSON line each: importing, stepping through every face, training beside the trainer.

    PYTHONPATH=build/bindings/python:bindings/python python3 bench/doors.py --device cuda

Steps are environment steps, as docs/benchmarks.md counts them. Where a library is missing, its line says so. With JaxMARL
installed its own SMAX is measured in the same loops (bench/jaxmarl_smax.py).
"""
import argparse
import importlib.util
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import throng

ROOT = Path(__file__).resolve().parents[1]


def rate(run, steps):
    """(median, least, most) steps a second of five runs, after one that is not counted."""
    run()
    rates = []
    for _ in range(5):
        start = time.perf_counter()
        run()
        rates.append(steps / (time.perf_counter() - start))
    return {"env_steps_per_s": statistics.median(rates), "least": min(rates), "most": max(rates)}


def importing(o):
    """Seconds until `import throng` is done, and of those the seconds that `import numpy` takes."""
    program = "import time; t = time.perf_counter(); import numpy; n = time.perf_counter(); import throng; print(n - t, time.perf_counter() - t)"
    runs = [subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True) for _ in range(9)]
    numpy_s, all_s = zip(*([float(x) for x in run.stdout.split()] for run in runs))
    return {"seconds": statistics.median(all_s), "of_which_numpy": statistics.median(numpy_s)}


def native(o):
    env = throng.make(o.env, o.num_envs, o.device)
    env.reset(seed=0)

    def run():
        for _ in range(o.num_steps):
            env.step(env.sample_actions())
        env.statistics()  # waits for the device

    return rate(run, o.num_steps * o.num_envs)


def torch_actions(o):
    """Actions that are drawn by PyTorch on the device."""
    import torch

    env = throng.make(o.env, o.num_envs, o.device)
    env.reset(seed=0)
    avail = torch.from_dlpack(env.buffers["avail_actions"])

    def run():
        for _ in range(o.num_steps):
            env.step(torch.argmax(torch.rand(avail.shape, device=avail.device) * avail, dim=-1).int())
        env.statistics()

    return rate(run, o.num_steps * o.num_envs)


def jax_scan(o):
    """Steps within lax.scan, actions drawn by JAX from the mask of legal ones."""
    import jax
    import jax.numpy as jnp

    import throng.jax

    env = throng.jax.make_vec(o.env)

    def body(carry, key):
        state, paid = carry
        actions = jnp.argmax(jax.random.uniform(key, state["avail_actions"].shape) * state["avail_actions"], -1)
        step = env.step(state, actions)
        return (step.state, paid + step.rewards.sum()), None

    with jax.default_device(jax.devices("gpu" if o.device.startswith("cuda") else "cpu")[0]):
        scan = jax.jit(lambda state, keys: jax.lax.scan(body, (state, 0.0), keys)[0], donate_argnums=0)
        held = [env.reset(jax.random.key(0), o.num_envs)[1]]
        keys = jax.random.split(jax.random.key(1), o.num_steps)

        def run():
            held[0], paid = scan(held[0], keys)
            paid.block_until_ready()

        return rate(run, o.num_steps * o.num_envs)


def vmapped_scan(o, make):
    """The same through the interface of JaxMARL: vmap over environments, dictionaries of agents."""
    import jax
    import jax.numpy as jnp

    env = make(o.env)

    def body(carry, key):
        state, paid = carry
        avail = jax.vmap(env.get_avail_actions)(state)
        actions = {a: jnp.argmax(jax.random.uniform(jax.random.fold_in(key, i), avail[a].shape) * avail[a], -1)
                   for i, a in enumerate(env.agents)}
        _, state, rewards, _, _ = jax.vmap(env.step)(jax.random.split(key, o.num_envs), state, actions)
        return (state, paid + rewards[env.agents[0]].sum()), None

    with jax.default_device(jax.devices("gpu" if o.device.startswith("cuda") else "cpu")[0]):
        scan = jax.jit(lambda state, keys: jax.lax.scan(body, (state, 0.0), keys)[0], donate_argnums=0)
        held = [jax.jit(jax.vmap(env.reset))(jax.random.split(jax.random.key(0), o.num_envs))[1]]
        keys = jax.random.split(jax.random.key(1), o.num_steps)

        def run():
            held[0], paid = scan(held[0], keys)
            paid.block_until_ready()

        return rate(run, o.num_steps * o.num_envs)


def jaxmarl_interface(o):
    import throng.jax

    return vmapped_scan(o, throng.jax.make)


def jaxmarl_itself(o):
    from jaxmarl_smax import make_jaxmarl

    return vmapped_scan(o, make_jaxmarl)


def gymnasium_benchmark(o):
    """Gymnasium's own benchmark_vector_step, which counts rows."""
    import gymnasium
    from gymnasium.utils.performance import benchmark_vector_step

    import throng.gymnasium  # noqa: F401

    agents = throng.describe(o.env)["spec"].num_agents
    name = f"throng/{o.env.replace('/', '-')}-v0"
    return {"row_steps_per_s": benchmark_vector_step(gymnasium.make_vec(name, num_envs=o.num_envs * agents, device=o.device), 5, 0)}


def torchrl_rollout(o):
    from throng.torchrl import ThrongEnv

    env = ThrongEnv(o.env, o.num_envs, device=o.device, seed=0)

    def run():
        env.rollout(o.num_steps, break_when_any_done=False)
        env.batch.statistics()

    return rate(run, o.num_steps * o.num_envs)


def second_half(steps, seconds):
    """Steps a second between the middle of a training and its end; what is compiled or loaded first does not count."""
    middle = len(steps) // 2
    return {"env_steps_per_s": (steps[-1] - steps[middle]) / (seconds[-1] - seconds[middle]), "steps": steps[-1]}


def training_script(o, script):
    """PPO in PyTorch: every line that it prints tells its steps and its steps a second so far."""
    sizes = ["--num-envs", str(o.num_envs), "--num-steps", "64", "--total-timesteps", str(o.num_updates * 64 * o.num_envs)]
    command = [sys.executable, str(ROOT / script), o.env, "--device", o.device, *sizes]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    told = [(int(steps), float(sps.replace(",", ""))) for steps, sps in re.findall(r"^(\d+) steps, ([\d,]+) SPS", text, re.M)]
    return second_half([steps for steps, _ in told], [steps / sps for steps, sps in told])


def trainer(o):
    """throng.train() with the settings of examples/ppo_torch.py."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        throng.train(o.env, device=o.device, out=Path(folder) / "run", num_envs=o.num_envs, num_steps=64,
                     total_timesteps=o.num_updates * 64 * o.num_envs, hidden_sizes=[64, 64], activation="relu", learning_rate=2e-3,
                     anneal_lr=False, update_epochs=4, num_minibatches=4, callback=lambda line: lines.append(line))
    return second_half([line["timesteps"] for line in lines], [line["seconds"] for line in lines])


def ippo_jax(o):
    sizes = ["--num-envs", str(o.num_envs), "--num-steps", "64", "--total-timesteps", str(o.num_updates * 64 * o.num_envs)]
    command = [sys.executable, str(ROOT / "examples" / "ippo_jax.py"), o.env, *sizes]
    place = {} if o.device.startswith("cuda") else {"JAX_PLATFORMS": "cpu"}
    text = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **place}).stdout
    return {"env_steps_per_s": float(re.search(r"([\d,]+) SPS", text)[1].replace(",", ""))}


DOORS = {
    "import throng": (importing, []),
    "throng": (native, []),
    "throng, actions by torch": (torch_actions, ["torch"]),
    "throng.jax.make_vec in lax.scan": (jax_scan, ["jax"]),
    "throng.jax.make under vmap in lax.scan": (jaxmarl_interface, ["jax"]),
    "throng.gymnasium, benchmark_vector_step": (gymnasium_benchmark, ["gymnasium"]),
    "throng.torchrl, rollout": (torchrl_rollout, ["torchrl"]),
    "JaxMARL itself under vmap in lax.scan": (jaxmarl_itself, ["jax", "jaxmarl"]),
    "throng.train": (trainer, []),
    "examples/ppo_torch.py": (lambda o: training_script(o, "examples/ppo_torch.py"), ["torch"]),
    "examples/ppo_torch.py over JaxMARL": (lambda o: training_script(o, "bench/jaxmarl_smax.py"), ["torch", "jaxmarl"]),
    "examples/ippo_jax.py": (ippo_jax, ["jax"]),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("env", nargs="?", default="smax/3m")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--num-envs", type=int, default=4096)
    parser.add_argument("--num-steps", type=int, default=100)
    parser.add_argument("--num-updates", type=int, default=20, help="of 64 steps, where something is trained")
    parser.add_argument("--only", default="", help="doors with this in their name")
    o = parser.parse_args()
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    with throng.make(o.env, 1, o.device) as env:
        print(json.dumps({"type": "doors", "device": env.device_name, "numpy": np.__version__, **vars(o)}))
    for door, (measure, needed) in DOORS.items():
        if o.only not in door:
            continue
        lacking = [name for name in needed if importlib.util.find_spec(name) is None]
        found = {"skipped": f"needs {lacking[0]}"} if lacking else measure(o)
        print(json.dumps({"door": door, **found}), flush=True)


if __name__ == "__main__":
    main()
