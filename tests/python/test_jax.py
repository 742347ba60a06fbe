"""JAX: environments under jit, scan and vmap against the environment itself, bit for bit."""
import sys

import numpy as np
import pytest
from conftest import ROOT, every_kind, throng

jax = pytest.importorskip("jax", minversion="0.4.38", reason="needs jax 0.4.38: pip install jax")
import jax.numpy as jnp  # noqa: E402

import throng.jax  # noqa: E402

N, STEPS = 6, 40


@pytest.fixture(params=["cpu", "cuda"], autouse=True)
def place(request):
    """Everything runs on the CPU, and on a GPU if JAX and throng have one."""
    if request.param == "cuda" and (throng.cuda_device_count() == 0 or jax.default_backend() != "gpu"):
        pytest.skip("needs a GPU that JAX and throng both see")
    with jax.default_device(jax.devices("cpu" if request.param == "cpu" else "gpu")[0]):
        yield request.param


def as_kept(array, like):
    """As get_state() has it: words of 64 bits are two of 32 for JAX."""
    return np.asarray(array).view(np.uint64)[..., 0] if like.dtype == np.uint64 else np.asarray(array)


def actions_of(spec, steps, envs=N, seed=0):
    draw = np.random.default_rng(seed)
    if spec.continuous:
        return draw.uniform(-1, 1, (steps, envs, spec.num_agents, spec.continuous)).astype(np.float32)
    heads = spec.heads or [spec.num_actions]
    return np.stack([draw.integers(0, n, (steps, envs, spec.num_agents)) for n in heads], axis=-1).astype(np.int32)


@every_kind
@pytest.mark.parametrize("autoreset", ["same_step", "next_step", "disabled"])
def test_a_scan_is_the_play_of_the_environment(id, autoreset):
    env = throng.jax.make_vec(id, autoreset=autoreset, final_obs=True, time_limit=15)
    twin = throng.make(id, N, autoreset=autoreset, time_limit=15)
    obs, state = env.reset(jax.random.key(7), N)
    first, info = twin.reset(seed=7)
    assert np.array_equal(obs, first)
    moves = actions_of(env.spec, STEPS)

    def body(state, actions):
        step = env.step(state, actions)
        shown = {name: step.state[name] for name in ("active", "avail_actions", "world_state", "final_obs") if name in step.state}
        return step.state, (step._replace(state=None), shown)

    state, (steps, shown) = jax.jit(lambda *a: jax.lax.scan(body, *a))(state, moves)
    for t in range(STEPS):
        obs, rewards, terminations, truncations, info = twin.step(moves[t].reshape(twin.buffers["actions"].shape))
        assert np.array_equal(steps.obs[t], obs) and np.array_equal(steps.rewards[t].reshape(rewards.shape), rewards)
        assert np.array_equal(steps.terminations[t], terminations) and np.array_equal(steps.truncations[t], truncations)
        for name, arrays in shown.items():
            assert np.array_equal(arrays[t], info[name]), name
    assert np.any(steps.truncations | steps.terminations)
    for name, array in twin.get_state().items():
        assert np.array_equal(as_kept(state[name], array), array), name
    for i, name in enumerate(env.spec.info):
        assert np.array_equal(state["episode.info"][:, i], info["episode"][name])
    twin.set_state({name: as_kept(state[name], array) for name, array in twin.get_state().items()})


@every_kind
def test_vmap_is_one_call_for_all(id):
    env, batch = throng.jax.make(id), throng.jax.make_vec(id)
    keys = jax.random.split(jax.random.key(1), N)
    obs, state = jax.jit(jax.vmap(env.reset))(keys)
    seen, whole = batch.reset(keys)
    step_all, step_batch = jax.jit(jax.vmap(env.step)), jax.jit(batch.step)
    for moves in actions_of(env.spec, 12):
        assert np.array_equal(jnp.stack([obs[a] for a in env.agents], 1), seen)
        step = step_batch(whole, moves)
        seen, whole = step.obs, step.state
        chosen = moves if env.action_space(env.agents[0]).shape else moves[..., 0]
        obs, state, rewards, dones, _ = step_all(keys, state, {a: chosen[:, i] for i, a in enumerate(env.agents)})
        assert np.array_equal(dones["__all__"], (step.terminations | step.truncations)[:, 0])
        assert np.allclose(jnp.stack([rewards[a] for a in env.agents], 1), step.rewards.sum(-1), rtol=1e-4, atol=1e-4)
    text = str(jax.make_jaxpr(jax.vmap(env.reset))(keys))
    assert text.count("ffi_call") == 1 and "while" not in text


def test_vmap_of_vmap_and_of_what_is_shared():
    env = throng.jax.make("smax/3m")
    keys = jax.random.split(jax.random.key(0), (2, 3))
    obs, state = jax.jit(jax.vmap(jax.vmap(env.reset)))(keys)
    alone, one = jax.jit(env.reset)(keys[1, 2])
    assert np.array_equal(obs["ally_0"][1, 2], alone["ally_0"])
    moves = {a: jnp.arange(8) for a in env.agents}  # eight futures of one state
    _, after, *_ = jax.jit(jax.vmap(env.step, in_axes=(None, None, 0)))(keys[0, 0], one, moves)
    assert after["state.health"].shape == (8, *one["state.health"].shape)
    _, lonely, *_ = jax.jit(env.step)(keys[0, 0], one, {a: 5 for a in env.agents})
    assert all(np.array_equal(after[name][5], lonely[name]) for name in lonely)


def test_the_key_is_that_of_the_environment_itself():
    twin = throng.make("smax/3m", 3)
    twin.reset(seed=2**40 + 5)
    batch = throng.jax.make_vec("smax/3m")
    data = jnp.array([2**8, 5], jnp.uint32)  # what jax.random.key makes of that seed, without 64-bit integers
    keys = [jax.random.key_data(jax.random.fold_in(jax.random.wrap_key_data(data), e)) for e in range(3)]
    for given in ((data, 3), (jnp.stack(keys),), (jax.random.wrap_key_data(jnp.stack(keys)),)):
        assert np.array_equal(batch.reset(*given)[1]["state.x"], twin.get_state()["state.x"])
    env = throng.jax.make("smax/3m")
    assert np.array_equal(env.reset(keys[2])[1]["state.x"][:, 0], twin.get_state()["state.x"][:, 2])


def test_purity():
    batch = throng.jax.make_vec("smax/3m")
    _, state = batch.reset(jax.random.key(0), N)
    before = jax.tree.map(np.array, state)
    moves = actions_of(batch.spec, 1)[0]
    first, second = batch.step(state, moves), batch.step(state, moves)
    assert all(np.array_equal(state[name], before[name]) for name in state)
    assert all(np.array_equal(first.state[name], second.state[name]) for name in state)


def test_the_state_stays_where_it_is():
    """Input-output aliasing: a step whose argument may be used up writes into the very memory of it."""
    batch = throng.jax.make_vec("smax/3m")
    _, state = batch.reset(jax.random.key(0), N)
    step = jax.jit(batch.step, donate_argnums=0).lower(state, actions_of(batch.spec, 1)[0]).compile()
    (call,) = [line for line in step.as_text().splitlines() if 'custom_call_target="throng_batch"' in line]
    carried = [name for name in state if name not in ("active", "avail_actions", "world_state")]
    assert all(f"{{{i}}}: ({i}, {{}})" in call.split("output_to_operand_aliasing=")[1] for i in range(len(carried)))
    places = {name: state[name].unsafe_buffer_pointer() for name in carried}
    after = step(state, actions_of(batch.spec, 1)[0]).state
    assert {name: after[name].unsafe_buffer_pointer() for name in carried} == places


def test_ippo_in_the_manner_of_jaxmarl_learns():
    """The whole training, environments included, is one jitted function: scans of scans, vmap over environments."""
    sys.path.insert(0, str(ROOT / "examples"))
    try:
        from ippo_jax import make_train
    finally:
        sys.path.pop(0)
    measures = jax.jit(make_train("smax/3m", num_envs=32, num_steps=32, num_updates=40))(jax.random.key(0))
    won = np.asarray(measures["won"])
    assert won[:3].mean() < 0.1 and won[-10:].mean() > 0.2


def test_on_the_second_of_two_gpus(place):
    if place == "cpu" or len(jax.devices("gpu")) < 2:
        pytest.skip("needs two GPUs")
    batch = throng.jax.make_vec("smax/3m")
    moves = actions_of(batch.spec, 1)[0]
    results = []
    for gpu in jax.devices("gpu")[:2]:
        with jax.default_device(gpu):
            results.append(jax.jit(batch.step)(batch.reset(jax.random.key(0), N)[1], moves))
    assert results[1].obs.devices() == {jax.devices("gpu")[1]}
    assert all(np.array_equal(a, b) for a, b in zip(*map(jax.tree.leaves, results)))


def test_what_jaxmarl_has():
    env = throng.jax.make("smax/3m", time_limit=3)
    assert env.agents == ["ally_0", "ally_1", "ally_2"] and env.num_agents == 3 and env.name == "smax/3m"
    assert env.observation_space("ally_0").shape == (75,) and env.action_space("ally_1").n == 8
    obs, state = env.reset(jax.random.key(0))
    assert env.observation_space("ally_0").contains(obs["ally_0"])
    assert np.array_equal(obs["world_state"], env.get_world_state(state)) and env.state_size == len(obs["world_state"])
    assert all(np.array_equal(env.get_obs(state)[a], obs[a]) for a in obs)
    avail = env.get_avail_actions(state)
    assert avail["ally_0"].shape == (8,) and avail["ally_0"].dtype == jnp.uint8 and avail["ally_0"].any()
    move = {a: env.action_space(a).sample(jax.random.key(i)) for i, a in enumerate(env.agents)}
    flags, step = [], jax.jit(env.step)
    for _ in range(6):
        obs, state, rewards, dones, infos = step(jax.random.key(0), state, move)
        flags.append(bool(dones["__all__"]))
        assert set(rewards) == set(env.agents) and set(dones) == {*env.agents, "__all__"}
        assert all(leaf.shape == (3,) for leaf in jax.tree.leaves(infos))
    assert flags == [False, False, True] * 2


def test_the_dead_are_done():
    for inactive_is_done in (True, False):
        env = throng.jax.make("smax/3m", inactive_is_done=inactive_is_done)
        keys = jax.random.split(jax.random.key(0), 32)
        _, state = jax.jit(jax.vmap(env.reset))(keys)

        def body(state, _):
            _, state, _, dones, _ = jax.vmap(env.step)(keys, state, {a: jnp.full(32, 4) for a in env.agents})
            return state, jnp.stack([dones[a] for a in env.agents]) & ~dones["__all__"]

        _, alone = jax.jit(lambda state: jax.lax.scan(body, state, None, 30))(state)
        assert alone.any() == inactive_is_done


def test_ways_to_begin_again():
    env = throng.jax.make("smax/3m", time_limit=2)
    _, start = env.reset(jax.random.key(4))
    stay = {a: 4 for a in env.agents}
    _, state, *_ = env.step(jax.random.key(0), start, stay, reset_state=start)
    obs, state, _, dones, _ = env.step(jax.random.key(0), state, stay, reset_state=start)
    assert dones["__all__"] and all(np.array_equal(state[name], start[name]) for name in start)
    _, state, *_ = env.step_env(jax.random.key(0), start, stay)
    _, ended, _, dones, _ = env.step_env(jax.random.key(0), state, stay)
    _, still, rewards, again, _ = env.step_env(jax.random.key(0), ended, stay)
    assert dones["__all__"] and again["__all__"] and not any(rewards.values())
    assert np.array_equal(still["state.x"], ended["state.x"])
    _, other = env.reset(jax.random.key(5))
    assert np.array_equal(env.rekey(jax.random.key(5), start)["batch.key"], other["batch.key"])


def test_resets_by_mask():
    batch = throng.jax.make_vec("smax/3m", autoreset="disabled")
    _, state = batch.reset(jax.random.key(0), N)
    mask = np.arange(N) % 2 == 0
    _, after = jax.jit(batch.reset_where)(state, mask)
    assert np.array_equal(np.any(np.asarray(after["state.x"] != state["state.x"]), axis=0), mask)
    assert np.array_equal(after["batch.episode"][0], mask.astype(int))


def test_mistakes():
    batch = throng.jax.make_vec("smax/3m")
    with pytest.raises(ValueError, match="num_envs"):
        batch.reset(jax.random.key(0))
    with pytest.raises(ValueError, match="keys: got float32"):
        batch.reset(jnp.zeros((3, 2)))
    with pytest.raises(ValueError, match="3m"):
        throng.jax.make("smax/3n")
    with pytest.raises(ValueError, match="autoreset"):
        throng.jax.make_vec("smax/3m", autoreset="never")
    with pytest.raises(ValueError, match="weights"):
        throng.jax.make("smax/3m", weights=[1, 2])
    with pytest.raises(ValueError, match=r"actions: got shape \(2, 3\)"):
        batch.step(batch.reset(jax.random.key(0), N)[1], np.zeros((2, 3)))
