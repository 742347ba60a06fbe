"""What the faces to other libraries share: Gymnasium spaces of an environment, masks, and rewards as one number."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

import throng

DTYPES = {"F32": np.float32, "U8": np.uint8}


def host(array: Any) -> Any:
    """A NumPy copy of what an environment shows, from whatever device."""
    return np.array(array) if isinstance(array, np.ndarray) else array.numpy()


def observation_space(spec: throng.EnvSpec) -> spaces.Box:
    """Of one agent."""
    dtype = DTYPES[spec.obs_dtype]
    low = max(spec.obs_low, 0) if dtype is np.uint8 else spec.obs_low
    return spaces.Box(low, spec.obs_high, (spec.obs_dim,), dtype)


def action_space(spec: throng.EnvSpec) -> spaces.Space[Any]:
    """Of one agent: Discrete, MultiDiscrete for several heads, Box within [-1, 1] for numbers."""
    if spec.continuous:
        return spaces.Box(-1.0, 1.0, (spec.continuous,), np.float32)
    return spaces.MultiDiscrete(list(spec.heads)) if len(spec.heads) > 1 else spaces.Discrete(spec.num_actions)


def state_space(spec: throng.EnvSpec) -> spaces.Box:
    """Of the world state, which is finite and has no other bounds."""
    finite = np.finfo(np.float32)
    return spaces.Box(finite.min, finite.max, (spec.world_state_dim,), np.float32)


def reward_space(spec: throng.EnvSpec) -> spaces.Box:
    """Of one agent's vector of rewards, which has no bounds."""
    return spaces.Box(-np.inf, np.inf, (spec.num_objectives,), np.float32)


def mask_space(spec: throng.EnvSpec) -> spaces.Space[Any]:
    """Of what head_masks() makes."""
    boxes = [spaces.Box(0, 1, (choices,), np.int8) for choices in spec.heads or [spec.num_actions]]
    return spaces.Tuple(boxes) if len(boxes) > 1 else boxes[0]


def head_masks(spec: throng.EnvSpec, avail_actions: Any) -> Any:
    """One agent's legal actions as `space.sample(mask)` wants them: int8, for several heads a tuple."""
    mask = np.asarray(avail_actions, np.int8)
    if len(spec.heads) < 2:
        return mask
    return tuple(np.split(mask, np.cumsum(spec.heads)[:-1]))


class Scalarization:
    """Rewards of several objectives as one number each: their sum, or the sum weighted by `weights`."""

    def __init__(self, spec: throng.EnvSpec, weights: Sequence[float] | None) -> None:
        self.weights = np.ones(spec.num_objectives, np.float32) if weights is None else np.array(weights, np.float32)
        if self.weights.shape != (spec.num_objectives,):
            raise ValueError(f"weights: {spec.id} has the objectives {', '.join(spec.objectives)}, so it takes "
                             f"{spec.num_objectives} numbers, not an array of shape {self.weights.shape}")

    def __call__(self, rewards: Any) -> Any:
        """[env, agent] or [env, agent, objective] -> [env, agent]."""
        return rewards.reshape(*rewards.shape[:2], -1) @ self.weights
