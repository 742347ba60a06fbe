"""Learning in the commons: harvest and govsim, what agents learn for themselves and for all; curves as JSON and SVG.

    PYTHONPATH=build/bindings/python:bindings/python python3 bench/commons.py --device cuda --out bench/results/commons
    ... --only govsim --agent_steps 2e6 --seeds 1                             # less, on a CPU

Every experiment trains its seeds side by side. In the folder: curves.json, one SVG for each game and measure, and the runs.
"""
import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import throng

# What is compared: environment, parameters, and settings of training where they are not the environment's preset.
EXPERIMENTS = {
    "harvest": {
        "individual": ("harvest/open", {"reward": "individual"}, {}),
        "shared": ("harvest/open", {"reward": "shared"}, {}),
    },
    "govsim": {
        "individual, silent": ("govsim/fishery", {"reward": "individual"}, {}),
        "individual, with messages": ("govsim/fishery-talk", {"reward": "individual"}, {}),
        "shared, silent": ("govsim/fishery", {"reward": "shared"}, {}),
        "shared, with messages": ("govsim/fishery-talk", {"reward": "shared"}, {}),
    },
}
MEASURES = {
    "harvest": ("apples_eaten", "efficiency", "equality", "sustainability", "peace", "depletion_time"),
    "govsim": ("survived", "survival_time", "gain_mean", "efficiency", "equality", "over_usage"),
}
# A GPU is fed with larger batches than the presets', which are for a CPU.
ON_GPU = {
    "harvest": {"num_envs": 2048, "num_steps": 64, "num_minibatches": 16},
    "govsim": {"num_envs": 4096, "num_steps": 24, "num_minibatches": 8},
}


def train(o, game, name):
    """Trains an experiment's seeds; the folders of its runs, and environment steps per second of all together."""
    env, config, settings = EXPERIMENTS[game][name]
    agents = throng.describe(env)["spec"].num_agents
    settings = {**settings, **(ON_GPU[game] if o.device.startswith("cuda") else {}), **o.settings}
    settings["total_timesteps"] = int(o.agent_steps / agents)
    out = o.out / "runs" / game / name.replace(", ", "_").replace(" ", "_")
    command = ["train", env, "--device", o.device, "--out", str(out), "--quiet", *(f"{k}={v}" for k, v in settings.items()),
               *(f"env.{k}={v}" for k, v in config.items())]
    if o.seeds > 1:
        command += ["--num_seeds", str(o.seeds)]
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "throng", *command], check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    folders = [out / f"seed_{k}" for k in range(o.seeds)] if o.seeds > 1 else [out]
    return folders, o.seeds * settings["total_timesteps"] / seconds


def read(folders, agents):
    """One curve for each run: agent steps, and every number that was logged at all times, [update]."""
    curves = []
    for folder in folders:
        lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        lines = [line for line in lines if "charts/episodic_return" in line]  # updates in which episodes ended
        curve = {"agent_steps": [line["timesteps"] * agents for line in lines]}
        for key in lines[0]:
            if all(isinstance(line.get(key), (int, float)) for line in lines):
                curve[key.removeprefix("charts/")] = [line[key] for line in lines]
        curve["final"] = json.loads((folder / "eval.json").read_text())["sampled"]
        curves.append(curve)
    return curves


def thinned(curve, points=300):
    """Every so manieth point: charts and files need no more."""
    step = max(1, len(curve["agent_steps"]) // points)
    return {key: values[::step] if isinstance(values, list) else values for key, values in curve.items()}


def chart(game, measure, experiments):
    """Mean over seeds, and a band from the least to the largest."""
    series = []
    for name, result in experiments.items():
        curves = [curve[measure] for curve in result["curves"] if measure in curve]
        if not curves:
            continue
        columns = list(zip(*curves))
        series.append((name, result["curves"][0]["agent_steps"][:len(columns)], [sum(c) / len(c) for c in columns],
                       [min(c) for c in columns], [max(c) for c in columns]))
    return throng.line_chart(game, "agent steps", measure, series)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, default=Path("commons"))
    parser.add_argument("--only", choices=EXPERIMENTS, help="one game")
    parser.add_argument("--agent_steps", type=float, default=1e8, help="of each run")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("settings", nargs="*", help="key=value, of training")
    o = parser.parse_args()
    o.settings = dict(setting.split("=", 1) for setting in o.settings)
    o.out.mkdir(parents=True, exist_ok=True)
    for game in [o.only] if o.only else EXPERIMENTS:
        results = {}
        for name, (env, config, _) in EXPERIMENTS[game].items():
            folders, rate = train(o, game, name)
            curves = [thinned(c) for c in read(folders, throng.describe(env)["spec"].num_agents)]
            results[name] = {"env": env, "env_config": config, "env_steps_per_s": rate, "curves": curves}
            final = {m: sum(c["final"][m]["mean"] for c in curves) / len(curves) for m in MEASURES[game]}
            print(json.dumps({"game": game, "experiment": name, "device": o.device, "seeds": o.seeds,
                              "agent_steps": o.agent_steps, "env_steps_per_s": rate, **final}), flush=True)
        (o.out / f"{game}.json").write_text(json.dumps({"throng": throng.__version__, "experiments": results}) + "\n")
        for measure in ("episodic_return", *MEASURES[game]):
            (o.out / f"{game}_{measure}.svg").write_text(chart(game, measure, results))


if __name__ == "__main__":
    main()
