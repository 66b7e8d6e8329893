// Stands where the engine's module stands in the page: three steps of two dispatches, and a read-back.
const { GPUBufferUsage, GPUMapMode } = /** @type {any} */ (globalThis);
const code = `
  @group(0) @binding(0) var<storage, read_write> x: array<f32>;
  @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) i: vec3u) { x[i.x] += f32(i.x); }`;

async function run() {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) return 'no adapter';
  const device = await adapter.requestDevice();
  const pipeline = device.createComputePipeline({ label: 'add', layout: 'auto', compute: { module: device.createShaderModule({ code }) } });
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const x = device.createBuffer({ size: 256, usage: STORAGE | COPY_SRC });
  const staging = device.createBuffer({ size: 256, usage: MAP_READ | COPY_DST });
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: { buffer: x } }] });
  for (let step = 0; step < 3; step++) {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(1);
    pass.dispatchWorkgroups(1);
    pass.end();
    if (step === 2) encoder.copyBufferToBuffer(x, 0, staging, 0, 256);
    device.queue.submit([encoder.finish()]);
  }
  await staging.mapAsync(GPUMapMode.READ);
  device.lost.then(({ reason }) => postMessage(`lost: ${reason}`));
  return new Float32Array(staging.getMappedRange().slice(0))[63];
}

run().then(postMessage, (error) => postMessage(String(error)));
