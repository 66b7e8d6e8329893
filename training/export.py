"""Write a trained model as the page and diffusers load it: F16 weights, configuration, scheduler, labels, record.

    python -m training.export --run training/runs/mnist --data DIR --output www/models/mnist [--weights ema-050.safetensors]

The folder's parent gets or renews its entry in index.json: each file's size and SHA-256, card.png where the folder has one, and
the "defaults" of the run's configuration: what the page's fields begin with (docs/api.md). A student's entry names
its teacher, the configuration's "of", and its card.png is drawn here: four samples without a label, seeds 0-3.
"""

import argparse
import json
from pathlib import Path

import torch
from safetensors import safe_open

from training import data as data_sets
from training import diffusion, files

LOADED = ["config.json", "scheduler_config.json", "labels.json", "diffusion_pytorch_model.safetensors"]


def read_run(run, weights, classes):
    """(configuration, network with EMA weights, what is known of its training) of a run's checkpoint or quarter."""
    saved = torch.load(run / "checkpoint.pt", map_location="cpu", weights_only=True)
    config = saved["config"]
    model = diffusion.network(config, classes)
    if weights:
        with safe_open(run / weights, "pt") as file:
            model.load_state_dict({name: file.get_tensor(name) for name in file.keys()})
            about = {name: int(value) for name, value in file.metadata().items()}
    else:
        for parameter, shadow in zip(model.parameters(), saved["ema"]["shadow_params"], strict=True):
            parameter.data.copy_(shadow)
        about = {"step": saved["step"], "images": saved["images"], "minutes": round(saved["seconds"] / 60)}
    return config, model.eval(), about


def entry(config, folder, index):
    sizes = [{"name": n, "bytes": (folder / n).stat().st_size, "sha256": files.sha256(folder / n)} for n in LOADED]
    path = f"{index.parent.name}/{folder.name}/"
    return {
        "id": config["id"],
        "title": config["title"],
        "path": path,
        "bytes": sum(one["bytes"] for one in sizes),
        **({"picture": f"{path}card.png"} if (folder / "card.png").exists() else {}),
        **({"defaults": config["defaults"]} if "defaults" in config else {}),
        "files": sizes,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--weights", help="EMA weights of a quarter instead of the last checkpoint's")
    args = parser.parse_args()
    written = diffusion.read_config(args.run / "config.json")
    data = data_sets.load(written["data"], args.data)
    config, model, about = read_run(args.run, args.weights, len(data.classes))
    # What the page begins with, and whose fast variant this is, may be found out after training.
    config |= {name: written[name] for name in ("defaults", "of") if name in written}
    worst = max(p.abs().max().item() for p in model.parameters())
    if not worst < torch.finfo(torch.float16).max:
        raise SystemExit(f"a weight of {args.run} is {worst}, which F16 does not hold")
    model.half().save_pretrained(args.output)
    (args.output / LOADED[-1]).chmod(0o644)
    diffusion.scheduler(config).save_config(args.output)
    files.write_json(args.output / "labels.json", {"classes": data.classes, "any": len(data.classes)})
    about["epochs"] = round(about["images"] / len(data.train), 2)
    files.write_json(args.output / "record.json", {"training": about, "config": config})
    if "of" in config:
        four = torch.full((4,), len(data.classes))
        pictures = diffusion.sample(model.float(), diffusion.scheduler(config), four, range(4), config["defaults"]["steps"])
        files.sheet(pictures, args.output / "card.png", 2)
    index = args.output.resolve().parent / "index.json"
    entries = {one["id"]: one for one in json.loads(index.read_text())} if index.exists() else {}
    new = entry(config, args.output.resolve(), index)
    if "of" in config:
        if config["of"] not in entries:
            raise SystemExit(f"{index} has no model {config['of']}, which {args.output} is the fast variant of: export that first")
        new["of"] = config["of"]
    before = entries.get(new["id"], {})
    if before.get("files") != new["files"]:
        # It was measured of other weights.
        before.pop("curve", None)
    entries[new["id"]] = before | new
    files.write_json(index, list(entries.values()))
    print(f"{args.output}: {new['bytes']:,} bytes, {about}")


if __name__ == "__main__":
    main()
