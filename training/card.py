"""The model card, from an export's record."""

DATA = {
    "mnist": (
        "MNIST (Yann LeCun and Corinna Cortes, derived from NIST; CC BY-SA 3.0 as the TensorFlow and Keras documentation states)",
        "the 60,000 training digits; the 10,000 test digits are held out",
        "Digits as MNIST has them, 28×28, grey, and nothing else; now and then one that reads as another than was asked for.",
        "follow CC BY-SA 3.0 as well",
    ),
    "flowers64": (
        "Oxford Flowers 102 (Nilsback and Zisserman, 2008; the set states no licence, so for research; its photographs are not here)",
        "a new split of the 8,189 photographs at 64×64: four fifths of each class for training, with mirrored copies, a fifth held "
        "out; the four pairs of identical photographs are each on one side",
        "Flowers only, 64×64, classes with as few as 32 training photographs: petals may be wrong in number and kind.",
        "keep to research",
    ),
}


FEW = (
    "It is for few steps: those of DDIM as `scheduler_config.json` has it. Guidance is learned in: without more of it a step is one pass of the network. "
    "From noise: `for t in scheduler.timesteps: x = scheduler.step(model(x, t, class_labels=labels).sample, t, x).prev_sample`."
)
FEW_GUIDED = (
    " A little guidance on top is worth its second pass: the page begins with {}, that is `any + {} * (asked - any)` of the outputs with both labels."
)


def fitted(known):
    """How the lists of a timesteps.json are used."""
    counts, guidance = list(known["timesteps"]), known["guidance"]
    example = known["timesteps"][counts[0]]
    joined = ",".join(map(str, example))
    return (
        f"**Fitted timesteps.** `timesteps.json` has lists of {', '.join(counts)} steps fitted to these weights with guidance {guidance:g} and x0 clipped (`training/timesteps.py`). "
        f"In diffusers: `{known['solver']}.from_pretrained(folder, thresholding=True, sample_max_value=1.0)` and `set_timesteps(timesteps={example})`; on the command "
        f"line: `pollen sample DIR --sampler dpmpp-2m --clip --guidance {guidance:g} --timesteps {joined} --output out.png`; in the page's console: "
        f"`await pollen.generate({{ sampler: 'dpmpp-2m', scheduler: {{ thresholding: true, sample_max_value: 1 }}, guidance: {guidance:g}, timesteps: {example} }})`."
    )


def row_text(name, row):
    entropy = f"{row['entropy']:.2f} ({row['entropy_count']})" if "entropy" in row else ""
    recall = f"{row['precision']:.1%}, {row['recall']:.1%}" if "recall" in row else ""
    cells = [name, str(row.get("passes", "")), f"{row['fid']:.3g}", f"{row['kid']:.2g}", f"{row['accuracy']:.1%}", f"{row['confident']:.1%}"]
    return "| " + " | ".join([*cells, recall, entropy, f"{row['seconds']:.2g}" if "seconds" in row else ""]) + " |"


def trained(training, train):
    """How the weights came about."""
    lines = (
        f"**Training.** {training['step']:,} steps of {train['batch']}, {training['images']:,} pictures, {training['epochs']} epochs"
        + (f", {training['minutes']} minutes" if "minutes" in training else "")
        + (f", from the weights with SHA-256 {train['start'][:16]}…" if "start" in train else "")
        + f". AdamW {train['rate']:g} with cosine decay, EMA {train['ema']:g}, "
    )
    if "method" not in train:
        lines += f"label dropout {train['label_dropout']:g}, " + (f"min-SNR {train['min_snr']:g}." if train["min_snr"] else "L_simple.")
    elif train["method"] == "chains":
        lines += (
            f"chains of {', '.join(train['chains'])} steps, whose pictures shall be those that `{train['pairs']}` makes with the weights that it "
            f"began with, an adversary of weight {train['adversary']['weight']:g}."
        )
    else:
        lines += f"consistency over {train['consistency']['steps']} steps of the weights that it began with."
    return lines + " `training/` has the recipe; record.json all of it."


def text(record):
    config, training, result = record["config"], record["training"], record["evaluation"]
    source, split, limits, heed = DATA[config["data"]]
    scheduler, train = config["scheduler"], config["train"]
    guidance = config["defaults"]["guidance"]
    lines = [
        f"# {config['title']}: a class-conditional U-Net",
        "",
        f"`UNet2DModel`, F16, EMA weights, {scheduler['prediction_type']}, schedule {scheduler['beta_schedule']}, T = 1000. Pixels run from −1 to 1. "
        "`labels.json` names the classes; the label that it calls `any` stands for all of them. The page loads the folder by itself, Python by "
        "`UNet2DModel.from_pretrained`, with `class_labels` in every call. Sizes and SHA-256 are in `../index.json`.",
        *([FEW + (FEW_GUIDED.format(guidance, guidance) if guidance != 1 else "")] if "method" in train else []),
        "",
        f"**Data.** {source}. Trained on {split}.",
        trained(training, train),
        f"**Limits.** {limits}" + (f" {result['remark']}" if "remark" in result else ""),
        *([fitted(record["timesteps"])] if "timesteps" in record else []),
        "",
        f"## Measured on {result['count']} samples a row",
        "",
        f"FID and KID are in the features of the frozen classifier (SHA-256 {result['classifier'][:16]}…) against "
        f"{result['reference']:,} training pictures; the floor is {result['count']} held-out pictures in place of samples. They compare "
        "with each other, not with numbers in Inception features. Labels are those of the floor's pictures, seeds from 0. "
        "A pass is one of the network over a picture; precision is the share of the samples within reach of the held-out pictures, recall that of those within reach of the samples (k = 3). "
        f"Machine: {result['machine']}.",
        "",
        "| solver:steps | passes | FID | KID | read as asked | p > 0.9 | precision, recall | class entropy, bits (samples) | s a sample |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        row_text("held-out pictures (floor)", result["floor"]),
    ]
    lines += [row_text(name, row) for name, row in result["rows"].items()]
    for earlier in result.get("earlier", []):
        about = f"the teacher in {earlier['teacher']}, " if "teacher" in earlier else f"after {earlier['training']['epochs']} epochs, "
        lines += [row_text(about + name, row) for name, row in earlier["rows"].items()]
    lines.append("")
    if page := result.get("page"):
        lines += [page, ""]
    if bound := result.get("bound"):
        lines.append(
            f"Held-out bits/dim (bound, no label): {bound['bits']:.2f} ± {bound['error']:.2f} over {bound['pictures']} pictures, "
            f"{bound['timesteps']} timesteps each."
        )
        for earlier in result.get("earlier", []):
            if before := not earlier.get("teacher") and earlier["bound"]:
                lines[-1] += f" After {earlier['training']['epochs']} epochs: {before['bits']:.2f} ± {before['error']:.2f}."
        lines.append("")
    if result.get("plot"):
        lines += [f"![FID and recall over passes of the network]({result['plot']})", ""]
    sheet = result["sheet"]
    usual = sheet["held_out"]
    # A copy lies far nearer than any two different photographs or digits do.
    copies = [one for one in sheet["nearest"] if one["distance"] < usual["least"] / 2]
    lines += [
        f"samples.png: seeds 0–63 by {sheet['row']}, uncurated, classes in order. Nearest training picture of the first 16 (number: RMS distance "
        f"over pixels in [−1, 1]): " + ", ".join(f"{one['number']}: {one['distance']:.2f}" for one in sheet["nearest"]) + ". "
        f"For 200 held-out pictures the median is {usual['median']:.2f}, the least {usual['least']:.2f}; "
        + (f"{len(copies)} of the 16 lie within half of that: memorised." if copies else "none of the 16 lies within half of that: not memorised."),
        "",
        f"Weights: SHA-256 {result['weights']}; licensed as this repository is (MIT or Apache-2.0). No picture of the data is in this folder; whoever "
        f"considers weights a derivative of the data should {heed}.",
    ]
    return "\n".join(lines) + "\n"
