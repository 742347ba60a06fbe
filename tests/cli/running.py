"""Running the program: what the tests of the command line share. It is named by THRONG_BIN, or build/throng."""
import json
import os
import signal
import subprocess

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
THRONG = os.path.abspath(os.environ.get("THRONG_BIN", os.path.join(ROOT, "build", "throng")))
ENV = "smax/3m"
# A run of seconds: 12 updates of 128 steps.
SMALL = ["--total_timesteps", "1536", "--num_envs", "8", "--num_steps", "16", "--hidden_sizes", "[16]", "eval_episodes=8",
         "--checkpoint_interval", "4", "--device", "cpu"]


def environment(**changed):
    return {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS")} | changed


def throng(*args, **options):
    """The finished process, with stdout and stderr as text."""
    options.setdefault("env", environment())
    return subprocess.run([THRONG, *map(str, args)], capture_output=True, text=True, timeout=300, **options)


def done(*args, **options):
    """stdout of a command that must succeed."""
    process = throng(*args, **options)
    assert process.returncode == 0, process.stderr
    return process.stdout


def lines_of_json(text):
    objects = [json.loads(line) for line in text.splitlines()]
    assert objects and all(isinstance(o, dict) for o in objects)
    return objects


def refused(*args, status=2, **options):
    """The one error line of a command that must fail before it says anything on stdout."""
    process = throng(*args, **options)
    assert process.returncode == status, (process.returncode, process.stderr)
    assert process.stdout == ""
    errors = [line for line in process.stderr.splitlines() if "error" in line]
    assert len(errors) == 1 and errors[0].startswith("throng: error: "), process.stderr
    assert process.stderr.endswith(errors[0] + "\n")
    return errors[0]


def file(path):
    with open(path, "rb") as f:
        return f.read()


def latest(run):
    return os.path.join(run, "checkpoints", file(os.path.join(run, "checkpoints", "latest")).decode().strip())


def leftovers(folder):
    return [os.path.join(d, f) for d, _, files in os.walk(folder) for f in files if ".partial." in f]


def default_signals():
    """In the child: a test run in the background hands down an ignored Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
