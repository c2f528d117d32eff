import { Router } from 'express';
import type { Admission } from '../accounts/admission.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import type { SignInDependencies } from '../api/sign-in.ts';
import type { Context } from '../context.ts';
import type { OpenGroup } from '../groups/access.ts';
import { allowOrigins } from '../http/cors.ts';
import type { InvitationStore } from '../invitations/store.ts';
import { type BoundOperation, operationNamed } from '../operations/define.ts';
import { chatsphereRoutes } from './chatsphere.ts';
import { ChatsphereSockets } from './chatsphere-socket.ts';
import { chatterboxRoutes } from './chatterbox.ts';
import { type PlainSocketDependencies, PlainSockets } from './plain-sockets.ts';
import { type SecureChatDemoDependencies, secureChatDemoRoutes } from './secure-chat-demo.ts';

/** The clients of other chats: Chatterbox, Secure Chat Demo and ChatSphere. */
export function installOtherClients(
  context: Context &
    SignInDependencies &
    Omit<PlainSocketDependencies, 'send' | 'join'> &
    Omit<SecureChatDemoDependencies, 'ownOperations'> & { invitations: InvitationStore },
  admission: Admission,
  conversationOperations: readonly BoundOperation<OpenGroup>[],
  ownOperations: readonly BoundOperation<SignedIn>[],
) {
  const { adminUsername, corsOrigins } = context.config;
  const forPages = allowOrigins(corsOrigins);
  const send = operationNamed(conversationOperations, 'send');
  const { socketIo } = new ChatsphereSockets({ ...context, send });
  context.atStop(() => socketIo.close());
  return {
    chatterbox: Router()
      .options(['/register', '/login'], forPages)
      .post(['/register', '/login'], forPages)
      .use(chatterboxRoutes({ ...context, adminUsername, admission })),
    secureChatDemo: secureChatDemoRoutes({ ...context, ownOperations }),
    chatsphere: Router()
      .options(['/registry', '/login', '/chat', '/invitations', '/messages'], forPages)
      .use(['/registry', '/login', '/chat', '/invitations', '/messages'], forPages)
      .use(chatsphereRoutes({ ...context, adminUsername, admission, ownOperations })),
    socketIo,
    plain: new PlainSockets({
      ...context,
      send,
      join: operationNamed(ownOperations, 'join'),
    }),
  };
}
