    // The weights in registers go transformed into sh_u, the next chunk's loads on their way, the image from sh_x into sh_w.
    {
#for X in 0..3
      let outer${X} = select(w${X}, w${X + 6}, lower == 1u);
      let inner${X} = 0.5 * (w${X} + w${X + 6}) + sign * w${X + 3};
#endfor
      let outer = 0.5 * (outer0 + outer2);
      let inner = 0.5 * (inner0 + inner2);
      let at = wc * 2u + o / 4u % 2u;
      let l = o % 4u;
      let t = 3u * lower;
      let m = 1u + lower;
      sh_u[t][0][o / 8u][at][l] = outer0;
      sh_u[t][1][o / 8u][at][l] = outer + 0.5 * outer1;
      sh_u[t][2][o / 8u][at][l] = outer - 0.5 * outer1;
      sh_u[t][3][o / 8u][at][l] = outer2;
      sh_u[m][0][o / 8u][at][l] = inner0;
      sh_u[m][1][o / 8u][at][l] = inner + 0.5 * inner1;
      sh_u[m][2][o / 8u][at][l] = inner - 0.5 * inner1;
      sh_u[m][3][o / 8u][at][l] = inner2;
    }
    workgroupBarrier();
    next = c + ${CH}u;
    if (next < terms) {
#include "conv2d/winograd_fetch.wgsl"
    }
    {
      let left = sh_x[x_first] + x_sign * sh_x[x_second];
      let right = sh_x[x_first + 1u] + x_sign * sh_x[x_second + 1u];
      sh_w[x_to][block % 4u] = left.x - right.x;
      sh_w[x_to + ${4 * CH}u][block % 4u] = left.y + right.x;
      sh_w[x_to + ${8 * CH}u][block % 4u] = right.x - left.y;
      sh_w[x_to + ${12 * CH}u][block % 4u] = left.y - right.y;
    }
