"""The figure of a student's card: quality over passes of the network, beside its teacher's."""

from training import files


def points(rows, guided, fitted=False):
    """[(passes, row)] of the rows that count their passes, guided or not, of fitted timesteps or not, by passes."""
    kind = lambda name: ("guidance=" in name, "timesteps=" in name) == (guided, fitted)
    return sorted(((row["passes"], row) for name, row in rows.items() if "passes" in row and kind(name)), key=lambda one: one[0])


def quality(result, path):
    """FID and recall of the rows of an evaluation and of its teacher's over passes, with the floor of held-out pictures."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    teacher = next(one for one in result["earlier"] if one.get("teacher"))["rows"]
    series = [
        ("student", points(result["rows"], False), "tab:orange", "o-"),
        ("student, guided", points(result["rows"], True), "tab:red", "P"),
        ("teacher, guided", points(teacher, True), "tab:blue", "s-"),
        ("teacher, guided, fitted timesteps", points(teacher, True, True), "tab:blue", "D:"),
        ("teacher, not guided", points(teacher, False), "tab:green", "^-"),
        ("teacher, not guided, fitted timesteps", points(teacher, False, True), "tab:green", "v:"),
    ]
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    for axis, measure, name in zip(axes, ("fid", "recall"), ("FID (lower is better)", "recall of held-out pictures")):
        for label, found, colour, mark in series:
            if found:
                axis.plot([passes for passes, _ in found], [row[measure] for _, row in found], mark, color=colour, label=label)
        axis.axhline(result["floor"][measure], color="0.5", linewidth=0.8, linestyle=":", label="held-out pictures")
        axis.set(xscale="log", xlabel="passes of the network a picture", ylabel=name)
        passes = sorted({passes for _, found, _, _ in series for passes, _ in found})
        axis.set_xticks(passes, map(str, passes), fontsize=8)
        axis.minorticks_off()
    axes[0].legend(fontsize=7)
    files.write(path, lambda file: figure.savefig(file, dpi=110, format="png"))
    plt.close(figure)
