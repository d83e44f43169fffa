import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Certificates of one spec, made by openssl. */
export class Certificates {
  readonly dir = mkdtempSync(join(tmpdir(), 'certificates-'));

  /** An authority; returns its certificate's file. */
  authority(name: string): string {
    this.openssl('req', '-x509', ...this.newKey(name), '-subj', `/CN=${name}`, '-out', this.file(name), '-days', '2');
    return this.file(name);
  }

  /** A certificate for these names, as in `DNS:localhost,IP:127.0.0.1`; `key` lies beside it. */
  server(name: string, authority: string, names: string): { cert: string; key: string } {
    const [request, extensions] = [join(this.dir, `${name}.csr`), join(this.dir, `${name}.ext`)];
    writeFileSync(extensions, `subjectAltName=${names}`);
    this.openssl('req', ...this.newKey(name), '-subj', `/CN=${name}`, '-out', request);
    const by = ['-CA', this.file(authority), '-CAkey', this.key(authority), '-CAcreateserial', '-days', '2'];
    this.openssl('x509', '-req', '-in', request, ...by, '-extfile', extensions, '-out', this.file(name));
    return { cert: this.file(name), key: this.key(name) };
  }

  remove(): void {
    rmSync(this.dir, { recursive: true });
  }

  private newKey(name: string): string[] {
    return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', this.key(name)];
  }

  private file = (name: string) => join(this.dir, `${name}.pem`);
  private key = (name: string) => join(this.dir, `${name}.key`);

  private openssl(...args: string[]): void {
    execFileSync('openssl', args, { stdio: 'pipe' });
  }
}
