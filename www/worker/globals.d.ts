/** Of Workers alone, so that TypeScript's types of a page lack it. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

/** Of WebGPU, which TypeScript's types have no values of. */
declare const GPUBufferUsage: Record<'UNIFORM' | 'STORAGE' | 'COPY_SRC' | 'COPY_DST' | 'MAP_READ' | 'QUERY_RESOLVE', number>;
declare const GPUMapMode: Record<'READ' | 'WRITE', number>;
