"""A table of govsim at which language models can sit: observations as text, replies as actions, one game played.

    python3 examples/govsim_table.py                      # a scripted stand-in speaks for everybody
    python3 examples/govsim_table.py --env govsim/pasture --replay game.jsonl

A real model is any function from a prompt to a reply: give `play` one for each seat.
"""
import argparse
import json
import re

import numpy as np
import throng

MESSAGES = 23  # 0 silent, 1 accuse, 2 + n: let us all take at most n


# --- what an agent knows, as words -------------------------------------------------------------------------------------

WORDINGS = {
    "fishery": {
        "who": "You are {name}, one of {people} fishers who live off one lake. Every fisher catches fish for a living.",
        "stock": "tons of fish are in the lake", "unit": "tons", "ask": "How many tons of fish do you catch",
        "growth": "What is left in the lake after the catch doubles within the month, up to {capacity} tons.",
    },
    "pasture": {
        "who": "You are {name}, one of {people} shepherds who share one pasture. A flock eats a hectare of grass.",
        "stock": "hectares of grass are on the pasture", "unit": "flocks", "ask": "How many flocks do you send",
        "growth": "The grass that is left doubles within the month, up to {capacity} hectares.",
    },
    "pollution": {
        "who": "You are {name}, one of {people} factory owners on one river. A pallet of widgets pollutes 1 % of it.",
        "stock": "% of the river's water are clean", "unit": "pallets", "ask": "How many pallets do you make",
        "growth": "The clean water that is left doubles within the month, up to {capacity} %.",
    },
}


class Table:
    """Reads rows of observations, and writes and reads what is said at the table."""

    def __init__(self, env, parameters):
        self.parameters = parameters
        self.words = WORDINGS[parameters["wording"]]
        self.names = list(env.possible_agents)

    def facts(self, row, agent):
        """The features of an observation (docs/envs/govsim.md) as the numbers that they stand for."""
        p, n = self.parameters, len(self.names)
        units = lambda value: int(round(float(value) * p["capacity"]))
        others = {self.names[(agent + i) % n]: units(row[6 + i]) for i in range(1, n)}
        at, said = 7 + n - 1, {}
        for i in range(n if p["vocab"] else 0):
            said[self.names[(agent + i) % n]] = int(np.argmax(row[at + i * p["vocab"]:at + (i + 1) * p["vocab"]]))
        threshold = units(row[at + n * p["vocab"]]) if p["universalization"] else None
        month = None if p["horizon"] != "fixed" else int(round(float(row[1]) * p["months"]))
        return {"stock": units(row[0]), "month": month, "want": units(row[4]), "got": units(row[5]), "others": others,
                "said": said, "threshold": threshold}

    def render(self, row, agent, month, speeches=()):
        """The prompt of an agent. `speeches` is what was said in words, shown as it is instead of tokens."""
        f, w, p = self.facts(row, agent), self.words, self.parameters
        fill = {"name": self.names[agent], "people": len(self.names), "capacity": p["capacity"]}
        lines = [w["who"].format(**fill), w["growth"].format(**fill),
                 f"If less than {p['collapse_level']} are left after a month, nothing will ever grow again.", ""]
        lines.append(f"Month {month + 1}: {f['stock']} {w['stock']}.")
        if month > 0:
            lines.append(f"Last month you wanted {f['want']} {w['unit']} and got {f['got']}.")
            if p["observe_others"]:
                lines.append("Others got: " + ", ".join(f"{name} {got}" for name, got in f["others"].items()) + ".")
        spoken = list(speeches) or [(name, sentence(token)) for name, token in f["said"].items() if token]
        lines += [f"{name} said: {text}" for name, text in spoken]
        if f["threshold"] is not None:
            lines.append(f"If everybody takes more than {f['threshold']} {w['unit']}, there will be less next month.")
        answer = '{"harvest": number' + (', "message": "a sentence to all"}' if p["vocab"] else "}")
        lines += ["", f"{w['ask']} this month, from 0 to {f['stock']}? Answer with one JSON object: {answer}"]
        return "\n".join(lines)


def sentence(token):
    """A message token in words."""
    return "" if token == 0 else "Somebody takes too much." if token == 1 else f"Let us all take at most {token - 2}."


def token_of(text):
    """The token that comes nearest to a sentence."""
    limit = re.search(r"\b(?:at most|no more than|up to|limit\D{0,20}|only|max\w*)\s*(\d+)", text or "", re.I)
    if limit and int(limit[1]) <= MESSAGES - 3:
        return 2 + int(limit[1])
    return 1 if re.search(r"\b(too much|too many|greed\w*|accus\w*|blame\w*|overf\w*)", text or "", re.I) else 0


def parse(reply, stock):
    """(harvest, message text, status) of a reply; status is "ok", "clamped", "guessed" or "unreadable", which means 0."""
    for found in re.finditer(r"\{[^{}]*\}", reply or "", re.S):
        try:
            said = json.loads(found[0])
        except ValueError:
            continue
        harvest = said.get("harvest")
        if isinstance(harvest, bool) or not isinstance(harvest, (int, float)) or harvest != int(harvest):
            continue
        message = said.get("message")
        inside = min(max(int(harvest), 0), stock)
        return inside, message if isinstance(message, str) else "", "ok" if inside == harvest else "clamped"
    number = re.search(r"(?:harvest|answer|catch|send|make)\D{0,40}(\d+)", reply or "", re.I)
    if number:
        return min(int(number[1]), stock), "", "guessed"
    return 0, "", "unreadable"


# --- one game ----------------------------------------------------------------------------------------------------------

def stand_in(prompt):
    """Where a real client plugs in: send `prompt` to a model and return its reply. This one divides half of the stock."""
    stock = int(re.search(r"^Month \d+: (\d+)", prompt, re.M)[1])
    people = int(re.search(r"one of (\d+)", prompt)[1])
    share = stock // 2 // people
    return f"Half of it can be taken. {json.dumps({'harvest': share, 'message': f'Let us all take at most {share}.'})}"


def play(env_id, seats=None, seed=0, config=None, show=print, replay=None):
    """Plays one episode and returns its measures. `seats`: a function from prompt to reply for each agent."""
    config = dict(config or {})
    env = throng.make(env_id, num_envs=1, config=config, copy=True)
    parameters = throng.describe(env_id, config)["parameters"]
    parameters = {p["name"]: p["default"] for p in parameters}
    table, seats = Table(env, parameters), seats or [stand_in] * len(env.possible_agents)
    obs, _ = env.reset(seed=seed)
    speeches, failures, month, lines = [], 0, 0, []
    while True:
        actions, heard = [], []
        for agent, model in enumerate(seats):
            prompt = table.render(obs[0, agent], agent, month, speeches)
            stock = table.facts(obs[0, agent], agent)["stock"]
            harvest, text, status = parse(model(prompt), stock)
            failures += status == "unreadable"
            actions.append([harvest, token_of(text)] if parameters["vocab"] else harvest)
            if text and parameters["vocab"]:
                heard.append((table.names[agent], text))
            if show and month == 0 and agent == 0:
                show(prompt)
        lines.append({"month": month, "actions": actions, "speeches": heard})
        obs, rewards, terminations, truncations, info = env.step(np.array([actions], np.int32))
        if show:
            show(f"month {month + 1}: got {[int(r) for r in rewards[0]]}")
        speeches, month = heard, month + 1
        if terminations[0, 0] or truncations[0, 0]:
            break
    if replay:
        with open(replay, "w", encoding="utf-8") as file:
            for line in [{"env": env_id, "seed": seed, "config": config}, *lines]:
                file.write(json.dumps(line) + "\n")
    measures = {name: float(np.ravel(value)[0]) for name, value in info["episode"].items()
                if name not in ("returns", "ended")}
    return {**measures, "unreadable": failures}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--env", default="govsim/fishery-talk")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--replay", help="write the game to this file, a line for each month")
    options = parser.parse_args()
    for name, value in play(options.env, seed=options.seed, replay=options.replay).items():
        print(f"{name:>16}: {value:g}")


if __name__ == "__main__":
    main()
