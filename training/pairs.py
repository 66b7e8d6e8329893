"""Noises and the pictures that a model's deterministic chain makes of them: what distillation and fitted timesteps aim at.

    python -m training.pairs --model www/models/mnist --row dpmpp-2m:20:thresholding=true,sample_max_value=1,guidance=2 \\
        --count 10000 --output training/runs/mnist-pairs

A row is written as in training.evaluate. OUTPUT gets shards of pictures and labels; the noise of picture i is that of seed
`FIRST_SEED + i`, which no evaluation uses. Run the same command again to go on, with a larger --count for more.
"""

import argparse
import time
from pathlib import Path

import torch
from diffusers import DDPMScheduler, UNet2DModel
from safetensors.torch import load_file, save_file

from training import diffusion, files

FIRST_SEED = 1_000_000
SHARD = 250


def shard_labels(number, classes, size=SHARD):
    """Labels of a shard: each class as often as any other, and "any", the label `classes`, in every tenth shard."""
    if number % 10 == 9:
        return torch.full((size,), classes)
    order = torch.randperm(size, generator=torch.Generator().manual_seed(number))
    return (number * size + order) % classes


def load(folder, device="cpu"):
    """(noise [N, C, H, W], labels [N], pictures [N, C, H, W]) of all shards in `folder`, in F32."""
    about = diffusion.read_config(folder / "pairs.json")
    shards = sorted(folder.glob("pairs-*.safetensors"))
    if not shards:
        raise SystemExit(f"{folder} has no pairs yet: write them with python -m training.pairs")
    tensors = [load_file(file) for file in shards]
    pictures, labels = (torch.cat([one[name] for one in tensors]) for name in ("pictures", "labels"))
    numbers = [int(file.stem.split("-")[1]) * about["shard"] + i for file in shards for i in range(about["shard"])]
    return diffusion.noise([FIRST_SEED + n for n in numbers], pictures.shape[1:]).to(device), labels.to(device), pictures.float().to(device)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--row", required=True)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = UNet2DModel.from_pretrained(args.model, torch_dtype=torch.float32).eval().to(device)
    scheduler = DDPMScheduler.load_config(args.model)
    any_label = model.config.num_class_embeds - 1
    about = {"weights": files.sha256(args.model / "diffusion_pytorch_model.safetensors"), "row": args.row, "shard": SHARD}
    known = args.output / "pairs.json"
    if known.exists() and diffusion.read_config(known) != about:
        raise SystemExit(f"{known} tells of another chain than {args.row} of {args.model}: choose another --output")
    files.write_json(known, about)
    name, steps, guidance, changes, options = diffusion.parse_row(args.row)
    for number in range(-(-args.count // SHARD)):
        file = args.output / f"pairs-{number:05d}.safetensors"
        if file.exists():
            continue
        start = time.process_time()
        labels = shard_labels(number, any_label)
        seeds = range(FIRST_SEED + number * SHARD, FIRST_SEED + (number + 1) * SHARD)
        solver = diffusion.solver(name, scheduler, **changes)
        # Without a label there is nothing to guide by.
        guide = 1 if labels[0] == any_label else guidance
        with diffusion.autocast(device):
            pictures = diffusion.sample(model, solver, labels, seeds, steps, guide, any_label, **options)
        tensors = {"pictures": pictures.half().cpu().contiguous(), "labels": labels}
        files.write(file, lambda path: save_file(tensors, path))
        print(f"{(number + 1) * SHARD} pairs, {(time.process_time() - start) / SHARD * 1000:.1f} ms of processor time each", flush=True)


if __name__ == "__main__":
    main()
