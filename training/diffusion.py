"""What training and evaluation share: the network, the forward chain, the loss, and drawing samples by seed."""

import inspect
import json
from pathlib import Path

import diffusers
import torch
from diffusers import DDPMScheduler, UNet2DModel

SCHEDULES = {"linear": "linear", "cosine": "squaredcos_cap_v2"}
# Of a row's names those that go to diffusers' `step`; the others are fields of the scheduler.
OPTIONS = ("eta", "use_clipped_model_output")
SOLVERS = {
    "ddpm": diffusers.DDPMScheduler,
    "ddim": diffusers.DDIMScheduler,
    "dpmpp-2m": diffusers.DPMSolverMultistepScheduler,
    "unipc": diffusers.UniPCMultistepScheduler,
    "lcm": diffusers.LCMScheduler,
}


def network(config, classes):
    """The U-Net of a training configuration; label `classes` means "any"."""
    return UNet2DModel(num_class_embeds=classes + 1, **config["unet"])


def scheduler(config):
    """What an exported model of a training configuration is sampled by, as its scheduler_config.json says."""
    return solver(config.get("solver", "ddpm"), forward_chain(config).config)


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


def shape(model):
    """(C, H, W) of the model's pictures."""
    return model.config.in_channels, model.config.sample_size, model.config.sample_size


def noise(seeds, shape):
    """Standard normal noise [N, C, H, W], each picture's from its own seed, or its own generator where that is used on."""
    generators = [seed if isinstance(seed, torch.Generator) else torch.Generator().manual_seed(seed) for seed in seeds]
    return torch.cat([torch.randn((1, *shape), generator=g) for g in generators])


def autocast(device):
    """bf16 where products in it are instructions, F32 elsewhere."""
    return torch.autocast(device, torch.bfloat16, enabled=fast_bf16())


def layout():
    """Channels last is for convolutions much faster on CPUs, and what tensor cores want; but a tenth slower in bf16 on a CPU, by group norm."""
    return torch.channels_last if torch.cuda.is_available() or not fast_bf16() else torch.contiguous_format


def fast_bf16():
    # On CPUs only where products in bf16 are instructions: 1.2 to 1.5 times as many pictures a second there.
    return torch.cuda.is_bf16_supported() if torch.cuda.is_available() else torch.cpu._is_avx512_bf16_supported()


@torch.no_grad()
def sample(model, scheduler, labels, seeds, steps, guidance=1.0, any_label=None, timesteps=None, **step_options):
    """Pictures [N, C, H, W] in [-1, 1]; picture i depends on seeds[i] and labels[i] alone, as if drawn by itself.

    `timesteps`, a falling list, goes before `steps` where the solver takes one.
    """
    device = next(model.parameters()).device
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    x = noise(generators, shape(model)).to(device)
    labels = labels.to(device)
    if timesteps:
        scheduler.set_timesteps(timesteps=timesteps)
    else:
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


def parse_row(text):
    """(solver, steps, guidance, scheduler fields, step options) of a row."""
    name, steps, *rest = text.split(":")
    changes = {}
    for pair in filter(None, ",".join(rest).split(",")):
        key, value = pair.split("=")
        try:
            changes[key] = json.loads(value)
        except json.JSONDecodeError:
            changes[key] = value
    guidance = changes.pop("guidance", 1)
    options = {key: changes.pop(key) for key in OPTIONS if key in changes}
    if "timesteps" in changes:
        options["timesteps"] = [int(t) for t in str(changes.pop("timesteps")).split("-")]
    return name, int(steps), guidance, changes, options


def passes(row):
    """How often the network sees a picture of the row: guidance takes two passes a step."""
    _, steps, guidance, _, options = parse_row(row)
    return len(options.get("timesteps", range(steps))) * (1 if guidance == 1 else 2)


def read_config(path):
    return json.loads(Path(path).read_text())
