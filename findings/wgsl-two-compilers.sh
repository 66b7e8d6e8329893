#!/usr/bin/env bash
# One text of WGSL, two compilers: naga, by PyPI's wgpu, and Tint, by npm's webgpu. Needs any Vulkan driver for the first
# (software will do), nothing for the second.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check wgpu==0.32.0
npm install --silent --no-audit --no-fund --ignore-scripts webgpu@0.6.2

# name, what WGSL's specification says of it, then what naga and Tint say
cat > programs.json <<'JSON'
[
  {"name": "a pointer to workgroup memory as an argument", "spec": "valid (unrestricted_pointer_parameters)", "naga": false, "tint": true,
   "code": "var<workgroup> w: array<f32, 4>; fn f(p: ptr<workgroup, array<f32, 4>>) { p[1] = 1.0; } @compute @workgroup_size(1) fn main() { f(&w); }"},
  {"name": "bitcast in a constant", "spec": "valid", "naga": false, "tint": true,
   "code": "const one = bitcast<f32>(0x3f800000u); @group(0) @binding(0) var<storage, read_write> o: array<f32>; @compute @workgroup_size(1) fn main() { o[0] = one; }"},
  {"name": "modf in a constant", "spec": "valid", "naga": false, "tint": true,
   "code": "const half = modf(1.5).fract; @group(0) @binding(0) var<storage, read_write> o: array<f32>; @compute @workgroup_size(1) fn main() { o[0] = half; }"},
  {"name": "@diagnostic on a statement", "spec": "valid", "naga": false, "tint": true,
   "code": "@group(0) @binding(0) var<storage, read_write> o: array<f32>; @compute @workgroup_size(1) fn main() { @diagnostic(off, derivative_uniformity) if (o[0] > 1.0) { o[0] = 1.0; } }"},
  {"name": "a barrier where half of the threads come by", "spec": "an error (uniformity)", "naga": true, "tint": false,
   "code": "@group(0) @binding(0) var<storage, read_write> o: array<u32>; @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) { if (i < 32u) { workgroupBarrier(); } o[i] = i; }"},
  {"name": "a barrier behind a number read from storage", "spec": "an error (uniformity)", "naga": true, "tint": false,
   "code": "@group(0) @binding(0) var<storage, read_write> o: array<u32>; @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) { if (o[64] > 3u) { workgroupBarrier(); } o[i] = i; }"},
  {"name": "clamp with constant limits the wrong way round", "spec": "an error", "naga": true, "tint": false,
   "code": "@group(0) @binding(0) var<storage, read_write> o: array<f32>; @compute @workgroup_size(1) fn main() { o[0] = clamp(o[1], 1.0, 0.0); }"},
  {"name": "a constant that is NaN", "spec": "an error", "naga": true, "tint": false,
   "code": "@group(0) @binding(0) var<storage, read_write> o: array<f32>; @compute @workgroup_size(1) fn main() { o[0] = bitcast<f32>(0x7fc00000u); }"}
]
JSON

cat > naga.py <<'PYTHON'
import json, wgpu
device = wgpu.gpu.request_adapter_sync().request_device_sync()
def takes(code):
    try:
        device.create_shader_module(code=code)
        return True
    except wgpu.GPUError:
        return False
json.dump([takes(p["code"]) for p in json.load(open("programs.json"))], open("naga.json", "w"))
PYTHON
venv/bin/python naga.py 2> naga.log || { cat naga.log; exit 1; }

cat > compare.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { create } from 'webgpu';
globalThis.gpu = create(['backend=null']);
const device = await (await gpu.requestAdapter()).requestDevice();
const programs = JSON.parse(readFileSync('programs.json')), naga = JSON.parse(readFileSync('naga.json'));
let changed = 0;
console.log('naga of wgpu-py 0.32.0, Tint of webgpu 0.6.2');
for (const [i, { name, spec, code, ...expected }] of programs.entries()) {
  device.pushErrorScope('validation');
  const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
  await device.popErrorScope();
  const found = { naga: naga[i], tint: !messages.some(({ type }) => type === 'error') };
  const same = found.naga === expected.naga && found.tint === expected.tint;
  changed += !same;
  const says = (ok) => (ok ? 'takes it  ' : 'refuses it');
  console.log(`${same ? ' ' : '*'} naga ${says(found.naga)} Tint ${says(found.tint)}  ${name}: ${spec}`);
}
if (changed) console.log(`${changed} of these changed.`);
process.exit(changed ? 1 : 0);
JS
node compare.mjs
