    // Accumulator (tap · EACH + input channel) · EACH + vec4 of output channels, and the sums of dy behind them.
#for P in 0..PX
#for V in 0..EACH
    let d${P}_${V} = sh_d[db + ${V * PX + P}u];
#endfor
#for I in 0..EACH
#for Y in 0..K
#let FROM = P * S
#if (P > 0) * (K > S)
#let FROM = (P - 1) * S + K
#endif
#for C in FROM..P * S + K
    let x${I}_${Y}_${C} = sh_x[xb + ${(I * K + Y) * IW + C}u];
#endfor
#for X in 0..K
#for V in 0..EACH
    a${((Y * K + X) * EACH + I) * EACH + V} += d${P}_${V} * x${I}_${Y}_${P * S + X};
#endfor
#endfor
#endfor
#endfor
#endfor
    if (group.x == 0u) {
#for P in 0..PX
#for V in 0..EACH
      a${SUMS + V} += sh_d[db + ${V * PX + P}u];
#endfor
#endfor
    }
