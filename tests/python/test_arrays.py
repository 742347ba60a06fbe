"""Arrays at the border: nothing is copied that need not be, and everything odd is refused."""
import gc

import numpy as np
import pytest
from conftest import host, throng

N, A = 8, 3


@pytest.fixture
def env():
    env = throng.make("smax/3m", num_envs=N)
    env.reset(seed=0)
    return env


class Foreign:
    """An array that is known by one protocol only."""

    def __init__(self, array, *names):
        self.array, self.names = array, names

    def __getattr__(self, name):
        if name in self.names:
            return getattr(self.array, name)
        raise AttributeError(name)


def arrays_of(results):
    *arrays, info = results
    named = [x for name, x in info.items() if name != "episode" and x is not None]
    return arrays + named + list(info["episode"].values())


def test_results_are_views_that_stay_where_they_are(env):
    first = arrays_of(env.step(env.sample_actions()))
    pointers = [x.__array_interface__["data"][0] for x in first]
    before = first[0].copy()
    again = arrays_of(env.step(env.sample_actions()))
    assert [x.__array_interface__["data"][0] for x in again] == pointers
    assert all(np.shares_memory(a, b) for a, b in zip(first, again))
    assert not np.array_equal(before, first[0])  # the same array, the next step's content
    obs, info = env.reset(seed=0)
    assert np.shares_memory(obs, first[0])
    assert all(x.flags.writeable and x.flags.aligned for x in again)
    assert obs.flags.c_contiguous and obs.__array_interface__["data"][0] % 256 == 0


def test_info_is_the_callers_own(env):
    _, info = env.reset(seed=0)
    info["mine"] = info["episode"]["mine"] = 1
    del info["obs" if "obs" in info else "active"]
    _, info = env.reset(seed=0)
    assert "mine" not in info and "active" in info and "mine" not in info["episode"]


def test_copies(device):
    env = throng.make("smax/3m", num_envs=N, device=device, copy=True)
    env.reset(seed=0)
    first = arrays_of(env.step(env.sample_actions()))
    kept = [x.copy() for x in first]
    again = arrays_of(env.step(env.sample_actions()))
    assert all(isinstance(x, np.ndarray) for x in first)
    assert not any(np.shares_memory(a, b) for a, b in zip(first, again))
    assert all(np.array_equal(a, b) for a, b in zip(first, kept))
    *_, terminations, truncations, info = env.step(env.sample_actions())
    assert np.array_equal(info["episode"]["ended"], (terminations | truncations)[:, 0])


def test_arrays_outlive_the_environment(env):
    obs, info = env.reset(seed=0)
    buffer, kept = env.buffers["obs"], obs.copy()
    del env
    gc.collect()
    assert np.array_equal(obs, kept) and np.array_equal(np.asarray(buffer), kept)


def test_actions_of_every_integer_dtype(env):
    state = env.get_state()
    actions = np.array(env.sample_actions())
    env.step(actions)
    expected = env.state_hash()
    forms = [actions.astype(t) for t in "i1 u1 i2 u2 i4 u4 i8 u8".split()]
    forms += [actions.tolist(), np.asfortranarray(actions), actions.astype(">i4").astype("i4")]
    forms += [np.repeat(actions, 2, axis=1)[:, ::2], np.flip(np.flip(actions, 0).copy(), 0)]
    forms += [Foreign(actions, "__dlpack__", "__dlpack_device__")]
    forms += [Foreign(actions, "__array_interface__"), Foreign(actions.astype("i8"), "__array__")]
    for form in forms:
        env.set_state(state)
        env.step(form)
        assert env.state_hash() == expected
    assert np.array_equal(actions, np.array(forms[0]))  # the caller's array is only read


def test_actions_out_of_range_are_the_games_business(env):
    state = env.get_state()
    env.step(np.full((N, A), -1))
    expected = env.state_hash()
    for number in (2**40, -(2**40), 2**32, 1000):  # 2**32 is not mistaken for 0
        env.set_state(state)
        env.step(np.full((N, A), number))
        assert env.state_hash() == expected


@pytest.mark.parametrize(
    "actions, got",
    [
        (np.zeros((N, A)), r"float64 of shape \(8, 3\) on cpu"),
        (np.zeros((N, A), bool), r"bool of shape"),
        (np.zeros((N * A), int), r"int64 of shape \(24,\)"),
        (np.zeros((A, N), int), r"int64 of shape \(3, 8\)"),
        (np.zeros((N, A, 1), int), r"int64 of shape \(8, 3, 1\)"),
        (3, r"int64 of shape \(\)"),
    ],
)
def test_unfit_actions(env, actions, got):
    before = env.state_hash()
    with pytest.raises(ValueError, match=rf"actions: got {got}.*, expected .*\(8, 3\)"):
        env.step(actions)
    assert env.state_hash() == before


@pytest.mark.parametrize(
    "id, actions, got",
    [
        ("drones/surround", np.zeros((2, 4, 3), int), r"int64 of shape \(2, 4, 3\).*floats"),
        ("drones/surround", np.zeros((2, 4, 3), np.float16), r"float16 of shape.*floats"),
        ("drones/surround", np.zeros((2, 4)), r"float64 of shape \(2, 4\).*floats of shape \(2, 4, 3\)"),
        ("fighting/motion", np.zeros((2, 2), int), r"int64 of shape \(2, 2\).*integers of shape \(2, 2, 2\)"),
        ("fighting/motion", np.zeros((2, 2, 2), np.float32), r"float32 of shape.*integers"),
    ],
)
def test_unfit_actions_of_other_forms(id, actions, got):
    env = throng.make(id, 2)
    env.reset(seed=0)
    before = env.state_hash()
    with pytest.raises(ValueError, match=f"actions: got {got}"):
        env.step(actions)
    assert env.state_hash() == before


@pytest.mark.parametrize("id", ["drones/surround", "fighting/motion"])
def test_forms_of_deep_actions(id):
    """float32 and int32 are read in place; other widths and layouts are converted."""
    env = throng.make(id, 4)
    env.reset(seed=0)
    state, actions = env.get_state(), np.array(env.sample_actions())
    env.step(actions)
    expected = env.state_hash()
    wide = actions.astype(np.float64 if env.spec.continuous else np.int64)
    for form in (wide, wide.tolist(), np.asfortranarray(actions), np.repeat(wide, 2, axis=2)[:, :, ::2], wide[::-1].copy()[::-1]):
        env.set_state(state)
        env.step(form)
        assert env.state_hash() == expected


def test_what_is_no_array(env):
    for actions in (None, object(), "stay", {}, [[0, 1, 2]] * 7 + [[0]], np.zeros((N, A), "c8")):
        with pytest.raises(ValueError, match="actions"):
            env.step(actions)
    with pytest.raises(ValueError, match="byte order"):
        env.step(np.zeros((N, A), ">i4"))


def test_masks(env):
    for mask in (np.arange(N) % 2, np.arange(2 * N) % 4):
        state = env.get_state()
        for form in (bool, "u1", "i1"):
            given = mask.astype(form) if len(mask) == N else mask.astype(form)[::2]
            env.set_state(state)
            env.reset(mask=given)
            changed = env.state_hashes() != hashes_of(state)
            assert np.array_equal(changed, given.astype(bool))


def hashes_of(state):
    twin = throng.make("smax/3m", num_envs=N)
    twin.set_state(state)
    return twin.state_hashes()


def test_device_arrays(env):
    obs, info = env.reset(seed=0)
    buffers = env.buffers
    for name, shown in [("obs", obs), *((n, x) for n, x in info.items() if n != "episode")]:
        array = buffers[name]
        assert (array.shape, array.dtype, array.device) == (shown.shape, shown.dtype, "cpu")
        assert (array.ndim, array.size, array.nbytes) == (shown.ndim, shown.size, shown.nbytes)
        assert np.shares_memory(np.asarray(array), shown) and len(array) == len(shown)
        assert not np.shares_memory(array.numpy(), shown)
    strided = np.asarray(buffers["episode.won"])
    assert np.shares_memory(strided, info["episode"]["won"])
    assert repr(buffers["obs"]) == "DeviceArray(shape=(8, 3, 75), dtype=float32, device='cpu')"
    assert not hasattr(buffers["obs"], "__cuda_array_interface__")
    np.asarray(buffers["actions"])[:] = 4
    assert (np.asarray(env.buffers["actions"]) == 4).all()


def test_dlpack_export(env):
    obs, _ = env.reset(seed=0)
    array = env.buffers["obs"]
    assert array.__dlpack_device__() == (1, 0)
    assert np.shares_memory(np.from_dlpack(array), obs)
    assert "dltensor_versioned" in repr(array.__dlpack__(max_version=(1, 0)))
    assert "dltensor_versioned" not in repr(array.__dlpack__(max_version=(0, 8)))
    for arguments in (dict(copy=True), dict(dl_device=(2, 0))):
        with pytest.raises(BufferError):
            array.__dlpack__(**arguments)
    assert "dltensor" in repr(array.__dlpack__(dl_device=(1, 0), copy=False))
    with pytest.raises(ValueError, match="stream"):
        array.__dlpack__(stream=1)
    view = np.from_dlpack(array)
    del env, array, obs
    gc.collect()
    assert np.isfinite(view).all()


def test_torch_on_the_cpu(env):
    torch = pytest.importorskip("torch")
    obs, _ = env.reset(seed=0)
    tensors = {name: torch.from_dlpack(x) for name, x in env.buffers.items() if x.dtype != bool}
    assert tensors["obs"].data_ptr() == obs.__array_interface__["data"][0]
    state, actions = env.get_state(), torch.from_numpy(np.array(env.sample_actions())).long()
    env.step(actions)
    expected = env.state_hash()
    env.set_state(state)
    env.step(actions.int())
    assert env.state_hash() == expected
    assert torch.equal(tensors["obs"], torch.from_numpy(obs))


def test_jax_on_the_cpu(env):
    jax = pytest.importorskip("jax")
    with jax.default_device(jax.devices("cpu")[0]):
        actions = jax.numpy.zeros((N, A), "int32")
    state = env.get_state()
    env.step(actions)
    expected = env.state_hash()
    env.set_state(state)
    env.step(np.zeros((N, A), int))
    assert env.state_hash() == expected
    array = jax.dlpack.from_dlpack(env.buffers["obs"], copy=True)
    assert np.array_equal(np.asarray(array), np.asarray(env.buffers["obs"]))


def cuda_env(**options):
    if throng.cuda_device_count() == 0:
        pytest.skip(throng.cuda_status())
    env = throng.make("smax/3m", num_envs=N, device="cuda", **options)
    env.reset(seed=0)
    return env


def test_gpu_arrays_do_not_pretend_to_be_numpys():
    env = cuda_env()
    obs, info = env.reset(seed=0)
    assert isinstance(obs, throng.DeviceArray) and obs.device == "cuda:0"
    with pytest.raises(TypeError, match="numpy()"):
        np.asarray(obs)
    assert not hasattr(obs, "__array_interface__")
    assert obs.__cuda_array_interface__["stream"] == 1
    with pytest.raises(ValueError, match="stream=0"):
        obs.__dlpack__(stream=0)
    assert obs.numpy().shape == obs.shape


def test_torch_on_a_gpu():
    torch = pytest.importorskip("torch")
    env, twin = cuda_env(), throng.make("smax/3m", num_envs=N)
    obs, info = env.reset(seed=0)
    twin.reset(seed=0)
    seen, avail = torch.from_dlpack(obs), torch.from_dlpack(info["avail_actions"])
    assert seen.data_ptr() == obs.__cuda_array_interface__["data"][0] and avail.dtype == torch.bool
    for _ in range(100):
        actions = torch.multinomial(avail.flatten(0, 1).float(), 1).view(N, A).int()
        env.step(actions)
        expected = twin.step(actions.cpu())[0]
        assert np.array_equal(seen.cpu().numpy(), expected)
    assert env.state_hash() == twin.state_hash()
    with pytest.raises(ValueError, match=r"int64 of shape \(8, 3\) on cuda:0.*compact int32.*int\(\)"):
        env.step(actions.long())
    with pytest.raises(ValueError, match="expected integers"):
        env.step(actions.float())
    with pytest.raises(ValueError, match="on cuda:0, expected .* on cpu"):
        twin.step(actions)
    env.reset(mask=torch.ones(N, dtype=torch.bool, device="cuda"))
    twin.reset(mask=np.ones(N, bool))
    assert env.state_hash() == twin.state_hash()


def test_streams_of_torch():
    torch = pytest.importorskip("torch")
    env, twin = cuda_env(), throng.make("smax/3m", num_envs=N)
    twin.reset(seed=0)
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        for _ in range(50):  # the stream of the environment is another one: DLPack keeps the order
            actions = torch.randint(0, 5, (N, A), dtype=torch.int32, device="cuda")
            obs = torch.from_dlpack(env.step(actions)[0])
            assert np.array_equal(obs.cpu().numpy(), twin.step(actions.cpu())[0])
    env.use_stream(side.cuda_stream)
    twin_obs, _ = twin.reset()
    assert np.array_equal(env.reset()[0].numpy(), twin_obs)
    assert env.buffers["obs"].__cuda_array_interface__["stream"] == side.cuda_stream


def test_cuda_array_interface():
    cupy = pytest.importorskip("cupy")
    env, twin = cuda_env(), throng.make("smax/3m", num_envs=N)
    twin.reset(seed=0)
    actions = cupy.arange(N * A, dtype=cupy.int32).reshape(N, A) % 5
    env.step(Foreign(actions, "__cuda_array_interface__"))
    twin.step(actions.get())
    obs = cupy.asarray(env.buffers["obs"])
    assert np.array_equal(obs.get(), host(twin.buffers["obs"]))
    with pytest.raises(ValueError, match="compact int32"):
        env.step(cupy.zeros((A, N), cupy.int32).T)
