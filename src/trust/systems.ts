/** The systems for which the steps are said. */
export type System = 'android' | 'ios' | 'windows' | 'macos' | 'linux';

/** The system that a browser says it runs on, so that its steps are open. iPads say that they are Macs. */
export function systemOf(userAgent: string | undefined): System {
  const text = userAgent ?? '';
  if (/Android/.test(text)) return 'android';
  if (/iPhone|iPad|iPod/.test(text)) return 'ios';
  if (/Windows/.test(text)) return 'windows';
  return /Macintosh|Mac OS X/.test(text) ? 'macos' : 'linux';
}
