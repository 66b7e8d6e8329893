"""Teach a student to make in 1, 2 or 4 passes the pictures that its teacher's guided chain makes. Run again to go on.

    python -m training.pairs --model www/models/mnist --row ... --output training/runs/mnist-pairs
    python -m training.distill --config training/configs/mnist-fast.json --data DIR --teacher www/models/mnist \\
        --pairs training/runs/mnist-pairs --output training/runs/mnist-fast

The student begins with its teacher's weights and is sampled by plain DDIM without guidance. By the method "chains" it walks
its own chains of DDIM, and from wherever they lead the picture that it sees must be the one that the teacher makes of the
same noise; an adversary keeps that from being the mean of all that may come out. By "consistency" (Song et al. 2023) it must
see the same picture from both ends of a step of the teacher's; that takes noised training pictures and no pairs.
OUTPUT gets what training.train writes. A run that goes on takes the pairs that there are by then.
"""

import argparse
from pathlib import Path

import torch
from diffusers import UNet2DModel
from safetensors.torch import load_file

from training import adversary, diffusion, files, pairs
from training import data as data_sets
from training.train import COLUMNS, WEIGHTS, Run, accelerate_for, loop, sheet_labels

# The last of the pairs are not learned from.
HELD_OUT = pairs.SHARD
SHEETS = (1, 2, 4)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--teacher", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--method", choices=["chains", "consistency"])
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--ema", type=float)
    parser.add_argument("--adversary", type=float, help="weight of the adversary's gradient beside that of the distance; 0 for none")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint-minutes", type=float, default=3)
    parser.add_argument("--sheet-minutes", type=float, default=20)
    args = parser.parse_args()
    args.minutes, args.start = None, args.teacher
    return args


def configuration(args):
    config = diffusion.read_config(args.config)
    for name in ("method", "steps", "batch", "rate", "ema"):
        if getattr(args, name) is not None:
            config["train"][name] = getattr(args, name)
    if args.adversary is not None:
        config["train"]["adversary"]["weight"] = args.adversary
    config["train"]["start"] = files.sha256(args.teacher / WEIGHTS)
    config["train"]["pairs"] = diffusion.read_config(args.pairs / "pairs.json")["row"]
    return config


def trailing(steps, train_steps=1000):
    """DDIM's timesteps of "trailing" spacing, as diffusers has them."""
    return [round(train_steps - i * train_steps / steps) - 1 for i in range(steps)]


def rates(chain, t):
    """sqrt(alpha_bar) and sqrt(1 - alpha_bar) of timesteps t [N], to multiply pictures with; index -1 is the picture itself."""
    alpha_bar = torch.where(t < 0, 1.0, chain.alphas_cumprod.to(t.device)[t.clamp(min=0)]).view(-1, 1, 1, 1)
    return alpha_bar.sqrt(), (1 - alpha_bar).sqrt()


def seen(chain, velocity, x, t):
    """(x0, epsilon) that a velocity says at x_t."""
    a, s = rates(chain, t)
    return a * x - s * velocity, s * x + a * velocity


def walk(model, chain, noise, labels, steps, count):
    """x after `count` [N] of `steps` [N] steps of the student's DDIM from noise, and the timestep there."""
    x = noise
    ladder = {k: torch.tensor(trailing(k) + [-1], device=x.device) for k in set(steps.tolist())}
    at = lambda i, n: torch.stack([ladder[k][n] for k in steps[i].tolist()])
    for n in range(int(count.max())):
        i = (count > n).nonzero().squeeze(1)
        t = at(i, n)
        x0, epsilon = seen(chain, model(x[i], t, labels[i]).sample.float(), x[i], t)
        a, s = rates(chain, at(i, n + 1))
        x = x.index_copy(0, i, a * x0.clamp(-1, 1) + s * epsilon)
    return x, torch.stack([ladder[k][c] for k, c in zip(steps.tolist(), count.tolist())])


class Distillation(Run):
    def prepare(self):
        self.columns = [*COLUMNS[:5], "adversary", "slope", *COLUMNS[5:]]
        self.noise, self.labels, self.pictures = pairs.load(self.args.pairs)
        if len(self.labels) <= HELD_OUT:
            raise SystemExit(f"{self.args.pairs} has {len(self.labels)} pairs, too few to learn from: write more with python -m training.pairs")
        part, kinds = self.data.train, len(self.data.classes)
        self.of_class = [(part.labels == kind).nonzero().squeeze(1) for kind in range(kinds)] + [torch.arange(len(part))]
        self.adversary = None
        about = self.train["adversary"]
        if about["weight"] and self.train["method"] == "chains":
            network = adversary.Adversary(part.pictures.shape[1], part.pictures.shape[2], kinds, about["channels"])
            optimiser = torch.optim.AdamW(network.parameters(), about["rate"], betas=(0.5, 0.99), weight_decay=0.0)
            self.adversary, self.adversary_optimiser = self.accelerator.prepare(network, optimiser)
        if self.train["method"] == "consistency":
            self.teach()

    def teach(self):
        teacher = UNet2DModel.from_pretrained(self.args.teacher, torch_dtype=torch.float32)
        self.teacher = teacher.eval().requires_grad_(False).to(self.accelerator.device)
        self.teacher_chain = diffusion.DDPMScheduler.from_config(diffusion.DDPMScheduler.load_config(self.args.teacher))
        # The student's timestep as the teacher counts: the one whose noise is as strong.
        ours, theirs = (chain.alphas_cumprod for chain in (self.chain, self.teacher_chain))
        self.same_noise = (ours[:, None].logit() - theirs.logit()).abs().argmin(1)

    def state(self):
        if self.adversary is None:
            return super().state()
        network = self.accelerator.unwrap_model(self.adversary)
        return super().state() | {"adversary": network.state_dict(), "adversary_optimiser": self.adversary_optimiser.state_dict()}

    def restore(self, saved):
        if self.adversary is not None:
            self.accelerator.unwrap_model(self.adversary).load_state_dict(saved["adversary"])
            self.adversary_optimiser.load_state_dict(saved["adversary_optimiser"])

    def real(self, labels):
        """A training picture of each label."""
        which = [self.of_class[label] for label in labels.tolist()]
        index = torch.stack([one[int(u * len(one))] for one, u in zip(which, torch.rand(len(which)))])
        x = self.data.train.floats(index)
        if self.train["flips"]:
            x = torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x.flip(3), x)
        return x.to(self.accelerator.device)

    def stations(self, n):
        """(steps of its chain [N], steps already walked [N]) of each picture, as `chains` shares them out."""
        share = self.train["chains"]
        chains = torch.tensor([int(k) for k in share])
        steps = chains[torch.multinomial(torch.tensor(list(share.values())), n, replacement=True)]
        # The one-step chain's place is every other chain's first too.
        first = (steps > 1).long()
        return steps, first + (torch.rand(n) * (steps - first)).long()

    def one_step(self, progress):
        rate = self.rate(progress)
        made = {"chains": self.chains, "consistency": self.consistency}[self.train["method"]]()
        return made[0], self.follow(made[1]), rate

    def chains(self):
        index = self.places(len(self.labels) - HELD_OUT)
        noise, labels, target = (a[index].to(self.accelerator.device) for a in (self.noise, self.labels, self.pictures))
        if self.train["flips"]:
            # The teacher learned mirrored pictures too: the mirrored noise may well make the mirrored picture.
            mirrored = (torch.rand(len(index), device=noise.device) < 0.5).view(-1, 1, 1, 1)
            noise, target = (torch.where(mirrored, a.flip(3), a) for a in (noise, target))
        steps, count = self.stations(len(index))
        with self.accelerator.autocast():
            with torch.no_grad():
                x, t = walk(self.model, self.chain, noise, labels, steps, count)
            velocity = self.model(x, t, labels).sample.float()
        x0, _ = seen(self.chain, velocity, x, t)
        made = x0.detach().requires_grad_()
        loss = (made - target).square().flatten(1).mean(1)
        (pull,) = torch.autograd.grad(loss.mean(), made)
        notes = {"loss": loss.mean().detach()}
        if self.adversary is not None and self.step >= self.train["adversary"]["from"]:
            (push,), more = self.against(made, labels)
            notes |= more
            # As strong as the pull wherever the chain stands, which is far stronger at its beginning.
            for one in t.unique():
                here = t == one
                strength = self.train["adversary"]["weight"] * pull[here].norm() / push[here].norm().clamp(min=1e-12)
                pull[here] += strength * push[here]
        elif self.adversary is not None:
            notes |= {"adversary": torch.zeros(()), "slope": torch.zeros(())}
        # Its gradient with respect to x0 is the sum of the two.
        return notes, (x0 * pull).sum()

    def consistency(self):
        n, part, kinds = self.per_process, self.data.train, len(self.data.classes)
        index = self.places(len(part))
        labels = torch.where(torch.rand(n) < 0.1, kinds, part.labels[index])
        steps = self.train["consistency"]["steps"]
        ladder, rung = torch.tensor(trailing(steps) + [-1]), torch.randint(steps, (n,))
        x0, labels, t, after = (a.to(self.accelerator.device) for a in (part.floats(index), labels, ladder[rung], ladder[rung + 1]))
        if self.train["flips"]:
            x0 = torch.where(torch.rand(n, 1, 1, 1, device=x0.device) < 0.5, x0.flip(3), x0)
        a, s = rates(self.chain, t)
        x = a * x0 + s * torch.randn_like(x0)
        with self.accelerator.autocast():
            with torch.no_grad():
                goal, nearer = self.teacher_step(x, t, after, labels)
                # At first only to see what the teacher sees, in v on another schedule: without that all pictures become one.
                if self.step >= self.train["consistency"]["from"]:
                    goal, _ = seen(self.chain, self.with_average(nearer, after.clamp(min=0), labels), nearer, after)
            made, _ = seen(self.chain, self.model(x, t, labels).sample.float(), x, t)
        square = (made - goal.clamp(-1, 1)).square().flatten(1).sum(1)
        # Pseudo-Huber with the constant of Song and Dhariwal 2023.
        c = 0.00054 * made[0].numel() ** 0.5
        return {"loss": square.mean().detach() / made[0].numel()}, ((square + c**2).sqrt() - c).mean()

    def teacher_step(self, x, t, after, labels):
        """(x0 clipped, x at `after` [N]) by the guided teacher and DDIM from t, epsilon made to belong to that x0."""
        theirs = self.same_noise.to(t.device)[t]
        any_label = torch.full_like(labels, len(self.data.classes))
        free, asked = self.teacher(torch.cat([x, x]), torch.cat([theirs, theirs]), torch.cat([any_label, labels])).sample.float().chunk(2)
        output = free + self.train["consistency"]["guidance"] * (asked - free)
        # Its own rates: the student begins with less of the picture than it ever saw, and dividing by that leaves an error's sign.
        a, s = rates(self.teacher_chain, theirs)
        if self.teacher_chain.config.prediction_type == "v_prediction":
            x0 = a * x - s * output
        else:
            x0 = (x - s * output) / a
        x0 = x0.clamp(-1, 1)
        a, s = rates(self.chain, t)
        epsilon = (x - a * x0) / s
        a, s = rates(self.chain, after)
        return x0, a * x0 + s * epsilon

    def with_average(self, x, t, labels):
        """What the network says with its averaged weights."""
        names = [name for name, _ in self.network.named_parameters()]
        averaged = dict(zip(names, self.ema.shadow_params, strict=True))
        return torch.func.functional_call(self.network, averaged, (x, t, labels)).sample.float()

    def against(self, made, labels):
        """Teach the adversary these pictures; the gradient of its deception by them."""
        about, real = self.train["adversary"], self.real(labels)
        loss, slope = adversary.losses(self.adversary, real, made.detach().clamp(-1, 1), labels, about["penalty"])
        self.accelerator.backward(loss + slope)
        self.adversary_optimiser.step()
        self.adversary_optimiser.zero_grad()
        push = torch.autograd.grad(adversary.deception(self.adversary, real, made.clamp(-1, 1), labels), made)
        return push, {"adversary": loss.detach(), "slope": slope.detach()}

    @torch.no_grad()
    def judge(self, model):
        """Sheets of 1, 2 and 4 steps; the mean squared distance of two steps' pictures to the teacher's on held-out noises."""
        labels = sheet_labels(len(self.data.classes))
        for steps in SHEETS:
            pictures = diffusion.sample(model, diffusion.scheduler(self.config), labels, range(len(labels)), steps)
            files.sheet(pictures, self.output / f"samples-{self.step:07d}-{steps}.png", 10, 2)
        noise, labels, target = (a[-HELD_OUT:].to(self.accelerator.device) for a in (self.noise, self.labels, self.pictures))
        two = torch.full((HELD_OUT,), 2)
        x, _ = walk(model, self.chain, noise, labels, two, two)
        return (x.clamp(-1, 1) - target).square().mean().item()


def main():
    args = arguments()
    config = configuration(args)
    accelerator = accelerate_for(config)
    loop(Distillation(args, config, accelerator, data_sets.load(config["data"], args.data)))


if __name__ == "__main__":
    main()
