import assert from 'node:assert/strict';
import test from 'node:test';
import { readPayload } from '../../src/bots/payload.ts';
import { fromSlack } from '../../src/bots/slack-text.ts';

test('what is written for Slack reads the same here', () => {
  const texts: [slack: string, markdown: string][] = [
    ['plain text', 'plain text'],
    ['a *bold* word, *two of them* and 2*3*4', 'a **bold** word, **two of them** and 2*3*4'],
    ['~gone~ but a~b~c', '~~gone~~ but a~b~c'],
    ['_leaning_', '_leaning_'],
    ['<https://example.org/a?b=1&amp;c=2>', 'https://example.org/a?b=1&c=2'],
    ['see <https://example.org|the page>.', 'see [the page](https://example.org).'],
    [
      '<https://example.org|a](https://evil.example) \\[b>',
      '[a\\](https://evil.example) \\\\\\[b](https://example.org)',
    ],
    ['<https://example.org/x)(y|a>', '[a](https://example.org/x%29%28y)'],
    ['<mailto:a@example.org|a@example.org>', '[a@example.org](mailto:a@example.org)'],
    ['<!channel> and <!here|here>: look', '@all and @all: look'],
    ['in <#C024BE7LR|general> by <@U024BE7LH|ada>', 'in general by ada'],
    ['1 &lt; 2 &amp;&amp; 3 &gt; 2', '1 < 2 && 3 > 2'],
    ['`*not bold* &amp; <https://a.b|c>`', '`*not bold* & <https://a.b|c>`'],
    ['```\n*x* ~y~\n```', '```\n*x* ~y~\n```'],
    ['** and * and *', '** and * and *'],
    ['*Build* of *main*\n*failed*', '**Build** of **main**\n**failed**'],
  ];
  for (const [slack, markdown] of texts) assert.equal(fromSlack(slack), markdown);
});

test('attachments and blocks are read for their words, whatever else is in them', () => {
  const posts: [payload: object, content: string][] = [
    [
      {
        attachments: [
          {
            ...{
              author_name: 'Grafana',
              author_link: 'https://example.org',
              title: 'Disk full',
              color: 'danger',
            },
            fields: [{ title: 'Host', value: 'db1', short: true }, { title: 'Use' }, null, 7],
            footer: 'v9',
          },
        ],
      },
      '[Grafana](https://example.org)\n**Disk full**\n**Host:** db1\n**Use:**\nv9',
    ],
    [{ attachments: [{ fields: [{ title: 'Only', value: 'fields' }] }] }, '**Only:** fields'],
    [{ attachments: [{ fallback: 'in short', ts: 1 }] }, 'in short'],
    [{ text: 'beside', attachments: null }, 'beside'],
    [{ text: 'beside', attachments: [null, {}] }, 'beside'],
    [{ text: null, attachments: [{ text: 'attached' }] }, 'attached'],
    [
      {
        text: 'for notifications',
        blocks: [
          { type: 'header', text: { type: 'plain_text', text: 'Deployed' } },
          { type: 'divider' },
          {
            type: 'section',
            text: { type: 'mrkdwn', text: 'to *production*' },
            fields: [{ type: 'mrkdwn', text: '*By:* ada' }],
          },
          { type: 'context', elements: [{ type: 'mrkdwn', text: 'at 10:00' }, { type: 'image' }] },
          {
            type: 'actions',
            elements: [
              { type: 'button', text: { type: 'plain_text', text: 'Open' }, url: 'https://example.org' },
            ],
          },
          { type: 'image', alt_text: 'A graph', image_url: 'https://example.org/g.png' },
        ],
      },
      '**Deployed**\nto **production**\n**By:** ada\nat 10:00\n[Open](https://example.org)\n[A graph](https://example.org/g.png)',
    ],
    [{ attachments: [{ blocks: [{ type: 'section', text: { text: 'within' } }] }] }, 'within'],
    [
      {
        text: 'for notifications',
        blocks: [
          { type: 'header', text: { text: 'Incident' } },
          {
            type: 'rich_text',
            elements: [
              {
                type: 'rich_text_section',
                elements: [
                  { type: 'text', text: 'db1 is ' },
                  { type: 'link', url: 'https://example.org', text: 'down' },
                ],
              },
              {
                type: 'rich_text_list',
                elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text: 'one' }] }],
              },
            ],
          },
          {
            type: 'section',
            text: { text: 'see' },
            accessory: { type: 'button', text: { text: 'Runbook' }, url: 'https://example.org/r' },
          },
          { type: 'actions', elements: [{ type: 'button', text: { text: 'Approve' } }] },
        ],
      },
      '**Incident**\ndb1 is [down](https://example.org)\none\nsee\n[Runbook](https://example.org/r)',
    ],
    [
      {
        attachments: [
          {
            text: 'failed',
            actions: [
              { type: 'button', text: 'Open', url: 'https://example.org' },
              { type: 'button', text: 'Mute' },
            ],
          },
        ],
      },
      'failed\n[Open](https://example.org)',
    ],
    [{ text: 'shown', blocks: [{ type: 'divider' }] }, 'shown'],
  ];
  for (const [payload, content] of posts)
    assert.equal(readPayload(JSON.stringify(payload), 'application/json').content, content);
  for (const payload of [{}, { blocks: [] }, { text: null, attachments: [null] }, { text: 7 }])
    assert.throws(() => readPayload(JSON.stringify(payload), 'application/json'), { status: 400 });
});
