"""Imports libraries in the order of the arguments after the device, then uses them all; the order must not matter."""
import importlib
import sys


def use(name, device):
    import throng

    if name == "throng":
        env = throng.make("smax/3m", 4, device)
        env.reset(seed=0)
        env.step(env.sample_actions())
        return env.state_hash()
    if name == "torch":
        import torch

        return float(torch.ones(4, 4, device=device).matmul(torch.ones(4, 4, device=device)).sum())
    import jax

    with jax.default_device(jax.devices("gpu" if device == "cuda" else "cpu")[0]):
        env = importlib.import_module("throng.jax").make_vec("smax/3m")
        return int(env.reset(jax.random.key(0), 4)[1]["batch.episode"].sum())


if __name__ == "__main__":
    device, *names = sys.argv[1:]
    for name in names:
        importlib.import_module(name)
    for name in [*names, *reversed(names)]:
        print(name, use(name, device))
