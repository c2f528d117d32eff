import test from 'node:test';
import { checkEveryPage } from '../support/axe.ts';

test('axe finds nothing on any page, light and dark, 390 pixels wide', (t) =>
  checkEveryPage(t, { width: 390, height: 844 }));
