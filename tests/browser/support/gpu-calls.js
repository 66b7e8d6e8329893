// Counts what the engine asks of WebGPU. The harness puts this before the engine's module, so that it runs where the
// engine runs, in the Worker, and before it. `gpuCalls.submits` has one entry a submit, of all that led to it.
/** @type {any} */ (globalThis).gpuCalls ??= (() => {
  const scope = /** @type {any} */ (globalThis);
  const nothing = () => ({ buffers: 0, bindGroups: 0, pipelines: 0, maps: 0, passes: /** @type {string[][]} */ ([]) });
  const calls = { submits: [nothing()].slice(1), pending: nothing(), device: /** @type {GPUDevice | null} */ (null) };
  const watch = (/** @type {string} */ type, /** @type {string} */ method, /** @type {(args: any[]) => void} */ note) => {
    const original = scope[type]?.prototype[method];
    if (!original) return; // no WebGPU here
    scope[type].prototype[method] = function (/** @type {any[]} */ ...args) {
      note(args);
      return original.apply(this, args);
    };
  };
  watch('GPUDevice', 'createBuffer', () => calls.pending.buffers++);
  watch('GPUDevice', 'createBindGroup', () => calls.pending.bindGroups++);
  watch('GPUDevice', 'createComputePipeline', () => calls.pending.pipelines++);
  watch('GPUDevice', 'createComputePipelineAsync', () => calls.pending.pipelines++);
  watch('GPUBuffer', 'mapAsync', () => calls.pending.maps++);
  // One pass at a time is open, and encoders are submitted in the order in which they are made. A pass is the labels of
  // the pipelines that it dispatches.
  let pipeline = '';
  watch('GPUCommandEncoder', 'beginComputePass', () => calls.pending.passes.push([]));
  watch('GPUComputePassEncoder', 'setPipeline', ([set]) => { pipeline = set.label; });
  const dispatch = () => calls.pending.passes.at(-1)?.push(pipeline);
  watch('GPUComputePassEncoder', 'dispatchWorkgroups', dispatch);
  watch('GPUComputePassEncoder', 'dispatchWorkgroupsIndirect', dispatch);
  watch('GPUQueue', 'submit', () => {
    calls.submits.push(calls.pending);
    calls.pending = nothing();
  });
  const request = globalThis.GPUAdapter?.prototype.requestDevice;
  if (request) {
    GPUAdapter.prototype.requestDevice = async function (...args) {
      return (calls.device = await request.apply(this, args));
    };
  }
  return calls;
})();
