// The run as others do it: a command for `pollen`, a Python script for diffusers.
import { folderOf } from '../../files/addresses.js';
import { SAMPLERS } from '../../ui/samplers.js';

/**
 * @import { Entry } from '../models/entry.js'
 * @import { ModelFile } from '../../api/types.js'
 *
 * @typedef {object} Of a run
 * @property {Record<string, any>} options as in the address
 * @property {Entry} model
 * @property {ModelFile[] | null} files of the model, where it did not come with the site
 * @property {string} about the run in words
 * @property {string} name of the picture's file, without its ending
 * @property {{ width: number, height: number }} numbers the size of a picture
 */

const DIFFUSERS = '0.42.1'; // the release that Pollen's pictures are held against

const quoted = (/** @type {string} */ text) => (/^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
const python = (/** @type {unknown} */ value) => JSON.stringify(value).replace(/\btrue\b/g, 'True').replace(/\bfalse\b/g, 'False').replace(/\bnull\b/g, 'None');

/** The names of a model's files, its address where it has one, and the folder that it is in. */
function place(/** @type {Of} */ { model, files }) {
  const names = (model.files ?? files?.map(({ path }) => path) ?? []).map((file) => (typeof file === 'string' ? file : file.name));
  if (model.from === 'site') return { names, site: new URL(model.path ?? '', document.baseURI).href, folder: `www/${model.path}`.replace(/\/$/, '') };
  const site = model.address ? folderOf(model.address).folder : null;
  return { names, site, folder: model.address ? folderOf(model.address).title.split('/').at(-1) ?? 'model' : 'MODEL' };
}

/** @param {Of} run */
export function command(run) {
  const { sampler, steps, seed, count, class: label, guidance, negative, eta, variance, clip, width, height } = run.options, { folder } = place(run);
  const words = ['pollen', 'sample', folder, '--sampler', sampler, '--steps', steps, '--seed', seed, '--count', count];
  if (label !== null && run.model.labels?.classes) words.push('--class', label);
  if (guidance !== undefined && guidance !== 1) words.push('--guidance', guidance, ...(negative === undefined ? [] : ['--negative', negative]));
  if (eta !== undefined && eta !== SAMPLERS[sampler].eta) words.push('--eta', eta);
  if (variance) words.push('--variance', variance);
  if (clip) words.push('--clip');
  if (width) words.push('--size', `${width}x${height}`);
  return [...words, '--output', `${run.name}.png`].map((word) => quoted(String(word))).join(' ');
}

/** @param {Of} run */
export function script(run) {
  const { options: { sampler, steps, seed, count, class: label, guidance = 1, negative, eta = 0, variance, clip }, about, numbers: { width, height } } = run;
  const { class: solver, clip: clipping, options } = SAMPLERS[sampler], { names, site, folder } = place(run), any = run.model.labels?.any;
  const fields = { ...(clip ? clipping : {}), ...(variance ? { variance_type: variance } : {}) };
  const changed = Object.entries(fields).map(([name, value]) => `, ${name}=${python(value)}`).join('');
  const away = negative === undefined ? 'anything' : 'negative', chosen = label ?? any, classes = chosen !== null && chosen !== undefined;
  const unet = names.some((name) => name.startsWith('unet/')), scheduler = names.find((name) => name.endsWith('scheduler_config.json'));
  const randomness = options.includes('eta') ? `, eta=${eta}` : '';
  const call = (/** @type {string} */ labels) => `model(z, t${classes ? `, class_labels=${labels}` : ''}).sample`;
  return `# ${about.replace(/[\r\n]+/g, ' ')} The picture that Pollen makes, by diffusers ${DIFFUSERS}:
#     pip install diffusers==${DIFFUSERS} torch pillow
import inspect
import json
import math
${site ? 'import urllib.request\n' : ''}from pathlib import Path

import torch
from diffusers import ${solver}, UNet2DModel
from PIL import Image

MODEL = Path(${python(site ? folder.split('/').at(-1) : 'MODEL')})${site ? '' : '  # the folder with the files that were opened'}
${site ? `SITE = ${python(site)}
for name in ${python(names)}:
    if not (MODEL / name).exists():
        (MODEL / name).parent.mkdir(parents=True, exist_ok=True)
        urllib.request.urlretrieve(SITE + name, MODEL / name)
` : ''}
model = UNet2DModel.from_pretrained(MODEL${unet ? ' / "unet"' : ''}).eval()
scheduler = ${solver}.from_config(${scheduler ? `json.loads((MODEL / ${python(scheduler)}).read_text())` : '{}'}${changed})
scheduler.set_timesteps(${steps})
generator = torch.Generator().manual_seed(${seed})
# Solvers that draw noise at their steps draw it after that of the beginning.
drawn = {"generator": generator} if "generator" in inspect.signature(scheduler.step).parameters else {}
width, height = ${width}, ${height}
x = torch.randn((${count}, model.config.in_channels, height, width), generator=generator) * scheduler.init_noise_sigma
${classes ? `labels = torch.full((${count},), ${chosen})\n` : ''}${guidance === 1 ? '' : `${away} = torch.full((${count},), ${negative ?? any})\n`}with torch.no_grad():
    for t in scheduler.timesteps:
        z = scheduler.scale_model_input(x, t)
        predicted = ${call('labels')}
${guidance === 1 ? '' : `        free = ${call(away)}
        predicted = free + ${guidance} * (predicted - free)
`}        x = scheduler.step(predicted, t, x${randomness}, **drawn).prev_sample

columns = math.ceil(math.sqrt(len(x)))
mode = "L" if x.shape[1] == 1 else "RGB"
grid = Image.new(mode, (columns * width, math.ceil(len(x) / columns) * height))
pixels = (x.double() / 2 + 0.5).clamp(0, 1).mul(255).round().byte().permute(0, 2, 3, 1).numpy()
for i, picture in enumerate(pixels):
    grid.paste(Image.fromarray(picture[..., 0] if mode == "L" else picture), (i % columns * width, i // columns * height))
grid.save(${python(`${run.name}.png`)})
`;
}
