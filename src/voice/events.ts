import { eventType } from '../bus/bus.ts';

/** The transcript of a recording, or its state, has changed. `seq` is null for an unsent recording. */
export const transcriptWritten = eventType<{
  fileId: string;
  accountId: number;
  groupId: number;
  seq: number | null;
}>('voice.transcript-written');

/** Progress of a transcription: `share` of the recording, from 0 to 1, is done. */
export const transcriptProgressed = eventType<{
  fileId: string;
  accountId: number;
  groupId: number;
  seq: number | null;
  share: number;
}>('voice.transcript-progressed');
