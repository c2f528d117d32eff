import { type Request, Router } from 'express';
import { accountOf, signedInOf } from '../accounts/access.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import type { SpeechEngine } from '../engines/speech/engine.ts';
import { LANGUAGES } from '../engines/speech/languages.ts';
import type { ChatError } from '../errors.ts';
import { openRecording } from '../files/access.ts';
import { shownFile } from '../files/present.ts';
import { type OpenGroup, openGroup } from '../groups/access.ts';
import { refuseWriting } from '../groups/policies.ts';
import type { GroupPresenter } from '../groups/present.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import type { GroupStore } from '../groups/store.ts';
import { onRefusal } from '../http/failures.ts';
import { formsOf } from '../http/forms.ts';
import { numberInPath, seeOther, wantsFragment } from '../http/request.ts';
import { sendHtml, type Views } from '../http/views.ts';
import type { Limits } from '../limits.ts';
import { SEND_RATE, type SendDependencies, sendMessage } from '../messages/send.ts';
import type { MessageStore } from '../messages/store.ts';
import type { BoundOperation } from '../operations/define.ts';
import { transcriptText } from '../recordings/recording.ts';
import type { ReceiveRecording } from './receive-recording.ts';
import type { WriteDependencies } from './write.ts';

type Dependencies = WriteDependencies &
  SendDependencies & {
    views: Views;
    page: SidebarPage;
    groups: GroupStore;
    groupPresenter: GroupPresenter;
    messages: MessageStore;
    receiveRecording: ReceiveRecording;
    /** Undefined when no speech engine is configured. */
    engine: SpeechEngine | undefined;
    limits: Limits;
    operations: readonly BoundOperation<SignedIn>[];
  };

/** Recordings: sent at once, or turned into text first. */
export function voiceRoutes(dependencies: Dependencies): Router {
  const { views, page, groups, groupPresenter, files, engine } = dependencies;
  const sending = dependencies.limits.of(SEND_RATE);

  /** The form for browsers that record nothing themselves. */
  async function recordPage(request: Request, open: OpenGroup, error?: ChatError, kept?: string) {
    const group = await groupPresenter.named(open.group, open.account.id);
    const thread = Number(request.query.thread ?? request.body?.thread) || null;
    const context = {
      group,
      thread,
      hasSpeech: engine !== undefined,
      languages: LANGUAGES,
      chosenLanguage: String(request.body?.language ?? ''),
      error: error ?? null,
      kept: kept ?? null,
    };
    return page(request, 'voice/record.njk', context, { openGroupId: group.id });
  }

  return Router()
    .get('/groups/:id/voice', async (request, response) => {
      const open = await openGroup(groups, accountOf(request), numberInPath(request, 'id'));
      const refusal = refuseWriting(open);
      if (refusal) throw refusal;
      sendHtml(response, await recordPage(request, open));
    })
    .post('/groups/:id/voice', async (request, response) => {
      const open = await openGroup(groups, accountOf(request), numberInPath(request, 'id'));
      let kept: string | undefined;
      onRefusal(response, (error) => recordPage(request, open, error, kept));
      const { file, form } = await dependencies.receiveRecording(request, response, open);
      const { way, replyTo, thread } = form;
      const { account } = open;
      if (wantsFragment(request))
        return sendHtml(response, views.render('files/_chosen.njk', { file: shownFile(file) }), 201);
      const place = thread ? `/groups/${open.group.id}/threads/${thread}` : `/groups/${open.group.id}`;
      kept = file.id;
      if (way === 'text') return seeOther(response, `${place}?voice=${file.id}#content`);
      await sending.consume(String(account.id));
      const message = { content: '', files: [file.id], replyTo };
      const sent = await sendMessage(dependencies, open, message);
      seeOther(response, `${place}#message-${sent.seq}`);
    })
    .get('/media/:fileId/transcript', async (request, response) => {
      const { fileId } = request.params;
      const { voice } = await openRecording({ files, groups }, accountOf(request), fileId.toLowerCase());
      response.set('Cache-Control', 'no-store').json({
        transcript: voice.transcript,
        length: voice.length,
        text: transcriptText(voice),
        words: voice.words.map(([text, start]) => ({ text, start })),
      });
    })
    .use(
      formsOf(dependencies.operations, {
        targetOf: signedInOf,
        inputOf: ({ body, params }) => ({ ...body, ...params }),
        next: (request, _target, _operation, { groupId, seq }) =>
          seq === undefined
            ? `/groups/${groupId}?voice=${request.params.fileId}#content`
            : `/groups/${groupId}?around=${seq}#message-${seq}`,
      }),
    );
}
