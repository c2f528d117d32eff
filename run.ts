import { readCommand } from './src/config.ts';
import { StartError } from './src/errors.ts';
import { startServer, version } from './src/server.ts';

try {
  const command = readCommand(process.argv.slice(2), process.env, version());
  if (command.kind === 'print') {
    console.log(command.text);
  } else {
    const { urls, stop } = await startServer(command.config);
    console.log(`Hearth is at ${urls.join(' and ')}`);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => void stop().then(() => process.exit(0)));
    }
  }
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  console.error(error.message);
  process.exit(2);
}
