"""`throng train --algo mo_mappo` and `throng eval`: a whole front by one policy, and by several."""
import json
import os

from running import done, file, lines_of_json, refused

GAME = "item_gathering/team_6"
SHORT = ["--algo", "mo_mappo", "--total_timesteps", 3072, "--num_envs", 64, "--num_steps", 12, "--eval_episodes", 16, "--device", "cpu"]


def front_of(folder):
    return json.loads(file(os.path.join(folder, "front.json")))


def test_a_front_by_one_policy(tmp_path):
    folder = str(tmp_path / "run")
    done("train", GAME, *SHORT, "--out", folder)
    text = done("eval", folder, "--episodes", 2)
    assert text.splitlines()[0].startswith("sampled: hypervolume") and "% of the exact 7.0000" in text.splitlines()[1]
    front = front_of(folder)
    greedy = front["greedy"]
    assert greedy["exact_hypervolume"] == 7 and greedy["reference"] == [0, 0, 0] and front["runs"] == 1
    assert len(greedy["played"]) == 105 and greedy["episodes_per_weights"] == 2
    assert all(abs(sum(point["weights"]) - 1) < 1e-6 and len(point["value"]) == 3 for point in greedy["played"])
    assert greedy["cardinality"] == len(greedy["front"]) <= 105
    assert 0 <= greedy["share_of_exact"] and greedy["igd"] >= greedy["igd_plus"] >= 0
    assert file(os.path.join(folder, "front.svg")).startswith(b"<svg")
    assert lines_of_json(done("eval", folder, "--episodes", 2, "--json"))[0] == front  # again, to the last digit


def test_of_changed_parameters_no_front_is_known(tmp_path):
    folder = str(tmp_path / "run")
    done("train", GAME, *SHORT, "--out", folder, "env.num_timesteps=5")
    done("eval", folder, "--episodes", 2)
    assert "share_of_exact" not in front_of(folder)["greedy"]


def test_a_front_by_policies_of_fixed_weights(tmp_path):
    folder = str(tmp_path / "runs")
    done("train", GAME, *SHORT, "--out", folder, "--num_weights", 4)
    assert sorted(os.listdir(folder)) == ["weights_000", "weights_001", "weights_002"]  # 4 make no even grid
    done("eval", folder, "--episodes", 2)
    played = front_of(folder)["greedy"]["played"]
    assert [point["weights"] for point in played] == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert all("weights_00" in point["policy"] for point in played)


def test_what_does_not_go_together():
    assert "--num_weights" in refused("train", GAME, "--num_weights", 4, "--out", "x")
    assert "--out" in refused("train", GAME, *SHORT, "--num_weights", 4)
    assert "mo_ippo" in refused("train", GAME, "--algo", "ippo", "--out", "x")
    assert "weights" in refused("train", GAME, *SHORT, "weights=[0.5,0.5]", "--out", "x")
    assert "references" in refused("train", GAME, *SHORT, "utility=chebyshev", "--out", "x")
