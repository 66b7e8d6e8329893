"""Quality over passes of the network, a student's beside its teacher's: the figure of a student's card, and the numbers that the page draws."""

from training import files

# (of whom, guided, of fitted timesteps): the series of both.
SERIES = [("student", False, False), ("student", True, False), *(("teacher", guided, fitted) for guided in (True, False) for fitted in (False, True))]
MARKS = ["tab:orange o-", "tab:red P", "tab:blue s-", "tab:blue D:", "tab:green ^-", "tab:green v:"]


def points(result, whose, guided, fitted):
    """[(row's name, row)] of the rows that count their passes, by passes."""
    teacher = next(one for one in result["earlier"] if one.get("teacher"))["rows"]
    kind = lambda name: ("guidance=" in name, "timesteps=" in name) == (guided, fitted)
    rows = result["rows"] if whose == "student" else teacher
    return sorted(((name, row) for name, row in rows.items() if "passes" in row and kind(name)), key=lambda one: one[1]["passes"])


def curve(result):
    """The series of the page's chart: one row for each count of passes, that of the sheet (as the page begins) or else of the lowest FID."""
    found = []
    for whose, guided, fitted in SERIES:
        best = {}
        for name, row in points(result, whose, guided, fitted):
            other = best.setdefault(row["passes"], (name, row))
            if other[0] != result["sheet"]["row"] and (name == result["sheet"]["row"] or row["fid"] < other[1]["fid"]):
                best[row["passes"]] = name, row
        shown = [{"passes": passes, **measures(row)} for passes, (_, row) in best.items()]
        if shown:
            found.append({"of": whose, "guided": guided, "fitted": fitted, "points": shown})
    return {"count": result["count"], "floor": measures(result["floor"]), "series": found}


def measures(row):
    return {"fid": round(row["fid"], 3), "read": round(row["accuracy"], 4), "recall": round(row["recall"], 4)}


def quality(result, path):
    """FID and recall of the rows of an evaluation and of its teacher's over passes, with the floor of held-out pictures."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    series = []
    for (whose, guided, fitted), look in zip(SERIES, MARKS, strict=True):
        guidance = ", guided" if guided else ", not guided" if whose == "teacher" else ""
        series.append((whose + guidance + (", fitted timesteps" if fitted else ""), points(result, whose, guided, fitted), *look.split()))
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    for axis, measure, name in zip(axes, ("fid", "recall"), ("FID (lower is better)", "recall of held-out pictures")):
        for label, found, colour, mark in series:
            if found:
                axis.plot([row["passes"] for _, row in found], [row[measure] for _, row in found], mark, color=colour, label=label)
        axis.axhline(result["floor"][measure], color="0.5", linewidth=0.8, linestyle=":", label="held-out pictures")
        axis.set(xscale="log", xlabel="passes of the network a picture", ylabel=name)
        passes = sorted({row["passes"] for _, found, _, _ in series for _, row in found})
        axis.set_xticks(passes, map(str, passes), fontsize=8)
        axis.minorticks_off()
    axes[0].legend(fontsize=7)
    files.write(path, lambda file: figure.savefig(file, dpi=110, format="png"))
    plt.close(figure)
