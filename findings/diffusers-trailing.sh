#!/usr/bin/env bash
# diffusers 0.42.1: with timestep_spacing "trailing" some numbers of steps give one timestep more than asked for, the last of
# them -1: np.arange(1000, 0, -1000 / 61) ends in 1.1e-13 where it should have ended before 0. (Downloads torch: large.)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check torch==2.15.0 diffusers==0.42.1
cat > show.py <<'PYTHON'
import sys, diffusers, numpy, torch
from diffusers import DDIMScheduler
print("diffusers", diffusers.__version__, "torch", torch.__version__, "numpy", numpy.__version__)
scheduler = DDIMScheduler(timestep_spacing="trailing")
wrong = []
for steps in range(1, 1001):
    scheduler.set_timesteps(steps)
    if len(scheduler.timesteps) != steps:
        wrong.append(steps)
scheduler.set_timesteps(61)
print("61 steps asked for:", len(scheduler.timesteps), "timesteps, the last two", scheduler.timesteps[-2:].tolist())
print(len(wrong), "of the numbers 1 to 1000 give another count than asked for:", wrong[:6], "...")
sys.exit(not (61 in wrong and scheduler.timesteps[-1] == -1 and len(scheduler.timesteps) == 62))
PYTHON
venv/bin/python show.py
