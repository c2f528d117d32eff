#!/usr/bin/env node
// The terminal client as a command: `npm link` puts it on the path.
import { register } from 'tsx/esm/api';

register();
await import('./scripts/chat.ts');
