"""SMAX on the command line: scenarios of one's own, statistics of episodes."""
import json

import pytest
from running import SMALL, done, lines_of_json, refused, throng

BATTLE = """{
  // six against nine, and marines that hit hard
  "ally_units": {"marine": 4, "marauder": 2},
  "enemy_units": {"zergling": 8, "hydralisk": 1},
  "damage": {"marine": 20},
  "max_steps": 40
}"""


def test_a_scenario_from_a_file(tmp_path):
    file = tmp_path / "battle.json"
    file.write_text(BATTLE)
    (page,) = lines_of_json(done("describe", "smax", f"env={file}", "env.max_steps=50", "--json"))
    value = {p["name"]: p["value"] for p in page["parameters"]}
    assert page["num_agents"] == 6 and page["num_actions"] == 5 + 9
    assert value["ally_units"] == ["marine"] * 4 + ["marauder"] * 2
    assert value["enemy_units"] == ["zergling"] * 8 + ["hydralisk"]
    assert value["damage"] == [20, 10, 13, 8, 5, 12]
    assert value["max_steps"] == 50
    (line,) = lines_of_json(done("bench", "smax", f"env={file}", "--num_envs", "8", "--seconds", "0.01", "--windows", "1",
                                 "--policy", "heuristic", "--device", "cpu", "--json"))
    assert line["num_agents"] == 6 and line["policy"] == "heuristic"
    assert "no/battle.json" in refused("describe", "smax", "env=no/battle.json")
    file.write_text('{"ally_units": {"marin": 3}}')
    assert "did you mean 'marine'" in refused("describe", "smax", f"env={file}")


def test_sixty_four_a_side():
    config = ["env.ally_units=" + json.dumps({"marine": 64}), "env.enemy_units=" + json.dumps({"zergling": 40, "zealot": 24})]
    (line,) = lines_of_json(done("bench", "smax", *config, "--num_envs", "4", "--seconds", "0.01", "--windows", "1",
                                 "--device", "cpu", "--json"))
    assert line["num_agents"] == 64
    assert "at most 64" in refused("describe", "smax", "env.ally_units=" + json.dumps({"marine": 65}))


def test_statistics(tmp_path):
    lines = lines_of_json(done("bench", "smax/3m", "--statistics", "--episodes", "200", "--policy", "random,heuristic",
                               "--device", "cpu", "--json"))
    assert [line["policy"] for line in lines] == ["random", "heuristic"]
    for line in lines:
        assert line["episodes"] == 200 and line["env"] == "smax/3m"
        for name in ("episodic_return", "episodic_length", "win_rate", "enemies_killed", "truncated"):
            assert set(line[name]) == {"mean", "standard_deviation", "standard_error"}
    assert lines[0]["win_rate"]["mean"] < 0.05 < 0.3 < lines[1]["win_rate"]["mean"]
    text = done("bench", "smax/3m", "--statistics", "--episodes", "50", "--device", "cpu")
    assert text.startswith("smax/3m  random  50 episodes  episodic_return ") and "heuristic_random" in text
    assert "did you mean 'heuristic'" in refused("bench", "smax/3m", "--statistics", "--policy", "heuristc", "--device", "cpu")
    assert "several" in refused("bench", "smax/3m", "--policy", "random,heuristic")
    assert "at least 2" in refused("bench", "smax/3m", "--statistics", "--episodes", "1")


def test_all_scenarios():
    lines = lines_of_json(done("bench", "smax/all", "--statistics", "--episodes", "4", "--policy", "random", "--device", "cpu",
                               "--json"))
    names = [line["env"] for line in lines]
    assert len(names) == 15 and names[0] == "smax/3m" and names[-2:] == ["smax/smacv2_20_units", "smax/3m_components"]


def test_pictures(tmp_path):
    frames = tmp_path / "frames"
    process = throng("render", "smax/3m", "--policy", "heuristic", "--steps", "2", "--size", "64", "--out", frames)
    if "no PNG writer" in process.stderr:
        pytest.skip("built without libstb-dev")
    assert process.returncode == 0 and "17 pictures of 2 steps" in process.stderr
    files = sorted(frames.iterdir())
    assert len(files) == 17 and files[0].name == "frame_00000.png"
    assert all(f.read_bytes().startswith(b"\x89PNG") for f in files)
    few = tmp_path / "few"
    done("render", "smax/3m", "--steps", "3", "--size", "64", "--every_step", "--out", few)
    assert len(list(few.iterdir())) == 4
    assert "size" in refused("render", "smax/3m", "--size", "3", "--out", tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_eval_of_a_player():
    (line,) = lines_of_json(done("eval", "smax/3m", "--policy", "heuristic", "--episodes", "100", "--device", "cpu", "--json"))
    assert line["policy"] == "heuristic" and line["episodes"] == 100 and 0.3 < line["win_rate"]["mean"] < 0.7
    assert "unknown environment" in refused("eval", "smux/3m", "--policy", "heuristic", "--device", "cpu")


def test_training_against_a_saved_policy(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    done("train", "smax/3m", *SMALL, "--quiet", "--out", first)
    done("train", "smax/3m", "env.opponent=policy", f"opponent_run={first}", *SMALL, "--quiet", "--out", second)
    config = json.loads((second / "config.json").read_text())
    assert config["train"]["opponent_run"] == str(first)
    assert "greedy" in done("eval", second, "--episodes", "20", "--device", "cpu")
    assert "second team" in refused("train", "smax/3m", f"opponent_run={first}", *SMALL, "--out", tmp_path / "third")
