// What another server has for the page to open, as plainly as on a disk and with what can be wrong with it.
import { readFileSync } from 'node:fs';
import { compose, parse } from './safetensors.js';
import { smallModel } from './small.js';
import { torchSave } from './torch.js';

export const WEIGHTS = 'diffusion_pytorch_model.safetensors';
export const files = smallModel();
const half = files[WEIGHTS].subarray(0, files[WEIGHTS].length / 2);
const tensors = parse(files[WEIGHTS]);
export const torch = torchSave(Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [`module.${name}`, tensor])), { wrappers: ['state_dict'] });
const html = '<!DOCTYPE html><title>a list of files</title>';
/**
 * @typedef {{ status: number, body: string | Buffer, headers: Record<string, string | number | undefined>, cut?: boolean, hang?: boolean }} Answer
 *
 * @returns {Answer}
 */
const ok = (/** @type {string | Buffer} */ body, /** @type {Answer['headers']} */ headers = {}) => ({ status: 200, body, headers: { 'content-length': body.length, ...headers } });

/** What the other server has: path → answer; else 404. */
/** @type {Record<string, Record<string, Answer>>} */
export const FOLDERS = {
  good: Object.fromEntries(Object.entries(files).map(([name, body]) => [name, ok(body)])),
  pipeline: { 'unet/config.json': ok(files['config.json']), [`unet/${WEIGHTS}`]: ok(files[WEIGHTS]), 'scheduler/scheduler_config.json': ok(Buffer.from('{"_class_name": "HeunDiscreteScheduler"}')) },
  page: { 'config.json': ok(html, { 'content-type': 'text/html' }) },
  'no-weights': { 'config.json': ok(files['config.json']) },
  'page-for-all': { 'config.json': ok(files['config.json']), 'labels.json': ok(html), 'scheduler_config.json': ok(html), [WEIGHTS]: ok(files[WEIGHTS]) },
  pickle: { 'config.json': ok(files['config.json']), 'diffusion_pytorch_model.bin': ok(Buffer.alloc(50)) },
  truncated: { 'config.json': ok(files['config.json']), [WEIGHTS]: { ...ok(half, { 'content-length': files[WEIGHTS].length }), cut: true } },
  short: { 'config.json': ok(files['config.json']), [WEIGHTS]: ok(half) },
  sharded: sharded(),
  'sharded-fp16': sharded('.index.fp16.json', (part) => `diffusion_pytorch_model.fp16-${part}.safetensors`),
  'sharded-2024': sharded('.fp16.index.json', (part) => `diffusion_pytorch_model-${part}.fp16.safetensors`),
  torch: { 'config.json': ok(files['config.json']), 'diffusion_pytorch_model.bin': ok(torch) },
  'torch-fp16': { 'unet/config.json': ok(files['config.json']), 'unet/diffusion_pytorch_model.fp16.bin': ok(torch) },
  'torch-named': { 'config.json': ok(files['config.json']), 'my-model.ckpt': ok(torch) },
  code: { 'config.json': ok(files['config.json']), 'diffusion_pytorch_model.bin': ok(torchSave(tensors, { wrappers: ['model'], extra: 'ccollections\nCounter\n' })) },
  closed: { 'config.json': ok(files['config.json'], { 'access-control-allow-origin': undefined }) },
  stuck: { 'config.json': ok(files['config.json']), [WEIGHTS]: { ...ok(half, { 'content-length': files[WEIGHTS].length }), hang: true } },
};

/** The folders of tests/support/folders.json, which the command line opens on the disk. */
/** @type {{ name: string, files: Record<string, string | object>, open?: string, sampler: string, average?: boolean, says: string[] }[]} */
export const BESIDE = JSON.parse(readFileSync(new URL('../../support/folders.json', import.meta.url), 'utf8'));
for (const [i, { files: beside }] of BESIDE.entries()) {
  FOLDERS[`beside-${i}`] = Object.fromEntries(Object.entries(beside).flatMap(([path, content]) => {
    /** @type {[string, Answer][]} */ const own = [[path, ok(JSON.stringify(content))]];
    if (typeof content !== 'string') return own;
    const config = { ...JSON.parse(String(files['config.json'])), ...(content === 'sizeless' ? { sample_size: null } : {}) };
    const at = path === '.' ? '' : `${path}/`;
    return [[`${at}config.json`, ok(JSON.stringify(config))], [at + WEIGHTS, ok(files[WEIGHTS])]];
  }));
}

/** The weights in two files, with diffusers' index of them. */
function sharded(end = '.index.json', part = (/** @type {string} */ of) => `diffusion_pytorch_model-${of}.safetensors`) {
  const tensors = Object.entries(parse(files[WEIGHTS])), middle = tensors.length / 2;
  /** @type {Record<string, string>} */ const map = {};
  /** @type {Record<string, Answer>} */ const parts = {};
  for (const [i, half] of [tensors.slice(0, middle), tensors.slice(middle)].entries()) {
    const name = part(`0000${i + 1}-of-00002`);
    for (const [tensor] of half) map[tensor] = name;
    parts[name] = ok(compose(Object.fromEntries(half)));
  }
  const index = Buffer.from(JSON.stringify({ metadata: { total_size: files[WEIGHTS].length }, weight_map: map }));
  return { 'config.json': ok(files['config.json']), [WEIGHTS + end]: ok(index), ...parts };
}
