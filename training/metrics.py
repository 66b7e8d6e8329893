"""Distances between sets of features, and the variational bound."""

import math

import numpy as np
import torch

from training import diffusion


def fid(a, b):
    """Frechet distance of the Gaussians fitted to features a [N, F] and b [M, F] (Heusel et al. 2017)."""
    a, b = (x.double().cpu() for x in (a, b))
    (mean_a, cov_a), (mean_b, cov_b) = ((x.mean(0), torch.cov(x.T)) for x in (a, b))
    values, vectors = torch.linalg.eigh(cov_a)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    cross = torch.linalg.eigvalsh(root @ cov_b @ root).clamp(min=0).sqrt().sum()
    return ((mean_a - mean_b).square().sum() + cov_a.trace() + cov_b.trace() - 2 * cross).item()


def kid(a, b):
    """Unbiased squared maximum mean discrepancy with the kernel (x.y/F + 1)^3 (Binkowski et al. 2018)."""
    a, b = (x.double().cpu() for x in (a, b))
    kernel = lambda x, y: (x @ y.T / x.shape[1] + 1) ** 3
    within = lambda x: (kernel(x, x).sum() - kernel(x, x).diagonal().sum()) / (len(x) * (len(x) - 1))
    return (within(a) + within(b) - 2 * kernel(a, b).mean()).item()


def coverage(real, made, k=3):
    """(precision, recall) of features made [N, F] against real [M, F] (improved precision and recall, Kynkaanniemi et al. 2019).

    Precision is the share of the made that lie within the reach of a real one, its distance to its k-th nearest other real one;
    recall the share of the real that lie so within the reach of a made one. Both fall with fewer samples, so compare like counts.
    """
    real, made = (x.double().cpu() for x in (real, made))
    # The nearest of all is the one itself.
    reach = lambda x: torch.cdist(x, x).kthvalue(k + 1, dim=1).values
    apart = torch.cdist(made, real)
    precision = (apart <= reach(real)).any(1).double().mean().item()
    recall = (apart <= reach(made)[:, None]).any(0).double().mean().item()
    return precision, recall


def entropy_bits(classes, count):
    share = torch.bincount(classes, minlength=count).double() / len(classes)
    return -(share[share > 0] * share[share > 0].log2()).sum().item()


def bits_per_dimension(model, chain, part, any_label, pictures, timesteps, seed=0):
    """Mean and standard error over pictures of the bound L_vlb in bits a dimension, without labels, by DDPM section 3.

    p is the chain that DDPM sampling walks: x0 clipped where the scheduler clips, its variance. L_0 and L_T of each picture
    are taken whole, the sum between from `timesteps` evenly spread ones.
    """
    device = next(model.parameters()).device
    torch.manual_seed(seed)
    T, total = chain.config.num_train_timesteps, []
    for i in torch.linspace(0, len(part) - 1, pictures).long().tolist():
        x0 = part.floats([i]).to(device)
        spread = ((torch.rand(()) + torch.arange(timesteps) / timesteps) * (T - 1)).long() % (T - 1) + 1
        t = torch.cat([torch.zeros(1, dtype=torch.long), spread])
        nats = torch.cat([terms(model, chain, x0, part_t, any_label) for part_t in t.split(50)])
        last = chain.alphas_cumprod[-1].double()
        prior = 0.5 * (last * x0.double().square().cpu() - last - torch.log1p(-last)).sum()
        total.append((nats[0] + (T - 1) * nats[1:].mean() + prior).item() / (x0.numel() * math.log(2)))
    return np.mean(total), np.std(total, ddof=1) / math.sqrt(len(total))


@torch.no_grad()
def terms(model, chain, x0, t, any_label):
    """L_{t-1} (timestep index t >= 1) or L_0 (t = 0) in nats for picture x0 [1, C, H, W], each of t [N] with its own noise."""
    x0 = x0.expand(len(t), -1, -1, -1)
    noise = torch.randn(x0.shape).to(x0.device)
    x_t = chain.add_noise(x0, noise, t.to(x0.device))
    prediction = model(x_t, t.to(x0.device), torch.full_like(t, any_label, device=x0.device)).sample
    return torch.stack([term(chain, *one) for one in zip(x0, x_t, prediction, t.tolist())])


def term(chain, x0, x_t, prediction, t):
    x0, x_t, prediction = (a.double().cpu() for a in (x0, x_t, prediction))
    alpha_bar = chain.alphas_cumprod[t].double()
    before = chain.alphas_cumprod[t - 1].double() if t else torch.tensor(1.0, dtype=torch.double)
    beta = 1 - alpha_bar / before
    of_x0, of_x_t = before.sqrt() * beta / (1 - alpha_bar), (alpha_bar / before).sqrt() * (1 - before) / (1 - alpha_bar)
    _, guess = diffusion.epsilon(chain, prediction, x_t, t)
    guess = guess.clamp(-1, 1) if chain.config.clip_sample else guess
    mean = of_x0 * guess + of_x_t * x_t
    true_variance = beta * (1 - before) / (1 - alpha_bar)
    if t == 0:
        variance = beta if chain.config.variance_type == "fixed_large" else second_variance(chain)
        return decoder(x0, mean, variance.sqrt())
    variance = beta if chain.config.variance_type == "fixed_large" else true_variance
    ratio = true_variance / variance
    each = 0.5 * (ratio - 1 - ratio.log()) + (of_x0 * (x0 - guess)).square() / (2 * variance)
    return each.sum()


def second_variance(chain):
    """The posterior variance at index 1, which stands in for the vanishing one at index 0."""
    first, second = (chain.alphas_cumprod[t].double() for t in (0, 1))
    return (1 - second / first) * (1 - first) / (1 - second)


def decoder(x0, mean, deviation):
    """-log p(x0 | x_1) in nats: the Gaussian's mass in each byte's bucket, the outer buckets reaching to infinity."""
    normal = lambda x: 0.5 * torch.erfc(-x / math.sqrt(2))
    upper = torch.where(x0 > 0.999, torch.inf, (x0 + 1 / 255 - mean) / deviation)
    lower = torch.where(x0 < -0.999, -torch.inf, (x0 - 1 / 255 - mean) / deviation)
    # The tail further from zero is the accurate one.
    mass = torch.where(lower > 0, normal(-lower) - normal(-upper), normal(upper) - normal(lower))
    return -mass.clamp(min=1e-30).log().sum()
