"""Prints, from real JAX, the constants of test_rng.cpp: `pip install jax && python record_rng_answers.py`."""

import jax
import numpy as np

jax.config.update("jax_threefry_partitionable", True)
jax.config.update("jax_enable_x64", True)  # without it JAX drops the high word of a seed and of a 64-bit array

SEEDS = [0, 1, 42, 2**31, 2**32 - 1, 2**32, 0x0123456789ABCDEF, 2**64 - 1]
SPLIT_INDICES = [0, 1, 2, 999]
FOLDED = [0, 1, 3, 2**31, 2**32 - 1]
DRAW_INDICES = [0, 1, 2, 3, 1000, 99999]
RANGES = [(0.0, 1.0), (-2.0, 2.0), (-0.0625, 0.125), (0.1, 0.7), (-1e-3, 1e6)]


def seed_key(seed):
    """A key from all 64 bits; Python integers above 2**63 need the unsigned type."""
    return jax.random.key(np.uint64(seed))


def words(key):
    high, low = np.asarray(jax.random.key_data(key))
    return f"{{{high:#010x}, {low:#010x}}}"


def bits(value):
    return f"{np.asarray(value, dtype=np.float32).view(np.uint32):#010x}"


def record_seed(seed):
    key = seed_key(seed)
    draws = max(DRAW_INDICES) + 1
    raw = np.asarray(jax.random.bits(key, (draws,), dtype=np.uint32))
    unit = np.asarray(jax.random.uniform(key, (draws,), dtype=np.float32))
    splits = jax.random.split(key, max(SPLIT_INDICES) + 1)
    print(f"    {{{seed:#x}ull,")
    print(f"     {words(key)},")
    print("     {" + ", ".join(words(splits[i]) for i in SPLIT_INDICES) + "},")
    print("     {" + ", ".join(words(jax.random.fold_in(key, np.uint32(data))) for data in FOLDED) + "},")
    print("     {" + ", ".join(f"{raw[i]:#010x}" for i in DRAW_INDICES) + "},")
    print("     {" + ", ".join(bits(unit[i]) for i in DRAW_INDICES) + "}},")


def record_range(lo, hi):
    """Product and sum rounded apart; where compiled JAX fuses them, the indices at which that shows are the ones to test."""
    text = f"{lo}f, {hi}f"
    lo, hi = np.float32(lo), np.float32(hi)
    unit = np.asarray(jax.random.uniform(seed_key(42), (max(DRAW_INDICES) + 1,), dtype=np.float32))
    values = np.maximum(lo, unit * (hi - lo) + lo)
    compiled = np.asarray(jax.random.uniform(seed_key(42), unit.shape, np.float32, lo, hi))
    fused = np.flatnonzero(values.view(np.uint32) != compiled.view(np.uint32))
    indices = fused[: len(DRAW_INDICES)].tolist() or DRAW_INDICES
    print(f"    // {len(fused)} of {len(values)} draws differ in compiled JAX")
    print(f"    {{{text}, {{{', '.join(map(str, indices))}}},")
    print("     {" + ", ".join(bits(values[i]) for i in indices) + "}},")


def main():
    print(f"// jax {jax.__version__}")
    for seed in SEEDS:
        record_seed(seed)
    for lo, hi in RANGES:
        record_range(lo, hi)


if __name__ == "__main__":
    main()
