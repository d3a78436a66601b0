import { eventStoreSuite } from './suite.ts';

eventStoreSuite('kurrentdb');
