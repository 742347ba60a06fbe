"""The command line as a user meets it: help, refusals, list, describe, doctor, bench and eval."""
import json
import os
import re
import signal
import subprocess
import time

import pytest
from running import ENV, THRONG, default_signals, done, file, latest, lines_of_json, refused, throng


# --- the program -----------------------------------------------------------------------------------------------------

def test_version_and_help():
    assert re.fullmatch(r"throng \d+\.\d+\.\d+\n", done("--version"))
    for command in ("list", "describe", "train", "eval", "bench", "doctor"):
        assert command in done("--help")
        assert "--help" in done(command, "--help")


def test_nothing_and_nonsense():
    assert "no command given" in refused()
    assert "did you mean 'train'" in refused("trian", ENV)
    assert "did you mean '--version'" in refused("--versoin")
    assert "did you mean '--num_envs'" in refused("bench", ENV, "--nun_envs", "64")
    assert "did you mean '--total_timesteps'" in refused("train", ENV, "--total-timesteps", "64")
    assert "unexpected argument" in refused("list", "smax")
    assert "ENV is required" in refused("describe")
    assert "--seed" in refused("train", ENV, "--seed")


def test_unknown_environments_and_scenarios_name_the_nearest():
    for command in ("describe", "train", "bench"):
        assert "unknown environment 'smx/3m': did you mean 'smax/3m'" in refused(command, "smx/3m")
        assert "unknown scenario 'smax/3n': did you mean 'smax/3m'" in refused(command, "smax/3n")


def test_devices_that_are_not_there(has_gpu):
    for command in (["train", ENV], ["bench", ENV]):
        assert "device" in refused(*command, "--device", "cua")
        assert "unknown device" in refused(*command, "--device", "cuda:x")
        if not has_gpu:
            assert "device 'cuda' is not available: " in refused(*command, "--device", "cuda")
    if has_gpu:
        pytest.skip("this machine has a GPU")


def test_a_full_disk_behind_stdout():
    for args in (["list"], ["list", "--json"], ["describe", ENV], ["--version"]):
        with open("/dev/full", "w") as full:
            process = subprocess.run([THRONG, *args], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        assert process.returncode == 1
        assert process.stderr.startswith("throng: error: write to stdout: No space left")


def test_a_reader_who_has_had_enough():
    """As `throng list | head -1`; the signal is ignored, as it is within Python."""
    ignored = lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # noqa: E731
    process = subprocess.Popen([THRONG, "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=ignored)
    process.stdout.close()
    assert (process.stderr.read(), process.wait(timeout=60)) == (b"", 128 + signal.SIGPIPE)


# --- list, describe, doctor ------------------------------------------------------------------------------------------

def test_list():
    assert ENV in done("list").split()
    by_id = {o["env"]: o for o in lines_of_json(done("list", "--json"))}
    assert by_id[ENV]["num_agents"] == 3 and by_id[ENV]["obs_dim"] > 0 and by_id[ENV]["summary"]
    assert set(by_id[ENV]) == {"env", "version", "num_agents", "num_actions", "num_objectives", "obs_dim",
                               "world_state_dim", "time_limit", "summary"}


def test_describe():
    text = done("describe", ENV)
    assert "rules" in text and "env.attack_mode" in text and "marine" in text
    (described,) = lines_of_json(done("describe", ENV, "--json"))
    parameters = {p["name"]: p for p in described["parameters"]}
    assert parameters["ally_units"]["value"] == ["marine"] * 3
    assert parameters["attack_mode"]["valid"] == ["closest", "random"]
    assert described["num_agents"] == len(described["agents"]) == 3
    assert "ippo" in described["train"]


def test_describe_resolves_overrides():
    (described,) = lines_of_json(done("describe", ENV, "env.attack_mode=random", "--json"))
    (mode,) = [p for p in described["parameters"] if p["name"] == "attack_mode"]
    assert (mode["value"], mode["default"]) == ("random", "closest")
    assert "did you mean 'attack_mode'" in refused("describe", ENV, "env.atack_mode=random")
    assert "did you mean 'env.attack_mode'" in refused("describe", ENV, "attack_mode=random")


def test_doctor(tmp_path):
    findings = {o["check"]: o for o in lines_of_json(done("doctor", "--json", cwd=tmp_path))}
    assert {"throng", "cpu", "cuda", "matrix products", "runs folder"} <= set(findings)
    assert all(o["ok"] and o["detail"] for o in findings.values())
    assert os.listdir(tmp_path) == []
    assert "cpu" in done("doctor", cwd=tmp_path)


def test_doctor_finds_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "runs").write_text("a file in the folder's place")
    process = throng("doctor", cwd=tmp_path)
    assert process.returncode == 1 and re.search(r"FAILED\s+runs folder", process.stdout)


# --- bench -----------------------------------------------------------------------------------------------------------

QUICK = ["--seconds", "0.01", "--hash_steps", "30", "--device", "cpu", "--json"]


def test_bench_lines():
    lines = lines_of_json(done("bench", ENV, "--num_envs", "4,16", *QUICK))
    assert [line["num_envs"] for line in lines] == [4, 16]
    for line in lines:
        assert {"env", "version", "throng", "num_envs", "device", "lanes", "env_steps_per_s", "agent_steps_per_s", "steps",
                "windows", "bytes_per_env", "episodes_ended", "obs_dtype", "outputs", "state_hash",
                "first_step_ms"} <= set(line)
        assert line["env_config"] == {} and line["obs_dtype"] == "float32"
        assert line["env_steps_per_s_min"] <= line["env_steps_per_s"] <= line["env_steps_per_s_max"]
        assert line["agent_steps_per_s"] == pytest.approx(3 * line["env_steps_per_s"])
        assert line["device"] == "cpu" and line["windows"] == 5 and line["steps"] >= 5
        assert re.fullmatch("[0-9a-f]{16}", line["state_hash"])


def test_bench_tells_what_was_measured():
    settings = ["env.attack_mode=random", "env.map_width=16"]
    for more in ([], ["--statistics", "--episodes", "2"]):
        (*_, line) = lines_of_json(done("bench", ENV, *settings, "--num_envs", "2", *QUICK, *more))
        assert line["env_config"] == {"attack_mode": "random", "map_width": 16}
    (line,) = lines_of_json(done("bench", "connect4", "--num_envs", "4", *QUICK))
    assert line["obs_dtype"] == "uint8"


def test_bench_hash_follows_from_seed_and_steps_alone():
    def state_hash(*args):
        (line,) = lines_of_json(done("bench", ENV, "--num_envs", "16", *QUICK, *args))
        return line["state_hash"]

    first = state_hash()
    assert first == state_hash() == state_hash("--lanes", "8") == state_hash("--threads", "1", "--windows", "1")
    assert len({first, state_hash("--seed", "1"), state_hash("--hash_steps", "31"),
                state_hash("env.attack_mode=random")}) == 4


def test_bench_table_and_stderr():
    process = throng("bench", ENV, "--num_envs", "4", *QUICK[:-1])
    assert process.returncode == 0 and "env steps/s" in process.stdout
    assert process.stderr.startswith("throng: device: cpu")


def test_bench_refusals():
    assert "lanes must be" in refused("bench", ENV, "--lanes", "7", *QUICK)
    assert "at least 1" in refused("bench", ENV, "--num_envs", "0", *QUICK)
    assert "--num_envs" in refused("bench", ENV, "--num_envs", "many", *QUICK)
    assert "--seconds" in refused("bench", ENV, "--seconds", "0")
    assert "learning_rate" in refused("bench", ENV, "learning_rate=1")


def test_bench_stops_at_ctrl_c():
    args = [THRONG, "bench", ENV, "--num_envs", "4", "--device", "cpu", "--seconds", "60", "--json"]
    process = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=default_signals)
    assert process.stderr.readline().startswith("throng: device")
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130 and out == ""


# --- eval ------------------------------------------------------------------------------------------------------------

def test_eval_repeats_the_run_s_own_evaluation(finished):
    report = json.loads(file(os.path.join(finished, "eval.json")))
    sampled, greedy = lines_of_json(done("eval", finished, "--json", "--device", "cpu"))
    assert not sampled["greedy"] and greedy["greedy"]
    for line, kind in ((sampled, "sampled"), (greedy, "greedy")):
        assert report[kind].items() <= line.items()
        assert line["env"] == ENV and line["timesteps"] == 1536 and line["device"] == "cpu"


def test_eval_options(finished):
    text = done("eval", finished, "--episodes", "20", "--checkpoint", "best")
    assert re.search(r"sampled +20 ", text) and re.search(r"greedy +20 ", text) and "win_rate" in text
    for checkpoint in (os.path.basename(latest(finished)), latest(finished)):
        assert done("eval", finished, "--checkpoint", checkpoint)
    one = done("eval", finished, "--seed", "5", "--json")
    assert one == done("eval", finished, "--seed", "5", "--json", "--threads", "1")
    assert one != done("eval", finished, "--seed", "6", "--json")


def test_eval_refusals(finished, tmp_path):
    assert "holds no run" in refused("eval", tmp_path)
    assert "no.safetensors" in refused("eval", finished, "--checkpoint", "no.safetensors")
    assert "--episodes" in refused("eval", finished, "--episodes", "-3")
    assert "did you mean '--episodes'" in refused("eval", finished, "--episode", "3")
