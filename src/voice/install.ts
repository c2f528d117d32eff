import type { Express } from 'express';
import type { AccountStore } from '../accounts/store.ts';
import type { Context } from '../context.ts';
import { createAudioConverter } from '../engines/audio/convert.ts';
import type { SpeechEngine } from '../engines/speech/engine.ts';
import type { BlobStore } from '../files/blob-store.ts';
import type { FileStore } from '../files/store.ts';
import type { ReadUpload } from '../files/upload.ts';
import type { GroupPresenter } from '../groups/present.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import type { GroupStore } from '../groups/store.ts';
import type { Hub } from '../live/hub.ts';
import type { TextRenderer } from '../messages/render.ts';
import type { MessageStore } from '../messages/store.ts';
import type { MessageWriter } from '../messages/writer.ts';
import { bindOperations } from '../operations/define.ts';
import { receiveCallbacks } from './callbacks.ts';
import { pushTranscripts } from './live.ts';
import { voiceOperations } from './operations.ts';
import { TranscriptionQueue } from './queue.ts';
import { createReceiveRecording } from './receive-recording.ts';
import { createRecorder } from './record.ts';
import { voiceRoutes } from './routes.ts';
import type { TranscriptionStore } from './store.ts';

type Needs = {
  hub: Hub;
  accounts: AccountStore;
  groups: GroupStore;
  groupPresenter: GroupPresenter;
  page: SidebarPage;
  files: FileStore;
  blobs: BlobStore;
  readUpload: ReadUpload;
  messages: MessageStore;
  texts: TextRenderer;
  writer: MessageWriter;
  transcriptions: TranscriptionStore;
  /** Undefined when no speech engine is configured. */
  engine: SpeechEngine | undefined;
};

/** Voice messages, and their text. */
export function installVoice(context: Context & Needs) {
  const { config, log, engine, limits, report, atStop } = context;
  const converter = createAudioConverter(report);
  if (converter.missing) log.warn({ missing: converter.missing }, 'no voice messages can be taken');
  atStop(() => converter.close());
  const forget = async (fileId: string) => engine?.forget?.(fileId).catch(report);
  const queue = new TranscriptionQueue({ ...context, forget });
  atStop(() => queue.stop());
  context.metrics.watch('hearth_recordings_waiting', 'Recordings that wait for their text.', () =>
    context.transcriptions.countOpen(),
  );
  const wake = () => queue.wake();
  const recorder = createRecorder({ ...context, converter, wake });
  const receiveRecording = createReceiveRecording({ ...context, recorder });
  pushTranscripts(context);
  const operations = bindOperations(voiceOperations, { ...context, forget, wake }, limits);
  return {
    voiceOperations: operations,
    receiveRecording,
    voiceRoutes: voiceRoutes({ ...context, forget, receiveRecording, operations }),
    /** Adds the route for transcripts from an external function, which has no account or session. */
    receiveCallbacks: (app: Express) =>
      receiveCallbacks(app, { ...context, forget, sharedSecret: config.sharedSecret }),
  };
}
