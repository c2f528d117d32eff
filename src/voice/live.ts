import type { Subscribe } from '../bus/bus.ts';
import type { FileStore } from '../files/store.ts';
import { groupTopic } from '../groups/live.ts';
import { factText } from '../live/frames.ts';
import { type Hub, personalTopic } from '../live/hub.ts';
import { transcriptText } from '../recordings/recording.ts';
import { transcriptProgressed, transcriptWritten } from './events.ts';

/**
 * Pushes the progress of a transcription: to the group of its message, or to the owner of an unsent recording, who
 * also receives the transcript. A sent message is pushed by its own event.
 */
export function pushTranscripts({
  hub,
  files,
  subscribe,
  report,
}: {
  hub: Hub;
  files: FileStore;
  subscribe: Subscribe;
  /** Hears of what failed in the background. */
  report(error: unknown): void;
}): void {
  subscribe(transcriptProgressed, ({ fileId, accountId, groupId, seq, share }) => {
    const topic = seq === null ? personalTopic(accountId) : groupTopic(groupId);
    const percent = Math.round(share * 100);
    hub.publish(topic, ({ protocol }) => factText(protocol, 'transcribing', { file: fileId, percent }));
  });
  subscribe(transcriptWritten, ({ fileId, accountId, groupId, seq }) => {
    if (seq === null) tellOwner(fileId, accountId, groupId).catch(report);
  });

  async function tellOwner(fileId: string, accountId: number, groupId: number): Promise<void> {
    const voice = (await files.byId(fileId))?.voice;
    if (!voice) return;
    const { transcript } = voice;
    const fact = { file: fileId, groupId, transcript, text: transcriptText(voice) };
    hub.publish(personalTopic(accountId), ({ protocol }) => factText(protocol, 'transcribed', fact));
  }
}
