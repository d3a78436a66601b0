/** What is answered about the recordings of Linux 7.3. */
import { testAgainstFrozen } from './against-frozen.ts';
import { sets } from './logs.ts';

testAgainstFrozen(sets.filter(({ name }) => name.startsWith('linux-7.3-')));
