"""The face to Stable-Baselines3: what its VecEnv promises, and a short training."""
import numpy as np
import pytest
from conftest import every_kind, throng

pytest.importorskip("stable_baselines3", reason="needs stable-baselines3: pip install stable-baselines3")
from stable_baselines3 import PPO  # noqa: E402
from stable_baselines3.common.vec_env import VecMonitor  # noqa: E402

from throng.stable_baselines3 import VecEnv  # noqa: E402


def make(id, environments=4, **options):
    return VecEnv(id, environments * throng.describe(id)["spec"].num_agents, **options)


@every_kind
def test_steps(id):
    env = make(id, time_limit=5)
    env.seed(3)
    obs, ends = env.reset(), 0
    assert env.get_attr("render_mode") == [None] * env.num_envs and env.env_is_wrapped(object) == [False] * env.num_envs
    for _ in range(12):
        obs, rewards, dones, infos = env.step(np.array([env.action_space.sample() for _ in range(env.num_envs)]))
        assert obs.shape == (env.num_envs, *env.observation_space.shape) and env.observation_space.contains(obs[0])
        assert rewards.dtype == np.float32 and dones.dtype == bool and len(infos) == env.num_envs
        for done, info in zip(dones, infos):
            assert ("terminal_observation" in info) == done
            assert not done or env.observation_space.contains(info["terminal_observation"])
        ends += dones.sum()
    assert ends > 0
    env.close()


def test_truncation_is_told_apart():
    env = make("smax/3m", time_limit=1)
    env.reset()
    infos = env.step(np.full(env.num_envs, 4))[3]
    assert all(info["TimeLimit.truncated"] for info in infos) and infos[0]["won"] == 0.0


def test_seeds_and_masks():
    first, second = make("smax/3m"), make("smax/3m")
    for env in (first, second):
        env.seed(11)
    start = first.reset()
    assert np.array_equal(start, second.reset())
    assert not np.array_equal(start, first.reset())  # the next episodes
    masks = np.array(first.env_method("action_masks"))
    assert masks.shape == (12, first.action_space.n) and masks.any(axis=1).all()
    with pytest.raises(AttributeError, match="action_masks"):
        first.env_method("nonsense")
    assert first.has_attr("batch") and not first.has_attr("nonsense")


@every_kind
def test_the_same_play_as_without_stable_baselines3(id, device):
    env, twin = make(id, device=device, time_limit=9), throng.make(id, 4, time_limit=9)
    env.seed(5)
    obs, (seen, _) = env.reset(), twin.reset(seed=5)
    for _ in range(20):
        assert np.array_equal(obs, seen.reshape(obs.shape))
        actions = np.array(twin.sample_actions())
        obs, rewards, dones, _ = env.step(actions.reshape(env.num_envs, *actions.shape[2:]))
        seen, paid, terminations, truncations, _ = twin.step(actions)
        assert np.allclose(rewards, paid.reshape(env.num_envs, -1).sum(1), rtol=1e-4, atol=1e-4)
        assert np.array_equal(dones, (terminations | truncations).reshape(-1))
    assert env.batch.env.state_hash() == twin.state_hash()


@every_kind
def test_ppo_learns_on_it(id):
    env = VecMonitor(make(id, environments=8))
    model = PPO("MlpPolicy", env, n_steps=16, batch_size=64, n_epochs=1, seed=0, device="cpu")
    before = {name: value.clone() for name, value in model.policy.named_parameters()}
    model.learn(2 * 16 * env.num_envs)
    assert any((before[name] != value).any() for name, value in model.policy.named_parameters())
