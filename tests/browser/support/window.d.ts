// What tests leave in the page between two calls.
import type { Training } from '../../../www/api/types.js';

declare global {
  interface Window {
    training: Training;
    losses: number[];
    from: number;
    kept: Uint8Array;
    answer: unknown;
  }
}
