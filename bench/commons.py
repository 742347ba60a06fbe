"""Learning in the commons: harvest and govsim, what agents learn for themselves and for all; curves as JSON and SVG.

    python3 bench/commons.py --throng build/throng --device cuda --out commons
    python3 bench/commons.py --throng build/throng --only govsim --agent_steps 2e6 --seeds 1    # less, on a CPU
    PYTHONPATH=build/bindings/python:bindings/python python3 bench/commons.py --draw --out commons

Every experiment trains its seeds side by side. In the folder: the runs, harvest.json and govsim.json with their curves, and, by
--draw, which needs the Python package and no run, an SVG for each game and measure.
"""
import argparse
import json
import subprocess
import time
from pathlib import Path

# What is compared: environment, parameters, and settings of training where they are not the environment's preset.
EXPERIMENTS = {
    "harvest": {
        "individual": ("harvest/open", {"reward": "individual"}, {}),
        "shared": ("harvest/open", {"reward": "shared"}, {}),
    },
    # 0 to 20 per head: who takes 0 to 100 at random never sees a second month, and has nothing to learn from.
    "govsim": {
        f"{reward}, {talk}": (f"govsim/{scenario}", {"reward": reward, "harvest_actions": "per_head"}, {})
        for reward in ("individual", "shared")
        for talk, scenario in (("silent", "fishery"), ("with messages", "fishery-talk"))
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


def describe(o, env):
    return json.loads(subprocess.run([o.throng, "describe", env, "--json"], check=True, capture_output=True).stdout)


def train(o, game, name):
    """Trains an experiment's seeds; the folders of its runs, and environment steps per second of all together."""
    env, config, settings = EXPERIMENTS[game][name]
    agents = describe(o, env)["num_agents"]
    settings = {**settings, **(ON_GPU[game] if o.device.startswith("cuda") else {}), **o.settings}
    settings["total_timesteps"] = int(o.agent_steps / agents)
    out = o.out / "runs" / game / name.replace(", ", "_").replace(" ", "_")
    command = [o.throng, "train", env, "--device", o.device, "--out", str(out), "--quiet", *(f"{k}={v}" for k, v in settings.items()),
               *(f"env.{k}={v}" for k, v in config.items())]
    if o.seeds > 1:
        command += ["--num_seeds", str(o.seeds)]
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
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
    import throng

    series = []
    for name, result in experiments.items():
        curves = [curve[measure] for curve in result["curves"] if measure in curve]
        if not curves:
            continue
        columns = list(zip(*curves))
        series.append((name, result["curves"][0]["agent_steps"][:len(columns)], [sum(c) / len(c) for c in columns],
                       [min(c) for c in columns], [max(c) for c in columns]))
    return throng.line_chart(game, "agent steps", measure, series)


def run(o, game):
    results = {}
    for name, (env, config, _) in EXPERIMENTS[game].items():
        folders, rate = train(o, game, name)
        described = describe(o, env)
        curves = [thinned(c) for c in read(folders, described["num_agents"])]
        results[name] = {"env": env, "version": described["version"], "env_config": config, "env_steps_per_s": rate,
                         "device": o.device, "curves": curves}
        final = {m: sum(c["final"][m]["mean"] for c in curves) / len(curves) for m in MEASURES[game]}
        print(json.dumps({"game": game, "experiment": name, "device": o.device, "seeds": o.seeds,
                          "agent_steps": o.agent_steps, "env_steps_per_s": rate, **final}), flush=True)
    (o.out / f"{game}.json").write_text(json.dumps(results) + "\n")


def draw(o, game):
    results = json.loads((o.out / f"{game}.json").read_text())
    for measure in ("episodic_return", *MEASURES[game]):
        (o.out / f"{game}_{measure}.svg").write_text(chart(game, measure, results))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--throng", default="throng", help="the program")
    parser.add_argument("--draw", action="store_true", help="only draw what was measured")
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
        (draw if o.draw else run)(o, game)


if __name__ == "__main__":
    main()
