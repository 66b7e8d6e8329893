  // What a thread makes of a tile, and its sums.
  let stride4 = (p.oc + 3u) / 4u;
  let o4 = group.y * ${OT}u;
  let part = lane / ${LANES}u;
  let og = (lane / ${STRIPS}u) % ${OG}u * ${OV}u;
  let strip = lane % ${STRIPS}u;
  let column = strip % ${SX}u;
  let row = strip / ${SX}u * ${PX}u;
  // As a loader, a thread has one channel of the chunk and every PER-th pixel of it.
  let channel = lane / ${PER}u;
  let pixel = lane % ${PER}u;
#for V in 0..OV
#for P in 0..PX
  var a${P}_${V} = vec4<f32>();
#endfor
#endfor
