"""Trains IPPO on a SMAX scenario for a few updates, prints the progress, and evaluates the policy."""
import argparse

import throng


def show(line):
    """Called after each update with its line of metrics.jsonl; returning True would stop the run."""
    done = f"{line['timesteps']:,} of {line['total_timesteps']:,} steps"
    print(f"{done}: return {line.get('charts/episodic_return', float('nan')):.3f}, "
          f"win rate {line.get('win_rate', float('nan')):.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("env", nargs="?", default="smax/3m", help="see throng.list_envs()")
    parser.add_argument("--num-envs", type=int, default=128)
    parser.add_argument("--num-updates", type=int, default=20)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1")
    options = parser.parse_args()

    num_steps = 128
    result = throng.train(
        options.env,
        algo="ippo",
        device=options.device,
        num_envs=options.num_envs,
        num_steps=num_steps,
        total_timesteps=options.num_updates * options.num_envs * num_steps,
        callback=show,
    )
    print("the run is in", result.folder)
    for name, estimate in result.evaluation["greedy"].items():
        print(f"{name:>12}: {estimate}")


if __name__ == "__main__":
    main()
