import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Fault } from '../../src/engines/faces/engine.ts';
import type { Face } from '../../src/engines/faces/face.ts';
import { FACE_PROCESS } from '../../src/engines/faces/local.ts';
import { JobProcess } from '../../src/engines/process/job-process.ts';
import { portrait } from './faces.ts';
import { atEnd, type Ending } from './hearth.ts';

type Comparison = {
  SourceImage: { Bytes: string };
  TargetImage: { Bytes: string };
  SimilarityThreshold: number;
};

const BOX = { Width: 0.4, Height: 0.5, Left: 0.3, Top: 0.2 };
const SAME = 0.5;

/**
 * A stand-in for Amazon Rekognition that answers CompareFaces as its reference describes (docs.aws.amazon.com,
 * API_CompareFaces), with the local engine to look at the pictures.
 */
export async function startRekognition(test: Ending) {
  const looking = new JobProcess<Uint8Array, Face | Fault>(FACE_PROCESS, 1);
  /** The lengths of the pictures that arrived, and by which operation. */
  const asked: { operation: string; bytes: number }[] = [];
  let failure: string | undefined;

  const seen = new Map<string, Promise<Face | Fault>>();
  function look(base64: string): Promise<Face | Fault> {
    const face = seen.get(base64) ?? looking.run(Buffer.from(base64, 'base64'), 60_000);
    seen.set(base64, face);
    return face;
  }

  async function compare({ SourceImage, TargetImage }: Comparison): Promise<[number, object]> {
    const [source, target] = [await look(SourceImage.Bytes), await look(TargetImage.Bytes)];
    if (source === 'none')
      return [400, { __type: 'InvalidParameterException', Message: 'Request has invalid parameters' }];
    if (target === 'none') return [200, { FaceMatches: [], UnmatchedFaces: [] }];
    const unknown = { BoundingBox: BOX };
    if (typeof source === 'string' || typeof target === 'string')
      return [200, { FaceMatches: [], UnmatchedFaces: [unknown, unknown] }];
    const yaw = (Math.asin(target.turn) * 180) / Math.PI;
    const face = { BoundingBox: BOX, Pose: { Yaw: yaw, Pitch: 0, Roll: 0 } };
    const distance = Math.hypot(
      ...source.descriptor.map((value, at) => value - (target.descriptor[at] ?? 0)),
    );
    return [
      200,
      distance < SAME ? { FaceMatches: [{ Similarity: 99.6, Face: face }] } : { UnmatchedFaces: [face] },
    ];
  }

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const operation = String(request.headers['x-amz-target']);
    asked.push({ operation, bytes: Buffer.concat(chunks).length });
    const [status, answer] = failure
      ? [400, { __type: failure, Message: failure }]
      : await compare(JSON.parse(Buffer.concat(chunks).toString()) as Comparison);
    response.writeHead(status as number, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify(answer));
  });
  // Loading the models takes longer than who asks waits.
  await look((await portrait('ada')).toString('base64'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(test, () => {
    looking.close();
    server.closeAllConnections();
    server.close();
  });
  return {
    asked,
    failWith(name: string | undefined) {
      failure = name;
    },
    env: {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'none',
      AWS_SECRET_ACCESS_KEY: 'none',
      AWS_ENDPOINT_URL_REKOGNITION: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    },
  };
}
