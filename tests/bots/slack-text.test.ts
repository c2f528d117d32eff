import assert from 'node:assert/strict';
import test from 'node:test';
import { fromSlack } from '../../src/bots/slack-text.ts';

test('what is written for Slack reads the same here', () => {
  const texts: [slack: string, markdown: string][] = [
    ['plain text', 'plain text'],
    ['a *bold* word, *two of them* and 2*3*4', 'a **bold** word, **two of them** and 2*3*4'],
    ['~gone~ but a~b~c', '~~gone~~ but a~b~c'],
    ['_leaning_', '_leaning_'],
    ['<https://example.org/a?b=1&amp;c=2>', 'https://example.org/a?b=1&c=2'],
    ['see <https://example.org|the page>.', 'see [the page](https://example.org).'],
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
