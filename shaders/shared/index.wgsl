// The number of this thread in a grid that `linear_grid` folded into rows of 32,768 workgroups of 64.
fn thread_index(group: vec3<u32>, lane: u32) -> u32 {
  return (group.y * 32768u + group.x) * 64u + lane;
}
