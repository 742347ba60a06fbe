"""JaxMARL's own SMAX where a throng environment is expected, so that the same loops measure both.

    python3 bench/jaxmarl_smax.py smax/3m --num-envs 4096 [--device cuda]

runs examples/ppo_torch.py over it. It needs `pip install jaxmarl`; the rules are those that throng's SMAX follows.
"""
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import throng


def make_jaxmarl(id):
    """The environment that JaxMARL has for "smax/3m"."""
    from jaxmarl.environments.smax import HeuristicEnemySMAX, map_name_to_scenario

    return HeuristicEnemySMAX(scenario=map_name_to_scenario(id.removeprefix("smax/")))


class TorchEnv:
    """A batch of JaxMARL's environments with as much of a throng environment as examples/ppo_torch.py asks for.

    JaxMARL does not keep the observation in which an episode ended and does not tell truncations apart: ended is terminated.
    """

    def __init__(self, id, num_envs=1, device="cpu"):
        import torch

        self.torch, self.num_envs, self.env = torch, num_envs, make_jaxmarl(id)
        self.device = "cpu" if device == "cpu" or not torch.cuda.is_available() else "cuda:0"
        self.place = jax.devices("cpu" if self.device == "cpu" else "gpu")[0]
        self.num_agents = self.env.num_agents
        first = self.env.agents[0]
        self.spec = SimpleNamespace(obs_dim=self.env.observation_space(first).shape[0], num_actions=self.env.action_space(first).n)
        self.counted = dict.fromkeys(("episodes", "won"), 0.0)
        self._step = jax.jit(self._step_all)

    def _seen(self, obs, state):
        stacked = jnp.stack([obs[a] for a in self.env.agents], 1)
        avail = jax.vmap(self.env.get_avail_actions)(state)
        return {"obs": stacked, "final_obs": stacked, "avail_actions": jnp.stack([avail[a] for a in self.env.agents], 1) > 0}

    def _step_all(self, key, state, actions):
        key, draw = jax.random.split(key)
        given = {a: actions[:, i] for i, a in enumerate(self.env.agents)}
        obs, state, rewards, dones, _ = jax.vmap(self.env.step)(jax.random.split(draw, self.num_envs), state, given)
        ended = jnp.tile(dones["__all__"][:, None], self.num_agents)
        shown = {"rewards": jnp.stack([rewards[a] for a in self.env.agents], 1), "terminations": ended,
                 "truncations": jnp.zeros_like(ended)}
        return key, state, {**self._seen(obs, state), **shown}

    def reset(self, seed=0):
        with jax.default_device(self.place):
            self.key, draw = jax.random.split(jax.random.key(seed))
            obs, self.state = jax.jit(jax.vmap(self.env.reset))(jax.random.split(draw, self.num_envs))
            stay = jnp.full((self.num_envs, self.num_agents), self.env.action_space(self.env.agents[0]).n - 1, jnp.int32)
            _, _, shown = self._step(self.key, self.state, stay)
            shown.update(self._seen(obs, self.state))
        self.buffers = {name: self._tensor(array).clone() for name, array in shown.items()}

    def step(self, actions):
        self.key, self.state, shown = self._step(self.key, self.state, jax.dlpack.from_dlpack(actions.contiguous()))
        for name, array in shown.items():
            self.buffers[name].copy_(self._tensor(array))
        ended = self.buffers["terminations"][:, 0]
        self.counted["episodes"] += ended.sum()
        self.counted["won"] += (ended & (self.buffers["rewards"][:, 0] >= 1)).sum()  # winning is worth 1

    def _tensor(self, array):
        return self.torch.from_dlpack(array)

    def statistics(self):
        episodes, won = (float(self.counted[name]) for name in ("episodes", "won"))
        self.counted = dict.fromkeys(self.counted, 0.0)
        return {"won": won / max(episodes, 1)}


def main():
    throng.make = TorchEnv
    sys.argv[0] = str(Path(__file__).resolve().parents[1] / "examples" / "ppo_torch.py")
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
