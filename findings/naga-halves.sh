#!/usr/bin/env bash
# unpack2x16float is core WGSL and needs no feature; Tint takes it so (npm's webgpu). naga's validator calls it invalid
# unless it is given a capability of its own, for which WGSL has no name, and which that of the type f16 does not bring.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > halves.wgsl <<'WGSL'
@group(0) @binding(0) var<storage, read_write> o: array<f32>;
@compute @workgroup_size(1) fn main() { let pair = unpack2x16float(bitcast<u32>(o[0])); o[1] = pair.x + pair.y; }
WGSL

cargo init --quiet --vcs none --name halves .
cargo add --quiet naga@=30.0.1 --features wgsl-in
cat > src/main.rs <<'RUST'
use naga::valid::{Capabilities, ValidationFlags, Validator};

fn main() {
    let module = naga::front::wgsl::parse_str(include_str!("../halves.wgsl")).expect("it parses");
    let validate = |capabilities| Validator::new(ValidationFlags::all(), capabilities).validate(&module);
    let refused = validate(Capabilities::empty()).expect_err("refused without a capability");
    let text = refused.emit_to_string(include_str!("../halves.wgsl"));
    println!("naga 30.0.1 without capabilities:\n{text}");
    assert!(text.contains("requires capability Capabilities(SHADER_FLOAT16_IN_FLOAT32)"));
    assert!(validate(Capabilities::SHADER_FLOAT16).is_err(), "that of the type f16 is another");
    assert!(validate(Capabilities::SHADER_FLOAT16_IN_FLOAT32).is_ok());
    println!("with SHADER_FLOAT16 the same; with SHADER_FLOAT16_IN_FLOAT32 valid");
}
RUST
cargo run --quiet

npm install --silent --no-audit --no-fund --ignore-scripts webgpu@0.6.2
cat > tint.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { create, globals } from 'webgpu';
Object.assign(globalThis, globals);
const adapter = await create(['backend=null']).requestAdapter();
const device = await adapter.requestDevice();
const module = device.createShaderModule({ code: readFileSync('halves.wgsl', 'utf8') });
const { messages } = await module.getCompilationInfo();
console.log(`Tint (webgpu 0.6.2), a device of no features: ${messages.length} messages`);
process.exit(messages.length);
JS
node tint.mjs
