"""Quick checks of the recipe on made-up data, in a minute of one core: python -m training.check"""

import argparse
import csv
import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from diffusers import DDIMScheduler, DDPMScheduler, UNet2DModel
from safetensors.torch import save_file

from training import adversary, data, diffusion, distill, files, metrics, pairs, plot, timesteps
from training.evaluate import Evaluation
from training.train import order

ROOT = Path(__file__).resolve().parents[1]


def epochs_hold_every_picture_once():
    got = np.concatenate([order(3, first, 7, 21) for first in range(0, 63, 7)])
    for epoch in np.split(got, 3):
        assert sorted(epoch) == list(range(21))
    assert list(order(3, 18, 7, 21)) == list(got[18:25])


def flowers_split_keeps_pairs_together():
    numbers = list(range(1, 8190))
    held_out = set(data.split_flowers(numbers, [n // 90 for n in numbers]))
    assert abs(len(held_out) - 8189 / 5) < 5, len(held_out)
    assert all((a in held_out) == (b in held_out) for a, b in data.FLOWER_DUPLICATES.items())


def min_snr_weighs_x0_alike_in_both_predictions():
    """Both predictions of the same x0 must cost the same, min(SNR, gamma) |x0 - x0_guess|^2."""
    x0, noise, guess = torch.randn(3, 6, 1, 8, 8)
    t = torch.tensor([0, 10, 200, 500, 900, 990])
    losses = []
    for prediction in ("epsilon", "v_prediction"):
        chain = diffusion.forward_chain({"scheduler": {"beta_schedule": "linear", "prediction_type": prediction}})
        alpha_bar = chain.alphas_cumprod[t].view(-1, 1, 1, 1)
        x_t = chain.add_noise(x0, noise, t)
        implied = (x_t - alpha_bar.sqrt() * guess) / (1 - alpha_bar).sqrt()
        output = implied if prediction == "epsilon" else chain.get_velocity(guess, implied, t)
        model = lambda x, t, labels: type("Out", (), {"sample": output})
        losses.append(diffusion.loss(model, chain, x0, None, t, noise, 5.0))
        for i, time in enumerate(t.tolist()):
            assert torch.allclose(diffusion.epsilon(chain, output[i], x_t[i], time)[1], guess[i], atol=0.02)
    snr = (alpha_bar / (1 - alpha_bar)).flatten()
    expected = snr.clamp(max=5) * (x0 - guess).square().flatten(1).mean(1)
    for loss in losses:
        assert torch.allclose(loss, expected, rtol=1e-2), (loss, expected)


def distances_vanish_on_equal_gaussians():
    a, b = torch.randn(2, 4000, 8)
    assert abs(metrics.fid(a, a)) < 1e-9 and metrics.fid(a, b) < 0.05 and abs(metrics.kid(a, b)) < 0.05
    assert abs(metrics.fid(a, a + 1) - 8) < 1e-6
    assert abs(metrics.entropy_bits(torch.arange(100) % 10, 10) - math.log2(10)) < 1e-9


def coverage_tells_what_is_missing_from_what_is_wrong():
    real = torch.randn(400, 4) + 20 * (torch.arange(400) % 2)[:, None]
    precision, recall = metrics.coverage(real, torch.randn(400, 4))
    assert precision > 0.8 and 0.4 < recall <= 0.5, (precision, recall)
    precision, recall = metrics.coverage(real, real + torch.tensor([0, 0, 0, 100.0]) * (torch.arange(400) % 4 == 0)[:, None])
    assert 0.7 < precision <= 0.75 and recall > 0.7, (precision, recall)


def decoder_gives_every_byte_its_share():
    """The 256 buckets together hold the whole of the Gaussian."""
    bytes = torch.arange(256).double() / 127.5 - 1
    for mean, deviation in ((0.0, 0.01), (0.3, 0.2), (-1.1, 0.05), (0.9, 3.0)):
        deviation = torch.tensor(deviation).double()
        mass = sum(math.exp(-metrics.decoder(b, torch.tensor(mean).double(), deviation).item()) for b in bytes)
        assert abs(mass - 1) < 1e-9, mass


def bound_with_the_true_noise_is_the_closed_form():
    """A predictor that knows x0 leaves only the ratio of variances."""
    chain = diffusion.forward_chain({"scheduler": {"beta_schedule": "linear", "variance_type": "fixed_large"}})
    x0 = torch.rand(1, 8, 8) * 1.8 - 0.9
    noise = torch.randn_like(x0)
    for t in (1, 500, 999):
        x_t = chain.add_noise(x0[None], noise, torch.tensor([t]))[0]
        alpha_bar, before = chain.alphas_cumprod[[t, t - 1]].double()
        ratio = (1 - before) / (1 - alpha_bar)
        expected = 64 * 0.5 * (ratio - 1 - ratio.log())
        assert abs(metrics.term(chain, x0, x_t, noise, t) / expected - 1) < 1e-3


def tiny():
    return UNet2DModel(sample_size=8, in_channels=1, out_channels=1, block_out_channels=(8, 8), layers_per_block=1, norm_num_groups=4,
                       down_block_types=("DownBlock2D",) * 2, up_block_types=("UpBlock2D",) * 2, num_class_embeds=3, add_attention=False)


def a_batch_draws_what_each_seed_draws_alone():
    model = tiny()
    draw = lambda labels, seeds: diffusion.sample(model, DDIMScheduler(), torch.tensor(labels), seeds, 5, eta=1.0)
    together = draw([0, 1, 1], [5, 6, 7])
    assert torch.allclose(draw([1], [7]), together[2:], atol=1e-5) and not torch.allclose(together[1], together[2], atol=1e-2)


@torch.no_grad()
def a_kept_batch_serves_its_own_scheduler_only():
    with tempfile.TemporaryDirectory() as folder:
        # The constructor would want a data set and its judge.
        evaluation = Evaluation.__new__(Evaluation)
        evaluation.args = argparse.Namespace(batch=2, keep=Path(folder), bf16=False)
        evaluation.model, evaluation.any, evaluation.device = tiny(), 2, "cpu"
        evaluation.result, evaluation.scheduler, evaluation.clock = {"weights": "0"}, {"beta_schedule": "linear"}, time.monotonic
        draw = lambda: evaluation.draw("ddim:3", torch.tensor([0, 1, 1]))
        (first, seconds), kept = draw(), draw()
        assert torch.equal(first, kept[0]) and seconds == kept[1]
        evaluation.scheduler["clip_sample_range"] = 0.5
        assert not torch.allclose(first, draw()[0], atol=1e-3)


def a_curve_has_one_row_for_each_count_of_passes():
    row = lambda passes, fid: {"passes": passes, "fid": fid, "accuracy": 0.9, "recall": 0.5}
    student = {"ddim:2": row(2, 8.0), "ddim:2:guidance=1.5": row(4, 7.0), "ddim:2:guidance=2": row(4, 6.0), "ddim:4:guidance=2": row(8, 5.0), "ddim:4:guidance=3": row(8, 4.0)}
    teacher = {"unipc:5:guidance=3": row(10, 3.0), "unipc:2:timesteps=9-5,guidance=3": row(4, 3.5), "unipc:2": {"fid": 9.0}}
    result = {"count": 7, "floor": row(0, 1.0), "sheet": {"row": "ddim:2:guidance=1.5"}, "rows": student, "earlier": [{"rows": {}}, {"teacher": "F32", "rows": teacher}]}
    found = plot.curve(result)
    series = {(one["of"], one["guided"], one["fitted"]): [(point["passes"], point["fid"]) for point in one["points"]] for one in found["series"]}
    assert series == {
        ("student", False, False): [(2, 8.0)],
        ("student", True, False): [(4, 7.0), (8, 4.0)],
        ("teacher", True, False): [(10, 3.0)],
        ("teacher", True, True): [(4, 3.5)],
    }, series
    assert found["count"] == 7 and found["floor"] == {"fid": 1.0, "read": 0.9, "recall": 0.5}


@torch.no_grad()
def a_student_walks_as_diffusers_samples():
    model = tiny()
    config = {"scheduler": {"beta_schedule": "squaredcos_cap_v2", "prediction_type": "v_prediction", "timestep_spacing": "trailing"}, "solver": "ddim"}
    chain, labels = diffusion.forward_chain(config), torch.tensor([0, 1, 1, 2])
    steps = torch.tensor([1, 2, 4, 4])
    walked, t = distill.walk(model, chain, diffusion.noise(range(4), (1, 8, 8)), labels, steps, steps)
    for i, k in enumerate(steps.tolist()):
        drawn = diffusion.sample(model, diffusion.scheduler(config), labels[i : i + 1], [i], k)
        assert t[i] == -1 and torch.allclose(walked[i : i + 1].clamp(-1, 1), drawn, atol=1e-5)


def chains_to_fit_are_those_of_diffusers():
    model, config = tiny(), {"beta_schedule": "linear"}
    chain, labels, ts = DDPMScheduler(**config), torch.tensor([0, 1, 1]), [950, 700, 420, 60, 9]
    for order in (1, 2):
        for guidance in (1, 2):
            solver = diffusion.solver("dpmpp-2m", config, thresholding=True, sample_max_value=1.0, solver_order=order)
            drawn = diffusion.sample(model, solver, labels, range(3), None, guidance, 2, timesteps=ts)
            free = torch.tensor(ts).float().requires_grad_()
            predict = timesteps.Predictor(model, chain, labels, guidance, 2)
            ended = timesteps.chain_end(predict, chain.alphas_cumprod, free, diffusion.noise(range(3), (1, 8, 8)), order)
            assert torch.allclose(drawn, ended, atol=1e-4), (drawn - ended).abs().max()
            (slope,) = torch.autograd.grad(ended.square().sum(), free)
            assert slope.isfinite().all() and (slope != 0).all(), slope


def fitted_timesteps_fall():
    start = [900, 500, 499, 3]
    assert timesteps.whole(timesteps.from_gaps(timesteps.to_gaps(start))) == start
    assert timesteps.whole(torch.tensor([999.4, 0.2, 0.1, 0.0])) == [999, 2, 1, 0]


def the_adversary_is_fined_for_its_slope():
    """Of a plane, whose slope is known."""
    w = torch.randn(36)
    plane = lambda x, labels: x.flatten(1) @ w
    x = torch.rand(500, 1, 6, 6)
    _, slope = adversary.losses(plane, x, x, torch.zeros(500).long(), 0.5)
    assert abs(slope / (0.5 * w.square().sum()) - 1) < 0.15, slope


def a_killed_run_goes_on_as_if_it_had_not_been():
    killed_run("mnist", "train", [])


def a_killed_lesson_goes_on_as_if_it_had_not_been():
    for method in ("chains", "consistency"):
        killed_run("mnist-fast", "distill", ["--teacher", "teacher", "--pairs", "pairs", "--method", method])


def killed_run(name, module, options):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        make_digits(folder)
        config = json.loads((ROOT / f"training/configs/{name}.json").read_text())
        config["unet"] |= {"block_out_channels": [8, 8, 16], "norm_num_groups": 4, "attention_head_dim": 8}
        config["train"] |= {"steps": 12, "batch": 4, "warm_up": 5}
        (folder / "config.json").write_text(json.dumps(config))
        if module == "distill":
            config["train"]["adversary"] |= {"from": 3, "channels": [4, 4]}
            (folder / "config.json").write_text(json.dumps(config))
            make_lesson(folder, config)

        def run(output, kill_at=None):
            command = [sys.executable, "-m", f"training.{module}", "--config", folder / "config.json", "--data", folder]
            command += ["--output", folder / output, "--checkpoint-minutes", "0", "--sheet-minutes", "99"]
            command += [folder / option if (folder / option).exists() else option for option in options]
            with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
                for line in process.stdout:
                    if kill_at and line.startswith(f"step {kill_at} "):
                        process.kill()
            assert process.returncode == (-9 if kill_at else 0), process.returncode
            return torch.load(folder / output / "checkpoint.pt", weights_only=True)

        whole = run("whole")
        cut = run("cut", kill_at=5)
        assert cut["step"] < 12
        resumed = run("cut")
        for part in ("model", "optimiser", "ema", "adversary", "adversary_optimiser"):
            if part.startswith("adversary") and part not in whole:
                continue
            assert same(whole[part], resumed[part]), f"{part} differs after a kill and resume"
        losses = [[row["loss"] for row in csv.DictReader((folder / run / "log.csv").open())] for run in ("whole", "cut")]
        assert losses[0] == losses[1] and len(losses[0]) == 12


def make_lesson(folder, config):
    """A teacher's folder and pairs of its chain, neither of which has learned anything."""
    diffusion.network(config, 10).save_pretrained(folder / "teacher")
    diffusion.forward_chain({"scheduler": {"beta_schedule": "linear"}}).save_config(folder / "teacher")
    files.write_json(folder / "pairs/pairs.json", {"row": "ddim:2", "shard": pairs.SHARD})
    for number in range(2):
        tensors = {"pictures": torch.rand(pairs.SHARD, 1, 28, 28).half(), "labels": pairs.shard_labels(number, 10)}
        save_file(tensors, folder / f"pairs/pairs-{number:05d}.safetensors")


def make_digits(folder):
    rng = np.random.default_rng(0)
    picture = lambda n: rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
    label = lambda n: rng.integers(0, 10, n, dtype=np.uint8)
    np.savez(folder / "mnist.npz", x_train=picture(50), y_train=label(50), x_test=picture(300), y_test=label(300))


def same(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


CHECKS = [
    epochs_hold_every_picture_once,
    flowers_split_keeps_pairs_together,
    min_snr_weighs_x0_alike_in_both_predictions,
    distances_vanish_on_equal_gaussians,
    coverage_tells_what_is_missing_from_what_is_wrong,
    decoder_gives_every_byte_its_share,
    bound_with_the_true_noise_is_the_closed_form,
    a_batch_draws_what_each_seed_draws_alone,
    a_kept_batch_serves_its_own_scheduler_only,
    a_curve_has_one_row_for_each_count_of_passes,
    a_student_walks_as_diffusers_samples,
    chains_to_fit_are_those_of_diffusers,
    fitted_timesteps_fall,
    the_adversary_is_fined_for_its_slope,
    a_killed_run_goes_on_as_if_it_had_not_been,
    a_killed_lesson_goes_on_as_if_it_had_not_been,
]

if __name__ == "__main__":
    torch.manual_seed(0)
    for check in CHECKS:
        check()
        print(f"ok  {check.__name__}", flush=True)
