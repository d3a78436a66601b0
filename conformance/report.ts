/**
 * The report: which of the rules a real kernel has confirmed, which only its sources, which nothing.
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { machineNames, type MachineName } from '../machines/admission.ts';
import { checkedCauses, hasKernelSource, type CauseRow } from '../machines/operations.ts';
import { knownReleases } from '../machines/eras.ts';
import { originOf, profiles, type Profile } from '../machines/profile.ts';
import { allTransitions, refusalItem, type Item } from './coverage.ts';
import { confirmed, type Confirmed } from './evidence.ts';
import { reasonFor } from './reasons.ts';

const reportFile = new URL('REPORT.md', import.meta.url);
const readmeFile = new URL('../README.md', import.meta.url);

/** How a rule of a kernel stands. */
type Confirmation = 'confirmed' | 'sources' | 'nothing';

/** Something that could be confirmed: a transition, or a row of the table of causes. */
interface Claim {
  readonly item: Item;
  readonly profile: Profile;
  readonly times: number;
  readonly standing: Confirmation;
}

function transitionClaims({ profile, times }: Confirmed, machine: MachineName): Claim[] {
  return allTransitions(profile)
    .filter((transition) => transition.machine === machine)
    .map(({ item }) => claimOf(profile, item, times.get(item) ?? 0, 'sources'));
}

function refusalClaims({ profile, times }: Confirmed): Claim[] {
  return checkedCauses()
    .filter((row) => row.profiles.includes(profile))
    .map((row) => {
      const item = itemOf(row);
      const otherwise = hasKernelSource(row) ? 'sources' : 'nothing';
      return claimOf(profile, item, times.get(item) ?? 0, otherwise);
    });
}

function claimOf(profile: Profile, item: Item, times: number, otherwise: Confirmation): Claim {
  return { profile, item, times, standing: times > 0 ? 'confirmed' : otherwise };
}

const itemOf = ({ operation, errno, cause }: CauseRow): Item =>
  refusalItem(operation, errno, cause);

/** What no recorded answer has confirmed. */
export function unconfirmed(evidence: readonly Confirmed[] = confirmed()): Claim[] {
  return evidence
    .flatMap((kernel) => [
      ...machineNames.flatMap((machine) => transitionClaims(kernel, machine)),
      ...refusalClaims(kernel),
    ])
    .filter(({ standing }) => standing !== 'confirmed');
}

const row = (...cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
const escaped = (text: string): string => text.replaceAll('|', '\\|');
const code = (text: string): string => `\`${escaped(text)}\``;

function share(claims: readonly Claim[]): string {
  const met = claims.filter(({ standing }) => standing === 'confirmed').length;
  return `${met} of ${claims.length}`;
}

/** The lines of the table that README shows as well. */
function summaryLines(evidence: readonly Confirmed[] = confirmed()): string[] {
  const each = (cell: (kernel: Confirmed) => string) => evidence.map(cell);
  const transitions = (name: MachineName) => (kernel: Confirmed) =>
    share(transitionClaims(kernel, name));
  const files = machineNames.filter((name) => name !== 'device' && name !== 'group');
  const count = (standing: Confirmation) => (kernel: Confirmed) =>
    String(refusalClaims(kernel).filter((claim) => claim.standing === standing).length);
  return [
    row('confirmed by a real kernel', ...each(({ profile }) => code(profile))),
    row('---', ...each(() => '---')),
    row('answers compared', ...each(({ answers }) => String(answers))),
    row('sequences with a difference', ...each(({ differing }) => String(differing))),
    row('transitions of a device', ...each(transitions('device'))),
    row('transitions of a group', ...each(transitions('group'))),
    row(
      'transitions of the files',
      ...each((kernel) => share(files.flatMap((name) => transitionClaims(kernel, name)))),
    ),
    row('refusals (operation, errno, cause)', ...each((kernel) => share(refusalClaims(kernel)))),
    row('… known from sources only', ...each(count('sources'))),
    row('… known from nothing', ...each(count('nothing'))),
  ];
}

/** A row for each item of all kernels, with how often each has confirmed it. */
function itemTable(heading: string, evidence: readonly Confirmed[], claims: readonly Claim[]) {
  const items = [...Map.groupBy(claims, ({ item }) => item)];
  return [
    row(heading, ...evidence.map(({ profile }) => profile)),
    row('---', ...evidence.map(() => '---')),
    ...items.map(([item, known]) =>
      row(
        code(item.replace(/^\w+: /, '')),
        ...evidence.map(({ profile }) => {
          const claim = known.find((one) => one.profile === profile);
          if (claim === undefined) return '–';
          return claim.times > 0 ? claim.times : claim.standing;
        }),
      ),
    ),
  ];
}

function refusalTable(evidence: readonly Confirmed[]): string[] {
  const claims = evidence.flatMap(refusalClaims);
  const cell = (known: CauseRow, profile: Profile): string | number => {
    if (!known.profiles.includes(profile)) return '–';
    const claim = claims.find((one) => one.profile === profile && one.item === itemOf(known));
    if (claim !== undefined) return claim.times > 0 ? claim.times : claim.standing;
    const origin = originOf(profile);
    return origin !== null && known.profiles.includes(origin) ? `as ${origin}` : 'sources';
  };
  return [
    row('operation', 'errno', 'cause', ...profiles, 'source'),
    row('---', '---', '---', ...profiles.map(() => '---'), '---'),
    ...checkedCauses()
      .toSorted((a, b) => (a.operation < b.operation ? -1 : a.operation > b.operation ? 1 : 0))
      .map((known) =>
        row(
          known.operation,
          known.errno,
          known.cause,
          ...profiles.map((profile) => cell(known, profile)),
          code(known.source),
        ),
      ),
  ];
}

/** A row for each release of Linux: the profile that judges it, and how that is known. */
function releaseTable(): string[] {
  return [
    row('release', 'judged by', 'some rules of', 'known by', 'what was run or read'),
    row('---', '---', '---', '---', '---'),
    ...knownReleases().map(({ release, profile, beside, by, how }) =>
      row(release, profile, beside ?? '–', by, how ?? '–'),
    ),
  ];
}

/** The whole report, as it is committed. */
export function reportText(evidence: readonly Confirmed[] = confirmed()): string {
  const missing = Map.groupBy(
    unconfirmed(evidence),
    ({ profile, item }) => reasonFor(profile, item) ?? 'no recorded sequence has met it',
  );
  const lines = [
    '# What real kernels have confirmed',
    '',
    'Written by `npm run conformance -- --report` from the recorded answers in `test/truth/`; a test',
    'fails where it is not what they say. A number is how often a recording took that transition, or',
    'met that refusal, with every answer before it as the rules have it. A release answers nothing by',
    'itself: it is confirmed by what was answered after it. `sources`: only the kernel’s sources (or,',
    'for `rfc-2021`, the mails) say so. `nothing`: not even those. `–`: that kernel has no such rule.',
    '',
    ...summaryLines(evidence),
    row('releases', ...evidence.map(({ kernels }) => kernels.join(', '))),
    '',
    '## Releases',
    '',
    '`run`: recordings of the release are in the project. `source`: files of its source were read, and',
    'have the rules of the profile. `reported`: neither; it lies between such releases. Causes on a',
    'release that has some rules of another profile hold by both. Kernels of RHEL are not among these:',
    'they have changes of later releases, and a cause holds by the rules of every profile.',
    '',
    ...releaseTable(),
    '',
    '## Not confirmed, and why',
    '',
    ...[...missing].map(([why, claims]) => {
      const items = claims.map(({ profile, item }) => `${code(item)} (${profile})`);
      return `- ${why}: ${items.join('; ')}`;
    }),
    '',
    '## Transitions',
    ...machineNames.flatMap((machine) => [
      '',
      `### ${machine}`,
      '',
      ...itemTable(
        'transition',
        evidence,
        evidence.flatMap((kernel) => transitionClaims(kernel, machine)),
      ),
    ]),
    '',
    '## Refusals',
    '',
    ...refusalTable(evidence),
  ];
  return `${lines.join('\n')}\n`;
}

const block = /(<!-- conformance -->\n)[\s\S]*?(<!-- end -->)/;

/** README with its summary as the recordings have it. */
export function readmeWithSummary(text: string, evidence: readonly Confirmed[]): string {
  return text.replace(block, `$1${summaryLines(evidence).join('\n')}\n$2`);
}

/** Writes the report and the summary in README. */
export function writeReport(): void {
  const evidence = confirmed();
  writeFileSync(reportFile, reportText(evidence));
  writeFileSync(readmeFile, readmeWithSummary(readFileSync(readmeFile, 'utf8'), evidence));
}
