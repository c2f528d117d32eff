import { eventType } from '../bus/bus.ts';

/** A recording became text, or it is known now that it does not. `seq` is null for one that is not sent yet. */
export const transcriptWritten = eventType<{
  fileId: string;
  accountId: number;
  groupId: number;
  seq: number | null;
}>('voice.transcript-written');

/** A part of a recording, from 0 to 1, has been listened to. */
export const transcriptProgressed = eventType<{
  fileId: string;
  accountId: number;
  groupId: number;
  seq: number | null;
  share: number;
}>('voice.transcript-progressed');
