/**
 * The types of Pollen's public API, `window.pollen`. docs/api.md says what the calls do together; a test holds the two to
 * the same names. Timesteps are 1…T but for `predict` and `activations`, images `Float32Array`s in [−1, 1], planar.
 */

export interface Pollen {
  /** Resolves once the engine runs; rejects if neither WebGPU nor WebAssembly works. */
  ready: Promise<Adapter>;
  adapter: Adapter | null;
  model: Model | null;

  schedule(o?: ScheduleOptions): Promise<Schedule>;
  /** Every solver the engine has. */
  samplers(): Promise<Sampler[]>;
  diffuse(o: DiffuseOptions): Promise<Diffusion>;
  forwardFrame(o: { t: number; way: 'chain' | 'jump'; tensor?: boolean }): Promise<ForwardFrame>;

  /** A folder of this site or of another by its address, `kept:ID`, or the files themselves. */
  loadModel(source: string | File[] | FileList | ModelFile[], o?: { onProgress?: (p: Progress) => void }): Promise<Model>;
  /** Of the model that is loaded: its files, where they are worth keeping; null for one that comes with the site. */
  files: ModelFile[] | null;
  inspect(o?: { batch?: number }): Promise<Inspection>;
  predict(o: PredictOptions): Promise<{ prediction: Float32Array; shape: Shape }>;
  /** What the network consists of, in an order in which each operation's inputs precede it. */
  operations(o?: { shape?: number[] }): Promise<NetworkOperation[]>;
  /** The results of some of them for one picture. */
  activations(o: ActivationOptions): Promise<Activation[]>;
  /** A tensor of the checkpoint as the device holds it, row-major. */
  tensor(name: string): Promise<Float32Array>;
  /** What a pass of the network over one input takes on the device in use, whole and kernel by kernel. */
  times(o: TimesOptions): Promise<PassTimes>;
  /** What the browser's graphics adapter does at most; null where it has none. */
  peaks(): Promise<Peaks | null>;
  generate(o?: GenerateOptions): Promise<Generation>;
  /** PyTorch's `randn` on its CPU generator after `manual_seed(seed)`. */
  randn(o: { seed?: number; shape: number[] }): Promise<Float32Array>;
  /** x_t = √ᾱ_t·x_0 + √(1 − ᾱ_t)·ε with the seed's first noise, and its grid. */
  jump(o: JumpOptions): Promise<{ sample: Float32Array; rgba: Uint8ClampedArray }>;
  /** KL(p ‖ q) of two Gaussians in nats, in closed form. */
  gaussianKl(o: GaussianPair): Promise<number>;
  /** −ln of the probability of each of the 256 bytes under the discretised decoder. */
  decoderNats(o: DecoderOptions): Promise<Float64Array>;
  /** Compares the loaded network with the numbers that `known.json` has for checkpoints of its shape. */
  selfTest(): Promise<SelfTest>;

  /** Keeps the loaded model's files in this browser; what else is given is kept with them. */
  keepModel(about?: { picture?: string | null }): Promise<KeptModel>;
  keptModels(): Promise<KeptModel[]>;
  forgetModel(id: string): Promise<void>;

  inspectTraining(o: { config: object | string; batch?: number }): Promise<TrainingInspection>;
  /** Which of the files that a visitor chose are pictures, in which order and of which class, as the command line has it of a folder. */
  arrangePictures(files: Iterable<File>, o?: { labels?: LabelSource }): Promise<Arrangement>;
  /** The pictures and labels of the arrays (NPZ, NPY, IDX, gzipped or not) among files, as the command line reads them; null where they are pictures. */
  readArrays(files: Iterable<File>, o: ArrayOptions): Promise<ArrayData | null>;
  /** The files in a zip file, each with its `path` in it, and sentences on those that are damaged and left out. */
  unzip(file: File): Promise<{ files: (File & { path: string })[]; notes: string[] }>;
  /** What is missing of a picture file, as the end of a sentence that begins with its name; null where it is whole or of an unknown format. */
  pictureDamage(file: Blob): Promise<string | null>;
  /** How many frames a GIF, WebP or PNG file has, or pages a TIFF file; 1 for any other. */
  pictureFrames(file: Blob): Promise<number>;
  train(o: TrainOptions): Promise<Training>;
  /** Ends the run of a training after the step that is being done; its promise resolves with what was reached. */
  pause(): void;

  likelihood(o: LikelihoodOptions): Promise<Likelihood>;
  sampleIdealDenoiser(o: IdealDenoiserOptions): Promise<IdealDenoiserSamples>;
  distanceToIdealDenoiser(o: DistanceOptions): Promise<Distance[]>;

  /** Puts WGSL in the place of a shader, `conv2d/tiled` for `shaders/conv2d/tiled.wgsl`, for every call from now on. */
  setShader(name: string, text: string): Promise<void>;

  /** Stops the call that is running, within two steps; its promise rejects with an `AbortError`. */
  cancel(): void;
  /** A fresh Worker and device; what was loaded is gone. `device` as in the command line, `kernels` in place of the GPU's faster ones. */
  restart(o?: { device?: Executor; kernels?: GpuKernels }): Promise<Adapter>;
  /** Ends the Worker and gives its memory back; the engine is of no use then. */
  close(): void;
}

export interface Gaussian { mean: number; variance: number }
export interface GaussianPair { p: Gaussian; q: Gaussian }
export interface DecoderOptions {
  mean: number;                      // of the Gaussian, in the values of a picture, [−1, 1]
  deviation: number;                 // its standard deviation, above 0
}

export interface JumpOptions {
  image?: Float32Array;              // x_0, planar, in [−1, 1]; default 0, so that at alphaBar = 0 the noise is left
  shape: Shape;
  seed?: number;                     // default 0
  alphaBar: number;                  // ᾱ_t, 0…1
}

export type Shape = [n: number, c: number, h: number, w: number];

/** What computes: by itself a GPU where there is one, or the processor where the "GPU" is a slower program on it. */
export type Executor = 'auto' | 'gpu' | 'cpu';

/** Kernels for GPUs as in the package of a processor, as on a desktop, and for the largest. Each rounds in its own way. */
export type GpuKernels = 'small' | 'large' | 'huge';

export interface Adapter {
  device: 'gpu' | 'cpu';
  /** As the driver names it; "the processor" for the CPU executor. */
  name: string;
  /** True where the "GPU" is a program on the processor (SwiftShader, llvmpipe, WARP). */
  software: boolean;
  /** Why the CPU does the work: null when the GPU does. */
  reason: null | 'no-webgpu' | 'no-adapter' | 'slower' | 'asked' | 'failed';
  /** The browser's or driver's sentence, where there is one. */
  detail: string | null;
  /** The GPU's kernels: `software` are those for programs on the processor. */
  kernels: GpuKernels | 'software' | null;
  /** Whether they were asked for, timed just now, or timed before with this adapter and browser; null where there is no choice. */
  chosen: 'asked' | 'timed' | 'kept' | null;
}

/** β_t and ᾱ_t for t = 0…T (β_0 = 0, ᾱ_0 = 1), in f64. SNR(t) = ᾱ_t / (1 − ᾱ_t). */
export interface Schedule { beta: Float64Array; alphaBar: Float64Array }

export interface ScheduleOptions {
  steps?: number;                    // T, 1…100000; default 1000
  schedule?: 'linear' | 'geometric' | 'cosine' | 'sigmoid' | 'scaled_linear';   // default 'linear'
  betaStart?: number;                // β_1, default 1e-4; not used by 'cosine'
  betaEnd?: number;                  // β_T, default 0.02; not used by 'cosine'
}

export interface DiffuseOptions extends ScheduleOptions {
  image: Float32Array;               // x_0, [channels, height, width] in [−1, 1]
  channels: 1 | 3;
  height: number;
  width: number;
  seed?: number;                     // default 0
  onStep?: (f: ForwardFrame) => void | Promise<void>;   // every t = 0…T, in order
}
export interface ForwardFrame {
  t: number;
  rgba: Uint8ClampedArray;           // height × width × 4
  width: number;
  height: number;
  sample?: Float32Array;             // x_t itself, where `tensor: true` asked for it
}
/** The run stays in the Worker: `forwardFrame` gives any x_t of it again, or the one-jump q(x_t | x_0) at that t. */
export interface Diffusion { steps: number; seconds: number; sample: Float32Array }

/** Bytes; `file` is null while what has arrived is put on the device. */
export interface Progress { loaded: number; total: number | null; file: string | null }

export interface ModelFile { path: string; file: Blob | Passed }
/** A file that nobody holds: it is fetched again when it is needed, or unpacked again (deflated) out of a part of a zip file. */
export type Passed = { size: number; url: string } | { size: number; crc: number; packed: Blob };
export interface KeptModel { id: string; title: string; bytes: number; files: string[]; picture?: string | null }

export interface SelfTest {
  state: 'passed' | 'failed' | 'unknown';   // unknown: no known checkpoint has this shape
  checkpoint: string | null;         // the one it is, or the nearest
  difference: number | null;         // the largest of ten outputs; at most 1e-3 passes
}

export interface Model {
  id: string;                        // folder or file name
  title: string;
  parameters: number;
  weightBytes: number;               // as held on the device
  channels: number;
  height: number;
  width: number;
  classes: string[] | null;          // null: unconditional
  any: number | null;                // the label that means "any class"
  trainSteps: number;                // T it was trained with
  prediction: 'epsilon' | 'sample' | 'v_prediction';
  variance: string;                  // DDPM's, as its scheduler_config.json has it
  sampler: string;                   // a Sampler's name, of the class that its scheduler_config.json names; 'ddpm' without one
  sized: boolean;                    // false: its configuration has no size, and height and width are where to begin
  warnings: string[];                // e.g. configuration fields that were ignored
}

/** The command line's `inspect`, for the adapter in use. */
export interface Inspection {
  parameters: number; flops_per_step: number; dispatches_per_step: number; submits_per_step: number;
  arena_bytes: number; weight_bytes: number;
}

export interface PredictOptions {
  sample: Float32Array;
  shape: Shape;                      // of the sample; C is the model's, H and W any that it allows
  timestep: number | number[];       // 0…T−1
  classLabels?: number[];
}

/** An operation of the network's graph. */
export interface NetworkOperation {
  /** `input`, `conv2d`, `linear`, `embedding`, `group_stats`, `affine`, `activation`, `add`, `add_channels`, `concat`, `attention`, `upsample`, `pool`, `scale_offset`. */
  operation: string;
  /** The numbers that it is made with: `kernel`, `stride` and `padding` of a convolution, `heads` of attention, `groups` and `eps` of a
   * normalisation, `function` of an activation (0 none, 1 SiLU, 2 Mish, 3 GELU, 4 ReLU), `scale` of an addition. */
  numbers: Record<string, number>;
  /** The operations whose results it reads. */
  inputs: number[];
  /** The checkpoint's tensors that it reads; several layers' where they are one product, such as q, k and v. */
  tensors: string[];
  /** Channels, height and width of its result for one picture. */
  shape: [number, number, number];
  /** The kernel that makes its result in a pass; null where a later operation's kernel takes it in. */
  kernel: string | null;
  /** Which dispatch of the pass that is. */
  call: number | null;
  /** Of that kernel, 2 a multiply-add. */
  flops: number;
}

export interface ActivationOptions {
  /** What the network is given, of one picture: [1, C, H, W]. */
  sample: Float32Array;
  shape: number[];
  /** 0…T−1. */
  timestep: number;
  /** One, where the model has classes. */
  classLabels?: ArrayLike<number> | null;
  /** Their places in the list of `operations`; an `embedding` only exists added to what a linear layer makes. */
  operations: number[];
  /** The results whole as well. */
  whole?: boolean;
}

/** A result, or what can be shown of it at once. */
export interface Activation {
  operation: number;
  mean: number;
  deviation: number;
  least: number;
  most: number;
  /** The channel that varies most over the pixels, and its values [H, W]. */
  channel: number;
  picture: Float32Array;
  /** [C, H, W], if asked for whole. */
  values?: Float32Array;
}

export interface TimesOptions extends PredictOptions {
  seconds?: number;                  // how long passes are repeated; default 1; at least one round is done, of five passes
}
export interface PassTimes {
  ms: number;                        // of a pass among others, by the clock, out of medians
  call: number;                      // ms of a call of `predict`, which also plans the pass, takes its input and reads its output back: the median
  passes: number;                    // in how many every kernel was timed by itself
  /** What timed the kernels: the device's timestamps, or the clock on the processor; null where the adapter has none or they contradict the clock. */
  clock: 'timestamps' | 'processor' | null;
  grain: number | null;              // nanoseconds: every time is a multiple of it, as browsers round. Above 2000, times are means, else medians
  span: number | null;               // ms from the first kernel's beginning to the last one's end, in those passes
  kernels: KernelTime[];             // in the order in which they run
}
export interface KernelTime {
  kernel: string | null;             // null, as is its place, where it only prepares another
  place: number | null;              // in the list of `operations`, whose result it writes
  flops: number;                     // for one picture
  ms: number | null;                 // null where nothing timed it
  error: number;                     // ms: the standard error that the rounding leaves at most; what is not above twice that says nothing
}
export interface Peaks {
  flops: number;                     // multiplications and additions a second, in FMAs of F32
  bytes: number;                     // read and written a second, by a copy of 64 MiB
  clock: 'timestamps' | 'wall';
  adapter: { vendor: string; architecture: string; device: string; description: string };
}

export interface Sampler {
  name: string;                      // as `generate` and the command line take it: 'ddpm', 'ddim', …
  title: string;                     // as the page writes it
  class: string;                     // in diffusers
  steps: number;                     // the default of `generate`: T (1000 here) for ddpm, 20 evaluations for the others
  evaluations: { each: number; last: number };   // of the network: in a step, and in the last
  options: ('eta' | 'variance' | 'timesteps' | 'clip')[];      // what it takes beside the others; an option it does not take is an error
  eta: number | null;                // the eta of its class where it takes one
  clip: Record<string, unknown> | null;          // the `scheduler` fields that are "clip", x̂_0 kept within [−1, 1]
}

export interface GenerateOptions {
  sampler?: string;                  // a Sampler's name; default 'ddim'
  steps?: number;                    // default the Sampler's, for ddpm the model's T; lcm and tcd take at most original_inference_steps, consistency T
  scheduler?: Record<string, unknown>;   // fields in place of those of scheduler_config.json, by diffusers' names
  timesteps?: number[];              // ddpm, dpmpp-2m, lcm, tcd, consistency: those to visit, falling, 0…T−1, in place of `steps`; consistency counts from the noisiest, and takes them from the end
  eta?: number;                      // ddim: 0 (deterministic) … 1, and above 1 noisier than DDPM; tcd: 0 … 1; default the Sampler's
  variance?: 'fixed_small' | 'fixed_small_log' | 'fixed_large' | 'fixed_large_log' | 'learned' | 'learned_range';   // ddpm: σ² = β_t or the posterior's β̃_t; default the model's
  seed?: number;                     // ±(2^53−1), negative as PyTorch takes it; its CPU generator; default 0
  count?: number;                    // 1…16; default 1
  class?: number | null;             // null: any
  guidance?: number;                 // W of ε_any + W(ε_class − ε_any); 1 = off; needs a label that means "any"
  negative?: number;                 // under guidance, the class to lead away from, in place of “any”
  width?: number;                    // of a picture; default the model's, and any that the network's levels can halve
  height?: number;
  noise?: Float32Array;              // unit noise [count, C, H, W] to start from in place of the generator's
  image?: Float32Array;              // x_0 [C, H, W] in [−1, 1] of all pictures: they start from it, noised to where the first step begins
  skip?: number;                     // steps left out at the beginning; default 0. Without an image, and but for euler, euler-a and heun, `noise` is then x itself
  invert?: boolean;                  // ddim: from `image` to the noise that leads to it, which is `sample`; default false
  mask?: Float32Array | Uint8Array;  // ddpm, ddim: [H, W], 1 where `image` is known and stays, 0 where the chain fills it in (RePaint), or between
  jump?: number;                     // with a mask, how many steps the chain goes back at a time (j); default 10
  resample?: number;                 // with a mask, how often it does those steps (r); 1 goes back nowhere; default 10
  until?: number;                    // steps after which the chain ends, and `sample` is x as it is then; default all
  eps?: boolean;                     // onStep is given ε̂, for which the network’s output is read back at each step; default false
  onStep?: (s: ReverseStep) => void | Promise<void>;
}
export interface ReverseStep {
  step: number;                      // 1…steps
  steps: number;                     // evaluations of the network: heun has two a step, but one in its last; with a mask, the steps back as well
  back: boolean;                     // with a mask: a step back, by noise alone, without the network; x0 is then that of the step before, and terms those that lead to alphaBarNext
  t: number;                         // the timestep that was left…
  tNext: number;                     // …and the one that was reached; 0 at the end
  terms: { alphaBar: number; alphaBarNext: number; sigma: number; x0: number; xt: number; eps: number; history: number[] };
  xt: Uint8ClampedArray;             // the pictures after the step, as the network will see them: one RGBA grid of ⌈√count⌉ columns, no gaps
  x0: Uint8ClampedArray;             // x̂_0 as the network saw it at t, in the same grid
  eps?: Float32Array;                // with `eps: true`, but for a step back: ε̂ [count, C, H, W], what the network, with guidance, takes for noise in the x_t that it saw: x_t = √ᾱ·x̂_0 + √(1 − ᾱ)·ε̂ with the x̂_0 that is not clipped yet
  count: number; height: number; width: number;   // of one picture
}
export interface Generation {
  sample: Float32Array;
  shape: Shape;
  rgba: Uint8ClampedArray;           // the grid
  steps: number;
  seconds: number;
  warnings: string[];                // what was replaced of scheduler_config.json, and where diffusers' picture is another (docs/deviations.md)
}

/** What a step of training costs, by the plan that would run, before anything is allocated. */
export interface TrainingInspection {
  parameters: number;
  flops_per_step: number;            // forward and backward pass
  dispatches_per_step: number;
  submits_per_step: number;
  arena_bytes: number;
  weight_bytes: number;              // weights, gradients, Adam's two moments, moving average
}

export interface TrainOptions {
  pixels: Uint8Array;                // [N, channels, height, width]; larger than the network's images: windows at random
  channels: number;
  height: number;
  width: number;
  labels?: number[];                 // of each picture, a place in `classes`
  classes?: string[];                // the network then has num_class_embeds = classes.length + 1, the last for "any"
  config?: object | string;          // config.json of a UNet2DModel
  scheduler?: object | string;       // scheduler_config.json; without a class DDPM's; default: linear, 1000 steps
  recipe?: Recipe;
  checkpoint?: Uint8Array;           // goes on from it, with its configuration, scheduler and recipe
}
export interface Recipe {
  batch?: number;                    // pictures a step; default 8
  at_once?: number;                  // the most on the device at a time, larger batches are gathered; default 64
  rate?: number;                     // Adam's; default 1e-3
  warm_up?: number;                  // steps over which the rate rises; default 0
  beta1?: number; beta2?: number; epsilon?: number;   // Adam's; default 0.9, 0.999, 1e-8
  decay_steps?: number | null;       // steps after which a cosine has brought it to 0; default null, a constant rate
  weight_decay?: number;             // AdamW's; default 0
  clip?: number;                     // the largest norm of the gradient, 0 for none; default 1
  ema?: number;                      // what the moving average keeps at each step; default 0.999
  absolute?: boolean;                // |ε − ε_θ| in place of its square; default false
  min_snr?: number | null;           // γ of the min-SNR weights; default null, L_simple
  label_dropout?: number;            // how often a class becomes "any"; default 0.1
  flips?: boolean;                   // mirrored at random; default false
  seed?: number;                     // default 0
}

/** Where labels are: folders, what stands before the first _ of the files' names, or nowhere. Default 'folders'. */
export type LabelSource = 'folders' | 'prefix' | 'none';
export interface Arrangement {
  pictures: { index: number; label: number }[];   // places among the files and in `classes`
  classes: string[];                 // their names, or those that a classes.json gives; empty without labels
  notes: string[];                   // the classes with their counts, and what was left out
}

export interface ArrayOptions {
  channels: number;                  // 1 grey, 3 colour, 2 and 4 with alpha
  height: number; width: number;     // what each picture is cropped around its middle and resized to
  labels?: LabelSource;              // 'none': those that there are are not read
  unlabelled?: boolean;              // the network has no classes: labels that cannot be read are no error; default false
}
export interface ArrayData {
  pixels: Uint8Array;                // [N, channels, height, width]
  channels: number; height: number; width: number;
  labels?: number[];                 // of each picture, a place in `classes`
  classes: string[];                 // their numbers; empty without labels
  notes: string[];                   // what was understood
}

/**
 * A step of a training: the mean loss over its batch, the gradient's norm before clipping, the learning rate; of each picture of the
 * batch its timestep, 0 … T − 1, and its loss before its weight.
 */
export interface TrainingReport { step: number; loss: number; norm: number; rate: number; timesteps: number[]; losses: number[] }

/** Pictures that a training made on its way. */
export interface TrainingSample {
  step: number;
  rgba: Uint8ClampedArray; count: number; height: number; width: number;   // a grid, ⌈√count⌉ a row
  raw?: Uint8ClampedArray;           // with `compare`: what the weights make as they are, not averaged,
  nearest?: { rgba: Uint8ClampedArray; indices: number[]; distances: number[] };   // of each the training picture nearest to it: the RMS difference, of numbers from −1 to 1,
  gradients?: Record<string, number>;   // the norms of `gradients()`,
  apart?: number | null;             // and how far training pictures are from the nearest other one: the median of 16; null for a single one
}

/** A training in the Worker. It stays there, with its memory, until `free()`. */
export interface Training {
  step: number;                      // steps done
  /** Trains until `steps` are done, or until `pollen.pause()`. Two steps are in flight at most. */
  run(o: RunOptions): Promise<{ step: number; done: boolean }>;
  /** A reverse chain with the averaged weights, or with those as they are (`raw`), as `generate` takes its options. */
  sample(o?: GenerateOptions & { raw?: boolean }): Promise<Generation>;
  /** The norm of the gradient by each of the checkpoint's tensors, clipped and averaged as Adam does it: its first moment, m. */
  gradients(): Promise<Record<string, number>>;
  /** Makes the averaged network the current model: `generate` and `predict` use it, as later steps make it, too. */
  use(): Promise<Model>;
  /** All that `train` needs to go on from here. */
  checkpoint(): Promise<Uint8Array>;
  /** The averaged network as files of a diffusers folder, by name. */
  files(): Promise<Record<string, Uint8Array>>;
  free(): Promise<void>;
}
export interface RunOptions {
  steps: number;                     // in all, those before this run included
  onReport?: (r: TrainingReport) => void;   // each step, in order
  sampleEvery?: number;              // steps; default: after the last alone
  sampleFirst?: number;              // a step after which there is one besides
  sample?: GenerateOptions;          // how
  compare?: boolean;                 // raw weights and nearest training pictures beside each sample; default false
  onSample?: (s: TrainingSample) => void;
  keepEvery?: number;                // seconds between checkpoints in this browser's storage; default 0: none
  about?: object;                    // kept with them,
  picture?: object | null;           // and the last sample,
  losses?: number[];                 // as are the losses of earlier steps
  onKept?: (k: { step: number; problem: string | null }) => void;
}

/** The variational bound of one picture under the model that is loaded, with the variance σ² of its scheduler. */
export interface LikelihoodOptions {
  image: Float32Array;               // the model's [C, H, W]; bytes v as v/127.5 − 1
  timesteps?: number;                // how many of the T are visited; default 0, all
  seed?: number;                     // default 0
  class?: number | null;             // null: any
  values?: boolean;                  // onTerm is given each value's part; default false
  onTerm?: (term: BoundTerm & { values?: Float64Array }) => void | Promise<void>;   // L_T first, then L_{t−1} from the noisiest t down
}
/**
 * L_{t−1}, summed over the picture: L_0 at t = 1, L_T at t = T + 1. `weight` timesteps are represented by this one. `values` are five
 * numbers for each value of the picture, but for L_T: mean and variance of q(x_{t−1} | x_t, x_0), those of p_θ(x_{t−1} | x_t), and nats.
 */
export interface BoundTerm { t: number; nats: number; bitsPerDim: number; weight: number }
export interface Likelihood {
  terms: BoundTerm[];                // as `onTerm` received them
  nats: number;                      // Σ weight·nats, at least −ln p(x_0) but for the noise that was drawn
  bitsPerDim: number;
  estimate: boolean;                 // some timesteps were not visited: the sum is unbiased, not whole
  seconds: number;
}

/** The reverse chain over the paper's schedule with the closed form of a few pictures in the network's place. */
export interface IdealDenoiserOptions {
  images: Float32Array;              // [N, C, H, W] in [−1, 1], all the pictures there are
  shape: Shape;
  sampler?: string;                  // as in generate
  steps?: number;                    // default the Sampler's
  seed?: number;
  count?: number;                    // default 1
  tensor?: boolean;                  // onStep is given the state itself, which solvers in σ-space hold σ-fold; default false
  /** Frames as in generate, and the closed form's x̂_0 as `x0`. */
  onStep?: (s: { step: number; steps: number; t: number; tNext: number; xt: Uint8ClampedArray; x0: Uint8ClampedArray;
    count: number; height: number; width: number; sample?: Float32Array }) => void | Promise<void>;
}
export interface IdealDenoiserSamples { sample: Float32Array; shape: Shape; steps: number; seconds: number }

export interface DistanceOptions {
  images: Float32Array;              // [N, C, H, W], C, H and W as the model's
  timesteps: number[];               // 1…T
  seed?: number;
  class?: number | null;
  onTerm?: (d: Distance) => void | Promise<void>;
}
/** Root mean square of ε_θ(x_t, t) − ε*(x_t, t) over one x_t of each picture, ε* being the closed form's. */
export interface Distance { t: number; rmse: number }

declare global {
  interface Window { pollen: Pollen }
}
