"""The spaces that neighbours are told of, for every form that actions and observations can have."""
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import every_kind, throng

pytest.importorskip("gymnasium", reason="needs gymnasium: pip install gymnasium")
from gymnasium.spaces import Box, Discrete, MultiDiscrete  # noqa: E402

from throng import spaces  # noqa: E402


def spec(**what):
    return SimpleNamespace(**{**dict(id="x", obs_dim=3, obs_dtype="F32", obs_low=-1.0, obs_high=1.0, num_actions=5, heads=(),
                                     continuous=0, num_objectives=1, objectives=("reward",), world_state_dim=0), **what})


def test_actions():
    assert spaces.action_space(spec()) == Discrete(5)
    assert spaces.action_space(spec(heads=(2, 3))) == MultiDiscrete([2, 3])
    assert spaces.action_space(spec(num_actions=0, continuous=2)) == Box(-1, 1, (2,), np.float32)


def test_observations():
    assert spaces.observation_space(spec()) == Box(-1, 1, (3,), np.float32)
    assert spaces.observation_space(spec(obs_dtype="U8", obs_low=-1.0, obs_high=7)) == Box(0, 7, (3,), np.uint8)


def test_masks_of_one_head_and_of_several():
    assert spaces.mask_space(spec()).contains(spaces.head_masks(spec(), np.array([True, False, True, True, True])))
    two = spec(heads=(2, 3))
    masks = spaces.head_masks(two, [True, False, False, False, True])
    assert spaces.mask_space(two).contains(masks)
    assert spaces.action_space(two).sample(mask=masks).tolist() == [0, 2]


def test_rewards_of_several_objectives():
    two = spec(num_objectives=2, objectives=("a", "b"))
    rewards = np.arange(8, dtype=np.float32).reshape(2, 2, 2)
    assert spaces.Scalarization(two, None)(rewards).tolist() == [[1, 5], [9, 13]]
    assert spaces.Scalarization(two, [1, -1])(rewards).tolist() == [[-1, -1], [-1, -1]]
    assert spaces.Scalarization(spec(), [2])(rewards[..., 0]).tolist() == [[0, 4], [8, 12]]
    assert spaces.reward_space(two).shape == (2,)
    with pytest.raises(ValueError, match="objectives a, b, so it takes 2 numbers"):
        spaces.Scalarization(two, [1, 2, 3])


@every_kind
def test_what_an_environment_shows_lies_in_them(id):
    env = throng.make(id, 4)
    obs, info = env.reset(seed=0)
    actions = np.array(env.sample_actions())
    env.step(actions)
    for e in range(4):
        for agent in range(env.num_agents):
            assert spaces.observation_space(env.spec).contains(obs[e, agent])
            move = actions[e, agent]
            assert spaces.action_space(env.spec).contains(move if move.ndim else np.int64(move))
    if env.spec.world_state_dim:
        assert spaces.state_space(env.spec).contains(info["world_state"][0])
