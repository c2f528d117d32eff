import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** A face: its box in pixels, 68 points, and 128 numbers. */
export type Detected = {
  box: { width: number; height: number };
  points: readonly { x: number; y: number }[];
  descriptor: Float32Array;
};

/** Finds the faces of a picture of three bytes a pixel. */
export type Detector = (pixels: Buffer, width: number, height: number) => Promise<Detected[]>;

const MIN_CONFIDENCE = 0.3;
const MAX_FACES = 10;

/** What is used here of `@vladmandic/face-api`, whose own types need the whole of TensorFlow. */
type FaceApi = {
  tf: {
    setBackend(name: string): Promise<boolean>;
    ready(): Promise<void>;
    tensor3d(values: Buffer, shape: [number, number, number], type: 'int32'): Tensor;
    dispose(tensor: Tensor): void;
  };
  nets: Record<'ssdMobilenetv1' | 'faceLandmark68Net' | 'faceRecognitionNet', Net>;
  SsdMobilenetv1Options: new (options: { minConfidence: number; maxResults: number }) => object;
  detectAllFaces(input: Tensor, options: object): { withFaceLandmarks(): WithLandmarks };
};
type Tensor = { shape: number[] };
type Net = { loadFromDisk(folder: string): Promise<void> };
type WithLandmarks = { withFaceDescriptors(): Promise<Found[]> };
type Found = {
  detection: { box: { width: number; height: number } };
  landmarks: { positions: { x: number; y: number }[] };
  descriptor: Float32Array;
};

/** Loads the models from the packages: about two seconds, and 300 MB of memory. */
export async function openDetector(): Promise<Detector> {
  const require = createRequire(import.meta.url);
  const folderOf = (name: string) => dirname(require.resolve(`${name}/package.json`));
  const wasm = require('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(folder: string): void };
  const faceApi = require('@vladmandic/face-api/dist/face-api.node-wasm.js') as FaceApi;
  const { tf, nets } = faceApi;
  wasm.setWasmPaths(`${join(folderOf('@tensorflow/tfjs-backend-wasm'), 'dist')}/`);
  if (!(await tf.setBackend('wasm'))) throw new Error('The WebAssembly of TensorFlow does not start.');
  await tf.ready();
  const models = join(folderOf('@vladmandic/face-api'), 'model');
  await nets.ssdMobilenetv1.loadFromDisk(models);
  await nets.faceLandmark68Net.loadFromDisk(models);
  await nets.faceRecognitionNet.loadFromDisk(models);
  const options = new faceApi.SsdMobilenetv1Options({ minConfidence: MIN_CONFIDENCE, maxResults: MAX_FACES });

  return async (pixels, width, height) => {
    const tensor = tf.tensor3d(pixels, [height, width, 3], 'int32');
    try {
      const found = await faceApi.detectAllFaces(tensor, options).withFaceLandmarks().withFaceDescriptors();
      return found.map(({ detection, landmarks, descriptor }) => ({
        box: detection.box,
        points: landmarks.positions,
        descriptor,
      }));
    } finally {
      tf.dispose(tensor);
    }
  };
}
