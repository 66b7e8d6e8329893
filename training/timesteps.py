"""Fit the timesteps of a short chain to a model, so that it ends where the fine chain ends (LD3, Tong et al. 2024).

    python -m training.timesteps --model www/models/mnist --pairs training/runs/mnist-pairs --steps 5 6 8 10 \\
        --row "dpmpp-2m:10:thresholding=true,sample_max_value=1,guidance=2" --output training/runs/mnist-timesteps

Only the list of timesteps is learned, by gradient through the whole chain of a few hundred noises; then it is rounded. The
row names solver and guidance as in training.evaluate: DPM-Solver++ of order 1 (`solver_order=1`, which is DDIM) or 2, of
those whose `set_timesteps` takes custom `timesteps` in diffusers. OUTPUT gets the solver's `scheduler_config.json`, and `timesteps.json`:

    {"solver": "DPMSolverMultistepScheduler", "guidance": 2, "timesteps": {"5": [...], ...}}

each list falling, for `set_timesteps(timesteps=...)` and `pollen sample --scheduler OUTPUT/scheduler_config.json --timesteps ...`. Beside
a model's weights, `timesteps.json` gets a paragraph in the card that training.evaluate writes. Run the same command again to go on with the counts of steps that are missing.
"""

import argparse
import json
import time
from pathlib import Path

import torch
from diffusers import DDPMScheduler, UNet2DModel

from training import diffusion, files, pairs

LAST = 999


def chain_end(predict, alphas_cumprod, timesteps, noise, order=2):
    """x0 [N, C, H, W] where DPM-Solver++ (2M, or order 1) ends, clipping x0, from `noise` along `timesteps` [S], falling and real.

    `predict(x, t)` is x0. Between two whole timesteps sigma is interpolated linearly, as diffusers does; at the end it is zero.
    """
    sigmas = ((1 - alphas_cumprod) / alphas_cumprod).sqrt()
    below = timesteps.detach().floor().long().clamp(0, len(sigmas) - 2)
    share = timesteps - below
    sigma = sigmas[below] * (1 - share) + sigmas[below + 1] * share
    alpha = (1 + sigma.square()).rsqrt()
    x, before = noise, None
    for i, t in enumerate(timesteps):
        x0 = predict(x, t).clamp(-1, 1)
        if i + 1 == len(timesteps):
            return x0
        h = (sigma[i] / sigma[i + 1]).log()
        slope = 0
        if before is not None and order == 2:
            slope = 0.5 * h / (sigma[i - 1] / sigma[i]).log() * (x0 - before)
        s = alpha * sigma
        x = s[i + 1] / s[i] * x - alpha[i + 1] * torch.expm1(-h) * (x0 + slope)
        before = x0


class Predictor:
    """x0 of the guided network at x_t, for real timesteps."""

    def __init__(self, model, chain, labels, guidance, any_label):
        self.model, self.chain, self.guidance, self.any = model, chain, guidance, any_label
        self.labels = labels
        self.alphas_cumprod = chain.alphas_cumprod

    def __call__(self, x, t):
        sigmas = ((1 - self.alphas_cumprod) / self.alphas_cumprod).sqrt()
        below = t.detach().floor().long().clamp(0, len(sigmas) - 2)
        sigma = sigmas[below] + (t - below) * (sigmas[below + 1] - sigmas[below])
        a = (1 + sigma.square()).rsqrt()
        s = a * sigma
        if self.guidance == 1:
            output = self.model(x, t, self.labels).sample.float()
        else:
            free = torch.full_like(self.labels, self.any)
            free, asked = self.model(torch.cat([x, x]), t, torch.cat([free, self.labels])).sample.float().chunk(2)
            output = free + self.guidance * (asked - free)
        if self.chain.config.prediction_type == "v_prediction":
            return a * x - s * output
        return (x - s * output) / a


def from_gaps(gaps):
    """Real timesteps [S] falling from at most 999, of S + 1 free numbers: shares of the way from 999 to 0, the last one left over."""
    return LAST * (1 - gaps.softmax(0).cumsum(0)[:-1])


def to_gaps(timesteps):
    ends = torch.tensor([float(LAST), *timesteps, 0.0])
    return (-ends.diff()).clamp(min=1.0).log()


def whole(timesteps):
    """Rounded, each at least one below the one before, none below zero."""
    rounded, above = [], LAST + 1
    for i, t in enumerate(timesteps.tolist()):
        above = max(min(round(t), above - 1), len(timesteps) - 1 - i)
        rounded.append(above)
    return rounded


def fit(model, chain, data, start, guidance, order, args):
    """(whole timesteps, RMS distance of their ends before and after on pairs not fitted to)."""
    noise, labels, pictures = data
    any_label = model.config.num_class_embeds - 1
    train = len(labels) - args.check

    def end(timesteps, index):
        predict = Predictor(model, chain, labels[index], guidance, any_label)
        with diffusion.autocast(noise.device.type):
            return chain_end(predict, chain.alphas_cumprod, timesteps, noise[index], order)

    @torch.no_grad()
    def distance(timesteps):
        index = torch.arange(train, len(labels)).split(args.batch)
        made = torch.cat([end(torch.tensor(timesteps).float(), i) for i in index])
        return (made - pictures[train:]).square().flatten(1).mean(1).sqrt().mean().item()

    gaps = to_gaps(start).requires_grad_()
    optimiser = torch.optim.Adam([gaps], args.rate)
    average, generator = gaps.detach().clone(), torch.Generator().manual_seed(args.seed)
    for step in range(args.iterations):
        for group in optimiser.param_groups:
            group["lr"] = args.rate * (1 - step / args.iterations)
        index = torch.randperm(train, generator=generator)[: args.batch]
        loss = (end(from_gaps(gaps), index) - pictures[index]).square().mean()
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        average.lerp_(gaps.detach(), 0.2)
        if step % 10 == 0:
            print(f"  {step}: {loss.item():.5f} {whole(from_gaps(average))}", flush=True)
    found = whole(from_gaps(average))
    return found, distance([float(t) for t in start]), distance([float(t) for t in found])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--row", required=True)
    parser.add_argument("--steps", type=int, nargs="+", default=[5, 6, 8, 10])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--count", type=int, default=384, help="pairs taken, the last of them for the check alone")
    parser.add_argument("--check", type=int, default=128)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--iterations", type=int, default=60)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    name, _, guidance, changes, _ = diffusion.parse_row(args.row)
    if name != "dpmpp-2m":
        raise SystemExit(f"{args.row}: only dpmpp-2m can be fitted; DDIM and UniPC of diffusers take no custom timesteps")
    model = UNet2DModel.from_pretrained(args.model, torch_dtype=torch.float32).eval().requires_grad_(False).to(device)
    config = DDPMScheduler.load_config(args.model)
    chain = DDPMScheduler.from_config(config)
    chain.alphas_cumprod = chain.alphas_cumprod.to(device)
    noise, labels, pictures = pairs.load(args.pairs, device)
    with_label = (labels < model.config.num_class_embeds - 1).nonzero().squeeze(1)[: args.count]
    data = noise[with_label], labels[with_label], pictures[with_label]
    file = args.output / "timesteps.json"
    solver = diffusion.solver(name, config, **changes)
    if args.output.resolve() == args.model.resolve():
        raise SystemExit(f"--output {args.output} is the model's own folder, whose scheduler_config.json stays as it is: give another")
    solver.save_config(args.output)
    known = {"solver": type(solver).__name__, "guidance": guidance, "timesteps": {}}
    if file.exists():
        known = json.loads(file.read_text())
    for steps in args.steps:
        if str(steps) in known["timesteps"]:
            continue
        start = time.process_time()
        solver.set_timesteps(steps)
        print(f"{steps} steps from {solver.timesteps.tolist()}", flush=True)
        found, before, after = fit(model, chain, data, solver.timesteps.tolist(), guidance, solver.config.solver_order, args)
        print(f"{steps} steps: {found}, distance {before:.4f} before, {after:.4f} after, {time.process_time() - start:.0f} s", flush=True)
        known["timesteps"][str(steps)] = found
        files.write_json(file, known)


if __name__ == "__main__":
    main()
