/** Whether a file is a TIFF, as the raw pictures of most cameras are; those of Olympus and Panasonic have a mark of their own. */
export function isTiff(beginning: Buffer): boolean {
  return /^(?:II\*\0|MM\0\*|IIR[OS]|MMOR|IIU\0)/.test(beginning.toString('latin1', 0, 4));
}

/** Tags that lead to further directories: pictures in pictures, and EXIF (TIFF 6.0; TIFF Technical Note 1; EXIF 2.32, 4.6.3). */
const DIRECTORIES = new Set([0x14a, 0x8769]);
const GPS_DIRECTORY = 0x8825;
/** Tags to clear: artist, XMP, IPTC, Photoshop, camera owner, and serial numbers of camera and lens. */
const PRIVATE_TAGS = new Set([0x13b, 0x2bc, 0x83bb, 0x8649, 0xa430, 0xa431, 0xa435, 0xc62f]);
/** How many bytes a value of each type has (TIFF 6.0, section 2). */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];
/** More directories, entries of one, or pointers to directories are no picture or scan, and would take long. */
const MAX_DIRECTORIES = 2_000;
const MAX_ENTRIES = 2_000;
const MAX_POINTERS = 20_000;

type Directory = { at: number; isGps: boolean; isPage: boolean };

/**
 * Overwrites private values with zeros in place, so that no offset changes.
 * @returns undefined for more directories or private values than any picture has
 */
export function stripTiff(original: Buffer): Buffer | undefined {
  const bytes = Buffer.from(original);
  const isLittle = bytes.toString('latin1', 0, 2) === 'II';
  const read = (at: number, size: 2 | 4) =>
    at + size > bytes.length ? 0 : isLittle ? bytes.readUIntLE(at, size) : bytes.readUIntBE(at, size);
  let cleared = 0;
  const clear = (from: number, to: number) => {
    cleared += Math.max(0, Math.min(to, bytes.length) - from);
    if (cleared <= bytes.length) bytes.fill(0, Math.min(from, bytes.length), Math.min(to, bytes.length));
  };
  const directories: Directory[] = [{ at: read(4, 4), isGps: false, isPage: true }];
  const seen = new Set<number>();
  for (const { at, isGps, isPage } of directories) {
    if (at === 0 || seen.has(at)) continue;
    seen.add(at);
    const count = read(at, 2);
    const end = at + 2 + 12 * count;
    const lastEntry = at + 2 + 12 * Math.min(count, MAX_ENTRIES);
    for (let entry = at + 2; entry < lastEntry && entry + 12 <= bytes.length; entry += 12) {
      const tag = read(entry, 2);
      const values = read(entry + 4, 4);
      const size = values * (TYPE_BYTES[read(entry + 2, 2)] ?? 0);
      const from = size > 4 ? read(entry + 8, 4) : entry + 8;
      if (tag === GPS_DIRECTORY) directories.push({ at: read(entry + 8, 4), isGps: true, isPage: false });
      else if (DIRECTORIES.has(tag))
        for (let index = 0; index < Math.min(values, MAX_DIRECTORIES); index++)
          directories.push({ at: read(from + 4 * index, 4), isGps: false, isPage: false });
      if (isGps || PRIVATE_TAGS.has(tag)) clear(from, from + size);
      const isTooMuch = seen.size > MAX_DIRECTORIES || directories.length > MAX_POINTERS;
      if (isTooMuch || cleared > bytes.length) return undefined;
    }
    // Pages follow each other; behind any other directory there may be anything.
    if (isPage) directories.push({ at: read(end, 4), isGps: false, isPage });
    // Clear the GPS directory itself too: its entry count becomes 0.
    if (isGps) clear(at, end);
  }
  return bytes;
}
