"""The table of govsim: replies that are read, sentences that become tokens, and a whole game."""
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

PATH = Path(__file__).resolve().parents[2] / "examples" / "govsim_table.py"
spec = importlib.util.spec_from_file_location("govsim_table", PATH)
table = importlib.util.module_from_spec(spec)
spec.loader.exec_module(table)


@pytest.mark.parametrize("reply, want", [
    ('{"harvest": 10}', (10, "", "ok")),
    ('I think {so}. {"harvest": 10, "message": "At most 10!"} Thanks.', (10, "At most 10!", "ok")),
    ('{"harvest": 10.0}', (10, "", "ok")),
    ('{"harvest": 200}', (100, "", "clamped")),
    ('{"harvest": -3}', (0, "", "clamped")),
    ('{"harvest": true}', (0, "", "unreadable")),
    ('{"harvest": "many"}', (0, "", "unreadable")),
    ("My answer: 12 tons", (12, "", "guessed")),
    ("Nothing to say", (0, "", "unreadable")),
    ("", (0, "", "unreadable")),
    (None, (0, "", "unreadable")),
])
def test_replies(reply, want):
    assert table.parse(reply, stock=100) == want


@pytest.mark.parametrize("text, token", [
    ("", 0), (None, 0), ("Good morning", 0), ("You took too much.", 1), ("Let us all take at most 10.", 12),
    ("No more than 0!", 2), ("at most 99", 0),
])
def test_sentences(text, token):
    assert table.token_of(text) == token


def test_tokens_read_back():
    assert all(table.token_of(table.sentence(token)) == token for token in range(table.MESSAGES))


class FakeEnv:
    possible_agents = ["fisher_0", "fisher_1", "fisher_2"]


def test_an_observation_in_words():
    parameters = {"wording": "fishery", "capacity": 100, "months": 12, "vocab": 23, "horizon": "fixed",
                  "universalization": True, "observe_others": True, "collapse_level": 5}
    row = np.zeros(4 + 3 + 2 + 3 * 23 + 2, np.float32)
    row[[0, 1, 2, 4, 5, 7, 8]] = 0.6, 2 / 12, 1, 0.2, 0.1, 0.3, 0.4  # agent 1 sees 2, then 0
    row[9 + 0], row[9 + 23 + 1], row[9 + 46 + 12] = 1, 1, 1
    row[9 + 69], row[9 + 70] = 0.1, 0.3
    at = table.Table(FakeEnv(), parameters)
    facts = at.facts(row, 1)
    assert (facts["stock"], facts["month"], facts["want"], facts["got"]) == (60, 2, 20, 10)
    assert facts["others"] == {"fisher_2": 30, "fisher_0": 40}
    assert facts["said"] == {"fisher_1": 0, "fisher_2": 1, "fisher_0": 12}
    prompt = at.render(row, 1, month=2)
    for words in ["You are fisher_1, one of 3", "Month 3: 60 tons", "wanted 20 tons and got 10", "fisher_2 30, fisher_0 40",
                  "fisher_2 said: Somebody takes too much.", "fisher_0 said: Let us all take at most 10.",
                  "more than 10 tons", "from 0 to 60", '"message"']:
        assert words in prompt
    assert table.parse(table.stand_in(prompt), 60)[0] == 10
    assert "fisher_9 said: Hello" in at.render(row, 1, 2, [("fisher_9", "Hello")])


def test_a_game(tmp_path):
    path = tmp_path / "game.jsonl"
    measures = table.play("govsim/fishery-talk", show=None, replay=path)
    assert measures["survived"] == 1 and measures["efficiency"] == 1 and measures["unreadable"] == 0
    assert measures["agreement"] == 1
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0]["env"] == "govsim/fishery-talk" and len(lines) == 13
    greedy = table.play("govsim/pasture", [lambda prompt: '{"harvest": 100}'] * 5, show=None)
    assert greedy["collapsed"] == 1 and greedy["survival_time"] == 1
    silent = table.play("govsim/pollution", [lambda prompt: "..."] * 5, show=None)
    assert silent["unreadable"] == 60 and silent["total_harvest"] == 0
