/** What is answered about the recordings of Linux 6.12. */
import { testRecordingsOf } from './against-frozen.ts';

testRecordingsOf('linux-6.12');
