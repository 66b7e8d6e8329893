// What is folded away below the picture: each is loaded when it is first opened, and told of the chain while it is open.
import { $ } from '../../ui/dom.js';
import { complain } from '../../ui/runs.js';

/**
 * @import { Schedule } from '../../api/types.js'
 *
 * @typedef {object} Chain what the section shows
 * @property {ReturnType<typeof import('./settings.js').read>} options
 * @property {Schedule} schedule of these options
 * @property {number} t
 * @property {boolean} passing while a run goes on
 *
 * @typedef {object} Fold
 * @property {() => unknown} show what the chain is now
 * @property {() => unknown} move only its t is another
 *
 * @typedef {(chain: Chain, goTo: (t: number) => void) => Fold} Start `chain` is kept up to date
 */

/** @type {[id: string, load: () => Promise<{ start: Start }>][]} */
const FOLDS = [['schedules', () => import('./schedules.js')], ['sizes', () => import('./sizes.js')]];

/** @param {(t: number) => void} goTo */
export function startFolds(goTo) {
  /** @type {Chain | null} */ let chain = null;
  const all = FOLDS.map(([id, load]) => {
    const box = $(id, HTMLDetailsElement);
    /** @type {Fold | null} */ let fold = null;
    const show = async () => {
      if (!box.open || !chain) return;
      try {
        const { start } = await load();
        fold ??= start(chain, goTo);
        await fold.show();
      } catch (error) { complain(error); }
    };
    box.addEventListener('toggle', show);
    return { show, move: () => { if (box.open) fold?.move(); } };
  });
  return {
    /** @param {Pick<Chain, 'options' | 'schedule'>} made the chain of other settings */
    show(made) {
      const t = Math.min(chain?.t ?? 0, made.options.steps);
      chain = Object.assign(chain ?? { passing: false }, made, { t });
      for (const { show } of all) show();
    },
    /**
     * @param {number} t
     * @param {boolean} passing
     */
    move(t, passing) {
      if (!chain) return;
      Object.assign(chain, { t, passing });
      for (const { move } of all) move();
    },
  };
}
