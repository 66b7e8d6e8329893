// What to tell a visitor whose browser gives no GPU: what is missing, and how to turn it on there.

import { $ } from './dom.js';

const HOW = {
  chrome: ['Chrome, Edge and other Chromium browsers have WebGPU since version 113 on Windows, macOS and ChromeOS, and since 121 on Android.',
    'On Linux, open chrome://flags, enable “Unsafe WebGPU Support” and “Vulkan”, and restart.',
    'If chrome://gpu shows WebGPU as disabled, turn on “Use graphics acceleration when available” in the system settings, and update the graphics driver.'],
  firefox: ['Firefox has WebGPU since version 141 on Windows and 145 on Macs with Apple silicon.',
    'Elsewhere, open about:config, set dom.webgpu.enabled to true, and restart.'],
  safari: ['Safari has WebGPU since version 26, on macOS, iOS, iPadOS and visionOS. Update the system to get it.'],
};

const REASON = {
  'no-webgpu': 'This browser has no WebGPU (there is no navigator.gpu here), or the page was not opened over https or from localhost.',
  'no-adapter': 'This browser has WebGPU, but found no graphics adapter for it (requestAdapter() gave null).',
  failed: 'The graphics device could not be opened.',
  slower: 'The only graphics adapter here is a program on the processor, and slower than Pollen’s own code there; ?device=gpu in the address uses it all the same.',
  asked: 'You chose the processor.',
};

const BRIEFLY = {
  'no-webgpu': 'this browser has no WebGPU', 'no-adapter': 'this browser found no graphics adapter', failed: 'the graphics device could not be opened',
  slower: 'the only graphics adapter here is a program on it, and slower', asked: 'you chose it',
};

/** Why the processor does the work, in half a sentence. @param {import('../api/types.js').Adapter} adapter */
export const briefly = ({ reason }) => BRIEFLY[reason ?? 'asked'];

/** @param {import('../api/types.js').Adapter} adapter */
export function explainMissingGpu({ reason, detail }) {
  const box = $('no-webgpu');
  const ua = navigator.userAgent;
  const browser = /Firefox\//.test(ua) ? 'firefox' : /Chrome\/|Chromium\//.test(ua) ? 'chrome' : /Safari\//.test(ua) ? 'safari' : null;
  const heading = document.createElement('h2');
  heading.textContent = 'The processor does the work';
  const why = document.createElement('p');
  why.textContent = `${REASON[reason ?? 'asked']} ${detail ?? ''} Everything on the page works, computed by the processor of this machine, more slowly than on a GPU.`;
  box.replaceChildren(heading, why);
  if (reason !== 'asked') {
    const details = document.createElement('details'), summary = document.createElement('summary');
    summary.textContent = 'How to turn WebGPU on';
    const list = document.createElement('ul');
    list.append(...(browser ? HOW[browser] : Object.values(HOW).flat()).map((text) => Object.assign(document.createElement('li'), { textContent: text })));
    details.append(summary, list);
    box.append(details);
  }
  box.hidden = false;
}
