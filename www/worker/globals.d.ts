/** Of Workers alone, so that TypeScript's types of a page lack it. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}
