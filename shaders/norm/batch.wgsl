    // The elements i, i + WG, …, the last one in place of those past it.
#for B in 0..BATCH
    let v${B} = element(n, first + min(i + ${WG * B}u, count - 1u));
#endfor
