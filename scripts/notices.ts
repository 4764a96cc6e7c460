/**
 * Writes `THIRD_PARTY_NOTICES`: the licences of all code of others that the published package holds.
 * usage: npm run notices
 */
import { writeFileSync } from 'node:fs';
import { thirdPartyNotices } from './thirdParty.js';

writeFileSync(new URL('../THIRD_PARTY_NOTICES', import.meta.url), await thirdPartyNotices());
