"""RLlib and Tianshou: no faces of their own, but recipes over PettingZoo's, as docs/neighbours/ has them."""
import warnings

import numpy as np
import pytest
from conftest import every_kind, throng

pytest.importorskip("pettingzoo", reason="needs pettingzoo: pip install pettingzoo")


def one_mask(id):
    """Tianshou and RLlib know masks of one head only."""
    spec = throng.describe(id)["spec"]
    return not spec.continuous and len(spec.heads) < 2


@every_kind
def test_tianshou(id):
    envs = pytest.importorskip("tianshou.env", reason="needs tianshou: pip install tianshou")
    from tianshou.env.pettingzoo_env import PettingZooEnv

    from throng.pettingzoo import raw_env

    vector = envs.DummyVectorEnv([lambda: PettingZooEnv(raw_env(id, action_masks=one_mask(id))) for _ in range(2)])
    obs, _ = vector.reset()
    assert len(obs) == 2
    for _ in range(20):
        actions = np.array([vector.workers[i].env.env.action_space(o["agent_id"]).sample(
            np.array(o["mask"], np.int8) if one_mask(id) else None) for i, o in enumerate(obs)])
        obs, rewards, terminated, truncated, _ = vector.step(actions)
        assert rewards.shape == (2, throng.describe(id)["spec"].num_agents)
        ended = np.flatnonzero(terminated | truncated)
        if len(ended):
            obs[ended] = vector.reset(ended)[0]


@every_kind
def test_rllib(id):
    pytest.importorskip("ray.rllib", reason="needs RLlib: pip install 'ray[rllib]'")
    from ray.rllib.env.wrappers.pettingzoo_env import ParallelPettingZooEnv

    from throng.pettingzoo import parallel_env

    env = ParallelPettingZooEnv(parallel_env(id, action_masks=False, time_limit=20))
    obs, _ = env.reset(seed=0)
    over = False
    while not over:
        assert set(obs) == set(env.agents)
        actions = {agent: env.get_action_space(agent).sample() for agent in obs}
        obs, _, terminated, truncated, _ = env.step(actions)
        over = terminated["__all__"] or truncated["__all__"]
