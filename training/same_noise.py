"""The loss curve of `pollen train` beside PyTorch's: same weights to begin with, same pictures, timesteps and noise.

    pollen train --device cpu --data mnist1000.npz --config training/configs/digits-small.json --steps 600 --batch 16 --output RUN
    python -m training.same_noise --run RUN --data mnist1000.npz --config training/configs/digits-small.json --output docs/training-curve.png

`mnist1000.npz` holds MNIST's first thousand digits: `--write-data mnist.npz` makes it.
"""

import argparse
import csv
import json
from pathlib import Path

import numpy as np
import torch
from diffusers import DDPMScheduler, UNet2DModel

MASK = (1 << 64) - 1


def step_seed(seed, step, purpose):
    """`pollen::train::objective::step_seed`."""
    z = (seed * 0x9E3779B97F4A7C15 + step * 0xD1B54A32D192ED03 + purpose) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return (z ^ (z >> 31)) & 0xFFFFFFFF


def generator(seed, step, purpose):
    return torch.Generator().manual_seed(step_seed(seed, step, purpose))


def batch(pictures, seed, step, n):
    """Pictures in [-1, 1], timesteps and noise of a step, drawn in pollen's order."""
    places = range(step * n, (step + 1) * n)
    orders = {e: torch.randperm(len(pictures), generator=generator(seed, e, 2)) for e in {p // len(pictures) for p in places}}
    index = [orders[p // len(pictures)][p % len(pictures)] for p in places]
    draws = generator(seed, step, 1)
    t = torch.randint(1000, (n,), generator=draws)
    x0 = pictures[torch.stack(index)].float() / 127.5 - 1
    return x0, t, torch.randn(x0.shape, generator=draws)


def curve(config, pictures, steps, n, rate, seed):
    torch.manual_seed(seed)
    model = UNet2DModel(**config)
    chain = DDPMScheduler()
    optimiser = torch.optim.AdamW(model.parameters(), rate, weight_decay=0.0)
    losses = []
    for step in range(steps):
        x0, t, noise = batch(pictures, seed, step, n)
        loss = (model(chain.add_noise(x0, noise, t), t).sample - noise).square().mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        losses.append(loss.item())
        if step % 50 == 0:
            print(step, losses[-1], flush=True)
    return np.array(losses)


def smooth(losses, window=100):
    return np.convolve(losses, np.ones(window) / window, "valid")


def plot(path, ours, theirs):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (above, below) = plt.subplots(2, 1, figsize=(8, 6), sharex=True, height_ratios=[3, 1], layout="constrained")
    steps = np.arange(1, len(ours) + 1)
    above.plot(steps, theirs, color="0.8", linewidth=0.8, label="PyTorch, each step")
    above.plot(steps[99:], smooth(theirs), color="black", linewidth=2.5, label="PyTorch, mean of 100 steps")
    above.plot(steps[99:], smooth(ours), color="tab:orange", linewidth=1.2, linestyle="--", label="pollen, mean of 100 steps")
    above.axhline(0.08, color="tab:blue", linewidth=0.8, linestyle=":", label="0.08")
    above.set(yscale="log", ylabel="L_simple")
    above.legend()
    below.semilogy(steps, np.abs(ours / theirs - 1), color="tab:orange", linewidth=0.8)
    below.set(xlabel="step", ylabel="relative difference")
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--write-data", type=Path, help="make --data of this mnist.npz, and end")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--run", type=Path, help="what pollen train wrote")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.write_data:
        np.savez(args.data, x_train=np.load(args.write_data)["x_train"][:1000])
        return
    ours = np.array([float(row["loss"]) for row in csv.DictReader((args.run / "loss.csv").open())])
    pictures = torch.from_numpy(np.load(args.data)["x_train"])[:, None]
    config = {k: v for k, v in json.loads(args.config.read_text()).items() if not k.startswith("_")}
    theirs = curve(config, pictures, len(ours), args.batch, args.rate, args.seed)
    plot(args.output, ours, theirs)
    ends = [smooth(losses)[-1] for losses in (ours, theirs)]
    print(f"mean of the last 100: pollen {ends[0]:.5f}, PyTorch {ends[1]:.5f}; largest relative difference {np.abs(ours / theirs - 1).max():.1e}")


if __name__ == "__main__":
    main()
