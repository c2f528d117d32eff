import { find, findAll, findOptional } from './page/dom.js';

/** The longer side of what is sent, in pixels. */
const SIDE = 640;
const JPEG_QUALITY = 0.9;
/** Milliseconds: to get ready, and between the pictures. */
const READY_MS = 1_500;
const BETWEEN_MS = 450;
const TURN_MS = 900;

/** Forms for pictures of a face, which a camera can take. Without one, or a script, files are chosen. */
export function startFaceForms() {
  for (const form of findAll(document, '[data-face]', HTMLFormElement)) new FaceForm(form);
}

class FaceForm {
  /** @type {HTMLFormElement} */
  #form;
  /** @type {HTMLButtonElement} */
  #button;
  /** @type {HTMLVideoElement} */
  #video;
  /** @type {File[]} what was taken to set the check up */
  #taken = [];

  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.#form = form;
    this.#button = find(form, '[data-face-start]', HTMLButtonElement);
    this.#video = find(form, '[data-face-video]', HTMLVideoElement);
    this.#video.hidden = true;
    find(form, '[data-face-camera]').hidden = false;
    if (!navigator.mediaDevices?.getUserMedia) {
      this.#button.hidden = true;
      this.#say('On a connection that is not encrypted, browsers give no camera. Choose pictures instead.');
      return;
    }
    this.#button.addEventListener('click', () => void this.#press());
    form.addEventListener('submit', () => {
      find(form, '[data-face-send]', HTMLButtonElement).textContent = 'Checking…';
    });
    window.addEventListener('pagehide', () => this.#stop());
  }

  async #press() {
    this.#button.disabled = true;
    try {
      if (!this.#video.srcObject) await this.#open();
      else if (this.#form.dataset.face === 'enrol') await this.#takeOne();
      if (this.#form.dataset.face === 'sign-in') await this.#takeAll();
    } catch (error) {
      this.#stop();
      this.#showFiles(true);
      this.#say(sentenceOf(error));
    }
    this.#button.disabled = false;
  }

  async #open() {
    const size = { width: { ideal: 960 }, height: { ideal: 720 } };
    this.#video.srcObject = await navigator.mediaDevices.getUserMedia({
      video: { facingMode: 'user', ...size },
    });
    this.#video.hidden = false;
    await this.#video.play();
    this.#showFiles(false);
    const explanation = findOptional(document, '[data-face-explains]', HTMLDetailsElement);
    if (explanation) explanation.open = false;
    find(this.#form, '[data-face-camera]').scrollIntoView({ block: 'nearest' });
    if (this.#form.dataset.face !== 'enrol') return;
    this.#taken = [];
    find(this.#form, '[data-face-shots]').replaceChildren();
    this.#sayNext();
  }

  /** One of the three to set the check up with. */
  async #takeOne() {
    const { file, canvas } = await this.#capture();
    this.#taken.push(file);
    canvas.role = 'img';
    canvas.ariaLabel = `Picture ${this.#taken.length}`;
    const entry = document.createElement('li');
    entry.append(canvas);
    find(this.#form, '[data-face-shots]').append(entry);
    if (this.#taken.length < 3) return this.#sayNext();
    setFiles(find(this.#form, '[name="pictures"]', HTMLInputElement), this.#taken);
    this.#stop();
    this.#button.textContent = 'Take them again';
    this.#say('Three pictures are taken. Enter your password to set it up.');
    findOptional(this.#form, '[name="password"]')?.focus();
  }

  #sayNext() {
    const number = this.#taken.length + 1;
    this.#button.textContent = `Take picture ${number} of 3`;
    const hints = [
      'Look straight ahead.',
      'Another one: smile a little.',
      'The last one: come a little closer.',
    ];
    this.#say(hints[number - 1] ?? '');
  }

  /** The pictures of a sign-in, and sends them. */
  async #takeAll() {
    const { faceTurn = 'left', faceAhead, faceTurned } = this.#form.dataset;
    this.#button.textContent = 'The camera is on';
    this.#say('Look straight ahead.');
    await pause(READY_MS);
    const ahead = await this.#series(Number(faceAhead));
    this.#say(`${faceTurn === 'left' ? '←' : '→'} Now turn your head to your ${faceTurn}.`);
    await pause(TURN_MS);
    const turned = await this.#series(Number(faceTurned));
    setFiles(find(this.#form, '[name="ahead"]', HTMLInputElement), ahead);
    setFiles(find(this.#form, '[name="turned"]', HTMLInputElement), turned);
    this.#stop();
    this.#say('Checking…');
    this.#form.requestSubmit();
  }

  /** @param {number} count */
  async #series(count) {
    const files = [];
    while (files.length < count) {
      files.push((await this.#capture()).file);
      await pause(BETWEEN_MS);
    }
    return files;
  }

  /** What the camera sees, not mirrored as it is shown. */
  async #capture() {
    const { videoWidth, videoHeight } = this.#video;
    const scale = Math.min(1, SIDE / Math.max(videoWidth, videoHeight));
    const canvas = document.createElement('canvas');
    canvas.width = Math.round(videoWidth * scale);
    canvas.height = Math.round(videoHeight * scale);
    canvas.getContext('2d')?.drawImage(this.#video, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((resolve) => {
      canvas.toBlob(resolve, 'image/jpeg', JPEG_QUALITY);
    });
    if (!(blob instanceof Blob)) throw new Error('The camera gave no picture.');
    return { file: new File([blob], 'face.jpg', { type: 'image/jpeg' }), canvas };
  }

  #stop() {
    const { srcObject } = this.#video;
    if (srcObject instanceof MediaStream) for (const track of srcObject.getTracks()) track.stop();
    this.#video.srcObject = null;
    this.#video.hidden = true;
    this.#button.textContent = 'Use the camera';
  }

  /** @param {boolean} isShown */
  #showFiles(isShown) {
    find(this.#form, '[data-face-files]').hidden = !isShown;
    for (const input of findAll(this.#form, 'input[type="file"]', HTMLInputElement)) input.required = isShown;
    find(this.#form, '[data-face-send]').hidden = !isShown && this.#form.dataset.face === 'sign-in';
  }

  /** @param {string} sentence */
  #say(sentence) {
    find(this.#form, '[data-face-say]').textContent = sentence;
  }
}

/**
 * @param {HTMLInputElement} input
 * @param {File[]} files
 */
function setFiles(input, files) {
  const transfer = new DataTransfer();
  for (const file of files) transfer.items.add(file);
  input.multiple = true;
  input.files = transfer.files;
}

/** @param {number} ms */
function pause(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** @param {unknown} error */
function sentenceOf(error) {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError')
    return 'The camera is not allowed for this page. Allow it beside the address, or choose pictures.';
  if (name === 'NotFoundError') return 'There is no camera. Choose pictures instead.';
  if (name === 'NotReadableError') return 'Another program uses the camera. Close it, or choose pictures.';
  return 'The camera did not work. Try again, or choose pictures.';
}
