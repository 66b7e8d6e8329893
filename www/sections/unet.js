// The U-Net, open: what every layer makes of the x_t at which the film stands. All of it is fetched when it is first asked for.
import { $ } from '../ui/dom.js';
import { guessed, onGuess } from '../ui/guess.js';
import { complain } from '../ui/runs.js';

const open = () => { import('./unet/open.js').then(({ look }) => look()).catch(complain); };

export function startUnet() {
  $('unet-form').addEventListener('submit', (event) => {
    event.preventDefault();
    open();
  });
  // Until the visitor has guessed, a picture of it would give the answer away.
  const example = () => { import('./unet/example.js').then(({ showExample }) => showExample(open)).catch(complain); };
  onGuess('unet', example);
  if (guessed('unet')) example();
}
