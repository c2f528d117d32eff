// npm run check-log [-- --data FOLDER]     whether the log of what administrators did is whole; exits with 1 where not
import { withStores } from './stores.ts';

await withStores(process.argv.slice(2), async ({ audit }) => {
  const { entries, firstWrongId, isCutOff } = await audit.check();
  if (firstWrongId !== undefined)
    console.log(`Entry ${firstWrongId} was changed, moved or put in; the ${entries} before it are whole.`);
  else if (isCutOff) console.log(`Entries are missing at the end; the ${entries} that are left are whole.`);
  else console.log(`The log is whole: ${entries === 1 ? '1 entry' : `${entries} entries`}.`);
  if (firstWrongId !== undefined || isCutOff) process.exitCode = 1;
});
