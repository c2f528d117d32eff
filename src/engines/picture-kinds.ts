/** What each kind begins with. Only these are decoded here: everything else is a file to download. */
const SIGNATURES: readonly RegExp[] = [
  /^\xff\xd8\xff/,
  /^\x89PNG/,
  /^GIF8[79]a/,
  /^RIFF[\s\S]{4}WEBP/,
  /^[\s\S]{4}ftyp(?:avi[fs]|hei[cfsmx]|hev[cmsx]|mif1|msf1)/,
];

/** Pictures that nothing here looks into: BigTIFF, JPEG XL, JPEG 2000, and raw pictures of Fujifilm and Canon. */
const UNKNOWN =
  /^(?:II\+\0|MM\0\+|\xff\n|\0\0\0\f(?:JXL |jP {2})|\xff\x4f\xff\x51|FUJIFILMCCD-RAW|[\s\S]{4}ftypcrx )/;

/** Whether a file is a picture whose metadata cannot be removed. @param beginning its first 16 bytes or more */
export function isUnknownPicture(beginning: Uint8Array): boolean {
  return UNKNOWN.test(Buffer.from(beginning.subarray(0, 16)).toString('latin1'));
}

export function isPicture(beginning: Uint8Array): boolean {
  const text = Buffer.from(beginning.subarray(0, 16)).toString('latin1');
  return SIGNATURES.some((signature) => signature.test(text));
}

/** What is not read in strips is read as a whole: with so many pixels it takes half a gigabyte. */
const MAX_WHOLE_PIXELS = 100_000_000;
/** Formats that are read in strips, unless they are progressive or interlaced. */
const IN_STRIPS = new Set(['jpeg', 'png', 'tiff']);

/** Whether decoding a picture takes more memory than it should, by what it says of itself. */
export function takesTooMuchMemory({
  format = '',
  isProgressive = false,
  width = 0,
  height = 0,
}: {
  format?: string;
  isProgressive?: boolean;
  width?: number;
  height?: number;
}): boolean {
  const isReadAsWhole = !IN_STRIPS.has(format) || isProgressive;
  return isReadAsWhole && width * height > MAX_WHOLE_PIXELS;
}
