"""A network that tells real pictures from a student's. It judges nothing that is measured: that is `classifier.py`'s."""

import torch
import torch.nn.functional as F
from torch import nn

SHAKE = 0.05


class Adversary(nn.Module):
    """Logits [N] of pictures [N, C, H, W] and labels [N]: strided convolutions, and the label by projection (Miyato and Koyama 2018)."""

    def __init__(self, channels, size, classes, widths):
        super().__init__()
        layers, before = [], channels
        for level, width in enumerate(widths):
            layers += [nn.Conv2d(before, width, 3, stride=2, padding=1), nn.LeakyReLU(0.2)]
            if level:
                layers += [nn.Conv2d(width, width, 3, padding=1), nn.LeakyReLU(0.2)]
            before = width
        self.body = nn.Sequential(*layers)
        with torch.no_grad():
            features = self.body(torch.zeros(1, channels, size, size)).numel()
        self.features = nn.Linear(features, 256)
        self.real = nn.Linear(256, 1)
        self.classes = nn.Embedding(classes + 1, 256)
        nn.init.normal_(self.classes.weight, std=256**-0.5)

    def forward(self, x, labels):
        h = F.leaky_relu(self.features(self.body(x).flatten(1)), 0.2)
        return (self.real(h).squeeze(1) + (self.classes(labels) * h).sum(1)).float()


def losses(adversary, real, made, labels, penalty):
    """(how badly it tells the two apart, the penalty on its slope), pairs of a label each (R3GAN, Huang et al. 2024).

    The slope at both kinds of picture is taken from small random shifts, which needs no second derivative (Lin et al. 2025).
    """
    both, twice = torch.cat([real, made]), torch.cat([labels, labels])
    shaken = adversary(torch.cat([both, both + SHAKE * torch.randn_like(both)]), torch.cat([twice, twice]))
    plain, moved = shaken.chunk(2)
    of_real, of_made = plain.chunk(2)
    slope = ((moved - plain) / SHAKE).square().mean()
    return F.softplus(of_made - of_real).mean(), penalty * slope


def deception(adversary, real, made, labels):
    """How badly `made` passes for real; its gradient is for `made` alone."""
    with torch.no_grad():
        of_real = adversary(real, labels)
    return F.softplus(of_real - adversary(made, labels)).mean()
