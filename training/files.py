"""Files that a kill at any moment leaves whole, and sheets of pictures."""

import hashlib
import json
import os
from pathlib import Path

import torch
from PIL import Image


def write(path, save):
    """`save(temporary path)`, then put in place of `path` at once."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    save(temporary)
    with open(temporary, "rb") as file:
        os.fsync(file.fileno())
    os.chmod(temporary, 0o644)
    os.replace(temporary, path)


def write_json(path, value):
    write(path, lambda file: file.write_text(json.dumps(value, indent=2) + "\n"))


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def sheet(pictures, path, columns, scale=1):
    """Pictures [N, C, H, W] in [-1, 1] side by side as a PNG, each pixel `scale` times."""
    n, c, h, w = pictures.shape
    rows = -(-n // columns)
    grid = torch.zeros(rows * columns, c, h, w, dtype=torch.uint8)
    grid[:n] = ((pictures.float().cpu() / 2 + 0.5) * 255).round().clamp(0, 255).to(torch.uint8)
    grid = grid.view(rows, columns, c, h, w).permute(0, 3, 1, 4, 2).reshape(rows * h, columns * w, c)
    image = Image.fromarray(grid.expand(-1, -1, 3).contiguous().numpy())
    image = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    write(path, lambda file: image.save(file, format="PNG"))
