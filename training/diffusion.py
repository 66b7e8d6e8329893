"""What training and evaluation share: the network, the forward chain, the loss, and drawing samples by seed."""

import inspect
import json
from pathlib import Path

import diffusers
import torch
from diffusers import DDPMScheduler, UNet2DModel

SCHEDULES = {"linear": "linear", "cosine": "squaredcos_cap_v2"}
SOLVERS = {
    "ddpm": diffusers.DDPMScheduler,
    "ddim": diffusers.DDIMScheduler,
    "dpmpp-2m": diffusers.DPMSolverMultistepScheduler,
    "unipc": diffusers.UniPCMultistepScheduler,
}


def network(config, classes):
    """The U-Net of a training configuration; label `classes` means "any"."""
    return UNet2DModel(num_class_embeds=classes + 1, **config["unet"])


def forward_chain(config):
    return DDPMScheduler(num_train_timesteps=1000, clip_sample=True, **config["scheduler"])


def loss(model, chain, x0, labels, t, noise, min_snr=0):
    """L_simple of each picture [N], or with min-SNR weights (Hang et al. 2023) where `min_snr` is not 0."""
    v = chain.config.prediction_type == "v_prediction"
    target = chain.get_velocity(x0, noise, t) if v else noise
    prediction = model(chain.add_noise(x0, noise, t), t, labels).sample
    each = (prediction.float() - target).square().flatten(1).mean(1)
    if not min_snr:
        return each
    alpha_bar = chain.alphas_cumprod.to(t.device)[t]
    snr = alpha_bar / (1 - alpha_bar)
    return each * snr.clamp(max=min_snr) / (snr + 1 if v else snr)


def spread_timesteps(n, steps=1000):
    """n timesteps, each uniform on 0..steps-1, together evenly spread, which quietens the loss (Kingma et al. 2021)."""
    return (((torch.rand(()) + torch.arange(n) / n) % 1) * steps).long()


def epsilon(chain, prediction, x_t, t):
    """(epsilon, x0) that a prediction implies at timestep t, a number."""
    alpha_bar = chain.alphas_cumprod[t].item()
    a, s = alpha_bar**0.5, (1 - alpha_bar) ** 0.5
    if chain.config.prediction_type == "v_prediction":
        return s * x_t + a * prediction, a * x_t - s * prediction
    return prediction, (x_t - s * prediction) / a


@torch.no_grad()
def sample(model, scheduler, labels, seeds, steps, guidance=1.0, any_label=None, **step_options):
    """Pictures [N, C, H, W] in [-1, 1]; picture i depends on seeds[i] and labels[i] alone, as if drawn by itself."""
    device = next(model.parameters()).device
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    shape = (1, model.config.in_channels, model.config.sample_size, model.config.sample_size)
    x = torch.cat([torch.randn(shape, generator=g) for g in generators]).to(device)
    labels = labels.to(device)
    scheduler.set_timesteps(steps)
    x = x * scheduler.init_noise_sigma
    if "generator" in inspect.signature(scheduler.step).parameters:
        step_options["generator"] = generators
    for t in scheduler.timesteps:
        prediction = model(x, t, labels).sample
        if guidance != 1:
            free = model(x, t, torch.full_like(labels, any_label)).sample
            prediction = free + guidance * (prediction - free)
        x = scheduler.step(prediction, t, x, **step_options).prev_sample
    return x.clamp(-1, 1)


def solver(name, config, **changes):
    """The solver `name` over a scheduler's configuration, as diffusers' `Class.from_config` reads it."""
    return SOLVERS[name].from_config(dict(config), **changes)


def read_config(path):
    return json.loads(Path(path).read_text())
