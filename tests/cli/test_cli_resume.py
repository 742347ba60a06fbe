"""`throng train` when something comes in between: Ctrl-C, full disks, damaged files - and going on bit for bit."""
import ctypes
import errno
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import time

from running import ENV, SMALL, THRONG, default_signals, done, environment, file, latest, leftovers, lines_of_json, refused


# --- train: failures of the machine ----------------------------------------------------------------------------------

def test_a_second_run_in_the_same_folder_is_refused(finished):
    before = file(os.path.join(finished, "metrics.jsonl"))
    assert "already holds a run" in refused("train", ENV, *SMALL, "--out", finished)
    assert file(os.path.join(finished, "metrics.jsonl")) == before


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    assert "file/run" in refused("train", ENV, *SMALL, "--out", "file/run", status=1, cwd=tmp_path)


def mounted(folder, size):
    """True if a tiny file system could be mounted there."""
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, f"size={size}".encode()) == 0


def limit_files():
    """In the child: files end where a disk would be full (EFBIG instead of ENOSPC)."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, 64 << 10))


def test_a_full_disk(tmp_path):
    """The checkpoint does not fit: one line, status 1, no half-written file, and what lies there stays readable."""
    disk = tmp_path / "disk"
    disk.mkdir()
    large = ["train", ENV, *SMALL, "hidden_sizes=[256,256]", "--out", str(disk / "run")]
    real = mounted(disk, "256k")
    try:
        message = refused(*large, status=1, preexec_fn=None if real else limit_files)
        assert os.strerror(errno.ENOSPC if real else errno.EFBIG) in message
        assert leftovers(disk) == []
        assert json.loads(file(disk / "run" / "config.json"))["env"] == ENV
        lines_of_json(file(disk / "run" / "metrics.jsonl").decode())
    finally:
        if real:
            subprocess.run(["umount", str(disk)], check=True)


def test_damaged_checkpoints(finished, tmp_path):
    run = str(tmp_path / "run")
    shutil.copytree(finished, run)
    path, whole = latest(run), file(latest(run))
    for damaged in (whole[:-100], whole[:10], b"", whole[:-1] + bytes([whole[-1] ^ 1])):
        with open(path, "wb") as f:
            f.write(damaged)
        assert os.path.basename(path) in refused("train", "--resume", run)
        assert os.path.basename(path) in refused("eval", run)
    os.remove(path)
    assert os.path.basename(path) in refused("eval", run)


# --- train: stopping and going on ------------------------------------------------------------------------------------

def start(*args, **options):
    return subprocess.Popen([THRONG, "train", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            preexec_fn=default_signals, env=environment(), **options)


def stop_after(process, updates):
    """Ctrl-C as soon as so many updates were reported; what it still printed."""
    for line in process.stdout:
        if json.loads(line).get("update") == updates:
            break
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=120)


def kill_after(process, updates, seconds):
    """SIGKILL that long after so many updates were reported."""
    for line in process.stdout:
        updates -= json.loads(line)["type"] == "update"
        if updates == 0:
            break
    time.sleep(seconds)
    process.kill()
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL


def metrics_but_time(run):
    """metrics.jsonl without what the clock says."""
    clock = ("seconds", "charts/SPS")
    lines = lines_of_json(file(os.path.join(run, "metrics.jsonl")).decode())
    return [{k: v for k, v in line.items() if k not in clock} for line in lines]


LONGER = [*SMALL, "--total_timesteps", "25600"]


def test_ctrl_c_saves_and_the_resumed_run_ends_in_the_same_bits(tmp_path):
    whole, parts = str(tmp_path / "whole"), str(tmp_path / "parts")
    done("train", ENV, *LONGER, "--out", whole)

    process = start(ENV, *LONGER, "--json", "--out", parts)
    out, text = stop_after(process, 5)
    assert process.returncode == 130, text
    assert "stopping" in text and f"throng train --resume {parts}" in text and "error" not in text
    stopped_at = int(re.search(r"step_(\d+)", latest(parts))[1])
    assert 5 * 128 <= stopped_at < 25600 and stopped_at % 128 == 0
    assert not os.path.exists(os.path.join(parts, "eval.json"))

    # A second interruption on the way, then to the end.
    process = start("--resume", parts, "--json")
    stop_after(process, stopped_at // 128 + 3)
    assert process.returncode == 130
    done("train", "--resume", parts)
    assert file(latest(parts)) == file(latest(whole))
    assert metrics_but_time(parts) == metrics_but_time(whole)
    assert file(os.path.join(parts, "eval.json")) == file(os.path.join(whole, "eval.json"))


def test_killed_at_random_moments_a_run_ends_in_the_same_bits(tmp_path):
    """With recurrent states, and a checkpoint after every update, so that many a kill meets one that is being written."""
    whole, parts = str(tmp_path / "whole"), str(tmp_path / "parts")
    settings = [ENV, *LONGER, "--checkpoint_interval", "1", "--gru_size", "8", "--head_sizes", "[8]", "--algo", "mappo"]
    done("train", *settings, "--out", whole)

    seed = random.randrange(2**32)
    print("seed", seed)  # shown if the test fails
    moments = random.Random(seed)
    what = [*settings, "--out", parts]
    for _ in range(8):
        process = start(*what, "--json")
        kill_after(process, moments.randint(2, 12), moments.uniform(0, 0.02))
        what = ["--resume", parts]
    done("train", *what)
    assert file(latest(parts)) == file(latest(whole))
    assert metrics_but_time(parts) == metrics_but_time(whole)
    assert file(os.path.join(parts, "eval.json")) == file(os.path.join(whole, "eval.json"))


def test_a_second_ctrl_c_stops_at_once(tmp_path):
    """The first update takes minutes; nobody has to wait for it."""
    run = str(tmp_path / "run")
    process = start(ENV, "--device", "cpu", "--num_envs", "64", "--num_steps", "64", "--update_epochs", "100000",
                    "--out", run)
    for line in process.stderr:
        if "run folder" in line:
            break
    time.sleep(0.3)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGINT
    assert leftovers(run) == []


def test_resume_refusals(finished, tmp_path):
    assert "own settings" in refused("train", "--resume", finished, "--seed", "3")
    assert "own settings" in refused("train", ENV, "--resume", finished)
    assert "own settings" in refused("train", "--resume", finished, "gamma=1")
    assert "holds no run" in refused("train", "--resume", tmp_path)


def test_resuming_a_finished_run_changes_nothing(finished, tmp_path):
    run = str(tmp_path / "run")
    shutil.copytree(finished, run)
    done("train", "--resume", run)
    for name in ("eval.json", "metrics.jsonl"):
        assert file(os.path.join(run, name)) == file(os.path.join(finished, name))
    assert file(latest(run)) == file(latest(finished))


def test_threads_change_no_bits(finished, tmp_path):
    run = str(tmp_path / "run")
    done("train", ENV, *SMALL, "--threads", "1", "--out", run)
    assert file(latest(run)) == file(latest(finished))
