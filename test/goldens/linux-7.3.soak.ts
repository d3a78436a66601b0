/** What is answered about the recordings of Linux 7.3. */
import { testRecordingsOf } from './against-frozen.ts';

testRecordingsOf('linux-7.3');
