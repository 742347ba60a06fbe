"""Stable-Baselines3: a batch of environments as its VecEnv."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv as BaseVecEnv

from throng import spaces
from throng.rows import Rows


class VecEnv(BaseVecEnv):
    """A batch whose rows are the agents: row = environment * num_agents + agent, and `num_envs` counts rows.

    id          as for throng.make()
    time_limit  steps; None: the environment's own
    weights     of the objectives in the reward; None: their sum

    env_method("action_masks") is what sb3_contrib's MaskablePPO asks for. The measures of an episode that ended,
    such as "won", are in its rows' infos.
    """

    def __init__(
        self,
        id: str,
        num_envs: int,
        *,
        time_limit: int | None = None,
        weights: Sequence[float] | None = None,
        device: str = "cpu",
        config: Mapping[str, Any] | None = None,
    ) -> None:
        self.batch = Rows(id, num_envs, weights=weights, device=device, config=config, time_limit=time_limit)
        self.render_mode = None
        super().__init__(num_envs, spaces.observation_space(self.batch.spec), spaces.action_space(self.batch.spec))
        self._nothing: list[dict[str, Any]] = [{} for _ in range(num_envs)]

    def reset(self) -> Any:
        obs, self._info = self.batch.reset(self._seeds[0])
        self._reset_seeds()
        self._reset_options()
        return obs

    def step_async(self, actions: Any) -> None:
        self._actions = actions

    def step_wait(self) -> tuple[Any, Any, Any, list[dict[str, Any]]]:
        obs, rewards, terminations, truncations, self._info = self.batch.step(self._actions)
        dones = terminations | truncations
        if not dones.any():
            return obs, rewards, dones, self._nothing
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        final_obs, measures = self.batch.rows(self._info["final_obs"]), self.batch.measures(self._info)
        for row in np.flatnonzero(dones):
            infos[row] = {name: float(values[row]) for name, values in measures.items()}
            infos[row]["terminal_observation"] = final_obs[row]
            infos[row]["TimeLimit.truncated"] = bool(truncations[row] and not terminations[row])
        return obs, rewards, dones, infos

    def close(self) -> None:
        self.batch.env.close()

    def action_masks(self) -> Any:
        """bool [row, num_actions]."""
        return self.batch.rows(self._info["avail_actions"])

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [getattr(self, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        raise NotImplementedError("the rows are parts of one batch: they have no attributes of their own")

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """Only "action_masks": the rows are parts of one batch and have no other methods of their own."""
        if method_name != "action_masks":
            raise AttributeError(f"rows have no method {method_name}; action_masks is the one there is")
        return list(self.action_masks()[list(self._get_indices(indices))])

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        return [False] * len(list(self._get_indices(indices)))
