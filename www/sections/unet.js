// The U-Net, open: what every layer makes of the x_t at which the film stands. All of it is fetched when it is first asked for.
import { $ } from '../ui/dom.js';
import { complain } from '../ui/runs.js';

export function startUnet() {
  $('unet-form').addEventListener('submit', (event) => {
    event.preventDefault();
    import('./unet/open.js').then(({ look }) => look()).catch(complain);
  });
}
