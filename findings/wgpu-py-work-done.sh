#!/usr/bin/env bash
# wgpu-py 0.32.0: GPUQueue.on_submitted_work_done raises a TypeError before it asks the library anything. Needs any Vulkan
# driver (software will do).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check wgpu==0.32.0
cat > show.py <<'PYTHON'
import sys, wgpu
adapter = wgpu.gpu.request_adapter_sync()
queue = adapter.request_device_sync().queue
print("wgpu-py", wgpu.__version__, "on", adapter.info["device"])
queue.submit([])
try:
    queue.on_submitted_work_done_sync()
except TypeError as error:
    print("on_submitted_work_done_sync: TypeError:", error)
else:
    print("on_submitted_work_done_sync returned: this is mended")
    sys.exit(1)
PYTHON
venv/bin/python show.py 2> errors.log || { code=$?; cat errors.log; exit "$code"; }
