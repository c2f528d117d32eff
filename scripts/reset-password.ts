// npm run reset-password -- NAME [--data FOLDER]     a link with which somebody chooses a new password, once
import { makeLink } from '../src/accounts/links.ts';
import { StartError } from '../src/errors.ts';
import { withStores } from './stores.ts';

const [name = '', ...flags] = process.argv.slice(2);
const isNamed = name !== '' && !name.startsWith('--');

if (isNamed)
  await withStores(flags, async (stores) => {
    const account = await stores.accounts.byName(name.normalize('NFC'));
    if (!account) throw new StartError(`There is no account of the name ${name}.`);
    if (account.suspendedAt !== null) throw new StartError(`${account.username} is suspended.`);
    // A row of the database, which a running server reads when the link is opened.
    const path = await makeLink(stores, account.id, 'password');
    const details = { person: account.username, personId: String(account.id) };
    await stores.audit.add({ at: Date.now(), actorId: null, action: 'password-link', details });
    console.log(`Open this below the address of your Hearth, once, within 24 hours:\n${path}`);
  });
else {
  console.error('Say for whom: npm run reset-password -- NAME [--data FOLDER]');
  process.exitCode = 2;
}
