#!/usr/bin/env python3
"""Measures the learner: training speed, time until a policy wins, win rates after 1e7 steps, and our update against PyTorch's.

    python3 bench/learner.py --program build/throng                    # all that this machine can do
    python3 bench/learner.py --program build/throng --only win_rate --env smax/2s3z

Prints one JSON object for every row of the table, first one about the machine, and at the end to standard error the table of what was measured,
beside what JaxMARL 0.2.0 does on one H200. Without a GPU only `cpu` is measured, unless
--only asks for more. `cpu` needs PyTorch, everything else only the standard library.
"""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time

from collect import has_gpu, machine_line

PARTS = ["speed", "time", "win_rate", "cpu"]
LARGE = [(8192, 64), (16384, 64), (32768, 64)]  # environments, steps
JAXMARL = {  # what it does on one H200: training steps per second at its best batch, or seconds until it wins
    "ippo, GRU 128": "1.12 M (32,768 x 64)", "ippo, GRU 128, its own batch": "73.1 k", "mappo, GRU 128": "0.55 M (8,192 x 64)",
    "smax/2s3z": "62 s", "smax/3m": "about 108 s, for 0.89",
}
SPEEDS = [  # work, environment, settings, batches, precisions
    ("ippo, GRU 128", "smax/2s3z", ["--preset", "ippo_jaxmarl"], LARGE, ["fp32", "tf32", "bf16"]),
    ("ippo, GRU 128, its own batch", "smax/2s3z", ["--preset", "ippo_jaxmarl"], [(128, 128)], ["fp32"]),
    ("ippo, MLP 128 x 2", "smax/2s3z", ["hidden_sizes=[128,128]", "update_epochs=4"], LARGE, ["fp32", "tf32", "bf16"]),
    ("mappo, GRU 128", "smax/2s3z", ["--preset", "mappo_jaxmarl"], LARGE, ["fp32", "tf32", "bf16"]),
]
WINS = [("smax/2s3z", 0.95), ("smax/3m", 0.9)]  # environment, sampled win rate
WIN_RATES = ["smax/2s3z", "smax/3s5z", "smax/6h_vs_8z", "smax/3s_vs_5z", "smax/5m_vs_6m", "smax/smacv2_5_units"]
PRESETS = ["ippo_jaxmarl", "ippo"]
CPU_TURNS = 5  # of our update and PyTorch's
STUDENT_95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}  # by count


SHOWN = []  # rows so far


def show(**row):
    SHOWN.append(row)
    print(json.dumps(row), flush=True)


def with_error(value):
    """Per cent, with its interval if there is one."""
    return f"{100 * value['mean']:.1f}" + (f" ± {100 * value['ci95']:.1f}" if value["ci95"] is not None else "")


def line_of(row):
    """Of what show() was given, a line of the table: work, measured, JaxMARL's."""
    if row["type"] == "speed":
        work = f"{row['work']}, {row['num_envs']} x {row['num_steps']}, {row['precision']}: training steps/s on {row['env']}"
        return work, f"{row['env_steps_per_s'] / 1e6:.3g} M", JAXMARL.get(row["work"], "")
    if row["type"] == "time":
        seconds = row["seconds_median"]
        reached = f"{seconds:.1f} s" if seconds is not None else "not reached"
        return f"{row['env']}, sampled win rate {row['win_rate']}: from process start", reached, JAXMARL.get(row["env"], "")
    if row["type"] == "win_rate":
        measured = f"sampled {with_error(row['sampled'])}, greedy {with_error(row['greedy'])}, training {with_error(row['training'])}"
        return f"{row['env']}, {row['preset']}: win rate in % after {row['timesteps']} steps, {row['seeds']} seeds", measured, ""
    return "an update on the CPU: rows/s as a ratio to PyTorch's", f"{row['ratio']:.2f}", ""


def show_table():
    print("| work | measured | JaxMARL 0.2.0, one H200 |\n|---|---:|---:|", file=sys.stderr)
    for row in SHOWN:
        if row["type"] != "machine":
            print(f"| {' | '.join(line_of(row))} |", file=sys.stderr)


class Run:
    """`throng train` as a process, update by update."""

    def __init__(self, program, env, settings, device):
        self.folder = tempfile.TemporaryDirectory()
        self.began = time.monotonic()
        command = [program, "train", env, *settings, "--device", device, "--json", "--quiet"]
        self.command = " ".join(["throng", *command[1:]])
        print("learner:", self.command, file=sys.stderr)
        self.process = subprocess.Popen([*command, "--out", os.path.join(self.folder.name, "run")], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def lines(self):
        """Its lines, each with the seconds since the process began; exits with what it says if it fails."""
        for text in self.process.stdout:
            yield {**json.loads(text), "since_start": time.monotonic() - self.began}
        errors = self.process.communicate()[1]
        if self.process.returncode:
            sys.exit(f"learner: {self.command}: {errors.strip()[-500:]}")

    def stop(self):
        """Ends it, if it still goes on."""
        self.process.kill()
        self.process.communicate()
        self.folder.cleanup()


# --- speed ----------------------------------------------------------------------------------------------------------

def speed(options):
    """Environment steps per second of the second half of what was done in `--seconds`."""
    for work, env, settings, batches, precisions in SPEEDS:
        for (num_envs, num_steps), precision in ((b, p) for b in batches for p in precisions):
            sizes = [f"num_envs={num_envs}", f"num_steps={num_steps}", f"precision={precision}"]
            run = Run(options.program, options.env or env, [*settings, *sizes, "checkpoint_interval=0",
                                                            "total_timesteps=100000000000"], options.device)
            updates, config = [], {}
            for line in run.lines():
                if line["type"] == "run":
                    config = line["train"]
                if line["type"] == "update":
                    updates.append(line)
                if line["since_start"] > options.seconds and len(updates) > 2:
                    break
            run.stop()
            half = updates[len(updates) // 2:]
            first, last = half[0], half[-1]
            show(type="speed", work=work, env=options.env or env, num_envs=num_envs, num_steps=num_steps, precision=precision,
                 env_steps_per_s=(last["timesteps"] - first["timesteps"]) / (last["seconds"] - first["seconds"]),
                 updates=len(half) - 1, passes=config["update_epochs"], num_minibatches=config["num_minibatches"],
                 hidden_sizes=config["hidden_sizes"], gru_size=config["gru_size"], head_sizes=config["head_sizes"],
                 command=run.command)


# --- time until it wins ---------------------------------------------------------------------------------------------

def seconds_to_win(options, env, threshold, seed):
    """From the start of the process to the first update in which, of at least 100 training episodes, so many were won."""
    settings = ["--preset", "ippo", "--seed", str(seed), "checkpoint_interval=0"]
    run = Run(options.program, env, settings, options.device)
    reached = None
    for line in run.lines():
        if line.get("charts/episodes", 0) >= 100 and line.get("win_rate", 0) >= threshold:
            reached = line
            break
        if line["type"] == "result":
            break
    run.stop()
    return reached, run.command


def time_to_win(options):
    for env, threshold in WINS:
        runs = [seconds_to_win(options, env, threshold, seed) for seed in range(options.seeds)]
        seconds = [line["since_start"] if line else math.inf for line, _ in runs]
        median = statistics.median(seconds)
        show(type="time", env=env, win_rate=threshold, seconds_median=median if median < math.inf else None,
             seconds=[s if s < math.inf else None for s in seconds],
             timesteps=[line["timesteps"] if line else None for line, _ in runs], command=runs[0][1])


# --- win rates ------------------------------------------------------------------------------------------------------

def with_interval(values):
    """Mean over seeds, and the half-width of Student's 95 % interval."""
    mean = statistics.mean(values)
    if len(values) not in STUDENT_95:
        return {"mean": mean, "ci95": None, "values": values}
    return {"mean": mean, "ci95": STUDENT_95[len(values)] * statistics.stdev(values) / math.sqrt(len(values)),
            "values": values}


def win_rates(options):
    """After --total_timesteps, all seeds in one batch: of evaluations, and of training in the last 5 % of the updates."""
    for env in [options.env] if options.env else WIN_RATES:
        for preset in PRESETS:
            run = Run(options.program, env, ["--preset", preset, "--num_seeds", str(options.seeds), "checkpoint_interval=0",
                                             f"total_timesteps={options.total_timesteps}"], options.device)
            training, results, seconds = {}, [], 0
            for line in run.lines():
                late = line["type"] == "update" and line["update"] > 0.95 * line["num_updates"]
                if late and "win_rate" in line:
                    training.setdefault(line["seed"], []).append(line["win_rate"])
                if line["type"] == "update":
                    seconds = line["seconds"]
                if line["type"] == "result":
                    results.append(line)
            run.stop()
            show(type="win_rate", env=env, preset=preset, timesteps=results[0]["timesteps"], seeds=len(results),
                 seconds_of_all=seconds, sampled=with_interval([r["sampled"]["win_rate"]["mean"] for r in results]),
                 greedy=with_interval([r["greedy"]["win_rate"]["mean"] for r in results]),
                 training=with_interval([statistics.mean(v) for v in training.values()]), command=run.command)


# --- our update and PyTorch's ---------------------------------------------------------------------------------------

def cpu(options):
    """Rows per second of the same update in turns, on the same cores: the median of the turns' ratios."""
    import learner_torch  # pylint: disable=import-outside-toplevel

    turns = []
    for _ in range(CPU_TURNS):
        done = subprocess.run([options.rows, json.dumps({"updates": 2})], check=True, capture_output=True, text=True)
        ours = json.loads(done.stdout)
        turns.append((ours, learner_torch.measure(ours, updates=2)))
    ours, theirs = turns[-1]
    ratios, by_cpu_time = ([a[key] / b[key] for a, b in turns] for key in ("rows_per_s", "rows_per_cpu_s"))
    show(type="cpu", work=f"update of an MLP {ours['train']['hidden_sizes']}, actor and critic",
         rows_per_s=statistics.median(a["rows_per_s"] for a, _ in turns),
         rows_per_s_pytorch=statistics.median(b["rows_per_s"] for _, b in turns),
         ratio=statistics.median(ratios), ratios=ratios, ratio_by_cpu_time=statistics.median(by_cpu_time),
         pytorch=theirs["version"], threads_pytorch=theirs["threads"], device=ours["device"], rows=ours["rows"],
         passes=ours["train"]["update_epochs"], num_minibatches=ours["train"]["num_minibatches"],
         num_envs=ours["train"]["num_envs"], num_steps=ours["train"]["num_steps"], num_agents=ours["num_agents"],
         obs_dim=ours["obs_dim"], num_actions=ours["num_actions"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="throng")
    parser.add_argument("--rows", help="learner_rows; default: beside throng")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part alone (repeatable)")
    parser.add_argument("--device", default="auto", help="of throng; default: the GPU if there is one")
    parser.add_argument("--env", help="of speed and win_rate; default: those of the table")
    parser.add_argument("--seconds", type=float, default=20, help="of each speed")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--total_timesteps", type=float, default=1e7, help="of win rates")
    parser.add_argument("--commit", help="of the code, where there is no git to ask")
    options = parser.parse_args()
    options.total_timesteps = int(options.total_timesteps)
    options.rows = options.rows or os.path.join(os.path.dirname(options.program), "learner_rows")
    show(**machine_line(None, options.commit))
    parts = options.only or (PARTS if has_gpu(options.program) else ["cpu"])
    for part in parts:
        {"speed": speed, "time": time_to_win, "win_rate": win_rates, "cpu": cpu}[part](options)
    show_table()


if __name__ == "__main__":
    main()
