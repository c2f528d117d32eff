import { Webhook as Signer } from 'standardwebhooks';
import type { Group } from '../groups/group.ts';
import { COMMAND, type Webhook } from './webhook.ts';

/**
 * What a program is told of a message, signed as Standard Webhooks has it (standardwebhooks.com, spec 1.0).
 * @param messageJson the message as docs/wire.md has it
 * @param deliveryId the same for every attempt, so that the program can tell a second one
 */
export function deliveryRequest(
  { trigger, secret }: Webhook,
  group: Group,
  messageJson: string,
  deliveryId: number,
  sentAt = new Date(),
): { headers: Record<string, string>; body: string } {
  const message: { content: string } = JSON.parse(messageJson);
  const command = COMMAND.exec(message.content)?.[0];
  const body = JSON.stringify({
    type: `message.${trigger}`,
    timestamp: sentAt.toISOString(),
    data: {
      ...(trigger === 'command' && { command, text: message.content.slice(command?.length).trim() }),
      group: { id: group.id, name: group.name },
      message,
    },
  });
  const id = `delivery_${deliveryId}`;
  const headers = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'user-agent': 'Hearth',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1000)),
    'webhook-signature': new Signer(secret).sign(id, sentAt, body),
  };
  return { headers, body };
}
