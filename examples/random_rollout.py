"""Plays random legal actions in many environments at once and prints what came of it."""
import argparse
import time

import throng


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("env", nargs="?", default="smax/3m", help="see throng.list_envs()")
    parser.add_argument("--num-envs", type=int, default=1024)
    parser.add_argument("--num-steps", type=int, default=500)
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, auto")
    options = parser.parse_args()

    with throng.make(options.env, options.num_envs, options.device) as env:
        print(env, "on", env.device_name)
        obs, info = env.reset(seed=0)
        start = time.perf_counter()
        for _ in range(options.num_steps):
            obs, rewards, terminations, truncations, info = env.step(env.sample_actions())
        statistics = env.statistics()  # waits for the device
        seconds = time.perf_counter() - start
        for name, value in statistics.items():
            print(f"{name:>16}: {value}")
        print(f"{'steps a second':>16}: {options.num_envs * options.num_steps / seconds:,.0f}")


if __name__ == "__main__":
    main()
