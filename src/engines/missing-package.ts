import { createRequire } from 'node:module';

/** The first of these optional packages that is not installed. */
export function missingPackage(names: readonly string[]): string | undefined {
  const { resolve } = createRequire(import.meta.url);
  return names.find((name) => {
    try {
      resolve(name);
      return false;
    } catch {
      return true;
    }
  });
}
