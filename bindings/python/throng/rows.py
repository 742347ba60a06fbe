"""Rows: every agent of every environment as a row of its own, for libraries that know no agents."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import throng
from throng import spaces


class Rows:
    """A batch of environments as `num_rows` rows; row = environment * num_agents + agent.

    Everything it returns is a NumPy copy.
    """

    def __init__(self, id: str, num_rows: int, *, weights: Sequence[float] | None = None, **options: Any) -> None:
        spec = throng.describe(id, options.get("config"))["spec"]
        if num_rows < 1 or num_rows % spec.num_agents:
            raise ValueError(f"num_envs counts the agents of all environments: {id} has {spec.num_agents} agents, so it "
                             f"must be a multiple of {spec.num_agents}, not {num_rows}")
        self.env = throng.make(id, num_rows // spec.num_agents, **options)
        self.spec = self.env.spec
        self.num_rows = num_rows
        self.scalar = spaces.Scalarization(self.spec, weights)

    def rows(self, array: Any) -> Any:
        """[env, agent, ...] -> [row, ...]."""
        return spaces.host(array).reshape(self.num_rows, *array.shape[2:])

    def repeat(self, array: Any) -> Any:
        """[env] -> [row]."""
        return np.repeat(spaces.host(array), self.spec.num_agents)

    def reset(self, seed: int | None = None, mask: Any = None) -> tuple[Any, dict[str, Any]]:
        """`mask` is [row]; an environment with any row in it is reset."""
        if mask is not None:
            mask = np.asarray(mask, bool).reshape(-1, self.spec.num_agents).any(axis=1)
        obs, info = self.env.reset(seed=seed, mask=mask)
        return self.rows(obs), info

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """(obs, rewards, terminations, truncations) by rows, and the environment's own info."""
        given = np.asarray(actions).reshape(self.env.buffers["actions"].shape)
        obs, rewards, terminations, truncations, info = self.env.step(given)
        rewards = self.scalar(spaces.host(rewards)).reshape(self.num_rows)
        return self.rows(obs), rewards, self.rows(terminations), self.rows(truncations), info

    def measures(self, info: dict[str, Any]) -> dict[str, Any]:
        """The measures of each row's latest ended episode, {"won": [row]}."""
        return {name: self.repeat(info["episode"][name]) for name in self.spec.info}
