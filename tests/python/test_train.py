"""Training from Python: the trainer of the command line, stopped, resumed and interrupted."""
import hashlib
import json
import os
import signal
import threading

import pytest
from conftest import SMALL_RUN, throng

ENV = "smax/3m"
UPDATE = SMALL_RUN["num_envs"] * SMALL_RUN["num_steps"]


def train(folder, updates=3, **settings):
    options = dict(device="cpu", seed=1, total_timesteps=updates * UPDATE, **SMALL_RUN)
    return throng.train(ENV, out=folder, **{**options, **settings})


def policy(folder):
    """A digest of the last checkpoint's tensors."""
    latest = max((folder / "checkpoints").glob("step_*.safetensors"), key=lambda p: (len(p.name), p.name))
    data = latest.read_bytes()
    return hashlib.sha256(data[8 + int.from_bytes(data[:8], "little") :]).hexdigest()


def test_a_short_run(tmp_path):
    lines = []
    result = train(tmp_path / "run", callback=lambda line: lines.append(line))
    assert result.finished and result.folder == tmp_path / "run"
    assert [line["update"] for line in lines] == [1, 2, 3]
    assert lines[-1]["timesteps"] == lines[-1]["total_timesteps"] == 3 * UPDATE
    assert lines[0]["num_updates"] == 3 and "losses/policy_loss" in lines[0] and "charts/SPS" in lines[0]
    assert [line["update"] for line in result.metrics()] == [1, 2, 3]
    assert result.metrics_path == tmp_path / "run" / "metrics.jsonl"
    assert result.evaluation["greedy"]["episodes"] == SMALL_RUN["eval_episodes"]
    assert result.config["train"]["num_envs"] == SMALL_RUN["num_envs"]
    assert json.loads((tmp_path / "run" / "config.json").read_text())["env"] == ENV


def test_the_same_run_twice(tmp_path):
    assert policy(train(tmp_path / "a").folder) == policy(train(tmp_path / "b").folder)
    assert policy(train(tmp_path / "c", seed=2).folder) != policy(tmp_path / "a")


def test_the_callback_stops_and_resume_goes_on(tmp_path):
    whole = train(tmp_path / "whole", updates=4)
    part = train(tmp_path / "part", updates=4, callback=lambda line: line["update"] == 2)
    assert not part.finished and part.evaluation is None
    rest = throng.resume(part.folder)
    assert rest.finished and rest.folder == part.folder
    assert [line["update"] for line in rest.metrics()] == [1, 2, 3, 4]
    assert policy(rest.folder) == policy(whole.folder)
    assert rest.evaluation["greedy"] == whole.evaluation["greedy"]


def test_an_exception_in_the_callback_comes_out_after_saving(tmp_path):
    def callback(line):
        if line["update"] == 2:
            raise LookupError("not today")

    with pytest.raises(LookupError, match="not today"):
        train(tmp_path / "run", updates=4, callback=callback)
    assert throng.resume(tmp_path / "run").finished


def test_interrupted_in_the_callback(tmp_path):
    def callback(line):
        if line["update"] == 2:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "run", updates=4, callback=callback)
    assert [line["update"] for line in throng.resume(tmp_path / "run").metrics()] == [1, 2, 3, 4]


def test_interrupted_from_outside(tmp_path):
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "run", updates=1_000_000)
    timer.join()
    done = len((tmp_path / "run" / "metrics.jsonl").read_text().splitlines())
    again = throng.resume(tmp_path / "run", callback=lambda line: True)
    assert [line["update"] for line in again.metrics()][-1] == done + 1


def test_the_folder_has_a_name_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = {train(None, updates=1).folder for _ in range(2)}
    assert len(folders) == 2
    assert all(f.parent.name == "runs" and "ippo__1" in f.name for f in folders)


def test_parameters_of_the_environment(tmp_path):
    result = train(tmp_path / "run", updates=1, env_config={"ally_units": ["marine"] * 2})
    assert result.config["env_config"]["ally_units"] == ["marine"] * 2


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(learning_rat=1e-3), "did you mean 'learning_rate'"),
        (dict(algo="ipo"), "did you mean 'ippo'"),
        (dict(gamma=2.0), "gamma must be at most 1"),
        (dict(num_envs="many"), "num_envs"),
        (dict(num_minibatches=7), "does not divide"),
        (dict(total_timesteps=1), "total_timesteps"),
        (dict(device="tpu"), "unknown device"),
        (dict(env_config={"units": 3}), "unknown key 'units'"),
        (dict(activation=object()), "no JSON form"),
    ],
)
def test_mistakes(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        train(tmp_path / "run", **arguments)
    assert not (tmp_path / "run").exists()


def test_mistakes_in_folders(tmp_path):
    with pytest.raises(ValueError, match="holds no run"):
        throng.resume(tmp_path)
    train(tmp_path / "run", updates=1)
    with pytest.raises(ValueError, match="already holds a run"):
        train(tmp_path / "run", updates=1)


def test_settings_and_presets():
    settings = {s["name"]: s for s in throng.train_settings()}
    assert settings["algo"]["valid"] and settings["learning_rate"]["doc"]
    assert set(throng.train_preset(ENV, "ippo")) <= set(settings)
    with pytest.raises(ValueError, match="unknown"):
        throng.train_preset("smax/none", "ippo")


def test_training_on_a_gpu(tmp_path):
    if throng.cuda_device_count() == 0:
        pytest.skip(throng.cuda_status())
    result = train(tmp_path / "run", device="cuda")
    assert result.finished and result.config["device"] == "cuda:0"
