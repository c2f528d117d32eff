import type { BlobStore, OldBlob } from './blob-store.ts';
import type { FileStore } from './store.ts';

/** Age after which unsent uploads, partial files, and files without a database row are deleted. */
const UNSENT_MS = 24 * 3_600_000;
const SWEEP_INTERVAL_MS = 3_600_000;
const BATCH = 200;

/** Sweeps now, and then every hour. */
export function startSweep(
  stores: { files: FileStore; blobs: BlobStore },
  report: (error: unknown) => void,
): { stop(): Promise<void> } {
  let running = sweep(stores).catch(report);
  const timer = setInterval(() => {
    running = sweep(stores).catch(report);
  }, SWEEP_INTERVAL_MS);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}

export async function sweep(
  { files, blobs }: { files: FileStore; blobs: BlobStore },
  now = Date.now(),
): Promise<void> {
  const before = now - UNSENT_MS;
  for (let ids = await files.unsentBefore(before, BATCH); ids.length > 0; ) {
    for (const id of ids) if (await files.removeUnsent(id)) await blobs.remove(id);
    ids = await files.unsentBefore(before, BATCH);
  }
  let batch: OldBlob[] = [];
  const removeUnknown = async () => {
    const storedIds = await files.existing(batch.map((file) => file.id));
    for (const blob of batch) if (!storedIds.has(blob.id) || blob.isUnfinished) await blob.remove();
    batch = [];
  };
  for await (const blob of blobs.olderThan(before)) {
    batch.push(blob);
    if (batch.length >= BATCH) await removeUnknown();
  }
  if (batch.length > 0) await removeUnknown();
}
