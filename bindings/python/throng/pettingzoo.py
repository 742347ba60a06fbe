"""PettingZoo: one environment as a ParallelEnv, and as an AECEnv through PettingZoo's own converter."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
import pettingzoo
from pettingzoo.utils.conversions import parallel_to_aec

import throng
from throng import spaces


class ParallelEnv(pettingzoo.ParallelEnv[str, Any, Any]):
    """One environment.

    id            as for throng.make()
    action_masks  True: observations are {"observation", "action_mask"}; False: plain, with the mask in the
                  infos. A game of continuous actions has no masks
    drop_inactive True: an agent that is no longer active is terminated and does not return. False: all agents
                  stay to the end, so that the dead see the rewards of their team; infos tell who is active
    time_limit    steps; None: the environment's own
    weights       of the objectives in the reward; None: their sum
    """

    def __init__(
        self,
        id: str,
        *,
        action_masks: bool = True,
        drop_inactive: bool = False,
        time_limit: int | None = None,
        weights: Sequence[float] | None = None,
        device: str = "cpu",
        config: Mapping[str, Any] | None = None,
        render_mode: str | None = None,
    ) -> None:
        self.env = throng.make(id, 1, device, autoreset="disabled", time_limit=time_limit, config=config)
        self.spec = spec = self.env.spec
        self.metadata = {"name": id.replace("/", "_") + "_v0", "render_modes": ["rgb_array"] if spec.renders else [],
                         "is_parallelizable": True}
        self.render_mode = render_mode
        self.possible_agents = list(spec.agents)
        self.agents: list[str] = []
        self.masked = action_masks and not spec.continuous
        self.drop_inactive = drop_inactive
        self.scalar = spaces.Scalarization(spec, weights)
        self.observation_spaces = {agent: self._observation_space() for agent in spec.agents}
        self.action_spaces = {agent: spaces.action_space(spec) for agent in spec.agents}
        if spec.world_state_dim:
            self.state_space = spaces.state_space(spec)

    def observation_space(self, agent: str) -> gymnasium.Space[Any]:
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> gymnasium.Space[Any]:
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        obs, self.info = self.env.reset(seed=seed)
        self.agents = list(self.possible_agents)
        return self._observations(obs), self._infos(ended=False)

    def step(self, actions: dict[str, Any]) -> tuple[dict[str, Any], ...]:
        if not self.agents:
            return {}, {}, {}, {}, {}
        buffer = self.env.buffers["actions"]
        given = np.zeros(buffer.shape, buffer.dtype)
        for agent in self.agents:
            given[0, self.possible_agents.index(agent)] = actions[agent]
        obs, rewards, terminated, truncated, self.info = self.env.step(given)
        rewards, terminated, truncated = self._rewards(spaces.host(rewards)), spaces.host(terminated)[0], spaces.host(truncated)[0]
        ended = bool(terminated[0] or truncated[0])
        if self.drop_inactive and not ended:
            terminated = ~spaces.host(self.info["active"])[0]
        result = (
            self._observations(obs),
            self._each(rewards),
            self._each([bool(x) for x in terminated]),
            self._each([bool(x) for x in truncated]),
            self._infos(ended),
        )
        self.agents = [a for a in self.agents if not (result[2][a] or result[3][a])]
        return result

    def state(self) -> Any:
        """float32 [world_state_dim]."""
        if self.info["world_state"] is None:
            return super().state()
        return spaces.host(self.info["world_state"])[0]

    def render(self) -> Any:
        """uint8 [height, width, 3] with render_mode="rgb_array", else None."""
        return self.env.render() if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        self.env.close()

    def _observation_space(self) -> gymnasium.Space[Any]:
        seen = spaces.observation_space(self.spec)
        masks = {"action_mask": spaces.mask_space(self.spec)}
        return gymnasium.spaces.Dict({"observation": seen, **masks}) if self.masked else seen

    def _each(self, values: Any) -> dict[str, Any]:  # of those who were there before the step
        return {agent: value for agent, value in zip(self.possible_agents, values) if agent in self.agents}

    def _rewards(self, rewards: Any) -> Any:
        return [float(x) for x in self.scalar(rewards)[0]]

    def _masks(self) -> list[Any]:
        return [spaces.head_masks(self.spec, agent) for agent in spaces.host(self.info["avail_actions"])[0]]

    def _observations(self, obs: Any) -> dict[str, Any]:
        seen = list(spaces.host(obs)[0])
        if self.masked:
            seen = [{"observation": x, "action_mask": mask} for x, mask in zip(seen, self._masks())]
        return self._each(seen)

    def _infos(self, ended: bool) -> dict[str, Any]:
        infos: list[dict[str, Any]] = [{"active": bool(x)} for x in spaces.host(self.info["active"])[0]]
        if not self.masked and not self.spec.continuous:
            for one, mask in zip(infos, self._masks()):
                one["action_mask"] = mask
        if ended:
            measures = {name: float(spaces.host(self.info["episode"][name])[0]) for name in self.spec.info}
            for one in infos:
                one.update(measures)
        return self._each(infos)


def parallel_env(id: str, **options: Any) -> ParallelEnv:
    return ParallelEnv(id, **options)


def raw_env(id: str, **options: Any) -> pettingzoo.AECEnv[str, Any, Any]:
    return parallel_to_aec(ParallelEnv(id, **options))


def env(id: str, **options: Any) -> pettingzoo.AECEnv[str, Any, Any]:
    """Agent after agent; raises an error where reset() or step() are called out of order."""
    return pettingzoo.utils.wrappers.OrderEnforcingWrapper(raw_env(id, **options))


def register() -> None:
    """Tells PettingZoo, if it keeps a register, of every environment: "throng/smax-3m-v0"."""
    for id in dict.fromkeys([*throng.registered_envs(), *throng.list_envs()]):
        name = f"throng/{id.replace('/', '-')}-v0"
        pettingzoo.register("parallel", name, "throng.pettingzoo:parallel_env", kwargs={"id": id})
        pettingzoo.register("aec", name, "throng.pettingzoo:env", kwargs={"id": id})


if hasattr(pettingzoo, "register"):
    register()
