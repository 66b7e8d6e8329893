// Where a model's files are: the folder that an address means, and the names that weights have in it.

export const WEIGHTS = 'diffusion_pytorch_model';

/**
 * The names under which diffusers saves weights, in the order in which they are looked for: its index and its file, their
 * F16 variant (whose index had another name in 2024), and the same in PyTorch's own format.
 */
export const SAVED = ['safetensors', 'bin'].flatMap((end) => [
  `${WEIGHTS}.${end}.index.json`, `${WEIGHTS}.${end}`,
  `${WEIGHTS}.${end}.index.fp16.json`, `${WEIGHTS}.${end}.fp16.index.json`, `${WEIGHTS}.fp16.${end}`,
]);

/**
 * The folder that an address means, what to call it, how many folders it is inside of, and the file of weights that it names,
 * if it does: the folder of a file that is named itself, the files themselves where the address is a page of the Hugging Face
 * hub that shows them.
 * @param {string} address
 */
export function folderOf(address) {
  const url = new URL(address);
  const { revision, subfolder } = Object.fromEntries(url.searchParams);
  url.search = url.hash = '';
  const [file = ''] = url.pathname.match(/[^/]+\.(json|safetensors|bin|pt|pth|ckpt|zip)$/) ?? [];
  url.pathname = url.pathname.slice(0, url.pathname.length - file.length).replace(/\/*$/, '/');
  const parts = url.pathname.split('/').filter(Boolean);
  let title = decodeURIComponent(parts.at(-1) ?? url.host), depth = parts.length;
  if (/^(www\.)?(huggingface\.co|hf\.co)$/.test(url.host) && parts.length >= 2) {
    const [owner, named, kind, ...rest] = parts;
    const [name, at = revision && encodeURIComponent(revision)] = named.split('@');
    const shown = ['tree', 'blob', 'resolve', 'raw'].includes(kind);
    // The hub writes a revision with slashes either way: refs/pr/1, refs%2Fpr%2F1.
    const [version = at ?? 'main', ...inside] = shown ? rest : [undefined, ...(kind ? [kind, ...rest] : [])];
    const folders = [...inside, ...(subfolder ?? '').split('/')].filter(Boolean);
    url.host = 'huggingface.co';
    url.pathname = `/${[owner, name, 'resolve', version, ...folders].join('/')}/`;
    title = `${owner}/${name}`;
    depth = folders.length - (version === 'refs' ? 2 : 0);
  }
  const weights = file && !/\.json$|-\d{5}-of-\d{5}[-.]/.test(file); // a part's others are found by their index
  return { folder: url.href, title, depth, weights: weights ? decodeURIComponent(file) : null };
}
