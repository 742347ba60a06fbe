"""Self-play at the command line: training, the pool in the folder, resuming, tournaments and exploiters."""
import json
import os
import signal
import subprocess
import time

import pytest

from running import THRONG, done, environment, default_signals, file, latest, lines_of_json, refused

GAME = "breakthrough/5x6"
SMALL = ["num_envs=16", "num_steps=16", "num_minibatches=4", "total_timesteps=2048", "hidden_sizes=[16]", "eval_episodes=8",
         "num_opponents=4", "opponent_steps=32", "snapshot_steps=512", "--device", "cpu", "--quiet"]


@pytest.fixture(scope="module")
def league(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("self_play") / "league")
    done("train", GAME, "selfplay=league", *SMALL, "main_exploiters=1", "league_exploiters=1", "--out", folder)
    return folder


def test_training_keeps_a_pool(league):
    config = json.loads(file(os.path.join(league, "config.json")))["train"]
    assert config["selfplay"] == "league" and config["ent_coef"] == pytest.approx(0.03)  # of the preset
    members = json.loads(file(os.path.join(league, "pool", "pool.json")))["members"]
    assert {m["role"] for m in members} >= {"main", "league_exploiter"}
    assert all(os.path.exists(os.path.join(league, "pool", m["file"])) and m["weight"] == 0 for m in members)
    lines = lines_of_json(file(os.path.join(league, "self_play.jsonl")).decode())
    assert len(lines) == len(members) and lines[0]["update"] == 0
    report = json.loads(file(os.path.join(league, "eval.json")))
    assert report["sampled"]["episodes"] == 8 and "win_rate" in report["sampled"]
    (sampled, greedy) = lines_of_json(done("eval", league, "--device", "cpu", "--json"))
    assert sampled["win_rate"] == report["sampled"]["win_rate"] and greedy["win_rate"] == report["greedy"]["win_rate"]


def test_interrupted_and_resumed(tmp_path):
    args = ["train", GAME, "selfplay=fictitious", *SMALL, "total_timesteps=16384"]
    straight, broken = str(tmp_path / "straight"), str(tmp_path / "broken")
    done(*args, "--out", straight)
    process = subprocess.Popen([THRONG, *args, "--out", broken], env=environment(), stderr=subprocess.DEVNULL,
                               preexec_fn=default_signals)
    deadline = time.time() + 60
    while time.time() < deadline and not os.path.exists(os.path.join(broken, "pool", "0001.safetensors")):
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    done("train", "--resume", broken, "--quiet")
    assert file(latest(broken)) == file(latest(straight))
    assert file(os.path.join(broken, "pool", "pool.json")) == file(os.path.join(straight, "pool", "pool.json"))


def test_tournament(league, tmp_path):
    args = ["tournament", league, f"{league}@latest", "bot:random", "--rounds", "20", "--device", "cpu"]
    (result,) = lines_of_json(done(*args, "--json", "--out", tmp_path / "t.json", "--svg", tmp_path / "t.svg"))
    assert result["env"] == GAME and result["rounds"] == 20 and result["anchor"] == "bot:random"
    assert [p["name"] for p in result["players"]] == [league, f"{league}@latest", "bot:random"]
    assert result["players"][2]["elo"] == pytest.approx(1000)
    for a in range(3):
        assert result["win_rate"][a][a] is None
        for b in range(a):
            assert result["win_rate"][a][b] + result["win_rate"][b][a] == pytest.approx(1)
            assert result["win_rate_low"][a][b] <= result["win_rate"][a][b] <= result["win_rate_high"][a][b]
    assert sum(p["nash"] for p in result["players"]) == pytest.approx(1)
    assert sum(p["alpha_rank"] for p in result["players"]) == pytest.approx(1)
    written = json.loads(file(tmp_path / "t.json"))
    assert written["win_rate"] == result["win_rate"] and file(tmp_path / "t.svg").startswith(b"<svg")
    again = json.loads(done(*args, "--json", "--num_envs", "100000"))
    assert again["win_rate"] == result["win_rate"]
    text = done(*args)
    assert "alpha-rank" in text and "bot:random" in text


def test_tournament_of_bots_alone_and_refusals(league, tmp_path):
    result = json.loads(done("tournament", "bot:random", "bot:random", "--env", "connect4/7x6", "--rounds", "10", "--device",
                             "cpu", "--json"))
    assert result["win_rate"][0][1] + result["win_rate"][1][0] == pytest.approx(1)
    assert "which game" in refused("tournament", "bot:random", "bot:random")
    assert "second team" in refused("tournament", "bot:random", "bot:random", "--env", "smax/3m", "--device", "cpu")
    assert "did you mean 'random'" in refused("tournament", league, "bot:randon", "--device", "cpu")
    assert "two players" in refused("tournament", league, "--device", "cpu")
    assert "other things" in refused("tournament", league, "bot:random", "--env", "breakthrough/8x8", "--device", "cpu")
    assert "second team" in refused("train", "smax/3m", "selfplay=naive", *SMALL, "--out", tmp_path / "one_team")
    assert "num_opponents" in refused("train", GAME, "selfplay=league", *SMALL, "num_opponents=5", "--out", tmp_path / "odd")


def test_exploit(league, tmp_path):
    out = tmp_path / "exploit"
    (result,) = lines_of_json(done("exploit", league, "--budgets", "512,1024", "--seeds", "1", "--rounds", "40", "--device", "cpu",
                                   "--out", out, "--json"))
    assert [line["budget"] for line in result["budgets"]] == [512, 1024] and result["exploiters"] == 2
    last = result["budgets"][-1]
    assert last["exploitability"] == pytest.approx(max(0, 2 * last["win_rate"] - 1))
    assert result["exploitability_lower_bound"] == last["exploitability"]
    assert {e["start"] for e in last["exploiters"]} == {"scratch", "clone"}
    assert all(e["timesteps"] == 1024 and e["rounds"] == 40 for e in last["exploiters"])
    assert json.loads(file(out / "exploit.json")) == result
    assert "no number" in refused("exploit", league, "--budgets", "many")


def test_described():
    (described,) = lines_of_json(done("describe", GAME, "--json"))
    assert described["teams"] == [1, 1] and described["train"]["selfplay"]["ent_coef"] == pytest.approx(0.03)
    assert "fictitious" in done("describe", GAME)
    (described,) = lines_of_json(done("describe", "smax/3m", "--json"))
    assert described["teams"] == [] and "selfplay" not in described["train"]
