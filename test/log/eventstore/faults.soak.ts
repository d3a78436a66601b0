import { eventStoreProcesses } from './processes.ts';
import { randomFaults } from './random-faults.ts';

randomFaults('esdb', eventStoreProcesses());
randomFaults('kurrentdb', eventStoreProcesses());
