"""Learning in the commons: harvest and govsim, what agents learn for themselves and for all; curves as JSON and SVG.

    python3 bench/commons.py --throng build/throng --device cuda --out commons
    python3 bench/commons.py --throng build/throng --only govsim --agent_steps 2e6 --seeds 1    # less, on a CPU
    PYTHONPATH=build/bindings/python:bindings/python python3 bench/commons.py --draw --out commons

Every experiment trains its seeds side by side. In the folder: the runs, and harvest.json and govsim.json with their curves. --draw, which
needs the Python package and no run, writes what a page shows of them into --docs: an SVG for some measures, and the tables
between `<!-- begin: commons -->` and `<!-- end: commons -->` of docs/envs/<game>.md.
"""
import argparse
import json
import os
import re
import subprocess
import time
from pathlib import Path

from collect import cpu_model, said

ROOT = Path(__file__).resolve().parent.parent

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
DRAWN = {  # on the page of the game
    "harvest": ("apples_eaten", "sustainability", "equality", "peace"),
    "govsim": ("survived", "gain_mean", "over_usage"),
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
        if not lines:
            raise SystemExit(f"commons: no episode ended in {folder}; more --agent_steps, or fewer num_envs, are needed")
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


def machine(device):
    gpu = said("nvidia-smi", "--query-gpu=name", "--format=csv,noheader", "-i", "0") if device != "cpu" else ""
    return gpu or f"{cpu_model()}, {len(os.sched_getaffinity(0))} threads"


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
                         "machine": machine(o.device), "agent_steps": o.agent_steps, "settings": o.settings, "curves": curves}
        final = {m: sum(c["final"][m]["mean"] for c in curves) / len(curves) for m in MEASURES[game]}
        print(json.dumps({"game": game, "experiment": name, "device": o.device, "seeds": o.seeds,
                          "agent_steps": o.agent_steps, "env_steps_per_s": rate, **final}), flush=True)
    (o.out / f"{game}.json").write_text(json.dumps(results) + "\n")


def spread(values):
    """The mean over seeds, and in brackets the least and the largest."""
    digits = 1 if max(map(abs, values)) >= 10 else 3
    mean = f"{sum(values) / len(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def section(game, results):
    """What the page says: how it was measured, a table of the last policies, and the curves."""
    first = next(iter(results.values()))
    seeds, steps = len(first["curves"]), f"{first['agent_steps']:.0e}".replace("e+0", "e")
    settings = "".join(f" {k}={v}" for k, v in first["settings"].items())
    rates = "; ".join(f"{name}: {r['env_steps_per_s']:,.0f}" for name, r in results.items())
    rows = [[f"`{m}`", *(spread([c["final"][m]["mean"] for c in r["curves"]]) for r in results.values())] for m in MEASURES[game]]
    lines = [f"`bench/commons.py --only {game}{settings}` on {first['machine']}: IPPO, {seeds} seed{'s' * (seeds > 1)}, {steps} agent steps each.",
             f"Environment steps per second of all seeds together, evaluation included: {rates}.",
             "The last policies with drawn actions, mean of the seeds (least to largest):", "", "| | " + " | ".join(results) + " |", "|---" * (len(results) + 1) + "|",
             *("| " + " | ".join(row) + " |" for row in rows), ""]
    return "\n".join(lines + [f"![{measure} while learning]({game}_{measure}.svg)" for measure in DRAWN[game]])


def fill(page, name, body):
    """Puts the text between the marks of that name."""
    marks = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
    text, count = re.subn(f"{marks[0]}\n.*?{marks[1]}", lambda _: f"{marks[0]}\n{body}\n{marks[1]}", page.read_text(), flags=re.S)
    if count != 1:
        raise SystemExit(f"commons: {page} has {count} places for {name}; one is needed")
    page.write_text(text)


def draw(o, game):
    results = json.loads((o.out / f"{game}.json").read_text())
    for measure in DRAWN[game]:
        (o.docs / f"{game}_{measure}.svg").write_text(chart(game, measure, results))
    fill(o.docs / f"{game}.md", "commons", section(game, results))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--throng", default="throng", help="the program")
    parser.add_argument("--draw", action="store_true", help="only show what was measured")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs" / "envs", help="where the pages are")
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
