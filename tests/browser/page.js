// The page as a visitor has it: by accessible names alone.

const RUN_MS = 180_000; // a software GPU on two cores takes its time

export const button = (page, name) => page.getByRole('button', { name, exact: true });
export const control = (page, name) => page.getByLabel(name, { exact: true });
export const status = (page) => page.getByRole('status');
export const alert = (page) => page.getByRole('alert');
/** The canvas of that name. */
export const canvas = (page, name) => page.getByRole('img', { name });

/** Resolves once the page has said that it is ready; rejects if it says that something is wrong. */
export async function ready(page) {
  await page.evaluate(() => window.pollen.ready);
}

/**
 * Does `act`, which starts a run, and waits for how it ends: { done } with the sentence of the status that begins with
 * "Done", or { wrong } with the text of the alert.
 */
export async function outcome(page, act, ms = RUN_MS) {
  const [said, wrong] = await Promise.all([status(page).elementHandle(), alert(page).elementHandle()]);
  const ended = page.evaluate(([status, alert, ms]) => new Promise((resolve, reject) => {
    const text = (element) => element.innerText.trim();
    const timer = setTimeout(() => reject(new Error(`after ${ms} ms the status still says: ${text(status)}`)), ms);
    const observer = new MutationObserver((changes) => {
      const changed = (element) => changes.some(({ target }) => element.contains(target));
      const end = changed(alert) && text(alert) ? { wrong: text(alert) }
        : changed(status) && text(status).startsWith('Done') ? { done: text(status) } : null;
      if (!end) return;
      clearTimeout(timer);
      observer.disconnect();
      resolve(end);
    });
    observer.observe(document.body, { subtree: true, childList: true, characterData: true });
  }), [said, wrong, ms]);
  ended.catch(() => {}); // awaited below, unless `act` fails first
  await act();
  return ended;
}

/** Does `act` and waits for the run to end well; its closing sentence. */
export async function done(page, act, ms) {
  const end = await outcome(page, act, ms);
  if (end.wrong) throw new Error(`the page says: ${end.wrong}`);
  return end.done;
}

/** Does `act` and waits for the page to object; what it says. */
export async function objection(page, act, ms) {
  const end = await outcome(page, act, ms);
  if (end.done) throw new Error(`no objection; the page says: ${end.done}`);
  return end.wrong;
}

/** Puts values into the controls of the reverse chain: { Class: '3', Sampler: 'DDIM', Steps: 20, Seed: 0, Count: 1 }. */
export async function settings(page, values) {
  for (const [name, value] of Object.entries(values)) {
    const field = control(page, name);
    if (await field.evaluate((element) => element.tagName === 'SELECT')) await field.selectOption({ label: value });
    else await field.fill(String(value));
  }
}

export const diffuse = (page) => done(page, () => button(page, 'Diffuse').click());
export const generate = (page) => done(page, () => button(page, 'Generate').click());

/** Chooses a file as a visitor does. */
export async function upload(page, name, buffer, mimeType = '') {
  await control(page, 'Upload an image').setInputFiles({ name, mimeType, buffer });
}

/** Resolves once a run has done a step. */
export async function stepped(page) {
  const bar = await page.locator('[role=progressbar]').elementHandle();
  await page.waitForFunction((bar) => /step/.test(bar.getAttribute('aria-valuetext')), bar, { timeout: RUN_MS });
}

/** The RGBA bytes of a canvas, and its size. */
export async function pixels(locator) {
  const { width, height, data } = await locator.evaluate((canvas) => {
    const { width, height } = canvas;
    return { width, height, data: [...canvas.getContext('2d').getImageData(0, 0, width, height).data] };
  });
  return { width, height, data, at: (x, y) => data.slice(4 * (y * width + x), 4 * (y * width + x) + 4) };
}

/** Keeps every status sentence and every value of the progress bar from now on; returns a function that gives them. */
export async function listen(page) {
  const handles = await Promise.all([status(page).elementHandle(), page.locator('[role=progressbar]').elementHandle()]);
  const record = await page.evaluateHandle(([status, bar]) => {
    const record = { sentences: [], progress: [] };
    new MutationObserver(() => {
      if (record.sentences.at(-1) !== status.innerText.trim()) record.sentences.push(status.innerText.trim());
      const value = Number(bar.getAttribute('aria-valuenow'));
      if (bar.checkVisibility() && record.progress.at(-1) !== value) record.progress.push(value);
    }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
    return record;
  }, handles);
  return () => record.jsonValue();
}
