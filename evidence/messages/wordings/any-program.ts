/**
 * Wordings that languages, C libraries and shells print for any program.
 *
 * @module
 */
import type { Wording } from './wording.ts';

const BUSY = 'Device or resource busy';

/** What programs do with a node without opening it: ls in all languages, chown, rm, docker. */
const TOUCHING = [
  String.raw`\b(?:l?statx?|access(?:ing)?|error on|of|remove|unlink|readlink|l?chown|chmod|custom device)`,
  'accéder à',
  'acceder a',
  'accedere a',
  'aceder a',
  'acessar',
  'доступ к',
  'dostępu do',
  '无法访问',
  '無法存取',
].join('|');
const OPENED = String.raw`(?=/dev/)(?<!(?:${TOUCHING}) ?['"‘«]?)`;

export const anyProgram: readonly Wording[] = [
  {
    program: 'Python',
    versions: '2.7 to 3.14',
    source: 'Objects/exceptions.c:OSError_str',
    operation: null,
    words: String.raw`\[Errno {number}\] [^:'"]{1,60}: ['"]{node}`,
    errno: 'said',
    sample: `OSError: [Errno 16] ${BUSY}: '/dev/vfio/57'`,
  },
  {
    program: 'Node.js',
    versions: '0.10 to 25',
    source: 'lib/internal/errors.js:UVException',
    operation: null,
    words: String.raw`\b{name}: [^'"]{1,60}\bopen ['"]{node}`,
    errno: 'said',
    sample: "Error: EBUSY: resource busy or locked, open '/dev/vfio/57'",
  },
  {
    program: 'zsh',
    versions: '4 to 5.9',
    source: 'Src/exec.c:execcmd_exec',
    operation: null,
    words: String.raw`\bzsh: {said}: {node}`,
    errno: 'said',
    sample: 'zsh: permission denied: /dev/vfio/57',
  },
  {
    program: 'any',
    versions: 'any',
    source: 'open(2) and strerror(3)',
    operation: null,
    words: String.raw`\bopen(?:ing|ed)?\b[^;\n]{0,80}?{node}`,
    sample: `qemu-kvm: vfio 0000:c4:00.0: failed to open /dev/vfio/57: ${BUSY}`,
  },
  {
    program: 'any',
    versions: 'any',
    source: 'perror(3)',
    operation: null,
    words: `${OPENED}{node}`,
    errno: 'near',
    sample: 'sh: /dev/vfio/devices/vfio4: Permission denied',
  },
  ...requests([
    ['set_container', 'VFIO_GROUP_SET_CONTAINER'],
    ['set_iommu', 'VFIO_SET_IOMMU'],
    ['get_device', 'VFIO_GROUP_GET_DEVICE_FD'],
    ['bind', 'VFIO_DEVICE_BIND_IOMMUFD'],
    ['attach', 'VFIO_DEVICE_ATTACH_IOMMUFD_PT'],
    ['map_dma', 'VFIO_(?:IOMMU_)?MAP_DMA'],
    ['ioas_map', 'IOMMU_IOAS_MAP'],
    ['hot_reset', 'VFIO_DEVICE_PCI_HOT_RESET'],
    ['reset', 'VFIO_DEVICE_RESET'],
  ]),
];

/** The name of a request, which programs print where the ioctl has failed. */
function requests(
  rows: readonly (readonly [NonNullable<Wording['operation']>, name: string])[],
): readonly Wording[] {
  return rows.map(([operation, name]) => ({
    program: 'any',
    versions: 'any',
    source: 'ioctl(2) and strerror(3)',
    operation,
    words: String.raw`\b${name}\b`,
    sample: `${name.replace(/\(.*?\)\?/, '')} failed: Invalid argument`,
  }));
}
