#!/usr/bin/env python3
"""Rewrites the tables of README.md, docs/benchmarks.md and docs/self_play.md from what was measured, bench/results/<machine>/*.jsonl.

    python3 bench/tables.py [--results DIR] [--check] [PAGE ...]

A table stands between `<!-- begin: NAME -->` and `<!-- end: NAME -->`. The files hold what `throng bench`, `eval` and
`train` print with --json, what bench/self_play.py prints, and the lines that bench/collect.py puts before it. Standard library only.
"""
import argparse
import os
import re
import sys

from measurements import Results

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGES = [os.path.join(ROOT, "README.md"), *(os.path.join(ROOT, "docs", page) for page in ("benchmarks.md", "multi_objective.md", "self_play.md"))]
FIRST = ["smax/3m", "smax/2s3z", "smax/smacv2_10_units", "smax/27m_vs_30m"]  # rows that always stand in the tables
TRAINED = ["smax/3m", "smax/2s3z"]
# JaxMARL 0.2.0 (c793d09), measured by us on one H200 with jax 0.11.2: random actions, observations written, its best batch.
PEER, PEER_GPU = "JaxMARL 0.2.0, NVIDIA H200", "NVIDIA H200"
PEER_STEPPING = {"smax/3m": 31.1e6, "smax/2s3z": 11.7e6, "smax/smacv2_10_units": 2.74e6, "smax/27m_vs_30m": 0.363e6}
# MOMAland 6dd3295 on one core of a 2.6 GHz Xeon (NumPy 1.24, random actions drawn beforehand), and how many times that a core of
# ours is to be; a GPU 20,000 times.
MOMALAND = {"beach/default": (2045, 300), "beach/10_agents": (28044, 300), "item_gathering/default": (45144, 100),
            "route_choice/braess_1": (93, 300), "route_choice/ow": (2.5, 300), "gem_mining/default": (5626, 100),
            "drones/surround": (4599, 100), "drones/escort": (4784, 100), "drones/catch": (4316, 100),
            "connect4/7x6": (24817, 100), "breakthrough/8x8": (12006, 100), "samegame/15x15": (1596, 100),
            "ingenious/2_players": (4019, 100)}
GPU_TIMES = 20000
PLACE = "<!-- figures: bench/results -->"  # stands where nothing has been measured yet
WON = (0.5, 0.8, 0.95)


# --- writing --------------------------------------------------------------------------------------------------------

def si(value):
    """Three digits: 73.1 k, 1.04 M, 577 M."""
    for unit in ("", " k", " M", " G"):
        if abs(value) < 999.5 or unit == " G":
            return f"{value:.{2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0}f}{unit}"
        value /= 1000
    return None


def table(header, rows, numbers=True):
    """Numbers stand to the right, words to the left."""
    rule = ["---"] + ["---:" if numbers else "---"] * (len(header) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, rule, *rows])


def titled(line, text):
    """A table under what it was measured on and with."""
    facts = line["facts"]
    commit = facts.get("commit", "unknown")[:10] + (" with changes" if facts.get("changed") else "")
    driver = f", driver {facts['driver']}" if facts.get("driver") and line["device"] != "cpu" else ""
    return (f"**{line['label']}**{driver} (`{line['machine']}`; throng {line['throng']} at `{commit}`, "
            f"{facts.get('date', 'no date')[:10]})\n\n{text}")


def ordered(envs):
    return [e for e in FIRST if e in envs] + sorted(set(envs) - set(FIRST))


def groups(results):
    """Lines of stepping by what computed them, GPUs first, each group by environment."""
    found = {}
    for line in results.stepping:
        by_env = found.setdefault((line["device"] == "cpu", line["machine"], line["label"]), {})
        by_env.setdefault(line["env"], []).append(line)
    return [found[key] for key in sorted(found)]


def best(lines):
    return max(lines, key=lambda line: line["env_steps_per_s"])


def speed(results):
    by_device = groups(results)
    trained = {}
    for run in results.runs:
        trained.setdefault(run["run"]["env"], []).append(run)
    columns = [best(next(iter(by_env.values())))["label"] for by_env in by_device] or ["throng"]
    rows = []
    for env in FIRST:
        cells = [si(best(by_env[env])["env_steps_per_s"]) if env in by_env else "" for by_env in by_device] or [""]
        rows.append([f"stepping, `{env}`", *cells, si(PEER_STEPPING[env])])
    for env in TRAINED:
        cells = [training_rate(trained.get(env, []), by_env) for by_env in by_device] or [""]
        rows.append([f"training IPPO, `{env}`", *cells, ""])
    note = "" if by_device else PLACE + "\n"
    return note + table(["", *columns, PEER], rows)


def training_rate(runs, by_env):
    """Of the latest run on the same kind of device of the same machine."""
    line = best(next(iter(by_env.values())))
    fits = [r for r in runs if r["facts"]["machine"] == line["machine"] and (r["run"]["device"] == "cpu") == (line["device"] == "cpu")]
    if line["device"] == "cpu" and line["label"].startswith("1 thread "):
        return ""
    return si(fits[-1]["updates"][-1]["charts/SPS"]) if fits else ""


def stepping(results):
    parts = []
    for by_env in groups(results):
        rows = []
        for env in ordered(by_env):
            line = best(by_env[env])
            rows.append([f"`{env}`", str(line["num_agents"]), si(line["env_steps_per_s"]),
                         f"{si(line['env_steps_per_s_min'])} .. {si(line['env_steps_per_s_max'])}", si(line["agent_steps_per_s"]),
                         f"{line['num_envs']:,}", str(line["lanes"]), si(line["bytes_per_env"]) + "B",
                         f"{line['first_step_ms']:.0f} ms", times_peer(env, line)])
        header = ["", "agents", "env steps/s", "least .. most", "agent steps/s", "at num_envs", "lanes", "memory/env", "first step",
                  "JaxMARL's best"]
        parts.append(titled(line, table(header, rows)))
    return "\n\n".join(parts)


def times_peer(env, line):
    """Only figures of the same GPU are divided by each other."""
    return f"{line['env_steps_per_s'] / PEER_STEPPING[env]:.1f} x" if line["label"] == PEER_GPU and env in PEER_STEPPING else ""


def at_once(results):
    """Many steps with random actions in one launch, only the last of them observed."""
    rows = [[f"`{line['env']}`", line["label"], f"{line['num_envs']:,}", str(line["step_random"]), si(line["env_steps_per_s"])]
            for line in results.at_once]
    return table(["", "computed by", "num_envs", "steps a launch", "env steps/s"], rows, numbers=False) if rows else ""


def batch_sizes(results):
    parts = []
    for by_env in groups(results):
        rates = {(line["env"], line["num_envs"]): line["env_steps_per_s"] for lines in by_env.values() for line in lines}
        envs, sizes = ordered(by_env), sorted({size for _, size in rates})
        rows = [[f"{size:,}", *(si(rates[env, size]) if (env, size) in rates else "" for env in envs)] for size in sizes]
        parts.append(titled(best(by_env[envs[0]]), table(["num_envs", *(f"`{env}`" for env in envs)], rows)))
    return "\n\n".join(parts)


def bits(results):
    """Equal hashes: equal states, wherever they were computed. Every difference is named."""
    seen = {}
    for line in results.stepping:
        seen.setdefault((line["env"], line["version"], line["num_envs"], line["seed"], line["hash_steps"]), []).append(line)
    rows = []
    for env in ordered({key[0] for key in seen}):
        compared = {key: lines for key, lines in seen.items() if key[0] == env and len(lines) > 1}
        differ = [f"{key[2]:,}" for key, lines in compared.items() if len({line["state_hash"] for line in lines}) > 1]
        devices = sorted({line["label"] for lines in compared.values() for line in lines})
        if compared:
            sizes = ", ".join(f"{size:,}" for size in sorted({key[2] for key in compared}))
            rows.append([f"`{env}`", sizes, "; ".join(devices), "**DIFFER** at " + ", ".join(differ) if differ else "equal"])
    return table(["", "num_envs", "computed by", "state hashes"], rows, numbers=False) if rows else ""


def training(results):
    rows = []
    for run in sorted(results.runs, key=lambda r: (r["run"]["env"], r["facts"]["machine"], r["run"]["train"]["seed"])):
        train, last = run["run"]["train"], run["updates"][-1]
        reached = [next((f"{u['seconds']:.1f}" for u in run["updates"] if (u.get("win_rate") or 0) >= won), "-") for won in WON]
        rows.append([f"`{run['run']['env']}`", f"{run['facts']['machine']}, {run['run']['device']}", str(train["seed"]),
                     f"{train['num_envs']} x {train['num_steps']}", si(last["timesteps"]), f"{last['seconds']:.1f}",
                     si(last["charts/SPS"]), " / ".join(reached), estimate(run["result"]["sampled"]), estimate(run["result"]["greedy"])])
    header = ["", "machine, device", "seed", "envs x steps", "env steps", "seconds", "env steps/s", "seconds to 50 / 80 / 95 %", "sampled",
              "greedy"]
    return table(header, rows, numbers=False) if rows else ""


def estimate(evaluation):
    """The win rate, or in games without one the return; with its 95 % interval."""
    found = evaluation.get("win_rate") or evaluation.get("episodic_return")
    if not found or found["mean"] is None:
        return "-"
    return f"{found['mean']:.3f}" + (f" ± {found['ci95']:.3f}" if found["ci95"] is not None else "")


def evaluations(results):
    rows = [[f"`{e['env']}`", e["facts"]["machine"], e["device"], si(e["timesteps"]), str(e["episodes"]),
             "greedy" if e["greedy"] else "sampled", estimate(e)] for e in results.evaluations]
    header = ["", "machine", "device", "env steps", "episodes", "actions", "win rate or return"]
    return table(header, rows, numbers=False) if rows else ""


def self_play(results):
    """Every method at equal budgets, the least exploitable first."""
    parts = []
    for machine, env in sorted({(line["machine"], line["env"]) for line in results.self_play if line["type"] == "method"}):
        lines = [line for line in results.self_play if line["type"] == "method" and (line["machine"], line["env"]) == (machine, env)]
        rows = [[f"`{m['method']}`", f"{m['ent_coef']:g}", si(m["steps"]), f"{m['train_seconds']:.1f}", f"{m['elo']:.0f}", f"{m['nash']:.2f}",
                 f"{m['exploiter_win_rate']:.3f} ({m['exploiter_win_rate_low']:.3f} to {m['exploiter_win_rate_high']:.3f})",
                 f"{m['exploitability']:.2f}"] for m in sorted(lines, key=lambda m: m["exploitability"])]
        last = lines[-1]
        header = ["`selfplay`", "`ent_coef`", "learned steps", "seconds", "Elo", "Nash", "the best exploiter wins (95 %)", "exploitability, at least"]
        parts.append(f"`{env}` on `{machine}`; {last['exploiters']} exploiters of {si(last['exploit_steps'])} steps each\n\n{table(header, rows)}")
    return "\n\n".join(parts)


def tournaments(results):
    rows = [[f"`{t['env']}`", t["machine"], str(t["players"]), str(t["rounds"]), f"{t['seconds']:.1f}", si(t["env_steps"]), si(t["env_steps_per_s"])]
            for t in results.self_play if t["type"] == "tournament"]
    return table(["", "machine", "players", "games of a pair", "seconds", "env steps", "env steps/s"], rows) if rows else ""


def momaland(results):
    """Every game's rate on one core and on a GPU beside MOMAland's on one core."""
    def fastest(lines, env):
        found = [line for line in lines if line["env"] == env]
        return best(found) if found else None

    def cells(line, peer):
        return [si(line["env_steps_per_s"]), f"{line['env_steps_per_s'] / peer:,.0f} x"] if line else ["", ""]

    rows = []
    for env, (peer, wanted) in MOMALAND.items():
        core, gpu = fastest(results.alone, env), fastest([l for l in results.stepping if l["device"] != "cpu"], env)
        agents = (core or gpu or {}).get("num_agents", "")
        rows.append([f"`{env}`", str(agents), si(peer), *cells(core, peer), f"{wanted} x", *cells(gpu, peer)])
    core = results.alone[0]["facts"] if results.alone else {}
    said = f"\n\nOne core: `{core['cpu']}`, with a load of {core.get('load', '?')} by other programs on {core['cpu_threads']}." if core else ""
    header = ["", "agents", "MOMAland, a core", "throng, a core", "", "wanted", "throng, a GPU", f"wanted {GPU_TIMES:,} x"]
    return table(header, rows) + said


def fronts(results):
    """How good the learned fronts are: of most probable actions, beside the exact one where it is known."""
    rows = []
    for f in sorted(results.fronts, key=lambda f: (f["env"], f["machine"], f["runs"])):
        greedy, sampled = f["greedy"], f["sampled"]
        share = f"{100 * greedy['share_of_exact']:.1f} %" if "share_of_exact" in greedy else ""
        seeds = len(f.get("hypervolumes_of_seeds", [0]))
        policies = f"{f['runs']} of fixed weights" if f["runs"] > 1 else "1, told the weights" + (f"; the best of {seeds} seeds" if seeds > 1 else "")
        reference = "(" + ", ".join(f"{x:.4g}" for x in greedy["reference"]) + ")"
        rows.append([f"`{f['env']}`", f["machine"], policies, si(f["timesteps"]), f"{f['seconds']:.1f} / {f['wall_seconds']:.1f}",
                     f"{greedy['hypervolume']:.4g}", share, f"{greedy['hypervolume_again']:.4g}", str(greedy["cardinality"]),
                     f"{sampled['hypervolume']:.4g}", reference])
    header = ["", "machine", "policies", "env steps", "seconds: training / all", "hypervolume", "of the exact", "again", "points",
              "drawn actions", "over"]
    return table(header, rows, numbers=False) if rows else ""


def from_python(results):
    """Every way in that bench/doors.py measured, one table for each size that it was asked for."""
    runs = {}
    for line in results.doors:
        asked = line["asked"]
        runs.setdefault((line["facts"]["machine"], asked["env"], asked["num_envs"]), []).append(line)
    parts = []
    for (machine, env, num_envs), lines in sorted(runs.items()):
        facts = lines[0]["facts"]
        rows = [[line["door"], *spread(line)] for line in lines if "skipped" not in line]
        title = (f"`{env}`, {num_envs:,} environments, **{facts.get('gpu') or facts.get('cpu')}**, driver {facts.get('driver')} (`{machine}`; "
                 f"throng at `{facts.get('commit', 'unknown')[:10]}`, {facts.get('date', 'no date')[:10]})")
        parts.append(title + "\n\n" + table(["", "env steps/s", "least .. most"], rows))
    return "\n\n".join(parts)


def spread(line):
    """The rate and its range; seconds where a door is not a matter of steps; rows where its own benchmark counts those."""
    if "seconds" in line:
        return [f"{line['seconds']:.2f} s", f"{line['of_which_numpy']:.2f} s of it `import numpy`"]
    if "row_steps_per_s" in line:
        return [f"{si(line['row_steps_per_s'])} rows", ""]
    return [si(line["env_steps_per_s"]), f"{si(line['least'])} .. {si(line['most'])}" if "least" in line else ""]


def machines(results):
    rows = [[f"`{name}`", f.get("gpu") or "none", f.get("driver") or "", f"{f.get('cpu', '')}, {f.get('cpu_threads', '?')} threads",
             f.get("os", "")] for name, f in sorted(results.machines.items())]
    return table(["", "GPU", "driver", "CPU", "system"], rows, numbers=False) if rows else ""


TABLES = {t.__name__: t for t in (speed, stepping, at_once, batch_sizes, bits, training, evaluations, momaland, fronts, from_python, self_play, tournaments, machines)}


def rewritten(page, text, results):
    def between(match):
        if match[1] not in TABLES:
            sys.exit(f"tables: {page}: no table is named {match[1]}; there are {', '.join(TABLES)}")
        body = TABLES[match[1]](results) or PLACE + "\nNot measured yet."
        return f"<!-- begin: {match[1]} -->\n{body}\n<!-- end: {match[1]} -->"

    text, count = re.subn(r"<!-- begin: (\w+) -->\n.*?<!-- end: \1 -->", between, text, flags=re.S)
    if count != len(re.findall("<!-- begin: ", text)):
        sys.exit(f"tables: {page}: a table begins and does not end")
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", metavar="PAGE", nargs="*", default=PAGES, help="default: README.md, docs/benchmarks.md and docs/self_play.md")
    parser.add_argument("--results", default=os.path.join(ROOT, "bench", "results"), help="default: bench/results")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is not up to date")
    options = parser.parse_args()
    results, stale = Results(options.results), False
    for page in options.pages:
        with open(page, encoding="utf-8") as f:
            before = f.read()
        after = rewritten(page, before, results)
        if after == before:
            continue
        stale = True
        print("tables:", page, "is out of date" if options.check else "rewritten", file=sys.stderr)
        if not options.check:
            with open(page + ".partial", "w", encoding="utf-8") as f:
                f.write(after)
            os.replace(page + ".partial", page)
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
