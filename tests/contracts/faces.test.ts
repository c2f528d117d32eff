import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { chooseFaceEngine } from '../../src/engines/faces/choose.ts';
import { type FaceEngine, FaceError, type Fault } from '../../src/engines/faces/engine.ts';
import type { Face } from '../../src/engines/faces/face.ts';
import { FACE_PROCESS } from '../../src/engines/faces/local.ts';
import { JobProcess } from '../../src/engines/process/job-process.ts';
import { portrait, three, turned } from '../support/faces.ts';
import { atEnd, type Ending } from '../support/hearth.ts';
import { startRekognition } from '../support/rekognition.ts';

const ends: (() => unknown)[] = [];
after(() => Promise.all(ends.map((end) => end())));
/** The tests of this file share the stand-in, which looks at a picture once, and the engines. */
const ending: Ending = { after: (end) => ends.push(end) };
const rekognition = await startRekognition(ending);
Object.assign(process.env, rekognition.env);
const engines = { local: realEngine('local'), aws: realEngine('aws') };

function realEngine(kind: 'local' | 'aws'): FaceEngine {
  const { engine, missing } = chooseFaceEngine(kind);
  assert.ok(engine, missing);
  atEnd(ending, () => engine.close());
  return engine;
}

async function faultOf(tried: Promise<unknown>): Promise<[Fault, number]> {
  const error = await tried.then(
    () => assert.fail('It was accepted.'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof FaceError, String(error));
  return [error.fault, error.picture];
}

test('every engine knows a face again, ahead and turned, and no other', async (t) => {
  for (const kind of ['local', 'aws'] as const) {
    const engine = engines[kind];
    await t.test(kind, async () => {
      const template = await engine.enrol(await three('ada'));
      assert.deepEqual(await engine.compare(template, await portrait('ada', 3)), {
        isSame: true,
        direction: 'ahead',
      });
      assert.equal((await engine.compare(template, await portrait('joe'))).isSame, false);
      for (const side of ['left', 'right'] as const) {
        const look = await engine.compare(template, await turned('ada', side));
        assert.deepEqual(look, { isSame: true, direction: kind === 'aws' ? 'aside' : side });
      }
      assert.equal(engine.keepsPictures, template.includes('/9j/'), 'only Amazon needs pictures');
    });
  }
});

test('every engine tells what is wrong with a picture, and with which', async (t) => {
  for (const kind of ['local', 'aws'] as const) {
    const engine = engines[kind];
    await t.test(kind, async () => {
      const [first, second, third] = (await three('ada')) as [Buffer, Buffer, Buffer];
      const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
      const broken = first.subarray(0, 400);
      const faults: [Buffer, Fault][] = [
        [svg, 'unreadable'],
        [broken, 'unreadable'],
        [await portrait('nobody'), 'none'],
        [await portrait('several'), 'several'],
        [await turned('ada', 'left'), 'aside'],
      ];
      for (const [picture, fault] of faults)
        assert.deepEqual(await faultOf(engine.enrol([picture, second, third])), [fault, 0]);
      assert.deepEqual(await faultOf(engine.enrol([first, await portrait('joe'), third])), ['different', 1]);
      const template = await engine.enrol([first, second, third]);
      assert.deepEqual(await faultOf(engine.compare(template, await portrait('nobody'))), ['none', 0]);
    });
  }
});

test('Amazon gets small pictures by CompareFaces and nothing else; what it refuses is an error of the server', async () => {
  const engine = engines.aws;
  const template = await engine.enrol(await three('ada'));
  assert.deepEqual(
    [...new Set(rekognition.asked.map(({ operation }) => operation))],
    ['RekognitionService.CompareFaces'],
  );
  assert.ok(rekognition.asked.every(({ bytes }) => bytes < 600_000));
  rekognition.failWith('AccessDeniedException');
  const picture = await portrait('ada');
  await assert.rejects(engine.compare(template, picture), { name: 'AccessDeniedException' });
});

test('an engine that is off says so', () => {
  assert.deepEqual(chooseFaceEngine('off'), { missing: 'FACE_ENGINE is off.' });
});

test('a picture that takes too long fails alone; those that wait are looked at by another process', async (t) => {
  const looking = new JobProcess<Uint8Array, Face | Fault>(FACE_PROCESS, 1);
  t.after(() => looking.close());
  const picture = await portrait('nobody');
  const tooLong = looking.run(picture, 1);
  const waiting = [looking.run(picture, 60_000), looking.run(picture, 60_000)];
  await assert.rejects(tooLong, /The process of the engine ended with SIGKILL/);
  assert.deepEqual(await Promise.all(waiting), ['none', 'none']);
  const left = looking.run(picture, 60_000);
  looking.close();
  await assert.rejects(left, /Hearth stops/);
});
