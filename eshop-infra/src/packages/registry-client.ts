import { type Contents, tarballContents } from './content-hash.ts';

interface Packument {
  versions: Record<string, { dist: { tarball: string; integrity: string } }>;
}

/** A version of a package as the registry has it. */
export interface Published {
  integrity: string;
  tarball: string;
}

/** Asks one registry about our own packages. */
export class RegistryClient {
  private readonly url: string;
  private readonly contents = new Map<string, Promise<Contents>>();

  constructor(url: string) {
    this.url = url.replace(/\/$/, '');
  }

  /** Undefined when the registry does not have this version. */
  async find(name: string, version: string): Promise<Published | undefined> {
    const response = await fetch(`${this.url}/${name.replace('/', '%2f')}`, { signal: AbortSignal.timeout(10_000) });
    if (response.status === 404) return undefined;
    if (!response.ok) throw new Error(`the registry ${this.url} answers ${response.status} for ${name}`);
    return ((await response.json()) as Packument).versions[version]?.dist;
  }

  /** The files of a published version, fetched once. */
  contentsOf({ integrity, tarball }: Published): Promise<Contents> {
    let known = this.contents.get(integrity);
    if (!known) {
      known = (async () => {
        // by this registry's address, whatever name it believes to have
        const response = await fetch(`${this.url}${new URL(tarball).pathname}`, {
          signal: AbortSignal.timeout(30_000),
        });
        if (!response.ok) throw new Error(`${tarball} answers ${response.status}`);
        return tarballContents(new Uint8Array(await response.arrayBuffer()));
      })();
      this.contents.set(integrity, known);
    }
    return known;
  }
}
