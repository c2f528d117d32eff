/** A UUIDv7: it begins with the time, which keeps the server's index in order (RFC 9562, 5.7). */
export function uuid() {
  // crypto.randomUUID is for secure contexts only, and plain HTTP on a network is not one.
  const bytes = new DataView(crypto.getRandomValues(new Uint8Array(16)).buffer);
  const random = bytes.getUint16(6);
  bytes.setBigUint64(0, BigInt(Date.now()) << 16n);
  bytes.setUint16(6, 0x7000 | (random & 0x0fff));
  bytes.setUint8(8, (bytes.getUint8(8) & 0x3f) | 0x80);
  const hex =
    bytes.getBigUint64(0).toString(16).padStart(16, '0') +
    bytes.getBigUint64(8).toString(16).padStart(16, '0');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
