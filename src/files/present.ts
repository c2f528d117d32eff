import type { Context } from '../http/views.ts';
import { shownVoice } from '../recordings/present.ts';
import { type Attachment, inWords, kindOf } from './file.ts';

/** A picture stands in a message at most this large, in CSS pixels. */
const SHOWN_WIDTH = 420;
const SHOWN_HEIGHT = 320;
const MIN_SHOWN_PIXELS = 48;

/** Template data of a file. For a picture it has the display size, so that the page reserves its space. */
export function shownFile(file: Attachment): Context {
  const { width, height } = file;
  const scale = width && height ? Math.min(1, SHOWN_WIDTH / width, SHOWN_HEIGHT / height) : undefined;
  return {
    id: file.id,
    name: file.name,
    kind: kindOf(file),
    ending: /\.([^.]{1,5})$/.exec(file.name)?.[1]?.toUpperCase() ?? 'FILE',
    size: inWords(file.size),
    shownWidth: scale && width ? Math.max(MIN_SHOWN_PIXELS, Math.round(width * scale)) : null,
    shownHeight: scale && height ? Math.max(MIN_SHOWN_PIXELS, Math.round(height * scale)) : null,
    voice: file.voice ? shownVoice(file.voice) : null,
  };
}
