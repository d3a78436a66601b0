import { eventStoreSuite } from './suite.ts';

eventStoreSuite('esdb');
