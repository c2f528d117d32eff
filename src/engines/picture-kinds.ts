/** What each kind begins with. Only these are decoded here: everything else is a file to download. */
const SIGNATURES: readonly RegExp[] = [
  /^\xff\xd8\xff/,
  /^\x89PNG/,
  /^GIF8[79]a/,
  /^RIFF[\s\S]{4}WEBP/,
  /^[\s\S]{4}ftyp(?:avi[fs]|hei[cfsmx]|hev[cmsx]|mif1|msf1)/,
];

export function isPicture(beginning: Uint8Array): boolean {
  const text = Buffer.from(beginning.subarray(0, 16)).toString('latin1');
  return SIGNATURES.some((signature) => signature.test(text));
}
