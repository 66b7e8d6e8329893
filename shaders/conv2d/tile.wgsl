// The sizes of a tile and its workgroup memory. Needs APART: how far the source's pixels of two neighbours in the tile lie apart.
#let OT = OG * OV
#let THREADS = 256
#let PX = 4
#let STRIPS = TW * TH / PX
#let LANES = STRIPS * OG
#let SPLIT = THREADS / LANES
#let SX = TW
#if FLAT
#let SX = TW / PX
#endif
#let CH = SPLIT * CI
#let XN = CH * ((TW - 1) * APART + K) * ((TH - 1) * APART + K)
#let WN = CH * K * K * OT
#if WN < THREADS
#let WN = THREADS
#endif
#let PER = THREADS / CH
var<workgroup> sh_x: array<f32, ${XN}>;
var<workgroup> sh_w: array<vec4<f32>, ${WN}>;
