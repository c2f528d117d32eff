import { type Config, readCommand } from './src/config.ts';
import { fileFailure, StartError } from './src/errors.ts';
import { whenNpmEnds } from './src/npm-parent.ts';
import { version } from './src/version.ts';

/** What has not stopped by then waits for what does not answer. */
const STOP_WITHIN_MS = 10_000;

try {
  const command = readCommand(process.argv.slice(2), process.env, version());
  if (command.kind === 'print') {
    console.log(command.text);
  } else {
    const { said, stop } = command.config.lesson
      ? await lesson(command.config)
      : await hearth(command.config);
    // A terminal signals the whole process group and npm forwards the signal too, so `end` may run more than once.
    const end = () => {
      setTimeout(giveUp, STOP_WITHIN_MS).unref();
      stop().then(() => process.exit(0), fail);
    };
    whenNpmEnds(process.env, end);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, end);
    console.log(said);
  }
} catch (error) {
  const failure = error instanceof StartError ? error : fileFailure(error);
  if (!failure) throw error;
  console.error(failure.message);
  process.exit(2);
}

async function hearth(config: Config) {
  // It takes most of the time of a start: what is wrong with the flags is said before.
  const { startServer } = await import('./src/server.ts');
  const { urls, stop } = await startServer(config);
  const line = `Hearth is at ${urls.join(' and ')}`;
  const isWorker = config.role === 'worker';
  return { said: isWorker ? `${line}\nIt is a worker: it serves its health, and no pages.` : line, stop };
}

async function lesson(config: Config) {
  const { startLesson } = await import('./src/lesson/start.ts');
  const { urls, stop } = await startLesson(config);
  return { said: `The lesson is at ${urls.page}; its chat is at ${urls.http} and ${urls.https}`, stop };
}

function giveUp(): never {
  console.error('Hearth was ended before it could stop in order: the database or the disk does not answer.');
  process.exit(1);
}

function fail(error: unknown): never {
  console.error(error);
  process.exit(1);
}
