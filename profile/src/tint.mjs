// Compiles the WGSL of a file as Chromium does, and has Dawn print the SPIR-V: node tint.mjs FILE
import { readFileSync } from 'node:fs';
import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);
globalThis.gpu = create(['backend=vulkan', 'enable-dawn-features=dump_shaders']);
const adapter = await globalThis.gpu.requestAdapter();
const device = await adapter.requestDevice();
const code = readFileSync(process.argv[2], 'utf8');
device.pushErrorScope('validation');
device.createComputePipeline({ layout: 'auto', compute: { module: device.createShaderModule({ code }), entryPoint: 'main' } });
const error = await device.popErrorScope();
if (error) console.error(error.message);
process.exit(error ? 1 : 0);
