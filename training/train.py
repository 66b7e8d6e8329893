"""Train a class-conditional U-Net. Run the same command again to go on after any interruption.

    python -m training.train --config training/configs/mnist.json --data DIR --output training/runs/mnist
    accelerate launch -m training.train ...        (several GPUs or machines)

OUTPUT gets checkpoint.pt, log.csv, sheets of samples and the EMA weights at each quarter of the budget.
"""

import argparse
import csv
import math
import time
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast, set_seed
from diffusers.training_utils import EMAModel
from safetensors.torch import load_file, save_file

from training import data as data_sets
from training import diffusion, files

COLUMNS = ["step", "images", "epochs", "seconds", "loss", "held_out_loss", "rate", "gradient", "images_per_second"]
LOG_STEPS = 50
HELD_OUT = 256
WEIGHTS = "diffusion_pytorch_model.safetensors"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder with mnist.npz or flowers64.zip, or to download into")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="folder of a model whose weights training starts from")
    parser.add_argument("--minutes", type=float, help="end the cosine decay after so many minutes of training instead of --steps")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch", type=int, help="pictures a step, over all processes")
    parser.add_argument("--rate", type=float)
    parser.add_argument("--ema", type=float)
    parser.add_argument("--min-snr", type=float, help="gamma of the min-SNR weights; 0 for plain L_simple")
    parser.add_argument("--label-dropout", type=float)
    parser.add_argument("--schedule", choices=diffusion.SCHEDULES)
    parser.add_argument("--prediction", choices=["epsilon", "v_prediction"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint-minutes", type=float, default=3)
    parser.add_argument("--sheet-minutes", type=float, default=20)
    return parser.parse_args()


def configuration(args):
    config = diffusion.read_config(args.config)
    for name in ("steps", "batch", "rate", "ema", "min_snr", "label_dropout"):
        if getattr(args, name) is not None:
            config["train"][name] = getattr(args, name)
    if args.start:
        config["train"]["start"] = files.sha256(args.start / WEIGHTS)
    if args.schedule:
        config["scheduler"]["beta_schedule"] = diffusion.SCHEDULES[args.schedule]
    if args.prediction:
        config["scheduler"]["prediction_type"] = args.prediction
    return config


class Run:
    """Network, optimiser, EMA and counters of one run: all that a checkpoint holds.

    Nothing else has state: every step seeds the generators from (seed, step, process), and the order of an epoch follows
    from (seed, epoch), so that a resumed run sees the pictures and the noise it would have seen.
    """

    def __init__(self, args, config, accelerator, data):
        self.args, self.config, self.accelerator, self.data = args, config, accelerator, data
        self.train, self.output = config["train"], args.output
        self.step, self.seconds, self.clock = 0, 0.0, time.monotonic()
        self.columns = COLUMNS
        self.chain = diffusion.forward_chain(config)
        set_seed(args.seed)
        model = diffusion.network(config, len(data.classes))
        if args.start:
            model.load_state_dict(load_file(args.start / WEIGHTS))
        model = model.to(accelerator.device, memory_format=diffusion.layout())
        self.ema = EMAModel(model.parameters(), decay=self.train["ema"], use_ema_warmup=True, power=0.8, foreach=True)
        optimiser = torch.optim.AdamW(model.parameters(), self.train["rate"], weight_decay=0.0)
        self.model, self.optimiser = accelerator.prepare(model, optimiser)
        self.per_process = self.train["batch"] // accelerator.num_processes
        self.prepare()
        self.resume()

    def prepare(self):
        """What a kind of training has beside the network; `state` and `restore` know of it too."""

    @property
    def network(self):
        return self.accelerator.unwrap_model(self.model)

    def resume(self):
        file = self.output / "checkpoint.pt"
        if not file.exists():
            return
        saved = torch.load(file, map_location="cpu", weights_only=True)
        for part in ("unet", "scheduler"):
            if saved["config"][part] != self.config[part]:
                raise SystemExit(f"{file} was trained with another {part} than {self.args.config} asks for: choose another --output")
        self.network.load_state_dict(saved["model"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.ema.load_state_dict(saved["ema"])
        self.ema.to(self.accelerator.device)
        self.step, self.seconds = saved["step"], saved["seconds"]
        self.restore(saved)

    def restore(self, saved):
        """Take what `state` added."""

    def save(self):
        state = self.state()
        files.write(self.output / "checkpoint.pt", lambda file: torch.save(state, file))

    def state(self):
        return {
            "model": self.network.state_dict(),
            "ema": self.ema.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "images": self.step * self.train["batch"],
            "seconds": self.seconds,
            "config": self.config,
        }

    def save_ema(self, name):
        names = (name for name, _ in self.network.named_parameters())
        tensors = {n: t.detach().cpu().contiguous() for n, t in zip(names, self.ema.shadow_params, strict=True)}
        about = {"step": str(self.step), "images": str(self.step * self.train["batch"])}
        files.write(self.output / name, lambda file: save_file(tensors, file, about))

    def places(self, size):
        """This process's share of the step's indices into `size` shuffled pictures. Seeds the step's random numbers."""
        seeds = np.random.SeedSequence([self.args.seed, self.step, self.accelerator.process_index])
        torch.manual_seed(int(seeds.generate_state(1, np.uint64)[0] >> 1))
        first = self.step * self.train["batch"] + self.accelerator.process_index * self.per_process
        return torch.from_numpy(order(self.args.seed, first, self.per_process, size))

    def batch(self):
        """This process's share of the step's pictures and labels, some of them replaced by "any"."""
        n, part = self.per_process, self.data.train
        index = self.places(len(part))
        x, labels = part.floats(index), part.labels[index]
        if self.train["flips"]:
            x = torch.where(torch.rand(n, 1, 1, 1) < 0.5, x.flip(3), x)
        labels = torch.where(torch.rand(n) < self.train["label_dropout"], len(self.data.classes), labels)
        t = diffusion.spread_timesteps(n)
        return [a.to(self.accelerator.device) for a in (x, labels, t)]

    def rate(self, progress):
        """The rate of this step, which the optimiser is given."""
        rate = self.train["rate"] * min(1, (self.step + 1) / self.train["warm_up"]) * (0.5 + 0.5 * math.cos(math.pi * progress))
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        return rate

    def one_step(self, progress):
        """({column: value} of what is lost, the gradient's norm, the rate)."""
        rate = self.rate(progress)
        x, labels, t = self.batch()
        noise = torch.randn_like(x)
        with self.accelerator.autocast():
            loss = diffusion.loss(self.model, self.chain, x, labels, t, noise, self.train["min_snr"]).mean()
        return {"loss": loss.detach()}, self.follow(loss), rate

    def follow(self, loss):
        """One step of the optimiser down the gradient of `loss`, whose norm is given."""
        self.accelerator.backward(loss)
        gradient = self.accelerator.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.ema.step(self.network.parameters())
        self.step += 1
        return gradient

    def tick(self):
        """Count the time; the first process's clock goes for all, so that all decide alike what is due."""
        now = time.monotonic()
        self.seconds += now - self.clock
        self.clock = now
        if self.accelerator.num_processes > 1:
            self.seconds = broadcast(torch.tensor(self.seconds, device=self.accelerator.device)).item()

    def progress(self):
        """Share of the budget that is used."""
        if self.args.minutes is None:
            return min(1, self.step / self.train["steps"])
        return min(1, self.seconds / 60 / self.args.minutes)

    @torch.no_grad()
    def look(self):
        """`judge` with the EMA weights."""
        model = self.network.eval()
        self.ema.store(model.parameters())
        self.ema.copy_to(model.parameters())
        torch.manual_seed(self.args.seed)
        loss = self.judge(model)
        self.ema.restore(model.parameters())
        model.train()
        return loss

    def judge(self, model):
        """Sheet of samples (DDIM, 25 steps); L_simple on held-out pictures, the same noise each time."""
        part = self.data.held_out
        index = torch.linspace(0, len(part) - 1, HELD_OUT).long()
        x, labels, t = part.floats(index), part.labels[index], diffusion.spread_timesteps(HELD_OUT)
        batches = zip(*(a.to(self.accelerator.device).split(32) for a in (x, labels, t, torch.randn_like(x))))
        loss = torch.cat([diffusion.loss(model, self.chain, *batch) for batch in batches]).mean().item()
        solver = diffusion.solver("ddim", self.chain.config, timestep_spacing="trailing")
        labels = sheet_labels(len(self.data.classes))
        pictures = diffusion.sample(model, solver, labels, range(len(labels)), 25)
        files.sheet(pictures, self.output / f"samples-{self.step:07d}.png", 10, 2)
        return loss


def sheet_labels(classes, count=20):
    return torch.arange(count) * max(1, classes // count) % classes


def order(seed, first, n, size):
    """Indices of pictures number first..first+n of an endless run of shuffled epochs over `size` pictures."""
    places = np.arange(first, first + n)
    epochs = {epoch: np.random.default_rng([seed, int(epoch)]).permutation(size) for epoch in np.unique(places // size)}
    return np.array([epochs[place // size][place % size] for place in places])


def open_log(path, step, columns):
    """The log cut back to `step`, where the run goes on."""
    rows = list(csv.DictReader(path.open())) if path.exists() else []
    file = path.open("w", newline="")
    log = csv.DictWriter(file, columns)
    log.writeheader()
    log.writerows(row for row in rows if int(row["step"]) <= step)
    file.flush()
    return file, log


def main():
    args = arguments()
    config = configuration(args)
    accelerator = accelerate_for(config)
    loop(Run(args, config, accelerator, data_sets.load(config["data"], args.data)))


def accelerate_for(config):
    accelerator = Accelerator(mixed_precision="bf16" if diffusion.fast_bf16() else "no")
    if config["train"]["batch"] % accelerator.num_processes:
        raise SystemExit(f"--batch {config['train']['batch']} cannot be shared evenly by {accelerator.num_processes} processes")
    return accelerator


def loop(run):
    """Train to the end of the budget, with log, sheets and checkpoints."""
    args, config, accelerator = run.args, run.config, run.accelerator
    if accelerator.is_main_process:
        args.output.mkdir(parents=True, exist_ok=True)
        files.write_json(args.output / "config.json", config)
        file, log = open_log(args.output / "log.csv", run.step, run.columns)
        accelerator.print(f"{sum(p.numel() for p in run.network.parameters()):,} parameters, from step {run.step}", flush=True)
    run.clock = time.monotonic()
    saved = looked = logged = run.seconds
    losses, logged_step, quarter = [], run.step, int(4 * run.progress())
    while (progress := run.progress()) < 1:
        loss, gradient, rate = run.one_step(progress)
        losses.append(loss)
        run.tick()
        progress = run.progress()
        save = run.seconds - saved > args.checkpoint_minutes * 60 or progress == 1
        look = run.seconds - looked > args.sheet_minutes * 60 or progress == 1
        if run.step % LOG_STEPS and not save and not look:
            continue
        means = {name: accelerator.reduce(torch.stack([one[name] for one in losses]).mean(), "mean").item() for name in loss}
        if not all(map(math.isfinite, means.values())):
            raise SystemExit(f"the loss is {means} at step {run.step}: run again with a smaller --rate; {args.output}/checkpoint.pt is from before")
        if accelerator.is_main_process:
            images = run.step * config["train"]["batch"]
            speed = (run.step - logged_step) * config["train"]["batch"] / (run.seconds - logged)
            row = {"step": run.step, "images": images, "epochs": f"{images / len(run.data.train):.3f}", "seconds": f"{run.seconds:.0f}"}
            row |= {name: f"{mean:.5f}" for name, mean in means.items()} | ({"held_out_loss": f"{run.look():.5f}"} if look else {})
            row |= {"rate": f"{rate:.2e}", "gradient": f"{gradient.item():.3f}", "images_per_second": f"{speed:.1f}"}
            log.writerow(row)
            file.flush()
            print(*(f"{name} {value}" for name, value in row.items()), flush=True)
            if int(4 * progress) > quarter:
                run.save_ema(f"ema-{25 * int(4 * progress):03d}.safetensors")
            if save:
                run.save()
        quarter, losses, logged_step = int(4 * progress), [], run.step
        run.tick()
        logged = run.seconds
        saved, looked = (run.seconds if done else before for done, before in ((save, saved), (look, looked)))


if __name__ == "__main__":
    main()
