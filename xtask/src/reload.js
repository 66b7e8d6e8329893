// Served by `cargo xtask serve` alone: takes up what is saved in www/ by loading the page again, and what is saved in
// shaders/ by handing it to the engine, whose next run compiles it.
const PAUSE_MS = 500;
let page = null, ready = null, taken = {};

async function look() {
  const changes = await (await fetch('dev/changes')).json();
  if (page !== null && changes.page !== page) return location.reload();
  page = changes.page;
  if (window.pollen.ready !== ready) { // an engine that was restarted has the shaders that it was built with
    ready = window.pollen.ready;
    taken = {};
  }
  for (const [name, version] of Object.entries(changes.shaders)) {
    if (taken[name] === version) continue;
    taken[name] = version;
    const text = await (await fetch(`dev/shaders/${name}.wgsl`)).text();
    await window.pollen.setShader(name, text);
    console.info(`shaders/${name}.wgsl: the next run has it.`);
  }
}

for (;;) {
  await look().catch((error) => console.warn(error.message));
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
