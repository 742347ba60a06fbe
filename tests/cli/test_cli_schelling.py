"""throng eval --schelling: players of a game and runs in every mix, as table, JSON and chart."""
import json
import os

from running import done, file, lines_of_json, refused, throng

GAME = "govsim/fishery"


def test_players_of_a_game(tmp_path):
    out = str(tmp_path / "out")
    report = lines_of_json(done("eval", GAME, "--schelling", "sustain", "greedy", "--episodes", 4, "--out", out, "--json",
                                "--device", "cpu"))[0]
    assert report == json.loads(file(os.path.join(out, "schelling.json")))
    assert (report["a"], report["b"], report["episodes"]) == ("sustain", "greedy", 4)
    assert [mix["of_a"] for mix in report["mixes"]] == [0, 1, 2, 3, 4, 5]
    assert report["mixes"][5]["return_a"]["mean"] == 120 and report["mixes"][5]["survival_time"]["mean"] == 12
    assert report["mixes"][0]["return_b"]["mean"] == 20 and report["mixes"][0]["return_a"] is None
    text = file(os.path.join(out, "schelling.txt")).decode()
    assert "a social dilemma: yes" in text and "an A earns" in text
    assert file(os.path.join(out, "schelling.svg")).startswith(b"<svg")


def test_runs_that_were_rewarded_differently(tmp_path):
    runs = {}
    for reward in "shared", "individual":
        runs[reward] = str(tmp_path / reward)
        done("train", GAME, f"env.reward={reward}", "--total_timesteps", 256, "--num_envs", 8, "--num_steps", 16, "--out",
             runs[reward], "eval_episodes=8", "--device", "cpu", "--hidden_sizes", "[8]")
    mixed = throng("eval", "--schelling", runs["shared"], runs["individual"], "--out", tmp_path / "out", "--device", "cpu",
                   "--json")
    assert mixed.returncode == 0, mixed.stderr
    assert "the runs differ in reward" in mixed.stderr
    report = lines_of_json(mixed.stdout)[0]
    assert "reward" not in report["env_config"] and report["episodes"] == 2  # 8 over six mixes
    again = done("eval", "--schelling", runs["shared"], "greedy", "env.reward=individual", "--out", tmp_path / "out",
                 "--device", "cpu", "--json")
    assert lines_of_json(again)[0]["env_config"]["reward"] == "individual"


def test_what_is_refused(tmp_path):
    out = ("--out", str(tmp_path / "out"))
    assert "name the game" in refused("eval", "--schelling", "sustain", "greedy", *out)
    assert "sustain" in refused("eval", GAME, "--schelling", "sustian", "greedy", *out)
    assert "exclude each other" in refused("eval", GAME, "--policy", "greedy", "--schelling", "sustain", "greedy", *out)
    assert "--schelling" in refused("eval", GAME, "env.months=3")
    assert not os.path.exists(tmp_path / "out")
