import type { AccountStore } from '../accounts/store.ts';
import type { Context } from '../context.ts';
import type { GroupStore } from '../groups/store.ts';
import type { TextRenderer } from '../messages/render.ts';
import type { MessageStore } from '../messages/store.ts';
import type { MessageWriter } from '../messages/writer.ts';
import type { SiteSettingsStore } from '../site-settings/store.ts';
import { previewRoutes } from './routes.ts';
import type { LinkImageStore } from './store.ts';
import { PreviewWork } from './work.ts';

/** Previews of links, which the server asks for, so that no reader's browser does. */
export function installPreviews(
  context: Context & {
    accounts: AccountStore;
    groups: GroupStore;
    messages: MessageStore;
    linkImages: LinkImageStore;
    siteSettings: SiteSettingsStore;
    writer: MessageWriter;
    texts: TextRenderer;
  },
) {
  const work = new PreviewWork(context);
  context.atStop(() => work.stop());
  return { previewRoutes: previewRoutes(context) };
}
