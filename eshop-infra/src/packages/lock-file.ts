/**
 * What a committed lock file must be like, beyond what npm writes: it names no registry host, it does not pin the bytes of
 * our own packages (the same content packs to other bytes under another npm), and it knows the native packages of every
 * platform, also when the registry at hand has only this platform's (npm leaves those it cannot find out, and `npm ci`
 * then refuses the file).
 */

export interface LockEntry {
  version?: string;
  resolved?: string;
  integrity?: string;
  link?: boolean;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

export interface LockFile {
  lockfileVersion: number;
  packages: Record<string, LockEntry>;
  [field: string]: unknown;
}

const OWN_SCOPE = '@eshop/';
const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const processors = 'arm,arm64,ia32,loong64,mips64el,ppc64,riscv64,s390x,wasm32,x64'.split(',');

/** `node_modules/a/node_modules/@eshop/proto` → `@eshop/proto`; '' for the root. */
export function packageName(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/')).replace('node_modules/', '');
}

/** The platform in a native package's name: `@swc/core-linux-arm64-musl`. Undefined when it names none. */
export function platformOf(name: string): Pick<LockEntry, 'os' | 'cpu' | 'libc'> | undefined {
  const words = name.split(/[-/.]/);
  const os = systems.filter((one) => words.includes(one));
  const cpu = processors.filter((one) => words.includes(one));
  if (os.length === 0 && !cpu.includes('wasm32')) return undefined;
  const libc = words.includes('musl') ? ['musl'] : words.includes('gnu') || words.includes('glibc') ? ['glibc'] : [];
  return {
    ...(os.length > 0 ? { os } : {}),
    ...(cpu.length > 0 ? { cpu } : {}),
    ...(libc.length > 0 && os.includes('linux') ? { libc } : {}),
  };
}

/** Whether the package at `from` would find `name` somewhere up its directories. */
function isFound(packages: Record<string, LockEntry>, from: string, name: string): boolean {
  for (let place = from; ; ) {
    if (packages[place === '' ? `node_modules/${name}` : `${place}/node_modules/${name}`]) return true;
    if (place === '') return false;
    const cut = place.lastIndexOf('/node_modules/');
    place = cut === -1 ? '' : place.slice(0, cut);
  }
}

function nativePackagesLeftOut(packages: Record<string, LockEntry>): [string, LockEntry][] {
  const added: [string, LockEntry][] = [];
  for (const [path, entry] of Object.entries(packages)) {
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      const platform = platformOf(name);
      if (!platform || isFound(packages, path, name)) continue;
      const top = `node_modules/${name}`;
      const version = range.replace(/^[\^~=]/, '');
      added.push([top, { version, ...(entry.dev ? { dev: true } : {}), optional: true, ...platform }]);
    }
  }
  return added;
}

/**
 * The lock file without what it says of our own packages: npm does not look again at a version that it has, and ours may have changed
 * under the same version while they are worked on. The given one stays as it is.
 */
export function withoutOwnPackages(lock: LockFile): LockFile {
  const kept = Object.entries(lock.packages).filter(
    ([path]) => path === '' || !packageName(path).startsWith(OWN_SCOPE),
  );
  return { ...lock, packages: Object.fromEntries(kept) };
}

/** Returns the lock file as it is to be committed; the given one stays as it is. */
export function tidyLockFile(lock: LockFile): LockFile {
  const packages: [string, LockEntry][] = Object.entries(lock.packages).map(([path, entry]) => {
    const { resolved, ...kept } = entry;
    // a link's `resolved` is its directory, not a host
    if (entry.link && resolved !== undefined) return [path, entry];
    if (packageName(path).startsWith(OWN_SCOPE)) delete kept.integrity;
    return [path, kept];
  });
  const all = [...packages, ...nativePackagesLeftOut(Object.fromEntries(packages))];
  const order = new Intl.Collator('en');
  all.sort(([a], [b]) => (a === '' ? -1 : b === '' ? 1 : order.compare(a, b)));
  return { ...lock, packages: Object.fromEntries(all) };
}
