"""Gymnasium: `gymnasium.make_vec("throng/smax-3m-v0", num_envs=48)`, once this module has been imported."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

import throng
from throng import spaces
from throng.rows import Rows

AUTORESET = {
    AutoresetMode.NEXT_STEP: "next_step",
    AutoresetMode.SAME_STEP: "same_step",
    AutoresetMode.DISABLED: "disabled",
}


class VectorEnv(gymnasium.vector.VectorEnv[Any, Any, Any]):
    """A batch whose rows are the agents: row = environment * num_agents + agent.

    id                 as for throng.make()
    num_envs           rows: environments times agents
    autoreset_mode     Gymnasium's AutoresetMode or its value; an environment ends as a whole
    max_episode_steps  the time limit; None: the environment's own
    weights            of the objectives in the reward; None: their sum
    infos              action_mask (int8) and active of each row; measures such as "won" of rows that ended
    """

    def __init__(
        self,
        id: str,
        num_envs: int = 1,
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
        weights: Sequence[float] | None = None,
        device: str = "cpu",
        config: Mapping[str, Any] | None = None,
        render_mode: str | None = None,
    ) -> None:
        self.mode = AutoresetMode(autoreset_mode)
        self.batch = Rows(id, num_envs, weights=weights, device=device, config=config, time_limit=max_episode_steps,
                          autoreset=AUTORESET[self.mode])
        self.metadata = {"autoreset_mode": self.mode, "render_modes": ["rgb_array"] if self.batch.spec.renders else []}
        self.render_mode = render_mode
        self.num_envs = num_envs
        self.single_observation_space = spaces.observation_space(self.batch.spec)
        self.single_action_space = spaces.action_space(self.batch.spec)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """options["reset_mask"], bool [row], resets the environments that these rows belong to."""
        super().reset(seed=seed)
        obs, info = self.batch.reset(seed, options.get("reset_mask") if options else None)
        return obs, self._infos(info)

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        obs, rewards, terminations, truncations, info = self.batch.step(actions)
        infos, ended = self._infos(info), terminations | truncations
        if ended.any():
            measures = {k: v for name, x in self.batch.measures(info).items() for k, v in ((name, x), ("_" + name, ended))}
            if self.mode == AutoresetMode.SAME_STEP:
                final_obs = np.full(self.num_envs, None, dtype=object)
                for row, final in zip(np.flatnonzero(ended), self.batch.rows(info["final_obs"])[ended]):
                    final_obs[row] = final
                infos.update(final_obs=final_obs, _final_obs=ended, final_info=measures, _final_info=ended)
            else:
                infos.update(measures)
        return obs, rewards.astype(np.float64), terminations, truncations, infos

    def _infos(self, info: dict[str, Any]) -> dict[str, Any]:
        every = np.ones(self.num_envs, bool)
        infos = {"active": self.batch.rows(info["active"]), "_active": every}
        if not self.batch.spec.continuous:
            infos.update(action_mask=self.batch.rows(info["avail_actions"]).view(np.int8), _action_mask=every)
        return infos

    def render(self) -> tuple[Any, ...] | None:
        """With render_mode="rgb_array" a picture for each row; agents of one environment share theirs."""
        if self.render_mode != "rgb_array":
            return None
        agents = self.batch.spec.num_agents
        return tuple(picture for e in range(self.batch.env.num_envs) for picture in [self.batch.env.render(e)] * agents)

    def close_extras(self, **kwargs: Any) -> None:
        self.batch.env.close()


def register() -> None:
    """Tells Gymnasium of every environment: "smax/3m" becomes "throng/smax-3m-v0"."""
    for id in dict.fromkeys([*throng.registered_envs(), *throng.list_envs()]):
        gymnasium.register(f"throng/{id.replace('/', '-')}-v0", vector_entry_point="throng.gymnasium:VectorEnv", kwargs={"id": id})


register()
