import { Router } from 'express';
import type { Admission } from '../accounts/admission.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import type { SignInDependencies } from '../api/sign-in.ts';
import type { Context } from '../context.ts';
import type { OpenGroup } from '../groups/access.ts';
import { allowOrigins } from '../http/cors.ts';
import { type BoundOperation, operationNamed } from '../operations/define.ts';
import { chatterboxRoutes } from './chatterbox.ts';
import { type PlainSocketDependencies, PlainSockets } from './plain-sockets.ts';
import { type SecureChatDemoDependencies, secureChatDemoRoutes } from './secure-chat-demo.ts';

/** The clients of other chats, which work unchanged: Chatterbox and Secure Chat Demo. */
export function installOtherClients(
  context: Context &
    SignInDependencies &
    Omit<PlainSocketDependencies, 'send' | 'join'> &
    Omit<SecureChatDemoDependencies, 'ownOperations'>,
  admission: Admission,
  conversationOperations: readonly BoundOperation<OpenGroup>[],
  ownOperations: readonly BoundOperation<SignedIn>[],
) {
  const { adminUsername, corsOrigins } = context.config;
  const forPages = allowOrigins(corsOrigins);
  return {
    chatterbox: Router()
      .options(['/register', '/login'], forPages)
      .post(['/register', '/login'], forPages)
      .use(chatterboxRoutes({ ...context, adminUsername, admission })),
    secureChatDemo: secureChatDemoRoutes({ ...context, ownOperations }),
    plain: new PlainSockets({
      ...context,
      send: operationNamed(conversationOperations, 'send'),
      join: operationNamed(ownOperations, 'join'),
    }),
  };
}
