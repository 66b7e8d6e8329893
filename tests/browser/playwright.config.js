// How the browser tests run: one at a time, on the Chromium that is installed, with a trace of what fails.
import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: '.',
  testMatch: '*.spec.js',
  outputDir: '../../target/browser',
  // Two at a time take longer: SwiftShader's threads of one browser keep the cores from the other's (ten digits 222 s for 84).
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  timeout: 900_000,
  use: { trace: { mode: 'retain-on-failure', screenshots: false }, screenshot: 'only-on-failure' },
});
