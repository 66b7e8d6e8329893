// How the browser tests run: two files at a time, each in order, on the Chromium that is installed, with a trace of what fails.
import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: '.',
  testMatch: '*.spec.js',
  outputDir: '../../target/browser',
  workers: 2,
  fullyParallel: false,
  forbidOnly: true,
  timeout: 900_000,
  use: { trace: { mode: 'retain-on-failure', screenshots: false }, screenshot: 'only-on-failure' },
});
