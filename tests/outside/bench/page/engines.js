// The engines, each behind the same few calls: `open` gives `run(input)`, which resolves to the prediction as [N,C,H,W], and `close`.
// An input is { x: Float32Array, n, size, t, label }: `n` pictures of `size`², all at timestep `t` and of class `label`.
import { network, parse } from './tf-unet.js';

const bytes = async (/** @type {string} */ url) => {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
};

const script = (/** @type {string} */ src) => new Promise((resolve, reject) => {
  const tag = Object.assign(document.createElement('script'), { src, onload: resolve, onerror: () => reject(new Error(`${src} cannot be loaded`)) });
  document.head.append(tag);
});

const file = (/** @type {string} */ path, /** @type {Uint8Array} */ data) => ({
  path, size: data.length, arrive: () => undefined,
  read: (/** @type {number} */ begin, /** @type {Uint8Array} */ into) => {
    const part = data.subarray(begin, begin + into.length);
    into.set(part);
    return part.length;
  },
});

/** A model's files, its picture being `size`² where one is given. */
export const model = async (/** @type {string} */ name, /** @type {number} */ size) => {
  const folder = `/models/${name}/`;
  const config = JSON.parse(new TextDecoder().decode(await bytes(`${folder}config.json`)));
  config.sample_size = size || config.sample_size;
  return { name, config, weights: await bytes(`${folder}diffusion_pytorch_model.safetensors`), scheduler: await bytes(`${folder}scheduler_config.json`) };
};

export const pollen = async (/** @type {string} */ device) => {
  const module = await import('/wasm/pollen.js');
  const { relaxed } = await import('/worker/relaxed.js');
  if (await relaxed((await module.default()).memory)) module.fuse();
  const engine = await module.Engine.open(device, device === 'gpu' ? new TextDecoder().decode(await bytes('/wasm/shaders.json')) : undefined);
  return {
    engine, module,
    open: async (/** @type {any} */ of) => {
      const config = new TextEncoder().encode(JSON.stringify(of.config));
      await engine.load([file('config.json', config), file('diffusion_pytorch_model.safetensors', of.weights), file('scheduler_config.json', of.scheduler)], () => undefined);
      return {
        run: ({ x, n, size, t, label }) => engine.predict(x, size, size, new Float32Array(n).fill(t), of.config.num_class_embeds ? new Float32Array(n).fill(label) : undefined),
        close: () => undefined,
      };
    },
  };
};

export const ort = async (/** @type {'wasm' | 'webgpu'} */ provider) => {
  const dist = '/bench/node_modules/onnxruntime-web/dist/';
  const module = await import(`${dist}ort.${provider}.min.mjs`);
  module.env.wasm.numThreads = 1;
  module.env.wasm.wasmPaths = dist;
  return {
    open: async (/** @type {any} */ of, /** @type {boolean} */ any) => {
      const graph = await bytes(`/bench/onnx/${of.name}${any ? '-any' : ''}.onnx`);
      const session = await module.InferenceSession.create(graph, { executionProviders: [provider], graphOptimizationLevel: 'all' });
      const whole = (/** @type {number} */ n, /** @type {number} */ of) => new module.Tensor('int64', new BigInt64Array(n).fill(BigInt(of)), [n]);
      return {
        run: async ({ x, n, size, t, label }) => {
          const inputs = { sample: new module.Tensor('float32', x, [n, of.config.in_channels, size, size]), timestep: whole(n, t) };
          const { prediction } = await session.run(of.config.num_class_embeds ? { ...inputs, class_labels: whole(n, label) } : inputs);
          return prediction.data;
        },
        close: () => session.release(),
      };
    },
  };
};

/** What tf-unet.js asks of tensors; tf-core.min.js has these as functions only. */
const CHAINED = ['add', 'cos', 'exp', 'matMul', 'mul', 'reshape', 'rsqrt', 'sigmoid', 'sin', 'sub', 'transpose'];

/** TensorFlow.js has no converter for these files: the network is written in its operations, see tf-unet.js. */
export const tensorflow = async (/** @type {'cpu' | 'wasm' | 'webgpu'} */ backend, gradients = false) => {
  const dist = '/bench/node_modules/@tensorflow/';
  // Only the whole of it has gradients.
  if (!globalThis.tf) await script(gradients ? `${dist}tfjs/dist/tf.min.js` : `${dist}tfjs-core/dist/tf-core.min.js`);
  const { tf } = globalThis;
  for (const name of CHAINED) tf.Tensor.prototype[name] ??= function (/** @type {any[]} */ ...rest) { return tf[name](this, ...rest); };
  if (!tf.findBackendFactory(backend)) await script(`${dist}tfjs-backend-${backend}/dist/tf-backend-${backend}.min.js`);
  if (backend === 'wasm') {
    tf.wasm.setWasmPaths(`${dist}tfjs-backend-wasm/dist/`);
    tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  }
  if (!await tf.setBackend(backend)) throw new Error(`TensorFlow.js has no ${backend} here`);
  return {
    tf,
    use: () => tf.setBackend(backend),
    open: async (/** @type {any} */ of) => {
      await tf.setBackend(backend);
      const weights = parse(tf, of.weights), predict = network(tf, of.config, weights);
      return {
        run: async ({ x, n, size, t, label }) => {
          await tf.setBackend(backend);
          const out = tf.tidy(() => {
            const sample = tf.tensor(x, [n, of.config.in_channels, size, size]).transpose([0, 2, 3, 1]);
            return predict(sample, tf.fill([n], t), tf.fill([n], label, 'int32')).transpose([0, 3, 1, 2]);
          });
          const data = await out.data();
          out.dispose();
          return data;
        },
        close: () => tf.dispose(weights),
      };
    },
  };
};
