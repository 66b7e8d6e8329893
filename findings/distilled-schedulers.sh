#!/usr/bin/env bash
# diffusers 0.42.1: CMStochasticIterativeScheduler with sigma_min 0.0001 ends in NaN whatever the network says: the last step
# multiplies its noise, which is 0 where there is one step, by the root of sigma_min^2 - sigma_min^2, one of them squared in single
# precision. And TCDScheduler takes clip_sample and thresholding into its configuration and clips nothing. (Downloads
# torch: large.)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check torch==2.15.0 diffusers==0.42.1
cat > show.py <<'PYTHON'
import sys, diffusers, torch
from diffusers import CMStochasticIterativeScheduler, LCMScheduler, TCDScheduler
print("diffusers", diffusers.__version__, "torch", torch.__version__)

def last_picture(scheduler, steps, output=0.0):
    scheduler.set_timesteps(steps)
    generator, x = torch.Generator().manual_seed(0), torch.full((1, 1, 4, 4), 3.0)
    for t in scheduler.timesteps:
        given = scheduler.scale_model_input(x, t)
        x = scheduler.step(torch.full_like(given, output), t, x, generator=generator).prev_sample
    return x

nan = {}
for sigma_min in (0.0001, 0.001, 0.002, 0.01):
    for steps in (1, 2, 4):
        picture = last_picture(CMStochasticIterativeScheduler(sigma_min=sigma_min), steps)
        nan[sigma_min, steps] = bool(picture.isnan().any())
print("NaN with (sigma_min, steps):", [at for at, is_nan in nan.items() if is_nan])

greatest = {}
for scheduler in (LCMScheduler, TCDScheduler):
    for fields in (dict(clip_sample=True), dict(thresholding=True)):
        picture = last_picture(scheduler(**fields), 1, output=-1.0)
        greatest[scheduler.__name__, *fields] = round(picture.abs().max().item(), 2)
print("greatest value of one step:", greatest)
clipped = all(value <= 1.01 for (name, _), value in greatest.items() if name == "LCMScheduler")
free = all(value > 10 for (name, _), value in greatest.items() if name == "TCDScheduler")
sys.exit(not ([at for at, is_nan in nan.items() if is_nan] == [(0.0001, 1), (0.0001, 2), (0.0001, 4)] and clipped and free))
PYTHON
venv/bin/python show.py
