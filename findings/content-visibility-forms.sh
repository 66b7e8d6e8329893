#!/usr/bin/env bash
# Chromium 156 and `content-visibility: auto`, by which a page leaves parts beyond the window without layout until they come near.
# Where these parts have form fields, each is laid out all the same before DOMContentLoaded is over, one after the other, as Chromium
# looks at what it could fill in. Seen: a page of twelve such sections below the window has twelve layouts then, without fields none.
# Needs Chromium on PATH, or its path in CHROMIUM. Tested with Debian's 156.0.8078.108 and playwright-core 1.65.1.
set -euo pipefail
chromium=${CHROMIUM:-$(command -v chromium || command -v chromium-browser)}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts playwright-core@1.65.1
cat > layouts.mjs <<'JS'
import { chromium } from 'playwright-core';

const SECTIONS = 12;
const text = (field) => `<!doctype html><title>Sections</title>
<style>section { content-visibility: auto; contain-intrinsic-size: auto 500px } label { display: block }</style>
<div style="height: 3000px">Far above them all</div>
${Array.from({ length: SECTIONS }, (_, i) => `<section><h2>${i}</h2><form>${Array.from({ length: 12 }, (_, j) => `<label>A label ${field(`field-${i}-${j}`)}</label>`).join('')}</form></section>`).join('\n')}`;
const browser = await chromium.launch({ executablePath: process.argv[2] });
console.log(`Chromium ${browser.version()}, node ${process.version}`);
/** Layouts while Chromium says that the page has been parsed. */
async function layouts(field) {
  const context = await browser.newContext(), page = await context.newPage();
  await page.route('http://page.test/', (route) => route.fulfill({ contentType: 'text/html', body: text(field) }));
  await browser.startTracing(page, { categories: ['devtools.timeline', 'blink', 'content', 'loading', 'navigation'] });
  await page.goto('http://page.test/');
  await page.waitForTimeout(1500);
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  await context.close();
  const [parsed] = traceEvents.filter(({ name }) => name === 'RenderFrameImpl::DidDispatchDOMContentLoadedEvent').sort((a, b) => b.dur - a.dur);
  return traceEvents.filter(({ name, pid, tid, ts }) => name === 'Layout' && pid === parsed.pid && tid === parsed.tid && ts >= parsed.ts && ts < parsed.ts + parsed.dur).length;
}
const fields = await layouts((name) => `<input type="text" name="${name}">`), none = await layouts((name) => `<span>${name}</span>`);
await browser.close();
console.log(`${fields} layouts of ${SECTIONS} sections with fields, none of which is near the window; ${none} without fields`);
if (fields !== SECTIONS || none !== 0) {
  console.error('This is not what was seen before.');
  process.exit(1);
}
JS
node layouts.mjs "$chromium"
