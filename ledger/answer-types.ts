/**
 * The types of the answers that the library gives.
 *
 * @module
 */
export type { DeviceAt, FileAt, GroupAt, HostAt, ProcessAt } from '../machines/host-at.ts';
export type { Verdict } from '../machines/other-profile.ts';
export type {
  Activity,
  BoundFile,
  HeldFile,
  Leak,
  OpenedFile,
  OwnedGroup,
  RefusedCall,
} from '../projections/activity.ts';
export type { Attestation, AttestQuestion } from '../projections/attest/attestation.ts';
export type { Fault, HostInLog, Verification } from '../projections/audit/faults.ts';
export type { Coverage, Uncovered } from '../projections/coverage.ts';
export type { Difference, Replay } from '../projections/replay.ts';
export type { Lane, LaneStretch } from '../projections/lanes/lanes.ts';
export type { LaneOwner, LaneState } from '../projections/lanes/lane-look.ts';
export type { Mark, MarkKind } from '../projections/lanes/marks.ts';
export type {
  Hand,
  Incarnation,
  Interval,
  PastClaim,
  Tenure,
} from '../projections/interval-shapes.ts';
export type {
  AboutMoments,
  Bisection,
  Change,
  Claimant,
  CutEnd,
  DeviceWithClaims,
  GroupWithClaims,
  DeviceView,
  Diff,
  Exit,
  FileView,
  GroupView,
  Holder,
  Holding,
  LogEnd,
  Moment,
  Orphan,
  Overlap,
  Owner,
  Table,
  Wait,
  Who,
} from '../projections/shapes.ts';
export type { Subject } from '../projections/subjects.ts';
export type { When } from '../projections/when.ts';
export type { Candidate, Why } from '../projections/why/why.ts';
export type { WhyUnknown } from '../projections/why-unknown.ts';
