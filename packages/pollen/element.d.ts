import type { Generation } from './engine/api/types.js';

/** `<pollen-model src class-label steps sampler guidance seed device>`; element.js says what they are. */
export class PollenModel extends HTMLElement {
  /** Makes a picture from the seed that stands in the field. */
  generate(): Promise<Generation>;
  /** Stops what is running. */
  cancel(): void;
}

declare global {
  interface HTMLElementTagNameMap { 'pollen-model': PollenModel }
}
