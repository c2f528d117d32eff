import assert from 'node:assert/strict';
import test from 'node:test';
import { joinGroup, openBrowser, personAt, recordFor, say, untilRecorded } from '../support/browser.ts';
import { startHearth } from '../support/hearth.ts';
import { MICROPHONE, SPOKEN } from '../support/speech.ts';
import { until } from '../support/until.ts';

/** Twice the sentence: once of it is whole, wherever the microphone began. */
const LISTEN_SECONDS = 7;
const TEXT_MS = 100_000;
/** How the sentence goes, wherever the recording began in it. */
const HEARD = /carried away by monkeys/i;

test('from the button to the transcript in a second browser, and a search hit that seeks the player', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t, SPOKEN);
  const ada = await personAt(browser, hearth.url, 'ada');
  const jo = await personAt(browser, hearth.url, 'joe', { viewport: { width: 390, height: 844 } });
  await joinGroup(ada.page, 'General');
  await joinGroup(jo.page, 'General');

  // A press stays: the recorder takes the place of the composer's foot, with its time and its level.
  await recordFor(ada.page, LISTEN_SECONDS);
  const recorder = ada.page.getByRole('group', { name: 'Recording' });
  await recorder.getByRole('button', { name: 'Pause' }).click();
  const paused = await recorder.getByRole('timer').innerText();
  await ada.page.waitForTimeout(1_200);
  assert.equal(await recorder.getByRole('timer').innerText(), paused);
  await recorder.getByRole('button', { name: 'Go on' }).click();
  await recorder.getByRole('button', { name: 'Send the recording' }).click();
  await recorder.waitFor({ state: 'hidden' });

  // The sound is there at once, the text follows, live, in the other browser.
  const voice = jo.page.locator('#messages .message', { has: jo.page.locator('[data-voice]') });
  await voice.waitFor();
  await voice.locator('[data-transcript]').waitFor({ timeout: TEXT_MS });
  assert.match(await voice.locator('[data-transcript]').innerText(), HEARD);
  assert.equal(await voice.getByText('Correct it').isVisible(), false, 'it is not his to correct');
  assert.equal(await ada.page.getByText('Correct it').isVisible(), true);

  // It sounds, faster if one likes, at the place that one chooses; a word leads to its second.
  await voice.getByRole('button', { name: 'Play' }).click();
  await voice.getByRole('button', { name: 'Pause' }).waitFor();
  await voice.getByRole('button', { name: 'Speed: 1×' }).click();
  await voice.getByRole('button', { name: 'Speed: 1.25×' }).waitFor();
  const position = () => voice.getByRole('slider', { name: 'Position' }).inputValue().then(Number);
  await voice.getByRole('button', { name: 'Pause' }).click();
  const word = voice.getByText(/^monkeys/i).first();
  const second = Number(await word.getAttribute('data-second'));
  await word.click();
  await voice.getByRole('button', { name: 'Pause' }).waitFor();
  await voice.getByRole('button', { name: 'Pause' }).click();
  assert.ok(Math.abs((await position()) - second) < 1.5, `${await position()} is about ${second}`);
  await voice.getByRole('slider', { name: 'Position' }).focus();
  await jo.page.keyboard.press('ArrowLeft');
  assert.equal(await position(), 0);

  // She sees that he has heard it.
  await ada.page.locator('.message').hover();
  await ada.page.getByRole('group', { name: 'Actions' }).getByRole('button', { name: 'More' }).click();
  await ada.page.locator('#sheet #played-title').waitFor();
  assert.match(await ada.page.locator('#sheet').innerText(), /Heard by\s+joe/);
  await ada.page.keyboard.press('Escape');

  // While it sounds it is corrected: it goes on, and the words are the new ones.
  await voice.getByRole('button', { name: 'Play' }).click();
  await ada.page.getByText('Correct it').click();
  await ada.page.getByLabel('Correct the transcript').fill('Carried away by little monkeys.');
  await ada.page.getByRole('button', { name: 'Save', exact: true }).click();
  await voice.getByText('little', { exact: true }).waitFor();
  assert.ok((await position()) > 0, 'the player stands where it stood');

  // The search leads to the second.
  const hit = jo.page.locator('.hit a');
  await until(async () => {
    await jo.page.goto(`${hearth.url}/search?q=monkeys`);
    return (await hit.count()) > 0;
  }, 'it is indexed');
  await hit.click();
  await voice.waitFor();
  const shown = Number(
    await voice
      .getByText(/^monkeys/i)
      .first()
      .getAttribute('data-second'),
  );
  assert.ok(shown > 0.3 && Math.abs((await position()) - shown) < 0.1);
  assert.deepEqual([...ada.complaints, ...jo.complaints], []);
});

test('dictation: the words land in the field, to be looked over and sent without the recording', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t, SPOKEN);
  const { page, complaints } = await personAt(browser, hearth.url, 'ada');
  await joinGroup(page, 'General');
  const field = page.locator('#content');
  await field.fill('Listen:');
  await page.getByRole('button', { name: 'Voice message' }).press('Enter');
  await untilRecorded(page, LISTEN_SECONDS);
  await page.getByRole('button', { name: 'Transcribe' }).click();
  const chosen = page.locator('.chosen.is-voice');
  await chosen.waitFor();
  await page.getByText('Look it over, then send.').waitFor({ timeout: TEXT_MS });
  const text = await field.inputValue();
  assert.match(text, /^Listen: /);
  assert.match(text, HEARD);
  await chosen.getByRole('button', { name: 'Play' }).click();
  await chosen.getByRole('button', { name: 'Pause' }).click();
  await field.press('Enter');
  const message = page.locator('#messages .message');
  await message.waitFor();
  assert.equal(await message.locator('.body').innerText(), text);
  assert.equal(await message.locator('[data-voice]').count(), 0);
  assert.equal(await chosen.count(), 0);

  // Held, and let go far away: as if nothing had been said. Held, and let go: it goes the way that was chosen last.
  const button = page.getByRole('button', { name: 'Voice message' });
  const box = await button.boundingBox();
  assert.ok(box);
  const hold = async (ms: number, away: number) => {
    await page.mouse.move(box.x + 10, box.y + 10);
    await page.mouse.down();
    await page.getByText(/^Let go (to send|for text), slide away to discard$/).waitFor();
    await page.waitForTimeout(ms);
    await page.mouse.move(box.x + 10, box.y - away, { steps: 4 });
    await page.mouse.up();
    await page.getByRole('group', { name: 'Recording' }).waitFor({ state: 'hidden' });
  };
  await hold(900, 200);
  await hold(2_000, 0);
  await chosen.waitFor();
  assert.equal(await chosen.count(), 1);
  await chosen.getByRole('button', { name: 'Remove the recording' }).click();

  // A second tab has the same draft; what was discarded is nowhere.
  await recordFor(page, 1);
  await page.getByRole('button', { name: 'Discard the recording' }).click();
  assert.equal(await page.getByRole('group', { name: 'Recording' }).isVisible(), false);
  assert.deepEqual(complaints, []);
});

test('what was said survives a lost network and a closed tab, and is sent once', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t, SPOKEN);
  const { context, page } = await personAt(browser, hearth.url, 'ada');
  await joinGroup(page, 'General');
  await recordFor(page, 1);
  await page.route('**/voice?*', (route) => route.abort());
  await page.getByRole('group', { name: 'Recording' }).getByRole('button', { name: 'Send' }).click();
  await page.getByText('Waits for the network.').waitFor();
  // Others do not wait for it.
  await say(page, 'typed meanwhile');
  await page.locator('.message', { hasText: 'typed meanwhile' }).waitFor();
  await page.close();

  const [first, second] = [await context.newPage(), await context.newPage()];
  for (const tab of [first, second]) await tab.goto(`${hearth.url}/groups/1`);
  await first.locator('.message [data-voice]').waitFor();
  await second.locator('.message [data-voice]').waitFor();
  await second.reload();
  // On a busy machine the recording takes a while; what would send it twice shows a moment later.
  await second.locator('.message').nth(1).waitFor();
  await second.waitForTimeout(1_000);
  assert.equal(await second.locator('.message').count(), 2);
  assert.equal(await second.locator('.chosen').count(), 0);

  // A network that comes back takes it along by itself.
  await recordFor(first, 1);
  await context.setOffline(true);
  await first.getByRole('group', { name: 'Recording' }).getByRole('button', { name: 'Send' }).click();
  await first.getByText('Waits for the network.').waitFor();
  await context.setOffline(false);
  await second.locator('.message').nth(2).waitFor({ timeout: 20_000 });

  // So does any page, where the one that it was recorded on is closed.
  await recordFor(first, 1);
  await context.setOffline(true);
  await first.getByRole('group', { name: 'Recording' }).getByRole('button', { name: 'Send' }).click();
  await first.getByText('Waits for the network.').waitFor();
  await first.close();
  await context.setOffline(false);
  const other = await context.newPage();
  await other.goto(`${hearth.url}/saved`);
  await second.locator('.message').nth(3).waitFor({ timeout: 20_000 });
});

test('whoever is faster than the machine, loads the page anew, or loses the microphone, loses nothing', async (t) => {
  // No engine answers: everything stays as it is while it waits.
  const env = {
    SPEECH_ENGINE: 'callback',
    SPEECH_BUCKET: 'nowhere',
    SHARED_SECRET: 'a secret of sixteen',
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1',
  };
  const hearth = await startHearth(t, { env });
  const browser = await openBrowser(t, SPOKEN);
  const { page } = await personAt(browser, hearth.url, 'ada');
  await joinGroup(page, 'General');
  const record = async (way: 'Transcribe' | 'Send') => {
    await recordFor(page, 1);
    await page.getByRole('group', { name: 'Recording' }).getByRole('button', { name: way }).click();
  };
  await record('Transcribe');
  const chosen = page.locator('.chosen.is-voice');
  await chosen.getByText('Transcribing').waitFor();
  await say(page, 'Typed while it was being written down');
  await page.locator('#messages .message').first().waitFor();
  assert.equal(await chosen.count(), 1, 'the recording waits for its words');
  await chosen.getByLabel('Send the recording too').check();
  await page.reload();
  assert.equal(await chosen.getByLabel('Send the recording too').isChecked(), true);
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await page.locator('#messages .message [data-voice]').waitFor();
  assert.equal(await page.locator('#messages .message').count(), 2);

  // The microphone goes away in the middle.
  await page.evaluate(`{
    const take = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => (window.heldStream = await take(wanted));
  }`);
  await recordFor(page, 1);
  await page.evaluate(`{
    const [track] = window.heldStream.getTracks();
    track.stop();
    track.dispatchEvent(new Event('ended'));
  }`);
  await page.getByText('The microphone is gone.').waitFor();
  await page.getByRole('group', { name: 'Recording' }).getByRole('button', { name: 'Send' }).click();
  await page.locator('#messages .message').nth(2).locator('[data-voice]').waitFor();
});

test('the true cause is said: no permission, no microphone, and plain HTTP on a network', async (t) => {
  const hearth = await startHearth(t, {
    flags: ['--host', '0.0.0.0'],
    env: { ORIGINS: 'http://hearth.lan' },
  });
  const address = hearth.url.replace('0.0.0.0', '127.0.0.1');
  const deaf = await openBrowser(t);
  const { page } = await personAt(deaf, address, 'ada');
  await joinGroup(page, 'General');
  await page.getByRole('button', { name: 'Voice message' }).click();
  await page.getByRole('heading', { name: /No microphone found|The microphone is blocked/ }).waitFor();
  await page.keyboard.press('Escape');

  // A name that is not this machine's own is what a telephone on the network sees.
  const elsewhere = await openBrowser(t, ['--host-resolver-rules=MAP hearth.lan 127.0.0.1', ...SPOKEN]);
  const phone = await personAt(elsewhere, address.replace('127.0.0.1', 'hearth.lan'), 'joe', {
    ...{ byForm: true, viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
  });
  await joinGroup(phone.page, 'General');
  // The sheet opens where the finger is, and does not take its click.
  await phone.page.getByRole('button', { name: 'Voice message' }).tap();
  await phone.page.getByRole('heading', { name: 'The microphone needs HTTPS' }).waitFor();
  assert.match(await phone.page.locator('#sheet').innerText(), /npm start -- --tls/);
  await phone.page.getByRole('link', { name: 'Send a sound file instead' }).click();
  await phone.page.getByLabel('A recording of at most 5 minutes').waitFor();
});

test('without JavaScript a sound file is sent, played and read, or becomes text first', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const { page } = await personAt(browser, hearth.url, 'ada', { javaScriptEnabled: false });
  await page.getByRole('button', { name: 'Join General' }).click();
  await page.getByRole('link', { name: 'Voice message' }).click();
  await page.getByLabel('A recording of at most 5 minutes').setInputFiles(MICROPHONE);
  await page.getByRole('button', { name: 'Send it' }).click();
  await page.locator('.message audio').waitFor();
  assert.ok(!(await page.locator('.voice-player').first().isVisible()), 'one player only');
  const reload = async (done: () => Promise<boolean>) => {
    for (const until = Date.now() + TEXT_MS; !(await done()); await page.waitForTimeout(300)) {
      assert.ok(Date.now() < until);
      await page.reload();
    }
  };
  await reload(async () => HEARD.test(await page.locator('.message').innerText()));

  await page.getByRole('link', { name: 'Voice message' }).click();
  await page.getByLabel('A recording of at most 5 minutes').setInputFiles(MICROPHONE);
  await page.getByRole('button', { name: 'Transcribe it first' }).click();
  await reload(async () => HEARD.test(await page.locator('#content').inputValue()));
  await page.getByLabel('Send the recording too').check();
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  assert.equal(await page.locator('.message audio').count(), 2);
});
