"""MOMAland: one environment as a MOParallelEnv, whose rewards are vectors. MOMAland itself is GPL and not part of throng."""
from __future__ import annotations

from typing import Any

import gymnasium
from momaland.utils.conversions import mo_parallel_to_aec
from momaland.utils.env import MOParallelEnv as MOMAlandParallelEnv

import throng.pettingzoo
from throng import spaces


class MOParallelEnv(throng.pettingzoo.ParallelEnv, MOMAlandParallelEnv):
    """As throng.pettingzoo.ParallelEnv, with float32 rewards [objective]. Observations are plain unless masks are asked for."""

    def __init__(self, id: str, *, action_masks: bool = False, **options: Any) -> None:
        super().__init__(id, action_masks=action_masks, **options)
        self.metadata["central_observation"] = self.spec.world_state_dim > 0
        self.reward_spaces = {agent: spaces.reward_space(self.spec) for agent in self.possible_agents}

    def reward_space(self, agent: str) -> gymnasium.Space[Any]:
        return self.reward_spaces[agent]

    def get_central_observation_space(self) -> gymnasium.Space[Any]:
        return self.state_space

    def _rewards(self, rewards: Any) -> Any:
        return list(rewards.reshape(len(self.possible_agents), self.spec.num_objectives))


def parallel_env(id: str, **options: Any) -> MOParallelEnv:
    return MOParallelEnv(id, **options)


def env(id: str, **options: Any) -> Any:
    """Agent after agent, through MOMAland's own converter."""
    return mo_parallel_to_aec(MOParallelEnv(id, **options))
