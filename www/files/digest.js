// SHA-256, as `sha256sum` gives it.

/**
 * In hexadecimal, by the browser; nothing where it keeps that from the page, as it does from one that came over plain HTTP.
 * @param {BufferSource} bytes
 */
export async function sha256(bytes) {
  if (!crypto.subtle) return null;
  return Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
