      // Issues every load of the next pixels; those outside are stored as zeros.
      {
        let inside = row < last;
        let at = min(row, last - 1u);
        let n = at / p.oh;
        let oy = at % p.oh;
        let iy = i32(oy * ${S}u) - i32(p.pad);
        let ix = i32(ox * ${S}u) - i32(p.pad);
#if CONCAT
        let corner = iy * i32(p.w) + ix;
#else
        let corner = (i32(n * p.ic * p.h) + iy) * i32(p.w) + ix;
#endif
#for E in 0..NX
        okx${E} = iy + ky${E} >= 0 && iy + ky${E} < i32(p.h) && ix + kx${E} >= 0 && ix + kx${E} < i32(p.w);
#if CONCAT
        let from${E} = u32(select(0, corner + at${E} + i32(n) * of${E}, okx${E}));
        if (second${E}) {
          v${E} = x2[from${E}];
        } else {
          v${E} = x[from${E}];
        }
#else
        v${E} = x[u32(select(0, corner + at${E}, okx${E}))];
#endif
#endfor
        let origin = (n * p.oc * p.oh + oy) * p.ow + ox;
#for E in 0..ND
        okd${E} = inside && ox + px${E} < p.ow;
        let to${E} = select(0u, origin + at_d${E}, okd${E});
        d${E} = vec4<f32>(dy[to${E}], dy[to${E} + min(left${E}, 1u) * plane], dy[to${E} + min(left${E}, 2u) * plane], dy[to${E} + min(left${E}, 3u) * plane]);
#endfor
      }
