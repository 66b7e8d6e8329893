#!/usr/bin/env bash
# torch.randn on the CPU: fewer than 16 numbers are drawn one by one, 16 and more by a Box-Muller over blocks of 16, whose last
# block is drawn once more where the count is no multiple of 16. So a longer draw need not begin with a shorter one, and two
# draws need not be one. (Downloads torch, which is large.)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check torch==2.15.0 numpy
cat > show.py <<'PYTHON'
import sys, torch
def draw(*counts):
    torch.manual_seed(0)
    return torch.cat([torch.randn(n) for n in counts])
print("torch", torch.__version__)
pairs = {
    "randn(8) begins randn(15)": torch.equal(draw(8), draw(15)[:8]),
    "randn(8) begins randn(16)": torch.equal(draw(8), draw(16)[:8]),
    "randn(16) begins randn(32)": torch.equal(draw(16), draw(32)[:16]),
    "randn(16) begins randn(17)": torch.equal(draw(16), draw(17)[:16]),
    "two of randn(8) are randn(16)": torch.equal(draw(8, 8), draw(16)),
    "two of randn(16) are randn(32)": torch.equal(draw(16, 16), draw(32)),
}
for name, holds in pairs.items():
    print(f"{name}: {'yes' if holds else 'no'}")
print("randn(8)     ", draw(8)[:4].tolist())
print("randn(16)[:8]", draw(16)[:4].tolist())
sys.exit(list(pairs.values()) != [True, False, True, False, False, True])
PYTHON
venv/bin/python show.py
