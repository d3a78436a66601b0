/**
 * Wordings of driver changes that were refused: by shells and programs that write to files of /sys, and by
 * tools that do it for somebody.
 *
 * @module
 */
import type { Wording } from './wording.ts';

const BIND = '/sys/bus/pci/drivers/vfio-pci/bind';

/** `write error` in the languages of bash 5.2. */
const WRITE_ERROR = [
  'write error',
  'Schreibfehler',
  "erreur d'écriture",
  'error de escritura',
  'errore (?:in|di) scrittura',
  'erro de escrita',
  'błąd zapisu',
  'ошибка записи',
  '書き込みエラー',
  '写入错误',
  '寫入時發生錯誤',
  '쓰기 오류',
  'schrijffout',
  'chyba zápisu',
].join('|');

export const driverChanges: readonly Wording[] = [
  {
    program: 'any',
    versions: 'any',
    source: 'write(2) and strerror(3): tee, dd, bash, Go, Rust, Perl',
    operation: 'set_driver',
    words: String.raw`(?=/sys/)(?<!\b(?:access(?:ing)?|l?statx?) ['"‘]?){attribute}`,
    errno: 'near',
    sample: `tee: ${BIND}: No such device`,
  },
  {
    program: 'Python',
    versions: '2.7 to 3.14',
    source: 'Objects/exceptions.c:OSError_str',
    operation: 'set_driver',
    words: String.raw`\[Errno {number}\] [^:'"]{1,60}: ['"]{attribute}`,
    errno: 'said',
    sample:
      "OSError: [Errno 16] Device or resource busy: '/sys/bus/pci/devices/0000:c4:00.0/driver_override'",
  },
  {
    program: 'Node.js',
    versions: '0.10 to 25',
    source: 'lib/internal/errors.js:UVException',
    operation: 'set_driver',
    words: String.raw`\b{name}: [^'"]{1,60}, open ['"]{attribute}`,
    errno: 'said',
    sample: `Error: EACCES: permission denied, open '${BIND}'`,
  },
  {
    program: 'zsh',
    versions: '4 to 5.9',
    source: 'Src/exec.c:execcmd_exec',
    operation: 'set_driver',
    words: String.raw`\bzsh: {said}: {attribute}`,
    errno: 'said',
    sample: `zsh: permission denied: ${BIND}`,
  },
  {
    program: 'bash, zsh, busybox, cat',
    versions: 'bash 2 to 5.3, coreutils 5 to 9',
    source: 'builtins/common.c:sh_wrerror',
    operation: 'set_driver',
    words: String.raw`(?:${WRITE_ERROR}) ?[:：]`,
    needs: 'change',
    sample: 'bash: echo: write error: Device or resource busy',
  },
  {
    // dash prints the same words whatever the errno was.
    program: 'dash',
    versions: '0.5 to 0.5.13',
    source: 'src/eval.c:evalbltin',
    operation: 'set_driver',
    words: String.raw`\b(?:echo|printf): (?:(?:echo|printf): )?I/O error`,
    errno: 'hidden',
    needs: 'change',
    sample: 'sh: 1: echo: echo: I/O error',
  },
  {
    program: 'Python',
    versions: '3.3 to 3.14',
    source: 'Objects/exceptions.c:OSError_str',
    operation: 'set_driver',
    words: String.raw`^\w*Error: \[Errno {number}\] [^:'"]{1,60}$`,
    errno: 'said',
    needs: 'change',
    sample: 'OSError: [Errno 16] Device or resource busy',
  },
  {
    program: 'Node.js',
    versions: '0.10 to 25',
    source: 'lib/internal/errors.js:UVException',
    operation: 'set_driver',
    words: String.raw`\b{name}: [^'"]{1,60}, write$`,
    errno: 'said',
    needs: 'change',
    sample: 'Error: EBUSY: resource busy or locked, write',
  },
  {
    program: 'driverctl',
    versions: '0.59 to 0.121',
    source: 'driverctl:probe_driver',
    operation: 'set_driver',
    words: String.raw`\bdriverctl: [^:\n]{1,40}: echo ?: (?:${WRITE_ERROR}) ?[:：]`,
    mark: 'driverctl: ',
    sample: '/usr/sbin/driverctl: line 40: echo: write error: No such device',
  },
  {
    program: 'driverctl',
    versions: '0.59 to 0.121',
    source: 'driverctl:set_override',
    operation: 'set_driver',
    words: String.raw`\bfailed to bind device {device} to driver {driver}`,
    errno: 'optional',
    sample: 'driverctl: failed to bind device 0000:c4:00.0 to driver vfio-pci',
  },
  {
    program: 'any',
    versions: 'any',
    source: 'write(2) and strerror(3)',
    operation: 'set_driver',
    words: String.raw`{failed} bind (?:(?:PCI )?device )?['"]?{device}['"]? to (?:driver )?['"]?{driver}`,
    sample: "failed to bind device '0000:c4:00.0' to driver 'vfio-pci': Device or resource busy",
  },
  {
    program: 'any',
    versions: 'any',
    source: 'write(2) and strerror(3)',
    operation: 'set_driver',
    words: String.raw`{failed} unbind (?:(?:PCI )?device )?['"]?{device}\b(?:['"]? from (?:driver )?['"]?[\w-]{1,64}['"]?)?`,
    sample: 'cannot unbind 0000:c4:00.0 from driver nvme: No such device',
  },
  {
    // Until 19.11 without the errno.
    program: 'dpdk-devbind',
    versions: 'DPDK 1.4 to 25.11',
    source: 'usertools/dpdk-devbind.py:bind_one',
    operation: 'set_driver',
    words: String.raw`\bbind failed for {device} - Cannot (?:bind to|write new PCI ID to|write) driver {driver}`,
    errno: 'optional',
    sample: 'Error: bind failed for 0000:c4:00.0 - Cannot bind to driver vfio-pci',
  },
  {
    program: 'dpdk-devbind',
    versions: 'DPDK 1.4 to 25.11',
    source: 'usertools/dpdk-devbind.py:bind_one, unbind_one',
    operation: 'set_driver',
    words: String.raw`\b(?:un)?bind failed for {device} - Cannot (?:open|write) {attribute}`,
    errno: 'optional',
    sample: `Error: bind failed for 0000:c4:00.0 - Cannot open ${BIND}`,
  },
];
