"""Types of the compiled module; the package throng is the public face of it."""
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array: TypeAlias = Any
"""numpy.ndarray on the CPU and with copy=True, else DeviceArray."""

class DeviceArray:
    """A view of memory that an environment owns, on its device.

    Give it to `torch.from_dlpack`, `jax.dlpack.from_dlpack`, `cupy.asarray`, or, on the CPU,
    `numpy.asarray`. It keeps the memory alive. The memory does not move, and each step overwrites
    its content.
    """

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def ndim(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def nbytes(self) -> int: ...
    @property
    def device(self) -> str:
        """ "cpu" or "cuda:0"."""
    def numpy(self) -> NDArray[Any]:
        """A copy in host memory; waits for the device."""
    def __len__(self) -> int: ...
    def __dlpack__(
        self,
        *,
        stream: int | None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """A DLPack capsule. BufferError for another device or copy=True."""
    def __dlpack_device__(self) -> tuple[int, int]: ...
    @property
    def __array_interface__(self) -> dict[str, Any]:
        """AttributeError on a GPU."""
    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """AttributeError on the CPU."""
    def __array__(self, *args: Any, **kwargs: Any) -> NDArray[Any]:
        """TypeError on a GPU: use numpy() for a copy."""

class EnvSpec:
    """What an environment is: names and sizes."""

    @property
    def id(self) -> str:
        """ "smax/3m"."""
    @property
    def version(self) -> str:
        """Of the rules; it changes when the same actions would lead elsewhere."""
    @property
    def num_agents(self) -> int: ...
    @property
    def num_actions(self) -> int:
        """Choices of an agent, all heads together; 0 if actions are numbers."""
    @property
    def heads(self) -> tuple[int, ...]:
        """Choices of each head, where an action is several choices; (): actions are 0 .. num_actions - 1."""
    @property
    def continuous(self) -> int:
        """Not 0: an action is this many float32 in [-1, 1]."""
    @property
    def obs_dtype(self) -> str:
        """ "F32", or "U8" for codes 0 .. obs_high."""
    @property
    def num_objectives(self) -> int:
        """Length of an agent's reward vector."""
    @property
    def time_limit(self) -> int:
        """Steps after which an episode is truncated; 0: never."""
    @property
    def obs_dim(self) -> int: ...
    @property
    def obs_grid(self) -> tuple[int, int, int] | None:
        """(planes, height, width), whose product is obs_dim, where an observation is a grid: a CNN can see it as one."""
    @property
    def obs_low(self) -> float:
        """No feature is lower."""
    @property
    def obs_high(self) -> float:
        """No feature is higher."""
    @property
    def world_state_dim(self) -> int:
        """0: the environment has none."""
    @property
    def agents(self) -> tuple[str, ...]: ...
    @property
    def objectives(self) -> tuple[str, ...]: ...
    @property
    def policies(self) -> tuple[str, ...]:
        """Players that need no learning: "random", and those that come with the game."""
    @property
    def renders(self) -> bool:
        """The game draws pictures."""
    @property
    def renders_views(self) -> bool:
        """And pictures of what an agent sees."""
    @property
    def info(self) -> tuple[str, ...]:
        """Measures of an episode beside return and length: ("won", ...)."""

class VecEnv:
    """A batch of environments; made by throng.make().

    Arrays begin with [env, agent]. Unless made with copy=True they are views: always the same
    memory, which the next call of reset(), step() or set_state() overwrites. Copy what must stay.
    One thread at a time may use an environment; the GIL is free while it works.

    After close() everything but `closed` and close() raises ValueError; arrays stay readable.
    """

    def reset(
        self, *, seed: int | None = None, mask: ArrayLike | Any | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """Begins episodes and returns (obs, info), see step().

        seed   0 .. 2**64 - 1: every environment starts over. Environment e then depends on the seed
               and e only, not on num_envs or the device. None: the first time a seed from the
               system, afterwards the next episode of every environment
        mask   bool or uint8 (num_envs,): only these environments begin their next episode

        ValueError for seed and mask together, a seed out of range, an unfit mask, or a mask before
        the first reset.
        """
    def step(
        self, actions: ArrayLike | Any
    ) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """One transition of every environment: (obs, rewards, terminations, truncations, info).

        actions        integers (num_envs, num_agents), 0 .. num_actions - 1; where an action is several
                       choices (num_envs, num_agents, len(spec.heads)); where it is numbers floats in [-1, 1]
                       (num_envs, num_agents, spec.continuous). CPU: anything that NumPy or DLPack knows;
                       int32 and float32 are read in place, the like is converted. GPU: int32 or float32,
                       compact, on the same GPU, through DLPack or __cuda_array_interface__; host arrays are
                       uploaded. A number that is no legal action means what the game says it means
        obs            float32, or uint8 codes (spec.obs_dtype), (num_envs, num_agents, obs_dim): what the
                       next action meets
        rewards        float32 (num_envs, num_agents); with several objectives
                       (num_envs, num_agents, num_objectives)
        terminations   bool (num_envs, num_agents): the episode ended by the rules of the game
        truncations    bool (num_envs, num_agents): the episode was cut at the time limit

        info:
        avail_actions      bool (num_envs, num_agents, num_actions), the legal actions now
        active             bool (num_envs, num_agents), who takes part (is alive) now
        world_state        float32 (num_envs, world_state_dim), or None
        final_obs          as obs: in what an episode ended; rows of environments whose episode did
                           not end in this step are older
        final_world_state  float32, as world_state, or None; rows as in final_obs
        episode            of each environment's latest ended episode:
            returns        float32, as rewards: sums over the episode
            length         int32 (num_envs,), steps
            <measure>      float32 (num_envs,), one for each of spec.info, such as "won"
            ended          bool (num_envs,), the episode is over in this step: its row is new (with
                           autoreset="disabled" it stays True until the environment is reset)

        ValueError names the shape, dtype and device that came and those expected.
        """
    def step_random(
        self, steps: int
    ) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """The same as so many times step(sample_actions()), bit for bit, in one launch. What is returned
        is what the last of these steps left: rewards and flags are of that step alone. For looking at
        games and for measuring; nothing can learn from it. ValueError for less than one step.
        """
    def sample_actions(self, policy: str = "random") -> Array:
        """What one of spec.policies chooses, as step() takes it: uniformly random legal actions, or a
        player that comes with the game ("heuristic").

        Which actions are legal is read from info["avail_actions"]. Draws depend on the seed of
        reset() and on how often this was called since. ValueError for an unknown policy.
        """
    def vary(self, parameters: Mapping[str, ArrayLike]) -> None:
        """Gives every environment parameters of its own, {"map_width": [16.0, 32.0, ...]}: one value for
        each environment, laid over those that make() was given. All begin their next episode.

        Sizes must stay: the numbers of agents, actions and features. ValueError, and no change,
        for an unknown parameter, an unfit value, a list of another length, or if the game does not
        allow it.
        """
    def render(self, env: int = 0, size: int = 512, agent: int | None = None) -> NDArray[np.uint8]:
        """A picture of one environment as it is, or as an agent sees it, (height, width, 3), its longer
        side `size` pixels. It is drawn without a window. ValueError if the game draws none
        (spec.renders, spec.renders_views)."""
    def render_step(
        self, actions: ArrayLike | Any, env: int = 0, size: int = 512
    ) -> NDArray[np.uint8]:
        """Pictures of what step(actions) would do to one environment, (moment, height, width, 3): one
        for each of the moments that the game tells apart, the last one its end. Changes nothing."""
    def statistics(self) -> dict[str, Any]:
        """Means over the episodes that ended since the last call; waits for the device.

        {"episodes": how many, "returns": mean over agents and episodes (a list with several
        objectives), "length": steps, <measure>: one for each of spec.info}; NaN if none ended.
        """
    def get_state(self) -> dict[str, NDArray[Any]]:
        """The whole batch as copied NumPy arrays [index, env]: the games, their random streams,
        counters and statistics. Can be pickled, or saved with numpy.savez."""
    def set_state(self, state: Mapping[str, ArrayLike]) -> None:
        """Goes back to what get_state() returned, here or in another batch of the same kind.

        ValueError, and no change, if an array is missing, unknown, or of another shape or dtype.
        """
    def state_hash(self) -> int:
        """Equal for equal states of the games, bit by bit, on any device."""
    def state_hashes(self) -> NDArray[np.uint64]:
        """The same for each environment, (num_envs,)."""
    def use_stream(self, stream: int) -> None:
        """From now on a GPU works for this environment on that CUDA stream (0, 1: the legacy default
        stream). ValueError on the CPU."""
    def close(self) -> None:
        """Gives the memory back as soon as no array looks into it any more."""
    def __enter__(self) -> VecEnv: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
    @property
    def spec(self) -> EnvSpec: ...
    @property
    def num_envs(self) -> int: ...
    @property
    def num_agents(self) -> int: ...
    @property
    def possible_agents(self) -> list[str]: ...
    @property
    def device(self) -> str:
        """ "cpu" or "cuda:0"."""
    @property
    def device_name(self) -> str:
        """With the name of the GPU, or the number of threads."""
    @property
    def autoreset(self) -> str:
        """ "same_step", "next_step" or "disabled"."""
    @property
    def first_env(self) -> int: ...
    @property
    def lanes(self) -> int: ...
    @property
    def copy(self) -> bool: ...
    @property
    def seed(self) -> int | None:
        """Of the last reset(seed=...), or the one that reset() took from the system."""
    @property
    def nbytes(self) -> int:
        """Device memory of the batch."""
    @property
    def closed(self) -> bool: ...
    @property
    def buffers(self) -> dict[str, DeviceArray]:
        """Every array of reset() and step() as a DeviceArray, whatever the device; make tensors of
        them once. "actions" is for callers without a buffer of their own; parts of info["episode"]
        are called "episode.length" and so on."""

class Policy:
    """What a run has learned, as a function; made by throng.load_policy()."""

    def __call__(
        self,
        obs: ArrayLike | Any,
        avail_actions: ArrayLike | Any | None = None,
        state: ArrayLike | Any | None = None,
        *,
        active: ArrayLike | Any | None = None,
        ended: ArrayLike | Any | None = None,
    ) -> tuple[Array, Array | None]:
        """Chooses for every agent: (actions, state).

        obs            float32 (or uint8 codes) (num_envs, num_agents, obs_dim), as step() shows it; any
                       other leading axes will do, if they are the same in all arrays
        avail_actions  bool (num_envs, num_agents, num_actions), the legal actions; None: all
        state          float32 (num_envs, num_agents, state_dim), what the policy remembers: of the call
                       before, None at first; a policy without memory takes and returns None
        active         bool (num_envs, num_agents): where it is False memory begins anew; None: nowhere
        ended          bool (num_envs, num_agents): where an episode ended in the step before (terminations
                       | truncations) memory begins anew; None: nowhere
        actions        int32 (num_envs, num_agents), or (num_envs, num_agents, heads)

        On the CPU arrays are NumPy's, and what comes is converted; on a GPU arrays of that GPU are read
        in place and must be compact and of these dtypes, host arrays are uploaded, and DeviceArrays
        come back. ValueError names what came and what is expected.
        """
    def reset(self, seed: int = 0) -> None:
        """Draws from now on as after load_policy(seed=seed)."""
    @property
    def spec(self) -> EnvSpec:
        """Of the environment that it was trained in."""
    @property
    def state_dim(self) -> int:
        """Numbers that it remembers of each agent; 0: none."""
    @property
    def greedy(self) -> bool: ...
    @property
    def device(self) -> str: ...
    @property
    def checkpoint(self) -> str:
        """The path of the file."""
    @property
    def timesteps(self) -> int:
        """Environment steps that it has learned from."""
    @property
    def config(self) -> dict[str, Any]:
        """The run's config.json."""

def make(
    id: str,
    num_envs: int = 1,
    device: str = "cpu",
    *,
    autoreset: str = "same_step",
    time_limit: int | None = None,
    first_env: int = 0,
    lanes: int = 0,
    copy: bool = False,
    stream: int | None = None,
    config: dict[str, Any] | str | None = None,
) -> VecEnv:
    """See throng.make()."""

def describe(id: str, config: dict[str, Any] | str | None = None) -> dict[str, Any]:
    """See throng.describe()."""

def env_ids() -> list[str]:
    """See throng.list_envs()."""

def line_chart(title: str, x_label: str, y_label: str, lines: Any) -> str: ...
def registered_envs() -> list[str]:
    """The environments without their scenarios: ["smax", ...]."""

def train(
    env: str,
    algo: str,
    device: str,
    folder: str,
    settings: dict[str, Any],
    env_config: dict[str, Any] | str | None,
    callback: Callable[[dict[str, Any]], bool | None] | None,
) -> tuple[str, bool]:
    """See throng.train(); returns the folder and whether the run is finished."""

def resume(
    folder: str, device: str, callback: Callable[[dict[str, Any]], bool | None] | None
) -> tuple[str, bool]:
    """See throng.resume(); returns the folder and whether the run is finished."""

def load_policy(
    folder: str, checkpoint: str, device: str, greedy: bool, seed: int, stream: int | None
) -> Policy:
    """See throng.load_policy()."""

def train_settings() -> list[dict[str, Any]]:
    """Every setting of train(): {"name", "type", "default", "doc", "valid"}."""

def train_preset(env: str, algo: str) -> dict[str, Any]:
    """The settings that an environment recommends for an algorithm. ValueError for an unknown id."""

def functional(plan: str) -> dict[str, Any]:
    """What throng.functional.VecEnv needs to know: "spec", and the names, dtypes and shapes (-1 is num_envs) of
    the arrays that are "carried", "shown" and "outcomes"."""

def xla_handlers() -> dict[str, Any]:
    """XLA's custom call for each of its platforms, as jax.ffi.register_ffi_target takes it: a capsule, or one for each stage."""

def cli_main(argv: list[str]) -> int:
    """Runs the command line; argv[0] is the program's name. Returns the exit code."""

def version() -> str: ...
def cuda_device_count() -> int:
    """0 without a GPU, a driver or the CUDA library; cuda_status() tells which."""

def cuda_status() -> str:
    """One line."""

def limit_cpu_threads(threads: int) -> None:
    """Of the whole process; 0: as many as there are processors."""
