"""The small CNNs that judge what was generated, one a data set, written with their batch norms folded in.

    python -m training.classifier --name mnist --data DIR --output tests/fixtures/classifier
    python -m training.classifier --name flowers64 --data DIR --output training/classifiers/flowers64

Only the training part is trained on; which weights are kept (the running average after the last epoch) does not depend
on the held-out part.
"""

import argparse
import math
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

from training import data as data_sets
from training import files

# Convolutions in order, each 3x3 with zero padding 1 and followed by ReLU; "pool" is a 2x2 maximum with stride 2, rounding
# down, "mean" the mean over the picture. What comes out, flattened, are the features; a linear layer reads them.
LAYERS = {
    "mnist": [16, 16, "pool", 32, 32, "pool", 64, "pool"],
    "flowers64": [24, "pool", 48, "pool", 96, 96, "pool", 192, 192, "mean"],
}
FEATURES = {"mnist": 64 * 3 * 3, "flowers64": 192}
# Half-widths of the random turn, scaling (2), shear and shift (2), and what comes in from outside.
DISTORTIONS = {"mnist": ([0.2, 0.12, 0.12, 0.15, 0.14, 0.14], "zeros"), "flowers64": ([0.25, 0.2, 0.2, 0.1, 0.15, 0.15], "reflection")}
FOLDERS = {"mnist": "tests/fixtures/classifier", "flowers64": "training/classifiers/flowers64"}


class Trained(nn.Module):
    """The network as it is trained: a batch norm between each convolution and its ReLU, dropout before the linear layer."""

    def __init__(self, name, channels, classes):
        super().__init__()
        layers = []
        for layer in LAYERS[name]:
            if layer == "pool":
                layers.append(nn.MaxPool2d(2))
            elif layer == "mean":
                layers.append(nn.AdaptiveAvgPool2d(1))
            else:
                layers += [nn.Conv2d(channels, layer, 3, padding=1, bias=False), nn.BatchNorm2d(layer), nn.ReLU()]
                channels = layer
        self.body = nn.Sequential(*layers)
        self.linear = nn.Linear(FEATURES[name], classes)

    def forward(self, x):
        return self.linear(F.dropout(self.body(x).flatten(1), 0.3, self.training))

    def folded(self):
        """The same function without batch norms: `convN.weight`, `convN.bias`, `linear.weight`, `linear.bias`."""
        tensors, layers = {}, list(self.body)
        convolutions = [i for i, layer in enumerate(layers) if isinstance(layer, nn.Conv2d)]
        for number, i in enumerate(convolutions, 1):
            norm = layers[i + 1]
            scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            tensors[f"conv{number}.weight"] = layers[i].weight * scale[:, None, None, None]
            tensors[f"conv{number}.bias"] = norm.bias - norm.running_mean * scale
        tensors["linear.weight"], tensors["linear.bias"] = self.linear.weight, self.linear.bias
        return {name: t.detach().float().contiguous() for name, t in tensors.items()}


class Frozen:
    """A folded classifier: `features` [N, F] of pictures in [-1, 1], `logits` of features."""

    def __init__(self, name, tensors):
        self.name, self.tensors = name, tensors

    @classmethod
    def load(cls, name, device="cpu"):
        file = Path(__file__).resolve().parents[1] / FOLDERS[name] / "classifier.safetensors"
        if not file.exists():
            raise SystemExit(f"{file} is missing: train it with python -m training.classifier --name {name}")
        frozen = cls(name, {n: t.float().to(device) for n, t in load_file(file).items()})
        frozen.sha256 = files.sha256(file)
        return frozen

    @torch.no_grad()
    def features(self, x):
        number = 0
        for layer in LAYERS[self.name]:
            if layer == "pool":
                x = F.max_pool2d(x, 2)
            elif layer == "mean":
                x = x.mean((2, 3))
            else:
                number += 1
                x = F.relu(F.conv2d(x, self.tensors[f"conv{number}.weight"], self.tensors[f"conv{number}.bias"], padding=1))
        return x.flatten(1)

    @torch.no_grad()
    def logits(self, features):
        return F.linear(features, self.tensors["linear.weight"], self.tensors["linear.bias"])

    def accuracy(self, part):
        right = sum(
            (self.logits(self.features(part.floats(i))).argmax(1) == part.labels[i]).sum().item()
            for i in torch.arange(len(part)).split(500)
        )
        return right / len(part)


def distort(x, name, generator):
    """A random small turn, scaling, shear and shift of each picture."""
    n = len(x)
    widths, outside = DISTORTIONS[name]
    r = (torch.rand(n, 6, generator=generator) * 2 - 1) * torch.tensor(widths)
    cos, sin = torch.cos(r[:, 0]), torch.sin(r[:, 0])
    sx, sy = 1 + r[:, 1], 1 + r[:, 2]
    rows = torch.stack([cos * sx, -sin + r[:, 3], r[:, 4], sin, cos * sy, r[:, 5]], 1)
    grid = F.affine_grid(rows.view(n, 2, 3), x.shape, align_corners=False)
    # Zero is background only after the shift by one.
    x = F.grid_sample(x + 1, grid, padding_mode=outside, align_corners=False) - 1
    if name == "mnist":
        return x
    return torch.where(torch.rand(n, 1, 1, 1, generator=generator) < 0.5, x.flip(3), x)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", choices=LAYERS, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--decay", type=float, default=1e-2)
    parser.add_argument("--average", type=float, default=0.998)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--half", action="store_true", help="write F16")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    generator = torch.Generator().manual_seed(args.seed)
    data = data_sets.load(args.name, args.data)
    train = data.train

    model = Trained(args.name, train.pictures.shape[1], len(data.classes)).to(memory_format=torch.channels_last)
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(args.average), use_buffers=True
    )
    optimiser = torch.optim.AdamW(model.parameters(), lr=args.rate, weight_decay=args.decay)
    steps = args.epochs * math.ceil(len(train) / args.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, args.rate, total_steps=steps, pct_start=0.15)
    args.output.mkdir(parents=True, exist_ok=True)
    for epoch in range(args.epochs):
        model.train()
        start, total = time.time(), 0.0
        for batch in torch.randperm(len(train), generator=generator).split(args.batch):
            x = distort(train.floats(batch), args.name, generator)
            loss = F.cross_entropy(model(x), train.labels[batch], label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            average.update_parameters(model)
            total += loss.item() * len(batch)
        print(f"epoch {epoch + 1}: loss {total / len(train):.4f}, {time.time() - start:.0f} s", flush=True)

    tensors = average.module.eval().folded()
    if args.half:
        tensors = {name: t.half() for name, t in tensors.items()}
    files.write(args.output / "classifier.safetensors", lambda file: save_file(tensors, file))
    frozen = Frozen(args.name, {name: t.float() for name, t in tensors.items()})
    report = {"test_accuracy": frozen.accuracy(data.held_out), "parameters": sum(t.numel() for t in tensors.values())}
    files.write_json(args.output / "report.json", report)
    print(report)


if __name__ == "__main__":
    main()
