"""throng: thousands of copies of a multi-agent environment at once, on the CPU or a GPU.

>>> import throng
>>> env = throng.make("smax/3m", num_envs=1024)
>>> obs, info = env.reset(seed=0)
>>> obs, rewards, terminations, truncations, info = env.step(env.sample_actions())
"""
from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def _load() -> None:
    """Imports the compiled module: inside the package when installed, beside it in a build folder."""
    if importlib.util.find_spec("throng._throng"):
        return
    module = importlib.import_module("_throng")
    sys.modules["throng._throng"] = module
    # A build folder keeps the CUDA library at its top, where the module does not look by itself.
    cuda = Path(str(module.__file__)).resolve().parents[2] / "libthrong_cuda.so"
    if cuda.exists():
        os.environ.setdefault("THRONG_CUDA_LIB", str(cuda))


_load()

import throng._throng as _throng  # noqa: E402
from throng._throng import (  # noqa: E402
    DeviceArray,
    EnvSpec,
    Policy,
    VecEnv,
    cli_main,
    cuda_device_count,
    cuda_status,
    limit_cpu_threads,
    registered_envs,
    train_preset,
    train_settings,
)

__version__: str = _throng.version()

__all__ = [
    "DeviceArray",
    "EnvSpec",
    "Policy",
    "TrainResult",
    "VecEnv",
    "cli_main",
    "cuda_device_count",
    "cuda_status",
    "describe",
    "limit_cpu_threads",
    "line_chart",
    "list_envs",
    "load_policy",
    "make",
    "one_hot",
    "registered_envs",
    "resume",
    "train",
    "train_preset",
    "train_settings",
]


def _parameters(config: Mapping[str, Any] | str | os.PathLike[str] | None) -> dict[str, Any] | str | None:
    if config is None:
        return None
    return os.fspath(config) if isinstance(config, (str, os.PathLike)) else dict(config)


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
    config: Mapping[str, Any] | str | os.PathLike[str] | None = None,
) -> VecEnv:
    """A batch of `num_envs` environments.

    id          "smax/3m" names environment and scenario, "smax" the environment with its defaults;
                list_envs() has them all
    device      "cpu", "cuda", "cuda:1", or "auto": the first GPU if there is one. It decides what
                the arrays are: NumPy's on the CPU, DeviceArray on a GPU
    autoreset   what happens when an episode ends. "same_step": the next one begins in the same
                step. "next_step": the next step ignores the action and resets. "disabled":
                the environment stands still until reset(mask=...)
    time_limit  steps after which an episode is truncated; None: the environment's own, 0: never
    first_env   global number of environment 0. An environment's randomness depends on the seed and
                its global number only, so parts of a batch behave as the whole does
    lanes       GPU threads per environment: 1, 2, 4, 8, 16, 32, or 0 to have it chosen
    copy        False: arrays are views of the environment's own memory, and the next step
                overwrites them. True: every call returns fresh NumPy arrays, from a GPU, too
    stream      a CUDA stream as an integer; None: the legacy default stream, on which PyTorch
                and CuPy work unless told otherwise
    config      parameters of the environment, see describe(); or the path of a JSON file with them

    ValueError names an unknown id, device or parameter, or a number out of range, and what is
    valid; RuntimeError if there is not enough memory.
    """
    return _throng.make(
        id,
        num_envs,
        device,
        autoreset=autoreset,
        time_limit=time_limit,
        first_env=first_env,
        lanes=lanes,
        copy=copy,
        stream=stream,
        config=_parameters(config),
    )


def one_hot(spec: EnvSpec, obs: Any) -> Any:
    """Observations of codes as planes of 0 and 1, for networks that want them: a NumPy copy, float32.

    [..., obs_dim] becomes [..., height, width, planes * codes] where the observation is a grid
    (spec.obs_grid), else [..., obs_dim, codes]; codes go from 0 to spec.obs_high.
    """
    import numpy as np

    if spec.obs_dtype != "U8":
        raise ValueError(f"one_hot: the observations of {spec.id} are numbers, not codes")
    cells = np.asarray(obs if isinstance(obs, np.ndarray) else obs.numpy())
    hot = np.eye(int(spec.obs_high) + 1, dtype=np.float32)[cells]
    if spec.obs_grid is None:
        return hot
    planes, height, width = spec.obs_grid
    hot = hot.reshape(*cells.shape[:-1], planes, height, width, hot.shape[-1])
    return np.moveaxis(hot, -4, -2).reshape(*cells.shape[:-1], height, width, planes * hot.shape[-1])


def line_chart(
    title: str, x_label: str, y_label: str, lines: Sequence[tuple[Any, ...]]
) -> str:
    """Lines over two axes, as the text of an SVG file.

    lines  of each: its name, x, y, and, if it has a band, the lower and the upper end of that
    """
    return _throng.line_chart(title, x_label, y_label, [(*line, [], [])[:5] for line in lines])


def list_envs() -> list[str]:
    """Every id that make() takes with its scenario: ["smax/3m", "smax/8m", ...]."""
    return _throng.env_ids()


def describe(
    id: str, config: Mapping[str, Any] | str | os.PathLike[str] | None = None
) -> dict[str, Any]:
    """What an environment is: {"id", "summary", "spec", "scenarios", "parameters"}.

    "parameters" is a list of {"name", "type", "default", "doc", "valid"}; the defaults are those of
    the scenario and of `config`. ValueError for an unknown id or parameter.
    """
    return _throng.describe(id, _parameters(config))


@dataclass(frozen=True)
class TrainResult:
    """What train() leaves behind."""

    folder: Path
    """config.json, metrics.jsonl, TensorBoard events, checkpoints/, eval.json."""
    finished: bool
    """False if the callback stopped the run; resume(folder) goes on with it."""
    evaluation: dict[str, Any] | None
    """The final evaluation: {"update", "timesteps", "sampled": {...}, "greedy": {...}}."""

    @property
    def metrics_path(self) -> Path:
        """One JSON object a line, one line an update."""
        return self.folder / "metrics.jsonl"

    def metrics(self) -> list[dict[str, Any]]:
        """The lines of metrics.jsonl."""
        return [json.loads(line) for line in self.metrics_path.read_text().splitlines()]

    @property
    def config(self) -> dict[str, Any]:
        """Everything that is needed to repeat the run: config.json."""
        config: dict[str, Any] = json.loads((self.folder / "config.json").read_text())
        return config


def _result(folder: str, finished: bool) -> TrainResult:
    report = Path(folder) / "eval.json"
    return TrainResult(Path(folder), finished, json.loads(report.read_text()) if finished else None)


def train(
    env: str,
    algo: str = "ippo",
    *,
    device: str = "auto",
    seed: int = 0,
    out: str | os.PathLike[str] | None = None,
    total_timesteps: int | None = None,
    env_config: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    callback: Callable[[dict[str, Any]], bool | None] | None = None,
    **settings: Any,
) -> TrainResult:
    """Trains a policy: the very run that `throng train` makes.

    env              an id as for make()
    out              the run's folder; None: runs/<env>__<algo>__<seed>__<time>
    total_timesteps  steps of all environments together; None: as the environment recommends
    env_config       parameters of the environment, see describe(); or the path of a JSON file
    callback         called after each update with its line of metrics.jsonl and "num_updates",
                     "total_timesteps", "seconds_left"; a true return value stops the run
    settings         any other setting, `learning_rate=1e-3`; train_settings() has them all, and
                     train_preset(env, algo) what holds where nothing is said

    Ctrl-C, or an exception in the callback, is raised after the update has ended and the run has
    been saved: resume() goes on with it. ValueError names an unknown or unfit setting.
    """
    chosen = {**settings, "seed": seed}
    if total_timesteps is not None:
        chosen["total_timesteps"] = total_timesteps
    folder = "" if out is None else os.fspath(out)
    return _result(*_throng.train(env, algo, device, folder, chosen, _parameters(env_config), callback))


def resume(
    folder: str | os.PathLike[str],
    *,
    device: str | None = None,
    callback: Callable[[dict[str, Any]], bool | None] | None = None,
) -> TrainResult:
    """Goes on with a run from its latest checkpoint, bit for bit if the device is the same.

    device   None: as before
    ValueError if the folder holds no run, or its files are damaged.
    """
    return _result(*_throng.resume(os.fspath(folder), device or "", callback))


def load_policy(
    folder: str | os.PathLike[str],
    *,
    checkpoint: str | os.PathLike[str] = "latest",
    device: str = "cpu",
    greedy: bool = False,
    seed: int = 0,
    stream: int | None = None,
) -> Policy:
    """The policy of a run: `actions, state = policy(obs, avail_actions, state)`.

    folder      of the run
    checkpoint  "latest", "best", or a file, by its path or its name in the run's folder
    device      "cpu", "cuda", "cuda:1" or "auto"; it need not be the one that the run was trained on
    greedy      the most probable actions instead of drawn ones
    seed        of the draws: call number t draws what step t of an evaluation of this seed draws
    stream      a CUDA stream as an integer; None: the legacy default stream

    ValueError if the folder holds no run or no such checkpoint.
    """
    return _throng.load_policy(os.fspath(folder), os.fspath(checkpoint), device, greedy, seed, stream)
