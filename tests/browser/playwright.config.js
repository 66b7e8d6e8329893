// How the browser tests run: on the Chromium that is installed, with a trace of what fails. `cargo xtask test` runs one project after
// the other: two at a time on the software GPU take longer than one after another, as SwiftShader's threads of one browser keep the
// cores from the other's (ten digits 222 s for 84); on the processor they take 265 s for 330. What measures the processor runs
// with the first of them, one at a time: beside another test kernels took three times as long as their own pass.
import { readdirSync, readFileSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

const own = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.spec.js'));
const alone = ['speed-processor.spec.js'];
const onProcessor = own.filter((file) => !alone.includes(file) && readFileSync(`${import.meta.dirname}/${file}`, 'utf8').includes('gpu: false')).map((file) => `**/${file}`);

export default defineConfig({
  testDir: '.',
  testMatch: '*.spec.js',
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  timeout: 900_000,
  use: { trace: { mode: 'retain-on-failure', screenshots: false }, screenshot: 'only-on-failure' },
  projects: [
    { name: 'gpu', testIgnore: onProcessor, outputDir: '../../target/browser/gpu' },
    { name: 'processor', testMatch: onProcessor, outputDir: '../../target/browser/processor' },
  ],
});
