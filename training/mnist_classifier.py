"""Train the small CNN that reads digits in the tests, and write it with its batch norms folded in.

    python training/mnist_classifier.py --data mnist.npz --output tests/fixtures/classifier

`mnist.npz` holds `x_train` u8 [60000, 28, 28], `y_train`, `x_test`, `y_test` as Keras distributes it. Only the training
digits are trained on; which weights are kept (the running average after the last epoch) does not depend on the test set.
"""

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

# Convolutions in order, each 3x3 with zero padding 1 and followed by ReLU; "pool" is a 2x2 maximum with stride 2, rounding down.
LAYERS = [16, 16, "pool", 32, 32, "pool", 64, "pool"]
FEATURES = 64 * 3 * 3


class Trained(nn.Module):
    """The network as it is trained: a batch norm between each convolution and its ReLU, dropout before the linear layer."""

    def __init__(self):
        super().__init__()
        layers, channels = [], 1
        for layer in LAYERS:
            if layer == "pool":
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(channels, layer, 3, padding=1, bias=False), nn.BatchNorm2d(layer), nn.ReLU()]
                channels = layer
        self.body = nn.Sequential(*layers)
        self.linear = nn.Linear(FEATURES, 10)

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


def classify(tensors, x):
    """Logits [N, 10] of x [N, 1, 28, 28] in [-1, 1] by the folded weights."""
    number = 0
    for layer in LAYERS:
        if layer == "pool":
            x = F.max_pool2d(x, 2)
        else:
            number += 1
            x = F.relu(F.conv2d(x, tensors[f"conv{number}.weight"], tensors[f"conv{number}.bias"], padding=1))
    return F.linear(x.flatten(1), tensors["linear.weight"], tensors["linear.bias"])


def distort(x, generator):
    """A random small turn, scaling, shear and shift of each picture; what comes in from outside is background."""
    n = len(x)
    r = (torch.rand(n, 6, generator=generator) * 2 - 1) * torch.tensor([0.2, 0.12, 0.12, 0.15, 0.14, 0.14])
    cos, sin = torch.cos(r[:, 0]), torch.sin(r[:, 0])
    sx, sy = 1 + r[:, 1], 1 + r[:, 2]
    rows = torch.stack([cos * sx, -sin + r[:, 3], r[:, 4], sin, cos * sy, r[:, 5]], 1)
    grid = F.affine_grid(rows.view(n, 2, 3), x.shape, align_corners=False)
    return F.grid_sample(x + 1, grid, align_corners=False) - 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    generator = torch.Generator().manual_seed(args.seed)

    data = np.load(args.data)
    pictures = lambda name: torch.from_numpy(data[name]).float().div(127.5).sub(1)[:, None]
    x_train, y_train = pictures("x_train"), torch.from_numpy(data["y_train"]).long()
    x_test, y_test = pictures("x_test"), torch.from_numpy(data["y_test"]).long()

    model = Trained()
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998), use_buffers=True
    )
    optimiser = torch.optim.AdamW(model.parameters(), lr=args.rate, weight_decay=1e-2)
    steps = args.epochs * math.ceil(len(x_train) / args.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, args.rate, total_steps=steps, pct_start=0.15)
    for epoch in range(args.epochs):
        model.train()
        start, total = time.time(), 0.0
        for batch in torch.randperm(len(x_train), generator=generator).split(args.batch):
            loss = F.cross_entropy(model(distort(x_train[batch], generator)), y_train[batch], label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            average.update_parameters(model)
            total += loss.item() * len(batch)
        print(f"epoch {epoch + 1}: loss {total / len(x_train):.4f}, {time.time() - start:.0f} s", flush=True)

    tensors = average.module.eval().folded()
    with torch.no_grad():
        right = sum((classify(tensors, x).argmax(1) == y).sum().item() for x, y in zip(x_test.split(500), y_test.split(500)))
    args.output.mkdir(parents=True, exist_ok=True)
    save_file(tensors, args.output / "classifier.safetensors")
    report = {"test_accuracy": right / len(x_test), "parameters": sum(t.numel() for t in tensors.values())}
    (args.output / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    print(report)


if __name__ == "__main__":
    main()
