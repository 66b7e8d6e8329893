"""Measure an exported model and write its card. Each row is kept as it is done, so the command can be run again to go on;
with `--keep FOLDER` each batch of pictures is kept there, so that it goes on within a row of a thousand steps as well.

    python -m training.evaluate --model www/models/mnist --data DIR --count 1000 --rows ddim:20 ddpm:1000 \\
        "unipc:20:thresholding=true,guidance=1.5"

A row is SOLVER:STEPS[:NAME=VALUE,...], the names being fields of scheduler_config.json, `guidance`, or options of diffusers'
`step` (eta, use_clipped_model_output). The first row is the one whose 64 samples of seeds 0-63 make the sheet.
`--earlier` names evaluated exports of the same run from before its end: the card shows their rows too. `--remark` is what
a person says of the sheet. `--teacher` shows a student's rows beside its teacher's, draws both over passes as quality.png and
puts that curve into the model's entry of the index.json beside the folder, for the page.
"""

import argparse
import hashlib
import json
import platform
import time
from pathlib import Path

import torch
from diffusers import DDPMScheduler, UNet2DModel
from safetensors.torch import load_file, save_file

from training import card, diffusion, files, metrics, plot
from training import data as data_sets
from training.classifier import Frozen

REFERENCE = 10_000


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--count", type=int, default=1000, help="samples of each row, and held-out pictures of the floor")
    parser.add_argument("--any-count", type=int, help="samples without a class, for the entropy (default: --count)")
    parser.add_argument("--rows", nargs="+", required=True)
    parser.add_argument("--bound", nargs=2, type=int, metavar=("PICTURES", "TIMESTEPS"), help="size of the bits/dim estimate")
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--bf16", action="store_true", help="draw in bf16, as the page does not: to compare many rows in less time")
    parser.add_argument("--keep", type=Path, help="folder, outside the model's, for the batches already drawn")
    parser.add_argument("--earlier", type=Path, nargs="+", help="evaluated exports of earlier checkpoints, to show the trend")
    parser.add_argument("--teacher", type=Path, help="evaluated export of the model that this one learned from, to set beside and plot")
    parser.add_argument("--remark", help="what a person sees on the sheet")
    parser.add_argument("--page", help="how long the page takes, as tests/outside/few-steps.mjs says")
    return parser.parse_args()


class Evaluation:
    def __init__(self, args):
        self.args = args
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        # Others use a CPU too, and the clock on the wall counts them in.
        self.clock = time.monotonic if self.device == "cuda" else time.process_time
        self.record_file = args.model / "record.json"
        if not self.record_file.exists():
            raise SystemExit(f"{self.record_file} is missing: write the model with python -m training.export")
        self.record = json.loads(self.record_file.read_text())
        self.config = self.record["config"]
        self.data = data_sets.load(self.config["data"], args.data)
        self.any = len(self.data.classes)
        self.classifier = Frozen.load(self.config["data"], self.device)
        model = UNet2DModel.from_pretrained(args.model, torch_dtype=torch.float32)
        self.model = model.eval().to(self.device, memory_format=diffusion.layout() if args.bf16 else torch.channels_last)
        self.scheduler = DDPMScheduler.load_config(args.model)
        known = {
            "weights": files.sha256(args.model / "diffusion_pytorch_model.safetensors"),
            "classifier": self.classifier.sha256,
            "count": args.count,
            **({"bf16": True} if args.bf16 else {}),
        }
        self.result = self.record.get("evaluation", {})
        if any(self.result.get(name) != known.get(name) for name in ("weights", "classifier", "count", "bf16")):
            self.result = known | {"rows": {}}

    def keep(self):
        self.record["evaluation"] = self.result
        lists = self.args.model / "timesteps.json"
        if lists.exists():
            self.record["timesteps"] = json.loads(lists.read_text())
        files.write_json(self.record_file, self.record)
        files.write(self.args.model / "README.md", lambda file: file.write_text(card.text(self.record)))

    def features(self, part, index):
        return torch.cat([self.classifier.features(part.floats(i).to(self.device)) for i in index.split(500)])

    def draw(self, row, labels, first_seed=0):
        """(pictures of the labels [N] under seeds first_seed and up, seconds that drawing them took)."""
        name, steps, guidance, changes, options = diffusion.parse_row(row)
        made, seconds = [], 0.0
        for i in torch.arange(len(labels)).split(self.args.batch):
            seeds = (i + first_seed).tolist()
            about = json.dumps([self.result["weights"], dict(self.scheduler), self.args.bf16, row, labels[i].tolist(), seeds])
            file = self.args.keep and self.args.keep / f"{hashlib.sha256(about.encode()).hexdigest()}.safetensors"
            if file and file.exists():
                tensors = load_file(file)
            else:
                solver, start = diffusion.solver(name, self.scheduler, **changes), self.clock()
                with torch.autocast(self.device, torch.bfloat16, enabled=self.args.bf16):
                    x = diffusion.sample(self.model, solver, labels[i], seeds, steps, guidance, self.any, **options)
                x = x.float().cpu().contiguous()
                tensors = {"pictures": x, "seconds": torch.tensor(self.clock() - start)}
            if file and not file.exists():
                files.write(file, lambda path: save_file(tensors, path))
            made.append(tensors["pictures"].to(self.device))
            seconds += tensors["seconds"].item()
        return torch.cat(made), seconds

    def floor(self):
        """Held-out pictures against training pictures: what a perfect model of this many samples would get."""
        train, held_out = self.data.train, self.data.held_out
        self.index = torch.linspace(0, len(held_out) - 1, self.args.count).long()
        self.reference = self.features(train, torch.linspace(0, len(train) - 1, min(REFERENCE, len(train))).long())
        self.held_out = self.features(held_out, self.index)
        self.result["reference"] = len(self.reference)
        like = self.reference[torch.linspace(0, len(self.reference) - 1, self.args.count).long()]
        self.result["floor"] = self.distances(self.held_out) | self.read(self.held_out, held_out.labels[self.index])
        self.result["floor"] |= dict(zip(("precision", "recall"), metrics.coverage(self.held_out, like)))

    def distances(self, features):
        return {"fid": metrics.fid(features, self.reference), "kid": metrics.kid(features, self.reference)}

    def read(self, features, labels):
        """Share of pictures that the classifier reads as `labels`, and of those that it is sure of, right or wrong."""
        p = self.classifier.logits(features).softmax(1).cpu()
        return {
            "accuracy": (p.argmax(1) == labels).float().mean().item(),
            "confident": (p.amax(1) > 0.9).float().mean().item(),
        }

    def row(self, text):
        labels = self.data.held_out.labels[self.index]
        pictures, seconds = self.draw(text, labels)
        features = self.classifier.features(pictures)
        precision, recall = metrics.coverage(self.held_out, features)
        result = self.distances(features) | self.read(features, labels) | {"precision": precision, "recall": recall}
        result |= {"passes": diffusion.passes(text), "seconds": seconds / len(labels)}
        count = self.args.any_count if self.args.any_count is not None else len(labels)
        if count and diffusion.parse_row(text)[2] == 1:
            free, _ = self.draw(text, torch.full((count,), self.any), first_seed=len(labels))
            classes = self.classifier.logits(self.classifier.features(free)).argmax(1).cpu()
            result |= {"entropy": metrics.entropy_bits(classes, self.any), "entropy_count": count}
        return result

    def bound(self, pictures, timesteps):
        chain = DDPMScheduler.from_config(self.scheduler)
        mean, error = metrics.bits_per_dimension(self.model, chain, self.data.held_out, self.any, pictures, timesteps)
        return {"bits": mean, "error": error, "pictures": pictures, "timesteps": timesteps}

    def sheet(self, row):
        """64 uncurated samples of seeds 0-63, class by class, and how near the first 16 come to a training picture."""
        pictures, _ = self.draw(row, torch.arange(64) % self.any)
        files.sheet(pictures, self.args.model / "samples.png", 8, 2)
        flips = self.config["train"]["flips"]
        spread = torch.linspace(0, len(self.data.held_out) - 1, 200).long()
        usual = torch.tensor([d for d, _ in nearest(self.data.held_out.floats(spread), self.data.train, flips)])
        found = [
            {"seed": seed, "number": number, "distance": distance}
            for seed, (distance, number) in enumerate(nearest(pictures[:16].cpu(), self.data.train, flips))
        ]
        return {"row": row, "nearest": found, "held_out": {"median": usual.median().item(), "least": usual.min().item()}}


def nearest(pictures, train, flips):
    """(RMS distance over pixels in [-1, 1], number) of the training picture nearest to each, mirrored ones too if `flips`."""
    best = torch.full((len(pictures),), torch.inf)
    number = torch.zeros(len(pictures), dtype=torch.long)
    for i in torch.arange(len(train)).split(2000):
        x = train.floats(i)
        for known in (x, x.flip(3)) if flips else (x,):
            distance, at = (torch.cdist(pictures.flatten(1), known.flatten(1)) / x[0].numel() ** 0.5).min(1)
            number = torch.where(distance < best, i[at], number)
            best = torch.minimum(distance, best)
    return [(d.item(), train.numbers[n]) for d, n in zip(best, number)]


def earlier(folder, result):
    """What is known of the export in `folder`, which must have been judged as this one is."""
    record = json.loads((folder / "record.json").read_text())
    other = record.get("evaluation", {})
    if any(other.get(name) != result[name] for name in ("classifier", "count")):
        raise SystemExit(f"{folder} was not evaluated with the same classifier on {result['count']} samples: do that first")
    return {"training": record["training"], "rows": other["rows"], "bound": other.get("bound")}


def list_curve(folder, curve):
    """Give the page the curve of the model in `folder`, where it is one of the page's."""
    index, path = folder.parent / "index.json", f"{folder.parent.name}/{folder.name}/"
    models = json.loads(index.read_text()) if index.exists() else []
    for model in models:
        if model["path"] == path:
            model["curve"] = curve
            files.write_json(index, models)


def bf16(folder):
    return json.loads((folder / "record.json").read_text())["evaluation"].get("bf16", False)


def main():
    args = arguments()
    for text in args.rows:
        if diffusion.parse_row(text)[0] not in diffusion.SOLVERS:
            raise SystemExit(f"row {text} names no solver of {', '.join(diffusion.SOLVERS)}")
    evaluation = Evaluation(args)
    evaluation.floor()
    result = evaluation.result
    # A run that only rewrites the card did not take the times in it.
    if any(text not in result["rows"] for text in args.rows):
        result["machine"] = torch.cuda.get_device_name() if evaluation.device == "cuda" else (
            f"{torch.get_num_threads()} thread(s) of a shared CPU ({platform.machine()}), times are the processor's"
        )
    if args.remark:
        result["remark"] = args.remark
    if args.page:
        result["page"] = args.page
    if args.earlier:
        result["earlier"] = [earlier(folder, result) for folder in args.earlier]
    if args.teacher:
        result["earlier"] = [earlier(args.teacher, result) | {"teacher": "bf16" if bf16(args.teacher) else "F32"}]
    if result.get("sheet", {}).get("row") != args.rows[0]:
        result["sheet"] = evaluation.sheet(args.rows[0])
        evaluation.keep()
    for text in args.rows:
        if text not in result["rows"]:
            result["rows"][text] = evaluation.row(text)
            evaluation.keep()
            print(text, json.dumps(result["rows"][text]), flush=True)
    if args.bound and (result.get("bound", {}).get("pictures"), result.get("bound", {}).get("timesteps")) != tuple(args.bound):
        result["bound"] = evaluation.bound(*args.bound)
    if args.teacher:
        result["plot"] = "quality.png"
        plot.quality(result, args.model / result["plot"])
        list_curve(args.model.resolve(), plot.curve(result))
    evaluation.keep()


if __name__ == "__main__":
    main()
