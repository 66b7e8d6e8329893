"""How well a network trained on one picture knows it, measured through the command line.

    python -m training.one_picture --model RUN --picture photo.jpg [--pollen target/release/pollen] [--device gpu|cpu]

PSNR (peak 2, pixels in [-1, 1]) of x0-hat at index t = 200 over 16 noises that training never drew, and of whole chains (DDIM, 50 steps). The picture is best of the network's size already, since resizing is no two programs' same.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import torch
from diffusers import DDPMScheduler
from PIL import Image
from safetensors.torch import load_file, save_file

from training import diffusion
from training.data import shrink

T = 200
NOISES = 16


def psnr(a, b):
    """Of each picture, in dB."""
    return 10 * torch.log10(4 / (a - b).square().flatten(1).mean(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--picture", type=Path, required=True)
    parser.add_argument("--pollen", default="target/release/pollen")
    parser.add_argument("--device", default="gpu")
    parser.add_argument("--chains", type=int, default=4)
    args = parser.parse_args()
    size = json.loads((args.model / "config.json").read_text())["sample_size"]
    picture = shrink(Image.open(args.picture).convert("RGB"), size)
    x0 = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).view(size, size, 3).permute(2, 0, 1)[None] / 127.5 - 1
    chain = DDPMScheduler.from_config(DDPMScheduler.load_config(args.model))
    alpha_bar = chain.alphas_cumprod[T]
    noise = torch.randn((NOISES, *x0.shape[1:]), generator=torch.Generator().manual_seed(987_654_321))
    x_t = alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * noise

    def run(*words):
        subprocess.run([args.pollen, *map(str, words), "--device", args.device], check=True)

    with tempfile.TemporaryDirectory() as folder:
        given, made, drawn = (Path(folder) / f"{name}.safetensors" for name in ("given", "made", "drawn"))
        save_file({"sample": x_t.contiguous(), "timestep": torch.full((NOISES,), T)}, given)
        run("predict", args.model, "--input", given, "--output", made)
        _, x0_hat = diffusion.epsilon(chain, load_file(made)["prediction"], x_t, T)
        x0_hat = x0_hat.clamp(-1, 1)
        run("sample", args.model, "--sampler", "ddim", "--steps", 50, "--seed", 987_654, "--count", args.chains, "--tensor", drawn)
        chains = load_file(drawn)["sample"].clamp(-1, 1)
    print(f"x0-hat at t = {T}: {psnr(x0_hat, x0).mean():.2f} dB, mean of {NOISES}; chains: {', '.join(f'{p:.2f}' for p in psnr(chains, x0))} dB")


if __name__ == "__main__":
    main()
