import { LANGUAGES, languageName } from '../engines/speech/languages.ts';
import type { Context } from '../http/views.ts';
import { transcriptText, type Voice } from './recording.ts';

/** The waveform is drawn in a box of this many units: bars of 2, 4 apart. */
const WAVE_HEIGHT = 32;
const BAR_EVERY = 4;
const SHORTEST_BAR = 3;

/** A recording as templates take it. */
export function shownVoice({ length, peaks, transcript, words, ...voice }: Voice): Context {
  return {
    seconds: length.toFixed(2),
    length: clock(length),
    /** An SVG path of one stroke a bar. */
    wave: peaks
      .map((peak, index) => {
        const height = Math.max(SHORTEST_BAR, (peak / 100) * WAVE_HEIGHT);
        const top = Math.round((WAVE_HEIGHT - height) * 5) / 10;
        return `M${index * BAR_EVERY + 2} ${top}v${Math.round(height * 10) / 10}`;
      })
      .join(''),
    waveWidth: peaks.length * BAR_EVERY,
    waveHeight: WAVE_HEIGHT,
    transcript,
    /** What can be said of its language. */
    languages: LANGUAGES,
    saidLanguage: voice.language ?? '',
    language: voice.language && voice.language !== 'none' ? languageName(voice.language) : '',
    isTyped: voice.isTyped === true,
    text: transcriptText({ length, peaks, transcript, words, ...voice }),
  };
}

/** A length as players show it: 0:07, 4:59. */
export function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
