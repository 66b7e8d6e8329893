// A call of the page as the Worker serves it: what it tells meanwhile, and how it is paced, paused and cancelled.

export class Call {
  #drawn = 0;
  #sent = 0;
  /** @type {(() => void) | null} */ #wake = null;
  #yielded = performance.now();
  paused = false;
  abort = new AbortController();

  /**
   * @param {number} id
   * @param {number} ahead
   */
  constructor(id, ahead) {
    this.id = id;
    this.ahead = ahead;
  }

  /**
   * @param {string} event
   * @param {unknown} value
   */
  tell(event, value) { postMessage({ id: this.id, event, value }); }
  progress = (/** @type {import('../api/types.js').Progress} */ value) => this.tell('progress', value);

  /**
   * Sends a step's frames; waits where the page is `ahead` steps behind, and lets a cancel through.
   * @param {object | null | undefined} value
   * @param {Transferable[]} [transfer]
   */
  async step(value, transfer = []) {
    if (!value) return this.breathe(); // done, and not drawn
    this.#sent++;
    postMessage({ id: this.id, event: 'step', value }, { transfer });
    while (this.#sent - this.#drawn >= this.ahead && !this.abort.signal.aborted) {
      await /** @type {Promise<void>} */ (new Promise((resolve) => (this.#wake = resolve)));
    }
    return this.breathe();
  }

  /** Messages are only received between tasks, so a chain that computes on this thread must end one now and then. */
  async breathe() {
    if (performance.now() - this.#yielded > 8) {
      await nextTask();
      this.#yielded = performance.now();
    }
    this.abort.signal.throwIfAborted();
  }

  drawn() { this.#drawn++; this.#wake?.(); }
  cancel() { this.abort.abort(); this.#wake?.(); }
}

const channel = new MessageChannel();
/** @returns {Promise<void>} */
function nextTask() {
  return new Promise((resolve) => {
    channel.port1.onmessage = () => resolve();
    channel.port2.postMessage(null);
  });
}
