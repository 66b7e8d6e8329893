// The address of the run that is shown.
import { complain, say } from '../ui/runs.js';

/** Copies it. */
export async function copyLink() {
  try {
    await navigator.clipboard.writeText(location.href);
    say('The link is on the clipboard. Whoever opens it and presses Generate gets the same picture.');
  } catch {
    complain('The browser did not let the page use the clipboard. The address bar holds the same link.');
  }
}
