"""`throng train`: settings from all their sources, the folder, what is printed, and the progress line."""
import json
import os
import pty
import re
import select
import subprocess

from running import ENV, SMALL, THRONG, done, environment, file, latest, leftovers, lines_of_json, refused, throng


# --- train: the folder, the settings ---------------------------------------------------------------------------------

def test_run_folder(finished):
    assert {"config.json", "metrics.jsonl", "checkpoints", "eval.json"} <= set(os.listdir(finished))
    assert any("tfevents" in name for name in os.listdir(finished))
    config = json.loads(file(os.path.join(finished, "config.json")))
    assert config["env"] == ENV and config["device"] == "cpu"
    assert config["train"]["num_envs"] == 8 and config["train"]["gamma"] == 0.99
    assert config["env_config"]["ally_units"] == ["marine"] * 3
    assert len(lines_of_json(file(os.path.join(finished, "metrics.jsonl")).decode())) == 12
    report = json.loads(file(os.path.join(finished, "eval.json")))
    assert report["sampled"]["episodes"] == report["greedy"]["episodes"] == 8
    assert latest(finished).endswith("step_1536.safetensors") and leftovers(finished) == []


def test_what_train_says(tmp_path):
    process = throng("train", ENV, *SMALL, "--out", "run", "--seed", "3", "env.attack_mode=random", cwd=tmp_path)
    assert process.returncode == 0 and process.stdout == ""
    text = process.stderr
    assert "device: cpu" in text and f"environment: {ENV}" in text and text.count("run folder: run") == 2
    assert "seed=3" in text and 'attack_mode="random"' in text
    assert re.search(r"100%  1\.54k of 1\.54k steps  .* SPS  win rate .*  return .* left", text)
    assert re.search(r"sampled +8 ", text) and re.search(r"greedy +8 ", text)


def test_quiet_says_the_device_and_the_result(tmp_path):
    text = throng("train", ENV, *SMALL, "--out", "run", "--quiet", cwd=tmp_path).stderr
    assert "device: cpu" in text and "SPS" not in text and "win_rate" in text and "run folder: run" in text


def test_default_folder(tmp_path):
    for _ in range(2):
        done("train", ENV, *SMALL, "--seed", "7", cwd=tmp_path)
    names = os.listdir(tmp_path / "runs")
    assert len(names) == 2 and all(re.match(r"smax.3m__ippo__7__\d{8}-\d{6}", name) for name in names)


def test_json_is_pure(tmp_path):
    process = throng("train", ENV, *SMALL, "--json", "--eval_interval", "6", "--out", "run", cwd=tmp_path)
    run, *updates, result = lines_of_json(process.stdout)
    assert (run["type"], run["folder"], run["env"]) == ("run", "run", ENV)
    assert [u["update"] for u in updates] == list(range(1, 13))
    assert all(u["type"] == "update" and u["total_timesteps"] == 1536 and "charts/SPS" in u for u in updates)
    assert ["eval/sampled/win_rate" in u for u in updates] == [i in (6, 12) for i in range(1, 13)]
    assert result["type"] == "result" and result["greedy"]["episodes"] == 8


def test_layers_of_settings(tmp_path):
    """A file lies over the preset, flags over the file, key=value over the flags."""
    (tmp_path / "c.json").write_text("""{
      // comments are fine
      "env": "smax/3m", "env_config": {"attack_mode": "random", "max_steps": 20},
      "train": {"gamma": 0.5, "seed": 1, "ent_coef": 0.25, "learning_rate": 1}}""")
    done("train", *SMALL, "--config", "c.json", "--out", "run", "--seed", "1", "--seed", "2", "--learning_rate", "1e-4",
         "learning_rate=2e-4", "env.max_steps=30", "--activation", "tanh", "--anneal_lr", "false", cwd=tmp_path)
    config = json.loads(file(tmp_path / "run" / "config.json"))
    train = config["train"]
    assert (train["gamma"], train["seed"], train["ent_coef"], train["learning_rate"]) == (0.5, 2, 0.25, 2e-4)
    assert (train["activation"], train["anneal_lr"], train["hidden_sizes"]) == ("tanh", False, [16])
    assert (config["env_config"]["attack_mode"], config["env_config"]["max_steps"]) == ("random", 30)


def test_a_flat_file_holds_settings_of_training(tmp_path):
    (tmp_path / "c.json").write_text('{"gamma": 0.75}')
    done("train", ENV, *SMALL, "--config", "c.json", "--out", "run", cwd=tmp_path)
    assert json.loads(file(tmp_path / "run" / "config.json"))["train"]["gamma"] == 0.75


def test_config_of_a_run_repeats_it(finished, tmp_path):
    again = str(tmp_path / "again")
    done("train", "--config", os.path.join(finished, "config.json"), "--out", again)
    assert file(latest(again)) == file(latest(finished))


def test_every_setting_has_a_flag(finished):
    text = done("train", "--help")
    for name in json.loads(file(os.path.join(finished, "config.json")))["train"]:
        assert re.search(rf"^ *--{name} .*", text, re.M), name


def test_wrong_settings(tmp_path):
    def train(*args):
        return refused("train", *args, "--out", "run", cwd=tmp_path)

    assert "did you mean 'learning_rate'" in train(ENV, "learning_rat=1")
    assert "did you mean 'env.attack_mode'" in train(ENV, "attack_mode=random")
    assert "did you mean 'attack_mode'" in train(ENV, "env.attack_mod=random")
    assert "did you mean 'random'" in train(ENV, "env.attack_mode=randon")
    assert "did you mean 'ippo'" in train(ENV, "--algo", "ipo")
    assert "'gamma' must be a number" in train(ENV, "--gamma", "high")
    assert "'seed' must be" in train(ENV, "--seed", "-1")
    assert "learning_rate must be at least 0" in train(ENV, "--learning_rate", "-1")
    assert "does not divide" in train(ENV, "num_minibatches=3")
    assert "total_timesteps must be at least" in train(ENV, "--total_timesteps", "10")
    assert "key=value" in train(ENV, "fast")
    assert "which environment?" in train()
    assert "which environment?" in train("gamma=1")
    assert os.listdir(tmp_path) == []


def test_wrong_files(tmp_path):
    def train(text, *args):
        (tmp_path / "c.json").write_text(text)
        return refused("train", *args, "--config", "c.json", "--out", "run", cwd=tmp_path)

    assert "c.json: parse error at line 2" in train('{"gamma":\n}', ENV)
    assert "appears twice" in train('{"gamma": 1, "gamma": 1}', ENV)
    assert "c.json: unknown key 'gama': did you mean 'gamma'" in train('{"gama": 1}', ENV)
    assert "did you mean 'env_config'" in train('{"env": "smax/3m", "env_confg": {}}')
    assert "c.json: unknown key 'attack': did you mean" in train('{"env_config": {"attack": 1}}', ENV)
    assert "is for smax/8m" in train('{"env": "smax/8m"}', ENV)
    assert "must be an object" in train("[]", ENV)
    assert "cannot open 'no.json'" in refused("train", ENV, "--config", "no.json", cwd=tmp_path)
    assert not (tmp_path / "run").exists()


# --- the progress line -----------------------------------------------------------------------------------------------

def on_terminal(args, columns, **changed):
    """What a command writes to a terminal of so many columns."""
    screen, inside = pty.openpty()
    process = subprocess.Popen(["sh", "-c", f'stty cols {columns}; exec "$@"', "sh", THRONG, *args], stdin=inside,
                               stdout=subprocess.DEVNULL, stderr=inside, env=environment(TERM="xterm", **changed))
    os.close(inside)
    written = b""
    while select.select([screen], [], [], 120)[0]:
        try:
            piece = os.read(screen, 1 << 16)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        written += piece
    os.close(screen)
    assert process.wait(timeout=60) == 0
    return written.decode()


def test_progress_on_a_terminal(tmp_path):
    text = on_terminal(["train", ENV, *SMALL, "--out", str(tmp_path / "a")], 60)
    drawn = re.findall(r"\r\x1b\[K\x1b\[32m([^\x1b]*)\x1b\[0m", text)
    assert drawn and drawn[-1].startswith("100%") and all(len(line) < 60 for line in drawn)
    assert "left" not in drawn[-1]  # does not fit
    assert re.search(r"\d s left", on_terminal(["train", ENV, *SMALL, "--out", str(tmp_path / "b")], 200))


def test_no_color(tmp_path):
    text = on_terminal(["train", ENV, *SMALL, "--out", str(tmp_path / "a")], 80, NO_COLOR="1")
    assert "\r\x1b[K100%" in text and "\x1b[32m" not in text


def test_a_dry_run_says_what_would_lie_in_memory(tmp_path):
    settings = [ENV, *SMALL, "--dry_run", "--out", tmp_path / "run"]
    (line,) = lines_of_json(done("train", *settings, "--json"))
    plan = line["bytes"]
    assert plan["all"] == sum(plan.values()) - plan["all"]
    assert not (tmp_path / "run").exists()
    text = [words.split(None, 1) for words in done("train", *settings).splitlines()]
    assert {purpose: int(number) for number, purpose in text} == plan
    # More environments: a larger rollout, but less than twice as large for the padding; the network stays.
    (line,) = lines_of_json(done("train", *settings, "--json", "num_envs=16"))
    assert 1.2 * plan["rollout"] < line["bytes"]["rollout"] <= 2 * plan["rollout"]
    assert line["bytes"]["parameters"] == plan["parameters"]
    assert "--resume" in refused("train", "--resume", tmp_path, "--dry_run")


def test_seeds_side_by_side_are_the_runs_that_they_would_be_alone(finished, tmp_path):
    both = tmp_path / "both"
    lines = lines_of_json(done("train", ENV, *SMALL, "--num_seeds", 2, "--json", "--out", both))
    assert [line["seed"] for line in lines if line["type"] == "update"] == [0, 1] * 12
    done("train", ENV, *SMALL, "--seed", 1, "--out", tmp_path / "alone")
    for alone, seed in ((finished, 0), (tmp_path / "alone", 1)):
        run = both / f"seed_{seed}"
        assert file(latest(run)) == file(latest(alone))
        assert file(run / "eval.json") == file(os.path.join(alone, "eval.json"))
    assert file(latest(both / "seed_0")) != file(latest(both / "seed_1"))
    assert "--out" in refused("train", ENV, *SMALL, "--num_seeds", 2)
    assert "--num_seeds" in refused("train", ENV, *SMALL, "--num_seeds", 0)


def test_a_game_says_how_its_policies_are_judged(tmp_path):
    run = str(tmp_path / "climb")
    done("train", "fighting/climb", *SMALL, "--num_minibatches", "2", "env.start_health=10", "env.rung=1", "--eval_episodes", "2", "--out", run, "--quiet")
    lines = lines_of_json(done("eval", run, "--episodes", "2", "--device", "cpu", "--json"))
    assert [(line["config"]["rung"], line["greedy"]) for line in lines] == [(rung, greedy) for rung in range(1, 13) for greedy in (False, True)]
    assert all(line["config"]["episode"] == "match" and line["episodes"] == 2 and line["rung"]["mean"] == line["config"]["rung"] for line in lines)
    header, *rows = done("eval", run, "--episodes", "2", "--device", "cpu").splitlines()
    assert header.split()[:2] == ["rung", "episodes"] and [row.split()[0] for row in rows] == [str(rung) for rung in range(1, 13)]
