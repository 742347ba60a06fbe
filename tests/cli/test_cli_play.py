"""`throng play` in a pseudo-terminal: what it draws, what keys do, and the terminal as it was at every end."""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

import pytest
from running import THRONG, done, environment, refused

ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
HALF_BLOCK = "▀".encode()


class Window:
    """The program in a terminal of 100 x 40."""

    def __init__(self, *args, **variables):
        self.terminal, self.inner = pty.openpty()
        fcntl.ioctl(self.inner, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        self.before = termios.tcgetattr(self.inner)
        self.output = b""
        self.process = subprocess.Popen([THRONG, "play", *args], stdin=self.inner, stdout=self.inner, stderr=subprocess.PIPE,
                                        env=environment(**{"TERM": "xterm-256color", "COLORTERM": "truecolor"} | variables),
                                        start_new_session=True)

    def read_until(self, done, seconds=60):
        end = time.time() + seconds
        while not done(self.output):
            assert time.time() < end, self.output[-2000:]
            if select.select([self.terminal], [], [], 0.1)[0]:
                self.output += os.read(self.terminal, 65536)
        return self.output

    def press(self, keys):
        os.write(self.terminal, keys)

    def finish(self):
        """The exit status; the terminal must be what it was."""
        self.read_until(lambda output: output.endswith(LEAVE))
        status = self.process.wait(60)
        assert termios.tcgetattr(self.inner) == self.before
        self.stderr = self.process.stderr.read().decode()
        for end in (self.terminal, self.inner):
            os.close(end)
        return status


def drawn(output):
    return output.count(HALF_BLOCK) > 500


@pytest.mark.parametrize("colors", ["truecolor", ""])
def test_a_fight_is_drawn_and_q_ends_it(colors):
    window = Window("fighting", COLORTERM=colors)
    output = window.read_until(drawn)
    assert output.startswith(ENTER)
    assert (b"38;2;" if colors else b"38;5;") in output
    help_text = window.read_until(lambda output: b"special A" in output)
    assert b"q quit" in help_text and b"a light" in help_text
    assert termios.tcgetattr(window.inner) != window.before  # raw
    window.press(b"\x1b[Ca")  # right arrow, light attack
    before = len(window.output)
    window.read_until(lambda output: output[before:].count(HALF_BLOCK) > 200)  # it moves
    window.press(b"q")
    assert window.finish() == 0
    assert "0 episodes" in window.stderr


@pytest.mark.parametrize("end, status", [(b"\x03", 130), (signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_however_it_ends_the_terminal_is_put_back(end, status):
    window = Window("fighting", "env.opponent=random")
    window.read_until(drawn)
    if isinstance(end, bytes):
        window.press(end)
    else:
        os.kill(window.process.pid, end)
    assert window.finish() == status


def test_a_round_is_played_to_its_end_and_counted():
    window = Window("fighting", "env.opponent=difficulty_8", "env.episode=round", "env.start_health=10", "--speed", "50")
    window.read_until(lambda output: b"   1 episodes, last return" in output)
    window.press(b"q")
    assert window.finish() == 0


def test_against_a_policy_of_a_run(tmp_path):
    run = str(tmp_path / "run")
    done("train", "fighting/round", "selfplay=naive", "num_envs=16", "num_opponents=4", "num_steps=8", "num_minibatches=1", "total_timesteps=256", "snapshot_steps=128",
         "hidden_sizes=[8]", "eval_episodes=2", "env.start_health=10", "--out", run, "--device", "cpu", "--quiet")
    for policy in (run, f"{run}@latest", f"{run}@pool/0000.safetensors"):
        window = Window("fighting", "--opponent", policy, "env.episode=round", "env.start_health=10", "--speed", "50")
        window.read_until(lambda output: b"   1 episodes, last return" in output)
        window.press(b"\x03")
        assert window.finish() == 130
    assert "holds no run" in refused("play", "fighting", "--opponent", str(tmp_path))
    assert "no_such" in refused("play", "fighting", "--opponent", f"{run}@no_such")


def test_a_game_that_waits_for_keys():
    window = Window("smax/3m", "--policy", "heuristic")
    window.read_until(drawn)
    time.sleep(0.5)
    window.read_until(lambda output: not select.select([window.terminal], [], [], 0.2)[0])
    quiet = len(window.output)
    time.sleep(0.5)
    assert not select.select([window.terminal], [], [], 0)[0]  # nothing happens by itself
    window.press(b"3")
    window.read_until(lambda output: len(output) > quiet)
    window.press(b"q")
    assert window.finish() == 0


def test_without_a_terminal_there_is_one_clear_error():
    assert "terminal" in refused("play", "fighting", stdin=subprocess.DEVNULL)


def test_what_cannot_be_played_is_refused():
    assert "several choices" in refused("play", "fighting/motion")
    assert "valid: random" in refused("play", "fighting", "--policy", "champion")
    assert "--fps" in refused("play", "fighting", "--fps", "0")
