"""TorchRL's face, by its own check of specs, and against the environment itself."""
import numpy as np
import pytest
from conftest import every_kind, host, throng

torch = pytest.importorskip("torch", reason="needs torch and torchrl: pip install torchrl")
pytest.importorskip("torchrl", reason="needs torchrl: pip install torchrl")
from torchrl.envs import ActionMask, MarlGroupMapType, TransformedEnv  # noqa: E402
from torchrl.envs.utils import check_env_specs  # noqa: E402

from throng.torchrl import ThrongEnv  # noqa: E402


@every_kind
def test_the_check_of_torchrl(id, device):
    env = ThrongEnv(id, 4, device=device, seed=0, time_limit=6)
    check_env_specs(env, break_when_any_done="both")
    env.close()


@every_kind
def test_the_same_play_as_without_torchrl(id, device):
    env, twin = ThrongEnv(id, 4, device=device, seed=9, time_limit=6), throng.make(id, 4, autoreset="disabled", time_limit=6)
    twin.reset(seed=9)
    rollout = env.rollout(20, break_when_any_done=False)
    for t in range(20):
        actions = torch.zeros(twin.buffers["actions"].shape, dtype=torch.float32 if twin.spec.continuous else torch.int32)
        for group, agents in env.group_map.items():
            index = [twin.possible_agents.index(a) for a in agents]
            actions[:, index] = rollout[:, t][group, "action"].cpu().to(actions.dtype)
        obs, rewards, terminations, truncations, info = twin.step(actions)
        after = rollout[:, t]["next"]
        for group, agents in env.group_map.items():
            index = [twin.possible_agents.index(a) for a in agents]
            assert np.array_equal(after[group, "observation"].cpu(), host(obs)[:, index])
            assert np.array_equal(after[group, "reward"].cpu(), host(rewards).reshape(4, twin.num_agents, -1)[:, index])
        assert np.array_equal(after["terminated"].cpu()[:, 0], host(terminations)[:, 0])
        assert np.array_equal(after["truncated"].cpu()[:, 0], host(truncations)[:, 0])
        ended = after["done"].cpu().numpy()[:, 0]
        if ended.any() and t < 19:
            twin.reset(mask=ended)
    assert env.batch.state_hash() == twin.state_hash()


def test_groups():
    assert list(ThrongEnv("smax/3m", 2).group_map) == ["ally"]
    env = ThrongEnv("smax/3m", 2, group_map=MarlGroupMapType.ONE_GROUP_PER_AGENT)
    assert env.reset()["ally_1", "observation"].shape == (2, 1, 75)
    env = ThrongEnv("smax/3m", 2, group_map={"a": ["ally_2"], "b": ["ally_0", "ally_1"]})
    check_env_specs(env)


def test_masks_of_torchrl():
    env = TransformedEnv(ThrongEnv("smax/3m", 8, seed=0), ActionMask(("ally", "action"), ("ally", "action_mask")))
    rollout = env.rollout(30, break_when_any_done=False)
    legal = rollout["ally", "action_mask"].gather(-1, rollout["ally", "action"].unsqueeze(-1))
    assert legal.all()


def test_only_what_the_mask_names_is_reset(device):
    env = ThrongEnv("smax/3m", 4, device=device, seed=0)
    td = env.rand_step(env.reset())["next"]
    before = env.batch.state_hashes()
    td["_reset"] = torch.tensor([[False], [True], [False], [True]], device=env.device)
    env.reset(td)
    assert (env.batch.state_hashes() != before).tolist() == [False, True, False, True]
