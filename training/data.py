"""MNIST and Oxford Flowers 102 at 64x64, from a file at hand or by torchvision's download, as bytes in memory."""

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

# Flowers 102 holds these pictures twice, byte for byte; each pair stays on one side of the split.
FLOWER_DUPLICATES = {7309: 7307, 7328: 7323, 7886: 7885, 8077: 8067}
SPLIT_SEED = 102


@dataclass
class Part:
    """`pictures` u8 [N, C, H, W]; `labels` i64 [N]; `numbers`, what the data set itself calls each picture."""

    pictures: torch.Tensor
    labels: torch.Tensor
    numbers: list

    def __len__(self):
        return len(self.labels)

    def floats(self, index=slice(None)):
        """Pictures of `index` as F32 in [-1, 1]."""
        return self.pictures[index].float().div(127.5).sub(1)


@dataclass
class Data:
    """`any` of a model trained on it is len(classes)."""

    classes: list
    train: Part
    held_out: Part


def load(name, folder):
    """The data set `name` (mnist, flowers64) from `folder`, downloaded there by torchvision where our file is missing."""
    return {"mnist": mnist, "flowers64": flowers64}[name](Path(folder))


def mnist(folder):
    file = folder / "mnist.npz"
    if file.exists():
        data = np.load(file)
        arrays = [data[name] for name in ("x_train", "y_train", "x_test", "y_test")]
    else:
        from torchvision.datasets import MNIST

        sets = [MNIST(folder, train=train, download=True) for train in (True, False)]
        arrays = [a.numpy() for s in sets for a in (s.data, s.targets)]
    part = lambda x, y: Part(torch.from_numpy(x)[:, None].contiguous(), torch.from_numpy(y).long(), list(range(len(y))))
    return Data([str(digit) for digit in range(10)], part(*arrays[:2]), part(*arrays[2:]))


def flowers64(folder):
    file = folder / "flowers64.zip"
    pictures, labels, numbers = [], [], []
    if file.exists():
        with zipfile.ZipFile(file) as archive:
            classes = json.loads(archive.read("classes.json"))
            for name in sorted(n for n in archive.namelist() if n.endswith(".jpg")):
                pictures.append(np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("RGB")))
                labels.append(int(name.split("/")[0]))
                numbers.append(int(name[-9:-4]))
    else:
        from torchvision.datasets import Flowers102

        for split in ("train", "val", "test"):
            photographs = Flowers102(folder, split=split, download=True)
            classes = list(photographs.classes)
            for path, label in zip(photographs._image_files, photographs._labels):
                pictures.append(np.asarray(shrink(Image.open(path).convert("RGB"), 64)))
                labels.append(int(label))
                numbers.append(int(path.stem[-5:]))
    held_out = set(split_flowers(numbers, labels))
    pictures = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()
    labels = torch.tensor(labels)

    def part(keep):
        index = sorted((i for i in range(len(numbers)) if (numbers[i] in held_out) != keep), key=lambda i: numbers[i])
        return Part(pictures[index], labels[index], [numbers[i] for i in index])

    return Data(classes, part(True), part(False))


def shrink(picture, size):
    """The central square, resized once."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.resize((size, size), Image.Resampling.LANCZOS, box=(left, top, left + side, top + side))


def split_flowers(numbers, labels):
    """Numbers of the held-out fifth, which has every class in proportion: shuffled within their classes, every fifth picture."""
    place = np.random.default_rng(SPLIT_SEED).permutation(max(numbers) + 1)
    order = sorted(zip(labels, numbers), key=lambda one: (one[0], place[one[1]]))
    held_out = {number for i, (_, number) in enumerate(order) if i % 5 == 0}
    return sorted(n for n in numbers if FLOWER_DUPLICATES.get(n, n) in held_out)
