import { type Contents, tarballContents } from './content-hash.ts';

interface Packument {
  'dist-tags': { latest?: string };
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

  /** A connection for each request: work between two of them may take longer than the registry keeps an idle one. */
  private get(path: string, ms: number): Promise<Response> {
    return fetch(`${this.url}${path}`, { headers: { connection: 'close' }, signal: AbortSignal.timeout(ms) });
  }

  private async packument(name: string): Promise<Packument | undefined> {
    const response = await this.get(`/${name.replace('/', '%2f')}`, 10_000);
    if (response.status === 404) return undefined;
    if (!response.ok) throw new Error(`the registry ${this.url} answers ${response.status} for ${name}`);
    return (await response.json()) as Packument;
  }

  /** Undefined when the registry does not have this version. */
  async find(name: string, version: string): Promise<Published | undefined> {
    return (await this.packument(name))?.versions[version]?.dist;
  }

  /** The version that `latest` means; undefined when the registry does not have the package. */
  async latest(name: string): Promise<{ version: string; published: Published } | undefined> {
    const packument = await this.packument(name);
    const version = packument?.['dist-tags'].latest;
    const published = version === undefined ? undefined : packument?.versions[version]?.dist;
    return version === undefined || !published ? undefined : { version, published };
  }

  /** The tarball of a published version. */
  async download({ tarball }: Published): Promise<Uint8Array> {
    // by this registry's address, whatever name it believes to have
    const response = await this.get(new URL(tarball).pathname, 30_000);
    if (!response.ok) throw new Error(`${tarball} answers ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  }

  /** The files of a published version, fetched once. */
  contentsOf(published: Published): Promise<Contents> {
    let known = this.contents.get(published.integrity);
    if (!known) {
      known = this.download(published).then((bytes) => tarballContents(bytes));
      this.contents.set(published.integrity, known);
    }
    return known;
  }
}
