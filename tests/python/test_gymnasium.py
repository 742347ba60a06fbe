"""Gymnasium's face: its registry, its wrappers, its three ways of beginning the next episode."""
import warnings

import numpy as np
import pytest
from conftest import every_kind, throng

gymnasium = pytest.importorskip("gymnasium", minversion="1.1", reason="needs gymnasium 1.1: pip install gymnasium")
pytest.importorskip("throng.gymnasium")
from gymnasium.utils import performance  # noqa: E402
from gymnasium.vector import AutoresetMode  # noqa: E402
from gymnasium.wrappers import vector  # noqa: E402

MODES = list(AutoresetMode)


def make(id, environments=4, **options):
    agents = throng.describe(id)["spec"].num_agents
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return gymnasium.make_vec(f"throng/{id.replace('/', '-')}-v0", num_envs=environments * agents, **options)


def play(env, steps, seed=0):
    """Yields (actions, result) of random play; finished environments are reset where nobody else does it."""
    env.reset(seed=seed)
    env.action_space.seed(seed)
    for _ in range(steps):
        actions = env.action_space.sample()
        result = env.step(actions)
        yield actions, result
        ended = result[2] | result[3]
        if env.metadata["autoreset_mode"] == AutoresetMode.DISABLED and ended.any():
            env.reset(options={"reset_mask": ended.copy()})


@every_kind
@pytest.mark.parametrize("mode", MODES, ids=str)
def test_what_gymnasium_expects(id, mode):
    env = make(id, autoreset_mode=mode, max_episode_steps=7)
    assert env.unwrapped.spec.id == f"throng/{id.replace('/', '-')}-v0" and env.metadata["autoreset_mode"] is mode
    n, endings = env.num_envs, 0
    for _, (obs, rewards, terminations, truncations, infos) in play(env, 30):
        assert env.observation_space.contains(obs)
        assert (rewards.shape, rewards.dtype) == ((n,), np.float64)
        assert terminations.shape == truncations.shape == (n,) and terminations.dtype == truncations.dtype == bool
        assert isinstance(infos, dict) and all("_" + key in infos for key in infos if not key.startswith("_"))
        ended = terminations | truncations
        endings += ended.sum()
        assert ("_final_obs" in infos) == (mode == AutoresetMode.SAME_STEP and ended.any())
        if "_final_obs" in infos:
            assert np.array_equal(infos["_final_obs"], ended)
            for final, over in zip(infos["final_obs"], ended):
                assert (final is not None) == over
                assert not over or env.single_observation_space.contains(final)
    assert endings > 0
    env.close()
    assert env.unwrapped.batch.env.closed


@every_kind
@pytest.mark.parametrize("mode", MODES, ids=str)
def test_statistics_of_gymnasium_are_the_environments_own(id, mode):
    env = vector.RecordEpisodeStatistics(make(id, autoreset_mode=mode, max_episode_steps=9))
    checked = 0
    for _, (*_, infos) in play(env, 40):
        if "episode" not in infos:
            continue
        batch = env.unwrapped.batch
        ours = {name: np.asarray(array) for name, array in batch.env.buffers.items() if name.startswith("episode.")}
        ended = infos["_episode"].copy()
        lengths = np.repeat(ours["episode.length"], batch.spec.num_agents)
        returns = batch.scalar(ours["episode.returns"]).reshape(-1)
        assert np.array_equal(infos["episode"]["l"][ended], lengths[ended])
        assert np.allclose(infos["episode"]["r"][ended], returns[ended], rtol=1e-4, atol=1e-3)
        checked += ended.sum()
    assert checked > 0


@every_kind
def test_the_same_play_as_without_gymnasium(id, device):
    env = make(id, autoreset_mode=AutoresetMode.SAME_STEP, device=device)
    twin = throng.make(id, num_envs=4)
    twin.reset(seed=5)
    for actions, (obs, _, terminations, truncations, _) in play(env, 20, seed=5):
        shown = twin.step(actions.reshape(twin.buffers["actions"].shape))
        assert np.array_equal(obs, shown[0].reshape(obs.shape))
        assert np.array_equal(terminations, shown[2].reshape(-1)) and np.array_equal(truncations, shown[3].reshape(-1))
    assert env.unwrapped.batch.env.state_hash() == twin.state_hash()


def test_the_step_after_an_end_begins_the_next_episode():
    env = make("smax/3m", max_episode_steps=3)  # NEXT_STEP is the default
    env.reset(seed=0)
    for step in range(1, 9):
        obs, rewards, terminations, truncations, infos = env.step(env.action_space.sample())
        assert truncations.all() == (step % 4 == 3) and not terminations.any()
        if step % 4 == 0:
            assert not rewards.any()
        assert ("won" in infos) == (step % 4 == 3)


def test_only_what_the_mask_names_is_reset():
    env = make("smax/3m", autoreset_mode=AutoresetMode.DISABLED, max_episode_steps=2)
    env.reset(seed=0)
    env.step(env.action_space.sample())
    before = env.unwrapped.batch.env.state_hashes()
    mask = np.zeros(env.num_envs, bool)
    mask[4] = True  # an agent of environment 1
    env.reset(options={"reset_mask": mask})
    changed = env.unwrapped.batch.env.state_hashes() != before
    assert changed.tolist() == [False, True, False, False]


@every_kind
def test_masks_are_what_spaces_sample_by(id):
    env = make(id)
    _, infos = env.reset(seed=0)
    spec = env.unwrapped.batch.spec
    assert ("action_mask" in infos) == (not spec.continuous)
    if not spec.continuous and len(spec.heads) < 2:
        for mask in infos["action_mask"]:
            assert mask[env.single_action_space.sample(mask)]


def test_wrappers_and_the_benchmark_of_gymnasium():
    env = vector.NormalizeObservation(vector.ClipReward(make("smax/3m"), -1, 1))
    obs = [result[0] for _, result in play(env, 5)]
    assert np.isfinite(obs).all()
    if hasattr(performance, "benchmark_vector_step"):  # not yet in 1.2
        assert performance.benchmark_vector_step(make("smax/3m"), 0.2, 0) > 0


def test_weights_make_one_reward_of_several():
    with pytest.raises(ValueError, match="weights: smax/3m has the objectives reward, so it takes 1 numbers"):
        make("smax/3m", weights=[1, 2])
    halves = [result[1] for _, result in play(make("smax/3m", weights=[0.5]), 20)]
    wholes = [result[1] for _, result in play(make("smax/3m"), 20)]
    assert np.any(wholes) and np.allclose(np.multiply(halves, 2), wholes)


def test_rows_come_in_whole_environments():
    with pytest.raises(ValueError, match="multiple of 3, not 1"):
        gymnasium.make_vec("throng/smax-3m-v0")
    assert gymnasium.make_vec("throng.gymnasium:throng/smax-3m-v0", num_envs=6).num_envs == 6
